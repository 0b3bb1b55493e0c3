"""Print files for named keys (3MF Secure Content 1.0): the keys stay here, the file in a child."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from uuid import UUID

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from guildmark.adapters.keys.signer import oaep
from guildmark.adapters.shapes import confined
from guildmark.adapters.shapes.confinement import Bounds
from guildmark.adapters.shapes.limits import LIMITS
from guildmark.adapters.shapes.refusals import SecureKeyError, SecureRecipientError
from guildmark.domain.encoding.hashing import sha256
from guildmark.ports.clock import Entropy
from guildmark.ports.keys import SealBrokenError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9#._-]{0,63}", re.ASCII)
_BITS = range(2048, 4097)
_KEY_SIZE, _UUID_SIZE = 32, 16
_BOUNDS = Bounds(output=LIMITS.total)

Unwrap = Callable[[bytes, str, str], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who may open a print file: a printer's name and its RSA key.

    Raises:
        SecureRecipientError: The name or the size of the key is refused.
    """

    name: str
    key: rsa.RSAPublicKey

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.key.key_size not in _BITS:
            raise _refused(self.name)

    @property
    def pem(self) -> str:
        """Return the key in PEM."""
        return self.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def wrap(self, key: bytes) -> Mapping[str, str]:
        """Return what a package says of this recipient, the content key wrapped for it."""
        padding = oaep(mask="sha256", digest="sha256")
        return {
            "name": self.name,
            "keyId": sha256(self.pem.encode()).hex()[:16],
            "key": self.pem,
            "wrapped": self.key.encrypt(key, padding).hex(),
        }


def recipient(name: str, key: bytes) -> Recipient:
    """Return a recipient by its key in PEM or DER.

    Raises:
        SecureRecipientError: The bytes are no RSA key that is taken, or the name none.
    """
    load = load_pem_public_key if key.lstrip().startswith(b"-----") else load_der_public_key
    try:
        found = load(key)
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise _refused(name) from exc
    if not isinstance(found, rsa.RSAPublicKey):
        raise _refused(name)
    return Recipient(name=name, key=found)


def seal(source: BufferedIOBase, recipients: Sequence[Recipient], entropy: Entropy) -> bytes:
    """Return a 3MF package that only the recipients open.

    Raises:
        SecureRecipientError: There is none, or a name is there twice.
        ContentError: One of the errors of ``refusals``.
    """
    names = {one.name for one in recipients}
    if not names or len(names) != len(recipients):
        raise _refused(", ".join(one.name for one in recipients))
    key = entropy.token(_KEY_SIZE)
    arguments = {
        "key": key.hex(),
        "uuid": str(UUID(bytes=entropy.token(_UUID_SIZE), version=4)),
        "consumers": [one.wrap(key) for one in recipients],
    }
    return confined.run("seal", source, arguments, _BOUNDS)


def unseal(source: BufferedIOBase, own: bytes, unwrap: Unwrap) -> bytes:
    """Return the plain 3MF package of one that was encrypted for a key.

    Args:
        source: The encrypted package.
        own: The public key in DER: rights of others are passed over where they show theirs.
        unwrap: Opens a wrapped content key; takes the digests of mask and label.

    Raises:
        SecureKeyError: No part of it is encrypted for the key.
        ContentError: One of the errors of ``refusals``.
    """
    rights = json.loads(confined.run("rights", source, {}))
    keys: dict[str, str] = {}
    for right in rights:
        if right["group"] not in keys and _may_be(right["key"], own):
            opened = _try(right, unwrap)
            keys |= {} if opened is None else {right["group"]: opened.hex()}
    if not keys:
        message = "The package is not encrypted for this key."
        raise SecureKeyError(message, recipients=sorted({one["consumer"] for one in rights}))
    return confined.run("open", source, {"keys": keys}, _BOUNDS)


def _may_be(shown: str, own: bytes) -> bool:
    try:
        found = load_pem_public_key(shown.encode())
    except (ValueError, UnsupportedAlgorithm):
        return True
    return found.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == own


def _try(right: Mapping[str, str], unwrap: Unwrap) -> bytes | None:
    try:
        return unwrap(bytes.fromhex(right["wrapped"]), right["mask"], right["digest"])
    except SealBrokenError:
        return None


def _refused(name: str) -> SecureRecipientError:
    message = f"{name[:80]!r} is no recipient with a name and an RSA key of its own."
    return SecureRecipientError(message, name=ascii(name[:80]))
