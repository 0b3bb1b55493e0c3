"""ABI data, by readers that are made once for each list of parameters.

Contract ABI specification, "Formal Specification of the Encoding". What lies one after another is
unpacked at once, and one look tells whether all bits are zero that the encoding leaves so. Only
what is encoded without any doubt is read here; of all else `eth_abi` says what it is worth, or why
it is wrong.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from struct import Struct
from types import MappingProxyType
from typing import Any, TypeAlias

WORD = 32
_SIZED = re.compile(r"(uint|bytes)([1-9][0-9]*)", re.ASCII)
_PLACE_BITS = 64

Parameter: TypeAlias = Mapping[str, Any]
Reader: TypeAlias = Callable[[bytes, int], Any]
"""Reads what begins at a place of the data."""

Finish: TypeAlias = Callable[[bytes, Any, int, int], Any]
"""Makes a value of the data, of what was unpacked, and of where the heads around it begin and end:
places are counted from where they begin, and lie behind them."""


class UnsureError(Exception):
    """Data or types that are not read here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """How values of a type stand among others.

    Args:
        packed: What unpacks it, in the words of the module ``struct``.
        empty: A one for each bit that must be zero.
        finish: What makes the value, where that is not what was unpacked.
        is_dynamic: Whether only the value's place stands there.
    """

    packed: str
    empty: bytes
    finish: Finish | None = None
    is_dynamic: bool = False


def reader_of(parameters: Sequence[Parameter]) -> Callable[[bytes], list[Any]]:
    """Return what reads the values of parameters.

    It gives structs as mappings, lists as tuples, addresses as bytes.

    Raises:
        UnsureError: A type is not read here, or, by what is returned, the data are not.
    """
    heads = [_head(parameter) for parameter in parameters]
    size, values = _size(heads), _values_reader(heads)

    def read(data: bytes) -> list[Any]:
        return values(data, 0, 0, size)

    return read


def _head(parameter: Parameter) -> _Head:
    name = str(parameter["type"])
    if name.endswith("[]"):
        return _placed(_list_reader(_head({**parameter, "type": name[:-2]})))
    if name == "tuple" and parameter["components"]:
        return _struct(parameter["components"])
    if name in _PLAIN:
        return _PLAIN[name]
    sized = _SIZED.fullmatch(name)
    if sized is None:
        raise UnsureError(name)
    size = int(sized[2])
    return _uint(size) if sized[1] == "uint" else _bytes(size)


def _size(heads: Sequence[_Head]) -> int:
    return sum(len(head.empty) for head in heads)


def _values_reader(heads: Sequence[_Head]) -> Callable[[bytes, int, int, int], list[Any]]:
    """Return what reads values whose heads lie one after another, from where they begin."""
    size = _size(heads)
    empty = int.from_bytes(b"".join(head.empty for head in heads), "big")
    unpack = Struct(">" + "".join(head.packed for head in heads)).unpack_from
    finished = [(at, head.finish) for at, head in enumerate(heads) if head.finish is not None]

    def read(data: bytes, at: int, begin: int, end: int) -> list[Any]:
        heads_end = at + size
        if heads_end > len(data) or int.from_bytes(data[at:heads_end], "big") & empty:
            raise UnsureError
        values = list(unpack(data, at))
        for place, finish in finished:
            values[place] = finish(data, values[place], begin, end)
        return values

    return read


def _struct(components: Sequence[Parameter]) -> _Head:
    names = [str(one["name"]) for one in components]
    heads = [_head(one) for one in components]
    size, values = _size(heads), _values_reader(heads)

    def read(data: bytes, at: int) -> Mapping[str, Any]:
        found = values(data, at, at, at + size)
        return MappingProxyType(dict(zip(names, found, strict=True)))

    def finish(_data: bytes, packed: bytes, _begin: int, _end: int) -> Mapping[str, Any]:
        return read(packed, 0)

    if any(head.is_dynamic for head in heads):
        return _placed(read)
    return _Head(packed=f"{size}s", empty=bytes(size), finish=finish)


def _list_reader(item: _Head) -> Reader:
    size, values = len(item.empty), _values_reader([item])

    def read(data: bytes, at: int) -> tuple[Any, ...]:
        count, begin = _length(data, at), at + WORD
        end = begin + count * size
        if end > len(data):
            raise UnsureError
        return tuple([values(data, each, begin, end)[0] for each in range(begin, end, size)])

    return read


def _placed(reader: Reader) -> _Head:
    """Return the head of a dynamic type: its place, which lies behind all heads around it."""

    def finish(data: bytes, far: int, begin: int, end: int) -> Any:
        place = begin + far
        if not end <= place < len(data):
            raise UnsureError
        return reader(data, place)

    return _Head(packed="24xQ", empty=_ones(256 - _PLACE_BITS), finish=finish, is_dynamic=True)


def _ones(above: int, below: int = 0) -> bytes:
    """Return a word with ones in its first and last bits."""
    first = (1 << above) - 1 << 8 * WORD - above
    return (first | (1 << below) - 1).to_bytes(WORD, "big")


def _length(data: bytes, at: int) -> int:
    """Return what stands before a dynamic value's content; none has more than there are bytes."""
    length = int.from_bytes(data[at : at + WORD], "big")
    if at + WORD > len(data) or length > len(data):
        raise UnsureError
    return length


def _uint(bits: int) -> _Head:
    empty = _ones(256 - bits)
    if bits <= _PLACE_BITS:
        return _Head(packed="24xQ", empty=empty)
    return _Head(packed="32s", empty=empty, finish=_large)


def _large(_data: bytes, word: bytes, _begin: int, _end: int) -> int:
    return int.from_bytes(word, "big")


def _bytes(size: int) -> _Head:
    pad = WORD - size
    return _Head(packed=f"{size}s{pad}x", empty=_ones(0, 8 * pad))


def _byte_string(data: bytes, at: int) -> bytes:
    begin = at + WORD
    end = begin + _length(data, at)
    padded = end + -(end - begin) % WORD
    if padded > len(data) or any(data[end:padded]):
        raise UnsureError
    return data[begin:end]


def _text(data: bytes, at: int) -> str:
    try:
        return _byte_string(data, at).decode()
    except UnicodeDecodeError as exc:
        raise UnsureError from exc


_PLAIN: Mapping[str, _Head] = MappingProxyType(
    {
        "address": _Head(packed="12x20s", empty=_ones(96)),
        "bool": _Head(packed="31x?", empty=_ones(255)),
        "bytes": _placed(_byte_string),
        "string": _placed(_text),
    }
)
