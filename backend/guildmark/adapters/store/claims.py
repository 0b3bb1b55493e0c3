"""First claims of parts in SQL: a row is written once and never changed."""

from dataclasses import dataclass

from sqlalchemy import Column, Engine, LargeBinary, Table, select

from guildmark.adapters.store.engine import writing
from guildmark.adapters.store.schema import METADATA, upsert, whole
from guildmark.domain.identifiers import Digest, Index, LogNumber
from guildmark.ports import KeptClaim

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

    def first(self, log: LogNumber, index: Index, claim: KeptClaim) -> KeptClaim:
        """Keep a claim durably where it is the part's first; return the first one."""
        of_part = (CLAIMS.c.log == log) & (CLAIMS.c.entry == index)
        row = {"log": log, "entry": index, "claimant": claim.claimant, "at": claim.time}
        with writing(self.engine) as connection:
            added = upsert(connection, CLAIMS).values(**row)
            connection.execute(added.on_conflict_do_nothing(index_elements=["log", "entry"]))
            kept = connection.execute(select(CLAIMS).where(of_part)).one()
        return KeptClaim(claimant=Digest(kept.claimant), time=kept.at)
