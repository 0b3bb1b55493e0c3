"""The index and the documents in SQL: ordered by key, so that the facts of a thing lie together."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Protocol, TypeVar

import orjson
from sqlalchemy import (
    Column,
    Connection,
    LargeBinary,
    Row,
    Select,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
)

from guildmark.adapters.store.engine import overwrite_deleted
from guildmark.adapters.store.schema import (
    INSERTS,
    METADATA,
    execute_many,
    execute_one,
    whole,
)
from guildmark.domain.chain.facts import Fact
from guildmark.domain.encoding.codec import dump, load
from guildmark.domain.identifiers import Address, Digest
from guildmark.ports.chain import Block, RawLog
from guildmark.ports.store import DocumentKind

FactT = TypeVar("FactT", bound=Fact)

FACTS = Table(
    "facts",
    METADATA,
    Column("kind", String, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

CURSOR = Table(
    "cursor",
    METADATA,
    Column("number", whole(), primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    Column("time", whole(), nullable=False),
)

DOCUMENTS = Table(
    "documents",
    METADATA,
    Column("kind", String, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

BLOCKS = Table(
    "blocks",
    METADATA,
    Column("number", whole(), primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    Column("time", whole(), nullable=False),
)

LOGS = Table(
    "logs",
    METADATA,
    Column("block", whole(), primary_key=True),
    Column("log_index", whole(), primary_key=True),
    Column("address", LargeBinary, nullable=False),
    Column("topics", LargeBinary, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("transaction", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# Made once: making a query takes longer than to find by it.
_ONE = select(FACTS.c.body).where(
    FACTS.c.kind == bindparam("kind"), FACTS.c.key == bindparam("key")
)
_BETWEEN = select(FACTS.c.body).where(
    FACTS.c.kind == bindparam("kind"), FACTS.c.key.between(bindparam("first"), bindparam("last"))
)
_EACH = _BETWEEN.order_by(FACTS.c.key)
_LAST = _BETWEEN.order_by(FACTS.c.key.desc()).limit(1)
_CURSOR = select(CURSOR)
_DOCUMENT = select(DOCUMENTS.c.body).where(
    DOCUMENTS.c.kind == bindparam("kind"), DOCUMENTS.c.key == bindparam("key")
)
_INSTEAD, _DOCUMENT_INSTEAD = (
    {
        dialect: statement.on_conflict_do_update(
            index_elements=["kind", "key"], set_={"body": statement.excluded.body}
        )
        for dialect, statement in ((name, make(table)) for name, make in INSERTS.items())
    }
    for table in (FACTS, DOCUMENTS)
)
_NEW_BLOCK, _NEW_LOG = insert(BLOCKS), insert(LOGS)
_TOPIC = 32
_HELD_MAX = 1_000
_NUMBER_SIZE = 8


def _key(parts: Sequence[bytes | int]) -> bytes:
    """Return the parts in one byte string that sorts as they do."""
    return b"".join(
        [part if isinstance(part, bytes) else part.to_bytes(_NUMBER_SIZE, "big") for part in parts]
    )


class SqlFacts:
    """The index over one connection.

    What is put is held back, since many events change one fact: it is written when something else
    than the fact under one key is asked for, when much is held, and by ``flush``.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._held: dict[tuple[str, bytes], Fact] = {}

    def flush(self) -> None:
        """Write what is held back."""
        if self._held:
            # In their order: neighbours lie on one page.
            rows = [
                {"kind": kind, "key": key, "body": orjson.dumps(dump(fact)).decode()}
                for (kind, key), fact in sorted(self._held.items(), key=itemgetter(0))
            ]
            self._held.clear()
            execute_many(self._connection, _INSTEAD[self._connection.dialect.name], rows)

    def cursor(self) -> Block | None:
        """Return the block up to which all events were read."""
        row = self._connection.execute(_CURSOR).one_or_none()
        if row is None:
            return None
        return Block(number=row.number, hash=Digest(row.hash), time=row.time)

    def get(self, kind: type[FactT], *key: bytes | int) -> FactT | None:
        """Return the fact under a key."""
        place = (kind.__name__, _key(key))
        held = self._held.get(place)
        if isinstance(held, kind):
            return held
        found = execute_one(self._connection, _ONE, {"kind": place[0], "key": place[1]})
        return load(kind, orjson.loads(found[0][0])) if found else None

    def floor(self, kind: type[FactT], *key: bytes | int) -> FactT | None:
        """Return the fact with the greatest key up to ``key`` that shares all but its last part."""
        found = self._between(_LAST, kind, _key(key[:-1]), _key(key))
        return found[0] if found else None

    def each(self, kind: type[FactT], *prefix: bytes | int) -> Sequence[FactT]:
        """Return the facts whose keys begin with ``prefix``, in order."""
        lowest = _key(prefix)
        # No key is longer than this, so that all that begin with the prefix lie below.
        return self._between(_EACH, kind, lowest, lowest + b"\xff" * 128)

    def _between(
        self, query: Select[str], kind: type[FactT], first: bytes, last: bytes
    ) -> Sequence[FactT]:
        self.flush()
        asked = {"kind": kind.__name__, "first": first, "last": last}
        found = execute_one(self._connection, query, asked)
        return [load(kind, orjson.loads(body)) for (body,) in found]

    def put(self, *facts: Fact) -> None:
        """Keep facts, each instead of the one under its key."""
        for fact in facts:
            self._held[type(fact).__name__, _key(fact.key)] = fact
        if len(self._held) > _HELD_MAX:
            self.flush()

    def move(self, cursor: Block) -> None:
        """Say up to which block all events were read."""
        self._connection.execute(delete(CURSOR))
        row = {"number": cursor.number, "hash": cursor.hash, "time": cursor.time}
        self._connection.execute(insert(CURSOR).values(row))

    def forget(self) -> None:
        """Drop every fact, and up to which block events were read."""
        self._held.clear()
        self._connection.execute(delete(FACTS))
        self._connection.execute(delete(CURSOR))

    def keep(self, blocks: Sequence[Block], logs: Sequence[RawLog]) -> None:
        """Keep blocks and their logs as they were read."""
        named = [{"number": one.number, "hash": one.hash, "time": one.time} for one in blocks]
        if named:
            execute_many(self._connection, _NEW_BLOCK, named)
        if logs:
            execute_many(self._connection, _NEW_LOG, [_log_row(log) for log in logs])

    def kept(self, before: int) -> Sequence[tuple[Block, Sequence[RawLog]]]:
        """Return the blocks below a number that were kept, in order, with their logs."""
        logs: dict[int, list[RawLog]] = defaultdict(list)
        rows = select(LOGS).where(LOGS.c.block < before).order_by(LOGS.c.block, LOGS.c.log_index)
        for row in self._connection.execute(rows):
            logs[row.block].append(_log(row))
        found = select(BLOCKS).where(BLOCKS.c.number < before).order_by(BLOCKS.c.number)
        return [
            (Block(number=row.number, hash=Digest(row.hash), time=row.time), logs[row.number])
            for row in self._connection.execute(found)
        ]

    def drop(self, first: int) -> None:
        """Drop the blocks from a number on, and their logs."""
        self._connection.execute(delete(LOGS).where(LOGS.c.block >= first))
        self._connection.execute(delete(BLOCKS).where(BLOCKS.c.number >= first))


def _log_row(log: RawLog) -> Mapping[str, object]:
    return {
        "block": log.block_number,
        "log_index": log.log_index,
        "address": log.address,
        "topics": b"".join(log.topics),
        "data": log.data,
        "transaction": log.transaction,
    }


def _log(row: Row[Any]) -> RawLog:
    topics = (row.topics[at : at + _TOPIC] for at in range(0, len(row.topics), _TOPIC))
    return RawLog(
        block_number=row.block,
        log_index=row.log_index,
        address=Address(row.address),
        topics=tuple(Digest(topic) for topic in topics),
        data=row.data,
        transaction=Digest(row.transaction),
    )


class Sealing(Protocol):
    """What documents are, as they lie in the database."""

    def seal(self, kind: DocumentKind, key: bytes, body: bytes) -> bytes:
        """Return a document as it is kept."""
        ...

    def open(self, kind: DocumentKind, key: bytes, kept: bytes) -> bytes:
        """Return a document as it was put."""
        ...


class SqlDocuments:
    """The documents over one connection; without a sealing they are kept as they are."""

    def __init__(self, connection: Connection, sealing: Sealing | None = None) -> None:
        self._connection = connection
        self._sealing = sealing

    def get(self, kind: DocumentKind, key: bytes) -> bytes | None:
        """Return a document's bytes as they were kept."""
        # The driver of PostgreSQL would write a member of an enumeration by its name.
        found = execute_one(self._connection, _DOCUMENT, {"kind": kind.value, "key": key})
        body: bytes | None = found[0][0] if found else None
        if body is None or self._sealing is None:
            return body
        return self._sealing.open(kind, key, body)

    def put(self, kind: DocumentKind, key: bytes, body: bytes) -> None:
        """Keep a document instead of the one under its key."""
        kept = body if self._sealing is None else self._sealing.seal(kind, key, body)
        row = {"kind": kind.value, "key": key, "body": kept}
        execute_many(self._connection, _DOCUMENT_INSTEAD[self._connection.dialect.name], [row])

    def drop(self, kind: DocumentKind, key: bytes) -> None:
        """Keep a document no longer; its bytes are overwritten, as far as the database can."""
        overwrite_deleted(self._connection)
        of_key = (DOCUMENTS.c.kind == kind, DOCUMENTS.c.key == key)
        self._connection.execute(delete(DOCUMENTS).where(*of_key))
