"""Block headers: real fields out, anything else refused."""

import pytest

from guildmark.domain.chain.ethproof import rlp
from guildmark.domain.chain.ethproof.header import HeaderError, decode_header
from guildmark.domain.encoding.hashing import keccak256

SIZES = [32, 32, 20, 32, 32, 32, 256, 0, 1, 4, 4, 4, 5, 32, 8]


def fields() -> list[rlp.Item]:
    return [bytes([at + 1]) * size for at, size in enumerate(SIZES)]


def test_a_header_gives_hash_number_time_and_state_root() -> None:
    data = rlp.encode([*fields(), b"\x07"])

    header = decode_header(data)

    assert header.hash == keccak256(data)
    assert header.number == 9
    assert header.time == 0x0C0C0C0C
    assert header.state_root == b"\4" * 32


def test_mainnet_genesis_has_its_known_hash() -> None:
    ommers = bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")
    empty = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
    state = bytes.fromhex("d7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544")
    extra = bytes.fromhex("11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa")
    genesis: list[rlp.Item] = [b"\0" * 32, ommers, b"\0" * 20, state, empty, empty, b"\0" * 256]
    genesis += [b"\x04\0\0\0\0", b"", b"\x13\x88", b"", b"", extra, b"\0" * 32]
    genesis += [b"\0" * 7 + b"\x42"]

    header = decode_header(rlp.encode(genesis))

    assert header.hash.hex() == "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"
    assert (header.number, header.time) == (0, 0)


def replaced(at: int, item: rlp.Item) -> bytes:
    changed = fields()
    changed[at] = item
    return rlp.encode(changed)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "cut short"),
        (rlp.encode(b"header"), "15 to 32 fields"),
        (rlp.encode(fields()[:14]), "15 to 32 fields"),
        (rlp.encode([*fields(), *[b""] * 18]), "15 to 32 fields"),
        (replaced(3, b"\4" * 31), "another kind or size"),
        (replaced(6, b"\7" * 255), "another kind or size"),
        (replaced(12, []), "another kind or size"),
        (replaced(8, b"\0"), "expected a number"),
        (replaced(11, b"\1" * 9), "expected a number"),
        (replaced(12, b"x" * (1 << 16)), "the limit is 65536"),
    ],
)
def test_what_is_no_header_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(HeaderError, match=reason):
        decode_header(data)


def test_a_header_may_have_the_fields_of_later_forks() -> None:
    data = rlp.encode([*fields(), *[b""] * 17])

    assert decode_header(data).number == 9
