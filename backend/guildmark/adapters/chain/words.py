"""ABI data read word by word, by readers that are made once for each list of parameters.

Contract ABI specification, "Formal Specification of the Encoding". Only what is encoded without any
doubt is read here; of all else `eth_abi` says what it is worth, or why it is wrong.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

WORD = 32
_ADDRESS_PAD = bytes(12)
_SIZED = re.compile(r"(uint|bytes)([1-9][0-9]*)", re.ASCII)
_ITEMS_MAX = 2**16

Parameter: TypeAlias = Mapping[str, Any]
Reader: TypeAlias = Callable[[bytes, int, int], Any]
"""Reads a value from data: where what holds it begins, and where its first word is."""


class UnsureError(Exception):
    """Data or types that are not read here."""


def reader_of(parameters: Sequence[Parameter]) -> Callable[[bytes], list[Any]]:
    """Return what reads the values of parameters.

    It gives structs as mappings, lists as tuples, addresses as bytes.

    Raises:
        UnsureError: A type is not read here, or, by what is returned, the data are not.
    """
    fields = _fields_reader([_reader(parameter) for parameter in parameters])

    def read(data: bytes) -> list[Any]:
        return fields(data, 0)

    return read


def _reader(parameter: Parameter) -> tuple[Reader, int]:
    """Return a type's reader, and how many bytes its head takes: 0 for a dynamic type."""
    name = str(parameter["type"])
    if name.endswith("[]"):
        return _list_reader(_reader({**parameter, "type": name[:-2]})), 0
    if name == "tuple":
        return _struct_reader(parameter["components"])
    if name in _PLAIN:
        return _PLAIN[name]
    sized = _SIZED.fullmatch(name)
    if sized is None:
        raise UnsureError(name)
    size = int(sized[2])
    return (_uint(size) if sized[1] == "uint" else _bytes(size)), WORD


def _struct_reader(components: Sequence[Parameter]) -> tuple[Reader, int]:
    names = [str(one["name"]) for one in components]
    heads = [_reader(one) for one in components]
    size = 0 if any(not head for _, head in heads) else sum(head for _, head in heads)
    fields = _fields_reader(heads)

    def read(data: bytes, _base: int, at: int) -> Mapping[str, Any]:
        return MappingProxyType(dict(zip(names, fields(data, at), strict=True)))

    return read, size


def _list_reader(item: tuple[Reader, int]) -> Reader:
    def read(data: bytes, _base: int, at: int) -> tuple[Any, ...]:
        count = _length(data, at)
        if count > _ITEMS_MAX:
            raise UnsureError
        return tuple(_fields_reader([item] * count)(data, at + WORD))

    return read


def _fields_reader(heads: Sequence[tuple[Reader, int]]) -> Callable[[bytes, int], list[Any]]:
    """Return what reads values whose heads lie one after another, from where they begin."""
    placed: list[tuple[Reader, int]] = []
    end = 0
    for reader, size in heads:
        placed.append((reader, end))
        end += size or WORD
    whole = [
        reader if size else _placed(reader, end)
        for (reader, _), (_, size) in zip(placed, heads, strict=True)
    ]
    steps = [(reader, at) for reader, (_, at) in zip(whole, placed, strict=True)]

    def read(data: bytes, base: int) -> list[Any]:
        # Every head is there: what reads a word of one need not look.
        if base + end > len(data):
            raise UnsureError
        return [step(data, base, base + at) for step, at in steps]

    return read


def _placed(reader: Reader, heads: int) -> Reader:
    """Return what reads a dynamic value, of which its place lies among the heads, before it."""

    def read(data: bytes, base: int, at: int) -> Any:
        place = base + _number(data, at)
        if not base + heads <= place < len(data):
            raise UnsureError
        return reader(data, base, place)

    return read


def _number(data: bytes, at: int) -> int:
    """Return a place or a length, which no honest data has beyond its own size."""
    number = int.from_bytes(data[at : at + WORD], "big")
    if number > len(data):
        raise UnsureError
    return number


def _length(data: bytes, at: int) -> int:
    """Return what stands before a dynamic value's content."""
    if at + WORD > len(data):
        raise UnsureError
    return _number(data, at)


def _uint(bits: int) -> Reader:
    def read(data: bytes, _base: int, at: int) -> int:
        number = int.from_bytes(data[at : at + WORD], "big")
        if number >> bits:
            raise UnsureError
        return number

    return read


def _bytes(size: int) -> Reader:
    pad = bytes(WORD - size)

    def read(data: bytes, _base: int, at: int) -> bytes:
        if data[at + size : at + WORD] != pad:
            raise UnsureError
        return data[at : at + size]

    return read


def _bool(data: bytes, _base: int, at: int) -> bool:
    number = _number(data, at)
    if number > 1:
        raise UnsureError
    return bool(number)


def _address(data: bytes, _base: int, at: int) -> bytes:
    if data[at : at + 12] != _ADDRESS_PAD:
        raise UnsureError
    return data[at + 12 : at + WORD]


def _byte_string(data: bytes, _base: int, at: int) -> bytes:
    begin = at + WORD
    end = begin + _length(data, at)
    padded = end + -(end - begin) % WORD
    if padded > len(data) or any(data[end:padded]):
        raise UnsureError
    return data[begin:end]


def _text(data: bytes, base: int, at: int) -> str:
    try:
        return _byte_string(data, base, at).decode()
    except UnicodeDecodeError as exc:
        raise UnsureError from exc


_PLAIN: Mapping[str, tuple[Reader, int]] = MappingProxyType(
    {
        "address": (_address, WORD),
        "bool": (_bool, WORD),
        "bytes": (_byte_string, 0),
        "string": (_text, 0),
    }
)
