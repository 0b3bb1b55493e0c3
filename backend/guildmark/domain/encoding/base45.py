"""Base45 (RFC 9285): bytes in the 45 letters for which QR codes need the least room."""

from typing import Final

from guildmark.domain.errors import MalformedError

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

_VALUES = {letter: value for value, letter in enumerate(ALPHABET)}
_BASE = len(ALPHABET)
# Two bytes are three letters, one byte is two.
_PAIR, _TRIPLE = 2, 3


class Base45MalformedError(MalformedError):
    """A text that is no Base45."""

    code = "base45.malformed"
    hint = "Scan the code again, or copy its whole text."


def encode(data: bytes) -> str:
    """Return the letters of some bytes."""
    return "".join(_letters(data[at : at + _PAIR]) for at in range(0, len(data), _PAIR))


def decode(text: str) -> bytes:
    """Return the bytes of some letters.

    Raises:
        Base45MalformedError: A letter is none of the 45, or some stand for no bytes.
    """
    return b"".join(_bytes(text[at : at + _TRIPLE]) for at in range(0, len(text), _TRIPLE))


def _letters(data: bytes) -> str:
    value = int.from_bytes(data, "big")
    letters = ""
    for _ in range(len(data) + 1):
        value, place = divmod(value, _BASE)
        letters += ALPHABET[place]
    return letters


def _bytes(letters: str) -> bytes:
    try:
        value = 0
        for letter in reversed(letters):
            value = value * _BASE + _VALUES[letter]
        # A letter alone would stand for no bytes.
        return value.to_bytes(len(letters) - 1 or -1, "big")
    except (KeyError, OverflowError, ValueError) as error:
        message = f"{letters!a} is no Base45."
        raise Base45MalformedError(message) from error
