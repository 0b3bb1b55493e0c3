"""A folder that reports are put into: each is told of once, then moved aside."""

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

from guildmark.adapters.files import sync_folder, write_durably
from guildmark.adapters.machines.cursors import read_cursor, write_cursor
from guildmark.adapters.machines.reports import (
    SIZE_MAX,
    UnfinishedReportError,
    read_csv,
    read_json,
    read_qif,
)
from guildmark.domain.encoding.fields import Fields
from guildmark.domain.encoding.strictjson import JsonValue
from guildmark.domain.shopfloor.jobs import MalformedReportError, Observation, RefusedReports
from guildmark.ports.shopfloor import MachineUnavailableError

KIND = "folder"
TAKEN = "taken"
REFUSED = "refused"

_AT_ONCE = 20
_ENTRIES_MAX = 10_000
_REASON = ".reason.txt"
_REASON_SHOWN = 300
_UNFINISHED = (".part", ".tmp", "~")

Read = Callable[[bytes, int], Observation]
_READERS: Mapping[str, Read] = MappingProxyType(
    {
        ".json": lambda data, _: read_json(data),
        ".csv": lambda data, _: read_csv(data),
        ".qif": lambda data, at: read_qif(data, at=at),
        ".xml": lambda data, at: read_qif(data, at=at),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """One file, as it was when it was looked at."""

    path: Path
    size: int
    changed: int
    data: bytes = b""

    @property
    def state(self) -> tuple[str, int, int]:
        return (self.path.name, self.size, self.changed)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(slots=True, kw_only=True)
class Folder:
    """Reads reports from a folder; what was read goes to `taken`, what is wrong to `refused`.

    A file counts once its size and time stood still and its end is there; one of the same bytes
    as an earlier one counts as that.

    Args:
        path: The folder.
        settle: Seconds for which a file must stand still.
        patience: Seconds after which a file without an end is refused.
        monotonic: Seconds that no jump of the clock disturbs.
    """

    path: Path
    settle: float = 2.0
    patience: float = 3_600.0
    monotonic: Callable[[], float] = time.monotonic
    _seen: dict[tuple[str, int, int], float] = field(default_factory=dict, init=False)

    def poll(self, cursor: bytes) -> Observation:
        """Return the jobs of files that are new since a cursor.

        Raises:
            MachineUnavailableError: The folder cannot be read, or nothing moved out of it.
            MalformedReportError: A file is wrong; it lies in `refused` now, with the reason.
        """
        try:
            return self._poll(cursor)
        except OSError as error:
            raise _unusable(error) from error

    def refused(self) -> RefusedReports | None:
        """Return what lies refused, None where nothing does; a few thousand are counted at most.

        Raises:
            MachineUnavailableError: The folder cannot be read.
        """
        try:
            found = _reports(self.path / REFUSED)
            newest = max(found, key=lambda one: (one.changed, one.path.name), default=None)
            reason = None if newest is None else _open(_reason_of(newest.path))
        except OSError as error:
            raise _unusable(error) from error
        if newest is None:
            return None
        said = "" if reason is None else reason.data.decode(errors="replace")
        return RefusedReports(
            folder=str(self.path / REFUSED),
            count=len(found),
            file=ascii(newest.path.name.partition(".")[2][:80]),
            reason=_plain(said) or "nothing says why.",
        )

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _poll(self, cursor: bytes) -> Observation:
        told = () if cursor == b"" else read_cursor(KIND, cursor, _told)
        for name, digest in told:
            self._move_told(name, digest)
        reports: dict[str, Observation] = {}
        telling: list[JsonValue] = []
        for found in self._settled():
            if self._is_known(found.digest):
                self._set_aside(found.path, TAKEN, found.digest)
                continue
            report = self._read(found)
            if report is not None:
                reports[found.digest] = report
                telling.append({"name": found.path.name, "digest": found.digest})
            if len(telling) == _AT_ONCE:
                break
        if not telling and not told:
            return Observation.nothing(cursor)
        return Observation(
            cursor=write_cursor(KIND, {"told": telling}),
            events=tuple(event for report in reports.values() for event in report.events),
            traces=tuple(trace for report in reports.values() for trace in report.traces),
        )

    def _move_told(self, name: str, digest: str) -> None:
        """Move a file whose jobs are stored, unless there is another under its name by now."""
        path = self.path / name
        found = _open(path) if path.name == name else None
        if found is not None and found.digest == digest:
            self._set_aside(path, TAKEN, digest)

    def _settled(self) -> Iterator[_Found]:
        """Yield the files that stood still for long enough, the oldest first."""
        now = self.monotonic()
        found = [one for one in map(_look, self._names()) if one is not None]
        self._seen = {one.state: self._seen.get(one.state, now) for one in found}
        for one in sorted(found, key=lambda one: (one.changed, one.path.name)):
            if now - self._seen[one.state] >= self.settle:
                opened = self._opened(one)
                if opened is not None and opened.state == one.state:
                    yield opened

    def _names(self) -> Iterator[Path]:
        with os.scandir(self.path) as entries:
            for entry in islice(entries, _ENTRIES_MAX):
                name = entry.name
                if not name.startswith(".") and not name.endswith(_UNFINISHED):
                    yield self.path / name

    def _opened(self, found: _Found) -> _Found | None:
        if found.path.suffix.lower() not in _READERS:
            self._refuse(found, "It is no .json, .csv, .qif or .xml file.")
        if found.size > SIZE_MAX:
            self._refuse(found, f"It has more than {SIZE_MAX} bytes.")
        return _open(found.path)

    def _read(self, found: _Found) -> Observation | None:
        """Return what a file tells, None where it has no end yet."""
        read = _READERS[found.path.suffix.lower()]
        try:
            return read(found.data, found.changed // 10**9)
        except UnfinishedReportError as error:
            if self.monotonic() - self._seen[found.state] < self.patience:
                return None
            self._refuse(found, error.message)
        except MalformedReportError as error:
            self._refuse(found, error.message)

    def _refuse(self, found: _Found, reason: str) -> NoReturn:
        """Move a wrong file aside with the reason beside it, so that it holds up no other.

        Raises:
            MalformedReportError: Always.
        """
        mark = hashlib.sha256(repr(found.state).encode()).hexdigest()
        kept = self._set_aside(found.path, REFUSED, mark)
        write_durably(_reason_of(kept), f"{reason}\n".encode())
        message = f"The file {found.path.name[:80]!r} was refused. {reason}"
        next_step = f"Mend it in the folder's {REFUSED}/ and put it into the folder again."
        raise MalformedReportError(message, next_step=next_step, file=ascii(found.path.name[:80]))

    def _is_known(self, digest: str) -> bool:
        return any((self.path / TAKEN).glob(f"{digest}.*"))

    def _set_aside(self, path: Path, where: str, digest: str) -> Path:
        folder = self.path / where
        folder.mkdir(exist_ok=True)
        kept = folder / f"{digest}.{path.name[-100:]}"
        path.replace(kept)
        sync_folder(folder)
        sync_folder(self.path)
        return kept


def _unusable(error: OSError) -> MachineUnavailableError:
    message = f"The folder cannot be used: {error.strerror}."
    next_step = "Give the agent a folder that it may read and write."
    return MachineUnavailableError(message, next_step=next_step)


def _reports(folder: Path) -> Sequence[_Found]:
    """Return the reports that lie in a folder, without the reasons beside them."""
    try:
        with os.scandir(folder) as entries:
            names = [folder / one.name for one in islice(entries, _ENTRIES_MAX)]
    except FileNotFoundError:
        return []
    found = [one for one in map(_look, names) if one is not None]
    explained = set(names)
    return [
        one
        for one in found
        if not one.path.name.endswith(_REASON) or _reason_of(one.path) in explained
    ]


def _reason_of(kept: Path) -> Path:
    return kept.with_name(f"{kept.name}{_REASON}")


def _plain(text: str) -> str:
    """Return a text in one line that a terminal shows as it is."""
    line = " ".join(text.split())[:_REASON_SHOWN]
    return "".join(each if each.isprintable() else "?" for each in line)


def _told(fields: Fields) -> tuple[tuple[str, str], ...]:
    return fields.objects("told", lambda one: (one.text("name"), one.text("digest")))


def _look(path: Path) -> _Found | None:
    """Return a plain file's state, None for whatever else there is, or is no longer."""
    try:
        state = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(state.st_mode):
        return None
    return _Found(path=path, size=state.st_size, changed=state.st_mtime_ns)


def _open(path: Path) -> _Found | None:
    """Return a plain file with its bytes, None where there is none; never follows a link."""
    if _look(path) is None:
        return None
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode) or state.st_size > SIZE_MAX:
            return None
        with open(handle, "rb", closefd=False) as file:
            # A reader makes room for as many bytes as it is asked for.
            data = file.read(state.st_size)
    finally:
        os.close(handle)
    return _Found(path=path, size=state.st_size, changed=state.st_mtime_ns, data=data)
