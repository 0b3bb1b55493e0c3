"""The one collection of tables; each table stands beside the code that uses it."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import BigInteger, Connection, Dialect, Insert, Integer, MetaData, Table, Update
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.types import TypeEngine

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

INSERTS: "Mapping[str, Callable[[Table], SqliteInsert | PostgresInsert]]" = MappingProxyType(
    {"sqlite": sqlite_insert, "postgresql": postgres_insert}
)
"""By dialect, what makes an insert that may say what happens where the key is there already."""


def whole() -> TypeEngine[Any]:
    """Return the type of integers: 8 bytes everywhere; SQLite numbers rows by that name alone."""
    return BigInteger().with_variant(Integer(), "sqlite")


def upsert(connection: Connection, table: Table) -> "SqliteInsert | PostgresInsert":
    """Return an insert that may say what happens where the key is there already."""
    return INSERTS[connection.dialect.name](table)


def execute_many(
    connection: Connection, statement: "Insert | Update", rows: Sequence[Mapping[str, object]]
) -> None:
    """Execute a statement that is made once with each of some rows, which have the same names.

    The driver gets the values as they are: what SQLAlchemy does to each of them first takes longer
    than to write them.
    """
    text, names = _compiled(statement, connection.dialect, tuple(rows[0]))
    given = rows if names is None else [tuple([row[name] for name in names]) for row in rows]
    connection.exec_driver_sql(text, given)


@lru_cache(maxsize=64)
def _compiled(
    statement: "Insert | Update", dialect: Dialect, keys: tuple[str, ...]
) -> tuple[str, Sequence[str] | None]:
    """Return a statement's text, and the order of its values where they stand by place."""
    compiled = statement.compile(dialect=dialect, column_keys=list(keys))
    return str(compiled), compiled.positiontup
