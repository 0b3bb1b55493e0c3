"""Recalls: what parts have in common, and the key under which the chain keeps its recalls.

Source: `IRecallRegistry`.
"""

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from guildmark.domain.encoding import abi
from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import (
    ZERO32,
    Bytes32,
    Digest,
    IdentityId,
    Index,
    LogNumber,
    MalformedPartIdError,
    bytes32_from_hex,
    parse_hint,
    to_hex,
)

RECALL_DOMAIN = keccak256(b"guildmark/recall/v1")

OWNERS = IdentityId(ZERO32)
"""The list of a thing's owners; an authority's list has its id."""

_LOT_TAG = b"guildmark/lot/v1"
_NO_DETAIL = Bytes32(ZERO32)
_OWNER = "owner"
_ACCOUNT_SIZE = 20
_RECALL_ID = re.compile(r"(0x[0-9a-f]{64})\.(owner|0x[0-9a-f]{64})\.([1-9][0-9]{0,11})", re.ASCII)


class ThingMalformedError(MalformedError):
    """A text that names nothing of its kind that can be recalled."""

    code = "recall.thingMalformed"
    hint = (
        "Write a part as LOG.INDEX, a lot as MAKER:DIGEST, a certificate as PLAN:SITE, and "
        "anything else by its id."
    )


class RecallIdMalformedError(MalformedError):
    """A text that names no recall."""

    code = "recall.idMalformed"
    hint = "Take it from `GET /v1/recalls`: KEY.owner.NUMBER, or KEY.AUTHORITY.NUMBER."


class RecallCause(IntEnum):
    """What recalled parts have in common, numbered as in `IRecallRegistry`."""

    SERIAL = 1
    LOT = 2
    MACHINE = 3
    RECIPE = 4
    SITE_RECIPE = 5
    CERTIFICATE = 6
    DESIGN = 7
    KEY = 8

    @property
    def word(self) -> str:
        """Return how people write it."""
        plain = self.name.lower().replace("_", "-")
        return "part" if self is RecallCause.SERIAL else plain

    @classmethod
    def of_word(cls, word: str) -> Self:
        """Return what people write so.

        Raises:
            ThingMalformedError: It names no cause.
        """
        for cause in cls:
            if cause.word == word:
                return cause
        message = f"{word[:80]!r} is no cause of recalls."
        raise ThingMalformedError(message, cause=word[:80])


_PAIRS = frozenset({RecallCause.LOT, RecallCause.CERTIFICATE})


class Severity(IntEnum):
    """What to do with a part until the recall is closed, numbered as in `IRecallRegistry`."""

    INSPECT = 1
    WITHDRAW = 2
    DANGER = 3

    @property
    def word(self) -> str:
        """Return how people write it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """What is recalled: `IRecallRegistry.Thing`.

    Args:
        id: The log's number of a serial, the maker of a lot, the plan of a certificate, else the
            thing's own id.
        detail: The index of a serial, the lot's digest, the site of a certificate, else 0.
    """

    cause: RecallCause
    id: Bytes32
    detail: Bytes32 = _NO_DETAIL

    @classmethod
    def serial(cls, log: LogNumber, index: Index) -> Self:
        """Return one logged part."""
        words = (Bytes32(abi.uint(log, 40)), Bytes32(abi.uint(index, 64)))
        return cls(cause=RecallCause.SERIAL, id=words[0], detail=words[1])

    @classmethod
    def lot(cls, maker: IdentityId, digest: Digest) -> Self:
        """Return a lot by its maker and the salted digest that `lot_digest` makes."""
        return cls(cause=RecallCause.LOT, id=Bytes32(maker), detail=Bytes32(digest))

    @classmethod
    def parse(cls, cause: RecallCause, text: str) -> Self:
        """Return what a text names, as ``text()`` writes it.

        Raises:
            ThingMalformedError: It names nothing of this kind.
            MalformedHexError: An id is not 0x and 64 lower-case digits.
        """
        if cause is RecallCause.SERIAL:
            return cls.serial(*_position(text))
        first, mark, second = text.partition(":")
        if bool(mark) != (cause in _PAIRS):
            message = f"{text!r} names no {cause.name.lower()}."
            raise ThingMalformedError(message, thing=text)
        detail = bytes32_from_hex(second) if mark else _NO_DETAIL
        return cls(cause=cause, id=bytes32_from_hex(first), detail=detail)

    @classmethod
    def named(cls, text: str) -> Self:
        """Return what a text names, as ``name()`` writes it.

        Raises:
            ThingMalformedError: It names no cause, or nothing of its kind.
            MalformedHexError: An id is not 0x and 64 lower-case digits.
        """
        word, _, rest = text.partition(":")
        return cls.parse(RecallCause.of_word(word), rest)

    @property
    def log(self) -> LogNumber:
        """Return the log of a serial."""
        return LogNumber(int.from_bytes(self.id, "big"))

    @property
    def index(self) -> Index:
        """Return the index of a serial."""
        return Index(int.from_bytes(self.detail, "big"))

    def key(self) -> Digest:
        """Return keccak256(abi.encode(domain, Thing)): under it the chain keeps its recalls."""
        words = (abi.uint(self.cause, 8), abi.bytes32(self.id), abi.bytes32(self.detail))
        return keccak256(RECALL_DOMAIN + b"".join(words))

    def text(self) -> str:
        """Return how people name it."""
        if self.cause is RecallCause.SERIAL:
            return f"{self.log}.{self.index}"
        detail = f":{to_hex(self.detail)}" if self.cause in _PAIRS else ""
        return to_hex(self.id) + detail

    def name(self) -> str:
        """Return the cause and how people name it."""
        return f"{self.cause.word}:{self.text()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallId:
    """Which recall: its thing's key, the list, its number in it."""

    key: Digest
    by: IdentityId
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what a text names, as ``text()`` writes it.

        Raises:
            RecallIdMalformedError: It names no recall.
        """
        found = _RECALL_ID.fullmatch(text)
        by = OWNERS if found is None or found[2] == _OWNER else bytes32_from_hex(found[2])
        # The owners' list has one spelling.
        if found is None or (found[2] != _OWNER and by == OWNERS):
            message = f"{text[:80]!r} names no recall."
            raise RecallIdMalformedError(message, found=text[:80])
        key = Digest(bytes32_from_hex(found[1]))
        return cls(key=key, by=IdentityId(by), number=int(found[3]))

    def text(self) -> str:
        """Return how programs name it."""
        by = _OWNER if self.by == OWNERS else to_hex(self.by)
        return f"{to_hex(self.key)}.{by}.{self.number}"


def lot_digest(name: str, salt: Bytes32) -> Digest:
    """Return SHA-256("guildmark/lot/v1" || salt || name): equal for all parts of one lot."""
    return sha256(_LOT_TAG + salt + name.encode())


def _position(text: str) -> tuple[LogNumber, Index]:
    try:
        return parse_hint(text)
    except MalformedPartIdError as error:
        raise ThingMalformedError(error.message, thing=text) from error


def issuer_text(issuer: Bytes32) -> str:
    """Return an identity's id, or the account where that is what issued a recall."""
    front, account = issuer[:-_ACCOUNT_SIZE], issuer[-_ACCOUNT_SIZE:]
    return to_hex(issuer if any(front) else account)
