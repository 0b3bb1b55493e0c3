"""Known answers of the two hash functions."""

import runpy
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.encoding import hashing
from guildmark.domain.encoding.hashing import keccak256, sha256


def test_sha256_of_abc_is_the_example_of_fips_180() -> None:
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    assert sha256(b"abc").hex() == expected


def test_keccak256_of_nothing_is_the_code_hash_of_an_empty_account() -> None:
    expected = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"

    assert keccak256(b"").hex() == expected


@given(st.binary(max_size=1_000))
def test_either_library_gives_the_same_keccak256(data: bytes) -> None:
    assert _OTHER(data) == keccak256(data)


def _without_the_first_library() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "sha3", None)
        return runpy.run_path(hashing.__file__)


_OTHER = _without_the_first_library()["keccak256"]
