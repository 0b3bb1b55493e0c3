"""OctoPrint: its job, its files' print history and its temperatures, by its REST API.

OctoPrint numbers no runs. Its files have a history, though: how often each was printed to the end
and how often not, kept durably. A run is named by its file, by when that file came, and by its
place in this history: seen again, or only afterwards, it has the same name.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Self

from guildmark.adapters.jobfiles import JobFile
from guildmark.adapters.machines.answers import Answer, plain
from guildmark.adapters.machines.cursors import read_cursor, write_cursor
from guildmark.adapters.machines.web import Site
from guildmark.domain.builds.predicate import NAME_MAX
from guildmark.domain.encoding.fields import Fields
from guildmark.domain.encoding.strictjson import JsonObject, JsonValue
from guildmark.domain.identifiers import Digest, digest_from_hex, to_hex
from guildmark.domain.shopfloor.jobs import JobEvent, JobPhase, Observation, Piece, Sample
from guildmark.ports.shopfloor import MachineAnswerError

KIND = "octoprint"
KEY_HEADER = "X-Api-Key"

# States in which a run goes on. "Finishing" and "Cancelling" are not of them: the history may
# count the run already.
_RUNNING = ("Starting", "Printing", "Pausing", "Paused", "Resuming")
_DEPTH_MAX = 32
_RUNS_MAX = 1_000
_UNSEEN = "The run ended while nobody watched; its time is that of the file's last run."


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file and its history.

    Args:
        uploaded: When it came, in seconds.
        last: When its last run ended, in milliseconds.
    """

    path: str
    content: str
    uploaded: int
    success: int
    failure: int
    last: int
    is_last_good: bool

    @property
    def key(self) -> str:
        """Return what stands for the file in cursors and names of runs."""
        return hashlib.sha256(f"{self.path}\0{self.content}".encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Past:
    """How much of a file's history was told.

    Args:
        born: When the file came that this history is of.
        success: Runs to the end.
        failure: Runs that were broken off.
        last: When the last of them ended, in milliseconds.
        lost: Runs that began and of which no history tells: OctoPrint itself had stopped.
    """

    born: int
    success: int = 0
    failure: int = 0
    last: int = 0
    lost: int = 0

    @property
    def count(self) -> int:
        return self.success + self.failure + self.lost

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return what a cursor remembers of a file."""
        names = ("b", "s", "f", "l", "x")
        born, success, failure, last, lost = (fields.integer(name) for name in names)
        return cls(born=born, success=success, failure=failure, last=last, lost=lost)

    def to_json(self) -> JsonObject:
        """Return what a cursor remembers of a file."""
        return {
            "b": self.born,
            "s": self.success,
            "f": self.failure,
            "l": self.last,
            "x": self.lost,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """The run that goes on.

    Args:
        spent: Seconds that OctoPrint counted of it when it was last seen.
    """

    job: str
    key: str
    path: str
    spent: int
    file: Digest | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return what a cursor remembers of the run."""
        return cls(
            job=fields.text("job"),
            key=fields.text("key"),
            path=fields.text("path"),
            spent=fields.integer("spent"),
            file=fields.maybe("file", lambda name: fields.parsed(name, digest_from_hex)),
        )

    def to_json(self) -> JsonObject:
        """Return what a cursor remembers of the run."""
        members: dict[str, JsonValue] = {
            "job": self.job,
            "key": self.key,
            "path": self.path,
            "spent": self.spent,
        }
        return members if self.file is None else {**members, "file": to_hex(self.file)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What a cursor holds; None for the past is the beginning: what was before is not told."""

    past: Mapping[str, _Past] | None = None
    run: _Run | None = None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the state that a cursor holds."""
        rows = fields.objects("files", lambda row: (row.text("k"), row.object("p", _Past.read)))
        return cls(past=dict(rows), run=fields.maybe("run", lambda n: fields.object(n, _Run.read)))

    def to_cursor(self) -> bytes:
        """Return the cursor that holds the state."""
        past = {} if self.past is None else self.past
        rows: list[JsonValue] = [{"k": key, "p": one.to_json()} for key, one in past.items()]
        run = {} if self.run is None else {"run": self.run.to_json()}
        return write_cursor(KIND, {"files": rows, **run})


@dataclass(slots=True, kw_only=True)
class OctoPrint:
    """One printer, as its OctoPrint tells of it.

    Args:
        site: The address, with the API key in its headers.
        wall: Seconds since 1970.
        monotonic: Seconds that no jump of the clock disturbs.
        grace: Seconds for which a run that ended may be missing in the history.
    """

    site: Site
    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    grace: float = 30.0
    _missing: tuple[str, float] | None = field(default=None, init=False)

    def poll(self, cursor: bytes) -> Observation:
        """Return the runs that began or ended since a cursor, and the temperatures of now."""
        state = _State() if cursor == b"" else read_cursor(KIND, cursor, _State.read)
        # The files first: a run that ends after that is told of next time, under the same name.
        files = self._files()
        job = Answer.parse(self.site.get("api", "job"))
        told = [*self._ended(state, files)]
        state = self._with_history(state, files, told)
        state, current = self._current(state, files, job)
        samples = tuple(self._temperatures()) if state.run is not None else ()
        return Observation(cursor=state.to_cursor(), events=(*told, *current), samples=samples)

    def close(self) -> None:
        """Let go of the connection."""
        self.site.close()

    def _files(self) -> Mapping[str, _File]:
        answer = Answer.parse(self.site.get("api", "files", query={"recursive": "true"}))
        found = [_file(row) for row in _leaves(answer.objects("files"), 0)]
        return {one.key: one for one in found}

    def _ended(self, state: _State, files: Mapping[str, _File]) -> Iterator[JobEvent]:
        """Yield the runs that the history counts and nobody told of."""
        if state.past is None:
            return
        for key, file in sorted(files.items(), key=lambda item: item[1].last):
            past = _known(state.past, key, file)
            outcomes = _outcomes(file, past)
            read = self._job_of(file, state.run, outcomes)
            for number, is_good in enumerate(outcomes, start=past.count + 1):
                is_last = number == past.count + len(outcomes)
                yield JobEvent(
                    job=_name(key, past, number),
                    phase=JobPhase.FINISHED if is_good else JobPhase.STOPPED,
                    at=file.last // 1_000,
                    file_name=file.path[-NAME_MAX:],
                    file=None if read is None else read.digest,
                    observed=() if read is None else read.observed,
                    pieces=(Piece(),) if is_good else (),
                    note=None if is_last else _UNSEEN,
                )

    def _job_of(self, file: _File, run: _Run | None, outcomes: tuple[bool, ...]) -> JobFile | None:
        if not outcomes:
            return None
        if run is not None and run.key == file.key and run.file is not None:
            # What it does was told when the run began.
            return JobFile(digest=run.file)
        return self._job(file.path)

    def _job(self, path: str) -> JobFile | None:
        return self.site.job("downloads", "files", "local", *path.split("/"))

    @staticmethod
    def _with_history(state: _State, files: Mapping[str, _File], told: list[JobEvent]) -> _State:
        """Return the state with all that the history counts; files that are gone are forgotten."""
        known = {} if state.past is None else state.past
        running = None if state.run is None else state.run.key
        past = {
            key: replace(
                _known(known, key, file),
                success=file.success,
                failure=file.failure,
                last=file.last,
            )
            for key, file in files.items()
            if file.success + file.failure or key in known or key == running
        }
        ended = {event.job for event in told}
        run = None if state.run is None or state.run.job in ended else state.run
        return _State(past=past, run=run)

    def _current(
        self, state: _State, files: Mapping[str, _File], job: Answer
    ) -> tuple[_State, tuple[JobEvent, ...]]:
        """Return the state with the run that goes on, and what is to be told of it."""
        progress, text = job.object("progress"), job.text("state")
        path = job.object("job").object("file").maybe("path", lambda _: _path_of(job))
        file = next((one for one in files.values() if one.path == path), None)
        if not text.startswith(_RUNNING) or file is None:
            return self._idle(state)
        spent = progress.maybe("printTime", progress.number)
        run = state.run
        if run is not None and run.key == file.key and (spent is None or spent >= run.spent):
            self._missing = None
            return replace(state, run=run if spent is None else replace(run, spent=int(spent))), ()
        # Another run than the one that is known: the history counts that one soon.
        state, stopped = self._idle(state)
        return (state, ()) if state.run is not None else self._begun(state, file, spent, stopped)

    def _begun(
        self, state: _State, file: _File, printed: Decimal | None, before: tuple[JobEvent, ...]
    ) -> tuple[_State, tuple[JobEvent, ...]]:
        spent = int(printed or 0)
        known = {} if state.past is None else dict(state.past)
        past = known.setdefault(file.key, _known(known, file.key, file))
        name = _name(file.key, past, past.count + 1)
        read = self._job(file.path)
        digest = None if read is None else read.digest
        begun = JobEvent(
            job=name,
            phase=JobPhase.STARTED,
            at=max(int(self.wall()) - spent, 0),
            file_name=file.path[-NAME_MAX:],
            file=digest,
            observed=() if read is None else read.observed,
        )
        run = _Run(job=name, key=file.key, path=file.path, spent=spent, file=digest)
        return _State(past=known, run=run), (*before, begun)

    def _idle(self, state: _State) -> tuple[_State, tuple[JobEvent, ...]]:
        """Wait for the history to count a run that ended; it never does where OctoPrint died."""
        run, now = state.run, self.monotonic()
        if run is None:
            return state, ()
        if self._missing is None or self._missing[0] != run.job:
            self._missing = (run.job, now)
        if now - self._missing[1] < self.grace:
            return state, ()
        state, stopped = self._lost(state, run)
        return state, stopped

    def _lost(self, state: _State, run: _Run) -> tuple[_State, tuple[JobEvent, ...]]:
        """Return the state without a run that no history counts, and its end."""
        self._missing = None
        past = {} if state.past is None else dict(state.past)
        if run.key in past:
            past[run.key] = replace(past[run.key], lost=past[run.key].lost + 1)
        stopped = JobEvent(
            job=run.job,
            phase=JobPhase.STOPPED,
            at=int(self.wall()),
            file_name=run.path[-NAME_MAX:],
            file=run.file,
            note="OctoPrint stopped during the run.",
        )
        return _State(past=past, run=None), (stopped,)

    def _temperatures(self) -> Iterator[Sample]:
        at = int(self.wall() * 1_000)
        answer = Answer.parse(self.site.get("api", "printer", query={"exclude": "sd,state"}))
        sensors = answer.object("temperature")
        for sensor in sensors.names():
            if sensor == "history":
                continue
            for name in ("actual", "target"):
                found = sensors.object(sensor)
                value = found.maybe(name, found.number)
                if value is not None:
                    channel = f"{sensor}.{name}"[:NAME_MAX]
                    yield Sample(channel=channel, at=at, value=plain(value), unit="Cel")


def _path_of(job: Answer) -> str:
    return job.object("job").object("file").text("path")


def _leaves(rows: tuple[Answer, ...], depth: int) -> Iterator[Answer]:
    """Yield the print files of a listing, folder by folder."""
    for row in rows:
        kind = row.text("type")
        if kind == "machinecode" and row.text("origin") == "local":
            yield row
        elif kind == "folder" and depth < _DEPTH_MAX:
            yield from _leaves(row.maybe("children", row.objects) or (), depth + 1)


def _file(row: Answer) -> _File:
    prints = row.maybe("prints", row.object)
    last = None if prints is None else prints.maybe("last", prints.object)
    return _File(
        path=row.text("path"),
        content=row.maybe("hash", row.text) or "",
        uploaded=row.count("date"),
        success=0 if prints is None else prints.count("success"),
        failure=0 if prints is None else prints.count("failure"),
        last=0 if last is None else int(last.number("date") * 1_000),
        is_last_good=last is not None and last.flag("success"),
    )


def _known(past: Mapping[str, _Past], key: str, file: _File) -> _Past:
    """Return what was told of a file; nothing where it was deleted and came again."""
    known = past.get(key)
    if known is None:
        return _Past(born=file.uploaded)
    is_less = file.success < known.success or file.failure < known.failure
    is_equal = (file.success, file.failure) == (known.success, known.failure)
    if is_less or (is_equal and file.last != known.last):
        return _Past(born=max(file.uploaded, known.born + 1))
    return known


def _outcomes(file: _File, past: _Past) -> tuple[bool, ...]:
    """Return how the new runs ended: the last is known, of the others how many were good."""
    good, bad = file.success - past.success, file.failure - past.failure
    if good + bad > _RUNS_MAX:
        message = f"The machine counts more than {_RUNS_MAX} new runs of one file."
        raise MachineAnswerError(message, runs=good + bad)
    if file.is_last_good and good:
        return (*[False] * bad, *[True] * good)
    return (*[True] * good, *[False] * bad)


def _name(key: str, past: _Past, number: int) -> str:
    return f"{key}-{past.born}-{number}"
