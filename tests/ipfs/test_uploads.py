"""Files that arrive in parts: durable leaf by leaf, whole at the end, or not at all."""

import hashlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from guildmark_ipfs.blockstore import LocalBlockStore
from guildmark_ipfs.cid import Cid, Codec
from guildmark_ipfs.errors import (
    BusyError,
    NotFoundError,
    StoreFailedError,
    StoreFullError,
    TooLargeError,
    TruncatedError,
    WrongOffsetError,
)
from guildmark_ipfs.memory import AddressOnly
from guildmark_ipfs.store import ContentStore, describe
from guildmark_ipfs.unixfs import CHUNK, Builder
from guildmark_ipfs.uploads import Upload, Uploads
from ipfs import disks
from ipfs.kubo_node import address_by_kubo

DATA = os.urandom(2 * CHUNK + 77)


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    blocks = LocalBlockStore.open(tmp_path / "blocks")
    return Uploads(folder=tmp_path / "uploads", blocks=blocks)


def content(uploads: Uploads, cid: Cid) -> bytes:
    return b"".join(ContentStore(uploads.blocks).read(cid))


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, len(DATA)])
def test_a_file_in_one_part_has_the_address_that_it_has_anyway(uploads: Uploads, size: int) -> None:
    data = DATA[:size]
    name = uploads.begin(size).name

    at = uploads.append(name, 0, [data[:5], b"", data[5:]])
    cid = uploads.finish(name)

    assert at == Upload(name=name, size=size, offset=size)
    assert cid == describe(io.BytesIO(data)).cid
    assert content(uploads, cid) == data


def test_an_upload_goes_on_from_its_last_full_leaf(uploads: Uploads) -> None:
    name = uploads.begin(len(DATA)).name

    first = uploads.append(name, 0, [DATA[: CHUNK + 900]])
    again = Uploads(folder=uploads.folder, blocks=uploads.blocks)

    assert first.offset == CHUNK
    assert again.status(name) == first
    assert again.append(name, CHUNK, [DATA[CHUNK:]]).offset == len(DATA)
    assert content(uploads, again.finish(name)) == DATA


def test_a_connection_that_breaks_keeps_what_came_in_full_leaves(uploads: Uploads) -> None:
    def breaking() -> Iterator[bytes]:
        yield DATA[: CHUNK + 1]
        raise ConnectionResetError

    name = uploads.begin(len(DATA)).name
    with pytest.raises((ConnectionResetError, StoreFailedError)):
        uploads.append(name, 0, breaking())

    assert uploads.status(name).offset == CHUNK


def test_a_part_that_does_not_follow_is_refused(uploads: Uploads) -> None:
    name = uploads.begin(len(DATA)).name
    uploads.append(name, 0, [DATA[:CHUNK]])

    for offset in (0, CHUNK - 1, CHUNK + 1, 2 * CHUNK):
        with pytest.raises(WrongOffsetError, match=f"stands at byte {CHUNK}") as caught:
            uploads.append(name, offset, [DATA])
        assert caught.value.detail["offset"] == CHUNK


def test_more_bytes_than_announced_are_refused(uploads: Uploads) -> None:
    name = uploads.begin(CHUNK + 1).name

    with pytest.raises(TooLargeError, match="More bytes came"):
        uploads.append(name, 0, [DATA[: CHUNK + 2]])

    assert content(uploads, uploads.finish(name)) == DATA[: CHUNK + 1]


def test_an_upload_that_lacks_bytes_is_not_finished(uploads: Uploads) -> None:
    name = uploads.begin(CHUNK + 1).name
    uploads.append(name, 0, [DATA[:CHUNK]])

    with pytest.raises(TruncatedError, match=f"Of {CHUNK + 1} bytes, {CHUNK} arrived"):
        uploads.finish(name)


def test_finishing_twice_gives_the_same_address(uploads: Uploads) -> None:
    name = uploads.begin(5).name
    uploads.append(name, 0, [b"12345"])

    assert uploads.finish(name) == uploads.finish(name)
    assert uploads.append(name, 5, []).offset == 5


@pytest.mark.parametrize("size", [-1, 6])
def test_an_announced_size_outside_the_limit_is_refused(uploads: Uploads, size: int) -> None:
    with pytest.raises(TooLargeError, match="at most 5 bytes"):
        uploads.begin(size, limit=5)
    assert uploads.begin(5, limit=5).size == 5


@pytest.mark.parametrize(
    "name", ["", "0" * 32, "../../etc/passwd", "F" * 32, "a" * 31, "a" * 33, "a" * 32 + "\n"]
)
def test_an_unknown_name_reaches_no_file(uploads: Uploads, name: str) -> None:
    uploads.begin(1)

    for ask in (uploads.status, uploads.finish, lambda each: uploads.append(each, 0, [])):
        with pytest.raises(NotFoundError, match="no such upload"):
            ask(name)


def test_one_part_arrives_at_a_time(uploads: Uploads) -> None:
    name = uploads.begin(len(DATA)).name
    seen: list[str] = []

    def meddling() -> Iterator[bytes]:
        for meddle in (lambda: uploads.append(name, 0, [DATA]), lambda: uploads.finish(name)):
            with pytest.raises(BusyError, match="arriving already"):
                meddle()
            seen.append("refused")
        yield DATA

    uploads.append(name, 0, meddling())

    assert seen == ["refused"] * 2
    assert content(uploads, uploads.finish(name)) == DATA


def test_there_are_only_so_many_uploads_at_once(uploads: Uploads) -> None:
    few = Uploads(folder=uploads.folder, blocks=uploads.blocks, most=2)
    few.begin(1)
    few.begin(1)

    with pytest.raises(BusyError, match="2 uploads already"):
        few.begin(1)


def test_an_upload_that_stands_still_is_forgotten(uploads: Uploads) -> None:
    name = uploads.begin(1).name
    began = (uploads.folder / name).stat().st_mtime

    def at(seconds: float) -> Uploads:
        return Uploads(
            folder=uploads.folder, blocks=uploads.blocks, lifetime=60, now=lambda: seconds
        )

    at(began + 60).begin(1)
    assert uploads.status(name).offset == 0
    at(began + 61).begin(1)
    with pytest.raises(NotFoundError):
        uploads.status(name)


def test_a_torn_entry_is_dropped(uploads: Uploads) -> None:
    name = uploads.begin(len(DATA)).name
    uploads.append(name, 0, [DATA[:CHUNK]])
    path = uploads.folder / name
    path.write_bytes(path.read_bytes() + b"torn")

    assert uploads.status(name).offset == CHUNK
    uploads.append(name, CHUNK, [DATA[CHUNK:]])

    assert content(uploads, uploads.finish(name)) == DATA


def test_a_leaf_is_adopted_between_chunks_only() -> None:
    leaf = Cid.of(b"x", Codec.RAW)

    def begun(data: bytes) -> Builder:
        builder = Builder(AddressOnly(), limit=3 * CHUNK)
        builder.write(data)
        return builder

    finished = begun(b"")
    finished.finish()
    for builder, size in (
        (finished, 1),
        (begun(b"x"), 1),
        (begun(b""), 0),
        (begun(b""), CHUNK + 1),
    ):
        with pytest.raises(ValueError, match="one by one"):
            builder.adopt(leaf, size)
    with pytest.raises(TooLargeError):
        begun(bytes(3 * CHUNK)).adopt(leaf, 1)


_TAKING = """
import sys
from pathlib import Path
from guildmark_ipfs.blockstore import LocalBlockStore
from guildmark_ipfs.uploads import Uploads

folder, name, offset = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
uploads = Uploads(folder=folder / "uploads", blocks=LocalBlockStore.open(folder / "blocks"))
pieces = iter(lambda: sys.stdin.buffer.read(100_000), b"")
uploads.append(name, offset, pieces)
"""


def test_an_upload_survives_kill_9_at_any_time(tmp_path: Path, uploads: Uploads) -> None:
    data = os.urandom(24 * CHUNK + 5)
    name, offset, kills = uploads.begin(len(data)).name, 0, 0

    while offset < len(data):
        command = [sys.executable, "-c", _TAKING, str(tmp_path), name, str(offset)]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as taker:
            assert taker.stdin is not None
            # Six leaves and a half, then the power goes.
            taker.stdin.write(data[offset : offset + 13 * CHUNK // 2])
            if offset + 13 * CHUNK // 2 < len(data):
                taker.send_signal(signal.SIGKILL)
                kills += 1
        offset = uploads.status(name).offset
    cid = uploads.finish(name)

    assert kills >= 3
    digest = hashlib.sha256(content(uploads, cid)).digest()
    assert digest == hashlib.sha256(data).digest()
    assert cid == describe(io.BytesIO(data)).cid


@pytest.mark.needs("kubo")
def test_a_taker_killed_at_forty_percent_ends_with_kubo_s_address(
    tmp_path: Path, uploads: Uploads, volume: Callable[[int, int, int], int]
) -> None:
    size = volume(10, 40, 500) * 1_000_000
    source = tmp_path / "source"
    with source.open("wb") as file:
        for _ in range(size // 1_000_000):
            file.write(os.urandom(1_000_000))
    name = uploads.begin(size).name
    with source.open("rb") as file:
        _killed_after(tmp_path, name, file.read(size * 2 // 5))
        offset = uploads.status(name).offset
        file.seek(offset)
        uploads.append(name, offset, iter(lambda: file.read(CHUNK), b""))
    cid = uploads.finish(name)

    assert 0 < offset <= size * 2 // 5
    assert offset % CHUNK == 0
    assert str(cid) == address_by_kubo(source, tmp_path / "kubo")
    assert not list((tmp_path / "blocks" / "scratch").iterdir())


def _killed_after(folder: Path, name: str, data: bytes) -> None:
    """Let a process take ``data`` as the beginning of an upload, then kill it."""
    command = [sys.executable, "-c", _TAKING, str(folder), name, "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as taker:
        assert taker.stdin is not None
        taker.stdin.write(data)
        # The pipe is empty but for its buffer: what was written was read, and is being stored.
        taker.send_signal(signal.SIGKILL)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MiB."""
    with disks.small_disk(tmp_path, 6) as disk:
        yield disk


def test_an_upload_to_a_full_disk_goes_on_when_there_is_room(small_disk: Path) -> None:
    blocks = LocalBlockStore.open(small_disk / "blocks")
    uploads = Uploads(folder=small_disk / "uploads", blocks=blocks)
    data, filler = os.urandom(4 * CHUNK + 5), small_disk / "filler"
    filler.write_bytes(bytes(3 * CHUNK))
    name = uploads.begin(len(data)).name

    with pytest.raises(StoreFullError, match="No space left on device"):
        uploads.append(name, 0, [data])

    stands = uploads.status(name)
    assert 0 < stands.offset < len(data)
    assert stands.offset % CHUNK == 0
    assert not list((small_disk / "blocks" / "scratch").iterdir())
    # A folder's name may begin as those of blocks do.
    found = (small_disk / "blocks" / "blocks").rglob("b*")
    stored = [path.read_bytes() for path in found if path.is_file()]
    assert sorted(stored) == sorted(data[at : at + CHUNK] for at in range(0, stands.offset, CHUNK))
    filler.unlink()
    uploads.append(name, stands.offset, [data[stands.offset :]])
    assert content(uploads, uploads.finish(name)) == data
