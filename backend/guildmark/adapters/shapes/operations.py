"""What a child does with a file, by name."""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, BinaryIO

from guildmark.adapters.shapes import secure
from guildmark.adapters.shapes.limits import LIMITS
from guildmark.adapters.shapes.measuring import measure
from guildmark.adapters.shapes.pictures import picture
from guildmark.adapters.shapes.refusals import ShapeTooLargeError


def run(operation: str, file: BinaryIO, arguments: Mapping[str, Any]) -> bytes:
    """Read a file and return what an operation finds in it.

    Raises:
        ContentError: One of the errors of ``refusals``.
    """
    file.seek(0)
    data = file.read(LIMITS.size + 1)
    if len(data) > LIMITS.size:
        message = f"The file has more than {LIMITS.size} bytes."
        raise ShapeTooLargeError(message, limit=LIMITS.size)
    return _OPERATIONS[operation](data, arguments)


def _measure(data: bytes, arguments: Mapping[str, Any]) -> bytes:
    return json.dumps(measure(data, arguments["kind"], LIMITS).to_json()).encode()


def _picture(data: bytes, arguments: Mapping[str, Any]) -> bytes:
    return picture(data, arguments["kind"], LIMITS)


def _seal(data: bytes, arguments: Mapping[str, Any]) -> bytes:
    return secure.seal_package(data, arguments, LIMITS)


def _rights(data: bytes, _: Mapping[str, Any]) -> bytes:
    return json.dumps(secure.read_rights(data, LIMITS)).encode()


def _unseal(data: bytes, arguments: Mapping[str, Any]) -> bytes:
    keys = {name: bytes.fromhex(key) for name, key in arguments["keys"].items()}
    return secure.open_package(data, keys, LIMITS)


_OPERATIONS: Mapping[str, Callable[[bytes, Mapping[str, Any]], bytes]] = MappingProxyType(
    {
        "measure": _measure,
        "picture": _picture,
        "seal": _seal,
        "rights": _rights,
        "open": _unseal,
    }
)
