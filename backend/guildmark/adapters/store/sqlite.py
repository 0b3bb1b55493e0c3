"""A home's own file: SQLite that survives a loss of power, one writer at a time."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from guildmark.adapters.store.refusals import (
    StoreBusyError,
    StoreNotDurableError,
    StoreUnreadableError,
)
from guildmark.ports.store import StoreUnavailableError

WRITES = "guildmark_writes"
"""The execution option of transactions that write."""

TURN = "guildmark_turn"
"""The execution option of engines whose threads take turns at writing: a lock."""

BUSY_SECONDS = 30
_BUSY_MILLISECONDS = 1000 * BUSY_SECONDS
_SETTINGS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def connect(path: Path) -> Engine:
    """Return an engine over a file, which is made where there is none."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Documents hold content keys and salts; what SQLite writes beside the file gets its mode.
    path.touch(mode=0o600)
    # SQLite lets a second writer sleep, up to 100 ms at a time; a thread is woken when it may.
    turn = {TURN: Lock()}
    engine = create_engine(f"sqlite:///{path}", hide_parameters=True, execution_options=turn)
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def connect_to_read(path: Path) -> Engine:
    """Return an engine that changes nothing of a file.

    Raises:
        StoreUnreadableError: The file is missing.
    """
    if not path.is_file():
        message = f"There is no {path}."
        raise StoreUnreadableError(message, path=str(path))
    engine = create_engine(f"sqlite:///{path}", hide_parameters=True)
    event.listen(engine, "connect", _on_connect_to_read)
    event.listen(engine, "begin", _on_begin)
    return engine


def check_durable(connection: Connection, path: Path) -> None:
    """Check that what is committed survives a loss of power.

    Raises:
        StoreNotDurableError: It may not.
    """
    found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in _SETTINGS}
    if found != _SETTINGS:
        message = f"{path} is not durable: expected {_SETTINGS}, found {found}."
        raise StoreNotDurableError(message, path=str(path), found=found)


def damage(connection: Connection) -> str | None:
    """Return what is wrong with a page, an index or a reference, None where nothing is."""
    (found,) = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalars()
    dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if found != "ok":
        return str(found)
    return None if dangling is None else f"a row of {dangling[0]} refers to none"


def overwrite_deleted(connection: Connection) -> None:
    """Let what is replaced from now on be overwritten, not only let go of."""
    connection.exec_driver_sql("PRAGMA secure_delete=ON")


def forget_deleted(engine: Engine) -> None:
    """Write the file anew, without the free pages that still hold what was deleted once.

    Raises:
        StoreUnavailableError: It could not be written.
    """
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("VACUUM")
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError as exc:
        message = f"The database could not be written anew: {exc}."
        raise StoreUnavailableError(message) from exc
    finally:
        connection.close()


def execute(connection: Connection, text: str, given: Sequence[Any] = ()) -> sqlite3.Cursor:
    """Have the driver execute a statement; what it raises is raised as SQLAlchemy would.

    SQLAlchemy takes longer to hand a statement on than SQLite to do it.
    """
    try:
        return _driver(connection).execute(text, given)
    except sqlite3.Error as exc:
        raise _wrapped(exc) from exc


def execute_many(connection: Connection, text: str, given: Sequence[Sequence[Any]]) -> None:
    """Have the driver execute a statement with each of some rows."""
    try:
        _driver(connection).executemany(text, given)
    except sqlite3.Error as exc:
        raise _wrapped(exc) from exc


def _driver(connection: Connection) -> sqlite3.Connection:
    own: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]  # what the dialect opens
    return own


def _wrapped(error: sqlite3.Error) -> BaseException:
    return DBAPIError.instance(None, None, error, sqlite3.Error, hide_parameters=True)


def refusal(error: DatabaseError, path: Path) -> StoreBusyError | StoreUnreadableError:
    """Return why a file could not be opened."""
    if isinstance(error, OperationalError) and "locked" in str(error.orig):
        message = f"{path} was held by another process for {_BUSY_MILLISECONDS // 1000} s."
        return StoreBusyError(message, path=str(path))
    message = f"{path} cannot be opened: {error.orig}."
    return StoreUnreadableError(message, path=str(path))


def _on_connect(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver would begin transactions by itself, and later than we say.
    connection.isolation_level = None
    for statement in (
        f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}",
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "PRAGMA foreign_keys=ON",
    ):
        connection.execute(statement)


def _on_connect_to_read(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
    connection.execute("PRAGMA query_only=ON")


def _on_begin(connection: Connection) -> None:
    # A deferred write lock would come too late: two writers could both have read the same nonce.
    writes = connection.get_execution_options().get(WRITES, False)
    execute(connection, "BEGIN IMMEDIATE" if writes else "BEGIN")
