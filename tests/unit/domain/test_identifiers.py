"""Ids, their hex text, and the position of a part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain import identifiers as ids

CHAIN = ids.ChainId(4_294_967_297)
BUILD_LOG = ids.Address(bytes(range(20)))


def part(log: int, index: int) -> ids.PartId:
    return ids.PartId(
        chain_id=CHAIN, build_log=BUILD_LOG, log=ids.LogNumber(log), index=ids.Index(index)
    )


@given(st.binary(max_size=80))
def test_hex_text_is_read_back(value: bytes) -> None:
    assert ids.from_hex(ids.to_hex(value)) == value


@pytest.mark.parametrize(
    "text", ["", "00", "0x0", "0xAB", "0X00", "0x00\n", " 0x00", "0x\u0661\u0661"]
)
def test_other_hex_is_refused(text: str) -> None:
    with pytest.raises(ids.MalformedHexError) as caught:
        ids.from_hex(text)

    assert caught.value.detail == {"length": len(text)}


def test_text_that_may_be_a_salt_is_not_repeated() -> None:
    with pytest.raises(ids.MalformedHexError) as caught:
        ids.from_hex("0xABCDEF")

    assert "ABCDEF" not in repr(caught.value)


def test_sized_values_accept_their_size_only() -> None:
    assert ids.bytes32_from_hex("0x" + "ab" * 32) == b"\xab" * 32
    assert ids.digest_from_hex("0x" + "ab" * 32) == b"\xab" * 32
    assert ids.address_from_hex("0x" + "ab" * 20) == b"\xab" * 20
    for reader, size in (
        (ids.bytes32_from_hex, 31),
        (ids.bytes32_from_hex, 33),
        (ids.digest_from_hex, 20),
        (ids.address_from_hex, 32),
    ):
        with pytest.raises(ids.MalformedHexError, match=f"found {size}"):
            reader("0x" + "ab" * size)


def test_part_id_is_log_in_the_high_and_index_in_the_low_bits() -> None:
    assert part(3, 7).token_id == 3 * 2**64 + 7
    assert part(3, 7).hint == "3.7"


@given(st.integers(1, ids.UINT40_MAX), st.integers(0, ids.UINT64_MAX))
def test_part_id_is_read_back_from_hint_and_token(log: int, index: int) -> None:
    here = part(log, index)

    from_hint = ids.PartId.from_hint(here.hint, chain_id=CHAIN, build_log=BUILD_LOG)
    from_token = ids.PartId.from_token_id(here.token_id, chain_id=CHAIN, build_log=BUILD_LOG)

    assert from_hint == from_token == here


@pytest.mark.parametrize(
    ("log", "index"), [(0, 0), (ids.UINT40_MAX + 1, 0), (1, -1), (1, ids.UINT64_MAX + 1)]
)
def test_positions_outside_the_fields_are_refused(log: int, index: int) -> None:
    with pytest.raises(ids.MalformedPartIdError) as caught:
        part(log, index)

    assert caught.value.detail == {"log": log, "index": index}


def test_first_and_last_positions_exist() -> None:
    assert part(1, 0).hint == "1.0"
    assert part(ids.UINT40_MAX, ids.UINT64_MAX).token_id == ids.UINT40_MAX << 64 | ids.UINT64_MAX


@pytest.mark.parametrize(
    "hint", ["", "3", "3.", ".7", "03.7", "3.07", "3.7.1", "-3.7", "3.7 ", "\u0663.7"]
)
def test_other_hints_are_refused(hint: str) -> None:
    with pytest.raises(ids.MalformedPartIdError) as caught:
        ids.parse_hint(hint)

    assert caught.value.detail == {"found": hint}
