"""Files as DAGs: published addresses, the shape of every size, and nothing else is read."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from hypothesis import given
from hypothesis import strategies as st

from guildmark_ipfs import dagpb
from guildmark_ipfs.cid import Buffer, Cid, Codec
from guildmark_ipfs.dagpb import Link, Node
from guildmark_ipfs.errors import MalformedError, NotFoundError, TooLargeError
from guildmark_ipfs.memory import AddressOnly, MemoryBlockStore
from guildmark_ipfs.unixfs import CHUNK, MAX_FILE, UNIXFS_V1_2025, Builder, Layout, Root, Tree

WIDTH = UNIXFS_V1_2025.width
# Small enough to see deep trees: 4-byte leaves, three children a node.
SMALL = Layout(chunk=4, width=3, depth=4)


def keystream(seed: str, size: int) -> Iterator[bytes]:
    """Yield the published test vectors' content: ChaCha20 under SHA-256 of the seed, counter 0."""
    key = hashlib.sha256(seed.encode()).digest()
    cipher = Cipher(algorithms.ChaCha20(key, bytes(16)), mode=None).encryptor()
    zeros = bytes(CHUNK)
    for start in range(0, size, CHUNK):
        yield cipher.update(zeros[: size - start])


def address_of(data: bytes) -> str:
    builder = Builder(AddressOnly())
    builder.write(data)
    return str(builder.finish().cid)


def build(data: bytes, *, layout: Layout = SMALL) -> tuple[MemoryBlockStore, Root]:
    store = MemoryBlockStore()
    builder = Builder(store, layout=layout, limit=layout.limit)
    builder.write(data)
    return store, builder.finish()


def read(store: MemoryBlockStore, cid: Cid, *, layout: Layout = SMALL) -> bytes:
    return b"".join(Tree(store, cid, layout=layout).read())


# Addresses published for IPIP-0499 in Kubo's test/cli/cid_profiles_test.go and add_test.go, and in
# js-ipfs-unixfs' test/ipip-499-profiles.spec.ts; the empty and the zero file from Kubo 0.39
# (`ipfs add --only-hash` with CIDv1, raw leaves, 1 MiB chunks, 1,024 links).
@pytest.mark.parametrize(
    ("data", "cid"),
    [
        (b"hello world", "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"),
        (b"", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
        (bytes(CHUNK + 1), "bafybeihd4yzq7n5umhjngdum4r6k2to7egxfkf2jz6thvwzf6djus22cmq"),
        (
            b"".join(keystream("chunk-v1-seed", CHUNK)),
            "bafkreiacndfy443ter6qr2tmbbdhadvxxheowwf75s6zehscklu6ezxmta",
        ),
        (
            b"".join(keystream("chunk-v1-seed", CHUNK + 1)),
            "bafybeigmix7t42i6jacydtquhet7srwvgpizfg7gjbq7627d35mjomtu64",
        ),
    ],
    ids=["hello world", "empty", "zeros", "one chunk", "one chunk and a byte"],
)
def test_published_addresses_come_out(data: bytes, cid: str) -> None:
    assert address_of(data) == cid


@dataclass
class Replay:
    """A sink that knows its leaves' addresses already, so that a gibibyte is hashed once."""

    leaves: Iterator[Cid]

    def put(self, block: Buffer, codec: Codec) -> Cid:
        return next(self.leaves) if codec is Codec.RAW else Cid.of(block, codec)


def test_published_addresses_of_a_gibibyte_come_out() -> None:
    # From the same sources: at 1,024 links, one byte more, one chunk more.
    leaves: list[Cid] = []
    chunk = b""
    for chunk in keystream("v1-2025-seed", (WIDTH + 1) * CHUNK):
        leaves.append(Cid.of(chunk, Codec.RAW))

    def address(size: int, last: Cid) -> str:
        builder = Builder(Replay(iter([*leaves[:WIDTH], last])))
        zeros = bytes(CHUNK)
        for start in range(0, size, CHUNK):
            builder.write(zeros[: size - start])
        return str(builder.finish().cid)

    assert address(WIDTH * CHUNK, leaves[-1]) == (
        "bafybeihmf37wcuvtx4hpu7he5zl5qaf2ineo2lqlfrapokkm5zzw7zyhvm"
    )
    assert address(WIDTH * CHUNK + 1, Cid.of(chunk[:1], Codec.RAW)) == (
        "bafybeibdsi225ugbkmpbdohnxioyab6jsqrmkts3twhpvfnzp77xtzpyhe"
    )
    assert address((WIDTH + 1) * CHUNK, leaves[-1]) == (
        "bafybeihmzokxxjqwxjcryerhp5ezpcog2wcawfryb2xm64xiakgm4a5jue"
    )


@dataclass
class Zeros:
    """A store that was only ever given zeros: one full leaf stands for all."""

    nodes: MemoryBlockStore = field(default_factory=MemoryBlockStore)
    leaf: Cid = field(default_factory=lambda: Cid.of(bytes(CHUNK), Codec.RAW))
    fetched: int = 0

    def put(self, block: Buffer, codec: Codec) -> Cid:
        if codec is Codec.RAW and len(block) == CHUNK:
            return self.leaf
        return self.nodes.put(block, codec)

    def get(self, cid: Cid) -> bytes:
        self.fetched += 1
        return bytes(CHUNK) if cid == self.leaf else self.nodes.get(cid)


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        (0, []),
        (1, []),
        (CHUNK - 1, []),
        (CHUNK, []),
        (CHUNK + 1, [2]),
        (2 * CHUNK, [2]),
        ((WIDTH - 1) * CHUNK, [WIDTH - 1]),
        (WIDTH * CHUNK - 1, [WIDTH]),
        (WIDTH * CHUNK, [WIDTH]),
        # The last leaf stays as deep as all others: a node of one child.
        (WIDTH * CHUNK + 1, [2, WIDTH, 1]),
        ((WIDTH + 1) * CHUNK, [2, WIDTH, 1]),
        ((2 * WIDTH + 3) * CHUNK, [3, WIDTH, WIDTH, 3]),
    ],
)
def test_the_shape_of_each_size(size: int, shape: list[int]) -> None:
    store = Zeros()
    builder = Builder(store)
    zeros = bytes(CHUNK)
    for start in range(0, size, CHUNK):
        builder.write(zeros[: size - start])

    root = builder.finish()
    tree = Tree(store, root.cid)
    cids = list(tree.cids())
    widths = [len(dagpb.decode(store.get(cid)).links) for cid in cids if cid.codec is Codec.DAG_PB]

    assert root.size == tree.size == size
    assert widths == shape
    assert len(cids) - len(widths) == max(1, -(-size // CHUNK))


def test_reading_a_range_fetches_its_path_only() -> None:
    store = Zeros()
    builder = Builder(store)
    for _ in range(WIDTH + 2):
        builder.write(bytes(CHUNK))
    builder.write(b"end")
    tree = Tree(store, builder.finish().cid)
    store.fetched = 0

    tail = b"".join(tree.read((WIDTH + 2) * CHUNK - 2))

    # One inner node and two leaves; the root came when the tree was opened.
    assert tail == b"\x00\x00end"
    assert store.fetched == 3


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_how_a_stream_is_cut_does_not_matter(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)[: SMALL.limit]
    store = MemoryBlockStore()
    builder = Builder(store, layout=SMALL)
    rest = len(whole)
    for piece in pieces:
        assert builder.write(piece[:rest]) == len(piece[:rest])
        rest -= len(piece[:rest])

    root = builder.finish()

    assert root == builder.finish() == build(whole)[1]
    assert read(store, root.cid) == whole


@given(st.integers(0, SMALL.limit))
def test_all_leaves_lie_equally_deep(size: int) -> None:
    store, root = build(bytes(index % 251 for index in range(size)))

    def depths(cid: Cid) -> set[int]:
        if cid.codec is Codec.RAW:
            return {0}
        links = dagpb.decode(store.get(cid)).links
        assert 0 < len(links) <= SMALL.width
        return {1 + depth for link in links for depth in depths(link.cid)}

    assert depths(root.cid) == {SMALL.level_of(size)}


@given(st.binary(max_size=SMALL.limit), st.integers(0, 400), st.none() | st.integers(0, 400))
def test_every_range_is_the_slice(data: bytes, start: int, stop: int | None) -> None:
    store, root = build(data)

    ranged = b"".join(Tree(store, root.cid, layout=SMALL).read(start, stop))

    assert ranged == data[start:stop]


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_two_contents_have_two_addresses(one: bytes, other: bytes) -> None:
    assert (build(one)[1].cid == build(other)[1].cid) == (one == other)


@given(st.binary(min_size=1, max_size=SMALL.limit), st.data())
def test_a_missing_block_is_named(data: bytes, choice: st.DataObject) -> None:
    store, root = build(data)
    lost = choice.draw(st.sampled_from(sorted(store.blocks, key=str)))
    del store.blocks[lost]

    with pytest.raises(NotFoundError) as caught:
        read(store, root.cid)

    assert caught.value.detail["cid"] == str(lost)


def test_tsize_counts_all_bytes_below() -> None:
    store, root = build(bytes(range(30)))
    block = store.get(root.cid)

    announced = len(block) + sum(link.size for link in dagpb.decode(block).links)

    cids = Tree(store, root.cid, layout=SMALL).cids()
    assert announced == sum(len(store.get(cid)) for cid in cids)


@pytest.mark.parametrize("limit", [0, 9, 10])
def test_a_builder_takes_its_limit_and_not_a_byte_more(limit: int) -> None:
    builder = Builder(MemoryBlockStore(), limit=limit)

    builder.write(bytes(limit))

    with pytest.raises(TooLargeError, match=f"more than the {limit} bytes"):
        builder.write(b"x")


def test_no_builder_takes_more_than_the_layout_holds() -> None:
    builder = Builder(MemoryBlockStore(), layout=SMALL, limit=MAX_FILE)

    builder.write(bytes(SMALL.limit))

    with pytest.raises(TooLargeError):
        builder.write(b"x")
    assert MAX_FILE == 2**40


def test_a_finished_builder_takes_nothing_more() -> None:
    builder = Builder(MemoryBlockStore())
    builder.finish()

    with pytest.raises(ValueError, match="finished"):
        builder.write(b"")


@pytest.mark.parametrize("data", [bytes(10), bytes(3)])
def test_a_reader_refuses_a_larger_file_than_it_asked_for(data: bytes) -> None:
    store, root = build(data)

    assert Tree(store, root.cid, layout=SMALL, limit=len(data)).size == len(data)
    with pytest.raises(TooLargeError, match=f"has {len(data)} bytes"):
        Tree(store, root.cid, layout=SMALL, limit=len(data) - 1)


def test_an_announced_size_is_refused_before_anything_is_fetched() -> None:
    store = MemoryBlockStore()
    root = store.put(file_node(2**63, [], []), Codec.DAG_PB)

    with pytest.raises(TooLargeError, match="9223372036854775808 bytes"):
        Tree(store, root)


def file_node(size: int, sizes: list[int], links: list[Link], *, kind: int = 2) -> bytes:
    data = bytes([8, kind]) + b"\x18" + number(size)
    data += b"".join(b"\x20" + number(child) for child in sizes)
    return dagpb.encode(Node(links=tuple(links), data=data))


def number(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def leaf(store: MemoryBlockStore, data: bytes) -> Link:
    return Link(cid=store.put(data, Codec.RAW), size=len(data))


def small_tree(store: MemoryBlockStore, block: bytes) -> Tree:
    return Tree(store, store.put(block, Codec.DAG_PB), layout=SMALL)


def test_a_node_by_hand_reads() -> None:
    store = MemoryBlockStore()
    links = [leaf(store, b"abcd"), leaf(store, b"ef")]

    tree = small_tree(store, file_node(6, [4, 2], links))

    assert b"".join(tree.read()) == b"abcdef"


def other_sum(store: MemoryBlockStore) -> bytes:
    return file_node(7, [4, 2], [leaf(store, b"abcd"), leaf(store, b"ef")])


def short_first_leaf(store: MemoryBlockStore) -> bytes:
    return file_node(6, [2, 4], [leaf(store, b"ab"), leaf(store, b"cdef")])


def too_many_children(store: MemoryBlockStore) -> bytes:
    return file_node(13, [4, 4, 4, 1], [leaf(store, b"abcd")] * 3 + [leaf(store, b"e")])


def one_child(store: MemoryBlockStore) -> bytes:
    return file_node(4, [4], [leaf(store, b"abcd")])


def no_child(store: MemoryBlockStore) -> bytes:
    return file_node(5, [], [])


def fewer_sizes(store: MemoryBlockStore) -> bytes:
    return file_node(6, [4], [leaf(store, b"abcd"), leaf(store, b"ef")])


def named_child(store: MemoryBlockStore) -> bytes:
    first = leaf(store, b"abcd")
    named = Link(cid=first.cid, name="x", size=4)
    return file_node(6, [4, 2], [named, leaf(store, b"ef")])


def wrong_leaf_total(store: MemoryBlockStore) -> bytes:
    first = leaf(store, b"abcd")
    return file_node(6, [4, 2], [Link(cid=first.cid, size=5), leaf(store, b"ef")])


def node_as_leaf(store: MemoryBlockStore) -> bytes:
    node = Link(cid=store.put(b"\x0a\x02\x08\x02", Codec.DAG_PB), size=4)
    return file_node(6, [4, 2], [node, leaf(store, b"ef")])


def leaf_as_node(store: MemoryBlockStore) -> bytes:
    whole = leaf(store, bytes(12))
    return file_node(13, [12, 1], [whole, leaf(store, b"x")])


def directory(store: MemoryBlockStore) -> bytes:
    return file_node(6, [4, 2], [leaf(store, b"abcd"), leaf(store, b"ef")], kind=1)


def inline_data(store: MemoryBlockStore) -> bytes:
    return dagpb.encode(Node(data=b"\x08\x02\x12\x05hello\x18\x05"))


def no_data(store: MemoryBlockStore) -> bytes:
    return dagpb.encode(Node(links=(leaf(store, b"abcd"), leaf(store, b"ef"))))


def trailing_field(store: MemoryBlockStore) -> bytes:
    return dagpb.encode(Node(data=b"\x08\x02\x18\x05\x28\x00"))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (other_sum, "not laid out"),
        (short_first_leaf, "not laid out"),
        (too_many_children, "not laid out"),
        (no_child, "not laid out"),
        (one_child, "wants a RAW block"),
        (wrong_leaf_total, "wants a RAW block"),
        (node_as_leaf, "wants a RAW block"),
        (leaf_as_node, "wants a DAG_PB block"),
        (fewer_sizes, "do not belong together"),
        (named_child, "do not belong together"),
        (directory, "no UnixFS file"),
        (inline_data, "Expected field 3"),
        (no_data, "Expected field 1"),
        (trailing_field, "Unexpected bytes"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_dag_of_another_shape_is_refused(make: object, reason: str) -> None:
    store = MemoryBlockStore()
    assert callable(make)

    with pytest.raises(MalformedError, match=reason):
        small_tree(store, make(store))


def test_a_leaf_of_another_size_is_refused() -> None:
    store = MemoryBlockStore()
    liar = Link(cid=leaf(store, b"abc").cid, size=4)
    tree = small_tree(store, file_node(6, [4, 2], [liar, leaf(store, b"ef")]))

    with pytest.raises(MalformedError, match="has 3 bytes, 4 were announced"):
        list(tree.read())


def test_an_inner_node_with_another_total_is_refused() -> None:
    store = MemoryBlockStore()
    full = file_node(12, [4, 4, 4], [leaf(store, b"abcd")] * 3)
    rest = file_node(1, [1], [leaf(store, b"e")])
    links = [
        Link(cid=store.put(full, Codec.DAG_PB), size=len(full) + 12),
        Link(cid=store.put(rest, Codec.DAG_PB), size=len(rest) + 2),
    ]
    tree = small_tree(store, file_node(13, [12, 1], links))

    assert b"".join(tree.read(0, 12)) == b"abcd" * 3
    with pytest.raises(MalformedError, match="another sum of block sizes"):
        list(tree.read(12))


def test_a_raw_root_holds_one_chunk_at_most() -> None:
    store = MemoryBlockStore()
    full = store.put(bytes(CHUNK), Codec.RAW)
    over = store.put(bytes(CHUNK + 1), Codec.RAW)

    assert Tree(store, full).size == CHUNK
    with pytest.raises(MalformedError, match="wants a DAG_PB block"):
        Tree(store, over)


def test_a_file_reads_back_under_the_profile() -> None:
    data = b"".join(keystream("a file", 3 * CHUNK + 17))
    store = MemoryBlockStore()
    builder = Builder(store)
    for start in range(0, len(data), 700_001):
        builder.write(data[start : start + 700_001])

    tree = Tree(store, builder.finish().cid)

    assert b"".join(tree.read()) == data
    assert b"".join(tree.read(CHUNK - 1, 2 * CHUNK + 1)) == data[CHUNK - 1 : 2 * CHUNK + 1]
