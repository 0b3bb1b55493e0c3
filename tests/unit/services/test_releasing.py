"""Keys leave a node for whom a license allows them now, and for nobody else."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fakes.keys import signing_key
from fakes.releases import (
    SOME,
    Releases,
    deposit,
    licensed_again,
    make_releases,
    releasing_tools,
)
from fakes.world import DESIGNER, ISSUER, MACHINE, MAKER, SITE, make_world
from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import (
    KeyFact,
    LaneFact,
    LicenseNumberFact,
    LinkFact,
    ParentFact,
    RecipeFact,
)
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import GuildmarkError, MalformedError
from guildmark.domain.identifiers import (
    ZERO32,
    Address,
    Bytes32,
    ChainId,
    DesignId,
    Digest,
    IdentityId,
    Index,
    LaneNumber,
    LicenseId,
    RecipeId,
    UnitNumber,
    to_hex,
)
from guildmark.domain.identity.identity import ClaimDocument, key_id
from guildmark.domain.log.entry import EntryKind
from guildmark.domain.log.queue import BuildState
from guildmark.domain.recall import OWNERS, RecallCause, Severity, Thing
from guildmark.domain.recipes.recipe import Status
from guildmark.domain.rights.release import (
    NO_MACHINE,
    RECIPIENT_MAX,
    Released,
    ReleaseRequest,
    receipt_in,
    request_id,
)
from guildmark.domain.rights.terms import TermsKind
from guildmark.domain.trust import Listed
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.identity.notices import Suspicion
from guildmark.services.index.projection import known
from guildmark.services.recalls.holding import UNREAD_MAX
from guildmark.services.recalls.recalling import Said
from guildmark.services.recipes.disclosing import claim_body
from guildmark.services.release.releasing import REQUEST_AGE, receipt_label
from guildmark.services.release.requesting import Asker

Change = Callable[[Releases], object]
SAID = Said(severity=Severity.WITHDRAW, reason=sha256(b"cracks"))


@pytest.fixture
def releases() -> Releases:
    made = make_releases()
    return replace(made, authorities=(Listed(id=made.world.issuer),))


def refusal(releases: Releases, asker: Asker | None = None, **changes: Any) -> str:
    """Return the code with which the node answers, empty where it releases."""
    envelope = releases.envelope(asker or releases.machine, **changes)
    return refusal_of(releases, envelope)


def refusal_of(releases: Releases, envelope: bytes) -> str:
    try:
        releases.node.release(envelope)
    except GuildmarkError as error:
        return error.code
    return ""


def receipts_of(releases: Releases) -> int:
    with releases.world.tools.store.reading() as view:
        return len(view.log.labelled(receipt_label(releases.world.license)))


@pytest.mark.parametrize("who", ["machine", "site"])
def test_asker_gets_the_keys_and_a_receipt_that_is_queued(releases: Releases, who: str) -> None:
    asker: Asker = getattr(releases, who)
    request = releases.request(asker)

    answered = releases.node.release(releases.requesting.sign(request, asker))

    released = answered.released
    assert not answered.is_repeated
    assert releases.requesting.open(request, released, key=asker.opener) == releases.keys
    receipt = receipt_in(released.receipt)
    assert (receipt.request, receipt.site) == (request_id(request.encode()), request.site)
    assert (receipt.machine, receipt.maker) == (asker.machine, releases.world.maker)
    assert (receipt.files, receipt.at) == (1, releases.world.tools.chain.now)
    assert receipt.recipient == sha256(request.recipient)
    (queued,) = releases.world.tools.store.queued()
    assert queued.envelope == released.receipt
    assert queued.entry.kind is EntryKind.RECEIPT


def test_same_request_has_the_same_answer_and_one_receipt(releases: Releases) -> None:
    envelope = releases.envelope(releases.machine)
    first = releases.node.release(envelope)

    again = releases.node.release(envelope)

    assert again.is_repeated
    assert again.released == first.released
    assert receipts_of(releases) == 1


def test_request_signed_anew_is_the_same_request(releases: Releases) -> None:
    request = releases.request(releases.site)
    signed = releases.requesting.sign(request, releases.site)
    first = releases.node.release(signed).released
    parsed = Envelope.parse(signed)
    both = replace(
        parsed,
        signatures=(
            *parsed.signatures,
            *Envelope.parse(releases.envelope(releases.machine)).signatures,
        ),
    )

    again = releases.node.release(both.encode()).released

    assert envelope_digest(both.encode()) != envelope_digest(signed)
    assert again == first
    assert receipts_of(releases) == 1


def test_two_requests_have_two_receipts(releases: Releases) -> None:
    first, second = (releases.release(releases.machine) for _ in range(2))

    assert first.request != second.request
    assert receipts_of(releases) == 2


def test_replayed_request_is_refused_once_the_license_is_stopped(releases: Releases) -> None:
    envelope = releases.envelope(releases.machine)
    releases.node.release(envelope)
    releases.world.tools.licenses(DESIGNER).stop(releases.world.license, at=2**39)

    assert refusal_of(releases, envelope) == "license.stopped"


@pytest.mark.parametrize(
    ("age", "code"), [(REQUEST_AGE, ""), (REQUEST_AGE + 1, "release.requestStale")]
)
def test_request_names_a_block_of_the_last_hour(releases: Releases, age: int, code: str) -> None:
    chain = releases.world.tools.chain
    chain.terms[1] = replace(chain.terms[1], not_after=0)
    envelope = releases.envelope(releases.machine)
    named = chain.now
    block = chain.mine()
    chain.blocks[-1] = replace(block, time=named + age)

    assert refusal_of(releases, envelope) == code


def test_request_names_no_block_that_is_not_final(releases: Releases) -> None:
    chain = releases.world.tools.chain
    block = chain.mine()
    chain.unfinal = 1

    assert refusal(releases, block=block.number, block_hash=block.hash) == "release.requestStale"


def test_request_names_no_block_of_a_fork(releases: Releases) -> None:
    assert refusal(releases, block_hash=Digest(SOME)) == "release.requestStale"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"chain_id": ChainId(1)}, "release.otherChain"),
        ({"registry": Address(bytes(20))}, "release.otherChain"),
        ({"releaser": IdentityId(SOME)}, "release.otherReleaser"),
        ({"license": LicenseId(SOME)}, "release.licenseNotFinal"),
        ({"lane": LaneNumber(99)}, "release.licenseNotFinal"),
        ({"lane": LaneNumber(1)}, "license.laneMismatch"),
        ({"recipe": RecipeId(SOME)}, "release.depositUnknown"),
        ({"design": DesignId(SOME)}, "license.notAllowed"),
        ({"revision": 2}, "license.notAllowed"),
    ],
)
def test_request_that_names_something_else_is_refused(
    releases: Releases, changes: dict[str, Any], code: str
) -> None:
    assert refusal(releases, **changes) == code
    assert receipts_of(releases) == 0


def test_site_that_does_not_hold_the_lane_gets_nothing(releases: Releases) -> None:
    world = releases.world
    with world.tools.store.writing() as work:
        held = known(work.facts, LaneFact, world.lane)
        work.facts.put(replace(held, holder=world.maker))

    assert refusal(releases) == "license.laneMismatch"


def test_lane_of_another_license_gets_nothing(releases: Releases) -> None:
    world = releases.world
    with world.tools.store.writing() as work:
        held = known(work.facts, LaneFact, world.lane)
        work.facts.put(replace(held, license=2))

    assert refusal(releases) == "license.laneMismatch"


def test_license_in_no_final_block_gives_nothing(releases: Releases) -> None:
    releases.world.tools.store.forget(LicenseNumberFact)

    assert refusal(releases) == "release.licenseNotFinal"


@pytest.mark.parametrize(("left", "code"), [(1, ""), (0, "license.quotaExceeded")])
def test_lane_must_have_units_left_at_the_newest_block(
    releases: Releases, left: int, code: str
) -> None:
    lane = releases.world.tools.chain.lanes[releases.world.lane]
    lane.next = UnitNumber(lane.end - left)

    assert refusal(releases) == code


def test_license_stopped_one_block_ago_gives_nothing(releases: Releases) -> None:
    chain = releases.world.tools.chain
    releases.world.tools.licenses(DESIGNER).stop(releases.world.license, at=2**39)
    # The stop is not final yet: bad news counts at once.
    chain.unfinal = 1

    assert refusal(releases) == "license.stopped"


def test_license_that_the_index_knows_as_stopped_gives_nothing(releases: Releases) -> None:
    releases.world.tools.licenses(DESIGNER).stop(releases.world.license, at=2**39)
    releases.follow()
    releases.world.tools.chain.stops.clear()

    assert refusal(releases) == "license.stopped"


@pytest.mark.parametrize(
    ("not_before", "not_after", "code"),
    [
        (0, 0, ""),
        (0, 1, ""),
        (0, 0.5, "license.ended"),
        (1, 0, "license.notBegun"),
    ],
)
def test_keys_are_released_inside_the_window_alone(
    releases: Releases, not_before: int, not_after: float, code: str
) -> None:
    chain = releases.world.tools.chain
    end = {0: 0, 0.5: chain.now, 1: chain.now + 1}[not_after]
    chain.terms[1] = replace(chain.terms[1], not_before=chain.now + not_before, not_after=end)

    assert refusal(releases) == code


def test_other_machine_of_the_world_cannot_sign(releases: Releases) -> None:
    asker = replace(releases.machine, machine=releases.world.instrument)

    assert refusal(releases, asker) == "release.askerRefused"


def test_machine_of_another_site_gets_nothing(releases: Releases) -> None:
    world = releases.world
    own = world.tools.identities(SITE)
    own.add_key(world.instrument, signing_key(world.tools.keys, MACHINE))
    releases.follow()
    asker = replace(releases.machine, machine=world.instrument)

    assert refusal(releases, asker) == "release.linkMissing"


def test_machine_that_left_the_site_one_block_ago_gets_nothing(releases: Releases) -> None:
    world = releases.world
    world.tools.identities(SITE).end_link(world.machine, world.site)
    world.tools.chain.unfinal = 1

    assert refusal(releases) == "release.linkMissing"


def test_site_that_left_its_organization_gets_nothing(releases: Releases) -> None:
    world = releases.world
    world.tools.identities(MAKER).end_link(world.site, world.maker)

    assert refusal(releases) == "release.linkMissing"


@pytest.mark.parametrize("parent", [None, IdentityId(ZERO32)])
def test_site_without_organization_gets_nothing(
    releases: Releases, parent: IdentityId | None
) -> None:
    store = releases.world.tools.store
    store.forget(ParentFact)
    if parent is not None:
        with store.writing() as work:
            work.facts.put(ParentFact(child=releases.world.site, parent=parent))

    assert refusal(releases, releases.site) == "release.linkMissing"


def test_revoked_key_gets_nothing(releases: Releases) -> None:
    world = releases.world
    key = key_id(world.machine, signing_key(world.tools.keys, MACHINE))
    world.tools.identities(SITE).end_key(world.machine, key)

    assert refusal(releases) == "release.keyRevoked"
    releases.follow()
    assert refusal(releases) == "release.keyRevoked"


def test_key_under_notice_gets_nothing(releases: Releases) -> None:
    world = releases.world
    key = key_id(world.machine, signing_key(world.tools.keys, MACHINE))
    now = world.tools.chain.now
    world.tools.identities(SITE).give_notice(world.machine, key, suspected_from=now)

    assert refusal(releases) == "release.keyUnderNotice"
    releases.follow()
    assert refusal(releases) == "release.keyUnderNotice"


def test_stranger_cannot_ask_in_the_name_of_a_site(releases: Releases) -> None:
    asker = replace(releases.site, key=KeyName(MAKER))

    assert refusal(releases, asker) == "envelope.signaturesMissing"


def test_signature_over_another_request_is_refused(releases: Releases) -> None:
    one = Envelope.parse(releases.envelope(releases.site))
    other = Envelope.parse(releases.envelope(releases.site, revision=2))
    mixed = replace(other, signatures=one.signatures)

    assert refusal_of(releases, mixed.encode()) == "signature.mismatch"


def test_machines_signature_over_another_request_is_refused(releases: Releases) -> None:
    one = Envelope.parse(releases.envelope(releases.machine))
    other = Envelope.parse(releases.envelope(releases.machine, revision=2))
    mixed = replace(other, signatures=one.signatures)

    assert refusal_of(releases, mixed.encode()) == "signature.mismatch"


def test_site_that_the_index_does_not_know_gets_nothing(releases: Releases) -> None:
    world = releases.world
    unknown = IdentityId(SOME)
    world.tools.chain.controllers[unknown] = world.tools.keys.address(KeyName(SITE))
    asker = replace(releases.site, site=unknown)

    assert refusal(releases, asker) == "release.askerRefused"


def test_controller_of_yesterday_gets_nothing(releases: Releases) -> None:
    world = releases.world
    world.tools.chain.controllers[world.site] = world.tools.keys.address(KeyName(MAKER))

    assert refusal(releases, releases.site) == "release.askerRefused"


def test_site_in_recovery_gets_nothing_by_its_controller(releases: Releases) -> None:
    world = releases.world
    world.tools.chain.candidates[world.site] = Address(bytes(20))

    assert refusal(releases, releases.site) == "release.siteInRecovery"


def test_site_whose_controller_is_under_notice_gets_nothing(releases: Releases) -> None:
    world = releases.world
    world.tools.notices(SITE).of_controller(world.site, Suspicion(since=world.tools.chain.now))

    assert refusal(releases, releases.site) == "release.siteUnderNotice"


@pytest.mark.parametrize(("whose", "name"), [("machine", SITE), ("site", SITE), ("maker", MAKER)])
def test_machine_below_a_controller_under_notice_gets_nothing(
    releases: Releases, whose: str, name: str
) -> None:
    world = releases.world
    identity: IdentityId = getattr(world, whose)
    world.tools.notices(name).of_controller(identity, Suspicion(since=world.tools.chain.now))

    assert refusal(releases) == "release.siteUnderNotice"
    releases.follow()
    assert refusal(releases) == "release.siteUnderNotice"


def test_key_that_a_thief_added_gets_nothing_when_he_is_gone(releases: Releases) -> None:
    world, tools = releases.world, releases.world.tools
    key = key_id(world.machine, signing_key(tools.keys, MACHINE))
    with tools.store.reading() as view:
        added = known(view.facts, KeyFact, key).since
    pass_on(releases, world.machine)
    warn(releases, world.machine, since=added)

    assert refusal(releases) == "release.madeInDoubt"
    assert refusal(releases, releases.site) == ""


def test_key_from_before_the_doubt_is_good_with_the_next_controller(releases: Releases) -> None:
    world, tools = releases.world, releases.world.tools
    key = key_id(world.machine, signing_key(tools.keys, MACHINE))
    with tools.store.reading() as view:
        links = view.facts.each(LinkFact, world.machine, world.site)
        made = max(known(view.facts, KeyFact, key).since, links[-1].since)
    pass_on(releases, world.machine)
    warn(releases, world.machine, since=made + 1)

    assert refusal(releases) == ""


@pytest.mark.parametrize("side", ["child", "parent"])
def test_link_that_a_thief_made_gives_nothing_when_he_is_gone(
    releases: Releases, side: str
) -> None:
    world, tools = releases.world, releases.world.tools
    with tools.store.reading() as view:
        link = view.facts.each(LinkFact, world.site, world.maker)[-1]
    identity: IdentityId = getattr(link, side)
    pass_on(releases, identity)
    warn(releases, identity, since=link.since)

    assert refusal(releases, controlled_anew(releases, identity)) == "release.madeInDoubt"


@pytest.mark.parametrize("lists", [True, False])
def test_notices_of_listed_authorities_count(releases: Releases, lists: bool) -> None:
    world, tools = releases.world, releases.world.tools
    key = key_id(world.machine, signing_key(tools.keys, MACHINE))
    said = Suspicion(since=tools.chain.now)
    tools.notices("issuer").warn_of_key(world.issuer, world.machine, key, said)
    releases.follow()
    listed = replace(releases, authorities=(Listed(id=world.issuer),) if lists else ())

    assert refusal(listed) == ("release.keyUnderNotice" if lists else "")


def warn(releases: Releases, identity: IdentityId, *, since: int) -> None:
    """Doubt an identity's first controller, as an authority that the node lists."""
    world = releases.world
    notices = world.tools.notices("issuer")
    notices.warn_of_controller(world.issuer, identity, 1, Suspicion(since=since))
    releases.follow()


def pass_on(releases: Releases, identity: IdentityId) -> None:
    """Give an identity another controller."""
    tools = releases.world.tools
    first = MAKER if identity == releases.world.maker else SITE
    account = tools.account(DESIGNER).address
    tools.identities(first).propose_controller(identity, account)
    tools.identities(DESIGNER).accept_controller(identity)


def controlled_anew(releases: Releases, identity: IdentityId) -> Asker:
    """Return the site as asker, signing with its present controller."""
    is_site = identity == releases.world.site
    return replace(releases.site, key=KeyName(DESIGNER if is_site else SITE))


@pytest.mark.parametrize("thing", ["design", "recipe", "machine"])
def test_what_is_held_back_is_not_released(releases: Releases, thing: str) -> None:
    ids = {
        "design": releases.world.revision.design,
        "recipe": releases.world.recipe.id(),
        "machine": releases.world.machine,
    }
    releases.blocking.block(ids[thing], "cracks at the bore")

    assert refusal(releases) == "release.blocked"
    releases.blocking.unblock(ids[thing])
    assert refusal(releases) == ""


@pytest.mark.parametrize("thing", ["design", "machine"])
def test_what_its_owner_recalls_is_not_released_until_he_closes_it(
    releases: Releases, thing: str
) -> None:
    world = releases.world
    ids = {"design": world.revision.design, "machine": world.machine}
    recalled = Thing(cause=RecallCause[thing.upper()], id=Bytes32(ids[thing]))
    recalling = world.tools.recalling(DESIGNER if thing == "design" else SITE)
    recalling.issue(recalled, SAID)
    releases.follow()
    before = refusal(releases)
    recalling.close(recalled, 1, SAID.reason)
    releases.follow()

    assert (before, refusal(releases)) == ("release.blocked", "")


@pytest.mark.parametrize("passed", [0, 1])
def test_a_recall_whose_window_is_over_holds_nothing_back(releases: Releases, passed: int) -> None:
    world, now = releases.world, releases.clock.now()
    design = Thing(cause=RecallCause.DESIGN, id=Bytes32(world.revision.design))
    world.tools.recalling(DESIGNER).issue(design, replace(SAID, until=now + 1 - passed))
    releases.follow()

    assert refusal(releases) == ("" if passed else "release.blocked")


@pytest.mark.parametrize("lists", [True, False])
def test_recalls_of_listed_authorities_count(releases: Releases, lists: bool) -> None:
    world = releases.world
    recipe = Thing(cause=RecallCause.RECIPE, id=Bytes32(world.recipe.id()))
    world.tools.recalling(ISSUER).issue_as(world.issuer, recipe, SAID)
    releases.follow()
    listed = replace(releases, authorities=(Listed(id=world.issuer),) if lists else ())

    assert refusal(listed) == ("release.blocked" if lists else "")


@pytest.mark.parametrize("by", ["owner", "authority"])
def test_a_recall_counts_before_it_is_final_and_its_end_only_after(
    releases: Releases, by: str
) -> None:
    world = releases.world
    design = Thing(cause=RecallCause.DESIGN, id=Bytes32(world.revision.design))
    listed = replace(releases, authorities=(Listed(id=world.issuer),) if by == "authority" else ())
    listed.follow()
    if by == "owner":
        world.tools.recalling(DESIGNER).issue(design, SAID)
    else:
        world.tools.recalling(ISSUER).issue_as(world.issuer, design, SAID)
    early = reason(listed)
    world.tools.chain.emit(
        ContractName.RECALLS,
        "RecallClosed",
        key=design.key(),
        by=world.issuer if by == "authority" else OWNERS,
        number=1,
        reason=SAID.reason,
    )
    still = reason(listed)
    listed.follow()

    assert early == still
    assert early is not None
    assert "recall 1), which is not final yet." in early
    assert reason(listed) is None


def test_a_recall_of_an_unlisted_authority_or_another_time_holds_nothing_back(
    releases: Releases,
) -> None:
    world, unlisted = releases.world, replace(releases, authorities=())
    design = Thing(cause=RecallCause.DESIGN, id=Bytes32(world.revision.design))
    world.tools.recalling(ISSUER).issue_as(world.issuer, design, SAID)
    over = replace(SAID, until=releases.clock.now())
    world.tools.recalling(DESIGNER).issue(design, over)
    before = replace(releases, authorities=(Listed(id=world.issuer, until=1),))

    assert reason(releases) is not None
    assert (reason(unlisted), reason(before)) == (None, None)


@pytest.mark.parametrize(
    ("count", "expected"),
    [(UNREAD_MAX, ""), (UNREAD_MAX + 1, "release.recallsUnread")],
)
def test_more_new_recalls_than_are_read_hold_back(
    releases: Releases, count: int, expected: str
) -> None:
    _recall_over_and_over(releases, count)

    assert refusal(releases) == expected
    releases.follow()
    assert refusal(releases) == ""


def test_a_new_recall_among_those_that_are_read_is_told_however_many_follow(
    releases: Releases,
) -> None:
    world = releases.world
    design = Thing(cause=RecallCause.DESIGN, id=Bytes32(world.revision.design))
    world.tools.recalling(DESIGNER).issue(design, SAID)
    _repeat(releases, UNREAD_MAX)

    assert refusal(releases) == "release.blocked"


def test_new_recalls_are_counted_behind_those_of_the_index(releases: Releases) -> None:
    _recall_over_and_over(releases, 2)
    releases.follow()
    _repeat(releases, UNREAD_MAX)

    assert refusal(releases) == ""
    _repeat(releases, 1)
    assert refusal(releases) == "release.recallsUnread"


def _recall_over_and_over(releases: Releases, count: int) -> None:
    """Recall the design so many times for a window that is over."""
    world = releases.world
    design = Thing(cause=RecallCause.DESIGN, id=Bytes32(world.revision.design))
    over = replace(SAID, until=releases.clock.now())
    world.tools.recalling(DESIGNER).issue(design, over)
    _repeat(releases, count - 1)


def _repeat(releases: Releases, count: int) -> None:
    """Issue the newest recall so many times more."""
    chain = releases.world.tools.chain
    said = next(event for event in reversed(chain.log) if event.name == "RecallIssued").args
    for number in range(said["number"] + 1, said["number"] + 1 + count):
        chain.emit(ContractName.RECALLS, "RecallIssued", **{**said, "number": number})


def reason(releases: Releases) -> str | None:
    """Return why the design is held back, None where it is not."""
    return releases.node.recalls.reason(releases.world.revision.design)


def test_recipe_out_of_force_gives_nothing(releases: Releases) -> None:
    world = releases.world
    world.tools.chain.mine()
    world.tools.chain.emit(
        ContractName.RECIPES,
        "RecipeStatusChanged",
        id=world.recipe.id(),
        status=int(Status.SUSPENDED),
        number=2,
    )

    assert refusal(releases) == "recipe.notInForce"
    releases.follow()
    assert refusal(releases) == "recipe.notInForce"


def test_recipe_that_the_index_does_not_know_gives_nothing(releases: Releases) -> None:
    releases.world.tools.store.forget(RecipeFact)

    assert refusal(releases) == "design.mismatch"


def test_recipe_of_another_revision_gives_nothing(releases: Releases) -> None:
    world = releases.world
    with world.tools.store.writing() as work:
        found = known(work.facts, RecipeFact, world.recipe.id())
        work.facts.put(replace(found, recipe=replace(found.recipe, revision=2)))

    assert refusal(releases) == "design.mismatch"


def test_envelope_of_a_build_is_no_request(releases: Releases) -> None:
    assert refusal_of(releases, releases.world.envelope()) == "release.payloadType"


def test_request_is_no_build(releases: Releases) -> None:
    envelope = releases.envelope(releases.machine)
    (answer,) = releases.world.tools.ingest(releases.world.log).receive([envelope])

    assert answer.error is not None
    assert answer.error.code == "document.memberMissing"


LOW_ORDER = [
    bytes(32),
    bytes([1]) + bytes(31),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
]


@pytest.mark.parametrize("recipient", [*LOW_ORDER, b"", bytes(31), b"\1" * 33, b"\xff" * 1216])
def test_nothing_is_sealed_to_a_public_key_that_is_none(
    releases: Releases, recipient: bytes
) -> None:
    envelope = releases.envelope(releases.machine, recipient=recipient)

    with pytest.raises(MalformedError):
        releases.node.release(envelope)

    assert receipts_of(releases) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"lane": 0},
        {"lane": 2**40},
        {"revision": 0},
        {"revision": -1},
        {"chain_id": -1},
        {"block": 2**53},
        {"recipient": bytes(RECIPIENT_MAX + 1)},
    ],
)
def test_request_out_of_range_is_none(releases: Releases, changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError) as caught:
        releases.request(releases.machine, **changes)

    assert caught.value.code == "release.requestMalformed"


def test_clearances_count_by_the_deposits_issuers_and_by_nobody_elses() -> None:
    world = licensed_again(make_world(releasing_tools()), {TermsKind.CONTROL_CLASS: ["9E003"]})
    tools = world.tools
    releases = make_releases(world)
    document = ClaimDocument(scheme="CONTROL", value="9E003", salt=SOME)
    made = tools.identities("issuer").claim(world.issuer, world.site, document)
    tools.indexing(world.log).follow()
    body = claim_body(world.issuer, world.site, document)
    tools.disclosing.receive(DocumentKind.CLAIM, made, body)

    # Whoever names no issuer takes nobody's word: a site could clear itself.
    assert refusal(releases) == "license.notCleared"
    deposit(releases, issuers=(world.maker,))
    assert refusal(releases) == "license.notCleared"
    deposit(releases, issuers=(world.issuer,))
    assert refusal(releases) == ""


def test_license_that_names_machines_gives_nothing_to_a_site() -> None:
    world = make_world(releasing_tools())
    releases = make_releases(licensed_again(world, {TermsKind.MACHINE: [to_hex(world.machine)]}))

    assert refusal(releases, releases.site) == "release.machineNeeded"
    assert refusal(releases, releases.machine) == ""


def test_machine_that_the_license_does_not_name_gets_nothing() -> None:
    world = make_world(releasing_tools())
    releases = make_releases(licensed_again(world, {TermsKind.MACHINE: [to_hex(SOME)]}))

    assert refusal(releases, releases.machine) == "license.notAllowed"


def test_country_that_is_not_shown_gets_nothing() -> None:
    releases = make_releases(
        licensed_again(make_world(releasing_tools()), {TermsKind.COUNTRY: ["PT"]})
    )

    assert refusal(releases) == "license.countryNotAllowed"


def test_control_class_that_nobody_cleared_gets_nothing() -> None:
    releases = make_releases(
        licensed_again(make_world(releasing_tools()), {TermsKind.CONTROL_CLASS: ["9E003"]})
    )

    assert refusal(releases) == "license.notCleared"


def test_license_above_that_is_stopped_one_block_ago_gives_nothing() -> None:
    world = make_world(releasing_tools())
    above = licensed_again(world, {TermsKind.TEXT: ["upper"]})
    releases = make_releases(licensed_again(above, {TermsKind.TEXT: ["lower"]}, under=True))
    assert refusal(releases) == ""
    world.tools.licenses(DESIGNER).stop(above.license, at=2**39)
    world.tools.chain.unfinal = 1

    assert refusal(releases) == "license.stopped"


def test_receipts_stand_behind_the_builds_of_their_batch(releases: Releases) -> None:
    world = releases.world
    releases.release(releases.machine)
    world.disclose()
    (built,) = world.tools.ingest(world.log).receive([world.envelope()])
    assert built.error is None
    releases.release(releases.machine)

    releases.anchor()

    with world.tools.store.reading() as view:
        builds = view.log.labelled(receipt_label(world.license))
        part = view.log.build(built.digest)
    assert part is not None
    assert (part.index, part.unit, part.state) == (0, 1, BuildState.FINAL)
    assert [(one.index, one.unit, one.code) for one in builds] == [(1, None, None), (2, None, None)]


def test_batch_of_receipts_alone_draws_nothing(releases: Releases) -> None:
    world = releases.world
    releases.release(releases.machine)

    releases.anchor()

    with world.tools.store.reading() as view:
        lane = known(view.facts, LaneFact, world.lane)
    assert lane.drawn == 0
    assert receipts_of(releases) == 1


def test_receipt_is_no_part(releases: Releases) -> None:
    releases.release(releases.machine)
    releases.anchor()

    with pytest.raises(GuildmarkError) as caught:
        releases.world.tools.exporter.gather(releases.world.log, Index(0))

    assert caught.value.code == "part.unknown"


def test_receipt_takes_no_counter_of_its_machine(releases: Releases) -> None:
    releases.release(releases.machine)

    with releases.world.tools.store.writing() as work:
        standing = work.log.standing(releases.world.tools.store.queued())

    assert len(standing.payloads) == 1
    assert standing.counters == {}


def test_no_key_is_ever_shown(
    releases: Releases, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    canaries = list(releases.keys.keys)
    request = releases.request(releases.machine)
    released = releases.release(releases.machine)
    failures: list[BaseException] = []
    for changes in ({"revision": 2}, {"recipient": bytes(32)}, {"lane": LaneNumber(99)}):
        with pytest.raises(GuildmarkError) as caught:
            releases.release(releases.machine, **changes)
        failures.append(caught.value)
    with releases.world.tools.store.reading() as view:
        kept = releases.deposits.opened(
            releases.world.license,
            releases.world.recipe.id(),
            releaser=releases.world.operator,
            view=view,
        )
    files = releases.world.tools.designs(DESIGNER).files(releases.world.revision.design)
    shown = [repr(one) for one in (released, request, kept, files, releases.keys, *failures)]
    shown += [str(getattr(one, "detail", "")) for one in failures]
    shown += [caplog.text, *capsys.readouterr(), receipt_label(releases.world.license)]
    shown.append(receipt_in(released.receipt).encode().decode())
    shown.append(released.encode().decode())

    for text in shown:
        for canary in canaries:
            assert canary.hex() not in text
            assert repr(canary)[2:-1] not in text


def test_answer_is_read_as_it_was_written(releases: Releases) -> None:
    released = releases.release(releases.machine)

    assert Released.parse(released.encode()) == released


def test_request_is_read_as_it_was_signed(releases: Releases) -> None:
    request = releases.request(releases.site)

    assert ReleaseRequest.parse(request.encode()) == request
    assert request.machine == NO_MACHINE
