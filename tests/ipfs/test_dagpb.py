"""dag-pb and the wire format below it: one node, one encoding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark_ipfs import dagpb
from guildmark_ipfs.cid import Cid, Codec
from guildmark_ipfs.dagpb import Link, Node
from guildmark_ipfs.errors import MalformedError
from guildmark_ipfs.wire import WireReader, number_field, varint

cids = st.builds(Cid, st.sampled_from(Codec), st.binary(min_size=32, max_size=32))
sizes = st.integers(0, 2**64 - 1)
links = st.builds(Link, cid=cids, name=st.text(st.characters(codec="utf-8")), size=sizes)
nodes = st.builds(
    Node,
    links=st.lists(links, max_size=4).map(tuple),
    data=st.none() | st.binary(max_size=300),
)


@given(nodes)
def test_a_node_reads_back(node: Node) -> None:
    assert dagpb.decode(dagpb.encode(node)) == node


@given(st.binary(max_size=80))
def test_what_reads_is_what_would_be_written(block: bytes) -> None:
    try:
        node = dagpb.decode(block)
    except MalformedError:
        return

    assert dagpb.encode(node) == block


@given(nodes, st.data())
def test_a_changed_byte_is_another_node_or_none(node: Node, data: st.DataObject) -> None:
    block = bytearray(dagpb.encode(node) + b"\x00")[:-1]
    if not block:
        return
    at = data.draw(st.integers(0, len(block) - 1))
    block[at] ^= data.draw(st.integers(1, 255))

    try:
        changed = dagpb.decode(bytes(block))
    except MalformedError:
        return

    assert changed != node


def test_the_empty_directory_has_its_published_address() -> None:
    # Published in Kubo's test/cli/cid_profiles_test.go and in js-ipfs-unixfs: UnixFS type 1.
    block = dagpb.encode(Node(data=b"\x08\x01"))

    assert str(Cid.of(block, Codec.DAG_PB)) == (
        "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"
    )


@given(sizes)
def test_a_number_reads_back(value: int) -> None:
    assert WireReader(number_field(3, value)).number(3) == value


@pytest.mark.parametrize(
    "digits",
    [
        # One in two bytes, zero in two, one in ten.
        b"\x81\x00",
        b"\x80\x00",
        b"\x81" + b"\x80" * 8 + b"\x00",
        # 2^64, and a number that never ends.
        varint(2**64),
        b"\xff" * 10 + b"\x01",
        b"\x80" * 100_000,
    ],
)
def test_a_number_has_its_shortest_form_and_64_bits(digits: bytes) -> None:
    with pytest.raises(MalformedError, match="shortest form"):
        WireReader(b"\x18" + digits).number(3)


def test_the_largest_number_is_read() -> None:
    assert WireReader(b"\x18" + varint(2**64 - 1)).number(3) == 2**64 - 1


def test_a_message_may_not_end_inside_a_number() -> None:
    with pytest.raises(MalformedError, match="ends inside a number"):
        WireReader(b"\x18\x80").number(3)


def test_a_field_may_not_announce_more_than_there_is() -> None:
    with pytest.raises(MalformedError, match="announces 3 bytes, 2 are left"):
        WireReader(b"\x0a\x03ab").blob(1)


LINK = Link(cid=Cid.of(b"x", Codec.RAW), size=1)


def as_link(message: bytes) -> bytes:
    return b"\x12" + varint(len(message)) + message


@pytest.mark.parametrize(
    "block",
    [
        # Data before links, data twice, an unknown field, a field of another type.
        b"\x0a\x00" + dagpb.encode(Node(links=(LINK,))),
        b"\x0a\x00\x0a\x00",
        b"\x1a\x00",
        b"\x08\x00",
        # A link without size, without name, out of order, with more.
        as_link(b"\x0a\x24" + bytes(LINK.cid) + b"\x12\x00"),
        as_link(b"\x0a\x24" + bytes(LINK.cid) + b"\x18\x01"),
        as_link(b"\x12\x00\x0a\x24" + bytes(LINK.cid) + b"\x18\x01"),
        as_link(b"\x0a\x24" + bytes(LINK.cid) + b"\x12\x00\x18\x01\x18\x01"),
    ],
)
def test_other_orders_and_fields_are_refused(block: bytes) -> None:
    with pytest.raises(MalformedError, match="offset"):
        dagpb.decode(block)


@pytest.mark.parametrize(
    "message",
    [
        # A CIDv0, an identity CID, a name that is not UTF-8.
        b"\x0a\x22\x12\x20" + bytes(32) + b"\x12\x00\x18\x01",
        b"\x0a\x05\x01\x55\x00\x01x" + b"\x12\x00\x18\x01",
        b"\x0a\x24" + bytes(LINK.cid) + b"\x12\x01\xff\x18\x01",
    ],
)
def test_links_to_other_kinds_of_addresses_are_refused(message: bytes) -> None:
    with pytest.raises(MalformedError, match="accepted form"):
        dagpb.decode(as_link(message))
