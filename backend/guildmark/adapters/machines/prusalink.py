"""PrusaLink: the one job that a printer shows, its file and its temperatures, by its HTTP API (v1).

A printer keeps no history. It numbers its jobs and shows the last one until somebody clears its
screen. A job that is gone before anybody saw its end is told as stopped: nobody knows more.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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

KIND = "prusalink"
KEY_HEADER = "X-Api-Key"

_RUNNING = frozenset({"PRINTING", "PAUSED"})
_ENDS = {
    "FINISHED": JobPhase.FINISHED,
    "STOPPED": JobPhase.STOPPED,
    "ERROR": JobPhase.STOPPED,
}
_SENSORS = ("temp_nozzle", "target_nozzle", "temp_bed", "target_bed")
_UNSEEN = "The printer shows another job, or none: how this one ended nobody saw."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """The job that a printer shows.

    Args:
        place: Where its file is downloaded, below the printer's address.
        spent: Seconds that it took so far.
    """

    name: str
    state: str
    title: str
    place: tuple[str, ...] | None
    spent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What a cursor holds.

    Args:
        run: The job whose beginning was told, and not its end.
        title: What the printer calls its file.
        file: The digest of its file.
        last: The job whose end was told last.
    """

    run: str | None = None
    title: str | None = None
    file: Digest | None = None
    last: str | None = None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the state that a cursor holds."""
        return cls(
            run=fields.maybe("run", fields.text),
            title=fields.maybe("title", fields.text),
            file=fields.maybe("file", lambda name: fields.parsed(name, digest_from_hex)),
            last=fields.maybe("last", fields.text),
        )

    def to_cursor(self) -> bytes:
        """Return the cursor that holds the state."""
        file = None if self.file is None else to_hex(self.file)
        members = {"run": self.run, "title": self.title, "file": file, "last": self.last}
        kept: JsonObject = {name: value for name, value in members.items() if value is not None}
        return write_cursor(KIND, kept)


@dataclass(slots=True, kw_only=True)
class PrusaLink:
    """One printer, as it tells of itself.

    Args:
        site: The address, with the API key in its headers.
        wall: Seconds since 1970.
    """

    site: Site
    wall: Callable[[], float] = time.time

    def poll(self, cursor: bytes) -> Observation:
        """Return the job that began or ended since a cursor, and the temperatures of now."""
        is_first = cursor == b""
        state = _State() if is_first else read_cursor(KIND, cursor, _State.read)
        status = Answer.parse(self.site.get("api", "v1", "status"))
        job = status.maybe("job", status.object)
        # Asked only where there is one: else the printer answers with nothing.
        has_one = job is not None and job.maybe("id", job.count) is not None
        shown = self._shown() if has_one else None
        if is_first and shown is not None and shown.state in _ENDS:
            state = _State(last=shown.name)
        events: list[JobEvent] = []
        state = self._without(state, shown, events)
        if shown is not None and shown.name != state.last:
            state = self._follow(state, shown, events)
        samples = () if state.run is None else tuple(self._temperatures(status))
        return Observation(cursor=state.to_cursor(), events=tuple(events), samples=samples)

    def close(self) -> None:
        """Let go of the connection."""
        self.site.close()

    def _shown(self) -> _Job | None:
        answer = Answer.parse(self.site.get("api", "v1", "job"))
        file = answer.maybe("file", answer.object)
        if file is None:
            # Somebody prints over the serial line: there is no file to tell of.
            return None
        path, changed = file.text("path"), file.maybe("m_timestamp", file.count)
        content = hashlib.sha256(f"{path}/{file.text('name')}\0{changed}".encode()).hexdigest()
        refs = file.maybe("refs", file.object)
        place = None if refs is None else refs.maybe("download", refs.text)
        return _Job(
            name=f"{answer.count('id')}-{content[:12]}",
            state=answer.text("state", most=40),
            title=(file.maybe("display_name", file.text) or file.text("name"))[:NAME_MAX],
            place=None if place is None else tuple(place.strip("/").split("/")),
            spent=answer.maybe("time_printing", answer.count) or 0,
        )

    def _without(self, state: _State, shown: _Job | None, events: list[JobEvent]) -> _State:
        """Return the state without a run that the printer does not show any more."""
        if state.run is None or (shown is not None and shown.name == state.run):
            return state
        events.append(
            JobEvent(
                job=state.run,
                phase=JobPhase.STOPPED,
                at=int(self.wall()),
                file_name=state.title,
                file=state.file,
                note=_UNSEEN,
            )
        )
        return _State(last=state.run)

    def _follow(self, state: _State, shown: _Job, events: list[JobEvent]) -> _State:
        end = _ENDS.get(shown.state)
        if end is None and (shown.state not in _RUNNING or state.run is not None):
            return state
        known = None if state.file is None else JobFile(digest=state.file)
        read = known or (None if shown.place is None else self.site.job(*shown.place))
        is_good = end is JobPhase.FINISHED
        events.append(
            JobEvent(
                job=shown.name,
                phase=end or JobPhase.STARTED,
                at=int(self.wall()) - (0 if end else shown.spent),
                file_name=shown.title,
                file=None if read is None else read.digest,
                observed=() if read is None else read.observed,
                pieces=(Piece(),) if is_good else (),
            )
        )
        if end is not None:
            return _State(last=shown.name)
        file = None if read is None else read.digest
        return _State(run=shown.name, title=shown.title, file=file, last=state.last)

    def _temperatures(self, status: Answer) -> Iterator[Sample]:
        at, printer = int(self.wall() * 1_000), status.object("printer")
        for name in _SENSORS:
            value = printer.maybe(name, printer.number)
            if value is not None:
                yield Sample(channel=name, at=at, value=plain(value), unit="Cel")
