"""Databases that earlier releases made, opened by this one: nothing is lost, all is brought up."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from guildmark.adapters.store.engine import check_whole, open_database, open_unchanged
from guildmark.adapters.store.node import SqlNodeStore
from guildmark.adapters.store.outbox import OutboxTable, State
from guildmark.adapters.store.refusals import StoreOutdatedError
from guildmark.domain.identifiers import ChainId, Digest
from guildmark.ports.store import DocumentKind

FOLDER = Path(__file__).parent / "schemas"
DUMPS = sorted(FOLDER.glob("*.sql"))
CURSOR = 5
# The newest schema whose step forgets the index.
INDEX_ANEW = "0009"
KEPT = (
    "transactions",
    "attempts",
    "nonces",
    "documents",
    "batches",
    "queue",
    "requests",
    "scanned",
    "scans",
    "claims",
)


def old(dump: Path, folder: Path) -> Path:
    """Return a database as the release of a dump left it."""
    path = folder / "node.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump.read_text())
    return path


def rows(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return what must outlive an upgrade, by table."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        found = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        return {
            table: [dict(row) for row in connection.execute(_all(table, found))]
            for table in KEPT
            if table in found
        }


def _all(table: str, found: set[str]) -> str:
    """Return the query of a table's rows; the queue's envelopes stand in a table since 0008."""
    is_parted = table == "queue" and "envelopes" in found
    return f"SELECT * FROM {table}" + (" NATURAL JOIN envelopes" if is_parted else "")


def shape(path: Path) -> dict[str, Any]:
    """Return tables, columns and indexes."""
    engine = open_database(path)
    found = inspect(engine)
    shown = {
        table: (
            [(one["name"], str(one["type"]), one["nullable"]) for one in found.get_columns(table)],
            sorted(str(one["name"]) for one in found.get_indexes(table)),
            found.get_pk_constraint(table)["constrained_columns"],
        )
        for table in found.get_table_names()
    }
    engine.dispose()
    return shown


def test_the_dumps_are_there() -> None:
    assert {dump.stem for dump in DUMPS} >= {f"{number:04d}" for number in range(1, 13)}


@pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.stem)
def test_an_old_database_keeps_its_rows(dump: Path, tmp_path: Path) -> None:
    path = old(dump, tmp_path)
    before = rows(path)

    engine = open_database(path)

    check_whole(engine)
    engine.dispose()
    after = rows(path)
    assert before["transactions"]
    for table, kept in before.items():
        found = [
            {name: row[name] for name in one} for one, row in zip(kept, after[table], strict=True)
        ]
        assert found == kept, table


@pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.stem)
def test_an_old_database_gets_the_shape_of_a_new_one(dump: Path, tmp_path: Path) -> None:
    assert shape(old(dump, tmp_path)) == shape(tmp_path / "fresh" / "node.db")


@pytest.mark.parametrize("dump", DUMPS[1:], ids=lambda dump: dump.stem)
def test_what_was_accepted_is_found_by_this_release(dump: Path, tmp_path: Path) -> None:
    engine = open_database(old(dump, tmp_path))

    with SqlNodeStore(engine).reading() as view:
        build = view.log.build(Digest(b"d" * 32))
        terms = view.documents.get(DocumentKind.TERMS, b"k" * 32)
        cursor = view.facts.cursor()

    opened = OutboxTable(engine).open(ChainId(7), 10)
    engine.dispose()
    assert build is not None
    assert terms == b"terms"
    # The index stands where it stood, or was forgotten whole, to be read anew.
    assert cursor is None or cursor.number == CURSOR
    assert (cursor is None) == (dump.stem < INDEX_ANEW)
    assert [(one.hash, one.nonce, one.state) for one in opened] == [(b"h" * 32, 0, State.SENT)]


@pytest.mark.parametrize("dump", DUMPS[:-1], ids=lambda dump: dump.stem)
def test_what_only_looks_upgrades_nothing(dump: Path, tmp_path: Path) -> None:
    path = old(dump, tmp_path)
    before = path.read_bytes()

    with pytest.raises(StoreOutdatedError):
        open_unchanged(path)

    assert path.read_bytes() == before
