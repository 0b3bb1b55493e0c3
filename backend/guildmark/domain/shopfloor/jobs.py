"""What a machine reports about its jobs, before anybody signs it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from guildmark.domain.builds.lots import check_lots
from guildmark.domain.builds.predicate import NAME_MAX, Measurement, Setting
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import UINT40_MAX, Digest
from guildmark.domain.recipes.gcode import Observed

CURSOR_MAX = 1 << 16
"""Bytes of a cursor at most: it is stored with every observation."""

PIECES_MAX = 1_000
"""Pieces of one job at most."""


class MalformedReportError(MalformedError):
    """A machine's report that contradicts itself."""

    code = "machine.malformedReport"
    hint = "Look at what the machine wrote; mend it and hand it in again."


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedReports:
    """Reports that were set aside, since they are wrong; they lie there until somebody mends them.

    Args:
        folder: Where they lie, each with its reason beside it.
        count: How many.
        file: The newest one's name.
        reason: Why it was refused.
    """

    folder: str
    count: int
    file: str
    reason: str

    def error(self) -> MalformedReportError:
        """Return what there is to say of them."""
        reports = "1 report was" if self.count == 1 else f"{self.count} reports were"
        message = f"{reports} refused; the newest, {self.file}: {self.reason}"
        next_step = f"Mend what lies in {self.folder} and put it into the folder above again."
        return MalformedReportError(message, next_step=next_step, folder=self.folder)


class JobPhase(StrEnum):
    """How far a job is."""

    STARTED = "started"
    FINISHED = "finished"
    STOPPED = "stopped"
    """Failed or cancelled: nothing came out that counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One of the pieces that came out of a job.

    Args:
        measurements: What was measured on it.
        conforming: Whether an inspector passed it; None where nobody said.
        serial: The serial that the report gives it.
    """

    measurements: tuple[Measurement, ...] = ()
    conforming: bool | None = None
    serial: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent:
    """A step of a job, as its machine tells it.

    Args:
        job: The source's own name of this run; no two runs of a source share it, and an event that
            is told again carries the same.
        at: The source's clock, in seconds: a claim.
        file_name: What the source calls the job file; display only.
        file: SHA-256 of the job file, where the source hands it out.
        settings: What the machine says that it was set to.
        observed: What the job file makes the machine do, where somebody read it.
        pieces: What came out; only a finished job has any.
        technician: The pseudonym of the person at the machine.
        note: Free text; display only.
        lots: The lots that went in, where the source knows: then not those that were loaded.
    """

    job: str
    phase: JobPhase
    at: int
    file_name: str | None = None
    file: Digest | None = None
    settings: tuple[Setting, ...] = ()
    observed: tuple[Observed, ...] = ()
    firmware: str | None = None
    pieces: tuple[Piece, ...] = ()
    technician: str | None = None
    note: str | None = None
    lots: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_lots(self.lots)
        if not 0 < len(self.job) <= NAME_MAX:
            message = "A job's name has 1 to 200 characters."
            raise MalformedReportError(message, length=len(self.job))
        if not 0 <= self.at <= UINT40_MAX:
            message = "A job's time is not a number of seconds since 1970."
            raise MalformedReportError(message, at=self.at)
        if len(self.pieces) > PIECES_MAX:
            message = f"A job gives {PIECES_MAX} pieces at most."
            raise MalformedReportError(message, pieces=len(self.pieces))
        if self.pieces and self.phase is not JobPhase.FINISHED:
            message = "A job that is not finished has given pieces."
            raise MalformedReportError(message, job=self.job)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value that a machine told while it worked.

    Args:
        channel: What it is of: a sensor or a data item.
        at: The source's clock, in milliseconds: a claim.
        value: A decimal, or a text.
        unit: The UCUM unit of a decimal.
        instance: The source's run since its last start.
        sequence: The source's own number of the value, where it counts them.
    """

    channel: str
    at: int
    value: str
    unit: str | None = None
    instance: str = ""
    sequence: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Values that the source had told and did not hand out: it restarted, or its buffer ran over.

    Args:
        instance: The source's run since its last start.
        first: The number of the first value that lacks.
        last: The number of the last one, None where nobody knows.
    """

    instance: str
    first: int
    last: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Values that a report tells of its own job, whenever it is read."""

    job: str
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All that a source told since a cursor.

    Args:
        cursor: Where to go on; opaque, kept durably in one step with the rest.
        samples: Values of whatever job runs.
        traces: Values of jobs that their source names.
    """

    cursor: bytes
    events: tuple[JobEvent, ...] = ()
    samples: tuple[Sample, ...] = ()
    gaps: tuple[Gap, ...] = ()
    traces: tuple[Trace, ...] = ()

    def __post_init__(self) -> None:
        if len(self.cursor) > CURSOR_MAX:
            message = f"A cursor has {CURSOR_MAX} bytes at most."
            raise MalformedReportError(message, size=len(self.cursor))

    @classmethod
    def nothing(cls, cursor: bytes) -> Self:
        """Return an observation of nothing new."""
        return cls(cursor=cursor)
