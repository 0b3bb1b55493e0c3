"""Sealed documents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark_ipfs.errors import MalformedError, TooLargeError, WrongKeyError
from guildmark_ipfs.keys import PrivateKey
from guildmark_ipfs.sealed import MAX_DOCUMENT, OVERHEAD, open_sealed, seal

SITE = PrivateKey.from_bytes(b"s" * 32)


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=40))
def test_a_sealed_document_opens(document: bytes, info: bytes) -> None:
    sealed = seal(document, SITE.public_key(), info=info)

    assert len(sealed) == len(document) + OVERHEAD
    assert open_sealed(sealed, SITE, info=info) == document


def test_another_recipient_or_purpose_does_not_open_it() -> None:
    sealed = seal(b"a package", SITE.public_key(), info=b"license 1")

    with pytest.raises(WrongKeyError):
        open_sealed(sealed, PrivateKey.from_bytes(b"t" * 32), info=b"license 1")
    with pytest.raises(WrongKeyError):
        open_sealed(sealed, SITE, info=b"license 2")


@given(st.integers(10, 66), st.integers(1, 255))
def test_a_changed_byte_does_not_open(at: int, flip: int) -> None:
    sealed = bytearray(seal(b"a package", SITE.public_key(), info=b"i"))
    sealed[at] ^= flip

    with pytest.raises(WrongKeyError):
        open_sealed(bytes(sealed), SITE, info=b"i")


@given(st.integers(0, 9), st.integers(1, 255))
def test_another_kind_of_bytes_is_named(at: int, flip: int) -> None:
    sealed = bytearray(seal(b"a package", SITE.public_key(), info=b"i"))
    sealed[at] ^= flip

    with pytest.raises(MalformedError, match="no sealed document"):
        open_sealed(bytes(sealed), SITE, info=b"i")


def test_a_cut_document_is_refused() -> None:
    sealed = seal(b"", SITE.public_key(), info=b"i")

    assert len(sealed) == OVERHEAD
    with pytest.raises(MalformedError, match="no sealed document"):
        open_sealed(sealed[:-1], SITE, info=b"i")
    with pytest.raises(WrongKeyError):
        open_sealed(seal(b"abc", SITE.public_key(), info=b"i")[:-1], SITE, info=b"i")


def test_the_context_is_mandatory() -> None:
    sealed = seal(b"a package", SITE.public_key(), info=b"i")

    with pytest.raises(MalformedError, match="must not be empty"):
        seal(b"a package", SITE.public_key(), info=b"")
    with pytest.raises(MalformedError, match="must not be empty"):
        open_sealed(sealed, SITE, info=b"")


def test_a_document_has_16_mebibytes_at_most() -> None:
    largest = bytes(MAX_DOCUMENT)
    sealed = seal(largest, SITE.public_key(), info=b"i")

    assert open_sealed(sealed, SITE, info=b"i") == largest
    with pytest.raises(TooLargeError, match="at most 16777216 bytes"):
        seal(largest + b"x", SITE.public_key(), info=b"i")
    with pytest.raises(TooLargeError, match="at most"):
        open_sealed(sealed + b"x", SITE, info=b"i")
