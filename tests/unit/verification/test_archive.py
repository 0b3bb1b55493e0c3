"""The canonical archive: one zip for a set of files, and no other bytes are read."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.encoding import archive
from guildmark.domain.errors import ContentError

NAMES = st.from_regex(
    r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,8}(/[a-z0-9][a-z0-9._-]{0,8}){0,3}", fullmatch=True
)
FILES = st.dictionaries(NAMES, st.binary(max_size=50), max_size=6)
EXAMPLE = {"manifest.json": b"{}", "log/entry.json": b'{"kind":1}', "SHA256SUMS": b"00"}


@given(FILES)
def test_what_is_written_is_read_back(files: dict[str, bytes]) -> None:
    assert archive.read(archive.write(files)) == files


@given(FILES)
def test_a_stock_reader_opens_it(files: dict[str, bytes]) -> None:
    data = archive.write(dict(reversed(files.items())))

    with zipfile.ZipFile(io.BytesIO(data)) as stock:
        assert stock.testzip() is None
        assert stock.namelist() == sorted(files)
        assert {name: stock.read(name) for name in stock.namelist()} == files


def test_every_flipped_bit_is_noticed() -> None:
    data = archive.write(EXAMPLE)

    for at in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[at] ^= 1 << bit
            with pytest.raises(ContentError):
                archive.read(bytes(flipped))


def test_every_cut_and_every_added_byte_is_noticed() -> None:
    data = archive.write(EXAMPLE)

    for at in range(len(data)):
        with pytest.raises(ContentError):
            archive.read(data[:at])
    for other in (data + b"\0", b"\0" + data, data + data):
        with pytest.raises(archive.ArchiveNotCanonicalError):
            archive.read(other)


def stock(files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as writer:
        for name, data in files.items():
            writer.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


def test_the_archive_of_a_stock_writer_is_refused() -> None:
    with pytest.raises(archive.ArchiveNotCanonicalError):
        archive.read(stock(dict(sorted(EXAMPLE.items()))))


def test_a_name_that_stands_twice_is_refused() -> None:
    one = archive.write({"a": b"1"})
    local = one[: one.index(b"PK\x01\x02")]

    with pytest.raises(archive.ArchiveNotCanonicalError):
        archive.read(local + one)


@pytest.mark.parametrize(
    "name",
    [
        "../etc/passwd",
        "/etc/passwd",
        "a/../b",
        "a//b",
        "a/",
        ".hidden",
        "a\\b",
        "a\0b",
        "c:d",
        "é",
        "",
        "x" * 201,
    ],
)
def test_a_name_that_is_no_plain_path_is_refused(name: str) -> None:
    with pytest.raises(archive.ArchiveNameError):
        archive.write({name: b""})
    with pytest.raises(archive.ArchiveNameError):
        archive.read(archive.write({"x" * len(name.encode()) or "x": b""}).replace(b"x", b"\xff"))


def test_a_traversal_is_refused_before_anything_else() -> None:
    evil = archive.write({"aa/etc": b"root"}).replace(b"aa/etc", b"../etc")

    with pytest.raises(archive.ArchiveNameError, match=r"'\.\./etc'"):
        archive.read(evil)


def test_limits_are_inclusive() -> None:
    data = archive.write({"a": b"1", "b": b"2"})

    assert archive.read(data, archive.ArchiveLimits(size=len(data), files=2, name=1))
    with pytest.raises(archive.ArchiveTooLargeError, match="bytes, the limit"):
        archive.read(data, archive.ArchiveLimits(size=len(data) - 1))
    with pytest.raises(archive.ArchiveTooLargeError, match="more than 1 files"):
        archive.read(data, archive.ArchiveLimits(files=1))
    with pytest.raises(archive.ArchiveNameError):
        archive.read(archive.write({"ab": b""}), archive.ArchiveLimits(name=1))


@given(st.binary(max_size=100))
def test_any_bytes_are_refused_without_a_crash(data: bytes) -> None:
    with pytest.raises(ContentError):
        archive.read(data)
    with pytest.raises(ContentError):
        archive.read(b"PK\x03\x04" + data)
