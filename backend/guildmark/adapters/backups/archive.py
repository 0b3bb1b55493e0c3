"""The file of a backup: a ZIP archive that ends with the digest of all its bytes before.

One changed or missing byte, wherever it is, shows before anything in it is believed.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from guildmark.adapters.backups.manifest import Kept
from guildmark.adapters.backups.refusals import BackupDamagedError, BackupMalformedError
from guildmark.adapters.files import sync_folder
from guildmark.domain.identifiers import Digest

MANIFEST = "manifest.json"

_PIECE = 1 << 20
_DIGEST = 64
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MANIFEST_MAX = 256 << 20


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Yield what a file holds."""
    while piece := file.read(_PIECE):
        yield piece


class Writer:
    """Writes one archive; what is kept is read once, and its digest noted on the way."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        self.kept: list[Kept] = []

    def add(self, path: str, content: Iterable[bytes], *, mode: int) -> None:
        """Keep a file."""
        digest, size = hashlib.sha256(), 0
        with self._archive.open(_info(path, mode), "w", force_zip64=True) as target:
            for piece in content:
                target.write(piece)
                digest.update(piece)
                size += len(piece)
        self.kept.append(Kept(path=path, size=size, digest=Digest(digest.digest()), mode=mode))

    def end(self, manifest: bytes) -> None:
        """Write the manifest behind all that it names."""
        self._archive.writestr(_info(MANIFEST, 0o600), manifest)


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """Write an archive beside ``path`` and put it there when all of it is durable.

    Raises:
        FileExistsError: There is a file of that name.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    try:
        with ZipFile(draft, "w", ZIP_STORED) as archive:
            archive.comment = b"0" * _DIGEST
            yield Writer(archive)
        _seal(draft)
        # A link, unlike a rename, never replaces.
        path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


@contextmanager
def reading(path: Path) -> Iterator[ZipFile]:
    """Open an archive of which every byte is as it was written.

    Raises:
        BackupDamagedError: A byte is missing or another one.
        BackupMalformedError: It is no archive all the same.
    """
    with path.open("rb") as file:
        _check(file, path)
        try:
            with ZipFile(file) as archive:
                yield archive
        except (BadZipFile, KeyError, NotImplementedError) as exc:
            message = f"{path} is no backup: {exc}."
            raise BackupMalformedError(message, path=str(path)) from exc


def manifest_of(archive: ZipFile) -> bytes:
    """Return the manifest's bytes."""
    return archive.open(MANIFEST).read(_MANIFEST_MAX)


def check_files(archive: ZipFile, files: Iterable[Kept]) -> None:
    """Check that an archive holds what its manifest names, no more and no less.

    Raises:
        BackupMalformedError: A file is missing, too many, or another one.
    """
    kept = {file.path: file for file in files}
    if sorted([*kept, MANIFEST]) != sorted(archive.namelist()):
        message = "The backup holds other files than its manifest names."
        raise BackupMalformedError(message)
    for path, file in kept.items():
        digest, size = hashlib.sha256(), 0
        with archive.open(path) as source:
            for piece in pieces(source):
                digest.update(piece)
                size += len(piece)
        if (digest.digest(), size) != (file.digest, file.size):
            message = f"{path} in the backup is not the file that its manifest names."
            raise BackupMalformedError(message, path=path)


def _info(path: str, mode: int) -> ZipInfo:
    info = ZipInfo(path, _EPOCH)
    info.external_attr = mode << 16
    return info


def _seal(path: Path) -> None:
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END) - _DIGEST
        digest = _digest(file, size)
        file.seek(size)
        file.write(digest)
        file.flush()
        os.fsync(file.fileno())


def _check(file: IO[bytes], path: Path) -> None:
    size = file.seek(0, os.SEEK_END) - _DIGEST
    is_whole = size > 0 and _digest(file, size) == file.read(_DIGEST)
    if not is_whole:
        message = f"{path} is not the backup that was written: bytes are missing or changed."
        raise BackupDamagedError(message, path=str(path))


def _digest(file: IO[bytes], size: int) -> bytes:
    """Return the digest of the first bytes as text, the file standing behind them."""
    digest, left = hashlib.sha256(), size
    file.seek(0)
    while left and (piece := file.read(min(left, _PIECE))):
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest().encode()
