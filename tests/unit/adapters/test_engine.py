"""The database: durable or refused, one writer at a time, whole migrations."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, bindparam, create_engine, inspect, select
from sqlalchemy.exc import IntegrityError, OperationalError

from guildmark.adapters.store import engine as store
from guildmark.adapters.store import sqlite
from guildmark.adapters.store.engine import open_database, reading, writing
from guildmark.adapters.store.outbox import ATTEMPTS, NONCES, TRANSACTIONS
from guildmark.adapters.store.refusals import (
    StoreBusyError,
    StoreNewerError,
    StoreNotDurableError,
    StoreUnreadableError,
)
from guildmark.adapters.store.schema import execute_many, execute_one
from guildmark.ports.store import StoreUnavailableError

TABLES = (TRANSACTIONS, ATTEMPTS, NONCES)


def test_a_new_database_is_durable_and_has_the_declared_tables(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "deep" / "node.db")

    found = inspect(engine)
    for table in TABLES:
        columns = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
        declared = {column.name: column.nullable for column in table.columns}
        assert columns == declared
    with reading(engine) as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert pragmas == ["wal", 2, 1]
    engine.dispose()


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    open_database(tmp_path / "node.db").dispose()
    before = (tmp_path / "node.db").read_bytes()

    open_database(tmp_path / "node.db").dispose()

    assert (tmp_path / "node.db").read_bytes() == before


def test_a_database_that_would_lose_writes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sqlite._SETTINGS, "synchronous", 3)

    with pytest.raises(StoreNotDurableError) as caught:
        open_database(tmp_path / "node.db")

    assert caught.value.code == "store.notDurable"


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "node.db").write_bytes(b"no database" * 1_000)

    with pytest.raises(StoreUnreadableError):
        open_database(tmp_path / "node.db")


def test_a_folder_in_the_database_s_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "node.db").mkdir()

    with pytest.raises(StoreUnreadableError):
        open_database(tmp_path / "node.db")


def test_a_writer_that_never_ends_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_database(tmp_path / "node.db").dispose()
    monkeypatch.setattr(sqlite, "_BUSY_MILLISECONDS", 50)
    other = sqlite3.connect(tmp_path / "node.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreBusyError):
        open_database(tmp_path / "node.db")

    other.close()


def test_an_error_undoes_the_whole_transaction(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "node.db")

    def write_twice() -> None:
        with writing(engine) as connection:
            connection.execute(NONCES.insert().values(chain_id=1, sender=b"a", next=0))
            connection.execute(NONCES.insert().values(chain_id=1, sender=b"a", next=1))

    with pytest.raises(IntegrityError):
        write_twice()

    with reading(engine) as connection:
        assert connection.execute(NONCES.select()).all() == []
    engine.dispose()


def test_an_attempt_belongs_to_a_transaction(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "node.db")
    values = {"hash": b"h", "raw": b"", "nonce": 0, "gas": 1, "max_fee": "1", "priority": "1"}

    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(ATTEMPTS.insert().values(**values, transaction=99, at=0))

    engine.dispose()


def test_writers_wait_for_one_another_and_readers_for_nobody(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "node.db")
    with writing(engine) as connection:
        connection.execute(NONCES.insert().values(chain_id=1, sender=b"a", next=0))

    def count() -> None:
        for _ in range(25):
            with writing(engine) as connection:
                found = connection.execute(NONCES.select()).one().next
                connection.execute(NONCES.update().values(next=found + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    with reading(engine) as connection:
        before = connection.execute(NONCES.select()).one().next
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        during = connection.execute(NONCES.select()).one().next

    with reading(engine) as connection:
        after = connection.execute(NONCES.select()).one().next
    assert (before, during, after) == (0, 0, 100)
    engine.dispose()


def test_a_migration_that_is_cut_leaves_the_schema_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class CutError(Exception):
        pass

    def cut(connection: object) -> None:
        connection.exec_driver_sql("CREATE TABLE half (x)")  # type: ignore[attr-defined]  # a connection
        raise CutError

    monkeypatch.setattr(store, "upgrade", cut)
    with pytest.raises(CutError):
        open_database(tmp_path / "node.db")
    monkeypatch.undo()

    bare = create_engine(f"sqlite:///{tmp_path / 'node.db'}")
    assert inspect(bare).get_table_names() == []
    bare.dispose()
    open_database(tmp_path / "node.db").dispose()


@pytest.mark.parametrize("use", [reading, writing])
def test_a_disk_that_refuses_is_the_ports_error(
    tmp_path: Path, use: Callable[[Engine], AbstractContextManager[Connection]]
) -> None:
    engine = open_database(tmp_path / "node.db")

    def full() -> None:
        message = "INSERT"
        raise OperationalError(message, {}, sqlite3.OperationalError("database or disk is full"))

    with pytest.raises(StoreUnavailableError, match="database or disk is full"), use(engine):
        full()

    engine.dispose()


def test_a_full_disk_undoes_the_transaction(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "node.db")
    with writing(engine) as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def fill(connection: Connection) -> None:
        for number in range(100):
            values = {"chain_id": number, "sender": bytes(4_000), "next": 0}
            connection.execute(NONCES.insert().values(values))

    with pytest.raises(StoreUnavailableError, match="full"), writing(engine) as connection:
        fill(connection)

    with reading(engine) as connection:
        assert connection.execute(NONCES.select()).all() == []
    engine.dispose()


@pytest.mark.parametrize("opened", [open_database, store.open_unchanged])
def test_a_database_of_a_later_release_is_refused_and_stays_as_it_is(
    tmp_path: Path, opened: Callable[[Path], Engine]
) -> None:
    path = tmp_path / "node.db"
    open_database(path).dispose()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()

    with pytest.raises(StoreNewerError) as caught:
        opened(path)

    assert caught.value.code == "store.newer"
    assert path.read_bytes() == before


def test_a_thread_that_writes_for_too_long_is_waited_for_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_database(tmp_path / "node.db")
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.01)
    refused: list[StoreUnavailableError] = []

    def write() -> None:
        try:
            with writing(engine):
                pass
        except StoreUnavailableError as error:
            refused.append(error)

    thread = threading.Thread(target=write)
    with writing(engine):
        thread.start()
        thread.join()
    write()

    assert [error.message for error in refused] == ["Another thread wrote for 0.01 s."]
    engine.dispose()


def test_what_the_driver_refuses_is_raised_as_by_the_library(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "outbox.db")
    row = {"hash": b"", "transaction": 7, "raw": b"", "nonce": 0, "gas": 0, "max_fee": "0"}
    statement = ATTEMPTS.insert()

    with pytest.raises(IntegrityError) as one, writing(engine) as connection:
        execute_one(connection, statement, {**row, "priority": "0", "at": 0, "cancels": False})
    with pytest.raises(IntegrityError) as many, writing(engine) as connection:
        execute_many(connection, statement, [{**row, "priority": "0", "at": 0, "cancels": False}])

    # Values of a statement may be secrets.
    assert [error.value.params for error in (one, many)] == [None, None]
    engine.dispose()


def test_a_statement_that_is_made_once_gives_its_rows(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "outbox.db")
    nonce = {"chain_id": 1, "sender": b"s", "next": 5}
    statement = select(NONCES.c.sender, NONCES.c.next).where(NONCES.c.next == bindparam("asked"))

    with writing(engine) as connection:
        stored = execute_one(connection, NONCES.insert(), nonce)
        found = [execute_one(connection, statement, {"asked": number}) for number in (5, 6)]

    assert (list(stored), found) == ([], [[(b"s", 5)], []])
    engine.dispose()
