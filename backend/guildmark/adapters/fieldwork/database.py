"""What an agent keeps, in a SQLite file that survives a loss of power.

The library of Python itself suffices: an agent runs where little else is installed.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

from guildmark.adapters.fieldwork.schema import upgrade
from guildmark.domain.builds.telemetry import KeptChunk
from guildmark.domain.chain.refusals import LaneLogError
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.codec import dump, load
from guildmark.domain.encoding.strictjson import Limits, parse_object
from guildmark.domain.errors import NotFoundError, SettingsError
from guildmark.domain.identifiers import Digest, LaneNumber, LogNumber, UnitNumber, to_hex
from guildmark.domain.shopfloor.fieldwork import (
    PENDING,
    Job,
    JobState,
    LaneBook,
    Note,
    Signed,
    SignedState,
    Watched,
)
from guildmark.ports.shopfloor import AgentReader, AgentWriter, CounterSpentError
from guildmark.ports.store import StoreUnavailableError

_BUSY_SECONDS = 30.0
_DURABLE = 2
_LIMITS = Limits(size=256 << 20, depth=24, values=10_000_000)

T = TypeVar("T")


class AgentStoreUnreadableError(SettingsError):
    """The agent's database cannot be opened, or would lose what it acknowledged."""

    code = "agent.storeUnreadable"
    hint = "Put the agent's home on a local disk; check the file's permissions."


class EnvelopeUnknownError(NotFoundError):
    """The agent keeps nothing of that digest."""

    code = "agent.digestUnknown"
    hint = "List what it keeps with `guildmark agent status`."


@dataclass(slots=True)
class AgentDatabase:
    """An agent's database: one connection, one transaction at a time.

    Args:
        path: The file.
    """

    path: Path
    _connection: sqlite3.Connection = field(init=False, repr=False)
    _lock: RLock = field(init=False, repr=False, default_factory=RLock)

    def __post_init__(self) -> None:
        try:
            self._connection = _open(self.path)
            upgrade(self._connection)
        except (OSError, sqlite3.Error) as error:
            message = f"{self.path} cannot be opened: {error}."
            raise AgentStoreUnreadableError(message, path=str(self.path)) from error

    @contextmanager
    def reading(self) -> Iterator[AgentReader]:
        """Return one state, the last commit."""
        with self._transaction("BEGIN") as bench:
            yield bench

    @contextmanager
    def writing(self) -> Iterator[AgentWriter]:
        """Return one exclusive transaction; leaving it commits durably, an error undoes it all."""
        with self._transaction("BEGIN IMMEDIATE") as bench:
            yield bench

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator["_Bench"]:
        with self._lock:
            try:
                self._connection.execute(begin)
                try:
                    yield _Bench(self._connection)
                    self._connection.execute("COMMIT")
                except BaseException:
                    # A full disk ends the transaction by itself, mostly.
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
            except sqlite3.OperationalError as error:
                message = f"The agent's database did not answer: {error}."
                raise StoreUnavailableError(message) from error


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # It holds the keys of photos and telemetry.
    path.touch(mode=0o600)
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _ASSERTED]
    if found != list(_ASSERTED.values()):
        message = f"expected {dict(_ASSERTED)}, found {found}"
        raise sqlite3.DatabaseError(message)
    return connection


_ASSERTED: Mapping[str, object] = {"journal_mode": "wal", "synchronous": _DURABLE}


# Both are answered by the index `signed_by_code`: of a long queue only what is amiss is read.
_AMISS = """
SELECT number, doc, unit FROM signed WHERE number IN (
    SELECT number FROM signed WHERE lane = :lane AND state IN ('signed', 'sent')
        AND (code = :code OR log <> :log)
    UNION ALL
    SELECT number FROM signed WHERE lane = :lane AND state = 'refused'
        AND code = :moved AND log <> :log
) ORDER BY coalesce(unit, 0), number LIMIT :most
"""
_BEFORE = """
SELECT count(*) FROM signed
WHERE lane = :lane AND (unit < :unit OR unit = :unit AND number < :number) AND (
    state IN ('signed', 'sent')
    OR state = 'refused' AND code = :moved AND log <> :log
)
"""


class _Bench:
    """What an agent keeps, over one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def machine(self, name: str) -> Watched:
        found = self._one("SELECT doc FROM machine WHERE name = ?", name)
        return Watched(name=name) if found is None else _read(Watched, found[0])

    def machines(self) -> Sequence[Watched]:
        query = "SELECT doc FROM machine ORDER BY name"
        return [_read(Watched, doc) for (doc,) in self._connection.execute(query)]

    def lane(self, number: LaneNumber) -> LaneBook:
        found = self._one("SELECT doc FROM lane WHERE number = ?", number)
        return LaneBook(lane=number) if found is None else _read(LaneBook, found[0])

    def job(self, machine: str, job: str) -> Job | None:
        query = "SELECT number, doc FROM job WHERE machine = ? AND job = ?"
        found = self._one(query, machine, job)
        return None if found is None else _job(found)

    def jobs(
        self, *states: JobState, machine: str | None = None, most: int | None = None
    ) -> Sequence[Job]:
        where, values = _among("state", states)
        if machine is not None:
            where, values = f"{where} AND machine = ?", [*values, machine]
        values.append(-1 if most is None else most)
        query = f"SELECT number, doc FROM job WHERE {where} ORDER BY number LIMIT ?"  # noqa: S608 - marks
        return [_job(row) for row in self._connection.execute(query, values)]

    def unstored(self) -> Job | None:
        found = self._one(
            "SELECT number, doc FROM job WHERE stored = 0 AND state = ? ORDER BY number LIMIT 1",
            JobState.SIGNED.value,
        )
        return None if found is None else _job(found)

    def signed(
        self, *states: SignedState, most: int | None = None, without: Sequence[str] = ()
    ) -> Sequence[Signed]:
        where, values = _among("state", states)
        marks = ", ".join("?" * len(without))
        values += [*without, -1 if most is None else most]
        query = (
            f"SELECT number, doc FROM signed WHERE {where} AND machine NOT IN ({marks})"  # noqa: S608 - marks
            " ORDER BY number LIMIT ?"
        )
        return [_signed(row) for row in self._connection.execute(query, values)]

    def unshown(self, *, most: int) -> Sequence[Signed]:
        query = "SELECT number, doc FROM signed WHERE shows = 1 ORDER BY number LIMIT ?"
        return [_signed(row) for row in self._connection.execute(query, (most,))]

    def oldest(self, machine: str, *states: SignedState) -> Signed | None:
        query = "SELECT number, doc FROM signed WHERE machine = ? AND state = ? ORDER BY number"
        found = [self._one(f"{query} LIMIT 1", machine, state.value) for state in states]
        first = min((row for row in found if row is not None), default=None)
        return None if first is None else _signed(first)

    def of_units(self, lane: LaneNumber, units: range, *states: SignedState) -> Sequence[Signed]:
        where, values = _among("state", states)
        query = (
            f"SELECT number, doc FROM signed WHERE {where} AND lane = ? AND unit >= ? AND unit < ?"  # noqa: S608 - marks
            " ORDER BY number"
        )
        values += [lane, units.start, units.stop]
        return [_signed(row) for row in self._connection.execute(query, values)]

    def amiss(
        self, lane: LaneNumber, log: LogNumber, code: str, *, most: int
    ) -> Sequence[tuple[Signed, int]]:
        values = {"lane": lane, "log": log, "code": code, "moved": LaneLogError.code}
        rows = self._connection.execute(_AMISS, {**values, "most": most}).fetchall()
        return [
            (_signed((number, doc)), self._before(values, number, unit))
            for number, doc, unit in rows
        ]

    def _before(self, values: Mapping[str, object], number: int, unit: int | None) -> int:
        place = {**values, "number": number, "unit": unit}
        return int(self._connection.execute(_BEFORE, place).fetchone()[0])

    def signed_of(self, machine: str, job: str) -> Sequence[Signed]:
        query = "SELECT number, doc FROM signed WHERE machine = ? AND job = ? ORDER BY number"
        return [_signed(row) for row in self._connection.execute(query, (machine, job))]

    def counts(self) -> Mapping[tuple[str, SignedState], int]:
        query = "SELECT machine, state, count(*) FROM signed GROUP BY machine, state"
        return {
            (machine, SignedState(state)): count
            for machine, state, count in self._connection.execute(query)
        }

    def units(self, lane: LaneNumber, *states: SignedState) -> Sequence[UnitNumber]:
        where, values = _among("state", states)
        query = f"SELECT unit FROM signed WHERE {where} AND lane = ? AND unit IS NOT NULL"  # noqa: S608 - marks
        return [UnitNumber(unit) for (unit,) in self._connection.execute(query, [*values, lane])]

    def last_unit(self, lane: LaneNumber, *states: SignedState) -> UnitNumber | None:
        query = "SELECT max(unit) FROM signed WHERE lane = ? AND state = ?"
        found = [self._one(query, lane, state.value)[0] for state in states]
        return max((UnitNumber(unit) for unit in found if unit is not None), default=None)

    def waiting_for(self, lane: LaneNumber) -> int:
        where, values = _among("state", PENDING)
        query = f"SELECT count(*) FROM signed WHERE {where} AND lane = ?"  # noqa: S608 - marks
        return int(self._one(query, *values, lane)[0])

    def first_unnamed(self, lane: LaneNumber, units: range) -> UnitNumber | None:
        query = "SELECT 1 FROM signed WHERE lane = ? AND unit = ? LIMIT 1"
        if not units or self._one(query, lane, units.start) is None:
            return UnitNumber(units.start) if units else None
        # Behind the first named unit whose successor nobody names.
        found = self._one(
            "SELECT unit + 1 FROM signed AS named WHERE lane = ? AND unit >= ? AND NOT EXISTS"
            " (SELECT 1 FROM signed WHERE lane = named.lane AND unit = named.unit + 1)"
            " ORDER BY unit LIMIT 1",
            *(lane, units.start),
        )
        unit = int(found[0])
        return UnitNumber(unit) if unit in units else None

    def envelope(self, digest: Digest) -> bytes:
        return self._kept("SELECT envelope FROM signed WHERE digest = ?", digest)

    def chunks(self, machine: str, job: str) -> Sequence[KeptChunk]:
        query = "SELECT doc FROM chunk WHERE machine = ? AND job = ? ORDER BY place"
        return [_read(KeptChunk, doc) for (doc,) in self._connection.execute(query, (machine, job))]

    def ciphertext(self, digest: Digest) -> bytes:
        return self._kept("SELECT data FROM ciphertext WHERE digest = ?", digest)

    def lot(self, key: Digest) -> bytes | None:
        found = self._one("SELECT doc FROM lot WHERE key = ?", key)
        return None if found is None else bytes(found[0])

    def notes(self, most: int) -> Sequence[Note]:
        query = "SELECT doc FROM note ORDER BY number DESC LIMIT ?"
        return [_read(Note, doc) for (doc,) in self._connection.execute(query, (most,))]

    def keep_machine(self, watched: Watched) -> None:
        self._run("INSERT OR REPLACE INTO machine VALUES (?, ?)", watched.name, _written(watched))

    def keep_lane(self, book: LaneBook) -> None:
        self._run("INSERT OR REPLACE INTO lane VALUES (?, ?)", book.lane, _written(book))

    def keep_job(self, job: Job) -> None:
        self._run(
            "INSERT INTO job (machine, job, state, stored, doc) VALUES (?, ?, ?, ?, ?) ON CONFLICT"
            " (machine, job) DO UPDATE SET state = excluded.state, stored = excluded.stored,"
            " doc = excluded.doc",
            *(job.machine, job.job, job.state.value, int(job.is_stored)),
            _written(replace(job, number=0)),
        )

    def keep_signed(self, signed: Signed, envelope: bytes) -> None:
        unit = signed.unit if signed.granted is None else signed.granted
        try:
            self._run(
                "INSERT INTO signed (machine, job, counter, lane, unit, state, digest, doc,"
                " envelope, code, log) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                *(signed.machine, signed.job, signed.counter, signed.lane, unit),
                *(signed.state.value, signed.digest, _written(signed), envelope),
                *(signed.code, signed.log),
            )
        except sqlite3.IntegrityError as error:
            message = f"Counter {signed.counter} of {signed.machine} has an envelope already."
            raise CounterSpentError(message, counter=signed.counter) from error

    def change_signed(self, signed: Signed) -> None:
        unit = signed.unit if signed.granted is None else signed.granted
        self._run(
            "UPDATE signed SET state = ?, unit = ?, doc = ?, code = ?, log = ?, shows = ?"
            " WHERE digest = ?",
            *(signed.state.value, unit, _written(replace(signed, number=0))),
            *(signed.code, signed.log, int(signed.to_show is not None), signed.digest),
        )

    def keep_chunk(self, chunk: KeptChunk) -> None:
        self._run(
            "INSERT OR REPLACE INTO chunk VALUES (?, ?, ?, ?)",
            *(chunk.machine, chunk.job, chunk.place, _written(chunk)),
        )

    def keep_ciphertext(self, digest: Digest, data: bytes) -> None:
        self._run("INSERT OR IGNORE INTO ciphertext VALUES (?, ?)", digest, data)

    def keep_lot(self, key: Digest, body: bytes) -> None:
        self._run("INSERT INTO lot VALUES (?, ?)", key, body)

    def note(self, note: Note) -> None:
        self._run("INSERT INTO note (doc) VALUES (?)", _written(note))

    def _kept(self, query: str, digest: Digest) -> bytes:
        found = self._one(query, digest)
        if found is None:
            message = f"The agent keeps nothing under {to_hex(digest)}."
            raise EnvelopeUnknownError(message, digest=to_hex(digest))
        return bytes(found[0])

    def _one(self, query: str, *values: object) -> Any:
        return self._connection.execute(query, values).fetchone()

    def _run(self, statement: str, *values: object) -> None:
        self._connection.execute(statement, values)


def _among(column: str, states: Sequence[JobState | SignedState]) -> tuple[str, list[object]]:
    if not states:
        return "TRUE", []
    return f"{column} IN ({', '.join('?' * len(states))})", [state.value for state in states]


def _written(value: object) -> bytes:
    return canonical(dump(value))


def _read(kind: type[T], doc: bytes) -> T:
    return load(kind, parse_object(doc, _LIMITS))


def _job(row: tuple[int, bytes]) -> Job:
    return replace(_read(Job, row[1]), number=row[0])


def _signed(row: tuple[int, bytes]) -> Signed:
    return replace(_read(Signed, row[1]), number=row[0])
