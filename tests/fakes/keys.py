"""Keys in memory: each the digest of its name, so that a test can name whom it means."""

from collections.abc import Callable, Mapping, Sequence

import coincurve
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mlkem, x25519

from guildmark.adapters.keys import signer
from guildmark.adapters.keys.signer import Signer
from guildmark.domain.builds.predicate import KeyHolder
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Address
from guildmark.domain.signatures import Algorithm, address_of
from guildmark.domain.signatures import PublicKey as SigningKey
from guildmark.ports.keys import (
    KeyAlgorithm,
    KeyExistsError,
    KeyMissingError,
    KeyName,
    PublicKey,
    SealBrokenError,
)


def opened(name: str, algorithm: KeyAlgorithm) -> Signer:
    """Return the key whose secret is the digest of its name."""
    return _OPENERS[algorithm](sha256(name.encode()))


class MemoryKeyStore:
    """Keys that sign for real; what is sealed wears its context on its front."""

    def __init__(self, *names: str) -> None:
        self._names = {KeyName(name): KeyAlgorithm.SECP256K1 for name in names}

    def names(self) -> Sequence[KeyName]:
        return sorted(self._names)

    def create(self, name: KeyName, algorithm: KeyAlgorithm) -> PublicKey:
        if name in self._names:
            message = f"There is a key {name} already."
            raise KeyExistsError(message)
        self._names[name] = algorithm
        return self.public_key(name)

    def public_key(self, name: KeyName) -> PublicKey:
        return self._key(name).public_key

    def address(self, name: KeyName) -> Address:
        return address_of(signing_key(self, name))

    def holder(self, name: KeyName) -> KeyHolder:
        self._key(name)
        return KeyHolder.FILE

    def sign_digest(self, name: KeyName, digest: bytes) -> bytes:
        return self._key(name).sign_digest(digest)

    def sign_payload(self, name: KeyName, payload: bytes) -> bytes:
        return self._key(name).sign_payload(payload)

    def unseal(self, name: KeyName, sealed: bytes, *, info: bytes) -> bytes:
        if not sealed.startswith(info):
            message = "The sealed bytes do not open with this key in this context."
            raise SealBrokenError(message)
        return sealed.removeprefix(info)

    def _key(self, name: KeyName) -> Signer:
        if name not in self._names:
            message = f"There is no key {name}."
            raise KeyMissingError(message)
        return opened(name, self._names[name])


def signing_key(keys: MemoryKeyStore, name: str) -> SigningKey:
    """Return a key as it is registered for a machine."""
    key = keys.public_key(KeyName(name))
    return SigningKey(algorithm=Algorithm[key.algorithm.name], data=key.value)


_OPENERS: Mapping[KeyAlgorithm, Callable[[bytes], Signer]] = {
    KeyAlgorithm.SECP256K1: lambda secret: signer.secp256k1(coincurve.PrivateKey(secret)),
    KeyAlgorithm.P256: lambda secret: signer.p256(
        ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
    ),
    KeyAlgorithm.ED25519: lambda secret: signer.ed25519_signer(
        ed25519.Ed25519PrivateKey.from_private_bytes(secret)
    ),
    KeyAlgorithm.X25519: lambda secret: signer.x25519_opener(
        x25519.X25519PrivateKey.from_private_bytes(secret)
    ),
    KeyAlgorithm.HYBRID: lambda secret: signer.hybrid_opener(
        mlkem.MLKEM768PrivateKey.from_seed_bytes(secret * 2),
        x25519.X25519PrivateKey.from_private_bytes(secret),
    ),
}
