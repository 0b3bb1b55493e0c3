"""First claims of parts in SQL: a row is written once and never changed."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Engine, LargeBinary, Row, Table, select

from guildmark.adapters.store.engine import reading, writing
from guildmark.adapters.store.schema import METADATA, upsert, whole
from guildmark.domain.identifiers import Digest, Index, LogNumber
from guildmark.ports.store import KeptClaim

CLAIMS = Table(
    "claims",
    METADATA,
    Column("log", whole(), primary_key=True),
    Column("entry", whole(), primary_key=True),
    Column("claimant", LargeBinary, nullable=False),
    Column("at", whole(), nullable=False),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlClaims:
    """The first claims that a node took; fulfils ``Claims``."""

    engine: Engine

    def kept(self, log: LogNumber, index: Index) -> KeptClaim | None:
        """Return a part's first claim, None where there is none."""
        with reading(self.engine) as connection:
            row = connection.execute(select(CLAIMS).where(_is_of(log, index))).one_or_none()
        return None if row is None else _claim(row)

    def first(self, log: LogNumber, index: Index, claim: KeptClaim) -> KeptClaim:
        """Keep a claim durably where it is the part's first; return the first one."""
        row = {"log": log, "entry": index, "claimant": claim.claimant, "at": claim.time}
        with writing(self.engine) as connection:
            added = upsert(connection, CLAIMS).values(**row)
            connection.execute(added.on_conflict_do_nothing(index_elements=["log", "entry"]))
            return _claim(connection.execute(select(CLAIMS).where(_is_of(log, index))).one())


def _is_of(log: LogNumber, index: Index) -> ColumnElement[bool]:
    return (CLAIMS.c.log == log) & (CLAIMS.c.entry == index)


def _claim(row: Row[Any]) -> KeptClaim:
    return KeptClaim(claimant=Digest(row.claimant), time=row.at)
