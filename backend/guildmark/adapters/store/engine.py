"""The database of a home, opened at its newest schema: an own file, or PostgreSQL by URL."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import (
    DatabaseError,
    InterfaceError,
    InternalError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from guildmark.adapters.store import postgres, sqlite
from guildmark.adapters.store.migrations import is_at_head, unknown, upgrade
from guildmark.adapters.store.places import DatabaseUrl, Place
from guildmark.adapters.store.refusals import (
    StoreDamagedError,
    StoreNewerError,
    StoreOutdatedError,
)
from guildmark.domain.errors import GuildmarkError
from guildmark.ports.store import StoreUnavailableError


def open_database(place: Place) -> Engine:
    """Return the engine of a home's database, with durability asserted and all migrations done.

    Raises:
        StoreNotDurableError: The disk or the server does not give what is asserted.
        StoreUnreadableError: The file is no database.
        StoreUnreachableError: The server does not answer, or lets nobody in.
        StoreNewerError: A later release wrote it; nothing was changed.
        StoreBusyError: Another process held it too long.
    """
    engine = postgres.connect(place) if isinstance(place, DatabaseUrl) else sqlite.connect(place)
    with _closed_on_error(engine, place):
        with _reading(engine) as connection:
            _check_durable(connection, place)
            # A server is shared: no process waits for the others' writers where it has no step.
            if isinstance(place, DatabaseUrl) and is_at_head(connection):
                return engine
        with _writing(engine) as connection:
            _check_known(connection, place)
            upgrade(connection)
    return engine


def open_unchanged(place: Place) -> Engine:
    """Return an engine that changes nothing of the database, which must be at its newest schema.

    Raises:
        StoreUnreadableError: The file is missing, no database, or cannot be opened.
        StoreUnreachableError: The server does not answer, or lets nobody in.
        StoreOutdatedError: Its schema is an earlier one.
        StoreNewerError: Its schema is a later one.
    """
    if isinstance(place, DatabaseUrl):
        engine = postgres.connect_to_read(place)
    else:
        engine = sqlite.connect_to_read(place)
    with _closed_on_error(engine, place), _reading(engine) as connection:
        _check_known(connection, place)
        if not is_at_head(connection):
            message = f"{place} has the schema of an earlier version."
            raise StoreOutdatedError(message, path=str(place))
    return engine


def check_whole(engine: Engine) -> None:
    """Check every page, index and reference of the database.

    Raises:
        StoreDamagedError: One is damaged.
    """
    try:
        with _reading(engine) as connection:
            found = _damage(connection)
    except DatabaseError as exc:
        message = f"The database is damaged: {postgres.first_line(exc)}."
        raise StoreDamagedError(message) from exc
    if found is not None:
        message = f"The database is damaged: {found}."
        raise StoreDamagedError(message)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that owns the database's write lock from its beginning.

    Raises:
        StoreUnavailableError: The disk is full, the lock was held too long, or the server went
            away; where that was in the commit, only a look tells whether it was done.
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


def overwrite_deleted(connection: Connection) -> None:
    """Let what a transaction replaces be overwritten, as far as the database can."""
    if connection.dialect.name == "sqlite":
        sqlite.overwrite_deleted(connection)


def forget_deleted(engine: Engine, *tables: str) -> None:
    """Write what was deleted from tables out of the database.

    Raises:
        StoreUnavailableError: It could not be written anew.
        RowsHeldError: A transaction that goes on may still look at what was deleted.
    """
    if engine.dialect.name == "sqlite":
        sqlite.forget_deleted(engine)
        return
    with _as_port_says():
        postgres.forget_deleted(engine, tables)


@contextmanager
def _as_port_says() -> Iterator[None]:
    """Raise the port's error for the database's."""
    try:
        yield
    except (OperationalError, InterfaceError, InternalError) as exc:
        message = f"The database did not answer: {postgres.first_line(exc)}."
        raise StoreUnavailableError(message) from exc
    except PoolTimeoutError as exc:
        message = "The database did not answer: all connections are in use."
        raise StoreUnavailableError(message) from exc


@contextmanager
def _closed_on_error(engine: Engine, place: Place) -> Iterator[None]:
    try:
        yield
    except GuildmarkError:
        engine.dispose()
        raise
    except DatabaseError as exc:
        engine.dispose()
        if isinstance(place, DatabaseUrl):
            raise postgres.refusal(exc, place) from exc
        raise sqlite.refusal(exc, place) from exc


@contextmanager
def _writing(engine: Engine) -> Iterator[Connection]:
    options = {sqlite.WRITES: True}
    with (
        _turn(engine),
        engine.connect().execution_options(**options) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Wait until no other thread of this process writes, where the database has one writer."""
    lock = engine.get_execution_options().get(sqlite.TURN)
    if lock is None:
        yield
        return
    if not lock.acquire(timeout=sqlite.BUSY_SECONDS):
        message = f"Another thread wrote for {sqlite.BUSY_SECONDS} s."
        raise StoreUnavailableError(message)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection, connection.begin():
        yield connection


def _damage(connection: Connection) -> str | None:
    if connection.dialect.name == "sqlite":
        return sqlite.damage(connection)
    postgres.read_all(connection)
    return None


def _check_durable(connection: Connection, place: Place) -> None:
    if isinstance(place, DatabaseUrl):
        postgres.check_durable(connection, place)
    else:
        sqlite.check_durable(connection, place)


def _check_known(connection: Connection, place: Place) -> None:
    schema = unknown(connection)
    if schema is not None:
        message = f"{place} has the schema {schema}, which this release does not know."
        raise StoreNewerError(message, path=str(place), schema=schema)
