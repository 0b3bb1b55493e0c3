"""Clocks that jump under an agent and its node while jobs wait: real processes, libfaketime."""

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from pathlib import Path

import pytest

import stages
from clocks import FakeClock
from e2e.test_agent import PIECES, Beside, working
from e2e.test_kills import NODE
from stages import Played, until

pytestmark = [pytest.mark.e2e, pytest.mark.needs("anvil", "faketime")]

_HOUR, _DAY, _YEAR = 3_600, 86_400, 31_536_000
# How far the agent's and the node's clock are off, one pair after another.
JUMPS = ((_DAY, 0), (-_HOUR, _HOUR), (0, -_DAY), (_HOUR, _DAY), (-_YEAR, -_YEAR), (_YEAR, _YEAR))


@pytest.fixture(scope="module")
def played(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return stages.played(pytestconfig, lambda: tmp_path_factory.mktemp("stage"))


@pytest.fixture
def off(
    played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[FakeClock, FakeClock]]:
    """Return the agent's clock and that of the first operator's node, which reads it from now."""
    agent, node = FakeClock(tmp_path / "agent.clock"), FakeClock(tmp_path / "node.clock")
    with monkeypatch.context() as patch:
        for name, value in node.environment.items():
            patch.setenv(name, value)
        stages.restart(played.stage, NODE)
    yield agent, node
    node.jump(0)
    stages.restart(played.stage, NODE)


@pytest.fixture
def beside(played: Played, tmp_path: Path) -> Iterator[Beside]:
    with working(played, tmp_path, nonce=80) as made:
        yield made


def signed(beside: Beside) -> int:
    status = beside.status()
    return int(status["waiting"]) + int(status["final"])


def jump(clocks: Sequence[FakeClock], seconds: Sequence[int]) -> None:
    for clock, off in zip(clocks, seconds, strict=True):
        clock.jump(off)


def test_clocks_that_jump_lose_and_double_nothing(
    played: Played,
    beside: Beside,
    off: tuple[FakeClock, FakeClock],
    volume: Callable[[int, int, int], int],
) -> None:
    jobs, jumps = volume(1, 3, 50), cycle(JUMPS)
    beside.start(off[0].environment)
    for number in range(1, jobs + 1):
        jump(off, next(jumps))
        beside.report(number)
        until(lambda number=number: signed(beside) == number * PIECES)  # type: ignore[misc]  # bound now
        jump(off, next(jumps))
        # Nothing waits until the clocks are right again.
        until(lambda number=number: beside.status()["final"] == number * PIECES)  # type: ignore[misc]  # bound now

    shown = [beside.actor.ask("agent", "show", f"job-{n}") for n in range(1, jobs + 1)]
    rows = [row for job in shown for row in job["envelopes"]]
    assert sorted(row["counter"] for row in rows) == list(range(1, jobs * PIECES + 1))
    assert sorted(row["unit"] for row in rows) == list(range(1, jobs * PIECES + 1))
    for row in rows:
        assert len(played.node.positions(row["label"])) == 1
    status = beside.status()
    assert (status["waiting"], status["refused"], status["state"]) == (0, 0, "running")
