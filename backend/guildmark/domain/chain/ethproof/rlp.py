"""Recursive Length Prefix (Ethereum yellow paper, appendix B), strict: one encoding a value."""

from collections.abc import Iterable
from functools import lru_cache
from typing import NoReturn, TypeAlias

from guildmark.domain.errors import MalformedError

Item: TypeAlias = "bytes | list[Item]"

_DEPTH_MAX = 8
_SHORT_MAX = 55
_BYTES = 0x80
_LIST = 0xC0
_HEADS = tuple(bytes([head]) for head in range(256))
_PREFIXES_KEPT = 4096


class RlpError(MalformedError):
    """Bytes are not the one RLP encoding of a value."""

    code = "rlp.malformed"
    hint = "Fetch the proof again from another node."


def decode(data: bytes) -> Item:
    """Return the item that ``data`` encodes, bytes or a list of items.

    Raises:
        RlpError: Cut short, followed by more bytes, nested too deeply, or not the shortest form.
    """
    item, end = _item(data, 0, _DEPTH_MAX)
    if end != len(data):
        _refuse("bytes follow the item", end)
    return item


def encode(item: Item) -> bytes:
    """Return the RLP encoding of ``item``."""
    if isinstance(item, list):
        return listed([encode(member) for member in item])
    size = len(item)
    if size == 1 and item[0] < _BYTES:
        return item
    return _prefix(size, _BYTES) + item


def listed(encoded: Iterable[bytes]) -> bytes:
    """Return the RLP encoding of a list whose items are encoded already."""
    body = b"".join(encoded)
    return _prefix(len(body), _LIST) + body


def integer(item: Item, size: int = 32) -> int:
    """Return the number that big-endian bytes without leading zeros write.

    Raises:
        RlpError: A list, a leading zero, or more than ``size`` bytes.
    """
    if isinstance(item, list) or len(item) > size or item[:1] == b"\0":
        _refuse("expected a number", 0)
    return int.from_bytes(item, "big")


def encode_integer(value: int) -> bytes:
    """Return big-endian bytes without leading zeros, empty for 0."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _item(data: bytes, at: int, depth: int) -> tuple[Item, int]:
    start, end, is_list = _span(data, at)
    if not is_list:
        return data[start:end], end
    if depth == 0:
        _refuse("nested too deeply", at)
    members: list[Item] = []
    while start < end:
        member, start = _item(data[:end], start, depth - 1)
        members.append(member)
    return members, end


def _span(data: bytes, at: int) -> tuple[int, int, bool]:
    """Return where the item's content starts and ends, and whether it is a list."""
    if at >= len(data):
        _refuse("cut short", at)
    first = data[at]
    if first < _BYTES:
        return at, at + 1, False
    base = _LIST if first >= _LIST else _BYTES
    start, size = _size(data, at, first - base)
    if start + size > len(data):
        _refuse("cut short", at)
    if base == _BYTES and size == 1 and data[start] < _BYTES:
        _refuse("not the shortest form", at)
    return start, start + size, base == _LIST


def _size(data: bytes, at: int, code: int) -> tuple[int, int]:
    if code <= _SHORT_MAX:
        return at + 1, code
    start = at + 1 + code - _SHORT_MAX
    digits = data[at + 1 : start]
    size = int.from_bytes(digits, "big")
    if digits[:1] == b"\0" or size <= _SHORT_MAX:
        _refuse("not the shortest form", at)
    return start, size


@lru_cache(maxsize=_PREFIXES_KEPT)
def _prefix(size: int, base: int) -> bytes:
    if size <= _SHORT_MAX:
        return _HEADS[base + size]
    digits = encode_integer(size)
    return _HEADS[base + _SHORT_MAX + len(digits)] + digits


def _refuse(reason: str, offset: int) -> NoReturn:
    message = f"The bytes are not RLP at {offset}: {reason}."
    raise RlpError(message, offset=offset)
