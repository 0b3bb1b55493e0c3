"""Keys in memory: each the digest of its name, so that a test can name whom it means."""

from collections.abc import Sequence

import coincurve

from guildmark.domain.hashing import sha256
from guildmark.domain.identifiers import Address
from guildmark.domain.signatures import Algorithm, address_of, low_s
from guildmark.domain.signatures import PublicKey as SigningKey
from guildmark.ports import (
    KeyAlgorithm,
    KeyExistsError,
    KeyMissingError,
    KeyName,
    PublicKey,
    SealBrokenError,
)

_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141


class MemoryKeyStore:
    """Keys that sign as secp256k1; what is sealed wears its context on its front."""

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
        data = self._key(name).public_key.format()
        return PublicKey(algorithm=self._names[name], value=data)

    def address(self, name: KeyName) -> Address:
        return address_of(signing_key(self, name))

    def sign_digest(self, name: KeyName, digest: bytes) -> bytes:
        signature = self._key(name).sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes((signature[64] + 27,))

    def sign_payload(self, name: KeyName, payload: bytes) -> bytes:
        signature = self._key(name).sign_recoverable(payload)
        return low_s(signature[:64], _ORDER)

    def unseal(self, name: KeyName, sealed: bytes, *, info: bytes) -> bytes:
        if not sealed.startswith(info):
            message = "The sealed bytes do not open with this key in this context."
            raise SealBrokenError(message)
        return sealed.removeprefix(info)

    def _key(self, name: KeyName) -> coincurve.PrivateKey:
        if name not in self._names:
            message = f"There is no key {name}."
            raise KeyMissingError(message)
        return coincurve.PrivateKey(sha256(name.encode()))


def signing_key(keys: MemoryKeyStore, name: str) -> SigningKey:
    """Return a key as it is registered for a machine."""
    return SigningKey(algorithm=Algorithm.SECP256K1, data=keys.public_key(KeyName(name)).value)
