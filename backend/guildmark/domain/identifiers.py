"""Ids are types: 32-byte ids, addresses, numbers on chain, and their one text form.

In JSON and URLs bytes are "0x" and lower-case hex; nothing else is read.
"""

import re
from dataclasses import dataclass
from typing import NewType, Self

from guildmark.domain.errors import MalformedError

Bytes32 = NewType("Bytes32", bytes)

Digest = NewType("Digest", bytes)
IdentityId = NewType("IdentityId", bytes)
LicenseId = NewType("LicenseId", bytes)
DesignId = NewType("DesignId", bytes)
RecipeId = NewType("RecipeId", bytes)
SiteRecipeId = NewType("SiteRecipeId", bytes)
KeyId = NewType("KeyId", bytes)
ClaimId = NewType("ClaimId", bytes)
AccreditationId = NewType("AccreditationId", bytes)
EquivalencePlanId = NewType("EquivalencePlanId", bytes)

Address = NewType("Address", bytes)
Cid = NewType("Cid", str)

ChainId = NewType("ChainId", int)
LogNumber = NewType("LogNumber", int)
LaneNumber = NewType("LaneNumber", int)
Seq = NewType("Seq", int)
Index = NewType("Index", int)
UnitNumber = NewType("UnitNumber", int)
Uint256 = NewType("Uint256", int)

ZERO32 = Bytes32(bytes(32))
ZERO_ADDRESS = Address(bytes(20))
UINT40_MAX = 2**40 - 1
UINT64_MAX = 2**64 - 1
BLOCK_MAX = 2**53 - 1
"""A block's number travels in JSON, where whole numbers end here."""

_HEX = re.compile(r"0x(?:[0-9a-f]{2})*", re.ASCII)
_HINT = re.compile(r"(0|[1-9][0-9]{0,12})\.(0|[1-9][0-9]{0,19})", re.ASCII)


class MalformedHexError(MalformedError):
    """Text is not "0x" and lower-case hex of the expected length."""

    code = "id.malformedHex"
    hint = "Write the value as 0x and lower-case hex digits."


class MalformedPartIdError(MalformedError):
    """Text or numbers do not name a position in a log."""

    code = "id.malformedPart"
    hint = "Write the part as log.index, for example 3.1042."


def to_hex(value: bytes) -> str:
    """Return ``value`` as "0x" and lower-case hex."""
    return "0x" + value.hex()


def from_hex(text: str) -> bytes:
    """Return the bytes that ``to_hex`` wrote.

    Raises:
        MalformedHexError: Another alphabet, upper case, or half a byte.
    """
    if not _HEX.fullmatch(text):
        # The text is not repeated: it may be a salt with a typing error.
        message = f"Expected 0x and lower-case hex, found {len(text)} other characters."
        raise MalformedHexError(message, length=len(text))
    return bytes.fromhex(text[2:])


def bytes32_from_hex(text: str) -> Bytes32:
    """Return the 32 bytes that ``text`` writes; wrap them in the id type that is meant.

    Raises:
        MalformedHexError: Not hex, or not 32 bytes.
    """
    return Bytes32(_sized(text, 32))


def digest_from_hex(text: str) -> Digest:
    """Return the digest that ``text`` writes.

    Raises:
        MalformedHexError: Not hex, or not 32 bytes.
    """
    return Digest(bytes32_from_hex(text))


def address_from_hex(text: str) -> Address:
    """Return the 20 bytes of an address in lower-case hex.

    Raises:
        MalformedHexError: Not hex, or not 20 bytes.
    """
    return Address(_sized(text, 20))


def _sized(text: str, size: int) -> bytes:
    value = from_hex(text)
    if len(value) != size:
        message = f"Expected {size} bytes of hex, found {len(value)}."
        raise MalformedHexError(message, expected=size, found=len(value))
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class PartId:
    """The position of a part's entry: unique by construction, silent about the serial."""

    chain_id: ChainId
    build_log: Address
    log: LogNumber
    index: Index

    def __post_init__(self) -> None:
        _check_position(self.log, self.index)

    @property
    def token_id(self) -> int:
        """Return the id of the part's token: log << 64 | index."""
        return self.log << 64 | self.index

    @property
    def hint(self) -> str:
        """Return ``log.index``, the form that a QR carries to be checked, never trusted."""
        return f"{self.log}.{self.index}"

    @classmethod
    def from_hint(cls, hint: str, *, chain_id: ChainId, build_log: Address) -> Self:
        """Return the part that ``log.index`` names on one chain and contract.

        Raises:
            MalformedPartIdError: Not two plain decimal numbers in range.
        """
        log, index = parse_hint(hint)
        return cls(chain_id=chain_id, build_log=build_log, log=log, index=index)

    @classmethod
    def from_token_id(cls, token_id: int, *, chain_id: ChainId, build_log: Address) -> Self:
        """Return the part whose token has this id.

        Raises:
            MalformedPartIdError: The id names no position.
        """
        log, index = LogNumber(token_id >> 64), Index(token_id & UINT64_MAX)
        return cls(chain_id=chain_id, build_log=build_log, log=log, index=index)


def parse_hint(hint: str) -> tuple[LogNumber, Index]:
    """Return log and index of ``log.index``.

    Raises:
        MalformedPartIdError: Not two plain decimal numbers in range.
    """
    found = _HINT.fullmatch(hint)
    if found is None:
        message = f"Expected log.index, found {hint[:80]!r}."
        raise MalformedPartIdError(message, found=hint[:80])
    log, index = int(found[1]), int(found[2])
    _check_position(log, index)
    return LogNumber(log), Index(index)


def _check_position(log: int, index: int) -> None:
    if not (1 <= log <= UINT40_MAX and 0 <= index <= UINT64_MAX):
        message = f"No part can be at position {log}.{index}."
        raise MalformedPartIdError(message, log=log, index=index)
