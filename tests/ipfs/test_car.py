"""CARs: equal to Kubo's, readable by others, and refused where one bit is another."""

import os
from collections.abc import Callable

import libipld
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark_ipfs import car
from guildmark_ipfs.blocks import MAX_BLOCK
from guildmark_ipfs.cid import CID_SIZE, Cid, Codec
from guildmark_ipfs.errors import (
    ContentError,
    HashMismatchError,
    MalformedError,
    NotFoundError,
    TooLargeError,
    TruncatedError,
)
from guildmark_ipfs.kubo import KuboBlockStore
from guildmark_ipfs.memory import MemoryBlockStore
from guildmark_ipfs.store import ContentStore
from guildmark_ipfs.unixfs import CHUNK
from guildmark_ipfs.wire import varint
from ipfs.kubo_node import KuboNode

HEADER_SIZE = 59


def stored(data: bytes) -> tuple[MemoryBlockStore, Cid]:
    blocks = MemoryBlockStore()
    return blocks, ContentStore(blocks).put([data]).cid


def written(data: bytes) -> tuple[bytes, Cid]:
    blocks, cid = stored(data)
    return b"".join(car.write(blocks, cid)), cid


def section(block: bytes, codec: Codec = Codec.RAW) -> bytes:
    address = bytes(Cid.of(block, codec))
    return varint(len(address) + len(block)) + address + block


# Equal chunks, side by side and apart: several leaves with one address.
REPEATING = b"\x07" * (2 * CHUNK) + bytes(CHUNK) + b"\x07" * CHUNK + os.urandom(9)
SIZES = [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK]


@pytest.mark.parametrize("size", SIZES)
def test_a_file_comes_back_from_its_car(size: int) -> None:
    data = os.urandom(size)
    content, cid = written(data)
    blocks = MemoryBlockStore()

    root = car.load([content[:7], b"", content[7:]], blocks, cid)

    assert (root.cid, root.size) == (cid, size)
    assert b"".join(ContentStore(blocks).read(cid)) == data


def test_a_block_that_occurs_twice_is_written_once_and_read_twice() -> None:
    content, cid = written(REPEATING)
    blocks = MemoryBlockStore()

    car.load([content], blocks, cid)

    assert len(content) < 3 * CHUNK
    assert b"".join(ContentStore(blocks).read(cid)) == REPEATING


def test_another_reader_finds_the_root_in_the_header() -> None:
    content, cid = written(b"x")

    header = libipld.decode_dag_cbor(content[1:HEADER_SIZE])

    assert header == {"version": 1, "roots": [bytes(cid)]}


@pytest.mark.needs("kubo")
@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize("data", [b"", b"x", os.urandom(2 * CHUNK + 1), REPEATING])
def test_kubo_writes_the_same_car_and_reads_ours(kubo: KuboNode, data: bytes) -> None:
    content, cid = written(data)

    with KuboBlockStore(kubo.url) as node:
        node.import_car([content], cid)

        assert b"".join(ContentStore(node).read(cid)) == data
        assert b"".join(node.export_car(cid)) == content
        car.load(node.export_car(cid), MemoryBlockStore(), cid)


def test_a_missing_block_is_not_written() -> None:
    blocks, cid = stored(os.urandom(2 * CHUNK))
    del blocks.blocks[next(each for each in blocks.blocks if each.codec is Codec.RAW)]

    with pytest.raises(NotFoundError):
        list(car.write(blocks, cid))


def test_the_limit_holds_from_the_first_block_on() -> None:
    content, cid = written(os.urandom(CHUNK + 1))
    blocks = MemoryBlockStore()

    with pytest.raises(TooLargeError, match="more than the 1048576 allowed"):
        car.load([content], blocks, cid, limit=CHUNK)

    assert [each.codec for each in blocks.blocks] == [Codec.DAG_PB]
    assert car.load([content], blocks, cid, limit=CHUNK + 1).size == CHUNK + 1


def test_the_car_of_another_file_is_refused() -> None:
    content, _ = written(b"one")
    _, asked = written(b"another")

    with pytest.raises(MalformedError, match="header is not that of a CAR with the one root"):
        car.load([content], MemoryBlockStore(), asked)


@given(place=st.integers(0, HEADER_SIZE + 1 + CID_SIZE + 100), bit=st.integers(0, 7))
def test_one_other_bit_is_refused(place: int, bit: int) -> None:
    content, cid = written(bytes(range(100)))
    assert len(content) == HEADER_SIZE + 2 + CID_SIZE + 100
    changed = bytearray(content)
    changed[place] ^= 1 << bit

    with pytest.raises(ContentError):
        car.load([bytes(changed)], MemoryBlockStore(), cid)


def test_a_car_that_is_cut_anywhere_is_refused() -> None:
    content, cid = written(b"a short file")

    for size in range(len(content)):
        with pytest.raises(TruncatedError):
            car.load([content[:size]], MemoryBlockStore(), cid)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda content: content + section(b"more"), MalformedError, "Something follows"),
        (lambda content: content + b"\0", MalformedError, "Something follows"),
        (
            lambda content: content[:HEADER_SIZE] + section(b"more") + content[HEADER_SIZE:],
            MalformedError,
            "was to come next",
        ),
        (
            lambda content: content[:HEADER_SIZE] + varint(MAX_BLOCK + CID_SIZE + 1),
            TooLargeError,
            "announces more than",
        ),
        (lambda _: b"\xff" * 9, TooLargeError, "announces more than 58 bytes"),
        (lambda content: b"\xba\x00" + content[1:], MalformedError, "shortest form"),
        (
            lambda content: content[:HEADER_SIZE] + varint(40) + bytes(40),
            MalformedError,
            "has no address",
        ),
        (
            lambda content: content[:HEADER_SIZE] + varint(4) + b"four",
            MalformedError,
            "has no address",
        ),
        (lambda _: b"<!doctype html><title>Gateway</title>", TooLargeError, "announces more"),
    ],
    ids=[
        "an extra block behind",
        "an extra byte behind",
        "an extra block before",
        "a huge block",
        "an endless length",
        "a long length",
        "another kind of address",
        "no address",
        "a page",
    ],
)
def test_what_is_no_car_of_the_file_is_refused(
    change: Callable[[bytes], bytes], kind: type[ContentError], words: str
) -> None:
    content, cid = written(os.urandom(CHUNK + 1))

    with pytest.raises(kind, match=words):
        car.load([change(content)], MemoryBlockStore(), cid)


def test_a_file_without_one_of_its_blocks_is_refused() -> None:
    leaves = [os.urandom(CHUNK), os.urandom(CHUNK)]
    content, cid = written(b"".join(leaves))

    for leaf in leaves:
        with pytest.raises((MalformedError, TruncatedError)):
            car.load([content.replace(section(leaf), b"")], MemoryBlockStore(), cid)


def test_blocks_in_another_order_are_refused() -> None:
    one, other = os.urandom(CHUNK), os.urandom(CHUNK)
    content, cid = written(one + other)
    head = content[: content.index(section(one))]

    with pytest.raises(MalformedError, match="was to come next"):
        car.load([head + section(other) + section(one)], MemoryBlockStore(), cid)


def test_bytes_that_do_not_hash_to_their_address_are_refused() -> None:
    content, cid = written(b"the file")

    with pytest.raises(HashMismatchError, match="other bytes than those of block"):
        car.load([content[:-1] + b"E"], MemoryBlockStore(), cid)
