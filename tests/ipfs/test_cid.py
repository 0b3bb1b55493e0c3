"""Content identifiers: one text an address, and only kinds that bind their bytes."""

import base64
import hashlib

import libipld
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark_ipfs.cid import Cid, Codec
from guildmark_ipfs.errors import BadCidError

# Published in Kubo's test/cli/add_test.go.
HELLO_WORLD = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"
# Published with the codec fixtures of ipld/codec-fixtures (dagpb_empty).
EMPTY_NODE = "bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"

cids = st.builds(Cid, st.sampled_from(Codec), st.binary(min_size=32, max_size=32))


def multibase(data: bytes) -> str:
    return "b" + base64.b32encode(data).decode().rstrip("=").lower()


def test_published_identifiers_come_out() -> None:
    assert str(Cid.of(b"hello world", Codec.RAW)) == HELLO_WORLD
    assert str(Cid.of(b"", Codec.DAG_PB)) == EMPTY_NODE


@given(cids)
def test_text_and_bytes_read_back(cid: Cid) -> None:
    assert Cid.parse(str(cid)) == cid
    assert Cid.from_bytes(bytes(cid)) == cid
    assert repr(cid) == f"Cid({cid})"


@given(cids)
def test_an_independent_reader_agrees(cid: Cid) -> None:
    decoded = libipld.decode_cid(str(cid))

    assert decoded["version"] == 1
    assert decoded["codec"] == cid.codec
    assert decoded["hash"] == {"code": 0x12, "size": 32, "digest": cid.digest}


@given(st.binary(max_size=64), st.binary(max_size=64))
def test_an_identifier_matches_its_bytes_only(block: bytes, other: bytes) -> None:
    cid = Cid.of(block, Codec.RAW)

    assert cid.matches(block)
    assert cid.matches(memoryview(block))
    assert cid.matches(other) == (block == other)


@given(cids, st.integers(0, 58), st.characters(codec="utf-8"))
def test_another_letter_is_another_identifier_or_none(cid: Cid, at: int, letter: str) -> None:
    text = str(cid)
    changed = text[:at] + letter + text[at + 1 :]

    try:
        parsed = Cid.parse(changed)
    except BadCidError:
        return

    assert (parsed == cid) == (changed == text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "b",
        HELLO_WORLD[:-1],
        HELLO_WORLD + "a",
        HELLO_WORLD.upper(),
        "B" + HELLO_WORLD[1:].upper(),
        "f" + HELLO_WORLD[1:],
        " " + HELLO_WORLD[:-1],
        HELLO_WORLD[:-1] + "=",
        HELLO_WORLD[:-1] + "1",
        HELLO_WORLD[:-1] + "\u0131",
        "/ipfs/" + HELLO_WORLD[6:],
        "../../" + HELLO_WORLD[6:],
        # A CIDv0.
        "Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD",
    ],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadCidError):
        Cid.parse(text)


def test_unused_bits_of_the_last_letter_are_refused() -> None:
    # 288 bits fill 57 letters and three bits of the last: its other two must be zero.
    with pytest.raises(BadCidError, match="canonical"):
        Cid.parse(HELLO_WORLD[:-1] + "f")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        # Version 0 and 2.
        b"\x00\x55\x12\x20" + bytes(32),
        b"\x02\x55\x12\x20" + bytes(32),
        # An identity hash, a sha2-512 number, a short and a long digest.
        b"\x01\x55\x00\x20" + bytes(32),
        b"\x01\x55\x13\x20" + bytes(32),
        b"\x01\x55\x12\x1f" + bytes(31),
        b"\x01\x55\x12\x21" + bytes(33),
        b"\x01\x55\x12\x20" + bytes(31),
        b"\x01\x55\x12\x20" + bytes(33),
        # The version in a longer form.
        b"\x81\x00\x55\x12\x20" + bytes(31),
    ],
)
def test_other_versions_hashes_and_lengths_are_refused(data: bytes) -> None:
    with pytest.raises(BadCidError, match="CIDv1 with sha2-256"):
        Cid.from_bytes(data)


# dag-cbor, libp2p-key, git-raw, identity.
@pytest.mark.parametrize("codec", [0x71, 0x72, 0x78, 0x00])
def test_other_codecs_are_refused(codec: int) -> None:
    data = bytes([1, codec, 0x12, 0x20]) + hashlib.sha256(b"").digest()

    with pytest.raises(BadCidError, match="raw or dag-pb") as caught:
        Cid.parse(multibase(data))

    assert caught.value.detail == {"codec": codec}


@pytest.mark.parametrize("size", [31, 33])
def test_a_digest_has_32_bytes(size: int) -> None:
    with pytest.raises(BadCidError, match="32 bytes"):
        Cid(Codec.RAW, bytes(size))
