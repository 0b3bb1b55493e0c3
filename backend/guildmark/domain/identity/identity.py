"""Identities on chain: the ids of identities, keys and claims, and the salted digests they show."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from guildmark.domain.encoding import abi
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.encoding.strictjson import JsonValue
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import (
    Address,
    Bytes32,
    ChainId,
    ClaimId,
    Digest,
    IdentityId,
    KeyId,
)
from guildmark.domain.signatures import PublicKey

IDENTITY_DOMAIN = keccak256(b"guildmark/identity/v1")
KEY_DOMAIN = keccak256(b"guildmark/key/v1")
CONTROLLER_DOMAIN = keccak256(b"guildmark/controller/v1")
CLAIM_DOMAIN = keccak256(b"guildmark/claim/v1")

NAME_MAX = 200

_SCHEME_MAX = 32
_CLAIM_TAG = b"guildmark/claim/v1"
_PROFILE_TAG = b"guildmark/profile/v1"


class MalformedSchemeError(MalformedError):
    """A claim's scheme that no 32 bytes of ASCII can hold."""

    code = "claim.malformedScheme"
    hint = "Name the scheme in up to 32 ASCII characters, for example LEI or GLN."


class MalformedNameError(MalformedError):
    """A name that people could not read as it is written."""

    code = "identity.malformedName"
    hint = "Write it in Unicode's form NFC, without control or direction characters or wide gaps."


class IdentityKind(IntEnum):
    """What an identity stands for, numbered as in `IIdentityRegistry.Kind`."""

    ORGANIZATION = 1
    SITE = 2
    MACHINE = 3
    AUTHORITY = 4


def identity_id(
    *, chain_id: ChainId, registry: Address, controller: Address, salt: Bytes32
) -> IdentityId:
    """Return the id that a first controller gets for a salt.

    Raises:
        AbiRangeError: A value does not fit its field.
    """
    words = (
        IDENTITY_DOMAIN,
        abi.uint(chain_id),
        abi.address(registry),
        abi.address(controller),
        abi.bytes32(salt),
    )
    return IdentityId(keccak256(b"".join(words)))


def key_id(machine: IdentityId, key: PublicKey) -> KeyId:
    """Return the id of a machine's key.

    Raises:
        AbiRangeError: A value does not fit its field.
    """
    words = (KEY_DOMAIN, abi.bytes32(machine), abi.uint(key.algorithm, 8))
    return KeyId(keccak256(abi.arguments(words, abi.byte_string(key.data))))


def controller_target(identity: IdentityId, number: int) -> Bytes32:
    """Return what notices call controller ``number`` (from 1) of an identity.

    Raises:
        AbiRangeError: The number does not fit its field.
    """
    words = (CONTROLLER_DOMAIN, abi.bytes32(identity), abi.uint(number, 32))
    return Bytes32(keccak256(b"".join(words)))


def scheme_bytes(scheme: str) -> Bytes32:
    """Return a scheme's name as the chain keeps it: ASCII, left-justified.

    Raises:
        MalformedSchemeError: Empty, not printable ASCII, or longer than 32 characters.
    """
    if not (0 < len(scheme) <= _SCHEME_MAX and scheme.isascii() and scheme.isprintable()):
        message = f"{scheme[:40]!r} cannot name a scheme."
        raise MalformedSchemeError(message, scheme=scheme[:40])
    return Bytes32(scheme.encode().ljust(_SCHEME_MAX, b"\0"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimDocument:
    """What a claim says, opened: an identifier of a scheme."""

    scheme: str
    value: str
    salt: Bytes32 = field(repr=False)

    def digest(self) -> Digest:
        """Return the salted digest that the chain shows.

        SHA-256("guildmark/claim/v1" || salt || scheme || 0x00 || value).
        """
        said = self.scheme.encode() + b"\0" + self.value.encode()
        return sha256(_CLAIM_TAG + abi.bytes32(self.salt) + said)

    def claim_id(self, *, issuer: IdentityId, subject: IdentityId) -> ClaimId:
        """Return the id of this claim by an issuer about a subject.

        Raises:
            MalformedSchemeError: The scheme has no form on chain.
        """
        ids = (issuer, subject, scheme_bytes(self.scheme), self.digest())
        return ClaimId(keccak256(CLAIM_DOMAIN + b"".join(map(abi.bytes32, ids))))


def number_digest(value: str) -> Digest:
    """Return SHA-256 of an identifier, by which an index finds it."""
    return sha256(value.encode())


def is_readable_name(text: str) -> bool:
    """Return whether people see of a name what it holds, and nothing that only looks so.

    Unicode's form NFC; no characters that are unseen or turn the direction of others (categories
    Cc, Cf, Cn, Co, Cs, Zl, Zp), no spaces but single ones between words.
    """
    is_plain = text.isprintable() and " ".join(text.split()) == text
    return 0 < len(text) <= NAME_MAX and is_plain and unicodedata.is_normalized("NFC", text)


def check_profile_name(profile: Mapping[str, JsonValue]) -> None:
    """Check the name in a profile, where there is one.

    Raises:
        MalformedNameError: It is no text, or none that people read as it is written.
    """
    name = profile.get("name", "none")
    if not isinstance(name, str) or not is_readable_name(name):
        message = f"{ascii(name)[:80]} is no name that people can read as it is written."
        raise MalformedNameError(message)


def profile_digest(profile: Mapping[str, JsonValue], salt: Bytes32) -> Digest:
    """Return the salted digest of an identity's profile.

    SHA-256("guildmark/profile/v1" || salt || RFC 8785 text of the profile without its salt).

    Raises:
        NotCanonicalError: The profile has no canonical text.
    """
    return sha256(_PROFILE_TAG + abi.bytes32(salt) + canonical(profile))
