"""What commands take: ids, keys and times, each read the same way everywhere."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import (
    UINT40_MAX,
    Address,
    ClaimId,
    DesignId,
    IdentityId,
    KeyId,
    LicenseId,
    RecipeId,
    address_from_hex,
    bytes32_from_hex,
    from_hex,
)
from guildmark.ports import KeyAlgorithm, PublicKey

ACCOUNT = "account"
"""The name of the key that `guildmark init` makes."""

Folder: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--home", metavar="DIR", help="The actor's folder; else GUILDMARK_HOME, else ~/.guildmark."
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Signer: TypeAlias = Annotated[
    str,
    typer.Option("--as", metavar="KEY", help="Who signs transactions: a key's name or URI."),
]
NodeUrl: TypeAlias = Annotated[
    str, typer.Option("--node", metavar="URL", help="The address of an operator's node.")
]
Input: TypeAlias = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True)
]

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?", re.ASCII)
_SECONDS = re.compile(r"0|[1-9][0-9]{0,12}", re.ASCII)


class TimeMalformedError(MalformedError):
    """Text is no time."""

    code = "cli.timeMalformed"
    hint = "Write UTC as 2027-01-31 or 2027-01-31T12:00:00Z, or block seconds."


class PublicKeyTextError(MalformedError):
    """Text is no public key."""

    code = "cli.publicKeyMalformed"
    hint = "Write it as `guildmark keys show` prints it, for example p256:0x02..."


def identity_id(text: str) -> IdentityId:
    """Return the id of an organization, site, machine or authority."""
    return IdentityId(bytes32_from_hex(text))


def key_id(text: str) -> KeyId:
    """Return the id of a machine's key."""
    return KeyId(bytes32_from_hex(text))


def claim_id(text: str) -> ClaimId:
    """Return the id of a claim."""
    return ClaimId(bytes32_from_hex(text))


def design_id(text: str) -> DesignId:
    """Return the id of a design."""
    return DesignId(bytes32_from_hex(text))


def recipe_id(text: str) -> RecipeId:
    """Return the id of a recipe."""
    return RecipeId(bytes32_from_hex(text))


def license_id(text: str) -> LicenseId:
    """Return the id of a license."""
    return LicenseId(bytes32_from_hex(text))


def address(text: str) -> Address:
    """Return an account's address; upper case, which wallets use as a check, is read as lower."""
    return address_from_hex(text.lower())


def moment(text: str) -> int:
    """Return block seconds.

    Raises:
        TimeMalformedError: Neither a UTC date or time nor seconds, or beyond what the chain keeps.
    """
    seconds = int(text) if _SECONDS.fullmatch(text) else _utc(text)
    if not 0 <= seconds <= UINT40_MAX:
        raise _no_time(text)
    return seconds


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


def key_text(key: PublicKey) -> str:
    """Return a public key as people hand it over: algorithm, colon, hex."""
    return f"{key.algorithm.value}:0x{key.value.hex()}"


def _utc(text: str) -> int:
    if not _TIME.fullmatch(text):
        raise _no_time(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as exc:
        raise _no_time(text) from exc
    return int(found.replace(tzinfo=UTC).timestamp())


def _no_time(text: str) -> TimeMalformedError:
    message = f"{text[:40]!r} is no time."
    return TimeMalformedError(message, found=text[:40])
