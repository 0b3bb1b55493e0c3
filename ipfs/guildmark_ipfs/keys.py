"""Keys: a content key a file and revision, an X25519 pair a recipient. None shows itself in text.

Sealing is HPKE (RFC 9180) in base mode: X25519, HKDF-SHA256, AES-256-GCM.
"""

import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NoReturn, Self, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from guildmark_ipfs.errors import BadKeyError, WrongKeyError

Entropy: TypeAlias = Callable[[int], bytes]

KEY_SIZE = 32
# Encapsulated key and tag (RFC 9180, sections 4.1 and 7.3).
SEAL_OVERHEAD = 32 + 16
_FIELD_PRIME = 2**255 - 19


class Secret:
    """32 secret bytes that text, logs and pickles do not show."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        if len(data) != KEY_SIZE:
            message = f"A key has {KEY_SIZE} bytes, this one has {len(data)}."
            raise BadKeyError(message, size=len(data))
        self._data = bytes(data)

    def expose(self) -> bytes:
        """Return the bytes, for a key store or a cipher and nothing else."""
        return self._data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._data, other._data)

    def __hash__(self) -> int:
        return hash(self._data)

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> NoReturn:
        message = "A secret is neither copied nor pickled."
        raise TypeError(message)


@dataclass(frozen=True, slots=True)
class ContentKey:
    """The key of one file in one revision; it encrypts nothing else."""

    secret: Secret

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the key of 32 bytes that were kept or unwrapped.

        Raises:
            BadKeyError: Another length.
        """
        return cls(Secret(data))

    @classmethod
    def generate(cls, entropy: Entropy = os.urandom) -> Self:
        """Return a new key."""
        return cls(Secret(entropy(KEY_SIZE)))


class PublicKey:
    """What a recipient gives away, so that others can seal to it.

    Args:
        data: The 32 bytes of RFC 7748.

    Raises:
        BadKeyError: Another length, not in its one canonical form, or of low order (with such a
            key everybody could open what is sealed to it).
    """

    __slots__ = ("_data", "_key")

    suite: ClassVar[int] = 1
    overhead: ClassVar[int] = SEAL_OVERHEAD

    def __init__(self, data: bytes) -> None:
        if len(data) != KEY_SIZE or int.from_bytes(data, "little") >= _FIELD_PRIME:
            message = "The bytes are no X25519 public key in its canonical form."
            raise BadKeyError(message, key=data[:KEY_SIZE].hex())
        self._data = bytes(data)
        self._key = X25519PublicKey.from_public_bytes(self._data)
        _refuse_low_order(self._key)

    def seal(self, plaintext: bytes, *, info: bytes) -> bytes:
        """Encrypt ``plaintext``; only the recipient opens it, and only with the same ``info``."""
        return _suite().encrypt(plaintext, self._key, info)

    def __bytes__(self) -> bytes:
        return self._data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self._data == other._data

    def __hash__(self) -> int:
        return hash(self._data)

    def __repr__(self) -> str:
        return f"PublicKey({self._data.hex()})"


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """What opens that which was sealed to its public key."""

    secret: Secret

    suite: ClassVar[int] = PublicKey.suite
    overhead: ClassVar[int] = PublicKey.overhead

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the key of 32 bytes (RFC 7748) that were kept.

        Raises:
            BadKeyError: Another length.
        """
        return cls(Secret(data))

    @classmethod
    def generate(cls, entropy: Entropy = os.urandom) -> Self:
        """Return a new key."""
        return cls(Secret(entropy(KEY_SIZE)))

    def public_key(self) -> PublicKey:
        """Return the half to give away."""
        return PublicKey(self._key().public_key().public_bytes_raw())

    def open(self, sealed: bytes, *, info: bytes) -> bytes:
        """Decrypt what was sealed to this key under ``info``.

        Raises:
            WrongKeyError: Sealed to another key or under another ``info``, or changed since.
        """
        try:
            return _suite().decrypt(sealed, self._key(), info)
        except InvalidTag as exc:
            message = "This key does not open the sealed bytes in this context."
            raise WrongKeyError(message) from exc

    def export_pem(self, password: bytes) -> bytes:
        """Return the key as PKCS #8 PEM, encrypted under ``password``.

        Raises:
            BadKeyError: The password is empty.
        """
        if not password:
            message = "A private key is only exported under a password."
            raise BadKeyError(message)
        return self._key().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(password),
        )

    @classmethod
    def import_pem(cls, pem: bytes, password: bytes) -> Self:
        """Read what ``export_pem`` wrote.

        Raises:
            WrongKeyError: Another password.
            BadKeyError: No encrypted X25519 key.
        """
        try:
            key = serialization.load_pem_private_key(pem, password)
        except ValueError as exc:
            message = "The password does not open the key file, or the file is damaged."
            raise WrongKeyError(message, next_step="Give the key file's own password.") from exc
        except TypeError as exc:
            message = "The key file is not encrypted."
            raise BadKeyError(message) from exc
        if not isinstance(key, X25519PrivateKey):
            message = "The key file holds no X25519 key."
            raise BadKeyError(message)
        return cls(Secret(key.private_bytes_raw()))

    def _key(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self.secret.expose())


def _suite() -> hpke.Suite:
    return hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


def _refuse_low_order(key: X25519PublicKey) -> None:
    # Scalars are multiples of 8 (RFC 7748, section 5), so any one of them shows all such points.
    try:
        X25519PrivateKey.from_private_bytes(bytes(KEY_SIZE)).exchange(key)
    except ValueError as exc:
        message = "The public key is of low order: everybody could open what is sealed to it."
        raise BadKeyError(message) from exc
