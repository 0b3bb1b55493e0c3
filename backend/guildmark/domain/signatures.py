"""Public keys and signatures of machines and accounts; one byte form each, nothing malleable.

ECDSA signatures are 64 bytes r || s with s in the lower half of the order (SEC 1, 4.1.4; EIP-2).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import TypeAlias

import coincurve
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.errors import MalformedError, SignatureError
from guildmark.domain.identifiers import Address, Digest, to_hex

SECP256K1_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
P256_ORDER = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551
ED25519_PRIME = 2**255 - 19

COMPRESSED_SIZE = 33
SIGNATURE_SIZE = 64
RECOVERABLE_SIZE = 65

# y of the points whose order divides 8: under such a key anybody can sign anything.
_ED25519_ORDER8_Y = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_ED25519_SMALL_ORDER_Y = frozenset(
    {0, 1, ED25519_PRIME - 1, _ED25519_ORDER8_Y, ED25519_PRIME - _ED25519_ORDER8_Y}
)


class MalformedKeyError(MalformedError):
    """Bytes that are no public key of their algorithm."""

    code = "key.malformed"
    hint = "Give the key compressed: 33 bytes (secp256k1, P-256) or 32 bytes (Ed25519)."


class MalformedSignatureError(SignatureError):
    """Bytes that cannot be a signature, or that have a twin: another length, a high s."""

    code = "signature.malformed"


class SignatureMismatchError(SignatureError):
    """A signature that the key did not make over these bytes."""

    code = "signature.mismatch"


class Algorithm(IntEnum):
    """The algorithm of a key, numbered as in `IIdentityRegistry.Algorithm`."""

    SECP256K1 = 1
    P256 = 2
    ED25519 = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public key in its compressed form.

    Raises:
        MalformedKeyError: Not a point of the curve, or one that everybody can sign under.
    """

    algorithm: Algorithm
    data: bytes

    def __post_init__(self) -> None:
        try:
            _verifier(self.algorithm, self.data)
        except ValueError as error:
            message = f"These {len(self.data)} bytes are no {self.algorithm.name} public key."
            raise MalformedKeyError(message, publicKey=to_hex(self.data[:65])) from error

    def verify(self, message: bytes, signature: bytes) -> None:
        """Check that the key's owner signed ``message`` (ECDSA: its SHA-256).

        Raises:
            MalformedSignatureError: Not 64 bytes, or malleable.
            SignatureMismatchError: Made by another key or over other bytes.
        """
        if len(signature) != SIGNATURE_SIZE:
            _refuse_form(f"Expected {SIGNATURE_SIZE} bytes, found {len(signature)}.")
        if not _verifier(self.algorithm, self.data)(message, signature):
            text = "The signature was not made by this key over these bytes."
            raise SignatureMismatchError(text, publicKey=to_hex(self.data))


def recover_address(digest: Digest, signature: bytes) -> Address:
    """Return the account that signed ``digest`` (EIP-712, EIP-191): r || s || v, v 27 or 28.

    Raises:
        MalformedSignatureError: Another length or v, a high s, or no signature of any key.
    """
    if len(signature) != RECOVERABLE_SIZE or signature[64] not in {27, 28}:
        _refuse_form("Expected 65 bytes r || s || v with v 27 or 28.")
    _check_ecdsa(signature[:64], SECP256K1_ORDER)
    recoverable = signature[:64] + bytes((signature[64] - 27,))
    try:
        key = coincurve.PublicKey.from_signature_and_message(recoverable, digest, hasher=None)
    except ValueError as error:
        text = "The signature belongs to no key."
        raise MalformedSignatureError(text) from error
    return _address_of_point(key.format(compressed=False))


@lru_cache(maxsize=64)
def address_of(key: PublicKey) -> Address:
    """Return the account of a secp256k1 key.

    Raises:
        MalformedKeyError: A key of another algorithm has no account.
    """
    if key.algorithm is not Algorithm.SECP256K1:
        message = f"A {key.algorithm.name} key has no account on the chain."
        raise MalformedKeyError(message, algorithm=key.algorithm.name)
    return _address_of_point(coincurve.PublicKey(key.data).format(compressed=False))


def low_s(signature: bytes, order: int) -> bytes:
    """Return r || s with s in the lower half: what a signer does before it hands a signature out.

    Raises:
        MalformedSignatureError: Not 64 bytes.
    """
    if len(signature) != SIGNATURE_SIZE:
        _refuse_form(f"Expected {SIGNATURE_SIZE} bytes, found {len(signature)}.")
    s = int.from_bytes(signature[32:], "big")
    return signature[:32] + min(s, order - s).to_bytes(32, "big")


def _address_of_point(uncompressed: bytes) -> Address:
    return Address(keccak256(uncompressed[1:])[12:])


_Verify: TypeAlias = Callable[[bytes, bytes], bool]


@lru_cache(maxsize=1024)
def _verifier(algorithm: Algorithm, data: bytes) -> _Verify:
    return _VERIFIERS[algorithm](data)


def _secp256k1(data: bytes) -> _Verify:
    _check_compressed(data)
    key = coincurve.PublicKey(data)

    def verify(message: bytes, signature: bytes) -> bool:
        return key.verify(_der(signature, SECP256K1_ORDER), message)

    return verify


def _p256(data: bytes) -> _Verify:
    _check_compressed(data)
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data)
    ecdsa = ec.ECDSA(hashes.SHA256())

    def verify(message: bytes, signature: bytes) -> bool:
        der = _der(signature, P256_ORDER)
        return _holds(lambda: key.verify(der, message, ecdsa))

    return verify


def _ed25519(data: bytes) -> _Verify:
    y = int.from_bytes(data, "little") & (1 << 255) - 1
    if y >= ED25519_PRIME or y in _ED25519_SMALL_ORDER_Y:
        message = "not a canonical point of large order"
        raise ValueError(message)
    key = ed25519.Ed25519PublicKey.from_public_bytes(data)

    def verify(message: bytes, signature: bytes) -> bool:
        return _holds(lambda: key.verify(signature, message))

    return verify


_VERIFIERS: dict[Algorithm, Callable[[bytes], _Verify]] = {
    Algorithm.SECP256K1: _secp256k1,
    Algorithm.P256: _p256,
    Algorithm.ED25519: _ed25519,
}


def _holds(verify: Callable[[], None]) -> bool:
    try:
        verify()
    except InvalidSignature:
        return False
    return True


def _check_compressed(data: bytes) -> None:
    if len(data) != COMPRESSED_SIZE:
        message = "not a compressed point"
        raise ValueError(message)


def _der(signature: bytes, order: int) -> bytes:
    return encode_dss_signature(*_check_ecdsa(signature, order))


def _check_ecdsa(signature: bytes, order: int) -> tuple[int, int]:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    if not (0 < r < order and 0 < s <= order // 2):
        _refuse_form("Expected r and s inside the order, and s in its lower half.")
    return r, s


def _refuse_form(message: str) -> None:
    raise MalformedSignatureError(message)
