"""Backups of homes made by hand: what is kept, what never is, and every refusal."""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest

from fakes.content import CountingEntropy
from guildmark.adapters.backups import sealing, whole
from guildmark.adapters.backups.databases import DatabaseDamagedError
from guildmark.adapters.backups.manifest import Manifest, parse
from guildmark.adapters.backups.refusals import (
    BackupChainOtherError,
    BackupDamagedError,
    BackupKeysError,
    BackupMalformedError,
    BackupNewerError,
    BackupPasswordError,
    BackupPasswordShortError,
    BackupPlaceError,
    BackupTargetError,
)
from guildmark.adapters.chain.genesis import load_or_draw
from guildmark.adapters.chain.head import HeadFile
from guildmark.adapters.chain.journal import Journal, JournalBlock
from guildmark.adapters.clock import SystemClock, SystemEntropy
from guildmark.adapters.fieldwork.database import AgentDatabase
from guildmark.adapters.fieldwork.schema import STEPS
from guildmark.adapters.store.engine import open_database
from guildmark.adapters.store.node import SqlNodeStore
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Address, ChainId, Digest
from guildmark.ports.chain import Block

PASSWORD = "a password of some length"
SECRET = b"this is a key that nobody may see"
BLOCKS = 3


def block_hash(number: int) -> Digest:
    return Digest(sha256(b"block %d" % number))


@pytest.fixture
def pin(home: Path) -> whole.Pin:
    genesis = json.loads((home / "chain" / "genesis.json").read_text())
    return whole.Pin(
        chain_id=ChainId(genesis["chainId"]),
        genesis=Digest(sha256(b"genesis")),
        directory=Address(bytes(20)),
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the home of a keeper with a node, an agent, keys, content, and things that pass."""
    folder = tmp_path / "home"
    for name in ("keys", "chain/cache", "content/blocks/ab", "content/scratch", "documents"):
        (folder / name).mkdir(parents=True)
    keep_chain(folder / "chain")
    read_to(folder, BLOCKS)
    AgentDatabase(folder / "agent.db").close()
    (folder / "guildmark.toml").write_text("[chain]\n")
    (folder / "trust.json").write_text("{}")
    (folder / "content" / "blocks" / "ab" / "block").write_bytes(b"content")
    (folder / "documents" / "terms.json").write_text("{}")
    for name in ("keys/password", "keys/account.json", "machine.pem"):
        (folder / name).write_bytes(SECRET)
    for name in ("node.lock", "node.json", "content/scratch/x", "chain/cache/y", ".a.1.draft"):
        (folder / name).write_text("passing")
    return folder


def keep_chain(folder: Path) -> None:
    load_or_draw(folder, clock=SystemClock(), entropy=SystemEntropy())
    journal, head = Journal(path=folder / "journal.jsonl"), HeadFile(folder / "head.json")
    for number in range(1, BLOCKS + 1):
        block = JournalBlock(number=number, time=number, transactions=(), hash=block_hash(number))
        journal.append(block)
        head.move(block)


def read_to(folder: Path, number: int, *, found: Digest | None = None) -> None:
    """Let the node's index have read a block."""
    engine = open_database(folder / "node.db")
    with SqlNodeStore(engine).writing() as work:
        work.facts.move(Block(number=number, hash=found or block_hash(number), time=number))
    engine.dispose()


Make = Callable[..., Path]


@pytest.fixture
def make(home: Path, pin: whole.Pin, tmp_path: Path) -> Make:
    """Return what makes a backup of the home."""

    def run(name: str = "a.backup", *, password: str | None = None) -> Path:
        target = tmp_path / name
        whole.create(home, target, pin=pin, password=password, entropy=CountingEntropy())
        return target

    return run


def restored(backup: Path, folder: Path, *, password: str | None = None) -> Path:
    with whole.restoring(backup, folder, password=password):
        pass
    return folder


def forge(backup: Path, changed: Mapping[str, bytes | None]) -> None:
    """Write a backup anew with other members, its digest right."""
    with ZipFile(backup) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    members: dict[str, bytes | None] = {**kept, **changed}
    with ZipFile(backup, "w", ZIP_STORED) as archive:
        archive.comment = b"0" * 64
        for name, content in members.items():
            if content is not None:
                archive.writestr(name, content)
    body = backup.read_bytes()[:-64]
    backup.write_bytes(body + hashlib.sha256(body).hexdigest().encode())


def forge_file(backup: Path, name: str, content: bytes) -> None:
    """Change a file and what the manifest says of it."""
    with ZipFile(backup) as archive:
        document = json.loads(archive.read("manifest.json"))
    for row in document["files"]:
        if row["path"] == name:
            row |= {"size": len(content), "sha256": "0x" + hashlib.sha256(content).hexdigest()}
    forge(backup, {name: content, "manifest.json": json.dumps(document).encode()})


def forge_manifest(backup: Path, **changed: object) -> None:
    with ZipFile(backup) as archive:
        document = json.loads(archive.read("manifest.json"))
    forge(backup, {"manifest.json": json.dumps(document | changed).encode()})


def names(manifest: Manifest) -> set[str]:
    return {kept.path for kept in manifest.files}


def test_a_backup_holds_the_home_without_keys_and_passing_things(make: Make) -> None:
    found = whole.verify(make())

    assert names(found) == {
        "guildmark.toml",
        "trust.json",
        "node.db",
        "agent.db",
        "chain/genesis.json",
        "chain/head.json",
        "chain/journal.jsonl",
        "content/blocks/ab/block",
        "documents/terms.json",
    }
    assert (found.journal, found.has_keys) == (BLOCKS, False)
    assert set(found.databases) == {"node.db", "agent.db"}
    assert found.databases["agent.db"] == f"agent:{len(STEPS)}"


def test_the_same_home_gives_the_same_file(make: Make) -> None:
    first = make("first.backup", password=PASSWORD)

    assert first.read_bytes() == make("second.backup", password=PASSWORD).read_bytes()
    assert first.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_no_key_is_ever_in_clear(make: Make, home: Path, password: str | None) -> None:
    content = make(password=password).read_bytes()

    keeper = (home / "chain" / "keeper.key").read_bytes().strip()
    assert SECRET not in content
    assert keeper.removeprefix(b"0x") not in content
    assert PASSWORD.encode() not in content


def test_a_restored_home_is_the_home(make: Make, home: Path, tmp_path: Path) -> None:
    folder = restored(make(password=PASSWORD), tmp_path / "new" / "home", password=PASSWORD)

    for name in (
        "guildmark.toml",
        "chain/journal.jsonl",
        "chain/head.json",
        "chain/keeper.key",
        "keys/password",
        "keys/account.json",
        "machine.pem",
        "content/blocks/ab/block",
    ):
        assert (folder / name).read_bytes() == (home / name).read_bytes(), name
    assert (folder / "keys" / "account.json").stat().st_mode & 0o777 == 0o600
    assert (folder / "node.db").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    open_database(folder / "node.db").dispose()
    AgentDatabase(folder / "agent.db").close()
    assert [path.name for path in folder.parent.iterdir()] == ["home"]


def test_without_the_password_the_rest_is_restored(make: Make, tmp_path: Path) -> None:
    folder = restored(make(password=PASSWORD), tmp_path / "new")

    assert not (folder / "keys").exists()
    assert not (folder / "chain" / "keeper.key").exists()
    assert (folder / "node.db").exists()


def test_a_restored_home_gives_the_same_backup_again(
    make: Make, pin: whole.Pin, tmp_path: Path
) -> None:
    first = make(password=PASSWORD)
    folder = restored(first, tmp_path / "new", password=PASSWORD)

    again = tmp_path / "again.backup"
    whole.create(folder, again, pin=pin, password=PASSWORD, entropy=CountingEntropy())

    assert again.read_bytes() == first.read_bytes()


def test_a_home_that_keeps_no_chain_has_no_journal(
    home: Path, pin: whole.Pin, tmp_path: Path
) -> None:
    (home / "chain" / "journal.jsonl").unlink()

    made = whole.create(home, tmp_path / "b", pin=pin, password=None, entropy=SystemEntropy())

    assert made.journal is None
    assert whole.verify(tmp_path / "b") == parse(made.encode())


def test_what_others_write_meanwhile_is_not_half_there(home: Path, make: Make) -> None:
    with (home / "chain" / "journal.jsonl").open("ab") as file:
        file.write(b'{"number": 4, "ti')
    with closing(sqlite3.connect(home / "node.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM cursor")

        found = whole.verify(make())
        writer.execute("ROLLBACK")

    assert found.journal == BLOCKS


def test_an_index_that_read_nothing_yet_agrees_with_any_journal(home: Path, make: Make) -> None:
    (home / "node.db").unlink()
    open_database(home / "node.db").dispose()

    assert whole.verify(make()).journal == BLOCKS


def test_a_backup_in_its_own_home_is_refused(home: Path, pin: whole.Pin) -> None:
    with pytest.raises(BackupPlaceError):
        whole.create(home, home / "b", pin=pin, password=None, entropy=SystemEntropy())


def test_a_backup_replaces_none(make: Make) -> None:
    before = make().read_bytes()

    with pytest.raises(FileExistsError):
        make()

    assert make("other").parent.joinpath("a.backup").read_bytes() == before


def test_a_short_password_is_refused_and_nothing_left(make: Make, tmp_path: Path) -> None:
    with pytest.raises(BackupPasswordShortError):
        make(password="x" * (sealing.LEAST - 1))

    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    assert whole.verify(make(password="x" * sealing.LEAST)).has_keys


def test_a_damaged_database_is_not_copied_as_if_it_were_whole(home: Path, make: Make) -> None:
    path = home / "node.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))

    with pytest.raises(DatabaseDamagedError):
        make()


def test_any_flipped_byte_is_named(make: Make) -> None:
    backup = make(password=PASSWORD)
    content = backup.read_bytes()

    for at in [*range(0, len(content), len(content) // 40), len(content) - 1]:
        backup.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(BackupDamagedError):
            whole.verify(backup)


def test_any_half_of_a_backup_is_named(make: Make, tmp_path: Path) -> None:
    backup = make()
    content = backup.read_bytes()

    for size in [0, 1, 63, 64, 65, *range(100, len(content), len(content) // 10), len(content) - 1]:
        backup.write_bytes(content[:size])
        with pytest.raises(BackupDamagedError):
            restored(backup, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_what_is_no_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "b"
    path.write_bytes(b"x" + hashlib.sha256(b"x").hexdigest().encode())

    with pytest.raises(BackupMalformedError):
        whole.verify(path)


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"format": 1}',
        b'{"format": "tar"}',
        b'{"format":"guildmark-backup/1"}',
    ],
)
def test_a_manifest_that_is_none_is_named(make: Make, content: bytes) -> None:
    backup = make()
    forge(backup, {"manifest.json": content})

    with pytest.raises(BackupMalformedError):
        whole.verify(backup)


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "", "a//b", "./a", "a\0b"])
def test_nothing_is_written_outside_the_home(make: Make, tmp_path: Path, path: str) -> None:
    backup = make()
    row = {"path": path, "size": 0, "sha256": "0x" + "00" * 32, "mode": 0o600}
    forge_manifest(backup, files=[row])

    with pytest.raises(BackupMalformedError, match="no place in a home"):
        restored(backup, tmp_path / "deep" / "new")
    assert list((tmp_path / "deep").iterdir()) == []


def test_other_files_than_the_manifest_names_are_named(make: Make) -> None:
    changes: list[dict[str, bytes | None]] = [
        {"more": b""},
        {"trust.json": None},
        {"trust.json": b"[]"},
        {"trust.json": b"other"},
    ]
    for number, changed in enumerate(changes):
        backup = make(f"{number}.backup")
        forge(backup, changed)
        with pytest.raises(BackupMalformedError):
            whole.verify(backup)


def test_a_manifest_without_an_archive_s_manifest_is_named(make: Make) -> None:
    backup = make()
    forge(backup, {"manifest.json": None})

    with pytest.raises(BackupMalformedError):
        whole.verify(backup)


def test_a_later_format_is_named(make: Make) -> None:
    backup = make()
    forge_manifest(backup, format="guildmark-backup/2")

    with pytest.raises(BackupNewerError):
        whole.verify(backup)


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("node.db", "UPDATE alembic_version SET version_num = '9999'"),
        ("agent.db", "PRAGMA user_version = 999"),
    ],
)
def test_a_later_schema_is_named(make: Make, tmp_path: Path, name: str, statement: str) -> None:
    backup = make()
    changed = tmp_path / "changed.db"
    with ZipFile(backup) as archive:
        changed.write_bytes(archive.read(name))
    with closing(sqlite3.connect(changed, isolation_level=None)) as connection:
        connection.execute(statement)
    forge_file(backup, name, changed.read_bytes())

    with pytest.raises(BackupNewerError):
        restored(backup, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_home_of_a_later_release_is_not_copied(home: Path, make: Make) -> None:
    with closing(sqlite3.connect(home / "node.db", isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(BackupNewerError):
        make()


def test_another_schema_than_the_manifest_says_is_named(make: Make) -> None:
    for number, databases in enumerate([{"node.db": "node:0001"}, {"gone.db": "node:0001"}]):
        backup = make(f"{number}.backup")
        forge_manifest(backup, databases=databases)
        with pytest.raises(BackupMalformedError):
            whole.verify(backup)


def test_a_database_that_is_none_is_named(make: Make) -> None:
    backup = make()
    forge_file(backup, "node.db", b"no database" * 1000)

    with pytest.raises(DatabaseDamagedError):
        whole.verify(backup)


def test_an_index_of_another_chain_is_named(home: Path, make: Make) -> None:
    read_to(home, BLOCKS, found=block_hash(99))

    with pytest.raises(BackupChainOtherError):
        whole.verify(make())


def test_an_index_ahead_of_the_journal_is_named(home: Path, make: Make) -> None:
    read_to(home, BLOCKS + 1)

    with pytest.raises(BackupChainOtherError):
        whole.verify(make())


def test_settings_of_another_chain_are_named(make: Make) -> None:
    backup = make()
    chain = {"chainId": 1, "genesis": "0x" + "00" * 32, "directory": "0x" + "00" * 20}
    forge_manifest(backup, chain=chain)

    with pytest.raises(BackupChainOtherError):
        whole.verify(backup)


def test_a_genesis_that_is_none_is_named(make: Make) -> None:
    backup = make()
    forge_file(backup, "chain/genesis.json", b"{}")

    with pytest.raises(BackupMalformedError):
        whole.verify(backup)


@pytest.mark.parametrize("content", [b"", b"{}\n"])
def test_another_journal_than_the_manifest_says_is_named(make: Make, content: bytes) -> None:
    backup = make()
    forge_file(backup, "chain/journal.jsonl", content)

    with pytest.raises(BackupMalformedError):
        whole.verify(backup)


def test_a_node_database_that_says_nothing_is_named(make: Make, tmp_path: Path) -> None:
    backup = make()
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.execute("CREATE TABLE a (b)")
        connection.commit()
    forge_file(backup, "node.db", (tmp_path / "x.db").read_bytes())
    forge_manifest(backup, databases={"node.db": "agent:0", "agent.db": f"agent:{len(STEPS)}"})

    with pytest.raises(BackupMalformedError):
        whole.verify(backup)


def test_keys_open_with_their_password_alone(make: Make, tmp_path: Path) -> None:
    backup = make(password=PASSWORD)

    assert whole.verify(backup, password=PASSWORD).has_keys
    with pytest.raises(BackupPasswordError):
        restored(backup, tmp_path / "new", password=PASSWORD + "x")
    assert not (tmp_path / "new").exists()


def test_keys_that_are_not_there_are_not_promised(make: Make) -> None:
    backup = make()

    with pytest.raises(BackupKeysError):
        whole.verify(backup, password=PASSWORD)


def test_a_manifest_that_promises_keys_which_are_not_there_is_named(make: Make) -> None:
    backup = make()
    forge_manifest(backup, keys=True)

    with pytest.raises(BackupMalformedError):
        whole.verify(backup)


def test_only_an_empty_folder_is_restored_into(make: Make, tmp_path: Path) -> None:
    backup, folder = make(), tmp_path / "new"
    folder.mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(folder)

    for refused in (tmp_path / "file", tmp_path / "link", tmp_path / "home"):
        with pytest.raises(BackupTargetError):
            restored(backup, refused)

    assert (restored(backup, folder) / "node.db").exists()
    with pytest.raises(BackupTargetError):
        restored(backup, folder)


def test_a_refusal_on_the_way_leaves_nothing(make: Make, tmp_path: Path) -> None:
    backup, folder = make(), tmp_path / "deep" / "new"

    with (
        pytest.raises(BackupChainOtherError),
        whole.restoring(backup, folder, password=None) as (found, _),
    ):
        raise BackupChainOtherError(f"{found.chain_id} is another chain.")

    assert list(folder.parent.iterdir()) == []
