"""Private keys by name, and what a home seals with one."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, Protocol

from guildmark.domain.builds.predicate import KeyHolder
from guildmark.domain.errors import (
    ConflictError,
    ContentError,
    ForbiddenError,
    NotFoundError,
    UsageError,
)
from guildmark.domain.identifiers import (
    Address,
)

KeyName = NewType("KeyName", str)


class KeyMissingError(NotFoundError):
    """The key store holds no key of that name."""

    code = "key.missing"
    hint = "List the keys with `guildmark keys list`, or make one with `guildmark keys new`."


class KeyExistsError(ConflictError):
    """The name of a key is taken."""

    code = "key.exists"
    hint = "Choose another name: a key is never overwritten."


class KeyPurposeError(UsageError):
    """A key of that algorithm cannot do what is asked."""

    code = "key.wrongPurpose"
    hint = "Use a key of the algorithm that is named."


class PasswordWrongError(ForbiddenError):
    """The password does not open the key's file."""

    code = "key.passwordWrong"
    hint = "Put the right password into the file that GUILDMARK_PASSWORD_FILE names."


class SealBrokenError(ContentError):
    """What was sealed does not open: another key or context, or changed bytes."""

    code = "key.sealBroken"
    hint = "Ask the sender to seal it again to this site's present key."


class KeyAlgorithm(StrEnum):
    """What a key can do: the first three sign, the others open what is sealed to them."""

    SECP256K1 = "secp256k1"
    P256 = "p256"
    ED25519 = "ed25519"
    X25519 = "x25519"
    HYBRID = "x25519-mlkem768"
    """X25519 and ML-KEM-768 together: who breaks one of them still reads nothing."""
    RSA = "rsa"
    """Opens content keys of 3MF Secure Content, as printers have it; a value is X.509's DER."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public key: 33 bytes compressed, 32 (Ed25519, X25519), 1,216 (hybrid), or DER (RSA)."""

    algorithm: KeyAlgorithm
    value: bytes


class KeyStore(Protocol):
    """Private keys by name; they never leave the store.

    Every method raises ``KeyMissingError`` where there is no such key, ``PasswordWrongError``
    where its file does not open and ``KeyPurposeError`` where it cannot do what is asked.
    """

    def names(self) -> Sequence[KeyName]:
        """Return all names, sorted."""
        ...

    def create(self, name: KeyName, algorithm: KeyAlgorithm) -> PublicKey:
        """Make a new key and store it durably.

        Raises:
            KeyExistsError: The name is taken.
        """
        ...

    def public_key(self, name: KeyName) -> PublicKey:
        """Return the public key."""
        ...

    def address(self, name: KeyName) -> Address:
        """Return the account that a secp256k1 key controls."""
        ...

    def holder(self, name: KeyName) -> KeyHolder:
        """Return what holds a key, so that a machine can say it."""
        ...

    def sign_digest(self, name: KeyName, digest: bytes) -> bytes:
        """Return r, s and v (27 or 28) over 32 bytes, s low: what ecrecover takes."""
        ...

    def sign_payload(self, name: KeyName, payload: bytes) -> bytes:
        """Return a machine's signature over ``payload``.

        secp256k1 and P-256: r and s over SHA-256, s low; Ed25519: the plain signature.
        """
        ...

    def unseal(self, name: KeyName, sealed: bytes, *, info: bytes) -> bytes:
        """Return what was sealed (HPKE, RFC 9180) to a key under the context ``info``.

        Raises:
            SealBrokenError: It was sealed to another key or context, or was changed.
        """
        ...
