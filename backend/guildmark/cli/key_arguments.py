"""What commands take of keys: public ones, and who releases those of files.

The verifier's command takes none, and starts without what is imported for them.
"""

from guildmark.cli.arguments import identity_id
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import from_hex
from guildmark.domain.rights.release import ReleasePlace
from guildmark.ports.keys import KeyAlgorithm, KeyPurposeError, PublicKey


class PublicKeyTextError(MalformedError):
    """Text is no public key."""

    code = "cli.publicKeyMalformed"
    hint = "Write it as `guildmark keys show` prints it, for example p256:0x02..."


class ReleasePlaceError(MalformedError):
    """Text names no node that releases keys."""

    code = "cli.releasePlaceMalformed"
    hint = "Write the operator's id, @ and the node's address: 0x...@https://HOST."


def public_key(text: str) -> PublicKey:
    """Return the public key that ``key_text`` wrote.

    Raises:
        PublicKeyTextError: An unknown algorithm.
        MalformedHexError: Behind the colon is no hex.
    """
    algorithm, _, value = text.partition(":")
    if algorithm not in set(KeyAlgorithm):
        message = f"{text[:80]!r} is no public key."
        raise PublicKeyTextError(message, found=text[:80])
    return PublicKey(algorithm=KeyAlgorithm(algorithm), value=from_hex(value))


def sealing_key(text: str) -> PublicKey:
    """Return a public key that documents are sealed to.

    Raises:
        PublicKeyTextError: An unknown algorithm.
        KeyPurposeError: A key that signs.
    """
    key = public_key(text)
    if key.algorithm not in {KeyAlgorithm.X25519, KeyAlgorithm.HYBRID}:
        message = f"Nothing is sealed to a {key.algorithm} key."
        raise KeyPurposeError(message, algorithm=key.algorithm.value)
    return key


def release_place(text: str) -> ReleasePlace:
    """Return a node that releases keys: its operator's id and its address.

    Raises:
        ReleasePlaceError: Another form.
        MalformedHexError: Before the sign is no id.
    """
    operator, _, url = text.partition("@")
    if not url.startswith(("http://", "https://")):
        message = f"{text[:120]!r} names no operator and address."
        raise ReleasePlaceError(message, found=text[:120])
    return ReleasePlace(operator=identity_id(operator), url=url.rstrip("/"))


def key_text(key: PublicKey) -> str:
    """Return a public key as people hand it over: algorithm, colon, hex."""
    return f"{key.algorithm.value}:0x{key.value.hex()}"
