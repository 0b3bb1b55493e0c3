"""What every block store does, and every file over it, whatever keeps the blocks."""

import hashlib
import io
import os
import threading

import pytest

from guildmark_ipfs.blocks import MAX_BLOCK, BlockStore
from guildmark_ipfs.cid import Cid, Codec
from guildmark_ipfs.errors import (
    MalformedError,
    NotFoundError,
    TooLargeError,
    TruncatedError,
    WrongKeyError,
)
from guildmark_ipfs.keys import ContentKey
from guildmark_ipfs.memory import MemoryBlockStore
from guildmark_ipfs.store import ContentStore, Stored, describe
from guildmark_ipfs.unixfs import CHUNK

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def test_a_block_comes_back(blocks: BlockStore) -> None:
    for block in (b"", b"\r\n--\r\n", os.urandom(1_000), bytes(MAX_BLOCK // 2)):
        cid = blocks.put(block, Codec.RAW)

        assert cid == Cid.of(block, Codec.RAW)
        assert blocks.has(cid)
        assert blocks.get(cid) == block


def test_a_block_that_is_there_may_come_again(blocks: BlockStore) -> None:
    first = blocks.put(b"twice", Codec.RAW)

    assert blocks.put(bytearray(b"twice"), Codec.RAW) == first
    assert blocks.put(memoryview(b"twice"), Codec.RAW) == first
    assert blocks.get(first) == b"twice"


def test_a_store_keeps_its_own_copy(blocks: BlockStore) -> None:
    buffer = bytearray(b"before")

    cid = blocks.put(memoryview(buffer), Codec.RAW)
    buffer[:] = b"after!"

    assert blocks.get(cid) == b"before"


def test_a_missing_block_is_named(blocks: BlockStore) -> None:
    cid = Cid.of(os.urandom(32), Codec.RAW)

    assert not blocks.has(cid)
    for ask in (blocks.get, blocks.pin):
        with pytest.raises(NotFoundError) as caught:
            ask(cid)
        assert caught.value.detail["cid"] == str(cid)


def test_a_block_has_a_largest_size(blocks: BlockStore) -> None:
    with pytest.raises(TooLargeError, match=f"at most {MAX_BLOCK} bytes"):
        blocks.put(bytes(MAX_BLOCK + 1), Codec.RAW)


def test_many_writers_of_the_same_blocks_agree(blocks: BlockStore) -> None:
    wanted = [os.urandom(100) for _ in range(10)]
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for block in wanted:
                assert blocks.get(blocks.put(block, Codec.RAW)) == block
        except BaseException as exc:
            failures.append(exc)
            raise

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failures
    assert all(blocks.has(Cid.of(block, Codec.RAW)) for block in wanted)


@pytest.mark.parametrize("size", [0, 1, CHUNK, 2 * CHUNK + 5])
def test_a_file_comes_back_with_its_facts(blocks: BlockStore, size: int) -> None:
    data = os.urandom(size)
    store = ContentStore(blocks)

    stored = store.put_file(io.BytesIO(data))

    assert stored == describe(io.BytesIO(data))
    assert (stored.size, stored.sha256) == (size, hashlib.sha256(data).digest())
    assert store.has(stored.cid)
    assert b"".join(store.read(stored.cid)) == data
    assert store.verify(stored.cid) == stored


def test_a_file_may_come_in_pieces(blocks: BlockStore) -> None:
    store = ContentStore(blocks)

    stored = store.put([b"one ", b"", bytearray(b"two "), memoryview(b"three")])

    assert stored == store.put_file(io.BytesIO(b"one two three"))


def test_a_file_opens_as_the_standard_library_expects(blocks: BlockStore) -> None:
    data = os.urandom(CHUNK + 100)
    store = ContentStore(blocks)

    with store.open(store.put_file(io.BytesIO(data)).cid) as file:
        assert file.readable()
        assert file.seekable()
        assert not file.writable()
        assert file.read(10) == data[:10]
        assert file.seek(CHUNK - 5) == CHUNK - 5
        assert file.read(10) == data[CHUNK - 5 : CHUNK + 5]
        assert file.tell() == CHUNK + 5
        assert file.seek(-3, io.SEEK_END) == len(data) - 3
        assert file.read() == data[-3:]
        assert file.read() == b""
        assert file.seek(7, io.SEEK_END) == len(data) + 7
        assert file.read() == b""
        file.seek(0)
        file.seek(20, io.SEEK_CUR)
        assert file.read(1) == data[20:21]
        with pytest.raises(ValueError, match="no position"):
            file.raw.seek(-1, io.SEEK_SET)
        with pytest.raises(ValueError, match="no position"):
            file.raw.seek(0, 9)


def test_a_range_of_a_file_comes_back(blocks: BlockStore) -> None:
    data = os.urandom(2 * CHUNK)
    store = ContentStore(blocks)
    cid = store.put_file(io.BytesIO(data)).cid

    assert b"".join(store.read(cid, CHUNK - 3, CHUNK + 3)) == data[CHUNK - 3 : CHUNK + 3]


def test_a_file_that_was_never_put_is_not_there(blocks: BlockStore) -> None:
    store = ContentStore(blocks)
    leaf, node = describe(io.BytesIO(os.urandom(9))), describe(io.BytesIO(os.urandom(CHUNK + 1)))

    for missing in (leaf, node):
        assert not store.has(missing.cid)
        with pytest.raises(NotFoundError):
            store.open(missing.cid)
        with pytest.raises(NotFoundError):
            list(store.read(missing.cid))


def test_a_file_without_one_of_its_leaves_is_not_there(blocks: BlockStore) -> None:
    data = os.urandom(2 * CHUNK)
    elsewhere = ContentStore(MemoryBlockStore())
    whole = elsewhere.put_file(io.BytesIO(data))
    blocks.put(elsewhere.blocks.get(whole.cid), Codec.DAG_PB)
    blocks.put(data[:CHUNK], Codec.RAW)
    store = ContentStore(blocks)

    assert not store.has(whole.cid)
    with pytest.raises(NotFoundError) as caught:
        store.verify(whole.cid)

    assert caught.value.detail["cid"] == str(Cid.of(data[CHUNK:], Codec.RAW))


def test_a_limit_holds_for_writing_and_reading(blocks: BlockStore) -> None:
    store = ContentStore(blocks)
    stored = store.put_file(io.BytesIO(b"12345"), limit=5)

    assert b"".join(store.read(stored.cid, limit=5)) == b"12345"
    with pytest.raises(TooLargeError):
        store.put_file(io.BytesIO(b"12345"), limit=4)
    with pytest.raises(TooLargeError):
        describe(io.BytesIO(b"12345"), limit=4)
    with pytest.raises(TooLargeError):
        store.open(stored.cid, limit=4)
    with pytest.raises(TooLargeError):
        store.put_encrypted(io.BytesIO(b"12345"), ContentKey.generate(), limit=90)


def test_an_encrypted_file_comes_back(blocks: BlockStore) -> None:
    data = os.urandom(CHUNK + 10)
    key = ContentKey.generate()
    store = ContentStore(blocks)

    written = store.put_encrypted(io.BytesIO(data), key)
    out = io.BytesIO()
    read = store.decrypt(written.stored.cid, key, out)

    assert out.getvalue() == data
    assert read == written.plain
    assert read.sha256 == hashlib.sha256(data).digest()
    assert store.verify(written.stored.cid) == written.stored
    assert data[:32] not in b"".join(store.read(written.stored.cid))


def test_the_salt_comes_from_the_given_entropy(blocks: BlockStore) -> None:
    store, key = ContentStore(blocks), ContentKey.generate()

    one = store.put_encrypted(io.BytesIO(b"x"), key, entropy=bytes)
    again = store.put_encrypted(io.BytesIO(b"x"), key, entropy=bytes)

    assert one == again
    assert one != store.put_encrypted(io.BytesIO(b"x"), key)


def test_another_key_or_a_cut_file_gives_nothing(blocks: BlockStore) -> None:
    store, key, out = ContentStore(blocks), ContentKey.generate(), io.BytesIO()
    cid = store.put_encrypted(io.BytesIO(b"secret"), key).stored.cid
    cut = store.put([b"".join(store.read(cid))[:60]]).cid
    other = store.put_file(io.BytesIO(b"no encrypted file")).cid

    with pytest.raises(WrongKeyError):
        store.decrypt(cid, ContentKey.generate(), out)
    with pytest.raises(TruncatedError):
        store.decrypt(cut, key, out)
    with pytest.raises(MalformedError):
        store.decrypt(other, key, out)
    with pytest.raises(TooLargeError):
        store.decrypt(cid, key, out, limit=10)

    assert out.getvalue() == b""


def test_a_dag_that_is_no_file_is_refused(blocks: BlockStore) -> None:
    # An empty UnixFS directory.
    directory = blocks.put(b"\x0a\x02\x08\x01", Codec.DAG_PB)
    store = ContentStore(blocks)

    with pytest.raises(MalformedError, match="no UnixFS file"):
        store.open(directory)
    with pytest.raises(MalformedError, match="no UnixFS file"):
        store.has(directory)


def test_the_facts_of_two_files_differ() -> None:
    one = describe(io.BytesIO(b"one"))

    assert one == Stored(cid=one.cid, size=3, sha256=hashlib.sha256(b"one").digest())
    assert one != describe(io.BytesIO(b"two"))
