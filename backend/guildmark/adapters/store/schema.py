"""The one collection of tables; each table stands beside the code that uses it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Insert, Integer, MetaData, Table, Update
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


def whole() -> TypeEngine[Any]:
    """Return the type of integers: 8 bytes everywhere; SQLite numbers rows by that name alone."""
    return BigInteger().with_variant(Integer(), "sqlite")


def upsert(connection: Connection, table: Table) -> "SqliteInsert | PostgresInsert":
    """Return an insert that may say what happens where the key is there already."""
    if connection.dialect.name == "sqlite":
        return sqlite_insert(table)
    return postgres_insert(table)


def execute_many(
    connection: Connection, statement: "Insert | Update", rows: Sequence[Mapping[str, object]]
) -> None:
    """Execute a statement with each of some rows, which name the same parameters.

    The driver gets the values as they are: what SQLAlchemy does to each of them first takes longer
    than to write them.
    """
    compiled = statement.compile(dialect=connection.dialect, column_keys=list(rows[0]))
    names = compiled.positiontup
    given = rows if names is None else [tuple(row[name] for name in names) for row in rows]
    connection.exec_driver_sql(str(compiled), given)
