"""The two hash functions: SHA-256 for bytes and trees, Keccak-256 for what the chain computes."""

import hashlib

from Crypto.Hash import keccak

from guildmark.domain.identifiers import Digest


def sha256(data: bytes) -> Digest:
    """Return the SHA-256 digest of ``data`` (FIPS 180-4)."""
    return Digest(hashlib.sha256(data).digest())


def keccak256(data: bytes) -> Digest:
    """Return Keccak-256 of ``data`` with the padding that the EVM uses (not SHA3-256)."""
    return Digest(keccak.new(digest_bits=256, data=data).digest())
