"""Protocol Buffers' wire format, as far as Sparkplug B payloads need it, from strangers."""

import struct
from collections.abc import Iterator
from typing import NoReturn, TypeAlias

from guildmark.ports.shopfloor import MachineAnswerError

Raw: TypeAlias = int | bytes

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SHIFT_MAX = 63
_MORE = 0x80


def fields_of(data: bytes) -> Iterator[tuple[int, Raw]]:
    """Yield the number and the raw value of each field of a message.

    Raises:
        MachineAnswerError: The bytes end too early, or hold what the format does not know.
    """
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        value: Raw
        if kind == _VARINT:
            value, at = _varint(data, at)
        elif kind == _BYTES:
            size, at = _varint(data, at)
            value, at = _cut(data, at, size)
        elif kind in {_FIXED64, _FIXED32}:
            value, at = _cut(data, at, 8 if kind == _FIXED64 else 4)
        else:
            _refuse("a field of an unknown kind")
        yield number, value


def floating(raw: Raw) -> float:
    """Return the number that a float or a double writes.

    Raises:
        MachineAnswerError: It is neither.
    """
    formats = {4: "<f", 8: "<d"}
    if isinstance(raw, int) or len(raw) not in formats:
        _refuse("a number of another size")
    return float(struct.unpack(formats[len(raw)], raw)[0])


def text(raw: Raw) -> str:
    """Return the text of a field.

    Raises:
        MachineAnswerError: It is no UTF-8.
    """
    try:
        return bytes(raw).decode() if not isinstance(raw, int) else _refuse("a number for a text")
    except UnicodeDecodeError:
        _refuse("a text that is not UTF-8")


def whole(raw: Raw) -> int:
    """Return the number of a varint field.

    Raises:
        MachineAnswerError: It is something else.
    """
    return raw if isinstance(raw, int) else _refuse("bytes for a number")


def inner(raw: Raw) -> bytes:
    """Return the bytes of a message inside a message.

    Raises:
        MachineAnswerError: It is something else.
    """
    return _refuse("a number for a message") if isinstance(raw, int) else raw


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift <= _SHIFT_MAX:
        byte = data[at]
        value |= (byte & ~_MORE) << shift
        at, shift = at + 1, shift + 7
        if not byte & _MORE:
            return value & (2**64 - 1), at
    return _refuse("a number without an end")


def _cut(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    if size > len(data) - at:
        _refuse("less than it announces")
    return data[at : at + size], at + size


def _refuse(reason: str) -> NoReturn:
    message = f"The payload is no Sparkplug B payload: it has {reason}."
    raise MachineAnswerError(message, reason=reason)
