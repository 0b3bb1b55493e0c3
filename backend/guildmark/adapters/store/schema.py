"""The one collection of tables; each table stands beside the code that uses it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    Connection,
    Dialect,
    Insert,
    Integer,
    MetaData,
    Select,
    Table,
    Update,
)
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.types import TypeEngine

from guildmark.adapters.store import sqlite

Statement: TypeAlias = "Insert | Update | Select[Any]"

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
    connection: Connection, statement: Statement, rows: Sequence[Mapping[str, object]]
) -> None:
    """Execute a statement that is made once with each of some rows, which have the same names.

    The driver gets the values as they are: what SQLAlchemy does to each of them first takes longer
    than to write them.
    """
    made = _made(statement, connection.dialect, tuple(rows[0]))
    given = [made.given(row) for row in rows]
    if connection.dialect.name == "sqlite":
        sqlite.execute_many(connection, made.text, given)
    else:
        connection.exec_driver_sql(made.text, given)


def execute_one(
    connection: Connection, statement: Statement, values: Mapping[str, object]
) -> Sequence[tuple[Any, ...]]:
    """Execute a statement that is made once, as ``execute_many`` does, and return what it gives."""
    made = _made(statement, connection.dialect, tuple(values))
    given = made.given(values)
    if connection.dialect.name == "sqlite":
        return sqlite.execute(connection, made.text, given).fetchall()
    found = connection.exec_driver_sql(made.text, given)
    return [tuple(row) for row in found] if found.returns_rows else []


@dataclass(frozen=True, slots=True)
class _Made:
    """A statement as a driver takes it.

    Args:
        text: The statement.
        own: The values that it brings along.
        order: The names of all values, where they stand by place.
    """

    text: str
    own: Mapping[str, object]
    order: Sequence[str] | None

    def given(self, values: Mapping[str, object]) -> Any:
        """Return some values as the driver takes them."""
        named = {**self.own, **values} if self.own else values
        return named if self.order is None else tuple([named[name] for name in self.order])


@lru_cache(maxsize=256)
def _made(statement: Statement, dialect: Dialect, keys: tuple[str, ...]) -> _Made:
    compiled = statement.compile(dialect=dialect, column_keys=list(keys))
    own = {name: value for name, value in compiled.params.items() if name not in keys}
    return _Made(str(compiled), own, compiled.positiontup)
