"""The book of an audit: a table on disk that ends with it, so that memory stays what it is."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from itertools import groupby
from types import TracebackType
from typing import Self

from guildmark.domain.audit.findings import Finding, Flaw, Place
from guildmark.domain.audit.units import UnitRow
from guildmark.domain.identifiers import Index, LogNumber

_TABLES = """
create table units (number integer primary key, row text not null);
create table findings (
  number integer primary key, rank integer not null, log integer not null, at integer not null,
  places text not null, reason text not null
);
create table uses (
  what text not null, of blob not null, log integer not null, at integer not null,
  primary key (what, of, log, at)
) without rowid;
"""
_FLAWS = tuple(Flaw)
_NOWHERE = -1


class SqliteBook:
    """Fulfils ``AuditBook``; the file has no name, and is gone when it is closed."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        # Nobody reads it after a crash.
        self._database.executescript("pragma journal_mode=off; pragma synchronous=off;" + _TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def add_unit(self, row: UnitRow) -> None:
        """Write down a unit."""
        text = json.dumps(asdict(row))
        self._database.execute("insert into units (row) values (?)", (text,))

    def add_finding(self, found: Finding) -> None:
        """Write down a finding."""
        log, at = found.places[0] if found.places else (_NOWHERE, _NOWHERE)
        self._database.execute(
            "insert into findings (rank, log, at, places, reason) values (?, ?, ?, ?, ?)",
            (_FLAWS.index(found.flaw), log, at, json.dumps(found.places), found.reason),
        )

    def add_use(self, what: str, of: bytes, place: Place) -> None:
        """Write down that something is used at a place; the same place counts once."""
        self._database.execute("insert or ignore into uses values (?, ?, ?, ?)", (what, of, *place))

    def units(self) -> Iterator[UnitRow]:
        """Yield the units in the order in which they were written down."""
        with closing(self._database.execute("select row from units order by number")) as rows:
            for (row,) in rows:
                yield UnitRow(**json.loads(row))

    def findings(self) -> Iterator[Finding]:
        """Yield the findings, the worst first, each kind by its places."""
        wanted = "select rank, places, reason from findings order by rank, log, at, reason, number"
        with closing(self._database.execute(wanted)) as rows:
            for rank, places, reason in rows:
                read = tuple((LogNumber(log), Index(at)) for log, at in json.loads(places))
                yield Finding(flaw=_FLAWS[rank], places=read, reason=reason)

    def doubles(self, what: str) -> Iterator[Sequence[Place]]:
        """Yield the places of whatever of a kind is used at several, each time in order."""
        wanted = """
          select of, log, at from uses where what = :what and of in (
            select of from uses where what = :what group by of having count(*) > 1
          ) order by of, log, at
        """
        with closing(self._database.execute(wanted, {"what": what})) as rows:
            for _, places in groupby(rows, key=lambda row: row[0]):
                yield [(LogNumber(log), Index(at)) for _, log, at in places]

    def uses(self, what: str) -> Iterator[bytes]:
        """Yield what of a kind is used, each once, in the order of its bytes."""
        wanted = "select distinct of from uses where what = ? order by of"
        with closing(self._database.execute(wanted, (what,))) as rows:
            for (of,) in rows:
                yield bytes(of)
