"""A PostgreSQL database that many processes share: one writer at a time, fenced by the server.

Who writes first takes a lock of the database that ends with its transaction, however that ends;
only then does it read (READ COMMITTED: a snapshot for each statement), so that it sees all that
was committed before it. Who only reads has one snapshot (REPEATABLE READ) and waits for nobody.
"""

import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.exc import DatabaseError, DBAPIError

from guildmark.adapters.store.places import DatabaseUrl
from guildmark.adapters.store.refusals import (
    StoreBusyError,
    StoreDriverMissingError,
    StoreNotDurableError,
    StoreUnreachableError,
)
from guildmark.adapters.store.sqlite import WRITES
from guildmark.domain.encoding.hashing import sha256
from guildmark.ports.store import RowsHeldError

if TYPE_CHECKING:
    import psycopg

_LOCK = int.from_bytes(sha256(b"guildmark/store/v1")[:8], "big", signed=True)
_WAIT_SECONDS = 30
# A writer that stands still, say since its machine does, loses its transaction after so long.
_IDLE_SECONDS = 30
_NO_LOCK = "55P03"

_TO_WRITE = (
    f"SET LOCAL lock_timeout = '{_WAIT_SECONDS}s'; "
    f"SET LOCAL idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s'; "
    f"SELECT pg_advisory_xact_lock({_LOCK})"
)
_TO_READ = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"

# A peer that is gone without a word is noticed within some 30 seconds, from both sides.
_CONNECTING = {
    "application_name": "guildmark",
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}
_OF_A_SESSION = (
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 4",
    # What the server waits for beyond its own disk is its administrator's to say; less it is not.
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') = 'off'",
)
_NEEDED = {"fsync": "on", "server_encoding": "UTF8"}
_CONNECTIONS = 20
# What looks at the database for a moment has ended by then: an analysis of the server's own, say.
REWRITES = 20
_PAUSE_SECONDS = 0.5
_NUMBER = re.compile(r"\d+")


class _Connection(Protocol):
    """What a driver's connection does."""

    def execute(self, statement: str) -> object:
        """Run a statement."""

    def commit(self) -> None:
        """End the transaction."""


def connect(url: DatabaseUrl) -> Engine:
    """Return an engine over a database; nothing is asked of the server yet.

    Raises:
        StoreDriverMissingError: The package for it is not installed.
    """
    try:
        engine = create_engine(
            url.for_driver(),
            connect_args=dict(_CONNECTING),
            # After a restart of the server the first statement would fail in each connection.
            pool_pre_ping=True,
            pool_size=_CONNECTIONS,
            max_overflow=_CONNECTIONS,
            hide_parameters=True,
        )
    except ModuleNotFoundError as exc:
        message = f"{url} needs a package that is not installed: {exc.name}."
        raise StoreDriverMissingError(message) from exc
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def connect_to_read(url: DatabaseUrl) -> Engine:
    """Return an engine that changes nothing of a database.

    Raises:
        StoreDriverMissingError: The package for it is not installed.
    """
    engine = connect(url)
    event.listen(engine, "connect", _on_connect_to_read)
    return engine


def check_durable(connection: Connection, url: DatabaseUrl) -> None:
    """Check that what is committed survives a loss of power, and that texts are kept as they are.

    Raises:
        StoreNotDurableError: It may not.
    """
    found = {name: connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in _NEEDED}
    if found != _NEEDED:
        message = f"{url} is not durable: expected {_NEEDED}, found {found}."
        raise StoreNotDurableError(message, path=str(url), found=found)


def read_all(connection: Connection) -> None:
    """Read every value of every table: a page that is damaged raises.

    The server itself keeps references whole.
    """
    for name in inspect(connection).get_table_names():
        connection.exec_driver_sql(
            f'SELECT count(*), sum(length("{name}"::text)) FROM "{name}"'  # noqa: S608 - its own
        ).one()


def forget_deleted(engine: Engine, tables: Sequence[str]) -> None:
    """Write tables anew, without the rows that were replaced, and what is noted of their values.

    The planner's statistics quote values of a table; a new analysis takes their place.

    Raises:
        RowsHeldError: A transaction that goes on may still look at what was replaced.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in tables:
            _rewrite(connection, f'"{table}"')
        connection.exec_driver_sql("ANALYZE " + ", ".join(f'"{table}"' for table in tables))
        _rewrite(connection, "pg_catalog.pg_statistic")


def _rewrite(connection: Connection, table: str) -> None:
    """Write a table anew; rows that older transactions may look at stay in it until these end."""
    kept: list[int] = []

    def note(said: "psycopg.errors.Diagnostic") -> None:
        # The server's language differs; the first number is that of the rows that it had to keep.
        found = _NUMBER.search(said.message_detail or "")
        kept.append(0 if found is None else int(found[0]))

    driver = cast("psycopg.Connection", connection.connection.driver_connection)
    driver.add_notice_handler(note)
    try:
        for _ in range(REWRITES):
            kept.clear()
            connection.exec_driver_sql(f"VACUUM (FULL, VERBOSE) {table}")
            if not any(kept):
                return
            time.sleep(_PAUSE_SECONDS)
    finally:
        driver.remove_notice_handler(note)
    message = f"A transaction that goes on holds {sum(kept)} old rows of {table}."
    raise RowsHeldError(message, rows=sum(kept))


def refusal(error: DatabaseError, url: DatabaseUrl) -> StoreBusyError | StoreUnreachableError:
    """Return why a database could not be opened."""
    if getattr(error.orig, "sqlstate", None) == _NO_LOCK:
        message = f"{url} was held by another process for {_WAIT_SECONDS} s."
        return StoreBusyError(message, path=str(url))
    message = f"{url} cannot be opened: {first_line(error)}"
    return StoreUnreachableError(message, path=str(url))


def first_line(error: DBAPIError) -> str:
    """Return the driver's words, without what follows them."""
    return str(error.orig).partition("\n")[0]


def _on_connect(connection: _Connection, _record: Any) -> None:
    for statement in _OF_A_SESSION:
        connection.execute(statement)
    connection.commit()


def _on_connect_to_read(connection: _Connection, _record: Any) -> None:
    connection.execute("SET default_transaction_read_only = on")
    connection.commit()


def _on_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql(_TO_WRITE if options.get(WRITES, False) else _TO_READ)
