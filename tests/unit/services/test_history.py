"""A license as it was on a date, to the second."""

import pytest

from fakes.world import DESIGNER, SITE, World, make_world
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import LaneFact, LicenseFact, LogFact, PaidFact
from guildmark.domain.identifiers import LaneNumber
from guildmark.services.index.projection import known
from guildmark.services.rights import history
from guildmark.services.rights.history import BeforeChainError, History, PastFacts


@pytest.fixture
def world() -> World:
    return make_world()


def at(world: World, time: int) -> PastFacts:
    return History(ledger=world.tools.chain).licenses(time)


def test_now_is_what_the_index_says(world: World) -> None:
    past = at(world, world.tools.chain.now)

    with world.tools.store.reading() as view:
        assert past.each(LicenseFact) == view.facts.each(LicenseFact)
        assert past.each(LaneFact) == view.facts.each(LaneFact)
    assert past.each(LogFact) == []
    assert past.cursor() == world.tools.chain.head(final=True)


def test_stop_counts_from_its_block_on(world: World) -> None:
    chain = world.tools.chain
    world.tools.licenses(DESIGNER).stop(world.license, at=chain.now + 50)
    called = chain.now
    chain.mine()

    assert known(at(world, called - 1), LicenseFact, 1).stop_at == 0
    assert known(at(world, called), LicenseFact, 1).stop_at == called + 49
    assert known(at(world, called + 9_999), LicenseFact, 1).stop_at == called + 49
    assert known(at(world, called + 9_999), LicenseFact, 1).stopped_at == called


def test_two_events_of_one_block_have_its_time(world: World) -> None:
    chain = world.tools.chain
    chain.mine()
    for later in (50, 40):
        stop = {"id": world.license, "at": chain.now + later}
        chain.emit(ContractName.LICENSES, "LicenseStopped", **stop)

    stopped = known(at(world, chain.now), LicenseFact, 1)

    assert (stopped.stop_at, stopped.stopped_at) == (chain.now + 40, chain.now)


def test_lane_is_as_long_as_it_was(world: World) -> None:
    chain = world.tools.chain
    with world.tools.store.reading() as view:
        lane = known(view.facts, LaneFact, world.lane)
    world.tools.licenses(SITE).split(lane, 1, log=world.log, to=world.site)

    assert known(at(world, chain.now - 1), LaneFact, lane.number).end == lane.end
    assert known(at(world, chain.now), LaneFact, lane.number).end == lane.end - 1


def test_many_blocks_are_read_in_steps(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_BLOCKS_A_STEP", 3)

    past = at(world, world.tools.chain.now)

    with world.tools.store.reading() as view:
        assert past.each(LaneFact) == view.facts.each(LaneFact)


def test_before_the_chain_there_was_nothing(world: World) -> None:
    first = world.tools.chain.block(0).time

    assert at(world, first).each(LicenseFact) == []
    with pytest.raises(BeforeChainError) as caught:
        at(world, first - 1)
    assert caught.value.code == "history.beforeChain"


def test_blocks_that_are_not_final_are_no_history(world: World) -> None:
    chain = world.tools.chain
    world.tools.licenses(DESIGNER).stop(world.license, at=chain.now + 50)
    chain.unfinal = 1

    assert known(at(world, chain.now), LicenseFact, 1).stop_at == 0


def test_facts_of_the_past_are_ordered_and_can_be_dropped(world: World) -> None:
    past = PastFacts()
    for lane, number in ((2, 1), (1, 3), (1, 1)):
        past.put(PaidFact(lane=LaneNumber(lane), license=number, units=lane + number))

    assert [fact.key for fact in past.each(PaidFact)] == [(1, 1), (1, 3), (2, 1)]
    assert [fact.key for fact in past.each(PaidFact, 1)] == [(1, 1), (1, 3)]
    below = past.floor(PaidFact, 1, 2)
    assert below is not None
    assert below.key == (1, 1)
    assert past.floor(PaidFact, 1, 0) is None
    past.move(world.tools.chain.block(0))
    past.forget()
    assert past.each(PaidFact) == []
    assert past.cursor() is None
