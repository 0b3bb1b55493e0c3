"""Guardians as services: each call under a name of its own, and what the index says of it."""

import pytest

from fakes.world import ISSUER, MAKER, SITE, World, make_world
from guildmark.domain.chain.refusals import CallerRefusedError
from guildmark.services.identity.guardians import recovery, standing, waiting


@pytest.fixture
def world() -> World:
    return make_world()


def test_guardians_stand_wait_and_stand(world: World) -> None:
    own, accounts = world.tools.guardians(MAKER), [world.tools.account(ISSUER).address]

    own.name(world.maker, accounts, threshold=1, delay=86_400)
    own.name(world.maker, [], threshold=0, delay=0)
    world.tools.indexing().follow()
    with world.tools.store.reading() as view:
        first, second = standing(world.maker, view.facts), waiting(world.maker, view.facts)
    own.apply(world.maker)
    world.tools.indexing().follow()

    assert first is not None
    assert second is not None
    assert (first.guardians, second.guardians) == (tuple(accounts), ())
    with world.tools.store.reading() as view:
        assert standing(world.maker, view.facts) is None
        assert waiting(world.maker, view.facts) is None


def test_a_recovery_runs_until_it_is_cancelled(world: World) -> None:
    candidate = world.tools.account(ISSUER).address
    for _ in range(2):
        world.tools.guardians(SITE).support(world.maker, candidate)
        world.tools.indexing().follow()
        with world.tools.store.reading() as view:
            running = recovery(world.maker, view.facts)
        assert running is not None
        assert running.candidate == candidate

        world.tools.guardians(MAKER).cancel(world.maker)
        world.tools.indexing().follow()
        with world.tools.store.reading() as view:
            assert recovery(world.maker, view.facts) is None


def test_only_the_candidate_takes_over(world: World) -> None:
    world.tools.guardians(SITE).support(world.maker, world.tools.account(ISSUER).address)

    with pytest.raises(CallerRefusedError):
        world.tools.guardians(SITE).accept(world.maker)

    world.tools.guardians(ISSUER).accept(world.maker)
    assert world.tools.chain.controllers[world.maker] == world.tools.account(ISSUER).address
    with world.tools.store.reading() as view:
        assert standing(world.maker, view.facts) is None
        assert recovery(world.maker, view.facts) is None
