"""Legal entity identifiers: ISO 17442, with the check digits of ISO/IEC 7064 MOD 97-10."""

import re

from guildmark.domain.errors import MalformedError

_LEI = re.compile(r"[0-9A-Z]{18}[0-9]{2}", re.ASCII)
_MODULUS = 97


class MalformedLeiError(MalformedError):
    """Text that is no LEI."""

    code = "lei.malformed"
    hint = "Write the 20 capital letters and digits of the LEI."


class WrongLeiCheckDigitsError(MalformedLeiError):
    """An LEI whose last two digits do not follow from the others."""

    code = "lei.wrongCheckDigits"
    hint = "Look for a mistyped or swapped character."


def lei_check_digits(payload: str) -> str:
    """Return the two check digits that belong behind the first 18 characters.

    Raises:
        MalformedLeiError: Not 18 capital letters and digits.
    """
    return f"{_MODULUS + 1 - _value(_checked_form(payload + '00')) % _MODULUS:02d}"


def parse_lei(text: str) -> str:
    """Return an LEI.

    Raises:
        MalformedLeiError: Another form, or wrong check digits.
    """
    expected = lei_check_digits(_checked_form(text)[:18])
    # Not by the remainder alone: 00, 01 and 99 leave the same one as 97, 98 and 02.
    if text[18:] != expected:
        message = f"The LEI {text} ends in {text[18:]}, its check digits are {expected}."
        raise WrongLeiCheckDigitsError(message, found=text, expected=expected)
    return text


def _checked_form(text: str) -> str:
    if not _LEI.fullmatch(text):
        message = f"{text[:40]!r} is no LEI."
        raise MalformedLeiError(message, found=ascii(text[:40]))
    return text


def _value(text: str) -> int:
    # Letters count as 10 to 35, written out in decimal (ISO/IEC 7064).
    return int("".join(str(int(character, 36)) for character in text))
