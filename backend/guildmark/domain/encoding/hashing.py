"""The two hash functions: SHA-256 for bytes and trees, Keccak-256 for what the chain computes."""

import hashlib

from guildmark.domain.identifiers import Digest

try:
    from sha3 import keccak_256 as _keccak
except ImportError:
    # Where it has no wheel the other library is installed.
    from Crypto.Hash import keccak

    def _keccak(data: bytes) -> keccak.Keccak_Hash:
        return keccak.new(digest_bits=256, data=data)


def sha256(data: bytes) -> Digest:
    """Return the SHA-256 digest of ``data`` (FIPS 180-4)."""
    return Digest(hashlib.sha256(data).digest())


def keccak256(data: bytes) -> Digest:
    """Return Keccak-256 of ``data`` with the padding that the EVM uses (not SHA3-256)."""
    return Digest(_keccak(data).digest())
