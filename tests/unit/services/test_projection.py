"""Events become facts; the storage can be rebuilt from events alone."""

from functools import partial
from typing import Any

import pytest

from fakes.chain import MemoryChain
from fakes.store import MemoryNodeStore
from fakes.world import DESIGNER, MAKER, OPERATOR, SITE, World, claim, make_world
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import (
    AccreditationFact,
    AccreditedFact,
    ClaimFact,
    DesignFact,
    DesignOwnerFact,
    IdentityFact,
    KeyFact,
    LaneFact,
    LicenseFact,
    LicenseNumberFact,
    LinkFact,
    LogFact,
    NamedByFact,
    ParentFact,
    PartFact,
    ProfileFact,
    RecipeFact,
    RecordFact,
    RecordStartFact,
    RevisionFact,
    SiteRecipeFact,
    SpokenForFact,
)
from guildmark.domain.identifiers import UINT64_MAX, ZERO32, ZERO_ADDRESS, Address
from guildmark.domain.recipes.recipe import Status
from guildmark.ports.keys import KeyName
from guildmark.services.identity.identities import proposed
from guildmark.services.index.projection import FactMissingError, known


@pytest.fixture
def world() -> World:
    return make_world()


def emit(world: World, contract: ContractName, name: str, **args: Any) -> None:
    """Let an event happen in a block of its own, and the index read it."""
    world.tools.chain.mine()
    world.tools.chain.emit(contract, name, **args)
    world.tools.indexing().follow()


def test_identity_is_known_with_its_controller(world: World) -> None:
    account = world.tools.keys.address(KeyName(SITE))

    with world.tools.store.reading() as view:
        site = known(view.facts, IdentityFact, world.site)
        spoken = view.facts.each(SpokenForFact, account)

    assert site.controller == account
    assert site.kind == 2
    assert {one.identity for one in spoken} == {world.site, world.machine, world.instrument}


def test_profile_changes(world: World) -> None:
    emit(world, ContractName.IDENTITIES, "ProfileChanged", id=world.site, profile=ZERO32)

    with world.tools.store.reading() as view:
        assert known(view.facts, IdentityFact, world.site).profile == bytes(32)


def test_profiles_keep_when_each_stood(world: World) -> None:
    with world.tools.store.reading() as view:
        first = known(view.facts, IdentityFact, world.site)
    change = partial(emit, world, ContractName.IDENTITIES, "ProfileChanged", id=world.site)
    change(profile=b"\2" * 32)
    changed = world.tools.chain.now
    change(profile=b"\2" * 32)
    change(profile=ZERO32)
    withdrawn = world.tools.chain.now
    change(profile=b"\3" * 32)

    with world.tools.store.reading() as view:
        kept = {one.profile: one for one in view.facts.each(ProfileFact, world.site)}

    stood = {profile: (one.since, one.until) for profile, one in kept.items()}
    assert stood == {
        first.profile: (first.since, changed),
        b"\2" * 32: (changed, withdrawn),
        b"\3" * 32: (world.tools.chain.now, 0),
    }


def test_new_controller_speaks_for_the_identity(world: World) -> None:
    account = Address(b"\1" * 20)

    emit(
        *(world, ContractName.IDENTITIES, "ControllerChanged"),
        id=world.site,
        controller=account,
        number=2,
    )

    with world.tools.store.reading() as view:
        assert known(view.facts, IdentityFact, world.site).controller == account
        assert [one.identity for one in view.facts.each(SpokenForFact, account)] == [world.site]


def test_ended_link_has_an_end_and_no_parent(world: World) -> None:
    world.tools.identities(SITE).end_link(world.machine, world.site)
    world.tools.indexing().follow()

    with world.tools.store.reading() as view:
        (link,) = view.facts.each(LinkFact, world.machine, world.site)
        assert link.until == world.tools.chain.now
        assert known(view.facts, ParentFact, world.machine).parent == bytes(32)


def test_link_made_again_is_a_second_interval(world: World) -> None:
    site = world.tools.identities(SITE)
    site.end_link(world.machine, world.site)
    site.request_link(world.machine, world.site)
    site.accept_link(world.machine, world.site)
    world.tools.indexing().follow()

    with world.tools.store.reading() as view:
        links = view.facts.each(LinkFact, world.machine, world.site)
        assert [(link.number, bool(link.until)) for link in links] == [(1, True), (2, False)]
        assert known(view.facts, ParentFact, world.machine).parent == world.site


def key_of(world: World) -> KeyFact:
    with world.tools.store.reading() as view:
        (key,) = view.facts.each(KeyFact)
    return key


def test_ended_key_has_an_end(world: World) -> None:
    key = key_of(world)
    assert (key.machine, key.until, key.notice_at) == (world.machine, 0, 0)

    world.tools.identities(SITE).end_key(world.machine, key.id)
    world.tools.indexing().follow()

    assert key_of(world).until == world.tools.chain.now


def test_notice_doubts_a_key(world: World) -> None:
    key = key_of(world)

    emit(
        *(world, ContractName.IDENTITIES, "KeyNoticeGiven"),
        key=key.id,
        machine=world.machine,
        noticeAt=9,
        suspectedFrom=7,
        evidence=ZERO32,
        isByGuardians=True,
    )

    assert (key_of(world).notice_at, key_of(world).suspected_from) == (9, 7)


def test_revoked_claim_has_an_end(world: World) -> None:
    made, _ = claim(world.tools, world.issuer, world.maker)
    world.tools.indexing().follow()
    with world.tools.store.reading() as view:
        assert [one.claim for one in view.facts.each(NamedByFact, world.maker)] == [made]
        assert known(view.facts, ClaimFact, made).until == 0

    emit(world, ContractName.IDENTITIES, "ClaimRevoked", claim=made)

    with world.tools.store.reading() as view:
        assert known(view.facts, ClaimFact, made).until == world.tools.chain.now


def test_design_has_owner_and_revision(world: World) -> None:
    design = world.revision.design

    with world.tools.store.reading() as view:
        fact = known(view.facts, DesignFact, design)
        assert fact.owner == world.tools.keys.address(KeyName(DESIGNER))
        assert fact.epoch == 0
        assert [one.revision for one in view.facts.each(RevisionFact, design)] == [world.revision]


def test_sold_design_has_another_owner_and_epoch(world: World) -> None:
    buyer = Address(b"\2" * 20)
    token = int.from_bytes(world.revision.design, "big")

    moved: dict[str, Any] = {"from": Address(b"\1" * 20), "to": buyer, "tokenId": token}
    emit(world, ContractName.DESIGNS, "Transfer", **moved)

    with world.tools.store.reading() as view:
        fact = known(view.facts, DesignFact, world.revision.design)
        assert (fact.owner, fact.epoch) == (buyer, 1)
        owners = view.facts.each(DesignOwnerFact, world.revision.design)
        first = world.tools.keys.address(KeyName(DESIGNER))
        assert [(one.epoch, one.owner) for one in owners] == [(0, first), (1, buyer)]
        # The first revision is of the block of the registration.
        assert [one.since for one in owners] == [world.revision.at, world.tools.chain.now]


def test_recipe_follows_its_status(world: World) -> None:
    recipe = world.recipe.id()

    args: dict[str, Any] = {"id": recipe, "status": int(Status.SUSPENDED), "number": 2}
    emit(world, ContractName.RECIPES, "RecipeStatusChanged", **args)

    with world.tools.store.reading() as view:
        fact = known(view.facts, RecipeFact, recipe)
        assert (fact.recipe, fact.status, fact.steps) == (world.recipe, Status.SUSPENDED, 2)
        own = known(view.facts, SiteRecipeFact, world.site_recipe)
        assert own.recipe.site == world.site


def test_lane_is_cut_off_the_end_of_another(world: World) -> None:
    with world.tools.store.reading() as view:
        lanes = view.facts.each(LaneFact)

    first, cut = lanes
    assert (first.first, first.end, first.log, first.room) == (1, 1, 0, 0)
    assert (cut.number, cut.first, cut.next, cut.end) == (world.lane, 1, 1, 4)
    assert (cut.log, cut.holder, cut.room) == (world.log, world.site, 3)


def test_license_is_found_by_id_and_number(world: World) -> None:
    with world.tools.store.reading() as view:
        number = known(view.facts, LicenseNumberFact, world.license).number
        assert known(view.facts, LicenseFact, number).terms == world.terms


def test_stopped_license_says_from_when(world: World) -> None:
    world.tools.licenses(DESIGNER).stop(world.license, at=world.tools.chain.now + 50)
    world.tools.indexing().follow()

    with world.tools.store.reading() as view:
        assert known(view.facts, LicenseFact, 1).stop_at == world.tools.chain.now + 49


def test_writer_of_a_log_changes_and_ends(world: World) -> None:
    logs, account = world.tools.logs(OPERATOR), Address(b"\3" * 20)
    writers = []
    for change in (partial(logs.set_writer, world.log, account), partial(logs.close, world.log)):
        change()
        world.tools.indexing().follow()
        with world.tools.store.reading() as view:
            writers.append(known(view.facts, LogFact, world.log).writer)

    assert writers == [account, Address(bytes(20))]


def test_tick_is_a_record_of_log_0(world: World) -> None:
    second = world.tools.logs(MAKER).tick()
    world.tools.indexing().follow()

    with world.tools.store.reading() as view:
        assert known(view.facts, RecordFact, 0, 1).record == second
        assert known(view.facts, LogFact, 0).seq == 2


def test_record_moves_the_head_of_its_log(world: World) -> None:
    world.disclose()
    world.tools.ingest(world.log).receive([world.envelope(1), world.envelope(2)])
    line = world.tools.line(world.log)
    line.step()
    line.step()

    with world.tools.store.reading() as view:
        head = known(view.facts, LogFact, world.log)
        start = view.facts.floor(RecordStartFact, world.log, 1)
        assert (head.size, head.seq) == (2, 1)
        assert start is not None
        assert start.seq == 0
        assert known(view.facts, LaneFact, world.lane).next == 3


def test_part_has_an_owner_and_a_fate(world: World) -> None:
    token, owner = world.log << 64 | 7, Address(b"\4" * 20)
    moved: dict[str, Any] = {"from": Address(bytes(20)), "to": owner, "tokenId": token}
    emit(world, ContractName.PARTS, "Transfer", **moved)
    emit(world, ContractName.PARTS, "PartSuperseded", part=token, byIndex=9)
    emit(world, ContractName.PARTS, "PartVoided", part=token + 1, holder=world.site)

    with world.tools.store.reading() as view:
        parts = view.facts.each(PartFact, world.log)

    assert [(part.index, part.owner, part.fate) for part in parts] == [
        (7, owner, 9),
        (8, None, UINT64_MAX),
    ]


def test_event_without_a_fact_changes_nothing(world: World) -> None:
    with world.tools.store.reading() as view:
        before = view.facts.each(IdentityFact)

    emit(world, ContractName.DESIGNS, "DesignCommitted", commitment=ZERO32, at=1)

    with world.tools.store.reading() as view:
        assert view.facts.each(IdentityFact) == before


def test_event_about_an_unknown_thing_is_refused() -> None:
    chain, store = MemoryChain(), MemoryNodeStore()

    with store.writing() as work, pytest.raises(FactMissingError) as caught:
        known(work.facts, RecordFact, 3, 1)

    assert caught.value.code == "index.factMissing"
    assert caught.value.detail == {"kind": "RecordFact", "key": "3.1"}
    assert chain.now


def test_an_accreditation_is_known_by_its_subject_and_so_is_its_end(world: World) -> None:
    given, scope = b"\1" * 32, b"\2" * 32
    said = {"issuer": world.site, "subject": world.maker, "scope": scope, "from": 7, "to": 9}

    emit(world, ContractName.IDENTITIES, "Accredited", accreditation=given, **said)
    emit(world, ContractName.IDENTITIES, "AccreditationRevoked", accreditation=given)

    with world.tools.store.reading() as view:
        [named] = view.facts.each(AccreditedFact, world.maker)
        fact = known(view.facts, AccreditationFact, named.accreditation)
    assert (fact.id, fact.issuer, fact.subject, fact.scope) == (
        *(given, world.site, world.maker, scope),
    )
    assert (fact.since, fact.until) == (7, 9)
    assert fact.revoked_at == world.tools.chain.head(final=True).time


def test_who_is_proposed_waits_until_he_accepts(world: World) -> None:
    tools = world.tools
    account = tools.account(SITE).address
    before = successor(world)

    tools.identities(MAKER).propose_controller(world.maker, account)
    waiting = successor(world)
    tools.identities(SITE).accept_controller(world.maker)

    assert (before, waiting, successor(world)) == (None, account, None)


def test_a_proposal_is_taken_back(world: World) -> None:
    tools = world.tools
    tools.identities(MAKER).propose_controller(world.maker, tools.account(SITE).address)
    tools.identities(MAKER).propose_controller(world.maker, ZERO_ADDRESS)

    assert successor(world) is None


def successor(world: World) -> Address | None:
    world.tools.indexing(world.log).follow()
    with world.tools.store.reading() as view:
        return proposed(world.maker, view.facts)
