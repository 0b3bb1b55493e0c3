"""Decentralized identifiers: did:web of identities, did:pkh of accounts, keys as JWK.

DID Core 1.0; the did:web and did:pkh methods; CAIP-10 account ids; RFC 7517, 8037 and 8812.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from string import ascii_letters, digits
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric import ec

from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Address, ChainId, IdentityId, to_hex
from guildmark.domain.signatures import Algorithm, PublicKey

PATH = "orgs"
"""Below which path a node serves its identities' cards, and so their documents."""

_UNRESERVED = frozenset(ascii_letters + digits + "-._~")
_COORDINATE_SIZE = 32
_LETTER_FROM = 8
_CURVES: Mapping[Algorithm, tuple[str, ec.EllipticCurve]] = MappingProxyType(
    {
        Algorithm.SECP256K1: ("secp256k1", ec.SECP256K1()),
        Algorithm.P256: ("P-256", ec.SECP256R1()),
    }
)


def host_did(host: str) -> str:
    """Return the did:web of a host itself; its port's colon is written as %3A."""
    return f"did:web:{escaped(host)}"


def identity_did(host: str, identity: IdentityId) -> str:
    """Return the did:web of an identity at a host, which names a path by colons."""
    return f"{host_did(host)}:{PATH}:{to_hex(identity)}"


def account_id(chain_id: ChainId, account: Address) -> str:
    """Return an account's id over all chains (CAIP-10)."""
    return f"eip155:{chain_id}:{checksummed(account)}"


def account_did(chain_id: ChainId, account: Address) -> str:
    """Return the did:pkh of an account, which everybody can resolve without asking anybody."""
    return f"did:pkh:{account_id(chain_id, account)}"


def checksummed(account: Address) -> str:
    """Return an address with its checksum in the letters' case (ERC-55)."""
    plain = account.hex()
    digest = keccak256(plain.encode()).hex()
    letters = (
        letter.upper() if int(nibble, 16) >= _LETTER_FROM else letter
        for letter, nibble in zip(plain, digest, strict=False)
    )
    return "0x" + "".join(letters)


def escaped(text: str) -> str:
    """Return a text as part of a URI, all but unreserved characters percent-encoded (RFC 3986)."""
    return "".join(
        chr(byte) if chr(byte) in _UNRESERVED else f"%{byte:02X}" for byte in text.encode()
    )


def jwk(key: PublicKey) -> Mapping[str, str]:
    """Return a public key as a JSON Web Key."""
    if key.algorithm is Algorithm.ED25519:
        return {"kty": "OKP", "crv": "Ed25519", "x": _text(key.data)}
    name, curve = _CURVES[key.algorithm]
    point = ec.EllipticCurvePublicKey.from_encoded_point(curve, key.data).public_numbers()
    x, y = (number.to_bytes(_COORDINATE_SIZE, "big") for number in (point.x, point.y))
    return {"kty": "EC", "crv": name, "x": _text(x), "y": _text(y)}


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
