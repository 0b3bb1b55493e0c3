"""A home's database from a file onto a server and back, by backup and restore."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from guildmark import cli
from guildmark.adapters.store.copying import TABLES, copy_to_file, fill
from guildmark.adapters.store.engine import open_database, reading, writing
from guildmark.adapters.store.facts import DOCUMENTS
from guildmark.adapters.store.log import BATCHES
from guildmark.adapters.store.node import SqlNodeStore
from guildmark.adapters.store.places import DatabaseUrl, Place
from guildmark.adapters.store.refusals import StoreTakenError
from guildmark.adapters.store.schema import METADATA
from guildmark.domain.chain.contracts import ChainClass
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Address, ChainId
from guildmark.ports.store import DocumentKind
from guildmark.settings import ChainSettings, Settings, load, save
from postgres_server import Postgres

pytestmark = [pytest.mark.needs("postgresql")]

Run = Callable[..., tuple[int, Any]]
CHAIN = ChainSettings(
    url="http://127.0.0.1:1",
    chain_id=ChainId(7),
    genesis=sha256(b"genesis"),
    chain_class=ChainClass.CONSORTIUM,
    directory=Address(bytes(20)),
)
DOCUMENT = bytes(range(256)) * 10


@pytest.fixture
def url(postgres: Postgres) -> DatabaseUrl:
    return postgres.fresh()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def say(*words: object) -> tuple[int, Any]:
        with pytest.raises(SystemExit) as left:
            cli.main(["backup", *map(str, words), "--json"])
        code = left.value.code
        assert isinstance(code, int)
        return code, json.loads(capsys.readouterr().out)

    return say


def put(place: Place, key: bytes) -> None:
    engine = open_database(place)
    with SqlNodeStore(engine).writing() as work:
        work.documents.put(DocumentKind.TERMS, key, DOCUMENT)
    with writing(engine) as connection:
        row = {"log": 1, "seq": 2, "root": b"r", "draws": "[]", "state": "final"}
        connection.execute(BATCHES.insert().values(row))
    engine.dispose()


def held(place: Place) -> dict[bytes, bytes]:
    engine = open_database(place)
    with reading(engine) as connection:
        found = {row.key: row.body for row in connection.execute(DOCUMENTS.select())}
        numbers = [row.number for row in connection.execute(BATCHES.select())]
    engine.dispose()
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    return found


def test_every_table_is_copied(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "node.db")

    found = {*inspect(engine).get_table_names()} - {"alembic_version"}

    engine.dispose()
    assert {table.name for table in TABLES} == {*METADATA.tables} == found


def test_a_copy_holds_what_was_there_and_numbers_on(url: DatabaseUrl, tmp_path: Path) -> None:
    put(tmp_path / "a.db", b"1")

    fill(url, tmp_path / "a.db")
    put(url, b"2")
    copy_to_file(url, tmp_path / "b.db")
    put(tmp_path / "b.db", b"3")

    assert held(tmp_path / "b.db") == {b"1": DOCUMENT, b"2": DOCUMENT, b"3": DOCUMENT}


def test_a_database_that_holds_something_is_not_filled(url: DatabaseUrl, tmp_path: Path) -> None:
    put(tmp_path / "a.db", b"1")
    put(url, b"2")

    with pytest.raises(StoreTakenError) as caught:
        fill(url, tmp_path / "a.db")

    assert caught.value.code == "store.taken"
    assert held(url) == {b"2": DOCUMENT}


def test_a_home_moves_onto_a_server_and_back_by_its_backups(
    run: Run, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, home = postgres.copy(), tmp_path / "home"
    save(Settings(home=home, chain=CHAIN))
    put(home / "node.db", b"1")

    # From one box, onto the server that the environment names ...
    assert run("create", tmp_path / "1", "--home", home)[0] == 0
    monkeypatch.setenv("GUILDMARK_DATABASE_URL", url.reveal())
    assert run("restore", tmp_path / "1", "--offline", "--home", tmp_path / "shared")[0] == 0
    assert not (tmp_path / "shared" / "node.db").exists()
    put(url, b"2")

    # ... a backup of that, which says nothing of the server's secrets ...
    code, made = run("create", tmp_path / "2", "--home", tmp_path / "shared")
    assert (code, made["databases"].keys()) == (0, {"node.db"})
    assert run("verify", tmp_path / "2")[0] == 0
    assert postgres.password.encode() not in (tmp_path / "2").read_bytes()

    # ... is not poured over what is there, and becomes a box again.
    code, refused = run("restore", tmp_path / "2", "--offline", "--home", tmp_path / "again")
    assert (code, refused["code"]) == (1, "store.taken")
    assert not (tmp_path / "again").exists()
    words = ("restore", tmp_path / "2", "--offline", "--as-file", "--home", tmp_path / "again")
    assert run(*words)[0] == 0
    assert held(tmp_path / "again" / "node.db") == {b"1": DOCUMENT, b"2": DOCUMENT}


def test_a_url_in_the_settings_is_used_and_forgotten_on_request(
    run: Run, postgres: Postgres, tmp_path: Path
) -> None:
    home, url = tmp_path / "home", postgres.copy()
    save(Settings(home=home, chain=CHAIN, shared=url))
    put(url, b"1")
    # What is left of the time before the move counts no more.
    put(home / "node.db", b"9")
    assert run("create", tmp_path / "1", "--home", home)[0] == 0

    words = ("restore", tmp_path / "1", "--offline", "--as-file", "--home", tmp_path / "box")
    assert run(*words)[0] == 0

    assert load(tmp_path / "box").database == tmp_path / "box" / "node.db"
    assert held(tmp_path / "box" / "node.db") == {b"1": DOCUMENT}
