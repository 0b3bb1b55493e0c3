"""Scans of labels in SQL: by hour and network token; an address is never in a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, Connection, Engine, Table, Text, delete, select
from sqlalchemy import Index as SqlIndex

from guildmark.adapters.store.engine import overwrite_deleted, reading, writing
from guildmark.adapters.store.schema import METADATA, upsert, whole
from guildmark.domain.identifiers import Index, LogNumber
from guildmark.domain.labels.scans import HOUR, Scan, ScanHistory

SCANS = Table(
    "scans",
    METADATA,
    Column("log", whole(), primary_key=True),
    Column("entry", whole(), primary_key=True),
    Column("hour", whole(), primary_key=True),
    Column("country", Text, primary_key=True),
    Column("network", Text, primary_key=True),
    Column("times", whole(), nullable=False),
    SqlIndex("scans_by_hour", "hour"),
    sqlite_with_rowid=False,
)
SCANNED = Table(
    "scanned",
    METADATA,
    Column("log", whole(), primary_key=True),
    Column("entry", whole(), primary_key=True),
    Column("first", whole(), nullable=False),
    Column("times", whole(), nullable=False),
    sqlite_with_rowid=False,
)

_ROWS_MAX = 5_000
"""The newest rows of one part that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlScans:
    """The scans that a node counted; fulfils ``Scans``."""

    engine: Engine

    def add(self, found: Mapping[tuple[LogNumber, Index], Sequence[Scan]], *, since: int) -> None:
        """Add scans, and forget those before ``since``."""
        with writing(self.engine) as connection:
            connection.execute(delete(SCANS).where(SCANS.c.hour < since // HOUR * HOUR))
            for (log, index), scans in found.items():
                for scan in scans:
                    _add(connection, log, index, scan)

    def history(self, log: LogNumber, index: Index) -> ScanHistory | None:
        """Return what was counted of a part, None where nothing was."""
        of_part = _is_of(SCANS, log, index)
        newest = select(SCANS).where(of_part).order_by(SCANS.c.hour.desc()).limit(_ROWS_MAX)
        with reading(self.engine) as connection:
            known = connection.execute(
                select(SCANNED).where(_is_of(SCANNED, log, index))
            ).one_or_none()
            rows = connection.execute(newest).all()
        if known is None:
            return None
        scans = tuple(
            Scan(hour=row.hour, country=row.country, network=row.network, count=row.times)
            for row in rows
        )
        return ScanHistory(first=known.first, count=known.times, scans=scans)

    def erase(self, log: LogNumber, index: Index) -> bool:
        """Forget all scans of a part; return whether there were any."""
        with writing(self.engine) as connection:
            overwrite_deleted(connection)
            connection.execute(delete(SCANS).where(_is_of(SCANS, log, index)))
            gone = connection.execute(delete(SCANNED).where(_is_of(SCANNED, log, index)))
        return gone.rowcount > 0


def _is_of(table: Table, log: LogNumber, index: Index) -> ColumnElement[bool]:
    return (table.c.log == log) & (table.c.entry == index)


def _add(connection: Connection, log: LogNumber, index: Index, scan: Scan) -> None:
    key = {"log": log, "entry": index}
    row = {**key, "hour": scan.hour, "country": scan.country, "network": scan.network}
    added = upsert(connection, SCANS).values(**row, times=scan.count)
    connection.execute(
        added.on_conflict_do_update(
            index_elements=list(row), set_={"times": SCANS.c.times + scan.count}
        )
    )
    total = upsert(connection, SCANNED).values(**key, first=scan.hour, times=scan.count)
    connection.execute(
        total.on_conflict_do_update(
            index_elements=list(key), set_={"times": SCANNED.c.times + scan.count}
        )
    )
