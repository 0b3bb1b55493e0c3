"""Notices as services: who gives which, and what the index says of them."""

import pytest

from fakes.world import ISSUER, MAKER, SITE, World, make_world
from guildmark.domain.chain.facts import GuardiansFact, KeyFact, NoticeFact
from guildmark.domain.chain.refusals import CallerRefusedError
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import ZERO32, Bytes32, IdentityId, KeyId
from guildmark.domain.identity.identity import controller_target
from guildmark.services.identity.guardians import standing
from guildmark.services.identity.notices import (
    Suspicion,
    backed_on,
    controllers,
    is_under_notice,
    notices_on,
)

EVIDENCE = sha256(b"the police report")
TIME = 1_700_000_001


@pytest.fixture
def world() -> World:
    return make_world()


def key_of(world: World) -> KeyId:
    with world.tools.store.reading() as view:
        (key,) = view.facts.each(KeyFact)
    return key.id


def on(world: World, identity: IdentityId) -> list[NoticeFact]:
    world.tools.indexing().follow()
    with world.tools.store.reading() as view:
        return list(notices_on(identity, view.facts))


def test_a_controller_doubts_itself(world: World) -> None:
    world.tools.notices(MAKER).of_controller(world.maker, Suspicion(since=TIME, evidence=EVIDENCE))

    (notice,) = on(world, world.maker)
    assert (notice.number, notice.target) == (1, controller_target(world.maker, 1))
    assert (notice.suspected_from, notice.evidence) == (TIME, EVIDENCE)
    assert notice.notice_at == world.tools.chain.now
    assert (notice.is_by_authority, notice.by_guardians) == (False, False)


def test_only_the_present_controller_is_under_notice(world: World) -> None:
    before = is_under(world)
    world.tools.notices(MAKER).of_controller(world.maker, Suspicion(since=TIME))
    given = is_under(world)
    world.tools.guardians(SITE).support(world.maker, world.tools.account(ISSUER).address)
    world.tools.guardians(ISSUER).accept(world.maker)

    assert (before, given, is_under(world)) == (False, True, False)


def is_under(world: World) -> bool:
    world.tools.indexing().follow()
    with world.tools.store.reading() as view:
        return is_under_notice(world.maker, view.facts)


def test_only_the_controller_doubts_itself(world: World) -> None:
    with pytest.raises(CallerRefusedError):
        world.tools.notices(SITE).of_controller(world.maker, Suspicion(since=TIME))


def test_a_notice_on_a_key_says_who_gave_it(world: World) -> None:
    world.tools.identities(SITE).give_notice(world.machine, key_of(world), suspected_from=TIME)

    (notice,) = on(world, world.machine)
    assert (notice.number, notice.target, notice.by_guardians) == (0, Bytes32(key_of(world)), False)


def test_an_authority_warns_of_a_key_and_of_a_controller(world: World) -> None:
    own = world.tools.notices(ISSUER)
    own.warn_of_key(world.issuer, world.machine, key_of(world), Suspicion(since=TIME))
    own.warn_of_controller(world.issuer, world.machine, 1, Suspicion(since=TIME + 1))

    of_key, of_controller = on(world, world.machine)
    assert (of_key.by, of_key.number) == (world.issuer, 0)
    assert (of_controller.by, of_controller.number) == (world.issuer, 1)
    assert of_key.is_by_authority
    assert of_controller.target == controller_target(world.machine, 1)
    with world.tools.store.reading() as view:
        (key,) = view.facts.each(KeyFact)
    assert key.notice_at == 0


def guard(world: World, identity: IdentityId) -> GuardiansFact:
    named = [world.tools.account(name).address for name in (ISSUER, MAKER)]
    world.tools.guardians(SITE).name(identity, named, threshold=2, delay=86_400)
    world.tools.indexing().follow()
    with world.tools.store.reading() as view:
        found = standing(identity, view.facts)
    assert found is not None
    return found


def test_guardians_back_a_notice_until_it_is_given(world: World) -> None:
    guardians, key = guard(world, world.machine), key_of(world)
    since = Suspicion(since=guardians.since)
    world.tools.notices(ISSUER).back_of_key(world.machine, key, since)
    world.tools.indexing().follow()
    with world.tools.store.reading() as view:
        (backed,) = backed_on(world.machine, guardians, [key], view.facts)

    assert (backed.target, backed.number, backed.needed) == (Bytes32(key), 0, 2)
    assert backed.guardians == (world.tools.account(ISSUER).address,)
    assert on(world, world.machine) == []

    world.tools.notices(MAKER).back_of_key(world.machine, key, since)

    (notice,) = on(world, world.machine)
    assert notice.by_guardians
    with world.tools.store.reading() as view:
        assert not backed_on(world.machine, guardians, [key], view.facts)


def test_guardians_back_a_notice_on_a_controller(world: World) -> None:
    guardians = guard(world, world.machine)
    since = Suspicion(since=guardians.since)
    for name in (ISSUER, MAKER):
        world.tools.notices(name).back_of_controller(world.machine, 1, since)

    (notice,) = on(world, world.machine)
    assert (notice.number, notice.by_guardians) == (1, True)


def test_what_no_guardian_backs_any_more_is_not_backed(world: World) -> None:
    guardians = guard(world, world.machine)
    own = world.tools.notices(ISSUER)
    own.back_of_controller(world.machine, 1, Suspicion(since=guardians.since))
    own.back_of_controller(world.machine, 1, Suspicion(since=0))
    world.tools.notices(SITE).back_of_controller(world.machine, 1, Suspicion(since=TIME + 99))
    world.tools.indexing().follow()

    with world.tools.store.reading() as view:
        assert not backed_on(world.machine, guardians, [], view.facts)


def test_controllers_are_counted(world: World) -> None:
    world.tools.guardians(SITE).support(world.maker, world.tools.account(ISSUER).address)
    world.tools.guardians(ISSUER).accept(world.maker)
    world.tools.indexing().follow()

    with world.tools.store.reading() as view:
        first, second = controllers(world.maker, view.facts)
    assert (first.number, first.account) == (1, world.tools.account(MAKER).address)
    assert (second.number, second.account) == (2, world.tools.account(ISSUER).address)
    assert second.since > first.since


def test_a_controller_is_called_by_a_digest_of_both() -> None:
    identity = IdentityId(ZERO32)

    assert controller_target(identity, 1) != controller_target(identity, 2)
