"""When a batch closes: at its cost target or at its latency target, whichever comes first."""

from dataclasses import dataclass

import pytest

from fakes.world import World, make_world
from guildmark.services.log.sequencing import Gathering, Sequencing


@dataclass
class Seconds:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def world() -> World:
    return make_world()


def sequencing(world: World, seconds: Seconds, *, latency: float, entries: int) -> Sequencing:
    gathering = Gathering(seconds=latency, entries=entries, monotonic=seconds)
    return Sequencing(store=world.tools.store, log=world.log, gathering=gathering)


def receive(world: World, *numbers: int) -> None:
    world.disclose()
    envelopes = [world.envelope(number) for number in numbers]
    world.tools.ingest(world.log).receive(envelopes)


def test_batch_waits_for_its_latency_target_to_the_second(world: World, seconds: Seconds) -> None:
    own = sequencing(world, seconds, latency=30, entries=1_000)
    receive(world, 1)

    first = own.close()
    seconds.now += 29.9
    before = own.close()
    receive(world, 2)
    seconds.now += 0.1
    batch = own.close()

    assert first is None
    assert before is None
    assert batch is not None
    assert len(batch.entries) == 2


def test_batch_closes_at_its_cost_target_before_that(world: World, seconds: Seconds) -> None:
    own = sequencing(world, seconds, latency=3_600, entries=2)
    receive(world, 1)

    before = own.close()
    receive(world, 2)
    batch = own.close()

    assert before is None
    assert batch is not None
    assert len(batch.entries) == 2


def test_without_a_latency_target_what_waits_goes_at_once(world: World, seconds: Seconds) -> None:
    own = sequencing(world, seconds, latency=0, entries=1_000)

    assert own.close() is None
    receive(world, 1)
    assert own.close() is not None


def test_each_batch_waits_anew(world: World, seconds: Seconds) -> None:
    own = sequencing(world, seconds, latency=30, entries=1_000)
    receive(world, 1)
    own.close()
    seconds.now += 30
    batch = own.close()
    assert batch is not None
    with world.tools.store.writing() as work:
        work.log.reopen_batch(batch)

    reopened = own.close()
    seconds.now += 30

    assert reopened is None
    assert own.close() is not None


def test_open_batch_is_returned_whatever_waits(world: World, seconds: Seconds) -> None:
    own = sequencing(world, seconds, latency=30, entries=1)
    receive(world, 1)
    batch = own.close()
    receive(world, 2)

    assert batch is not None
    assert own.close() == batch


def test_wait_begins_with_the_first_entry_not_before(seconds: Seconds) -> None:
    gathering = Gathering(seconds=10, entries=5, monotonic=seconds)

    states = [gathering.is_due(0)]
    seconds.now += 60
    states.append(gathering.is_due(1))
    seconds.now += 10
    states += [gathering.is_due(1), gathering.is_due(0), gathering.is_due(1)]

    assert states == [False, False, True, False, False]
    assert gathering.is_due(5)
