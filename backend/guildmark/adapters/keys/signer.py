"""An opened key: what its algorithm can do with it, and never the key itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from coincurve import PrivateKey
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mlkem, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import SignatureError
from guildmark.domain.identifiers import Address, Digest
from guildmark.domain.signatures import (
    P256_ORDER,
    SECP256K1_ORDER,
    Algorithm,
    SignatureMismatchError,
    address_of,
    low_s,
    recover_address,
)
from guildmark.domain.signatures import PublicKey as SigningKey
from guildmark.ports.keys import KeyAlgorithm, KeyPurposeError, PublicKey, SealBrokenError

_V_BASE = 27


class Unseal(Protocol):
    """Opens what was sealed to a key under a context."""

    def __call__(self, sealed: bytes, *, info: bytes) -> bytes:
        """Return the plaintext."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """An opened key; what its algorithm cannot do raises ``KeyPurposeError``."""

    public_key: PublicKey
    _sign_digest: Callable[[bytes], bytes] | None = field(default=None, repr=False)
    _sign_payload: Callable[[bytes], bytes] | None = field(default=None, repr=False)
    _unseal: Unseal | None = field(default=None, repr=False)
    _unwrap: Callable[[bytes, padding.OAEP], bytes] | None = field(default=None, repr=False)

    def sign_digest(self, digest: bytes) -> bytes:
        """Return r, s and v (27 or 28) over 32 bytes.

        Raises:
            KeyPurposeError: Not a secp256k1 key.
        """
        if self._sign_digest is None:
            raise self._purpose("signs for an account")
        return self._sign_digest(digest)

    def sign_payload(self, payload: bytes) -> bytes:
        """Return a machine's signature.

        Raises:
            KeyPurposeError: A key that signs nothing.
        """
        if self._sign_payload is None:
            raise self._purpose("signs")
        return self._sign_payload(payload)

    def unseal(self, sealed: bytes, *, info: bytes) -> bytes:
        """Return what was sealed to this key.

        Raises:
            KeyPurposeError: A key that opens nothing.
            SealBrokenError: It was sealed to another key or context, or was changed.
        """
        if self._unseal is None:
            raise self._purpose("opens what is sealed")
        return self._unseal(sealed, info=info)

    def unwrap(self, wrapped: bytes, *, mask: str, digest: str) -> bytes:
        """Return the content key that was wrapped for this key by RSA-OAEP (RFC 8017, 7.1).

        Args:
            wrapped: The wrapped key.
            mask: The digest of the mask's generator, ``sha1`` or ``sha256``.
            digest: The digest of the label, likewise.

        Raises:
            KeyPurposeError: Not an RSA key.
            SealBrokenError: It was wrapped for another key, or was changed.
        """
        if self._unwrap is None:
            raise self._purpose("opens printers' files")
        try:
            return self._unwrap(wrapped, oaep(mask=mask, digest=digest))
        except ValueError as exc:
            message = "The wrapped key does not open with this key."
            raise SealBrokenError(message) from exc

    def _purpose(self, needed: str) -> KeyPurposeError:
        message = f"A key that {needed} is needed here, this is a {self.public_key.algorithm} key."
        return KeyPurposeError(message, found=self.public_key.algorithm.value)


def secp256k1(key: PrivateKey) -> Signer:
    """Return the signer of an account or machine; libsecp256k1 gives the low s."""

    def sign_digest(digest: bytes) -> bytes:
        signature = key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([_V_BASE + signature[64]])

    return Signer(
        public_key=PublicKey(algorithm=KeyAlgorithm.SECP256K1, value=key.public_key.format()),
        _sign_digest=sign_digest,
        _sign_payload=lambda payload: sign_digest(sha256(payload))[:64],
    )


def p256(key: ec.EllipticCurvePrivateKey) -> Signer:
    """Return the signer of a machine on the curve that TPMs and smart cards have."""

    def sign_payload(payload: bytes) -> bytes:
        # RFC 6979: no signature reveals the key because random numbers were poor.
        scheme = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        r, s = decode_dss_signature(key.sign(payload, scheme))
        return low_s(r.to_bytes(32, "big") + s.to_bytes(32, "big"), P256_ORDER)

    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return Signer(
        public_key=PublicKey(algorithm=KeyAlgorithm.P256, value=point), _sign_payload=sign_payload
    )


def ed25519_signer(key: ed25519.Ed25519PrivateKey) -> Signer:
    """Return the signer of a machine with an Edwards key (RFC 8032)."""
    value = key.public_key().public_bytes_raw()
    return Signer(
        public_key=PublicKey(algorithm=KeyAlgorithm.ED25519, value=value), _sign_payload=key.sign
    )


def device_signer(public_key: PublicKey, sign: Callable[[bytes], bytes]) -> Signer:
    """Return the signer of an ECDSA key that a device holds.

    Args:
        public_key: The public half; what the device signs is checked against it.
        sign: Asks the device for r and s over 32 bytes.
    """
    algorithm = Algorithm[public_key.algorithm.name]
    key = SigningKey(algorithm=algorithm, data=public_key.value)
    order = P256_ORDER if algorithm is Algorithm.P256 else SECP256K1_ORDER

    def sign_payload(payload: bytes) -> bytes:
        signature = low_s(sign(sha256(payload)), order)
        # A device that answers for another key, or wrongly, is found here and not by a reader.
        key.verify(payload, signature)
        return signature

    def sign_digest(digest: bytes) -> bytes:
        signature, own = low_s(sign(digest), order), address_of(key)
        forms = (signature + bytes((v,)) for v in (_V_BASE, _V_BASE + 1))
        found = next((one for one in forms if _recovers(one, digest, own)), None)
        if found is None:
            message = "The device's signature is not of the key that it shows."
            raise SignatureMismatchError(message)
        return found

    return Signer(
        public_key=public_key,
        _sign_payload=sign_payload,
        _sign_digest=sign_digest if algorithm is Algorithm.SECP256K1 else None,
    )


def _recovers(signature: bytes, digest: bytes, account: Address) -> bool:
    try:
        return recover_address(Digest(digest), signature) == account
    except SignatureError:
        return False


def x25519_opener(key: x25519.X25519PrivateKey) -> Signer:
    """Return what opens HPKE messages (RFC 9180, base mode: HKDF-SHA256, AES-256-GCM)."""
    value = key.public_key().public_bytes_raw()
    return Signer(
        public_key=PublicKey(algorithm=KeyAlgorithm.X25519, value=value),
        _unseal=_unsealing(hpke.KEM.X25519, key),
    )


def hybrid_opener(quantum: mlkem.MLKEM768PrivateKey, key: x25519.X25519PrivateKey) -> Signer:
    """Return what opens HPKE messages of the KEM X-Wing, else as ``x25519_opener``."""
    value = quantum.public_key().public_bytes_raw() + key.public_key().public_bytes_raw()
    return Signer(
        public_key=PublicKey(algorithm=KeyAlgorithm.HYBRID, value=value),
        _unseal=_unsealing(hpke.KEM.MLKEM768_X25519, hpke.MLKEM768X25519PrivateKey(quantum, key)),
    )


def _unsealing(
    kem: hpke.KEM, key: x25519.X25519PrivateKey | hpke.MLKEM768X25519PrivateKey
) -> Unseal:
    def unseal(sealed: bytes, *, info: bytes) -> bytes:
        suite = hpke.Suite(kem, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
        try:
            return suite.decrypt(sealed, key, info)
        except InvalidTag as exc:
            message = "The sealed bytes do not open with this key in this context."
            raise SealBrokenError(message) from exc

    return unseal


def rsa_opener(key: rsa.RSAPrivateKey) -> Signer:
    """Return what opens content keys that are wrapped by RSA-OAEP."""
    value = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Signer(
        public_key=PublicKey(algorithm=KeyAlgorithm.RSA, value=value), _unwrap=key.decrypt
    )


def oaep(*, mask: str, digest: str) -> padding.OAEP:
    """Return RSA-OAEP's padding with an empty label."""
    mgf = padding.MGF1(_OAEP_HASHES[mask]())
    return padding.OAEP(mgf=mgf, algorithm=_OAEP_HASHES[digest](), label=None)


def generate(algorithm: KeyAlgorithm) -> tuple[bytes, ...]:
    """Return a new private key: 32 bytes for secp256k1, else PKCS #8 DER of each of its halves."""
    return _GENERATORS[algorithm]()


def _der(
    key: ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | mlkem.MLKEM768PrivateKey
    | rsa.RSAPrivateKey
    | x25519.X25519PrivateKey,
) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


# 3MF Secure Content, 2.2.2.1: SHA-1 is read, since older printers wrap with it.
_OAEP_HASHES: Mapping[str, Callable[[], hashes.HashAlgorithm]] = MappingProxyType(
    {"sha1": hashes.SHA1, "sha256": hashes.SHA256}
)
_RSA_BITS, _RSA_EXPONENT = 3072, 65_537

_GENERATORS: Mapping[KeyAlgorithm, Callable[[], tuple[bytes, ...]]] = MappingProxyType(
    {
        KeyAlgorithm.SECP256K1: lambda: (PrivateKey().secret,),
        KeyAlgorithm.P256: lambda: (_der(ec.generate_private_key(ec.SECP256R1())),),
        KeyAlgorithm.ED25519: lambda: (_der(ed25519.Ed25519PrivateKey.generate()),),
        KeyAlgorithm.X25519: lambda: (_der(x25519.X25519PrivateKey.generate()),),
        KeyAlgorithm.HYBRID: lambda: (
            _der(mlkem.MLKEM768PrivateKey.generate()),
            _der(x25519.X25519PrivateKey.generate()),
        ),
        KeyAlgorithm.RSA: lambda: (_der(rsa.generate_private_key(_RSA_EXPONENT, _RSA_BITS)),),
    }
)
