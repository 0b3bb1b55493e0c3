"""A home's databases: copied while others write, and looked at in a copy."""

import sqlite3
from contextlib import closing
from pathlib import Path

from guildmark.adapters.backups.refusals import BackupMalformedError, BackupNewerError
from guildmark.adapters.fieldwork.schema import STEPS
from guildmark.adapters.store.migrations import is_known
from guildmark.domain.errors import ContentError
from guildmark.domain.identifiers import Digest
from guildmark.ports.chain import Block

_MAGIC = b"SQLite format 3\0"
_BUSY_SECONDS = 30.0
_NODE, _AGENT = "node:", "agent:"


class DatabaseDamagedError(ContentError):
    """A database of the home is damaged."""

    code = "backup.databaseDamaged"
    hint = "Look at it with `guildmark fsck`, and restore the home from an earlier backup."


def is_database(path: Path) -> bool:
    """Return whether a file is a SQLite database."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def copy(path: Path, target: Path) -> None:
    """Copy one state of a database, the last commit; writers are not held up.

    Raises:
        DatabaseDamagedError: It cannot be read, or a page of it is damaged.
    """
    try:
        with (
            closing(sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)) as source,
            closing(sqlite3.connect(target, isolation_level=None)) as copied,
        ):
            source.execute("PRAGMA query_only=ON")
            source.backup(copied)
    except sqlite3.Error as exc:
        message = f"{path} cannot be copied: {exc}."
        raise DatabaseDamagedError(message, path=str(path)) from exc
    check(target, shown=path.name)


def check(path: Path, *, shown: str) -> str:
    """Check every page of a database and that this release can read it; return its schema.

    Raises:
        DatabaseDamagedError: A page is damaged.
        BackupNewerError: A later release wrote it.
    """
    try:
        with closing(_reading(path)) as connection:
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            schema = _schema(connection)
    except sqlite3.Error as exc:
        found, schema = str(exc), ""
    if found != "ok":
        message = f"The database {shown} is damaged: {found}."
        raise DatabaseDamagedError(message, path=shown)
    if not _is_known(schema):
        message = f"The database {shown} has the schema {schema}, which this release does not know."
        raise BackupNewerError(message, path=shown, schema=schema)
    return schema


def cursor(path: Path) -> Block | None:
    """Return the block that a node's database has read last, None where there is none.

    Raises:
        BackupMalformedError: It does not say.
    """
    try:
        with closing(_reading(path)) as connection:
            row = connection.execute("SELECT number, hash, time FROM cursor").fetchone()
    except sqlite3.Error as exc:
        message = f"The node's database does not say what it has read: {exc}."
        raise BackupMalformedError(message) from exc
    return None if row is None else Block(number=row[0], hash=Digest(row[1]), time=row[2])


def _reading(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    connection.execute("PRAGMA query_only=ON")
    return connection


def _schema(connection: sqlite3.Connection) -> str:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if "alembic_version" in tables:
        rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        return _NODE + "+".join(sorted(str(row[0]) for row in rows))
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    return f"{_AGENT}{number}"


def _is_known(schema: str) -> bool:
    if schema.startswith(_NODE):
        return is_known(schema.removeprefix(_NODE))
    return int(schema.removeprefix(_AGENT)) <= len(STEPS)
