"""Identifiers that other registers give: which text is one, by scheme."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from guildmark.domain.errors import MalformedError
from guildmark.domain.identity.gs1 import parse_gcp, parse_gln
from guildmark.domain.identity.lei import parse_lei

_SEPARATORS = re.compile(r"[^A-Z0-9]+", re.ASCII)
_DUNS = re.compile(r"[0-9]{9}", re.ASCII)
# ACodP-1, NATO Manual on Codification: five characters; the letter O is never used, the letter I
# only in front, and one of the outer two is a digit.
_CAGE = re.compile(r"(?=[0-9]|.{4}[0-9])[0-9A-NP-Z][0-9A-HJ-NP-Z]{4}", re.ASCII)
_BPN = re.compile(r"BPN[LSA][0-9A-Z]{12}", re.ASCII)
_BPN_TAG_SIZE = 4
_BPN_CHECKS = 2
_RADIX = 36
_BPN_MODULUS = 1271

ONE_A_HOLDER = frozenset({"LEI"})
"""Schemes that give a holder one identifier: a second one contradicts the first."""


class MalformedRegisterError(MalformedError):
    """Text that its register would not give."""

    code = "register.malformed"
    hint = "Compare the text with the register's own entry, without blanks and dashes."


class WrongBpnCheckError(MalformedRegisterError):
    """A business partner number whose last two characters do not follow from the others."""

    code = "register.wrongCheck"
    hint = "Look for a mistyped or swapped character."


class MisspeltSchemeError(MalformedRegisterError):
    """A scheme that reads as one whose identifiers are checked, and would not be."""

    code = "register.misspeltScheme"
    hint = "Write the scheme as the message does."


def parse_duns(text: str) -> str:
    """Return a D-U-N-S number: nine digits, since 2006 without a check digit.

    Raises:
        MalformedRegisterError: Another form.
    """
    return _matched("D-U-N-S number", _DUNS, text)


def parse_cage(text: str) -> str:
    """Return a CAGE or NCAGE code: five digits and capital letters (ACodP-1).

    Raises:
        MalformedRegisterError: Another form.
    """
    return _matched("CAGE code", _CAGE, text)


def parse_bpn(text: str) -> str:
    """Return a business partner number: legal entity, site or address.

    Raises:
        MalformedRegisterError: Another form.
        WrongBpnCheckError: The check characters (ISO/IEC 7064 MOD 1271-36) are others.
    """
    _matched("business partner number", _BPN, text)
    expected = bpn_check(text[_BPN_TAG_SIZE:-_BPN_CHECKS])
    if text[-_BPN_CHECKS:] != expected:
        message = f"The number {text} ends in {text[-_BPN_CHECKS:]}, its check is {expected}."
        raise WrongBpnCheckError(message, found=text, expected=expected)
    return text


def bpn_check(payload: str) -> str:
    """Return the two check characters behind ``payload`` (ISO/IEC 7064 MOD 1271-36)."""
    rest = int(payload + "00", _RADIX) % _BPN_MODULUS
    value = (1 - rest) % _BPN_MODULUS
    return "".join("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[part] for part in divmod(value, _RADIX))


SCHEMES: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "LEI": parse_lei,
        "GLN": parse_gln,
        "GCP": parse_gcp,
        "DUNS": parse_duns,
        "CAGE": parse_cage,
        "BPN": parse_bpn,
    }
)
"""Schemes whose identifiers have a form that is checked."""


def check_identifier(scheme: str, value: str) -> None:
    """Check that a value is an identifier of its scheme; other schemes take any text.

    Raises:
        MalformedError: It has another form, or its check digits are wrong; or a scheme is written
            in another way than others write it, and nobody would find or check the value.
    """
    plain = _SEPARATORS.sub("", scheme.upper())
    if plain in SCHEMES and plain != scheme:
        message = f"{scheme[:40]!r} is written {plain}."
        raise MisspeltSchemeError(message, found=ascii(scheme[:40]), expected=plain)
    check = SCHEMES.get(scheme)
    if check is not None:
        check(value)


def _matched(what: str, form: re.Pattern[str], text: str) -> str:
    if not form.fullmatch(text):
        message = f"{text[:40]!r} is no {what}."
        raise MalformedRegisterError(message, found=ascii(text[:40]))
    return text
