"""GS1 identification keys: their syntax and check digits (GS1 General Specifications, 7.9)."""

import re

from guildmark.domain.errors import MalformedError

GTIN_SIZE = 14
GLN_SIZE = 13
SSCC_SIZE = 18

_GTIN_SIZES = frozenset({8, 12, 13, 14})
# Tables 7.11-1 and 7.11-2: the characters of serial numbers and of component parts.
_SET_82 = re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+", re.ASCII)
_CPID_SERIAL = re.compile(r"[1-9][0-9]{0,11}|0", re.ASCII)
_CPID = re.compile(r"[0-9]{4}[#\-/0-9A-Z]{1,26}", re.ASCII)
_PREFIX = re.compile(r"[0-9]{4}.", re.ASCII)
_GCP = re.compile(r"[0-9]{4,12}", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)


class MalformedGs1Error(MalformedError):
    """Text that is no key of its kind."""

    code = "gs1.malformed"
    hint = "Compare the text with the label or the certificate of the number."


class WrongCheckDigitError(MalformedGs1Error):
    """A number whose last digit does not follow from the others."""

    code = "gs1.wrongCheckDigit"
    hint = "Look for a mistyped or swapped digit."


def check_digit(payload: str) -> str:
    """Return the check digit that belongs behind ``payload``: weights 3, 1 from the right.

    Raises:
        MalformedGs1Error: Not digits.
    """
    if not _DIGITS.fullmatch(payload):
        _refuse("number", payload)
    total = sum(int(digit) * (1 if at % 2 else 3) for at, digit in enumerate(reversed(payload)))
    return str(-total % 10)


def parse_gtin(text: str) -> str:
    """Return a GTIN with 14 digits; one of 8, 12 or 13 gets leading zeros.

    Raises:
        MalformedGs1Error: Another length, not digits, or a wrong check digit.
    """
    if len(text) not in _GTIN_SIZES:
        _refuse("GTIN", text)
    return _checked("GTIN", text).zfill(GTIN_SIZE)


def parse_gln(text: str) -> str:
    """Return a GLN: 13 digits.

    Raises:
        MalformedGs1Error: Another length, not digits, or a wrong check digit.
    """
    return _sized("GLN", text, GLN_SIZE)


def parse_gcp(text: str) -> str:
    """Return a GS1 company prefix: 4 to 12 digits, without a check digit.

    Raises:
        MalformedGs1Error: Another form.
    """
    if not _GCP.fullmatch(text):
        _refuse("GS1 company prefix", text)
    return text


def parse_sscc(text: str) -> str:
    """Return an SSCC: 18 digits.

    Raises:
        MalformedGs1Error: Another length, not digits, or a wrong check digit.
    """
    return _sized("SSCC", text, SSCC_SIZE)


def parse_giai(text: str) -> str:
    """Return a GIAI: at most 30 characters that begin with a company prefix.

    Raises:
        MalformedGs1Error: Longer, other characters, or no prefix in front.
    """
    if not _PREFIX.match(text):
        _refuse("GIAI", text)
    return parse_characters("GIAI", text, most=30)


def parse_gdti(text: str) -> str:
    """Return a GDTI: 13 digits and at most 17 characters of a serial.

    Raises:
        MalformedGs1Error: Another form or a wrong check digit.
    """
    return _sized("GDTI", text[:13], 13) + _serial("GDTI", text[13:], most=17)


def parse_grai(text: str) -> str:
    """Return a GRAI: a zero, 13 digits and at most 16 characters of a serial.

    Raises:
        MalformedGs1Error: Another form or a wrong check digit.
    """
    if not text.startswith("0"):
        _refuse("GRAI", text)
    return "0" + _sized("GRAI", text[1:14], 13) + _serial("GRAI", text[14:], most=16)


def parse_cpid(text: str) -> str:
    """Return a component's part number: at most 30 characters that begin with a prefix.

    Raises:
        MalformedGs1Error: Longer, other characters, or no prefix in front.
    """
    if not _CPID.fullmatch(text):
        _refuse("part number", text)
    return text


def parse_cpid_serial(text: str) -> str:
    """Return the serial of a component: at most 12 digits without a zero in front.

    Raises:
        MalformedGs1Error: Another form.
    """
    if not _CPID_SERIAL.fullmatch(text):
        _refuse("component's serial", text)
    return text


def parse_characters(what: str, text: str, *, most: int = 20) -> str:
    """Return a serial, batch or similar: at most ``most`` characters of GS1's set 82.

    Raises:
        MalformedGs1Error: Empty, longer, or other characters.
    """
    if not _SET_82.fullmatch(text) or len(text) > most:
        _refuse(what, text)
    return text


def _serial(what: str, text: str, *, most: int) -> str:
    return parse_characters(what, text, most=most) if text else ""


def _sized(what: str, text: str, size: int) -> str:
    if len(text) != size:
        _refuse(what, text)
    return _checked(what, text)


def _checked(what: str, text: str) -> str:
    if not _DIGITS.fullmatch(text):
        _refuse(what, text)
    expected = check_digit(text[:-1])
    if text[-1] != expected:
        message = f"The {what} {text} ends in {text[-1]}, its check digit is {expected}."
        raise WrongCheckDigitError(message, found=text, expected=expected)
    return text


def _refuse(what: str, text: str) -> None:
    message = f"{text[:40]!r} is no {what}."
    raise MalformedGs1Error(message, found=ascii(text[:40]))
