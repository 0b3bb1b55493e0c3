"""Known answers of the two hash functions."""

from guildmark.domain.encoding.hashing import keccak256, sha256


def test_sha256_of_abc_is_the_example_of_fips_180() -> None:
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    assert sha256(b"abc").hex() == expected


def test_keccak256_of_nothing_is_the_code_hash_of_an_empty_account() -> None:
    expected = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"

    assert keccak256(b"").hex() == expected
