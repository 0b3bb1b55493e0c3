"""Moonraker (Klipper's API server): its numbered history of jobs, and the G-code that it keeps.

Moonraker numbers jobs and keeps them with their end. A number comes again only where the newest job
was deleted, so that number and beginning name a run.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Self

from guildmark.adapters.jobfiles import JobFile
from guildmark.adapters.machines.answers import Answer, plain
from guildmark.adapters.machines.cursors import read_cursor, write_cursor
from guildmark.adapters.machines.web import Site
from guildmark.domain.builds.predicate import NAME_MAX
from guildmark.domain.encoding.fields import Fields
from guildmark.domain.encoding.strictjson import JsonObject
from guildmark.domain.identifiers import Digest, digest_from_hex, to_hex
from guildmark.domain.shopfloor.jobs import JobEvent, JobPhase, Observation, Piece, Sample
from guildmark.ports.shopfloor import MachineAnswerError

KIND = "moonraker"
KEY_HEADER = "X-Api-Key"

_PAGE = 50
_NEW_MAX = 1_000
_RUNNING, _GOOD = "in_progress", "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One job of the history; the beginning in milliseconds."""

    number: int
    begun: int
    ended: int | None
    status: str
    path: str

    @property
    def name(self) -> str:
        return f"{self.number:06X}-{self.begun}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What a cursor holds.

    Args:
        number: The newest job that was told of to its end.
        begun: When that one began.
        running: The name of a later one, of which the beginning was told.
        file: The digest of its G-code.
    """

    number: int
    begun: int
    running: str | None = None
    path: str | None = None
    file: Digest | None = None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the state that a cursor holds."""
        return cls(
            number=fields.integer("number"),
            begun=fields.integer("begun"),
            running=fields.maybe("running", fields.text),
            path=fields.maybe("path", fields.text),
            file=fields.maybe("file", lambda name: fields.parsed(name, digest_from_hex)),
        )

    def to_cursor(self) -> bytes:
        """Return the cursor that holds the state."""
        members: JsonObject = {"number": self.number, "begun": self.begun}
        if self.running is not None:
            members = {**members, "running": self.running, "path": self.path}
        if self.file is not None:
            members = {**members, "file": to_hex(self.file)}
        return write_cursor(KIND, members)


@dataclass(slots=True, kw_only=True)
class Moonraker:
    """One printer, as its Moonraker tells of it.

    Args:
        site: The address, with the API key in its headers where one is asked for.
        wall: Seconds since 1970.
    """

    site: Site
    wall: Callable[[], float] = time.time

    def poll(self, cursor: bytes) -> Observation:
        """Return the jobs that began or ended since a cursor, and the temperatures of now."""
        if cursor == b"":
            state, jobs = self._at_first()
        else:
            state = read_cursor(KIND, cursor, _State.read)
            jobs = self._since(state)
        events = [] if state.running is None else [*self._gone(state, jobs)]
        if events:
            state = _State(number=state.number, begun=state.begun)
        for job in jobs:
            state = self._take(state, job, events)
        samples = tuple(self._temperatures()) if state.running is not None else ()
        return Observation(cursor=state.to_cursor(), events=tuple(events), samples=samples)

    def close(self) -> None:
        """Let go of the connection."""
        self.site.close()

    def _at_first(self) -> tuple[_State, list[_Job]]:
        """Return where the history is, and the job that runs: what was before is not told."""
        newest = self._page(0)[:1]
        running = [job for job in newest if job.status == _RUNNING]
        past = [job for job in newest if job.status != _RUNNING]
        before = [*past, *self._page(1)[:1]] if running else past
        return (_passed(before[0]) if before else _State(number=0, begun=0)), running

    def _since(self, state: _State) -> list[_Job]:
        """Return the jobs after a state, the oldest first."""
        newest = self._page(0)
        if not newest or newest[0].number < state.number:
            # The newest were deleted: their numbers are given anew.
            return [job for job in newest[:1] if job.begun > state.begun]
        found: list[_Job] = []
        is_whole = False
        while not is_whole and len(found) <= _NEW_MAX:
            page = self._page(len(found)) if found else newest
            fresh = [job for job in page if _is_new(job, state)]
            found += fresh
            is_whole = len(fresh) < _PAGE
        if len(found) <= _NEW_MAX:
            return sorted(found, key=lambda job: job.number)
        message = f"Moonraker's history has more than {_NEW_MAX} new jobs."
        raise MachineAnswerError(message)

    def _page(self, start: int) -> list[_Job]:
        query = {"limit": str(_PAGE), "start": str(start), "order": "desc"}
        data = self.site.get("server", "history", "list", query=query)
        return [_job(row) for row in Answer.parse(data).object("result").objects("jobs")]

    def _take(self, state: _State, job: _Job, events: list[JobEvent]) -> _State:
        known = state.file if state.running == job.name else None
        read = None if known is None else JobFile(digest=known)
        if job.status == _RUNNING:
            if state.running == job.name:
                return state
            read = self._job(job.path)
            events.append(_event(job, JobPhase.STARTED, read))
            file = None if read is None else read.digest
            return replace(state, running=job.name, path=job.path[-NAME_MAX:], file=file)
        is_good = job.status == _GOOD
        phase = JobPhase.FINISHED if is_good else JobPhase.STOPPED
        events.append(_event(job, phase, read or self._job(job.path)))
        return _passed(job)

    def _gone(self, state: _State, jobs: list[_Job]) -> Iterator[JobEvent]:
        """Yield the end of a job that the history does not know any more."""
        if state.running not in {job.name for job in jobs}:
            yield JobEvent(
                job=state.running or "",
                phase=JobPhase.STOPPED,
                at=int(self.wall()),
                file_name=state.path,
                file=state.file,
                note="Moonraker's history does not know the job any more.",
            )

    def _job(self, path: str) -> JobFile | None:
        return self.site.job("server", "files", "gcodes", *path.split("/"))

    def _temperatures(self) -> Iterator[Sample]:
        at = int(self.wall() * 1_000)
        query = {"extruder": "temperature,target", "heater_bed": "temperature,target"}
        answer = Answer.parse(self.site.get("printer", "objects", "query", query=query))
        sensors = answer.object("result").object("status")
        for sensor in sensors.names():
            values = sensors.object(sensor)
            for name in values.names():
                channel = f"{sensor}.{name}"[:NAME_MAX]
                yield Sample(channel=channel, at=at, value=plain(values.number(name)), unit="Cel")


def _is_new(job: _Job, state: _State) -> bool:
    is_same = job.number == state.number
    return job.number > state.number or (is_same and job.begun != state.begun)


def _passed(job: _Job) -> _State:
    """Return the state after a job's end."""
    return _State(number=job.number, begun=job.begun)


def _event(job: _Job, phase: JobPhase, read: JobFile | None) -> JobEvent:
    return JobEvent(
        job=job.name,
        phase=phase,
        at=(job.begun if phase is JobPhase.STARTED or job.ended is None else job.ended) // 1_000,
        file_name=job.path[-NAME_MAX:],
        file=None if read is None else read.digest,
        observed=() if read is None else read.observed,
        pieces=(Piece(),) if phase is JobPhase.FINISHED else (),
    )


def _job(row: Answer) -> _Job:
    number = row.text("job_id", most=16)
    try:
        value = int(number, 16)
    except ValueError as error:
        message = "Moonraker's answer names a job by something else than a number."
        raise MachineAnswerError(message) from error
    ended = row.maybe("end_time", row.number)
    return _Job(
        number=abs(value),
        begun=int(row.number("start_time") * 1_000),
        ended=None if ended is None else int(ended * 1_000),
        status=row.text("status"),
        path=row.text("filename"),
    )
