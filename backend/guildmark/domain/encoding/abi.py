"""Solidity's `abi.encode` for the few fixed layouts whose hashes Python must share.

Contract ABI specification, "Formal Specification of the Encoding": words of 32 bytes, one dynamic
value at most, and that one last.
"""

from collections.abc import Sequence

from guildmark.domain.errors import MalformedError

WORD = 32


class AbiRangeError(MalformedError):
    """A value does not fit its Solidity type."""

    code = "abi.outOfRange"
    hint = "Use a value that fits the field."


def uint(value: int, bits: int = 256) -> bytes:
    """Return the word of an unsigned integer.

    Raises:
        AbiRangeError: The value is negative or has more than ``bits`` bits.
    """
    if value < 0 or value >> bits:
        message = f"{value} does not fit uint{bits}."
        raise AbiRangeError(message, bits=bits)
    return value.to_bytes(WORD, "big")


def bytes32(value: bytes) -> bytes:
    """Return the word of 32 bytes.

    Raises:
        AbiRangeError: Not 32 bytes.
    """
    return _sized(value, WORD)


def address(value: bytes) -> bytes:
    """Return the word of an address.

    Raises:
        AbiRangeError: Not 20 bytes.
    """
    return _sized(value, 20).rjust(WORD, b"\0")


def array(items: Sequence[bytes]) -> bytes:
    """Return a dynamic array of items that are encoded already and static."""
    return uint(len(items)) + b"".join(items)


def byte_string(data: bytes) -> bytes:
    """Return a value of type ``bytes`` or ``string``: length, bytes, padding."""
    padding = -len(data) % WORD
    return uint(len(data)) + data + bytes(padding)


def arguments(words: Sequence[bytes], tail: bytes) -> bytes:
    """Return ``abi.encode(words..., tail)`` where only the last argument is dynamic."""
    offset = uint(WORD * (len(words) + 1))
    return b"".join((*words, offset, tail))


def dynamic_struct(words: Sequence[bytes], tail: bytes) -> bytes:
    """Return ``abi.encode(struct)`` of a struct whose last field alone is dynamic."""
    return uint(WORD) + arguments(words, tail)


def _sized(value: bytes, size: int) -> bytes:
    if len(value) != size:
        message = f"Expected {size} bytes, found {len(value)}."
        raise AbiRangeError(message, expected=size, found=len(value))
    return value
