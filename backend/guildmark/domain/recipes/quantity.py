"""Quantities in documents: decimal strings, each with a UCUM unit of a fixed list.

Values compare exactly and by what they are: 1 [in_i] is 25.4 mm, 20 Cel is 293.15 K.
"""

import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from guildmark.domain.errors import MalformedError

# Codes of the Unified Code for Units of Measure (case sensitive form) that documents may name, by
# what they measure, each with its worth in the first unit of its line. Units of one line convert;
# a line of its own keeps apart what has equal dimensions and is not the same (torque and work,
# hardness and pressure, layers and copies), and what has no exact factor (degrees and radians).
_KINDS = """
    m=1 nm=1/1000000000 um=1/1000000 mm=1/1000 cm=1/100 [in_i]=254/10000 [mil_i]=254/10000000
    m2=1 um2=1/1000000000000 mm2=1/1000000 cm2=1/10000
    m3=1 mm3=1/1000000000 cm3=1/1000000 uL=1/1000000000 mL=1/1000000 L=1/1000
    1=1 %=1/100 [ppm]=1/1000000
    deg=1
    rad=1
    s=1 ms=1/1000 min=60 h=3600 d=86400
    Hz=1 /s=1 /min=1/60 kHz=1000
    {rev}/min=1
    {layer}=1
    {copy}=1
    {perimeter}=1
    m/s=1 mm/s=1/1000 mm/min=1/60000
    mm/{rev}=1
    m/s2=1 mm/s2=1/1000
    mm/s3=1
    m3/s=1 mm3/s=1/1000000000 mm3/min=1/60000000000 L/min=1/60000
    kg=1 mg=1/1000000 g=1/1000
    kg/m3=1 g/cm3=1000
    kg/s=1 g/min=1/60000 g/(10.min)=1/600000
    K=1 Cel=1 [degF]=5/9
    K/min=1 Cel/min=1
    N=1 kN=1000
    N.m=1 N.cm=1/100
    Pa=1 kPa=1000 MPa=1000000 GPa=1000000000 bar=100000 mbar=100
    Pa.s=1 mPa.s=1/1000
    J=1 kJ=1000 kW.h=3600000
    J/m2=1 kJ/m2=1000 mJ/cm2=10
    J/m3=1 J/mm3=1000000000
    W=1 kW=1000
    W/m2=1 mW/cm2=10
    V=1 mV=1/1000
    A=1 mA=1/1000
    Ohm=1 kOhm=1000
    uS=1
    lx=1
    cd=1
    dB=1
    {HRC}=1
    {HV}=1
    {ShoreA}=1
    {ShoreD}=1
"""


def _read_kinds() -> dict[str, tuple[str, Fraction]]:
    units = {}
    for line in _KINDS.strip().splitlines():
        each = [item.partition("=") for item in line.split()]
        for code, _, factor in each:
            units[code] = (each[0][0], Fraction(factor))
    return units


_UNITS = _read_kinds()
_ZEROS = {"Cel": Fraction("273.15"), "[degF]": Fraction("459.67") * Fraction(5, 9)}
"""What a scale with a zero of its own calls zero, in kelvin."""

UCUM_CODES = frozenset(_UNITS)

DECIMAL_PATTERN = r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?"

_DECIMAL = re.compile(DECIMAL_PATTERN, re.ASCII)


class MalformedDecimalError(MalformedError):
    """Text that is no plain decimal number."""

    code = "quantity.malformedDecimal"
    hint = 'Write digits with an optional point and sign, for example "0.20".'


class UnknownUnitError(MalformedError):
    """A unit outside the list."""

    code = "quantity.unknownUnit"
    hint = "Use one of the UCUM codes that docs/formats lists, for example mm or Cel."


class UnitMismatchError(MalformedError):
    """A value in a unit that measures something else."""

    code = "quantity.unitMismatch"
    hint = "Give the value in a unit of the same kind, for example a length in mm or [in_i]."


@lru_cache(maxsize=4096)
def parse_decimal(text: str) -> Decimal:
    """Return the number that ``text`` writes.

    Raises:
        MalformedDecimalError: An exponent, a plus, leading zeros, -0, or more than 18 digits.
    """
    if not _DECIMAL.fullmatch(text):
        message = f"{text[:40]!r} is no plain decimal number."
        raise MalformedDecimalError(message, found=ascii(text[:40]))
    number = Decimal(text)
    if number.is_zero() and number.is_signed():
        message = "Zero has no sign."
        raise MalformedDecimalError(message, found=text)
    return number


def check_unit(code: str) -> str:
    """Return a unit's code.

    Raises:
        UnknownUnitError: It is not on the list.
    """
    if code not in UCUM_CODES:
        message = f"{code[:40]!r} is not on the list of units."
        raise UnknownUnitError(message, found=ascii(code[:40]))
    return code


def kind_of(code: str) -> str:
    """Return the base unit of what a unit of the list measures."""
    return _UNITS[code][0]


def measures_alike(code: str, other: str) -> bool:
    """Return whether values in two units of the list can be compared."""
    return kind_of(code) == kind_of(other)


def worth(value: str, code: str) -> Fraction:
    """Return what a value in a unit is worth, exactly, in the base unit of its kind.

    Raises:
        MalformedDecimalError: The value is no plain decimal number.
    """
    return Fraction(parse_decimal(value)) * _UNITS[code][1] + _ZEROS.get(code, 0)


def converted(value: str, code: str, other: str) -> Fraction:
    """Return a value in another unit of the same kind, exactly.

    Raises:
        UnitMismatchError: The units measure different things.
        MalformedDecimalError: The value is no plain decimal number.
    """
    if not measures_alike(code, other):
        message = f"A value in {code} is none in {other}."
        raise UnitMismatchError(message, found=code, expected=other)
    return (worth(value, code) - _ZEROS.get(other, 0)) / _UNITS[other][1]
