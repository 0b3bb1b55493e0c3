"""Recalls: what parts have in common, and the key under which the chain keeps its recalls.

Source: `IRecallRegistry`.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from guildmark.domain.encoding import abi
from guildmark.domain.encoding.hashing import keccak256
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

_NO_DETAIL = Bytes32(ZERO32)


class ThingMalformedError(MalformedError):
    """A text that names nothing of its kind that can be recalled."""

    code = "recall.thingMalformed"
    hint = (
        "Write a part as LOG.INDEX, a lot as MAKER:DIGEST, a certificate as PLAN:SITE, and "
        "anything else by its id."
    )


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


_PAIRS = frozenset({RecallCause.LOT, RecallCause.CERTIFICATE})


class Severity(IntEnum):
    """What to do with a part until the recall is closed, numbered as in `IRecallRegistry`."""

    INSPECT = 1
    WITHDRAW = 2
    DANGER = 3


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


def _position(text: str) -> tuple[LogNumber, Index]:
    try:
        return parse_hint(text)
    except MalformedPartIdError as error:
        raise ThingMalformedError(error.message, thing=text) from error
