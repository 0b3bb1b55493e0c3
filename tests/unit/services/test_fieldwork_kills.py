"""An agent that dies at each step that it takes, and comes back: nothing lost, nothing doubled."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fakes.fieldwork import Field, WorldNode, make_field
from fakes.world import UNITS, World, make_world
from guildmark.adapters.fieldwork.database import AgentDatabase
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Digest
from guildmark.domain.shopfloor.fieldwork import SignedState
from guildmark.ports.shopfloor import AgentReader, AgentWriter


class Killed(BaseException):
    """The process is gone; nobody catches it."""


@dataclass
class Fate:
    """Counts the steps, and ends the process at some of them.

    Args:
        deaths: At which steps.
    """

    deaths: set[int]
    steps: int = 0
    names: Counter[str] = field(default_factory=Counter)

    def cross(self, name: str) -> None:
        self.steps += 1
        if self.steps in self.deaths:
            self.names[name] += 1
            raise Killed


@dataclass
class MortalStore:
    """An agent's real database; what was not committed at a death is gone."""

    store: AgentDatabase
    fate: Fate

    @contextmanager
    def reading(self) -> Iterator[AgentReader]:
        with self.store.reading() as view:
            yield view

    @contextmanager
    def writing(self) -> Iterator[AgentWriter]:
        self.fate.cross("before a step is stored")
        with self.store.writing() as work:
            yield work
            self.fate.cross("before its commit")
        self.fate.cross("after its commit")


@dataclass
class MortalNode(WorldNode):
    """The world's node; the agent may die before it asks, or before it hears the answer."""

    fate: Fate = field(default_factory=lambda: Fate(deaths=set()))

    def submit(self, envelopes: Sequence[bytes]) -> Sequence[Mapping[str, Any]]:
        self.fate.cross("before it sends")
        answers = super().submit(envelopes)
        self.fate.cross("before it hears the answer")
        return answers

    def build(self, digest: Digest) -> Mapping[str, Any]:
        self.fate.cross("before it asks what became of it")
        return super().build(digest)


def told(field: Field) -> None:
    """Let the machine tell of two jobs; the second one gives two pieces."""
    field.begin("one")
    field.finish("one")
    field.begin("two")
    field.finish("two", *[field.piece()] * (UNITS - 1))


def live(world: World, folder: Path, fate: Fate) -> Field:
    """Run an agent from its first turn until everything is final, however often it dies."""
    field = make_field(world, folder)
    told(field)
    node = MortalNode(world, fate=fate)
    for _ in range(60):
        field.node = node
        mortal = MortalStore(field.store, fate)
        field.store, real = mortal, field.store  # type: ignore[assignment]  # the same port
        try:
            field.work()
            node.settle()
        except Killed:
            # Closing undoes what was open, as the end of a process does.
            real.close()
            real = AgentDatabase(folder / "agent.db")
        except GuildmarkError:
            pass
        field.store = real
        if is_done(field):
            return field
    raise AssertionError(fate)


def is_done(field: Field) -> bool:
    with field.store.reading() as view:
        states = [row.state for row in view.signed()]
    return states == [SignedState.FINAL] * UNITS


def check(field: Field) -> None:
    """Ask both sides: each piece once, each counter once, each unit once."""
    with field.store.reading() as view:
        rows = view.signed()
    assert [row.counter for row in rows] == list(range(1, UNITS + 1))
    assert [row.granted for row in rows] == list(range(1, UNITS + 1))
    assert Counter((row.job, row.piece) for row in rows) == {
        ("one", 0): 1,
        ("two", 0): 1,
        ("two", 1): 1,
    }
    with field.world.tools.store.reading() as view:
        built = [view.log.labelled(row.label) for row in rows]
    assert [len(builds) for builds in built] == [1] * UNITS


def world_of(seed: int) -> World:
    world = make_world()
    world.disclose()
    return world


@pytest.mark.deep
def test_death_at_each_step_loses_and_doubles_nothing(
    tmp_path: Path, volume: Callable[[int, int, int], int]
) -> None:
    fate = Fate(deaths=set())
    whole = live(world_of(0), tmp_path / "whole", fate)
    check(whole)
    whole.store.close()
    steps, names = fate.steps, Counter[str]()
    stride = volume(6, 1, 1)

    for step in range(1, steps + 1, stride):
        fate = Fate(deaths={step})
        field = live(world_of(step), tmp_path / str(step), fate)
        check(field)
        field.store.close()
        names += fate.names

    assert steps > 30
    assert sum(names.values()) == len(range(1, steps + 1, stride))
    if stride == 1:
        assert len(names) == 6


@pytest.mark.deep
def test_many_deaths_lose_and_double_nothing(
    tmp_path: Path, volume: Callable[[int, int, int], int]
) -> None:
    for seed in range(volume(4, 60, 5_000)):
        chance = random.Random(seed)
        fate = Fate(deaths={chance.randrange(1, 90) for _ in range(8)})
        field = live(world_of(seed), tmp_path / str(seed), fate)
        check(field)
        field.store.close()
