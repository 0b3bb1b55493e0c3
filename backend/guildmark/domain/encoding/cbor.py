"""CBOR (RFC 8949) of small values, in its one deterministic form (section 4.2.1).

Three kinds alone: unsigned integers, byte strings, arrays. What is written longer than needed, of
another kind, or followed by anything, is refused: a value has one encoding.
"""

from collections.abc import Sequence
from typing import NoReturn, TypeAlias

from guildmark.domain.errors import MalformedError

Cbor: TypeAlias = "int | bytes | Sequence[Cbor]"

DEPTH_MAX = 4
_UINT, _BYTES, _ARRAY = 0, 2, 4
# Arguments up to here stand in the first byte; the sizes of longer ones follow from 24 on.
_SHORT = 24
_SIZES = (1, 2, 4, 8)
_LIMIT = 2**64


class CborMalformedError(MalformedError):
    """Bytes that are no such value, or not in its one form; or a number beyond 64 bits."""

    code = "cbor.malformed"
    hint = "Take the value again from where it was made."


def dumps(value: Cbor) -> bytes:
    """Return the encoding of a value.

    Raises:
        CborMalformedError: A number is negative or beyond 64 bits.
    """
    if isinstance(value, bytes):
        return _head(_BYTES, len(value)) + value
    if isinstance(value, int):
        return _head(_UINT, value)
    return _head(_ARRAY, len(value)) + b"".join(map(dumps, value))


def loads(data: bytes) -> Cbor:
    """Return the value that some bytes write.

    Raises:
        CborMalformedError: They are none, or not in the one form.
    """
    value, end = _read(data, 0, DEPTH_MAX)
    if end != len(data):
        _refuse("something stands behind it")
    return value


def _head(kind: int, argument: int) -> bytes:
    if not 0 <= argument < _LIMIT:
        _refuse("a number is negative or beyond 64 bits")
    if argument < _SHORT:
        return bytes((kind << 5 | argument,))
    at = next(at for at, size in enumerate(_SIZES) if argument < 1 << 8 * size)
    return bytes((kind << 5 | _SHORT + at,)) + argument.to_bytes(_SIZES[at], "big")


def _read(data: bytes, at: int, depth: int) -> tuple[Cbor, int]:
    kind, argument, at = _read_head(data, at)
    if kind == _UINT:
        return argument, at
    # Each item of an array has a byte at least.
    if argument > len(data) - at:
        _refuse("it ends too early")
    if kind == _BYTES:
        return data[at : at + argument], at + argument
    if not depth:
        _refuse("it is nested too deeply")
    items: list[Cbor] = []
    for _ in range(argument):
        item, at = _read(data, at, depth - 1)
        items.append(item)
    return items, at


def _read_head(data: bytes, at: int) -> tuple[int, int, int]:
    if at >= len(data):
        _refuse("it ends too early")
    kind, short = data[at] >> 5, data[at] & 31
    if kind not in {_UINT, _BYTES, _ARRAY} or short >= _SHORT + len(_SIZES):
        _refuse("it is of another kind than numbers, bytes and arrays")
    if short < _SHORT:
        return kind, short, at + 1
    end = at + 1 + _SIZES[short - _SHORT]
    argument = int.from_bytes(data[at + 1 : end], "big")
    if end > len(data) or _head(kind, argument) != data[at:end]:
        _refuse("a number is cut off, or longer than needed")
    return kind, argument, end


def _refuse(reason: str) -> NoReturn:
    message = f"This is no CBOR of the one form: {reason}."
    raise CborMalformedError(message)
