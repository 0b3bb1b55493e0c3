"""The schema's history; one file a change, under ``versions``, named by its number.

What a database has is asked without Alembic: every command opens one, few have a step to run.
"""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect

_VERSIONS = Path(__file__).parent / "versions"
_TABLE = "alembic_version"


def upgrade(connection: Connection) -> None:
    """Bring the schema to its newest state, within the connection's transaction."""
    if not is_at_head(connection):
        # Alembic takes a tenth of a second to import.
        from guildmark.adapters.store.migrations import running  # noqa: PLC0415 - see above

        running.run(connection)


def is_at_head(connection: Connection) -> bool:
    """Return whether the schema is in its newest state."""
    return _schema(connection) == max(_revisions())


def is_known(revision: str) -> bool:
    """Return whether this release has the step that led to a schema."""
    return revision in _revisions()


def unknown(connection: Connection) -> str | None:
    """Return the schema of the database where this release does not know it, else None."""
    schema = _schema(connection)
    return None if schema is None or is_known(schema) else schema


def _schema(connection: Connection) -> str | None:
    """Return the number of the last step that a database saw, None before the first one."""
    if not inspect(connection).has_table(_TABLE):
        return None
    found: str | None = connection.exec_driver_sql(
        f"SELECT version_num FROM {_TABLE}"  # noqa: S608 - a constant
    ).scalar_one_or_none()
    return found


@cache
def _revisions() -> frozenset[str]:
    return frozenset(one.name[:4] for one in _VERSIONS.glob("[0-9][0-9][0-9][0-9]_*.py"))
