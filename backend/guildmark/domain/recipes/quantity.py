"""Quantities in documents: decimal strings, each with a UCUM unit of a fixed list."""

import re
from decimal import Decimal

from guildmark.domain.errors import MalformedError

# Codes of the Unified Code for Units of Measure (case sensitive form) that documents may name.
# Values compare only under equal codes: nothing is converted.
_CODES = """
    1 % [ppm] um mm cm m um2 mm2 cm2 m2 mm3 cm3 m3 uL mL L deg rad ms s min h d /s /min
    mm/s mm/min m/s mm/s2 mm/s3 mm3/s mm3/min L/min Hz kHz {rev}/min {layer} {copy} {perimeter}
    mg g kg g/cm3 kg/m3 g/min g/(10.min) Cel K Cel/min K/min N kN N.m N.cm Pa kPa MPa GPa bar
    mbar J kJ kJ/m2 J/mm3 W kW kW.h V mV A mA Ohm kOhm uS lx cd dB {HRC} {HV} {ShoreA} {ShoreD}
"""
UCUM_CODES = frozenset(_CODES.split())

_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?", re.ASCII)


class MalformedDecimalError(MalformedError):
    """Text that is no plain decimal number."""

    code = "quantity.malformedDecimal"
    hint = 'Write digits with an optional point and sign, for example "0.20".'


class UnknownUnitError(MalformedError):
    """A unit outside the list."""

    code = "quantity.unknownUnit"
    hint = "Use one of the UCUM codes that docs/formats lists, for example mm or Cel."


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
