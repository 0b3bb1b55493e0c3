"""Jobs out of signals: a machine that says only whether it works, on what, and how many are done.

What counts is the machine's own counter of parts where it has one: a job that ends without a new
part waits for one, and has stopped without any if the next job begins first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Self, TypeAlias

from guildmark.domain.builds.predicate import NAME_MAX
from guildmark.domain.encoding.fields import Fields
from guildmark.domain.encoding.strictjson import JsonObject, JsonValue
from guildmark.domain.shopfloor.jobs import PIECES_MAX, JobEvent, JobPhase, Piece

_NOT_COUNTED = "The machine counted no part of this run."


class Work(StrEnum):
    """What a machine does."""

    RUNS = "runs"
    ENDED = "ended"
    """The program came to its end."""
    IDLE = "idle"
    """It is ready for a program; how the last one ended, it does not say."""
    BROKEN = "broken"
    """The program was broken off."""
    WAITS = "waits"
    """The program goes on later, or nobody knows."""


WORDS: Mapping[str, Work] = MappingProxyType(
    {
        # As MTConnect has them; whatever else a machine says, the job goes on.
        "ACTIVE": Work.RUNS,
        "PROGRAM_COMPLETED": Work.ENDED,
        "READY": Work.IDLE,
        "STOPPED": Work.BROKEN,
        # As OPC UA for Machinery has them (40001-1, MachineryItemState).
        "Executing": Work.RUNS,
        "NotExecuting": Work.IDLE,
        "true": Work.RUNS,
        "false": Work.IDLE,
    }
)
"""What machines say that they do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """A change of what the machine does; the name is that of the run that it may begin."""

    work: Work
    at: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """The machine's counter of parts."""

    count: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The program that the machine has in hand."""

    name: str


Signal: TypeAlias = Doing | Counting | Program


@dataclass(slots=True, kw_only=True)
class Tracker:
    """What is known of a machine, after the signals so far.

    Args:
        job: The run that goes on, or that ended and waits for its parts.
        ended: When that run ended; None while it goes on.
        made: Parts that were counted since it began.
        count: The counter's last value; None where the machine never told one.
        program: The program in hand.
        portion: How many portions of the run were told: a long one gives more parts than a job has.
        events: What is to be told; a cursor does not hold it.
    """

    job: str | None = None
    ended: int | None = None
    made: int = 0
    count: int | None = None
    program: str | None = None
    portion: int = 0
    events: list[JobEvent] = field(default_factory=list)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the tracker that a cursor holds."""
        return cls(
            job=fields.maybe("job", fields.text),
            ended=fields.maybe("ended", fields.integer),
            made=fields.integer("made"),
            count=fields.maybe("count", fields.integer),
            program=fields.maybe("program", fields.text),
            portion=fields.integer("portion"),
        )

    def to_json(self) -> JsonObject:
        """Return the tracker as a cursor holds it."""
        members: dict[str, JsonValue] = {
            "job": self.job,
            "ended": self.ended,
            "made": self.made,
            "count": self.count,
            "program": self.program,
            "portion": self.portion,
        }
        return {name: value for name, value in members.items() if value is not None}

    def follow(self, signals: Iterable[Signal]) -> None:
        """Take signals in, in the order in which the machine gave them."""
        for signal in signals:
            match signal:
                case Program():
                    self.program = signal.name[-NAME_MAX:]
                case Counting():
                    self._count(signal)
                case Doing():
                    self._do(signal)

    def _count(self, signal: Counting) -> None:
        before, self.count = self.count, signal.count
        risen = 0 if before is None else signal.count - before
        # A counter that falls was set back; one that leaps was set.
        if self.job is None or not 0 < risen <= PIECES_MAX:
            return
        self.made += risen
        if self.made > PIECES_MAX or self.ended is not None:
            self._finish(signal.at)

    def _do(self, signal: Doing) -> None:
        if signal.work is Work.RUNS:
            self._run(signal)
        elif self.job is None or self.ended is not None or signal.work is Work.WAITS:
            return
        elif self.made or (self.count is None and signal.work is Work.ENDED):
            self._finish_all(signal.at)
        elif self.count is not None and signal.work is not Work.BROKEN:
            self.ended = signal.at
        else:
            self._tell(JobPhase.STOPPED, signal.at)
            self._forget()

    def _run(self, signal: Doing) -> None:
        if self.job is not None and self.ended is None:
            return
        if self.ended is not None:
            self._tell(JobPhase.STOPPED, self.ended, note=_NOT_COUNTED)
        self._forget()
        self.job = signal.name
        self._tell(JobPhase.STARTED, signal.at)

    def _finish(self, at: int) -> None:
        """Tell of the parts so far; the run goes on under another name where it does."""
        if self.ended is not None:
            self._finish_all(self.ended)
            return
        more = self.made - PIECES_MAX
        self.made = PIECES_MAX
        self._tell(JobPhase.FINISHED, at)
        self.made, self.portion = more, self.portion + 1
        self._tell(JobPhase.STARTED, at)

    def _finish_all(self, at: int) -> None:
        self.made = self.made if self.count is not None else 1
        self._tell(JobPhase.FINISHED, at)
        self._forget()

    def _forget(self) -> None:
        self.job, self.ended, self.made, self.portion = None, None, 0, 0

    def _tell(self, phase: JobPhase, at: int, *, note: str | None = None) -> None:
        portion = f"+{self.portion}" if self.portion else ""
        self.events.append(
            JobEvent(
                job=f"{self.job}{portion}",
                phase=phase,
                at=at,
                file_name=self.program,
                pieces=(Piece(),) * self.made if phase is JobPhase.FINISHED else (),
                note=note,
            )
        )
