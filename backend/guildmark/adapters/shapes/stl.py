"""STL, binary and text: triangles and nothing else; the format names no unit."""

import re
import struct
from typing import Any

import numpy as np

from guildmark.adapters.shapes.limits import Limits
from guildmark.adapters.shapes.refusals import (
    CoordinateError,
    ShapeMalformedError,
    TooManyTrianglesError,
    TriangleCountError,
)

_HEADER = 84
_RECORD = 50
_SOLID = re.compile(rb"[ \t]*(?:end)?solid\b[^\n]*(?:\n|$)")
_ANY_SOLID = re.compile(rb"(?m)^[ \t]*(?:end)?solid\b[^\n]*$")
_FACET = ("facet normal ? ? ? outer loop" + 3 * " vertex ? ? ?" + " endloop endfacet").split()
_CORNERS = (8, 9, 10, 12, 13, 14, 16, 17, 18)


def read_stl(data: bytes, limits: Limits) -> Any:
    """Return the corners of all triangles: an array of n x 3 x 3 numbers.

    Raises:
        TriangleCountError: The header announces another number than there is room for.
        TooManyTrianglesError: There are more than are read.
        CoordinateError: A corner is no finite number, or too far away.
        ShapeMalformedError: It is no STL.
    """
    is_text = _SOLID.match(data) is not None and not _fits(data)
    corners = _text(data, limits) if is_text else _binary(data, limits)
    return check_coordinates(corners, limits)


def check_coordinates(values: Any, limits: Limits) -> Any:
    """Return ``values`` if each is finite and near enough.

    Raises:
        CoordinateError: One is not.
    """
    if not np.all(np.abs(values) <= limits.coordinate):
        message = f"A coordinate is no number, or beyond {limits.coordinate:g}."
        raise CoordinateError(message)
    return values


def check_count(count: int, limits: Limits) -> int:
    """Return ``count`` if there is at least one triangle and not too many.

    Raises:
        ShapeMalformedError: There is none.
        TooManyTrianglesError: There are too many.
    """
    if count == 0:
        message = "The file holds no triangle."
        raise ShapeMalformedError(message)
    if count > limits.triangles:
        message = f"The shape has {count} triangles, more than {limits.triangles}."
        raise TooManyTrianglesError(message, triangles=count)
    return count


def _fits(data: bytes) -> bool:
    return len(data) >= _HEADER and len(data) == _HEADER + _RECORD * _announced(data)


def _announced(data: bytes) -> int:
    return int(struct.unpack_from("<I", data, _HEADER - 4)[0])


def _binary(data: bytes, limits: Limits) -> Any:
    if len(data) < _HEADER:
        message = f"The file has {len(data)} bytes, a binary STL at least {_HEADER}."
        raise ShapeMalformedError(message, size=len(data))
    if not _fits(data):
        room = (len(data) - _HEADER) / _RECORD
        message = f"The header announces {_announced(data)} triangles, there is room for {room:g}."
        raise TriangleCountError(message, announced=_announced(data))
    check_count(_announced(data), limits)
    record = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    found = np.frombuffer(data, dtype=record, offset=_HEADER)
    return found["corners"].astype(np.float64)


def _text(data: bytes, limits: Limits) -> Any:
    words = _ANY_SOLID.sub(b"", data).lower().split()
    count, rest = divmod(len(words), len(_FACET))
    if rest:
        message = "The text of the STL ends inside a triangle."
        raise ShapeMalformedError(message)
    table = np.array(words, dtype="S32").reshape(check_count(count, limits), len(_FACET))
    for at, word in enumerate(_FACET):
        if word != "?" and not np.all(table[:, at] == word.encode()):
            message = f"A triangle of the STL lacks the word {word!r}."
            raise ShapeMalformedError(message)
    try:
        corners = table[:, _CORNERS].astype(np.float64)
    except ValueError as exc:
        message = "A corner in the STL is no number."
        raise CoordinateError(message) from exc
    return corners.reshape(-1, 3, 3)
