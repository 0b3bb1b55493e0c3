"""A node's own log in SQL: the queue of accepted entries, and the batches that they went into."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self, TypeAlias

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    LargeBinary,
    Row,
    Select,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy import (
    Index as SqlIndex,
)

from guildmark.adapters.store.engine import overwrite_deleted
from guildmark.adapters.store.schema import METADATA, execute_many, execute_one, whole
from guildmark.domain.identifiers import (
    ZERO32,
    Bytes32,
    Digest,
    IdentityId,
    Index,
    LaneNumber,
    LogNumber,
    Seq,
)
from guildmark.domain.log.entry import Entry, EntryKind
from guildmark.domain.log.queue import (
    Batch,
    Build,
    BuildState,
    Draw,
    Logged,
    Outcome,
    Queued,
    Standing,
    Waiting,
)
from guildmark.ports.log import MADE_BY

BATCHES = Table(
    "batches",
    METADATA,
    Column("number", whole(), primary_key=True),
    Column("log", whole(), nullable=False),
    Column("seq", whole(), nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("draws", Text, nullable=False),
    Column("state", String, nullable=False),
    SqlIndex("batches_by_place", "log", "seq"),
    SqlIndex("batches_by_state", "state"),
    sqlite_autoincrement=True,
)

QUEUE = Table(
    "queue",
    METADATA,
    Column("number", whole(), primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("kind", whole(), nullable=False),
    Column("subject", LargeBinary, nullable=False),
    Column("site_recipe", LargeBinary, nullable=False),
    Column("machine", LargeBinary, nullable=False),
    Column("maker", LargeBinary, nullable=False),
    Column("dependencies", LargeBinary, nullable=False),
    Column("previous", whole(), nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("lane", whole(), nullable=False),
    Column("label", String, nullable=False),
    Column("counter", whole(), nullable=False),
    Column("state", String, nullable=False),
    Column("batch", whole(), ForeignKey("batches.number")),
    Column("position", whole()),
    Column("log_index", whole()),
    Column("unit", whole()),
    Column("code", String),
    SqlIndex("queue_by_digest", "digest"),
    SqlIndex("queue_by_payload", "payload"),
    SqlIndex("queue_by_counter", "machine", "counter"),
    SqlIndex("queue_by_label", "label"),
    SqlIndex("queue_by_lane", "lane", "state"),
    SqlIndex("queue_by_batch", "batch", "position"),
    sqlite_autoincrement=True,
)

# What an entry says: zeros once it is erased, when its digest is its leaf's data.
_CONTENT = ("payload", "subject", "site_recipe", "dependencies", "salt")

# Beside the queue: an entry's row is written anew at each step of its way, its envelope never.
ENVELOPES = Table(
    "envelopes",
    METADATA,
    Column("number", whole(), primary_key=True, autoincrement=False),
    Column("envelope", LargeBinary, nullable=False),
)

_Query: TypeAlias = Select[Any]

# Sorts behind every character that a label can hold.
_LAST = "\x7f"
_INTEGER_MAX = 2**63 - 1
# SQLite takes some thousand values in one statement, and few of them as one text.
_AT_ONCE = 512
_OPEN, _INCLUDED, _FINAL, _DROPPED = "open", "included", "final", "dropped"
_COUNTED = tuple(kind for kind in EntryKind if kind.is_counted)
# As rows have it: to compare with a member of an enumeration takes longer.
_ERASED = BuildState.ERASED.value
_UNDRAWN = (BuildState.ACCEPTED, BuildState.INCLUDED)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Lookup:
    """How entries are found by values of a column; it equals itself only.

    Args:
        rows: Finds them by their numbers.
        numbers: Finds the numbers of those that come in question.
    """

    rows: _Query
    numbers: Select[tuple[int]]
    column: Column[Any]

    @classmethod
    def among(cls, rows: _Query, column: Column[Any], *conditions: ColumnElement[bool]) -> Self:
        """Return how rows of a query under conditions are found by a column."""
        found = rows.where(QUEUE.c.number.in_(bindparam("numbers", expanding=True)))
        return cls(
            rows=found.order_by(QUEUE.c.number),
            numbers=select(QUEUE.c.number).where(*conditions),
            column=column,
        )

    def find(
        self, connection: Connection, values: Sequence[object], others: Mapping[str, object]
    ) -> Iterator[Row[Any]]:
        """Find the rows with one of the values, in order of acceptance.

        Mostly there is none, and to ask for the numbers alone takes a tenth of the time.
        """
        size = 1 << (len(values) - 1).bit_length()
        padded = [*values, *[values[-1]] * (size - len(values))]
        asked = {_name(at): value for at, value in enumerate(padded)}
        found = execute_one(connection, _of_size(self, size), {**asked, **others})
        if found:
            numbers = [number for (number,) in found]
            yield from connection.execute(self.rows, {"numbers": numbers})


@lru_cache(maxsize=64)
def _of_size(lookup: _Lookup, size: int) -> Select[tuple[int]]:
    """Return the query for the numbers by so many values."""
    values: list[BindParameter[Any]] = [bindparam(_name(at)) for at in range(size)]
    return lookup.numbers.where(lookup.column.in_(values))


def _name(at: int) -> str:
    return f"value_{at}"


def _newest(query: _Query, column: Column[Any]) -> _Query:
    chosen = query.where(column == bindparam("asked"))
    return chosen.order_by(QUEUE.c.number.desc()).limit(1)


# Made once: making a query takes longer than to find by it that nothing is there.
_BUILDS: _Query = select(QUEUE, BATCHES.c.log, BATCHES.c.seq).join_from(
    QUEUE, BATCHES, QUEUE.c.batch == BATCHES.c.number, isouter=True
)
_LOGGED = _BUILDS.add_columns(ENVELOPES.c.envelope).join(
    ENVELOPES, ENVELOPES.c.number == QUEUE.c.number
)
_NOT_REFUSED = QUEUE.c.state != BuildState.REFUSED.value
_STANDING: _Query = _BUILDS.where(_NOT_REFUSED)
_OF_DIGEST = _newest(_BUILDS, QUEUE.c.digest)
_OF_PAYLOAD = _newest(_STANDING, QUEUE.c.payload)
_OF_LABEL = _STANDING.where(QUEUE.c.label == bindparam("asked")).order_by(QUEUE.c.number)
_AT_PLACE = _LOGGED.where(
    BATCHES.c.log == bindparam("of_log"), QUEUE.c.log_index == bindparam("at")
)
_BY_DIGEST = _Lookup.among(_BUILDS, QUEUE.c.digest)
_BY_PAYLOAD = _Lookup.among(_BUILDS, QUEUE.c.payload, _NOT_REFUSED)
_BY_LABEL = _Lookup.among(_BUILDS, QUEUE.c.label, _NOT_REFUSED)
# A machine's receipts stand in its name, too; they count nothing.
_BY_COUNTER = _Lookup.among(
    _BUILDS,
    QUEUE.c.counter,
    QUEUE.c.machine == bindparam("machine"),
    or_(*(QUEUE.c.kind == kind.value for kind in _COUNTED)),
)
_FREE = (
    QUEUE.c.state == BuildState.ACCEPTED.value,
    QUEUE.c.batch.is_(None),
    # So that the index gives them in their order.
    QUEUE.c.position.is_(None),
)
_UNDRAWN_COUNT = select(func.count()).where(
    QUEUE.c.lane == bindparam("drawn"), or_(*(QUEUE.c.state == state for state in _UNDRAWN))
)
# What an entry commits to beside its envelope's digest, and what a leaf is made of, in the order in
# which `_entry` and `_leaf` take them.
_SAID = (
    *(QUEUE.c.kind, QUEUE.c.subject, QUEUE.c.site_recipe, QUEUE.c.machine, QUEUE.c.maker),
    *(QUEUE.c.dependencies, QUEUE.c.previous),
)
_LEAF = (QUEUE.c.state, QUEUE.c.digest, QUEUE.c.salt, *_SAID)
_WAITING: _Query = (
    select(QUEUE.c.number, QUEUE.c.lane, *_LEAF)
    .where(*_FREE)
    .order_by(QUEUE.c.number)
    .limit(bindparam("most"))
)
_LEAVES: _Query = (
    select(*_LEAF)
    .join(BATCHES, QUEUE.c.batch == BATCHES.c.number)
    .where(
        BATCHES.c.log == bindparam("of_log"),
        BATCHES.c.seq == bindparam("of_seq"),
        BATCHES.c.state == _FINAL,
    )
    .order_by(QUEUE.c.position)
)
_ACCEPT = insert(QUEUE)
_SET = update(QUEUE).where(QUEUE.c.number == bindparam("entry"))
# Among several times of one envelope this is the last.
_NEWEST = select(func.max(QUEUE.c.number)).where(QUEUE.c.digest == bindparam("digest"))
_KEEP = insert(ENVELOPES).values(number=_NEWEST.scalar_subquery())


class SqlLog:
    """A node's own log over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def build(self, envelope: Digest) -> Build | None:
        """Return what became of an envelope; of several times, the last one."""
        return self._last(_OF_DIGEST, envelope)

    def builds(self, envelopes: Sequence[Digest]) -> Mapping[Digest, Build]:
        """Return what became of each envelope that is known; of several times, the last one."""
        rows = self._among(_BY_DIGEST, envelopes)
        return {Digest(row.digest): _build(row) for row in rows}

    def standing(self, entries: Sequence[Queued]) -> Standing:
        """Return what stands in the way of entries by statement, counter or label."""
        standing = Standing()
        payloads = [entry.payload for entry in entries]
        for row in self._among(_BY_PAYLOAD, payloads):
            standing.payloads[Digest(row.payload)] = _build(row)
        for row in self._among(_BY_LABEL, [entry.label for entry in entries]):
            standing.labels[row.label] = _build(row)
        for machine in {entry.entry.machine for entry in entries}:
            counters = [one.counter for one in entries if one.entry.machine == machine]
            for row in self._among(_BY_COUNTER, counters, machine=machine):
                place = (machine, row.counter)
                if row.state == BuildState.REFUSED:
                    standing.refused.setdefault(place, set()).add(Digest(row.digest))
                else:
                    standing.counters[place] = _build(row)
        return standing

    def payload(self, digest: Digest) -> Build | None:
        """Return the build with a statement, unless it was refused."""
        return self._last(_OF_PAYLOAD, digest)

    def last_counter(self, machine: IdentityId) -> int:
        """Return the greatest counter of a machine's builds that stand, 0 where it has none."""
        standing = QUEUE.c.state != BuildState.REFUSED
        own = (QUEUE.c.machine == machine, QUEUE.c.kind.in_(_COUNTED), standing)
        query = select(func.max(QUEUE.c.counter)).where(*own)
        return self._connection.execute(query).scalar_one() or 0

    def labelled(self, label: str) -> Sequence[Build]:
        """Return the builds that carry a label and were not refused."""
        return [_build(row) for row in self._connection.execute(_OF_LABEL, {"asked": label})]

    def newest_below(self, prefix: str) -> Logged | None:
        """Return the newest final build whose label begins with this text, None for none."""
        # Labels are printable ASCII: what begins with the text lies before its next sibling.
        within = (QUEUE.c.label >= prefix, QUEUE.c.label < prefix + _LAST)
        final = (QUEUE.c.kind == EntryKind.BUILD, QUEUE.c.log_index.is_not(None))
        standing = QUEUE.c.state != BuildState.REFUSED
        query = _LOGGED.where(standing, *within, *final).order_by(QUEUE.c.number.desc()).limit(1)
        row = self._connection.execute(query).first()
        return None if row is None else _logged(row)

    def logged(self, log: LogNumber, index: Index) -> Logged | None:
        """Return the entry at a final position."""
        if index > _INTEGER_MAX:
            return None
        place = {"of_log": log, "at": index}
        row = self._connection.execute(_AT_PLACE, place).one_or_none()
        return None if row is None else _logged(row)

    def leaves(self, log: LogNumber, seq: Seq) -> Sequence[Digest]:
        """Return the leaf data of a final batch, in order; none where the batch is unknown."""
        rows = execute_one(self._connection, _LEAVES, {"of_log": log, "of_seq": seq})
        return [_leaf(*row) for row in rows]

    def entries(self, log: LogNumber, seq: Seq) -> Sequence[Logged]:
        """Return the entries of a final batch, in order; none where the batch is unknown."""
        place = (BATCHES.c.log == log, BATCHES.c.seq == seq, BATCHES.c.state == _FINAL)
        query = _LOGGED.where(*place).order_by(QUEUE.c.position)
        return [_logged(row) for row in self._connection.execute(query)]

    def erased(self, log: LogNumber, seq: Seq) -> Sequence[int]:
        """Return the positions of the entries of a final batch that were erased, in order."""
        place = (BATCHES.c.log == log, BATCHES.c.seq == seq, BATCHES.c.state == _FINAL)
        query = select(QUEUE.c.position).join(BATCHES).where(*place)
        gone = query.where(QUEUE.c.state == BuildState.ERASED).order_by(QUEUE.c.position)
        return list(self._connection.execute(gone).scalars())

    def erase(self, entry: Logged) -> None:
        """Let nothing of a final entry stay but its leaf, its place, and its machine's counter."""
        overwrite_deleted(self._connection)
        queued = entry.queued
        self._connection.execute(delete(ENVELOPES).where(ENVELOPES.c.number == queued.number))
        left = dict.fromkeys(_CONTENT, ZERO32)
        leaf = queued.entry.leaf_data(queued.salt)
        gone = {**left, "digest": leaf, "previous": 0, "label": "", "state": BuildState.ERASED}
        of_entry = QUEUE.c.number == queued.number
        self._connection.execute(update(QUEUE).where(of_entry).values(gone))

    def made(
        self, log: LogNumber, wanted: Mapping[str, Sequence[bytes | int]], seqs: range | None = None
    ) -> int:
        """Return how many final parts of a log there are, scrap and what was refused left out."""
        place = [BATCHES.c.log == log, BATCHES.c.state == _FINAL]
        if seqs is not None:
            place += [BATCHES.c.seq >= seqs.start, BATCHES.c.seq < seqs.stop]
        part = [QUEUE.c.kind == EntryKind.BUILD, QUEUE.c.state == BuildState.FINAL]
        part += [QUEUE.c[name].in_(wanted[name]) for name in MADE_BY if name in wanted]
        counted = select(func.count()).select_from(QUEUE).join(BATCHES)
        return self._connection.execute(counted.where(*place, *part)).scalar_one()

    def settled(self, log: LogNumber) -> Sequence[Seq]:
        """Return which records of a log are final batches of this node, in order."""
        place = (BATCHES.c.log == log, BATCHES.c.state == _FINAL)
        query = select(BATCHES.c.seq).where(*place).order_by(BATCHES.c.seq)
        return [Seq(seq) for seq in self._connection.execute(query).scalars()]

    def waiting(self, limit: int) -> Sequence[Waiting]:
        """Return accepted entries that are in no batch, in order of acceptance."""
        rows = execute_one(self._connection, _WAITING, {"most": limit})
        return [
            Waiting(number=number, lane=LaneNumber(lane), leaf=_leaf(*said))
            for number, lane, *said in rows
        ]

    def waiting_count(self) -> int:
        """Return how many accepted entries are in no batch."""
        return self._connection.execute(select(func.count()).where(*_FREE)).scalar_one()

    def open_batch(self) -> Batch | None:
        """Return the batch that is closed and not final."""
        query = select(BATCHES).where(BATCHES.c.state.in_((_OPEN, _INCLUDED)))
        row = self._connection.execute(query).one_or_none()
        return None if row is None else self._batch(row)

    def claimed_units(self, lane: LaneNumber) -> int:
        """Return how many accepted entries of a lane have not drawn yet."""
        return self._connection.execute(_UNDRAWN_COUNT, {"drawn": lane}).scalar_one()

    def accept(self, *entries: Queued) -> None:
        """Queue entries behind the others, in their order."""
        if entries:
            execute_many(self._connection, _ACCEPT, [_row(entry) for entry in entries])
            envelopes = [{"digest": one.digest, "envelope": one.envelope} for one in entries]
            execute_many(self._connection, _KEEP, envelopes)

    def close_batch(self, batch: Batch) -> None:
        """Fix the entries, order and place of a batch."""
        draws = json.dumps([[draw.lane, draw.n] for draw in batch.draws])
        row = {"log": batch.log, "seq": batch.seq, "root": batch.root, "draws": draws}
        stored = insert(BATCHES).values(state=_OPEN, **row).returning(BATCHES.c.number)
        number = self._connection.execute(stored).scalar_one()
        self._set(
            [
                {"entry": entry, "batch": number, "position": position}
                for position, entry in enumerate(batch.entries)
            ]
        )

    def include_batch(self, batch: Batch) -> None:
        """Say that the batch stands in a block that is not final yet."""
        self._move(batch, _INCLUDED)
        held = QUEUE.c.batch == batch.number
        self._connection.execute(update(QUEUE).where(held).values(state=BuildState.INCLUDED))

    def reopen_batch(self, batch: Batch) -> None:
        """Drop a batch that can never land; its entries wait again, in their order."""
        self._move(batch, _DROPPED)
        free = {"state": BuildState.ACCEPTED, "batch": None, "position": None}
        self._connection.execute(update(QUEUE).where(QUEUE.c.batch == batch.number).values(free))

    def settle_batch(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        """Write what a final record says of each entry of a batch, in its order."""
        self._move(batch, _FINAL)
        self._set(
            [
                {
                    "entry": entry,
                    "state": _state(outcome).value,
                    "log_index": outcome.index,
                    "unit": outcome.unit,
                    "code": outcome.code,
                }
                for entry, outcome in zip(batch.entries, outcomes, strict=True)
            ]
        )

    def _among(
        self, lookup: _Lookup, values: Sequence[object], **others: object
    ) -> Iterator[Row[Any]]:
        """Find the rows with one of the values, in order of acceptance."""
        for first in range(0, len(values), _AT_ONCE):
            yield from lookup.find(self._connection, values[first : first + _AT_ONCE], others)

    def _last(self, query: _Query, digest: Digest) -> Build | None:
        row = self._connection.execute(query, {"asked": digest}).one_or_none()
        return None if row is None else _build(row)

    def _move(self, batch: Batch, state: str) -> None:
        of = BATCHES.c.number == batch.number
        self._connection.execute(update(BATCHES).where(of).values(state=state))

    def _set(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Set columns of queued entries; each row names its ``entry`` and the same columns."""
        if rows:
            execute_many(self._connection, _SET, rows)

    def _batch(self, row: Row[Any]) -> Batch:
        query = select(QUEUE.c.number).where(QUEUE.c.batch == row.number)
        entries = self._connection.execute(query.order_by(QUEUE.c.position)).scalars()
        draws = tuple(Draw(lane=LaneNumber(lane), n=n) for lane, n in json.loads(row.draws))
        return Batch(
            number=row.number,
            log=LogNumber(row.log),
            seq=Seq(row.seq),
            root=Digest(row.root),
            draws=draws,
            entries=tuple(entries),
        )


def _state(outcome: Outcome) -> BuildState:
    return BuildState.FINAL if outcome.code is None else BuildState.REFUSED


def _leaf(state: str, digest: bytes, salt: bytes, *said: Any) -> Digest:
    """Return the leaf data of an entry, which is all that stays of an erased one."""
    if state == _ERASED:
        return Digest(digest)
    return _entry(digest, *said).leaf_data(Bytes32(salt))


def _row(entry: Queued) -> Mapping[str, object]:
    said = entry.entry
    return {
        "digest": entry.digest,
        "payload": entry.payload,
        "kind": said.kind.value,
        "subject": said.subject,
        "site_recipe": said.site_recipe,
        "machine": said.machine,
        "maker": said.maker,
        "dependencies": said.dependencies,
        "previous": said.previous,
        "salt": entry.salt,
        "lane": entry.lane,
        "label": entry.label,
        "counter": entry.counter,
        "state": BuildState.ACCEPTED.value,
    }


def _queued(row: Row[Any]) -> Queued:
    return Queued(
        number=row.number,
        envelope=row.envelope,
        digest=Digest(row.digest),
        payload=Digest(row.payload),
        entry=_entry(row.digest, *(getattr(row, column.name) for column in _SAID)),
        salt=Bytes32(row.salt),
        lane=LaneNumber(row.lane),
        label=row.label,
        counter=row.counter,
    )


def _entry(digest: bytes, kind: int, *said: Any) -> Entry:
    """Return what an entry commits to, of what `_SAID` names."""
    subject, site_recipe, machine, maker, dependencies, previous = said
    return Entry(
        kind=EntryKind(kind),
        subject=subject,
        envelope=Digest(digest),
        site_recipe=site_recipe,
        machine=machine,
        maker=maker,
        dependencies=dependencies,
        previous=previous,
    )


def _build(row: Row[Any]) -> Build:
    return Build(
        digest=Digest(row.digest),
        label=row.label,
        lane=LaneNumber(row.lane),
        state=BuildState(row.state),
        log=row.log,
        seq=row.seq,
        index=row.log_index,
        unit=row.unit,
        code=row.code,
    )


def _logged(row: Row[Any]) -> Logged:
    return Logged(
        queued=_queued(row),
        log=LogNumber(row.log),
        seq=Seq(row.seq),
        position=row.position,
        build=_build(row),
    )
