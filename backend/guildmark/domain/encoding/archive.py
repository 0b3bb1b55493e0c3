"""The canonical archive: for one set of files exactly one zip, so that no byte can hide.

Names ascend, data is stored, date and attributes are fixed, no extra field, comment or gap (PKWARE
APPNOTE 6.3.10, 4.3). A reader writes again what it read and compares every byte.
"""

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from guildmark.domain.errors import ContentError

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_LOCAL_MARK = b"PK\x03\x04"
_VERSION = 20
_NO_TIME = 0
_FIRST_DATE = (1 << 5) | 1  # 1980-01-01, where the format's calendar begins
_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_NAME = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*", re.ASCII)


class ArchiveNotCanonicalError(ContentError):
    """The bytes are not the one archive that their files have."""

    code = "archive.notCanonical"
    hint = "Fetch the file again; a tool that repacks archives must not touch it."


class ArchiveNameError(ContentError):
    """A name in an archive is no plain relative path."""

    code = "archive.nameInvalid"
    hint = "Fetch the file again from another source; do not unpack it."


class ArchiveTooLargeError(ContentError):
    """An archive is larger than the reader accepts."""

    code = "archive.tooLarge"
    hint = "Ask the sender for the bundle alone, without attached content."


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """What a reader accepts before it looks at any file."""

    size: int = 64 << 20
    files: int = 4096
    name: int = 200


DEFAULT_LIMITS = ArchiveLimits()


def write(files: Mapping[str, bytes]) -> bytes:
    """Return the one archive that holds ``files``.

    Raises:
        ArchiveNameError: A name is no plain relative path.
    """
    local, central = bytearray(), bytearray()
    for name in sorted(files):
        _check_name(name, DEFAULT_LIMITS)
        encoded, data = name.encode("ascii"), files[name]
        fields = _fields(data, encoded)
        central += _CENTRAL.pack(b"PK\x01\x02", _VERSION, _VERSION, *fields, 0, 0, 0, 0, len(local))
        central += encoded
        local += _LOCAL.pack(_LOCAL_MARK, _VERSION, *fields) + encoded + data
    count = len(files)
    end = _END.pack(b"PK\x05\x06", 0, 0, count, count, len(central), len(local), 0)
    return bytes(local + central + end)


def read(data: bytes, limits: ArchiveLimits = DEFAULT_LIMITS) -> dict[str, bytes]:
    """Return the files that the canonical archive ``data`` holds.

    Raises:
        ArchiveTooLargeError: More bytes or files than the limits.
        ArchiveNameError: A name is no plain relative path.
        ArchiveNotCanonicalError: Writing the files again gives other bytes.
    """
    if len(data) > limits.size:
        message = f"The archive has {len(data)} bytes, the limit is {limits.size}."
        raise ArchiveTooLargeError(message, size=len(data), limit=limits.size)
    files: dict[str, bytes] = {}
    for name, content in _local_files(data, limits):
        if len(files) == limits.files:
            message = f"The archive has more than {limits.files} files."
            raise ArchiveTooLargeError(message, limit=limits.files)
        files[name] = content
    if write(files) != data:
        _refuse("it is not the one archive of its files")
    return files


def _fields(data: bytes, name: bytes) -> tuple[int, ...]:
    """Return the fields that local header and central directory share, all but the first."""
    size = len(data)
    return (0, 0, _NO_TIME, _FIRST_DATE, zlib.crc32(data), size, size, len(name), 0)


def _local_files(data: bytes, limits: ArchiveLimits) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents front to back; the directory is compared, never followed."""
    at = 0
    while data[at : at + 4] == _LOCAL_MARK:
        if len(data) < at + _LOCAL.size:
            _refuse("it is cut short")
        fields = _LOCAL.unpack_from(data, at)
        size, name_size = fields[8], fields[9]
        start = at + _LOCAL.size + name_size
        at = start + size
        if at > len(data):
            _refuse("it is cut short")
        yield _name(data[start - name_size : start], limits), data[start:at]


def _name(encoded: bytes, limits: ArchiveLimits) -> str:
    name = encoded.decode("latin-1")
    _check_name(name, limits)
    return name


def _check_name(name: str, limits: ArchiveLimits) -> None:
    if len(name) > limits.name or not _NAME.fullmatch(name):
        message = f"The archive holds a file called {name[:80]!r}, which is no plain path."
        raise ArchiveNameError(message, name=ascii(name[:80]))


def _refuse(reason: str) -> NoReturn:
    message = f"The archive is not canonical: {reason}."
    raise ArchiveNotCanonicalError(message, reason=reason)
