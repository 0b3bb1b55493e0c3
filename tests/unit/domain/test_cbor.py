"""CBOR in its one form, held against another reader and writer."""

from typing import Any

import libipld
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.encoding.cbor import DEPTH_MAX, CborMalformedError, dumps, loads

VALUES = st.recursive(
    st.integers(0, 2**64 - 1) | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=30),
    max_leaves=20,
)


def depth(value: Any) -> int:
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(VALUES)
def test_values_are_written_as_another_library_writes_them(value: Any) -> None:
    assert dumps(value) == libipld.encode_dag_cbor(value)


@given(VALUES.filter(lambda value: depth(value) <= DEPTH_MAX))
def test_what_is_written_is_read(value: Any) -> None:
    assert loads(dumps(value)) == value


# RFC 8949, appendix A, as far as of these kinds.
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("00", 0),
        ("17", 23),
        ("1818", 24),
        ("1903e8", 1000),
        ("1a000f4240", 1_000_000),
        ("1bffffffffffffffff", 2**64 - 1),
        ("40", b""),
        ("4401020304", b"\1\2\3\4"),
        ("80", []),
        ("8301820203820405", [1, [2, 3], [4, 5]]),
    ],
)
def test_the_examples_of_the_standard(text: str, value: Any) -> None:
    assert loads(bytes.fromhex(text)) == value
    assert dumps(value).hex() == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "18",
        "1817",
        "1900ff",
        "19ff",
        "1a0000ffff",
        "1b00000000ffffffff",
        "1c",
        "1f",
        "20",
        "41",
        "4201",
        "5803aabbcc",
        "5f4101ff",
        "60",
        "6161",
        "81",
        "9f00ff",
        "9bffffffffffffffff",
        "a0",
        "c000",
        "f6",
        "f93c00",
        "0000",
        "818181818100",
        "8181818180",
    ],
)
def test_other_bytes_are_refused(text: str) -> None:
    with pytest.raises(CborMalformedError):
        loads(bytes.fromhex(text))


@given(st.binary(max_size=60))
def test_bytes_have_one_meaning(data: bytes) -> None:
    try:
        value = loads(data)
    except CborMalformedError:
        return
    assert dumps(value) == data


@pytest.mark.parametrize("number", [-1, 2**64])
def test_numbers_beyond_64_bits_are_refused(number: int) -> None:
    with pytest.raises(CborMalformedError):
        dumps(number)
