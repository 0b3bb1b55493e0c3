"""Backups of whole homes: create while the node runs, verify without one, restore elsewhere."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zipfile import ZipFile

import orjson

from guildmark.adapters.backups import archive, databases, homes, manifest
from guildmark.adapters.backups.archive import Writer, pieces
from guildmark.adapters.backups.manifest import Manifest, check_inside
from guildmark.adapters.backups.refusals import (
    BackupChainOtherError,
    BackupKeysError,
    BackupMalformedError,
    BackupPlaceError,
    BackupTargetError,
)
from guildmark.adapters.backups.sealing import seal, unseal
from guildmark.adapters.chain.genesis import FILE_NAME as GENESIS
from guildmark.adapters.chain.journal import Journal, JournalBlock
from guildmark.adapters.files import sync_folder
from guildmark.adapters.store.copying import copy_to_file
from guildmark.adapters.store.places import DatabaseUrl
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Address, ChainId, Digest, to_hex
from guildmark.ports.clock import Entropy

SEALED = "keys.sealed"
NODE_DATABASE = "node.db"

_GENESIS_PATH = f"{homes.CHAIN}/{GENESIS}"
_PRIVATE = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """The chain that a home's settings name."""

    chain_id: ChainId
    genesis: Digest
    directory: Address


def create(
    home: Path,
    target: Path,
    *,
    pin: Pin,
    password: str | None,
    entropy: Entropy,
    shared: DatabaseUrl | None = None,
) -> Manifest:
    """Copy one consistent state of a home into a file; its node may run.

    Databases are copied before the journal of the chain that they have read, and both before
    content, which is put down before anything names it.

    Args:
        home: The home.
        target: The file to be made.
        pin: The chain that the home's settings name.
        password: Seals the keys; None leaves them out.
        entropy: Draws what the sealing needs.
        shared: The home's database where it is on a server: a copy of it is kept as a file.

    Raises:
        StoreUnreachableError: The server does not answer.
        BackupPlaceError: The file would be in the home.
        BackupPasswordShortError: The password is too short.
        DatabaseDamagedError: A database of the home is damaged.
        FileExistsError: There is a file of that name.
    """
    if target.resolve().is_relative_to(home.resolve()):
        message = f"{target} is in the home {home}."
        raise BackupPlaceError(message, path=str(target))
    found = homes.contents(home)
    schemas = {}
    with archive.writing(target) as writer:
        own = [name for name in found.databases if shared is None or name != NODE_DATABASE]
        for name in own:
            schemas[name] = _add_database(
                writer, name, partial(databases.copy, home / name), beside=target.parent
            )
        if shared is not None:
            schemas[NODE_DATABASE] = _add_database(
                writer, NODE_DATABASE, partial(copy_to_file, shared), beside=target.parent
            )
        journal = _add_journal(writer, home) if found.has_chain else None
        for name in found.plain:
            _add_file(writer, home, name)
        if password is not None:
            secret = {name: (home / name).read_bytes() for name in found.secret}
            writer.add(SEALED, [seal(secret, password, entropy)], mode=_PRIVATE)
        made = Manifest(
            chain_id=pin.chain_id,
            genesis=pin.genesis,
            directory=pin.directory,
            databases=schemas,
            journal=journal,
            has_keys=password is not None,
            files=tuple(writer.kept),
        )
        writer.end(made.encode())
    return made


def verify(path: Path, *, password: str | None = None) -> Manifest:
    """Check a backup: its bytes, its databases, its chain; keys only with their password.

    Raises:
        BackupDamagedError: A byte is missing or another one.
        BackupMalformedError: It is not what a backup is, or its parts do not agree.
        BackupNewerError: A later release wrote it, or a database in it.
        BackupChainOtherError: Its parts are of two chains.
        BackupKeysError: A password is named, and the keys are not there.
        BackupPasswordError: The password is another one.
    """
    with archive.reading(path) as opened, tempfile.TemporaryDirectory() as folder:
        found = _checked(opened)
        _unpack(opened, found, Path(folder))
        _check_parts(found, Path(folder))
        if password is not None:
            _secrets(opened, found, password)
        return found


@contextmanager
def restoring(path: Path, home: Path, *, password: str | None) -> Iterator[tuple[Manifest, Path]]:
    """Make a home of a backup, all of it or nothing, when the block ends without an error.

    Args:
        path: The backup.
        home: The folder, which is not there yet, or empty.
        password: Opens the keys; None leaves them out.

    Raises:
        BackupTargetError: The folder is not empty.
        GuildmarkError: As ``verify``.
    """
    if home.is_symlink() or (home.exists() and not home.is_dir()) or _has_files(home):
        message = f"{home} is not empty."
        raise BackupTargetError(message, path=str(home))
    home.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{home.name}.", dir=home.parent))
    try:
        with archive.reading(path) as opened:
            found = _checked(opened)
            _unpack(opened, found, draft)
            _check_parts(found, draft)
            secret = {} if password is None else _secrets(opened, found, password)
        _write_secrets(draft, secret)
        yield found, draft
        _sync(draft)
        draft.replace(home)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    sync_folder(home.parent)


def _has_files(home: Path) -> bool:
    return home.exists() and any(home.iterdir())


def _add_database(writer: Writer, name: str, copy: Callable[[Path], None], *, beside: Path) -> str:
    with tempfile.TemporaryDirectory(dir=beside, prefix=".backup-") as folder:
        copied = Path(folder) / "copy.db"
        copy(copied)
        with copied.open("rb") as file:
            writer.add(name, pieces(file), mode=_PRIVATE)
        return databases.check(copied, shown=name)


def _add_journal(writer: Writer, home: Path) -> int:
    """Keep head and journal; the head first, since the journal may be ahead of it, never behind."""
    head = (home / homes.HEAD_PATH).read_bytes()
    writer.add(homes.HEAD_PATH, [head], mode=_mode(home / homes.HEAD_PATH))
    blocks = 0

    def whole() -> Iterator[bytes]:
        nonlocal blocks
        with (home / homes.JOURNAL_PATH).open("rb") as file:
            for line in file:
                # The keeper writes on: a line without its end was shown to nobody.
                if line.endswith(b"\n"):
                    blocks += 1
                    yield line

    writer.add(homes.JOURNAL_PATH, whole(), mode=_mode(home / homes.JOURNAL_PATH))
    return blocks


def _add_file(writer: Writer, home: Path, name: str) -> None:
    # What is gone since it was listed was of no use to anybody.
    with suppress(FileNotFoundError), (home / name).open("rb") as file:
        writer.add(name, pieces(file), mode=_mode(home / name))


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def _checked(opened: ZipFile) -> Manifest:
    found = manifest.parse(archive.manifest_of(opened))
    archive.check_files(opened, found.files)
    if found.has_keys != any(file.path == SEALED for file in found.files):
        message = "The backup's manifest and its files differ about the keys."
        raise BackupMalformedError(message)
    return found


def _unpack(opened: ZipFile, found: Manifest, folder: Path) -> None:
    for kept in found.files:
        if kept.path == SEALED:
            continue
        path = folder / kept.path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=_PRIVATE)
        with opened.open(kept.path) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)
        path.chmod(kept.mode)


def _check_parts(found: Manifest, folder: Path) -> None:
    """Check that databases, journal and settings are of one home."""
    for name, schema in found.databases.items():
        path = folder / check_inside(name)
        if not path.is_file() or databases.check(path, shown=name) != schema:
            message = f"The database {name} is not the one that the backup's manifest names."
            raise BackupMalformedError(message, path=name)
    if found.journal is None:
        return
    _check_genesis(found, folder / _GENESIS_PATH)
    path = folder / NODE_DATABASE
    read = databases.cursor(path) if NODE_DATABASE in found.databases else None
    blocks, at_cursor = 0, None
    for block in _journal(folder):
        blocks = block.number
        at_cursor = block if read is not None and read.number == blocks else at_cursor
    if blocks != found.journal:
        message = f"The journal has {blocks} blocks, the manifest says {found.journal}."
        raise BackupMalformedError(message, found=blocks, expected=found.journal)
    if read is not None and read.number and (at_cursor is None or at_cursor.hash != read.hash):
        message = f"The node has read block {read.number}, {to_hex(read.hash)}, of another chain."
        raise BackupChainOtherError(message, block=read.number)


def _check_genesis(found: Manifest, path: Path) -> None:
    try:
        chain_id = orjson.loads(path.read_bytes())["chainId"]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        message = "The backup does not say how its local chain began."
        raise BackupMalformedError(message) from exc
    if chain_id != found.chain_id:
        message = f"The backup's chain has id {chain_id}, its settings name {found.chain_id}."
        raise BackupChainOtherError(message, found=chain_id, expected=found.chain_id)


def _journal(folder: Path) -> Iterator[JournalBlock]:
    try:
        yield from Journal(path=folder / homes.JOURNAL_PATH).blocks()
    except GuildmarkError as exc:
        raise BackupMalformedError(exc.message) from exc


def _secrets(opened: ZipFile, found: Manifest, password: str) -> Mapping[str, bytes]:
    if not found.has_keys:
        message = "The backup was made without keys."
        raise BackupKeysError(message)
    return unseal(opened.read(SEALED), password)


def _write_secrets(folder: Path, secret: Mapping[str, bytes]) -> None:
    for name, content in secret.items():
        path = folder / check_inside(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=_PRIVATE)
        path.write_bytes(content)


def _sync(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())
    sync_folder(folder)
