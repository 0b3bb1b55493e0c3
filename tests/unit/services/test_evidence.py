"""Evidence of the own log, proven at a block; and what peers hold, checked and kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from fakes.simulator import Simulator
from fakes.world import (
    DESIGNER,
    ISSUER,
    MAKER,
    OPERATOR,
    SITE,
    Tools,
    World,
    claim,
    log_unasked,
    make_world,
)
from guildmark.domain import bundle
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import (
    DesignFact,
    DesignOwnerFact,
    IdentityFact,
    KeyFact,
    LaneFact,
    LicenseFact,
    LogFact,
    NoticeFact,
    PartFact,
    RecallFact,
    RecipeFact,
    RevisionFact,
)
from guildmark.domain.chain.storage import (
    CONTROLLERS,
    DESIGN_OWNERS,
    FATES,
    RECALL_COUNTS,
    RECALLS,
)
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import (
    UINT64_MAX,
    ZERO32,
    Address,
    Bytes32,
    IdentityId,
    Index,
    LogNumber,
)
from guildmark.domain.identity.identity import ClaimDocument, IdentityKind, controller_target
from guildmark.domain.log.merkle import verify_inclusion
from guildmark.domain.recall import OWNERS, RecallCause, Severity, Thing
from guildmark.domain.verification.case import Brought, Unsearched
from guildmark.domain.verification.choice import ANYBODY, Choice
from guildmark.domain.verification.evidence import (
    ENTRIES_MAX,
    OWNERS_MAX,
    RECALLS_MAX,
    RIVALS_MAX,
    Evidence,
    RecallsDisclosure,
)
from guildmark.domain.verification.report import Lack
from guildmark.domain.verification.slots import required_slots
from guildmark.ports.keys import KeyName
from guildmark.ports.peers import PeerUnavailableError
from guildmark.ports.store import DocumentKind
from guildmark.services.evidence.bundles import Bundles, _asked
from guildmark.services.evidence.evidence import (
    EvidenceNotFinalError,
    PartUnknownError,
    RecordTooYoungError,
)
from guildmark.services.identity.notices import Suspicion
from guildmark.services.index.projection import known
from guildmark.services.recalls.recalling import Said

FIRST = Index(0)


@pytest.fixture
def world() -> World:
    return logged(make_world())


def logged(world: World, *numbers: int) -> World:
    world.disclose()
    envelopes = [world.envelope(number) for number in numbers or (1, 2)]
    world.tools.ingest(world.log).receive(envelopes)
    line = world.tools.line(world.log)
    line.step()
    line.step()
    return world


def evidence(world: World, index: int = 0) -> Evidence:
    return world.tools.exporter.evidence(world.log, Index(index))


def test_path_leads_from_the_entry_to_the_record(world: World) -> None:
    core = evidence(world, 1).core

    verify_inclusion(
        data=core.entry.leaf_data(core.salt),
        index=core.position,
        count=core.record.count,
        path=core.path,
        root=core.record.root,
    )
    assert (core.record.log, core.index) == (world.log, 1)


def test_every_slot_that_a_verdict_needs_is_proven(world: World) -> None:
    found = evidence(world)

    shown = {
        name: tuple(slot.slot for slot in proof.slots)
        for name, proof in found.chain.accounts.items()
    }
    assert shown == required_slots(found.core, found.disclosed)


def test_evidence_is_of_the_newest_final_block(world: World) -> None:
    head = world.tools.chain.head(final=True)

    assert evidence(world).chain.header == world.tools.chain.header(head.number)
    assert evidence(world).chain.pin == world.tools.chain.pin()


def test_evidence_can_be_of_an_earlier_block(world: World) -> None:
    number = world.tools.chain.head(final=True).number
    world.tools.logs(OPERATOR).tick()

    found = world.tools.exporter.evidence(world.log, FIRST, block=number)

    assert found.chain.header == world.tools.chain.header(number)


def test_block_must_be_final(world: World) -> None:
    number = world.tools.chain.head(final=True).number

    with pytest.raises(EvidenceNotFinalError) as caught:
        world.tools.exporter.evidence(world.log, FIRST, block=number + 1)

    assert caught.value.code == "evidence.blockNotFinal"
    assert caught.value.detail == {"block": number + 1, "final": number}


def test_block_must_not_be_older_than_the_record(world: World) -> None:
    number = world.tools.chain.head(final=True).number

    with pytest.raises(RecordTooYoungError) as caught:
        world.tools.exporter.evidence(world.log, FIRST, block=number - 1)

    assert caught.value.detail == {"block": number - 1}


def test_unknown_position_has_no_evidence(world: World) -> None:
    with pytest.raises(PartUnknownError) as caught:
        world.tools.exporter.evidence(world.log, Index(2))

    assert caught.value.code == "part.unknown"
    assert caught.value.exit_code == 11


def test_what_the_parties_show_is_in_the_evidence(world: World) -> None:
    shown = evidence(world).disclosed

    assert shown.operator == world.operator
    assert shown.key is not None
    assert shown.site_link is not None
    assert (shown.site_link.child, shown.site_link.count) == (world.machine, 1)
    assert shown.maker_link is not None
    assert (shown.maker_link.parent, shown.maker_link.count) == (world.maker, 1)
    assert shown.beacon == world.beacon
    assert [one.terms for one in shown.licenses] == [world.terms]
    assert shown.recipe is not None
    assert shown.recipe.recipe == world.recipe
    assert shown.site_recipe is not None
    assert shown.site_recipe.recipe.site == world.site
    assert shown.revision == world.revision
    assert shown.owner == world.designer


def test_profiles_of_all_parties_are_shown(world: World) -> None:
    profiles = {one.identity for one in evidence(world).disclosed.profiles}

    assert profiles == {
        *(world.operator, world.maker, world.site, world.machine, world.designer),
    }


def test_profile_that_nobody_disclosed_is_not_shown(world: World) -> None:
    world.tools.store.forget_documents(DocumentKind.PROFILE)

    assert evidence(world).disclosed.profiles == ()


def test_claims_of_maker_and_owner_are_shown(world: World) -> None:
    for subject in (world.maker, world.designer, world.operator):
        made, body = claim(world.tools, world.issuer, subject)
        world.tools.indexing(world.log).follow()
        world.tools.disclosing.receive(DocumentKind.CLAIM, made, body)

    shown = evidence(world).disclosed

    assert [one.subject for one in shown.claims] == [world.maker, world.designer]
    assert world.issuer in {one.identity for one in shown.profiles}


def test_public_claim_is_shown_without_a_disclosure(world: World) -> None:
    document = ClaimDocument(scheme="CAGE", value="1ABC2", salt=Bytes32(bytes(32)))
    world.tools.identities(ISSUER).claim_public(world.issuer, world.maker, document)
    world.tools.indexing(world.log).follow()

    assert [one.claim for one in evidence(world).disclosed.claims] == [document]


def test_claims_of_strangers_do_not_crowd_out_disclosed_ones(world: World) -> None:
    stranger = world.tools.identities(ISSUER)
    for number in range(40):
        text = f"{number:09d}"
        document = ClaimDocument(scheme="DUNS", value=text, salt=Bytes32(bytes(32)))
        stranger.claim_public(world.issuer, world.maker, document)
    made, body = claim(world.tools, world.issuer, world.maker)
    world.tools.indexing(world.log).follow()
    world.tools.disclosing.receive(DocumentKind.CLAIM, made, body)

    shown = evidence(world).disclosed.claims

    assert len(shown) == 16
    assert shown[0].id() == made


def test_claim_that_is_not_disclosed_is_not_shown(world: World) -> None:
    claim(world.tools, world.issuer, world.maker)
    world.tools.indexing(world.log).follow()

    assert evidence(world).disclosed.claims == ()


def test_revoked_claim_is_not_shown(world: World) -> None:
    made, body = claim(world.tools, world.issuer, world.maker)
    world.tools.indexing(world.log).follow()
    world.tools.disclosing.receive(DocumentKind.CLAIM, made, body)
    world.tools.chain.mine()
    world.tools.chain.emit(ContractName.IDENTITIES, "ClaimRevoked", claim=made)
    world.tools.indexing(world.log).follow()

    assert evidence(world).disclosed.claims == ()


def test_owner_with_a_claim_goes_before_one_without(world: World) -> None:
    with world.tools.store.reading() as view:
        owner = known(view.facts, DesignFact, world.revision.design).owner
    second = world.tools.identities("designer").register(IdentityKind.ORGANIZATION, {"name": "E"})
    made, body = claim(world.tools, world.issuer, second)
    world.tools.indexing(world.log).follow()
    world.tools.disclosing.receive(DocumentKind.CLAIM, made, body)

    with world.tools.store.reading() as view:
        assert known(view.facts, IdentityFact, second).controller == owner
    assert evidence(world).disclosed.owner == second


@pytest.mark.parametrize(("later", "is_first"), [(0, True), (1, False)])
def test_owner_who_doubts_what_the_account_did_goes_before_one_with_a_claim(
    world: World, later: int, is_first: bool
) -> None:
    second = world.tools.identities("designer").register(IdentityKind.ORGANIZATION, {"name": "E"})
    made, body = claim(world.tools, world.issuer, second)
    world.tools.indexing(world.log).follow()
    world.tools.disclosing.receive(DocumentKind.CLAIM, made, body)
    with world.tools.store.writing() as work:
        acts = [
            known(work.facts, LicenseFact, 1).granted_at,
            *(fact.revision.at for fact in work.facts.each(RevisionFact, world.revision.design)),
        ]
        notice = NoticeFact(
            identity=world.designer,
            target=controller_target(world.designer, 1),
            by=IdentityId(ZERO32),
            number=1,
            notice_at=max(acts) + 9,
            suspected_from=max(acts) + later,
            evidence=sha256(b""),
        )
        work.facts.put(notice)

    assert (evidence(world).disclosed.owner == world.designer) is is_first


def test_owner_whom_no_organization_speaks_for_is_not_named(world: World) -> None:
    with world.tools.store.writing() as work:
        signer = known(work.facts, DesignOwnerFact, world.revision.design, 0)
        work.facts.put(replace(signer, owner=Address(b"\7" * 20)))

    assert evidence(world).disclosed.owner is None


def test_owner_who_changed_controllers_is_shown_with_its_history(world: World) -> None:
    account = world.tools.keys.address(KeyName(MAKER))
    changed = {"id": world.designer, "controller": account, "number": 2}
    world.tools.chain.mine()
    world.tools.chain.emit(ContractName.IDENTITIES, "ControllerChanged", **changed)
    world.tools.indexing(world.log).follow()

    found = evidence(world)

    assert found.disclosed.owner == world.designer
    assert {one.identity: one.count for one in found.disclosed.controllers} == {world.designer: 2}
    slots = required_slots(found.core, found.disclosed)[ContractName.IDENTITIES]
    assert {CONTROLLERS.at(world.designer, number).slot for number in (1, 2)} <= set(slots)


def sell(world: World, *accounts: Address) -> list[int]:
    """Let the design be sold on, and return when each time."""
    token = int.from_bytes(world.revision.design, "big")
    seller, times = world.tools.keys.address(KeyName(DESIGNER)), []
    for account in accounts:
        moved: dict[str, Any] = {"from": seller, "to": account, "tokenId": token}
        world.tools.chain.mine()
        world.tools.chain.emit(ContractName.DESIGNS, "Transfer", **moved)
        times.append(world.tools.chain.now)
        seller = account
    world.tools.indexing(world.log).follow()
    return times


def revise(world: World, at: int) -> None:
    """Let the revision be one that was published at another time."""
    with world.tools.store.writing() as work:
        paper = known(work.facts, RevisionFact, world.revision.design, world.revision.number)
        work.facts.put(replace(paper, revision=replace(paper.revision, at=at)))


def owners(world: World) -> list[tuple[int, IdentityId | None]]:
    return [(one.epoch, one.identity) for one in evidence(world).disclosed.owners]


def test_owner_is_the_one_who_licensed_and_not_whom_the_token_was_given_to(world: World) -> None:
    sell(world, world.tools.keys.address(KeyName(MAKER)))

    assert evidence(world).disclosed.owner == world.designer
    assert owners(world) == []


@pytest.mark.parametrize(("later", "is_shown"), [(-1, False), (0, True), (1, True)])
def test_whoever_published_after_a_sale_is_shown(world: World, later: int, is_shown: bool) -> None:
    (at,) = sell(world, world.tools.keys.address(KeyName(MAKER)))
    revise(world, at + later)

    found = evidence(world)

    assert found.disclosed.owner == world.designer
    assert owners(world) == ([(1, world.maker)] if is_shown else [])
    slots = required_slots(found.core, found.disclosed)[ContractName.DESIGNS]
    following = DESIGN_OWNERS.at(world.revision.design, 2).slot
    assert (following in slots) is is_shown


def test_all_who_gave_a_design_on_are_shown_before_who_published(world: World) -> None:
    maker = world.tools.keys.address(KeyName(MAKER))
    times = sell(world, maker, Address(b"\7" * 20), maker, Address(b"\7" * 20))
    revise(world, times[2])

    assert owners(world) == [(1, world.maker), (2, None), (3, world.maker)]


LAST_TWO = (OWNERS_MAX, OWNERS_MAX + 1)


def test_no_more_owners_are_shown_than_are_read(world: World) -> None:
    maker = world.tools.keys.address(KeyName(MAKER))
    revise(world, sell(world, *[maker] * (OWNERS_MAX + 1))[-1])

    assert [epoch for epoch, _ in owners(world)] == [*range(1, OWNERS_MAX - 1), *LAST_TWO]


@pytest.mark.parametrize(
    ("kind", "member"),
    [
        (DesignOwnerFact, "owner"),
        (LaneFact, "owner"),
        (RevisionFact, "revision"),
        (RecipeFact, "recipe"),
        (LogFact, "operator"),
    ],
)
def test_what_the_index_does_not_know_stays_absent(world: World, kind: type, member: str) -> None:
    world.tools.store.forget(kind)

    assert getattr(evidence(world).disclosed, member) is None


def test_license_of_an_unknown_lane_stays_absent(world: World) -> None:
    world.tools.store.forget(LaneFact)

    assert evidence(world).disclosed.licenses == ()


@pytest.mark.parametrize(
    ("kind", "member"),
    [
        (DocumentKind.TERMS, "licenses"),
        (DocumentKind.RECIPE, "recipe"),
        (DocumentKind.SITE_RECIPE, "site_recipe"),
    ],
)
def test_what_was_not_disclosed_stays_absent(world: World, kind: DocumentKind, member: str) -> None:
    world.tools.store.forget_documents(kind)

    assert not getattr(evidence(world).disclosed, member)


def test_unreadable_envelope_shows_what_the_record_alone_shows() -> None:
    world = make_world()
    world.disclose()
    log_unasked(world, b"{}")

    shown = evidence(world).disclosed

    assert shown.operator == world.operator
    assert len(shown.licenses) == 1
    assert shown.key is None
    assert shown.site_link is None


def test_key_of_an_unknown_machine_is_not_shown(world: World) -> None:
    world.tools.store.forget(KeyFact)

    assert evidence(world).disclosed.key is None


def fate(world: World, index: int, value: int) -> None:
    with world.tools.store.writing() as work:
        work.facts.put(PartFact(log=world.log, index=Index(index), fate=value))
    world.tools.chain.words[FATES.at(world.log, Index(index)).slot] = value


def test_replaced_part_shows_what_replaces_it(world: World) -> None:
    fate(world, 0, 1)

    found = evidence(world)

    assert found.replacement is not None
    assert found.replacement.core.index == 1
    assert found.replacement.chain.header == found.chain.header


@pytest.mark.parametrize("value", [0, UINT64_MAX])
def test_part_that_nothing_replaces_shows_nothing_more(world: World, value: int) -> None:
    fate(world, 0, value)

    assert evidence(world).replacement is None


@dataclass
class MemoryPeer:
    """Another node: what it answers to each position, and how often it was asked."""

    answers: Mapping[tuple[LogNumber, int], bytes] = field(default_factory=dict)
    is_down: bool = False
    asked: int = 0
    labelled: Mapping[str, Sequence[tuple[LogNumber, Index]]] = field(default_factory=dict)

    def bundle(self, log: LogNumber, index: Index) -> bytes | None:
        self.asked += 1
        if self.is_down:
            message = "The peer does not answer."
            raise PeerUnavailableError(message)
        return self.answers.get((log, index))

    def positions(self, label: str) -> Sequence[tuple[LogNumber, Index]]:
        if self.is_down:
            message = "The peer does not answer."
            raise PeerUnavailableError(message)
        return self.labelled.get(label, ())


def other_node(world: World, *peers: MemoryPeer) -> Bundles:
    """Return the bundles of a node that runs another log on the same chain."""
    tools = Tools(chain=world.tools.chain)
    tools.indexing().follow()
    return Bundles(exporter=tools.exporter, store=tools.store, own_log=LogNumber(9), peers=peers)


def own_node(world: World) -> Bundles:
    return Bundles(exporter=world.tools.exporter, store=world.tools.store, own_log=world.log)


def test_own_part_comes_as_a_bundle(world: World) -> None:
    found = bundle.read(own_node(world).bundle(world.log, FIRST))

    assert found == evidence(world)


def test_own_part_that_is_not_there_is_unknown(world: World) -> None:
    with pytest.raises(PartUnknownError):
        own_node(world).bundle(world.log, Index(2))


def test_peers_part_is_proven_again_and_kept(world: World) -> None:
    peer = MemoryPeer({(world.log, 0): own_node(world).bundle(world.log, FIRST)})
    node = other_node(world, peer)

    first = bundle.read(node.bundle(world.log, FIRST))
    world.tools.logs(OPERATOR).tick()
    second = bundle.read(node.bundle(world.log, FIRST))

    assert first.core == second.core == evidence(world).core
    assert first.chain.header != second.chain.header
    assert peer.asked == 1


def test_node_that_asks_is_answered_without_asking_others(world: World) -> None:
    peer = MemoryPeer({(world.log, 0): own_node(world).bundle(world.log, FIRST)})

    with pytest.raises(PartUnknownError) as caught:
        other_node(world, peer).bundle(world.log, FIRST, ask_peers=False)

    assert caught.value.detail == {"log": world.log, "index": 0}
    assert peer.asked == 0


def test_next_peer_is_asked_where_one_is_down_or_knows_nothing(world: World) -> None:
    answer = {(world.log, 0): own_node(world).bundle(world.log, FIRST)}
    down, empty, broken = (
        MemoryPeer(is_down=True),
        MemoryPeer(),
        MemoryPeer({(world.log, 0): b"no zip"}),
    )
    node = other_node(world, down, empty, broken, MemoryPeer(answer))

    found = bundle.read(node.bundle(world.log, FIRST))

    assert found.core.index == 0


def lie(found: Evidence) -> Mapping[str, Evidence]:
    core = found.core
    return {
        "another position": replace(found, core=replace(core, position=1)),
        "another salt": replace(found, core=replace(core, salt=Bytes32(bytes(32)))),
        "another envelope": replace(found, core=replace(core, envelope=b"{}")),
        "another record": replace(
            found, core=replace(core, record=replace(core.record, root=sha256(b"x")))
        ),
    }


@pytest.mark.parametrize(
    "name", ["another position", "another salt", "another envelope", "another record"]
)
def test_peers_lie_is_not_kept(world: World, name: str) -> None:
    told = bundle.write(lie(evidence(world))[name])
    node = other_node(world, MemoryPeer({(world.log, 0): told}))

    with pytest.raises(PartUnknownError):
        node.bundle(world.log, FIRST)


def test_part_of_a_log_that_nobody_opened_is_unknown(world: World) -> None:
    told = own_node(world).bundle(world.log, FIRST)
    node = other_node(world, MemoryPeer({(LogNumber(77), 0): told}))

    with pytest.raises(PartUnknownError):
        node.bundle(LogNumber(77), FIRST)


def test_label_is_found_in_the_own_log(world: World) -> None:
    label = world.finished(2).label

    assert own_node(world).locate(label) == (world.log, 1)
    assert own_node(world).locate(label + "0") is None


def test_label_of_an_accepted_build_is_not_found_yet(world: World) -> None:
    world.tools.ingest(world.log).receive([world.envelope(3)])

    assert own_node(world).locate(world.finished(3).label) is None


def test_label_is_found_among_what_was_kept(world: World) -> None:
    peer = MemoryPeer({(world.log, 0): own_node(world).bundle(world.log, FIRST)})
    node = other_node(world, peer)
    label = world.finished(1).label
    before = node.locate(label)

    node.bundle(world.log, FIRST)

    assert before is None
    assert node.locate(label) == (world.log, 0)


def test_first_part_with_a_label_keeps_it() -> None:
    world = make_world()
    statements = (world.statement(1), replace(world.statement(2), label=world.finished(1).label))
    log_unasked(world, *(world.sign(statement) for statement in statements))
    own, label = own_node(world), world.finished(1).label
    held = {(world.log, index): own.bundle(world.log, Index(index)) for index in (0, 1)}
    node = other_node(world, MemoryPeer(held))

    node.bundle(world.log, Index(1))
    node.bundle(world.log, Index(0))

    assert node.locate(label) == (world.log, 1)


def test_entry_without_a_readable_label_is_kept_by_its_position() -> None:
    world = make_world()
    log_unasked(world, b"{}")
    peer = MemoryPeer({(world.log, 0): own_node(world).bundle(world.log, FIRST)})
    node = other_node(world, peer)

    for _ in range(2):
        node.bundle(world.log, FIRST)

    assert peer.asked == 1


def twice(world: World) -> tuple[Bundles, Mapping[tuple[LogNumber, int], bytes], str]:
    """Let a rogue log two parts with one label; return its bundles and the label."""
    label = world.finished(1).label
    statements = (world.statement(1), replace(world.statement(2), label=label))
    log_unasked(world, *(world.sign(statement) for statement in statements))
    own = own_node(world)
    return own, {(world.log, index): own.bundle(world.log, Index(index)) for index in (0, 1)}, label


def places(found: Evidence) -> list[int]:
    return [rival.core.index for rival in found.rivals]


def test_own_entries_with_one_label_are_shown_beside_each_other() -> None:
    own, held, label = twice(make_world())

    shown = {place[1]: bundle.read(body) for place, body in held.items()}

    assert {index: places(found) for index, found in shown.items()} == {0: [1], 1: [0]}
    assert shown[0].rivals[0].chain.header == shown[0].chain.header
    assert [index for _, index in own.positions(label)] == [0, 1]


def test_what_was_kept_is_shown_beside_each_other() -> None:
    world = make_world()
    _, held, label = twice(world)
    node = other_node(world, MemoryPeer(held))

    first = bundle.read(node.bundle(world.log, Index(0)))
    second = bundle.read(node.bundle(world.log, Index(1)))

    assert (places(first), places(second)) == ([], [0])
    assert node.positions(label) == [(world.log, 0), (world.log, 1)]


def test_peers_are_asked_for_other_entries_of_a_label() -> None:
    world = make_world()
    _, held, label = twice(world)
    positions = [(LogNumber(9), Index(4)), *((log, Index(index)) for log, index in held)]
    peer = MemoryPeer(held, labelled={label: [*positions, (LogNumber(77), Index(0))]})
    node = other_node(world, MemoryPeer(is_down=True), peer)

    found = bundle.read(node.bundle(world.log, Index(1)))

    assert places(found) == [0]


def test_a_lie_about_another_entry_is_not_kept() -> None:
    world = make_world()
    _, held, label = twice(world)
    first, second = ((world.log, index) for index in (0, 1))
    told = {second: held[second], first: held[second]}
    peer = MemoryPeer(told, labelled={label: [(world.log, Index(0))]})

    found = bundle.read(other_node(world, peer).bundle(world.log, Index(1)))

    assert places(found) == []


def test_peers_that_do_not_say_who_else_claims_a_label_are_told_and_asked_again() -> None:
    world = make_world()
    _, held, label = twice(world)
    down = MemoryPeer(is_down=True)
    peer = MemoryPeer(held, labelled={label: [(world.log, Index(at)) for at in (0, 1)]})
    node = other_node(world, down, peer)

    told = [one for _ in range(2) for one in node.gathered(world.log, Index(1)).beside]
    down.is_down = False
    later = node.gathered(world.log, Index(1)).beside

    reason = "A peer of this node did not say who else claims the label. The peer does not answer."
    assert told == [Unsearched(reason=reason)] * 2
    assert later == ()


def crowd(world: World, size: int) -> None:
    """Let the node hold that many entries of another log with the first part's label."""
    found = evidence(world)
    places = [(LogNumber(77), Index(at)) for at in range(size)]
    with world.tools.store.writing() as work:
        for log, index in places:
            record = replace(found.core.record, log=log, first_index=index)
            body = bundle.write(replace(found, core=replace(found.core, record=record)))
            key = log.to_bytes(8, "big") + index.to_bytes(8, "big")
            work.documents.put(DocumentKind.PART, key, body)
        hints = "\n".join(f"{log}.{index}" for log, index in places).encode()
        label = world.finished(1).label.encode()
        work.documents.put(DocumentKind.LABEL, sha256(label), hints)


def test_entries_that_a_bundle_has_no_room_for_are_judged_beside_it(world: World) -> None:
    crowd(world, RIVALS_MAX + 2)

    gathered = own_node(world).gathered(world.log, FIRST)

    shown = bundle.read(gathered.bundle)
    assert places(shown) == list(range(RIVALS_MAX))
    brought = [one for one in gathered.beside if isinstance(one, Brought)]
    assert [one.name for one in brought] == ["77.8", "77.9"]
    assert {one.evidence.chain.header for one in brought} == {shown.chain.header}


@pytest.mark.parametrize("more", [0, 1])
def test_more_entries_than_are_read_are_told(world: World, more: int) -> None:
    crowd(world, ENTRIES_MAX + more)

    beside = own_node(world).gathered(world.log, FIRST).beside

    told = [one for one in beside if isinstance(one, Unsearched)]
    reason = "This node knows 65 other entries of the label, of which 64 are read."
    assert told == [Unsearched(reason=reason, lack=Lack.EVIDENCE)] * more
    assert len(beside) == ENTRIES_MAX - RIVALS_MAX + more


def test_more_entries_of_a_peer_than_are_read_are_told() -> None:
    world = make_world()
    _, held, label = twice(world)
    named = [(LogNumber(77), Index(at)) for at in range(ENTRIES_MAX + 1)]
    node = other_node(world, MemoryPeer(held, labelled={label: named}))

    (told,) = node.gathered(world.log, FIRST).beside

    reason = "A peer of this node names 65 other entries of the label, of which 64 are read."
    assert told == Unsearched(reason=reason, lack=Lack.EVIDENCE)


def test_a_rival_younger_than_the_block_is_left_out(world: World) -> None:
    found = world.tools.exporter.gather(world.log, FIRST)
    young = replace(found.core.record, time=found.core.record.time + 10**6)
    rival = replace(found, core=replace(found.core, record=young))

    proven = world.tools.exporter.prove(replace(found, rivals=(rival,)))

    assert proven.rivals == ()


def test_a_replacement_is_left_out_where_the_fate_names_none(world: World) -> None:
    found = world.tools.exporter.gather(world.log, FIRST)

    proven = world.tools.exporter.prove(replace(found, replacement=found))

    assert proven.replacement is None


def test_authorities_who_gave_notice_go_before_those_who_did_not(world: World) -> None:
    tools = world.tools
    silent, warning = (
        tools.identities(ISSUER).register(IdentityKind.AUTHORITY, {"name": name})
        for name in ("Silent", "Warning")
    )
    suspicion = Suspicion(since=tools.chain.now)
    tools.notices(ISSUER).warn_of_controller(warning, world.maker, 1, suspicion)
    tools.notices(MAKER).of_controller(world.maker, suspicion)
    tools.indexing().follow()

    shown = evidence(world).disclosed.authorities

    assert (shown[0], silent in shown) == (warning, True)


def test_a_crowd_of_authorities_is_cut_off(world: World) -> None:
    for number in range(12):
        name = {"name": f"Authority {number}"}
        world.tools.identities(ISSUER).register(IdentityKind.AUTHORITY, name)
    world.tools.indexing().follow()

    assert len(evidence(world).disclosed.authorities) == 8


def test_an_asker_chooses_the_authorities(world: World) -> None:
    """Those whom he names are proven, all of them and no others, in the bundles of rivals, too."""
    named = tuple(IdentityId(sha256(f"{number}".encode())) for number in range(16))
    bundles = own_node(world)

    shown = bundle.read(bundles.bundle(world.log, FIRST, choice=Choice(authorities=named)))

    assert shown.disclosed.authorities == named
    assert bundle.read(bundles.bundle(world.log, FIRST)).disclosed.authorities != named


def test_the_replacement_of_what_a_node_kept_is_asked_the_same() -> None:
    named = (IdentityId(sha256(b"authority")),)
    inner = Simulator().evidence()

    asked = _asked(replace(inner, replacement=inner), Choice(authorities=named))

    assert asked.replacement is not None
    assert asked.replacement.disclosed.authorities == asked.disclosed.authorities == named
    assert _asked(inner, ANYBODY) is inner


def test_the_askers_issuers_go_before_a_crowd(world: World) -> None:
    tools, last = world.tools, world.maker
    for number in range(17):
        last = tools.identities(ISSUER).register(
            IdentityKind.AUTHORITY, {"name": f"Stranger {number}"}
        )
        made, body = claim(tools, last, world.maker)
        tools.indexing().follow()
        tools.disclosing.receive(DocumentKind.CLAIM, made, body)

    def shown(choice: Choice) -> set[IdentityId]:
        gathered = tools.exporter.gather(world.log, FIRST, choice)
        return {one.issuer for one in gathered.disclosed.claims if one.subject == world.maker}

    assert last not in shown(ANYBODY)
    assert last in shown(Choice(issuers=(last,)))


def test_all_controllers_of_an_identity_are_shown(world: World) -> None:
    next_one = world.tools.account(ISSUER).address
    world.tools.identities(MAKER).propose_controller(world.maker, next_one)
    world.tools.identities(ISSUER).accept_controller(world.maker)
    world.tools.indexing().follow()

    shown = {one.identity: one.count for one in evidence(world).disclosed.controllers}

    assert shown[world.maker] == 2


def test_recalls_that_the_node_knows_of_are_proven(world: World) -> None:
    said = Said(severity=Severity.WITHDRAW, reason=sha256(b"worn"))
    thing = Thing(cause=RecallCause.MACHINE, id=Bytes32(world.machine))
    recalling = world.tools.recalling(SITE)
    recalling.issue(thing, said)
    world.tools.indexing(world.log).follow()
    recalling.issue(thing, replace(said, severity=Severity.DANGER))
    world.tools.indexing(world.log).follow()
    recalling.issue(Thing(cause=RecallCause.MACHINE, id=Bytes32(world.instrument)), said)
    world.tools.indexing(world.log).follow()

    shown = evidence(world)

    key = Bytes32(thing.key())
    assert shown.disclosed.recalls == (RecallsDisclosure(key=key, by=OWNERS, count=2),)
    slots = {one.slot for one in shown.chain.accounts[ContractName.RECALLS].slots}
    assert {RECALLS.at(key, OWNERS, number).slot for number in (1, 2)} < slots
    assert RECALL_COUNTS.at(Thing.serial(world.log, FIRST).key(), OWNERS).slot in slots


def test_a_recall_that_reaches_the_part_is_shown_behind_a_flood(world: World) -> None:
    said = Said(severity=Severity.WITHDRAW, reason=sha256(b"worn"))
    thing = Thing(cause=RecallCause.MACHINE, id=Bytes32(world.machine))
    world.tools.recalling(SITE).issue(thing, said)
    world.tools.indexing(world.log).follow()
    with world.tools.store.writing() as work:
        (first,) = work.facts.each(RecallFact, thing.key())
        for number in range(1, 70):
            # Before the part was built.
            work.facts.put(replace(first, number=number, until=1))
        work.facts.put(replace(first, number=70))

    shown = evidence(world)

    key = Bytes32(thing.key())
    told = RecallsDisclosure(key=key, by=OWNERS, count=RECALLS_MAX - 1, beyond=(70,))
    assert shown.disclosed.recalls == (told,)
    slots = {one.slot for one in shown.chain.accounts[ContractName.RECALLS].slots}
    assert {RECALLS.at(key, OWNERS, number).slot for number in (1, 63, 70)} < slots
    assert RECALLS.at(key, OWNERS, 64).slot not in slots
