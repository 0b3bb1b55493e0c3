"""A home's database row by row into another one, of whichever kind either is."""

from pathlib import Path

from sqlalchemy import Connection, Table, delete, func, insert, select

from guildmark.adapters.store.belonging import HOME_KEYS
from guildmark.adapters.store.claims import CLAIMS
from guildmark.adapters.store.engine import open_database, open_unchanged, reading, writing
from guildmark.adapters.store.facts import BLOCKS, CURSOR, DOCUMENTS, FACTS, LOGS
from guildmark.adapters.store.letters import LETTERS, TOLD, WATCHES
from guildmark.adapters.store.log import BATCHES, ENVELOPES, QUEUE
from guildmark.adapters.store.outbox import ATTEMPTS, NONCES, TRANSACTIONS
from guildmark.adapters.store.places import DatabaseUrl
from guildmark.adapters.store.refusals import StoreTakenError
from guildmark.adapters.store.requests import REQUESTS
from guildmark.adapters.store.scans import SCANNED, SCANS

TABLES = (
    *(FACTS, CURSOR, DOCUMENTS, BLOCKS, LOGS),
    *(BATCHES, QUEUE, ENVELOPES, TRANSACTIONS, ATTEMPTS, NONCES, REQUESTS),
    *(WATCHES, TOLD, LETTERS),
    *(SCANS, SCANNED, CLAIMS),
)
"""All tables, each behind those that it refers to."""

_NUMBERED = (BATCHES, QUEUE, TRANSACTIONS, LETTERS)
_AT_ONCE = 1_000


def copy_to_file(url: DatabaseUrl, target: Path) -> None:
    """Write one state of a shared database, the last commit, into a file; nobody is held up.

    Raises:
        StoreUnreachableError: The server does not answer, or lets nobody in.
        StoreOutdatedError: The database has an earlier schema.
    """
    source, made = open_unchanged(url), open_database(target)
    try:
        with reading(source) as present, writing(made) as copied:
            _copy(present, copied)
    finally:
        source.dispose()
        made.dispose()


def fill(url: DatabaseUrl, source: Path) -> None:
    """Put what a file holds into a shared database that is empty, all of it or nothing.

    The file is brought up to date first.

    Raises:
        StoreTakenError: The database holds something already.
        StoreUnreachableError: The server does not answer, or lets nobody in.
    """
    kept, filled = open_database(source), open_database(url)
    try:
        with reading(kept) as present, writing(filled) as target:
            if any(target.execute(select(table).limit(1)).first() for table in TABLES):
                message = f"{url} holds a home's data already."
                raise StoreTakenError(message, path=str(url))
            _copy(present, target)
            # A restored home may have lost its keys: whose database it is now is noted anew.
            target.execute(delete(DOCUMENTS).where(DOCUMENTS.c.kind == HOME_KEYS))
            for table in _NUMBERED:
                _number_on(target, table)
    finally:
        kept.dispose()
        filled.dispose()


def _copy(source: Connection, target: Connection) -> None:
    streaming = source.execution_options(yield_per=_AT_ONCE)
    for table in TABLES:
        for rows in streaming.execute(select(table)).mappings().partitions(_AT_ONCE):
            target.execute(insert(table), [dict(row) for row in rows])


def _number_on(connection: Connection, table: Table) -> None:
    """Let the next row's number follow the greatest one."""
    greatest = connection.execute(select(func.max(table.c.number))).scalar()
    sequence = func.pg_get_serial_sequence(table.name, table.c.number.name)
    if greatest is not None:
        connection.execute(select(func.setval(sequence, greatest)))
