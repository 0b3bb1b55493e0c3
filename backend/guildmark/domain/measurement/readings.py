"""A measured value with all that tells where it comes from: what equivalence is computed from."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from guildmark.domain.builds.predicate import NAME_MAX, present
from guildmark.domain.encoding.fields import Fields
from guildmark.domain.encoding.strictjson import JsonObject
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import Digest, to_hex
from guildmark.domain.recipes.clause import ClausePath, parse_path
from guildmark.domain.recipes.quantity import MalformedDecimalError, check_unit, parse_decimal

_DIGITS_MAX = 18


class MalformedReadingError(MalformedError):
    """A reading without a name that it needs, or with a value that is no finite number."""

    code = "reading.malformed"
    hint = "Name part, build, site and instrument, and give the value as a plain decimal."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One value of one characteristic of one part.

    Names are texts, as documents write them: ids in hex where something is registered.

    Args:
        part: The part.
        build: The job in which it was built; parts of one build are not independent.
        site: The site that built it.
        characteristic: The path of the tolerance that the value answers.
        value: The value; always finite.
        unit: The UCUM code of the value's unit.
        instrument: The instrument that took it.
        raw: SHA-256 of the instrument's own file, None where none is claimed.
        lot: The lot of material, where it is known.
    """

    part: str
    build: str
    site: str
    characteristic: ClausePath
    value: Decimal
    unit: str
    instrument: str
    raw: Digest | None = None
    lot: str | None = None

    def __post_init__(self) -> None:
        parse_path(self.characteristic)
        check_unit(self.unit)
        named = {"part": self.part, "build": self.build, "site": self.site}
        for member, text in {**named, "instrument": self.instrument}.items():
            _check_name(member, text)
        if self.lot is not None:
            _check_name("lot", self.lot)
        if not self.value.is_finite():
            message = f"The value of {self.characteristic} is not a finite number."
            raise MalformedReadingError(message, characteristic=self.characteristic)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the reading that a document shows.

        Raises:
            DocumentError: A member is missing, unknown or of another type.
            MalformedError: A value is no plain decimal, a path no clause's, a unit not listed.
        """
        return cls(
            part=fields.text("part", most=NAME_MAX),
            build=fields.text("build", most=NAME_MAX),
            site=fields.text("site", most=NAME_MAX),
            characteristic=ClausePath(fields.text("characteristic")),
            value=parse_decimal(fields.text("value")),
            unit=fields.text("unit"),
            instrument=fields.text("instrument", most=NAME_MAX),
            raw=fields.maybe("rawData", fields.digest),
            lot=fields.maybe("lot", lambda name: fields.text(name, most=NAME_MAX)),
        )

    def to_json(self) -> JsonObject:
        """Return the reading as a document shows it.

        Raises:
            MalformedDecimalError: The value has more digits than documents hold.
        """
        return present(
            {
                "part": self.part,
                "build": self.build,
                "lot": self.lot,
                "site": self.site,
                "characteristic": self.characteristic,
                "value": plain_decimal(self.value),
                "unit": self.unit,
                "instrument": self.instrument,
                "rawData": None if self.raw is None else to_hex(self.raw),
            }
        )


def plain_decimal(number: Decimal) -> str:
    """Return a number as documents write it: no exponent, no plus, and zero without a sign.

    Digits behind the point stay, since they tell what the instrument resolved.

    Raises:
        MalformedDecimalError: It is not finite, or has more digits than documents hold.
    """
    # Written out, the exponent of a few characters may be a gigabyte.
    exponent = number.adjusted() if number.is_finite() else 0
    is_far = exponent < -_DIGITS_MAX or (bool(number) and exponent > _DIGITS_MAX)
    if is_far or not number.is_finite():
        found = str(number)[:40]
        message = f"{found} is no plain decimal number."
        raise MalformedDecimalError(message, found=found)
    places = max(-int(number.as_tuple().exponent), 0)
    text = format(number, "f") if number else format(Decimal((0, (0,), -places)), "f")
    parse_decimal(text)
    return text


def _check_name(member: str, text: str) -> None:
    if not 0 < len(text) <= NAME_MAX:
        message = f"A reading's {member} has 1 to {NAME_MAX} characters."
        raise MalformedReadingError(message, member=member)
