"""What every adapter of a machine must do, whatever machine it is: one suite for all of them."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pytest

from guildmark.domain.shopfloor.jobs import JobEvent, JobPhase, Observation, Sample
from guildmark.ports.shopfloor import Machine, MachineAnswerError, MachineUnavailableError


class Stage(Protocol):
    """A machine, real or double, that tests can play on."""

    tells_beginnings: bool
    spoilings: Sequence[str]

    def open(self) -> Machine:
        """Return the adapter anew, as after a restart of its process."""
        ...

    def begin(self) -> None:
        """Begin a job on the machine."""
        ...

    def end(self) -> None:
        """Bring the job to its good end."""
        ...

    def wait(self) -> None:
        """Let some time pass, by the clock that never jumps."""
        ...

    def jump(self, seconds: int) -> None:
        """Turn the wall clocks."""
        ...

    def unplug(self) -> None:
        """Take the machine off the network."""
        ...

    def plug(self) -> None:
        """Bring it back."""
        ...

    def spoil(self, how: str) -> None:
        """Have it answer otherwise than it should."""
        ...


@dataclass(slots=True)
class Watcher:
    """Keeps what an agent would: cursor and events, stored in one step."""

    stage: Stage
    cursor: bytes = b""
    events: list[JobEvent] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    _machine: Machine | None = None

    def poll(self) -> Observation:
        """Ask, and keep nothing yet."""
        if self._machine is None:
            self._machine = self.stage.open()
        return self._machine.poll(self.cursor)

    def keep(self) -> None:
        """Ask and keep what is said."""
        seen = self.poll()
        self.cursor = seen.cursor
        self.events += seen.events
        self.samples += seen.samples
        self.samples += (sample for trace in seen.traces for sample in trace.samples)

    def restart(self) -> None:
        """Go on as a new process would."""
        if self._machine is not None:
            self._machine.close()
        self._machine = None

    def settle(self) -> None:
        """Ask until nothing new was said several times."""
        quiet = 0
        while quiet < 4:
            before = len(self.events)
            self.stage.wait()
            self.keep()
            quiet = quiet + 1 if len(self.events) == before else 0

    def names(self, phase: JobPhase) -> list[str]:
        """Return the jobs that were told of in a phase."""
        return [event.job for event in self.events if event.phase is phase]


class MachineSuite:
    """Subclass it with a fixture ``stage``."""

    @pytest.fixture
    def watcher(self, stage: Stage) -> Iterator[Watcher]:
        watcher = Watcher(stage)
        watcher.keep()
        yield watcher
        watcher.restart()

    def test_a_job_is_told_from_its_beginning_to_its_end(
        self, stage: Stage, watcher: Watcher
    ) -> None:
        stage.begin()
        watcher.settle()
        begun = watcher.names(JobPhase.STARTED)
        stage.end()
        watcher.settle()

        finished = watcher.names(JobPhase.FINISHED)
        assert len(finished) == 1
        assert begun == (finished if stage.tells_beginnings else [])
        assert len(watcher.events[-1].pieces) == 1

    def test_the_same_cursor_gives_the_same_events_again(
        self, stage: Stage, watcher: Watcher
    ) -> None:
        stage.begin()
        stage.end()
        watcher.poll()
        stage.wait()

        first, second = watcher.poll(), watcher.poll()

        assert [event.job for event in first.events] == [event.job for event in second.events]
        assert JobPhase.FINISHED in {event.phase for event in first.events}

    @pytest.mark.parametrize("seed", range(6))
    def test_restarts_and_lost_answers_double_nothing_and_lose_nothing(
        self, stage: Stage, watcher: Watcher, seed: int
    ) -> None:
        chance = random.Random(seed)
        ended, is_running = 0, False
        for _ in range(30):
            match chance.randrange(5):
                case 0:
                    stage.end() if is_running else stage.begin()
                    ended, is_running = ended + is_running, not is_running
                case 1:
                    stage.wait()
                    watcher.keep()
                case 2:
                    watcher.poll()
                case 3:
                    watcher.restart()
                case _:
                    stage.jump(chance.randrange(-100_000, 100_000))
        if is_running:
            stage.end()

        watcher.settle()

        told = Counter(watcher.names(JobPhase.FINISHED))
        assert len(told) == ended + is_running
        assert set(told.values()) <= {1}
        assert set(watcher.names(JobPhase.STARTED)) <= set(told)
        assert watcher.names(JobPhase.STOPPED) == []

    def test_unplugged_in_the_middle_of_a_job_it_is_told_once_afterwards(
        self, stage: Stage, watcher: Watcher
    ) -> None:
        stage.begin()
        watcher.settle()
        stage.unplug()
        with pytest.raises(MachineUnavailableError):
            watcher.poll()
        stage.end()
        stage.plug()

        watcher.settle()

        assert len(watcher.names(JobPhase.FINISHED)) == 1
        assert watcher.names(JobPhase.STOPPED) == []

    def test_whatever_it_answers_wrongly_is_refused_and_loses_nothing(
        self, stage: Stage, watcher: Watcher
    ) -> None:
        stage.begin()
        watcher.settle()
        for how in stage.spoilings:
            stage.spoil(how)
            with pytest.raises((MachineAnswerError, MachineUnavailableError)):
                watcher.poll()
            stage.plug()
        stage.end()

        watcher.settle()

        assert len(watcher.names(JobPhase.FINISHED)) == 1
