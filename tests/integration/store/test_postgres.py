"""A home's database on a PostgreSQL server: one writer at a time, all or nothing, no secrets."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import psycopg
import pytest
from sqlalchemy import BigInteger, Connection, Engine, Integer, Row, inspect
from sqlalchemy.exc import DataError, IntegrityError

from cutting import Cut, Wire
from guildmark.adapters.store import postgres as adapter
from guildmark.adapters.store.belonging import HOME_KEYS, belong, check_keys, share_keys
from guildmark.adapters.store.copying import TABLES
from guildmark.adapters.store.engine import (
    check_whole,
    forget_deleted,
    open_database,
    open_unchanged,
    reading,
    writing,
)
from guildmark.adapters.store.facts import DOCUMENTS
from guildmark.adapters.store.log import QUEUE
from guildmark.adapters.store.outbox import NONCES
from guildmark.adapters.store.places import DatabaseUrl
from guildmark.adapters.store.refusals import (
    StoreBusyError,
    StoreDamagedError,
    StoreDriverMissingError,
    StoreForeignError,
    StoreKeysError,
    StoreNewerError,
    StoreNotDurableError,
    StoreOutdatedError,
    StoreUnreachableError,
)
from guildmark.adapters.store.requests import REQUESTS
from guildmark.adapters.store.schema import METADATA
from guildmark.domain.chain.contracts import ChainClass, ChainPin, ContractName, ContractPin
from guildmark.domain.identifiers import Address, ChainId, Digest, LogNumber
from guildmark.ports.store import StoreUnavailableError
from postgres_server import Postgres

pytestmark = [pytest.mark.needs("postgresql")]

LARGE = 2**63 - 1


@pytest.fixture
def place(postgres: Postgres) -> DatabaseUrl:
    return postgres.fresh()


@pytest.fixture
def engine(place: DatabaseUrl) -> Iterator[Engine]:
    found = open_database(place)
    yield found
    found.dispose()


def put(connection: Connection, number: int = 0) -> None:
    values = {"chain_id": 1, "sender": b"a", "next": number}
    connection.execute(NONCES.insert().values(values))


def rows(engine: Engine) -> Sequence[Row[Any]]:
    with reading(engine) as connection:
        return connection.execute(NONCES.select()).all()


def test_its_tables_are_those_that_are_declared(engine: Engine) -> None:
    found = inspect(engine)

    assert {QUEUE.name, REQUESTS.name} < {table.name for table in TABLES} == {*METADATA.tables}
    assert {*found.get_table_names()} == {*METADATA.tables, "alembic_version"}
    for table in METADATA.tables.values():
        columns = found.get_columns(table.name)
        assert {one["name"]: one["nullable"] for one in columns} == {
            column.name: column.nullable for column in table.columns
        }
        wholes = [one["type"] for one in columns if isinstance(one["type"], Integer)]
        assert all(isinstance(one, BigInteger) for one in wholes), table.name
        assert {one["name"] for one in found.get_indexes(table.name)} >= {
            index.name for index in table.indexes
        }


def test_integers_have_eight_bytes(engine: Engine) -> None:
    with writing(engine) as connection:
        put(connection, LARGE)

    with reading(engine) as connection:
        assert connection.execute(NONCES.select()).one().next == LARGE


def test_writers_wait_for_one_another_and_readers_for_nobody(engine: Engine) -> None:
    with writing(engine) as connection:
        put(connection)

    def count() -> None:
        for _ in range(10):
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
    assert (before, during, after) == (0, 0, 40)


def test_who_only_reads_cannot_write(engine: Engine, place: DatabaseUrl) -> None:
    unchanged = open_unchanged(place)

    with pytest.raises(StoreUnavailableError, match="read-only"), reading(engine) as connection:
        put(connection)
    with pytest.raises(StoreUnavailableError, match="read-only"), writing(unchanged) as connection:
        put(connection)

    unchanged.dispose()


def test_an_error_undoes_the_whole_transaction(engine: Engine) -> None:
    def put_twice() -> None:
        with writing(engine) as connection:
            put(connection)
            put(connection)

    with pytest.raises(IntegrityError):
        put_twice()

    assert rows(engine) == []


def test_many_that_open_an_empty_database_at_once_make_it_once(postgres: Postgres) -> None:
    empty, engines = postgres.empty(), list[Engine]()
    threads = [
        threading.Thread(target=lambda: engines.append(open_database(empty))) for _ in range(3)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(engines) == 3
    for one in engines:
        assert rows(one) == []
        one.dispose()


def test_an_empty_database_is_not_looked_at_and_a_newer_one_is_left(postgres: Postgres) -> None:
    place = postgres.copy()
    with psycopg.connect(place.reveal()) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(StoreOutdatedError):
        open_unchanged(postgres.empty())
    for opened in (open_database, open_unchanged):
        with pytest.raises(StoreNewerError):
            opened(place)


def test_a_server_that_would_lose_what_it_acknowledged_is_refused(
    place: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(adapter._NEEDED, "fsync", "twice")

    with pytest.raises(StoreNotDurableError) as caught:
        open_database(place)

    assert caught.value.code == "store.notDurable"


def test_a_session_waits_for_the_disk_whatever_the_server_s_default(
    postgres: Postgres, place: DatabaseUrl
) -> None:
    with psycopg.connect(place.reveal(), autocommit=True) as connection:
        connection.execute("ALTER ROLE guildmark SET synchronous_commit = off")
    engine = open_database(place)

    with reading(engine) as opened:
        found = opened.exec_driver_sql("SHOW synchronous_commit").scalar_one()

    with psycopg.connect(place.reveal(), autocommit=True) as connection:
        connection.execute("ALTER ROLE guildmark RESET synchronous_commit")
    engine.dispose()
    assert found == "on"


def test_a_refusal_tells_the_place_and_no_secret(
    postgres: Postgres, place: DatabaseUrl, caplog: pytest.LogCaptureFixture
) -> None:
    name = str(place).rpartition("/")[2]
    wrong = DatabaseUrl(postgres.url(name, password="canary-of-another"))
    nowhere = DatabaseUrl(postgres.url("nowhere"))

    said = ""
    for one in (wrong, nowhere):
        for opened in (open_database, open_unchanged):
            with pytest.raises(StoreUnreachableError) as caught:
                opened(one)
            said += f"{caught.value} {caught.value.detail} {caught.value.__cause__!r}"

    assert str(place) in said
    assert "canary" not in said + caplog.text


def test_the_package_for_it_may_be_missing(
    place: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_words: object, **_more: object) -> Engine:
        raise ModuleNotFoundError(name="psycopg")

    monkeypatch.setattr(adapter, "create_engine", missing)

    with pytest.raises(StoreDriverMissingError, match="psycopg"):
        open_database(place)


def test_a_writer_that_never_ends_is_named(
    postgres: Postgres, place: DatabaseUrl, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = adapter._TO_WRITE.replace(f"'{adapter._WAIT_SECONDS}s'", "'50ms'", 1)
    monkeypatch.setattr(adapter, "_TO_WRITE", short)
    fresh = postgres.empty()
    other = open_database(place)

    with (
        writing(engine),
        pytest.raises(StoreUnavailableError, match="lock timeout"),
        writing(other),
    ):
        pytest.fail("two writers at once")
    with psycopg.connect(fresh.reveal()) as holder:
        holder.execute(f"SELECT pg_advisory_xact_lock({adapter._LOCK})".encode())
        with pytest.raises(StoreBusyError):
            open_database(fresh)
    other.dispose()


def test_a_writer_that_stands_still_is_followed_and_can_do_nothing_more(
    place: DatabaseUrl, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stands = threading.Event()
    follower = open_database(place)

    def follow() -> None:
        with writing(follower) as connection:
            put(connection, 7)
        stands.set()

    thread = threading.Thread(target=follow)
    timeout, patient = "idle_in_transaction_session_timeout", adapter._TO_WRITE
    hasty = patient.replace(f"{timeout} = '{adapter._IDLE_SECONDS}s'", f"{timeout} = '200ms'")

    def stand_still() -> None:
        monkeypatch.setattr(adapter, "_TO_WRITE", hasty)
        with writing(engine) as connection:
            put(connection, 1)
            monkeypatch.setattr(adapter, "_TO_WRITE", patient)
            thread.start()
            assert stands.wait(60)
            put(connection, 2)

    with pytest.raises(StoreUnavailableError):
        stand_still()

    thread.join()
    follower.dispose()
    with reading(engine) as connection:
        assert [row.next for row in connection.execute(NONCES.select())] == [7]


def test_what_was_replaced_is_written_out(engine: Engine) -> None:
    row = {"kind": "terms", "key": b"1", "body": b"clear"}
    with writing(engine) as connection:
        connection.execute(DOCUMENTS.insert().values(row))

    forget_deleted(engine, DOCUMENTS.name)

    with reading(engine) as connection:
        assert connection.execute(DOCUMENTS.select()).one().body == b"clear"


def test_a_whole_database_is_read_to_its_last_value(engine: Engine) -> None:
    with writing(engine) as connection:
        put(connection)

    check_whole(engine)


def test_a_page_that_is_damaged_is_named(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(_connection: Connection) -> list[str]:
        # What the server says of a table whose file is not what it wrote.
        raise DataError("SELECT", {}, psycopg.errors.DataCorrupted("invalid page in block 7"))

    monkeypatch.setattr(adapter, "read_all", damaged)

    with pytest.raises(StoreDamagedError, match="invalid page in block 7"):
        check_whole(engine)


PIN = ChainPin(
    chain_id=ChainId(7),
    genesis=Digest(bytes(32)),
    chain_class=ChainClass.CONSORTIUM,
    contracts={
        ContractName.DIRECTORY: ContractPin(
            address=Address(b"\x0b" * 20), code_hash=Digest(bytes(32))
        )
    },
)
OTHER = ChainPin(
    chain_id=ChainId(8), genesis=PIN.genesis, chain_class=PIN.chain_class, contracts=PIN.contracts
)
LOG = LogNumber(3)


def test_a_database_is_of_one_home(engine: Engine) -> None:
    belong(engine, PIN, None)
    belong(engine, PIN, None)
    belong(engine, PIN, LOG)
    belong(engine, PIN, LOG)

    for pin, log in ((OTHER, LOG), (PIN, None), (PIN, LogNumber(4))):
        with pytest.raises(StoreForeignError):
            belong(engine, pin, log)


def test_hosts_of_a_database_have_the_same_keys(engine: Engine) -> None:
    first = {"note": "aa", "home-seal": "bb"}
    check_keys(engine, {})

    share_keys(engine, first)
    share_keys(engine, first)
    share_keys(engine, {**first, "further": "cc"})

    with reading(engine) as connection:
        query = DOCUMENTS.select().where(DOCUMENTS.c.kind == HOME_KEYS)
        assert len(connection.execute(query).all()) == 1
    for other in ({**first, "note": "dd"}, {"note": "aa"}):
        with pytest.raises(StoreKeysError):
            share_keys(engine, other)
        with pytest.raises(StoreKeysError):
            check_keys(engine, other)


def test_a_server_that_was_killed_loses_nothing_and_is_found_again(
    postgres: Postgres, engine: Engine
) -> None:
    with writing(engine) as connection:
        put(connection, 5)

    def die(use: Callable[[Engine], AbstractContextManager[Connection]]) -> None:
        with use(engine) as connection:
            connection.execute(NONCES.update().values(next=6)) if use is writing else None
            postgres.kill()
            connection.execute(NONCES.select())

    for use in (writing, reading):
        with pytest.raises(StoreUnavailableError):
            die(use)
        with pytest.raises(StoreUnavailableError), use(engine):
            pytest.fail("nobody answers")
        postgres.start()
        with use(engine) as connection:
            assert connection.execute(NONCES.select()).one().next == 5


@pytest.mark.parametrize(("cut", "kept"), [(Cut.BEFORE, []), (Cut.AFTER, [5])])
def test_a_commit_whose_answer_is_lost_is_not_known_and_done_once_when_repeated(
    cut: Cut, kept: list[int], postgres: Postgres, engine: Engine, place: DatabaseUrl
) -> None:
    with Wire(server=("127.0.0.1", postgres.port), word=b"COMMIT").opened() as wire:
        name = place.reveal().rpartition("/")[2]
        away = open_database(DatabaseUrl(postgres.url(name, port=wire.port)))
        wire.cut = cut

        def repeat() -> None:
            with writing(away) as connection:
                if not connection.execute(NONCES.select()).all():
                    put(connection, 5)

        with pytest.raises(StoreUnavailableError):
            repeat()
        assert wire.was_cut.is_set()
        assert [row.next for row in rows(engine)] == kept
        repeat()

        away.dispose()
    assert [row.next for row in rows(engine)] == [5]
