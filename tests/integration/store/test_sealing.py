"""Content keys at rest: no file of a home shows them, old homes are sealed when they are opened."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select

from guildmark.adapters.keys.keystore import FileKeyStore
from guildmark.adapters.store.engine import open_database, reading, writing
from guildmark.adapters.store.facts import DOCUMENTS
from guildmark.adapters.store.node import SqlNodeStore
from guildmark.adapters.store.sealing import KEY, SECRET, HomeSealing, seal_old
from guildmark.ports.keys import KeyMissingError, PasswordWrongError, SealBrokenError
from guildmark.ports.store import DocumentKind

CANARY = b"canary-of-a-content-key"
PLACE, OTHER = b"1" * 32, b"2" * 32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def engine(folder: Path) -> Iterator[Engine]:
    engine = open_database(folder / "node.db")
    yield engine
    engine.dispose()


def sealing(folder: Path, password: str = "a password") -> HomeSealing:
    keys = FileKeyStore(folder / "keys", password=lambda: password)
    return HomeSealing(keys=keys)


def put(engine: Engine, folder: Path, kind: DocumentKind, body: bytes, *, at: bytes) -> None:
    with SqlNodeStore(engine, sealing(folder)).writing() as work:
        work.documents.put(kind, at, body)


def got(engine: Engine, by: HomeSealing, kind: DocumentKind, at: bytes = PLACE) -> bytes | None:
    with SqlNodeStore(engine, by).reading() as view:
        return view.documents.get(kind, at)


def shown_in(folder: Path, canary: bytes) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"node.db"}
    return [path.name for path in files if canary in path.read_bytes()]


@pytest.mark.parametrize("kind", sorted(SECRET))
def test_what_holds_content_keys_is_sealed(
    kind: DocumentKind, engine: Engine, folder: Path
) -> None:
    put(engine, folder, kind, CANARY, at=PLACE)

    assert got(engine, sealing(folder), kind) == CANARY
    assert shown_in(folder, CANARY) == []
    assert got(engine, sealing(folder), kind, OTHER) is None


def test_other_documents_stay_as_they_are(engine: Engine, folder: Path) -> None:
    put(engine, folder, DocumentKind.PROFILE, CANARY, at=PLACE)

    assert got(engine, sealing(folder), DocumentKind.PROFILE) == CANARY
    assert shown_in(folder, CANARY) != []
    assert sealing(folder).keys.names() == []


def test_another_password_opens_nothing(engine: Engine, folder: Path) -> None:
    put(engine, folder, DocumentKind.FILES, CANARY, at=PLACE)

    with pytest.raises(PasswordWrongError):
        got(engine, sealing(folder, "another"), DocumentKind.FILES)


def test_without_the_homes_key_nothing_opens(engine: Engine, folder: Path) -> None:
    put(engine, folder, DocumentKind.FILES, CANARY, at=PLACE)
    for path in (folder / "keys").iterdir():
        path.unlink()

    with pytest.raises(KeyMissingError):
        got(engine, sealing(folder), DocumentKind.FILES)


def test_a_sealed_document_opens_in_its_own_place(engine: Engine, folder: Path) -> None:
    put(engine, folder, DocumentKind.FILES, CANARY, at=PLACE)
    with writing(engine) as connection:
        body = connection.execute(select(DOCUMENTS.c.body)).scalar_one()
        connection.execute(insert(DOCUMENTS).values(kind="files", key=OTHER, body=body))

    with pytest.raises(SealBrokenError):
        got(engine, sealing(folder), DocumentKind.FILES, OTHER)


def test_an_old_home_is_sealed_and_keeps_no_trace(engine: Engine, folder: Path) -> None:
    # Large enough for pages of its own; and one that stood there before.
    clear = {kind: CANARY * 2_000 + kind.value.encode() for kind in SECRET}
    plain = SqlNodeStore(engine)
    for bodies in (dict.fromkeys(SECRET, CANARY * 3000), clear):
        with plain.writing() as work:
            for kind, body in bodies.items():
                work.documents.put(kind, PLACE, body)
    assert shown_in(folder, CANARY) != []

    found = seal_old(engine, sealing(folder))

    assert found == len(SECRET)
    assert shown_in(folder, CANARY) == []
    assert {kind: got(engine, sealing(folder), kind) for kind in SECRET} == clear
    assert seal_old(engine, sealing(folder)) == 0


def test_a_home_without_content_keys_needs_no_password(engine: Engine, folder: Path) -> None:
    put(engine, folder, DocumentKind.PROFILE, b"{}", at=PLACE)

    assert seal_old(engine, HomeSealing(keys=_closed(folder))) == 0


def test_what_was_sealed_before_is_read_with_what_was_not(engine: Engine, folder: Path) -> None:
    put(engine, folder, DocumentKind.FILES, CANARY, at=PLACE)
    with SqlNodeStore(engine).writing() as work:
        work.documents.put(DocumentKind.FILES, OTHER, b"clear")

    assert got(engine, sealing(folder), DocumentKind.FILES, OTHER) == b"clear"
    assert seal_old(engine, sealing(folder)) == 1
    assert got(engine, sealing(folder), DocumentKind.FILES) == CANARY
    with reading(engine) as connection:
        bodies = connection.execute(select(DOCUMENTS.c.body)).scalars().all()
    assert not any(b"clear" in body for body in bodies)
    assert sealing(folder).keys.names() == [KEY]


@pytest.mark.parametrize(
    ("behind", "sealed_anew"), [(b"\0\xff\xff", 0), (b"\0", 0), (b"\1", 1), (b"", 1)]
)
def test_what_is_sealed_is_told_by_its_mark_whatever_follows(
    behind: bytes, sealed_anew: int, engine: Engine, folder: Path
) -> None:
    row = {"kind": DocumentKind.FILES, "key": PLACE, "body": b"guildmark/sealed/v1" + behind}
    with writing(engine) as connection:
        connection.execute(insert(DOCUMENTS).values(row))

    assert seal_old(engine, sealing(folder)) == sealed_anew


def _closed(folder: Path) -> FileKeyStore:
    def password() -> str:
        pytest.fail("nobody needs a password")

    return FileKeyStore(folder / "keys", password=password)
