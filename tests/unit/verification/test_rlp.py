"""RLP: one encoding a value, held equal to the library."""

import pytest
import rlp as oracle
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.chain.ethproof import rlp

ITEMS = st.recursive(
    st.binary(max_size=70), lambda inner: st.lists(inner, max_size=20), max_leaves=20
)
VECTORS = [
    (b"dog", "83646f67"),
    ([b"cat", b"dog"], "c88363617483646f67"),
    (b"", "80"),
    ([], "c0"),
    (b"\x0f", "0f"),
    (b"\x04\x00", "820400"),
    ([[], [[]], [[], [[]]]], "c7c0c1c0c3c0c1c0"),
    (b"x" * 56, "b838" + "78" * 56),
]


def depth(item: rlp.Item) -> int:
    if isinstance(item, bytes):
        return 0
    return 1 + max((depth(member) for member in item), default=0)


@pytest.mark.parametrize(("item", "text"), VECTORS)
def test_known_encodings(item: rlp.Item, text: str) -> None:
    assert rlp.encode(item).hex() == text
    assert rlp.decode(bytes.fromhex(text)) == item


@given(ITEMS)
def test_encoding_equals_the_library_and_is_read_back(item: rlp.Item) -> None:
    encoded = rlp.encode(item)

    assert encoded == oracle.encode(item)
    if depth(item) <= 8:
        assert rlp.decode(encoded) == item


@given(st.binary(max_size=80))
def test_what_is_read_has_only_this_encoding(data: bytes) -> None:
    try:
        item = rlp.decode(data)
    except rlp.RlpError:
        return

    assert rlp.encode(item) == data


@given(ITEMS, st.data())
def test_mutations_are_judged_like_the_library(item: rlp.Item, data: st.DataObject) -> None:
    encoded = bytearray(rlp.encode(item))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))

    try:
        expected = oracle.decode(bytes(encoded))
    except oracle.exceptions.DecodingError:
        with pytest.raises(rlp.RlpError):
            rlp.decode(bytes(encoded))
    else:
        assert depth(expected) > 8 or rlp.decode(bytes(encoded)) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "cut short"),
        ("83646f", "cut short"),
        ("c88363617483646f", "cut short"),
        ("c483646f67ff", "bytes follow the item"),
        ("c283646f67", "cut short"),
        ("c28364", "cut short"),
        ("8100", "not the shortest form"),
        ("817f", "not the shortest form"),
        ("b803646f67", "not the shortest form"),
        ("b90038" + "78" * 56, "not the shortest form"),
        ("b8", "not the shortest form"),
        ("bfffffffffffffffff", "cut short"),
        ("f803646f67", "not the shortest form"),
    ],
)
def test_other_encodings_are_refused(text: str, reason: str) -> None:
    with pytest.raises(rlp.RlpError, match=reason):
        rlp.decode(bytes.fromhex(text))


def test_nesting_ends_at_the_limit() -> None:
    nested: rlp.Item = []
    for _ in range(7):
        nested = [nested]

    assert rlp.decode(rlp.encode(nested)) == nested
    with pytest.raises(rlp.RlpError, match="nested too deeply"):
        rlp.decode(rlp.encode([nested]))


@given(st.integers(0, 2**256 - 1))
def test_numbers_are_read_back(value: int) -> None:
    assert rlp.integer(rlp.encode_integer(value)) == value


@pytest.mark.parametrize("item", [b"\0", b"\0\1", [], b"\1" * 33])
def test_what_writes_no_number_is_refused(item: rlp.Item) -> None:
    with pytest.raises(rlp.RlpError, match="expected a number"):
        rlp.integer(item)


def test_numbers_keep_their_size() -> None:
    assert rlp.integer(b"\xff" * 8, 8) == 2**64 - 1
    with pytest.raises(rlp.RlpError, match="expected a number"):
        rlp.integer(b"\1" + b"\0" * 8, 8)
