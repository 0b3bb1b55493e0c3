"""The database of a home: SQLite that survives a loss of power, at its newest schema."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError

from guildmark.adapters.store.migrations import is_at_head, unknown, upgrade
from guildmark.domain.errors import ConflictError, ContentError, SettingsError
from guildmark.ports import StoreUnavailableError

_BUSY_MILLISECONDS = 30_000
_SETTINGS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
_WRITES = "guildmark_writes"


class StoreNotDurableError(SettingsError):
    """The database would lose what it acknowledged."""

    code = "store.notDurable"
    hint = "Put the home on a local disk: WAL does not work on network file systems."


class StoreUnreadableError(SettingsError):
    """The file is no database, or cannot be opened."""

    code = "store.unreadable"
    hint = "Check the file's permissions, or restore it from a backup."


class StoreOutdatedError(SettingsError):
    """The database is of an earlier version of this program."""

    code = "store.outdated"
    hint = "Start the node once, or run `guildmark tx list`: that brings the database up to date."


class StoreNewerError(SettingsError):
    """A later release wrote the database."""

    code = "store.newer"
    hint = "Use the release that wrote it, or a later one; nothing was changed."


class StoreDamagedError(ContentError):
    """The database's file is damaged."""

    code = "store.damaged"
    hint = "Stop the node and restore the home from a backup."


class StoreBusyError(ConflictError):
    """Another process held the database too long."""

    code = "store.busy"
    hint = "Try again when the other command has ended."


def open_database(path: Path) -> Engine:
    """Return the engine of a home's database, with durability asserted and all migrations done.

    Raises:
        StoreNotDurableError: The disk does not give what is asserted.
        StoreUnreadableError: The file is no database.
        StoreNewerError: A later release wrote it; nothing was changed.
        StoreBusyError: Another process held it too long.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Documents hold content keys and salts; what SQLite writes beside the file gets its mode.
    path.touch(mode=0o600)
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    try:
        _assert_durable(engine, path)
        with _writing(engine) as connection:
            _check_known(connection, path)
            upgrade(connection)
    except StoreNewerError:
        engine.dispose()
        raise
    except OperationalError as exc:
        engine.dispose()
        raise _translated(exc, path) from exc
    except DatabaseError as exc:
        engine.dispose()
        raise _unreadable(exc, path) from exc
    return engine


def open_unchanged(path: Path) -> Engine:
    """Return an engine that changes nothing of the database, which must be at its newest schema.

    Raises:
        StoreUnreadableError: The file is missing, no database, or cannot be opened.
        StoreOutdatedError: Its schema is an earlier one.
        StoreNewerError: Its schema is a later one.
    """
    if not path.is_file():
        message = f"There is no {path}."
        raise StoreUnreadableError(message, path=str(path))
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _on_connect_to_read)
    event.listen(engine, "begin", _on_begin)
    try:
        with _reading(engine) as connection:
            _check_known(connection, path)
            is_newest = is_at_head(connection)
    except StoreNewerError:
        engine.dispose()
        raise
    except DatabaseError as exc:
        engine.dispose()
        raise _unreadable(exc, path) from exc
    if not is_newest:
        engine.dispose()
        message = f"{path} has the schema of an earlier version."
        raise StoreOutdatedError(message, path=str(path))
    return engine


def check_whole(engine: Engine) -> None:
    """Check every page, index and reference of the database.

    Raises:
        StoreDamagedError: One is damaged.
    """
    try:
        with _reading(engine) as connection:
            (found,) = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalars()
            dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    except DatabaseError as exc:
        message = f"The database is damaged: {exc.orig}."
        raise StoreDamagedError(message) from exc
    if found != "ok" or dangling is not None:
        found = found if dangling is None else f"a row of {dangling[0]} refers to none"
        message = f"The database is damaged: {found}."
        raise StoreDamagedError(message)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that owns the database's write lock from its beginning.

    Raises:
        StoreUnavailableError: The disk is full, or the lock was held too long.
    """
    with _as_port_says(), _writing(engine) as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that sees one state and holds up no writer.

    Raises:
        StoreUnavailableError: The database does not answer.
    """
    with _as_port_says(), _reading(engine) as connection:
        yield connection


@contextmanager
def _as_port_says() -> Iterator[None]:
    """Raise the port's error for the database's."""
    try:
        yield
    except OperationalError as exc:
        message = f"The database did not answer: {exc.orig}."
        raise StoreUnavailableError(message) from exc


@contextmanager
def _writing(engine: Engine) -> Iterator[Connection]:
    with engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        yield connection


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection, connection.begin():
        yield connection


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
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _check_known(connection: Connection, path: Path) -> None:
    schema = unknown(connection)
    if schema is not None:
        message = f"{path} has the schema {schema}, which this release does not know."
        raise StoreNewerError(message, path=str(path), schema=schema)


def _assert_durable(engine: Engine, path: Path) -> None:
    with _reading(engine) as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in _SETTINGS
        }
    if found != _SETTINGS:
        message = f"{path} is not durable: expected {_SETTINGS}, found {found}."
        raise StoreNotDurableError(message, path=str(path), found=found)


def _translated(error: OperationalError, path: Path) -> StoreBusyError | StoreUnreadableError:
    if "locked" in str(error.orig):
        message = f"{path} was held by another process for {_BUSY_MILLISECONDS // 1000} s."
        return StoreBusyError(message, path=str(path))
    return _unreadable(error, path)


def _unreadable(error: DatabaseError, path: Path) -> StoreUnreadableError:
    message = f"{path} cannot be opened: {error.orig}."
    return StoreUnreadableError(message, path=str(path))
