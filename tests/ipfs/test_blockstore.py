"""Blocks on the local disk: durable, whole, and never other bytes than were written."""

import errno
import fcntl
import multiprocessing
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark_ipfs.blocks import MAX_BLOCK
from guildmark_ipfs.blockstore import LocalBlockStore
from guildmark_ipfs.cid import Cid, Codec
from guildmark_ipfs.errors import (
    BlockCorruptError,
    NotFoundError,
    StoreFailedError,
    StoreFullError,
)
from guildmark_ipfs.memory import MemoryBlockStore


def files(store: LocalBlockStore) -> list[str]:
    found = [path for path in store.root.rglob("*") if not path.is_dir()]
    return sorted(str(path.relative_to(store.root)) for path in found if path.name != "lock")


def file_of(store: LocalBlockStore, cid: Cid) -> Path:
    (path,) = store.root.rglob(str(cid))
    return path


@pytest.fixture
def store(tmp_path: Path) -> LocalBlockStore:
    return LocalBlockStore.open(tmp_path / "store")


def test_blocks_survive_the_process_that_wrote_them(store: LocalBlockStore) -> None:
    cid = store.put(b"a block", Codec.RAW)

    again = LocalBlockStore.open(store.root)

    assert again.get(cid) == b"a block"


def test_the_disk_holds_names_that_were_computed_here(store: LocalBlockStore) -> None:
    for number in range(20):
        store.put(str(number).encode(), Codec.RAW)
        store.put(str(number).encode(), Codec.DAG_PB)

    names = files(store)

    assert len(names) == 40
    for name in names:
        assert re.fullmatch(r"blocks/([a-z2-7]{2})/b[a-z2-7]{55}\1[a-z2-7]", name)


def test_a_block_is_synchronised_before_its_name_is(
    store: LocalBlockStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def watched_fsync(descriptor: int) -> None:
        target = Path(f"/proc/self/fd/{descriptor}").readlink()
        steps.append("folder" if target.is_dir() else f"{target.stat().st_size} bytes")
        fsync(descriptor)

    def watched_replace(path: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_replace)

    store.put(b"12345", Codec.RAW)
    first, steps[:] = list(steps), []
    store.put(b"12345", Codec.RAW)

    # The new folder's own name, then the block; the second time only its name, once more.
    assert first == ["folder", "5 bytes", "rename", "folder"]
    assert steps == ["folder"]


@given(st.binary(min_size=1, max_size=50), st.data())
def test_a_changed_block_is_named_and_never_served(
    tmp_path_factory: pytest.TempPathFactory, block: bytes, data: st.DataObject
) -> None:
    store = LocalBlockStore.open(tmp_path_factory.mktemp("store"))
    cid = store.put(block, Codec.RAW)
    changed = bytearray(block)
    changed[data.draw(st.integers(0, len(block) - 1))] ^= data.draw(st.integers(1, 255))
    file_of(store, cid).write_bytes(changed)

    with pytest.raises(BlockCorruptError) as caught:
        store.get(cid)

    assert caught.value.detail == {"cid": str(cid)}


@pytest.mark.parametrize("damage", [b"", b"a blo", b"a block ", bytes(MAX_BLOCK + 5)])
def test_a_cut_or_longer_block_is_never_served(store: LocalBlockStore, damage: bytes) -> None:
    cid = store.put(b"a block", Codec.RAW)
    file_of(store, cid).write_bytes(damage)

    with pytest.raises(BlockCorruptError):
        store.get(cid)


def test_putting_a_block_again_mends_it(store: LocalBlockStore) -> None:
    cid = store.put(b"a block", Codec.RAW)
    file_of(store, cid).write_bytes(b"damaged")

    store.put(b"a block", Codec.RAW)

    assert store.get(cid) == b"a block"
    assert len(files(store)) == 1


def test_a_memory_store_serves_no_changed_block_either() -> None:
    store = MemoryBlockStore()
    cid = store.put(b"a block", Codec.RAW)
    store.blocks[cid] = b"damaged"

    with pytest.raises(BlockCorruptError):
        store.get(cid)


def test_a_link_is_not_followed(store: LocalBlockStore, tmp_path: Path) -> None:
    cid = store.put(b"a block", Codec.RAW)
    outside = tmp_path / "outside"
    outside.write_bytes(b"a block")
    path = file_of(store, cid)
    path.unlink()
    path.symlink_to(outside)

    assert not store.has(cid)
    with pytest.raises(StoreFailedError):
        store.get(cid)


def test_a_pipe_does_not_stop_the_reader(store: LocalBlockStore) -> None:
    cid = store.put(b"a block", Codec.RAW)
    path = file_of(store, cid)
    path.unlink()
    os.mkfifo(path)

    assert not store.has(cid)
    with pytest.raises(BlockCorruptError):
        store.get(cid)


def test_a_folder_in_the_place_of_a_block_is_an_error(store: LocalBlockStore) -> None:
    cid = store.put(b"a block", Codec.RAW)
    path = file_of(store, cid)
    path.unlink()
    path.mkdir()

    assert not store.has(cid)
    with pytest.raises(StoreFailedError):
        store.get(cid)


def test_a_file_in_the_place_of_a_folder_holds_no_blocks(store: LocalBlockStore) -> None:
    cid = Cid.of(b"a block", Codec.RAW)
    (store.root / "blocks" / str(cid)[-3:-1]).touch()

    assert not store.has(cid)
    with pytest.raises(NotFoundError):
        store.get(cid)
    with pytest.raises(StoreFailedError):
        store.put(b"a block", Codec.RAW)


def test_a_store_in_an_impossible_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreFailedError):
        LocalBlockStore.open(tmp_path / "file")


def test_a_removed_block_is_gone(store: LocalBlockStore) -> None:
    cid = store.put(b"a block", Codec.RAW)

    store.remove(cid)
    store.remove(cid)

    assert not store.has(cid)
    assert files(store) == []
    with pytest.raises(NotFoundError):
        store.get(cid)


def test_pinned_files_are_listed_until_they_are_removed(store: LocalBlockStore) -> None:
    one, other = store.put(b"one", Codec.RAW), store.put(b"other", Codec.RAW)
    for cid in (one, other, one):
        store.pin(cid)

    assert set(LocalBlockStore.open(store.root).pins()) == {one, other}
    store.remove(one)
    assert set(store.pins()) == {other}
    assert store.is_pinned(other)
    assert not store.is_pinned(one)
    with pytest.raises(NotFoundError):
        store.pin(one)


def test_a_block_of_the_largest_size_is_kept(store: LocalBlockStore) -> None:
    block = os.urandom(MAX_BLOCK)

    assert store.get(store.put(block, Codec.RAW)) == block


def test_what_a_dead_writer_left_is_cleared(store: LocalBlockStore) -> None:
    (store.root / "scratch" / ".part-left").write_bytes(b"half")

    LocalBlockStore.open(store.root)

    assert files(store) == []


def test_what_a_living_writer_holds_is_left_alone(store: LocalBlockStore) -> None:
    (store.root / "scratch" / ".part-busy").write_bytes(b"half")

    with (store.root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        LocalBlockStore.open(store.root)
        assert files(store) == ["scratch/.part-busy"]

    LocalBlockStore.open(store.root)
    assert files(store) == []


# The child may write files of 64 KiB at most: what a full disk looks like to one block.
_FULL = """
import resource, sys
from pathlib import Path
from guildmark_ipfs.blockstore import LocalBlockStore
from guildmark_ipfs.cid import Codec
from guildmark_ipfs.errors import StoreFullError

store = LocalBlockStore.open(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, resource.RLIM_INFINITY))
store.put(b"s" * 65536, Codec.RAW)
try:
    store.put(b"l" * 65537, Codec.RAW)
except StoreFullError as exc:
    print(exc.code)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.put(b"m" * 65537, Codec.RAW)
"""


def test_a_full_disk_leaves_nothing_half_written(store: LocalBlockStore) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(store.root)], check=True, capture_output=True, text=True
    )

    # The same process goes on once there is room.
    assert done.stdout == "content.storeFull\n"
    assert store.get(Cid.of(b"s" * 65536, Codec.RAW)) == b"s" * 65536
    assert not store.has(Cid.of(b"l" * 65537, Codec.RAW))
    assert store.has(Cid.of(b"m" * 65537, Codec.RAW))
    assert len(files(store)) == 2


def test_a_full_disk_keeps_the_damaged_block_for_later(
    store: LocalBlockStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    cid = store.put(b"a block", Codec.RAW)
    file_of(store, cid).write_bytes(b"damaged")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(StoreFullError):
            store.put(b"a block", Codec.RAW)

    assert file_of(store, cid).read_bytes() == b"damaged"
    assert len(files(store)) == 1


def _write_forever(root: Path) -> None:
    store, number = LocalBlockStore.open(root), 0
    while True:
        cid = store.put(number.to_bytes(4, "big") * 20_000, Codec.RAW)
        os.write(1, f"{cid}\n".encode())
        number += 1


def test_a_killed_writer_loses_nothing_that_it_acknowledged(store: LocalBlockStore) -> None:
    program = (
        "import sys; from pathlib import Path; from ipfs.test_blockstore import _write_forever;"
    )
    program += "_write_forever(Path(sys.argv[1]))"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    with subprocess.Popen(
        [sys.executable, "-c", program, str(store.root)], stdout=subprocess.PIPE, env=environment
    ) as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline() for _ in range(20)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += writer.stdout.read().splitlines()

    again = LocalBlockStore.open(store.root)

    for line in acknowledged:
        again.get(Cid.parse(line.decode().strip()))
    for name in files(again):
        again.get(Cid.parse(Path(name).name))


def _write_shared(root: str) -> None:
    store = LocalBlockStore.open(Path(root))
    for number in range(30):
        block = number.to_bytes(4, "big") * 5_000
        if store.get(store.put(block, Codec.RAW)) != block:
            raise AssertionError


def test_many_processes_write_the_same_blocks(store: LocalBlockStore) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        pool.map(_write_shared, [str(store.root)] * 3)

    assert len(files(store)) == 30
