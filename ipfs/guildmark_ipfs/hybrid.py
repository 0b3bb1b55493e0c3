"""Key pairs of X25519 and ML-KEM-768 together: who breaks one of them still reads nothing.

Sealing is HPKE (RFC 9180) in base mode with the KEM X-Wing (draft-connolly-cfrg-xwing-kem, HPKE
number 0x647a), HKDF-SHA256 and AES-256-GCM. A private key is X-Wing's seed of 32 bytes; a public
one is ML-KEM's 1,184 bytes and X25519's 32.
"""

import hashlib
import os
from dataclasses import dataclass
from typing import ClassVar, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from guildmark_ipfs.errors import BadKeyError, WrongKeyError
from guildmark_ipfs.keys import KEY_SIZE, Entropy, PublicKey, Secret

_MLKEM_PUBLIC_SIZE = 1184
_MLKEM_CIPHERTEXT_SIZE = 1088
_MLKEM_SEED_SIZE = 64
HYBRID_PUBLIC_SIZE = _MLKEM_PUBLIC_SIZE + KEY_SIZE


class HybridPublicKey:
    """What a recipient gives away, so that others can seal to it.

    Args:
        data: ML-KEM's encapsulation key (FIPS 203), then X25519's public key (RFC 7748).

    Raises:
        BadKeyError: Another length, an ML-KEM key that fails FIPS 203's check, or an X25519 key
            that ``PublicKey`` refuses, among them those of low order.
    """

    __slots__ = ("_data", "_key")

    suite: ClassVar[int] = 2
    overhead: ClassVar[int] = _MLKEM_CIPHERTEXT_SIZE + KEY_SIZE + 16

    def __init__(self, data: bytes) -> None:
        if len(data) != HYBRID_PUBLIC_SIZE:
            message = f"A hybrid public key has {HYBRID_PUBLIC_SIZE} bytes, not {len(data)}."
            raise BadKeyError(message, size=len(data))
        self._data = bytes(data)
        classical = bytes(PublicKey(self._data[_MLKEM_PUBLIC_SIZE:]))
        try:
            quantum = MLKEM768PublicKey.from_public_bytes(self._data[:_MLKEM_PUBLIC_SIZE])
        except ValueError as exc:
            message = "The bytes are no ML-KEM-768 encapsulation key."
            raise BadKeyError(message) from exc
        self._key = hpke.MLKEM768X25519PublicKey(
            quantum, X25519PublicKey.from_public_bytes(classical)
        )

    def seal(self, plaintext: bytes, *, info: bytes) -> bytes:
        """Encrypt ``plaintext``; only the recipient opens it, and only with the same ``info``."""
        return _suite().encrypt(plaintext, self._key, info)

    def __bytes__(self) -> bytes:
        return self._data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HybridPublicKey) and self._data == other._data

    def __hash__(self) -> int:
        return hash(self._data)

    def __repr__(self) -> str:
        return f"HybridPublicKey(sha256 {hashlib.sha256(self._data).hexdigest()})"


@dataclass(frozen=True, slots=True)
class HybridPrivateKey:
    """What opens that which was sealed to its public key."""

    secret: Secret

    suite: ClassVar[int] = HybridPublicKey.suite
    overhead: ClassVar[int] = HybridPublicKey.overhead

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the key of a seed of 32 bytes that was kept.

        Raises:
            BadKeyError: Another length.
        """
        return cls(Secret(data))

    @classmethod
    def generate(cls, entropy: Entropy = os.urandom) -> Self:
        """Return a new key."""
        return cls(Secret(entropy(KEY_SIZE)))

    def public_key(self) -> HybridPublicKey:
        """Return the half to give away."""
        quantum, classical = self._halves()
        return HybridPublicKey(
            quantum.public_key().public_bytes_raw() + classical.public_key().public_bytes_raw()
        )

    def open(self, sealed: bytes, *, info: bytes) -> bytes:
        """Decrypt what was sealed to this key under ``info``.

        Raises:
            WrongKeyError: Sealed to another key or under another ``info``, or changed since.
        """
        try:
            return _suite().decrypt(sealed, hpke.MLKEM768X25519PrivateKey(*self._halves()), info)
        except InvalidTag as exc:
            message = "This key does not open the sealed bytes in this context."
            raise WrongKeyError(message) from exc

    def _halves(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        # X-Wing, section 5.2: both keys come from one seed.
        expanded = hashlib.shake_256(self.secret.expose()).digest(_MLKEM_SEED_SIZE + KEY_SIZE)
        return (
            MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED_SIZE]),
            X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED_SIZE:]),
        )


def _suite() -> hpke.Suite:
    return hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
