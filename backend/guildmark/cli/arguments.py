"""What commands take: ids and times, each read the same way everywhere."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import (
    UINT40_MAX,
    AccreditationId,
    Address,
    Bytes32,
    ClaimId,
    DesignId,
    Digest,
    IdentityId,
    KeyId,
    LicenseId,
    RecipeId,
    address_from_hex,
    bytes32_from_hex,
    digest_from_hex,
    from_hex,
)

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
ShowTo: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--node", metavar="URL", help="Show it to this operator's node at once; repeatable."
    ),
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


def identity_id(text: str) -> IdentityId:
    """Return the id of an organization, site, machine or authority."""
    return IdentityId(bytes32_from_hex(text))


def key_id(text: str) -> KeyId:
    """Return the id of a machine's key."""
    return KeyId(bytes32_from_hex(text))


def nonce_of(text: str) -> Bytes32:
    """Return a challenger's random bytes."""
    return bytes32_from_hex(text)


def claim_id(text: str) -> ClaimId:
    """Return the id of a claim."""
    return ClaimId(bytes32_from_hex(text))


def accreditation_id(text: str) -> AccreditationId:
    """Return the id of an accreditation."""
    return AccreditationId(bytes32_from_hex(text))


def design_id(text: str) -> DesignId:
    """Return the id of a design."""
    return DesignId(bytes32_from_hex(text))


class OriginMalformedError(MalformedError):
    """A revision is not written as DESIGN:NUMBER."""

    code = "cli.originMalformed"
    hint = "Write the design's id, a colon, and the revision's number."


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A revision of a design that another one builds on."""

    design: DesignId
    number: int


def origin(text: str) -> Origin:
    """Return the revision that ``DESIGN:NUMBER`` names.

    Raises:
        OriginMalformedError: It names none.
        MalformedHexError: Its first part is no id.
    """
    design, _, number = text.partition(":")
    if not (number.isascii() and number.isdecimal() and 0 < int(number[:20]) <= UINT40_MAX):
        message = f"{text[:100]!r} names no revision."
        raise OriginMalformedError(message, found=text[:100])
    return Origin(design=design_id(design), number=int(number[:20]))


def recipe_id(text: str) -> RecipeId:
    """Return the id of a recipe."""
    return RecipeId(bytes32_from_hex(text))


def license_id(text: str) -> LicenseId:
    """Return the id of a license."""
    return LicenseId(bytes32_from_hex(text))


def thing_id(text: str) -> Bytes32:
    """Return the id of whatever has one."""
    return bytes32_from_hex(text)


def digest(text: str) -> Digest:
    """Return a digest."""
    return digest_from_hex(text)


def address(text: str) -> Address:
    """Return an account's address; upper case, which wallets use as a check, is read as lower."""
    return address_from_hex(text.lower())


def hex_bytes(text: str) -> bytes:
    """Return the bytes that 0x and lower-case hex write."""
    return from_hex(text)


def moment(text: str) -> int:
    """Return block seconds.

    Raises:
        TimeMalformedError: Neither a UTC date or time nor seconds, or beyond what the chain keeps.
    """
    seconds = int(text) if _SECONDS.fullmatch(text) else _utc(text)
    if not 0 <= seconds <= UINT40_MAX:
        raise _no_time(text)
    return seconds


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


LicenseArgument: TypeAlias = Annotated[
    LicenseId, typer.Argument(metavar="LICENSE", parser=license_id, help="The license's id.")
]
BuildBy: TypeAlias = Annotated[
    RecipeId, typer.Option(metavar="RECIPE", parser=recipe_id, help="The recipe to build by.")
]
Clearers: TypeAlias = Annotated[
    list[IdentityId] | None,
    typer.Option(
        metavar="ID",
        parser=identity_id,
        help="Whose clearances for control classes count; may be repeated.",
    ),
]
