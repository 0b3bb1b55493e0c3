"""One clause of a recipe or of license terms, and the salted leaf that commits to it.

A leaf's data is SHA-256(domain || salt || class || type || criticality || path || value ||
minimum || maximum || unit). Class, type and criticality are one byte each; texts are their UTF-8
length in four bytes and their bytes; the four optional ones start with a byte 0 (absent) or 1.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from functools import lru_cache
from typing import NewType, NoReturn, Self, TypeAlias, TypeVar

from guildmark.domain.encoding.abi import bytes32
from guildmark.domain.encoding.fields import Fields
from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.encoding.strictjson import JsonObject
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import Bytes32, Digest, to_hex
from guildmark.domain.recipes.quantity import check_unit, measures_alike, parse_decimal, worth

CLAUSE_DOMAIN = keccak256(b"guildmark/clause/v1")

ClausePath = NewType("ClausePath", str)
NewSalt: TypeAlias = Callable[[], Bytes32]

N = TypeVar("N", Decimal, Fraction)

PATH_PATTERN = r"(?:/[A-Za-z0-9][A-Za-z0-9_-]{0,63}){2,8}"
LENGTH_PATTERN = r"0|[1-9][0-9]{0,3}"

_PATH = re.compile(PATH_PATTERN, re.ASCII)
_LENGTH = re.compile(LENGTH_PATTERN, re.ASCII)


class MalformedClauseError(MalformedError):
    """A clause that says nothing, or contradicts itself."""

    code = "clause.malformed"
    hint = "Correct the clause that is named."


class ClauseClass(IntEnum):
    """What a site may do with a clause."""

    CORE = 1
    WINDOW = 2
    CUSTOM = 3
    SITE = 4


class ClauseType(IntEnum):
    """What a clause's value is."""

    QUANTITY = 1
    TEXT = 2


class Criticality(IntEnum):
    """How much depends on a clause."""

    MINOR = 1
    MAJOR = 2
    CRITICAL = 3


@lru_cache(maxsize=4096)
def parse_path(text: str) -> ClausePath:
    """Return a clause's path: /group/name, up to eight names deep.

    Raises:
        MalformedClauseError: Another form.
    """
    if not _PATH.fullmatch(text):
        message = f"{text[:80]!r} is no path of a clause."
        raise MalformedClauseError(message, path=ascii(text[:80]))
    return ClausePath(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One clause: a value, bounds, or both (then the bounds decide and the value is nominal).

    Args:
        path: Where it stands, for example /process/layer_height.
        type: What its value is.
        klass: Core clauses are equal at every site; in a window a site chooses inside the
            bounds; custom ones are chosen per unit; site ones are free, but recorded.
        salt: 32 random bytes, known to whom the clause is shown.
        value: The value, or the nominal one.
        minimum: The least value, itself allowed.
        maximum: The greatest value, itself allowed.
        unit: The UCUM code of a quantity.
        criticality: How much depends on it.
    """

    path: ClausePath
    type: ClauseType
    klass: ClauseClass
    salt: Bytes32 = field(repr=False)
    value: str | None = None
    minimum: str | None = None
    maximum: str | None = None
    unit: str | None = None
    criticality: Criticality = Criticality.MAJOR

    def __post_init__(self) -> None:
        parse_path(self.path)
        if self.type is ClauseType.QUANTITY:
            self._check_quantity()
        else:
            self._check_text()
        if not self._says_enough():
            self._refuse("a value or bounds are missing")

    @property
    def group(self) -> str:
        """Return the first name of the path."""
        return self.path.split("/", 2)[1]

    @property
    def is_bounded(self) -> bool:
        """Return whether bounds, and not a value alone, say what is admitted."""
        return self.minimum is not None or self.maximum is not None

    def leaf_data(self) -> Digest:
        """Return what the tree holds for this clause."""
        head = bytes((self.klass, self.type, self.criticality)) + _text(self.path)
        optional = (self.value, self.minimum, self.maximum, self.unit)
        body = b"".join(map(_optional_text, optional))
        return sha256(CLAUSE_DOMAIN + bytes32(self.salt) + head + body)

    def admits(self, value: str, unit: str | None = None) -> bool:
        """Return whether a value in a unit is allowed; bounds admit themselves.

        Units of the same kind compare by what they are worth, never by their text.

        Raises:
            MalformedDecimalError: The clause is a quantity and the value is no number.
        """
        if not self.measures_like(unit):
            return False
        if unit is None:
            return self._takes(value)
        if unit == self.unit:
            return self._holds(parse_decimal(value), parse_decimal)
        return self._holds(worth(value, unit), self._worth)

    @property
    def variants(self) -> tuple[str, ...]:
        """Return what a custom text may be, one a line of its value; none where it is free."""
        return () if self.value is None else tuple(self.value.split("\n"))

    def _takes(self, text: str) -> bool:
        """Return whether a text is allowed; a custom one by its length and its variants."""
        if self.klass is not ClauseClass.CUSTOM:
            return self.value in {None, text}
        least, most = int(self.minimum or 0), int(self.maximum or len(text))
        return least <= len(text) <= most and (self.value is None or text in self.variants)

    def measures_like(self, unit: str | None) -> bool:
        """Return whether values in a unit, none for texts, can answer this clause."""
        if self.unit is None or unit is None:
            return self.unit is unit
        return measures_alike(self.unit, unit)

    def narrows(self, wider: Self) -> bool:
        """Return whether everything that this clause admits is admitted by ``wider``, too."""
        if self.type is not wider.type or not wider.measures_like(self.unit):
            return False
        if not wider.is_bounded and wider.value is None:
            return True
        if self.type is ClauseType.TEXT and wider.klass is ClauseClass.CUSTOM:
            return self._lies_between(wider) and self._varies_less(wider)
        if self.is_bounded:
            return wider.is_bounded and self._lies_between(wider)
        return self.value is not None and wider.admits(self.value, self.unit)

    def to_json(self) -> JsonObject:
        """Return the clause as a document shows it, salt included."""
        members = {
            "path": self.path,
            "class": self.klass.name.lower(),
            "type": self.type.name.lower(),
            "criticality": self.criticality.name.lower(),
            "value": self.value,
            "min": self.minimum,
            "max": self.maximum,
            "unit": self.unit,
            "salt": to_hex(self.salt),
        }
        return {name: value for name, value in members.items() if value is not None}

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the clause that a document shows.

        Raises:
            DocumentError: A member is missing, unknown or of another type.
            MalformedClauseError: It says nothing, or contradicts itself.
        """
        return cls(
            path=ClausePath(fields.text("path")),
            klass=fields.named("class", ClauseClass),
            type=fields.named("type", ClauseType),
            criticality=fields.named("criticality", Criticality),
            value=fields.maybe("value", fields.text),
            minimum=fields.maybe("min", fields.text),
            maximum=fields.maybe("max", fields.text),
            unit=fields.maybe("unit", fields.text),
            salt=fields.bytes32("salt"),
        )

    def _check_quantity(self) -> None:
        check_unit(self.unit or "")
        given = (self.minimum, self.value, self.maximum)
        numbers = [parse_decimal(text) for text in given if text is not None]
        if numbers != sorted(numbers):
            self._refuse("minimum, value and maximum are not in order")

    def _check_text(self) -> None:
        if self.unit is not None or (self.is_bounded and self.klass is not ClauseClass.CUSTOM):
            self._refuse("a text has no unit and no bounds")
        self._check_lengths()
        if self.value is not None and not unicodedata.is_normalized("NFC", self.value):
            self._refuse("a text must be in Unicode's form NFC")

    def _check_lengths(self) -> None:
        lengths = [text for text in (self.minimum, self.maximum) if text is not None]
        if not all(_LENGTH.fullmatch(text) for text in lengths):
            self._refuse("the bounds of a custom text are numbers of characters")
        if [int(text) for text in lengths] != sorted(int(text) for text in lengths):
            self._refuse("the least number of characters is above the greatest")

    def _says_enough(self) -> bool:
        if self.klass is ClauseClass.CORE:
            return self.value is not None or self.is_bounded
        if self.klass is ClauseClass.WINDOW:
            return self._has_both_bounds() or self.value is not None
        if self.klass is ClauseClass.CUSTOM:
            return self._has_both_bounds() or self.type is ClauseType.TEXT
        return True

    def _has_both_bounds(self) -> bool:
        return self.minimum is not None and self.maximum is not None

    def _lies_between(self, wider: Self) -> bool:
        least, most = self.minimum, self.maximum
        above = wider.minimum is None or (
            least is not None and self._worth(least) >= wider._worth(wider.minimum)
        )
        below = wider.maximum is None or (
            most is not None and self._worth(most) <= wider._worth(wider.maximum)
        )
        return above and below

    def _varies_less(self, wider: Self) -> bool:
        if wider.value is None:
            return True
        return self.value is not None and set(self.variants) <= set(wider.variants)

    def _holds(self, number: N, read: Callable[[str], N]) -> bool:
        if not self.is_bounded:
            return self.value is None or number == read(self.value)
        above = self.minimum is None or read(self.minimum) <= number
        return above and (self.maximum is None or number <= read(self.maximum))

    def _worth(self, value: str) -> Fraction:
        return Fraction(int(value)) if self.unit is None else worth(value, self.unit)

    def _refuse(self, reason: str) -> NoReturn:
        message = f"The clause {self.path} is refused: {reason}."
        raise MalformedClauseError(message, path=self.path)


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(4, "big") + data


def _optional_text(text: str | None) -> bytes:
    return b"\0" if text is None else b"\x01" + _text(text)
