"""ZIP archives from strangers: their directory is checked as a whole before an entry is read."""

import struct
import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO

from guildmark.adapters.shapes.limits import Limits
from guildmark.adapters.shapes.refusals import (
    ArchiveBombError,
    ArchiveEncryptedError,
    ArchiveEntriesError,
    ArchiveNameError,
    ArchiveOverlapError,
    ShapeMalformedError,
)

_LOCAL = struct.Struct("<4s2xH18xHH")
_MAGIC = b"PK\x03\x04"
# Encrypted (APPNOTE 4.4.4), strongly encrypted, directory masked.
_ENCRYPTED = 1 | 1 << 6 | 1 << 13
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_NAME_MAX = 255


@dataclass(frozen=True, slots=True)
class Archive:
    """The entries of a checked archive, by their names."""

    _file: zipfile.ZipFile
    _entries: dict[str, zipfile.ZipInfo]

    def names(self) -> tuple[str, ...]:
        """Return the names of all entries, in the order of the directory."""
        return tuple(self._entries)

    def has(self, name: str) -> bool:
        """Return whether there is such an entry."""
        return name in self._entries

    def read(self, name: str) -> bytes:
        """Return an entry's bytes, their checksum compared.

        Raises:
            ShapeMalformedError: There is none, or its bytes are not what the directory says.
        """
        if name not in self._entries:
            message = f"The archive has no {name[:80]!r}."
            raise ShapeMalformedError(message, name=name[:80])
        try:
            return self._file.read(self._entries[name])
        except (zipfile.BadZipFile, zlib.error, EOFError) as exc:
            message = f"The entry {name[:80]!r} is damaged."
            raise ShapeMalformedError(message, name=name[:80]) from exc


def open_archive(data: bytes, limits: Limits) -> Archive:
    """Return the archive whose directory passed every check; nothing was unpacked yet.

    Raises:
        ContentError: One of the errors of ``refusals``.
    """
    if not data.startswith(_MAGIC):
        message = "The file does not begin as an archive does."
        raise ShapeMalformedError(message)
    try:
        file = zipfile.ZipFile(BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as exc:
        message = "The archive has no directory that can be read."
        raise ShapeMalformedError(message) from exc
    found = file.infolist()
    if len(found) > limits.entries:
        message = f"The archive has {len(found)} entries, more than {limits.entries}."
        raise ArchiveEntriesError(message, entries=len(found))
    for info in found:
        _check_kind(info)
        _check_name(info.filename)
    _check_size(found, limits)
    _check_places(data, found, file.start_dir)
    return Archive(file, _by_name(found))


def _check_kind(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
        message = f"The entry {info.filename[:80]!r} is encrypted or packed in an unknown way."
        raise ArchiveEncryptedError(message, name=ascii(info.filename[:80]))


def _check_name(name: str) -> None:
    parts = name.removesuffix("/").split("/")
    is_bad = any(part in {"", ".", ".."} for part in parts) or len(name) > _NAME_MAX
    if is_bad or not name.isprintable() or set(name) & set('\\:*?"<>|'):
        message = f"No entry may be called {name[:80]!r}."
        raise ArchiveNameError(message, name=ascii(name[:80]))


def _check_size(found: list[zipfile.ZipInfo], limits: Limits) -> None:
    for info in found:
        if info.file_size > max(limits.free, limits.ratio * info.compress_size):
            message = f"{info.compress_size} bytes would unpack to {info.file_size}."
            raise ArchiveBombError(message, name=ascii(info.filename[:80]))
    total = sum(info.file_size for info in found)
    if total > limits.total:
        message = f"The archive would unpack to {total} bytes, more than {limits.total}."
        raise ArchiveBombError(message, total=total)


def _check_places(data: bytes, found: list[zipfile.ZipInfo], end: int) -> None:
    """Walk backwards, so that each entry must end before the one that is behind it."""
    for info in sorted(found, key=lambda one: one.header_offset, reverse=True):
        start = info.header_offset
        if not 0 <= start <= end - _LOCAL.size:
            raise _overlap(info)
        magic, flags, name_size, extra_size = _LOCAL.unpack_from(data, start)
        if magic != _MAGIC or flags & _ENCRYPTED:
            raise _overlap(info)
        if start + _LOCAL.size + name_size + extra_size + info.compress_size > end:
            raise _overlap(info)
        end = start


def _overlap(info: zipfile.ZipInfo) -> ArchiveOverlapError:
    message = f"The entry {info.filename[:80]!r} shares bytes with another, or is not there."
    return ArchiveOverlapError(message, name=ascii(info.filename[:80]))


def _by_name(found: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    # Part names are equal without regard to case (ECMA-376-2, 6.2.2.3).
    if len({info.filename.lower() for info in found}) != len(found):
        message = "The archive has a name twice."
        raise ArchiveNameError(message)
    return {info.filename: info for info in found}
