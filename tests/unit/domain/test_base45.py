"""Base45 as RFC 9285 has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.encoding.base45 import ALPHABET, Base45MalformedError, decode, encode


# RFC 9285, 4.3 and 4.4.
@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"AB", "BB8"),
        (b"Hello!!", "%69 VD92EX0"),
        (b"base-45", "UJCLQE7W581"),
        (b"ietf!", "QED8WEX0"),
        (b"", ""),
    ],
)
def test_the_vectors_of_the_standard(data: bytes, text: str) -> None:
    assert encode(data) == text
    assert decode(text) == data


@given(st.binary(max_size=200))
def test_what_is_encoded_is_decoded(data: bytes) -> None:
    assert decode(encode(data)) == data


@pytest.mark.parametrize("text", ["A", "BB8A", "GGW", ":::", "::", "bb8", "BB8\n", "\u00c4"])
def test_what_stands_for_no_bytes_is_refused(text: str) -> None:
    with pytest.raises(Base45MalformedError):
        decode(text)


@given(st.text(ALPHABET, max_size=30))
def test_a_text_has_one_meaning(text: str) -> None:
    try:
        data = decode(text)
    except Base45MalformedError:
        return
    assert encode(data) == text
