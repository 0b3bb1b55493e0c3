"""A home as an earlier release left it in the middle of its work, gone on with by this one."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from faults import rig as rigs
from guildmark.adapters.store.engine import open_unchanged
from guildmark.adapters.store.refusals import StoreOutdatedError

pytestmark = [pytest.mark.needs("anvil")]

SCHEMAS = Path(__file__).parents[1] / "unit" / "adapters" / "schemas"
# The first release with a log is the one with schema 0002; the last one is this one's.
OLD = sorted(SCHEMAS.glob("*.sql"))[1:-1]
ON_RECORD, WAITING = 4, 2


def columns(connection: sqlite3.Connection, schema: str) -> dict[str, list[str]]:
    """Return the columns of each table of a database."""
    tables = connection.execute(f"SELECT name FROM {schema}.sqlite_master WHERE type = 'table'")
    return {
        name: [row[1] for row in connection.execute(f"PRAGMA {schema}.table_info('{name}')")]
        for (name,) in tables.fetchall()
        if name not in {"alembic_version", "sqlite_sequence"}
    }


def aged(database: Path, dump: Path) -> Path:
    """Return a copy of a database as the release of a dump would have written it."""
    target = database.with_name(f"{dump.stem}.db")
    with closing(sqlite3.connect(target)) as connection:
        connection.executescript(dump.read_text())
        connection.execute("ATTACH ? AS newer", (str(database),))
        newer = columns(connection, "newer")
        for table, old in columns(connection, "main").items():
            # Later releases added tables and columns; one parted the envelopes from the queue.
            is_parted = table == "queue" and "envelope" in old
            source = "queue NATURAL JOIN newer.envelopes" if is_parted else table
            assert set(old) <= {*newer[table], *(newer["envelopes"] if is_parted else ())}
            shared = ", ".join(f'"{name}"' for name in old)
            connection.execute(f"DELETE FROM main.{table}")
            connection.execute(
                f"INSERT INTO main.{table} ({shared}) SELECT {shared} FROM newer.{source}"
            )
        connection.commit()
    return target


@pytest.mark.parametrize("dump", OLD, ids=lambda dump: dump.stem)
def test_a_home_that_an_earlier_release_left_goes_on(rig: rigs.Rig, dump: Path) -> None:
    database, chance = rig.reset("old"), random.Random(5)
    node = rig.node(database)
    sent = rigs.entries(ON_RECORD + WAITING, chance)
    rigs.live(rig, node, sent[:ON_RECORD], lambda _digest: None)
    # One record is on its way, its entries wait, and more wait behind them.
    node.accept(sent[ON_RECORD])
    node.step()
    node.accept(sent[-1])
    opened = node.outbox.table.open(rig.pin.chain_id, 10)
    node.close()
    old = aged(database, dump)

    with pytest.raises(StoreOutdatedError):
        open_unchanged(old)
    verdict = rigs.judge(rig, old, {entry.digest for entry in sent})

    assert len(opened) == 1
    assert verdict == rigs.Verdict(lost=0, doubled=0, differences=())
    assert rig.size() == len(sent)
