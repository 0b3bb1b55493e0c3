"""The fixed layouts against eth_abi, and values that do not fit."""

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.encoding import abi

WORDS = st.binary(min_size=32, max_size=32)


@given(st.integers(0, 2**256 - 1), st.integers(0, 2**40 - 1), WORDS)
def test_static_words_are_those_of_eth_abi(large: int, small: int, word: bytes) -> None:
    ours = abi.uint(large) + abi.uint(small, 40) + abi.bytes32(word) + abi.address(word[:20])

    assert ours == encode(
        ["uint256", "uint40", "bytes32", "address"], [large, small, word, word[:20]]
    )


@given(st.integers(0, 255), WORDS, st.binary(max_size=100))
def test_arguments_with_bytes_last_are_those_of_eth_abi(
    number: int, word: bytes, data: bytes
) -> None:
    ours = abi.arguments((abi.uint(number, 8), abi.bytes32(word)), abi.byte_string(data))

    assert ours == encode(["uint8", "bytes32", "bytes"], [number, word, data])


@given(WORDS, st.lists(WORDS))
def test_struct_with_an_array_last_is_that_of_eth_abi(word: bytes, items: list[bytes]) -> None:
    ours = abi.dynamic_struct((abi.bytes32(word),), abi.array(items))

    assert ours == encode(["(bytes32,bytes32[])"], [(word, items)])


@pytest.mark.parametrize(("value", "bits"), [(-1, 8), (256, 8), (2**256, 256)])
def test_integers_beyond_their_type_are_refused(value: int, bits: int) -> None:
    with pytest.raises(abi.AbiRangeError) as caught:
        abi.uint(value, bits)

    assert caught.value.detail == {"bits": bits}


def test_largest_integer_of_a_type_fits() -> None:
    assert abi.uint(255, 8)[-1] == 255


def test_bytes_of_another_size_are_refused() -> None:
    with pytest.raises(abi.AbiRangeError, match="Expected 32 bytes, found 31"):
        abi.bytes32(bytes(31))
    with pytest.raises(abi.AbiRangeError, match="Expected 20 bytes, found 32"):
        abi.address(bytes(32))
