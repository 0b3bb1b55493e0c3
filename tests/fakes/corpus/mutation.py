"""One mutation a field of a JSON document: every path once, of equal members of a list the first.

What a mutation makes is as near to the honest value as it can be: another last digit, one letter
more, the other truth value.
"""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

_HEX = re.compile(r"0x[0-9a-f]+")
_DIGITS = re.compile(r"[1-9][0-9]*")


def mutations(document: Any) -> Iterator[tuple[str, Any]]:
    """Yield each field's path, with the document in which that field alone differs."""
    seen: set[str] = set()
    for path in _leaves(document, ()):
        name = ".".join(str(step) for step in path if not isinstance(step, int))
        if name not in seen:
            seen.add(name)
            yield name, _changed(document, path)


def decoded(data: bytes) -> Any:
    return json.loads(data)


def _leaves(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for key in sorted(value):
            yield from _leaves(value[key], (*path, key))
    elif isinstance(value, list):
        for at, member in enumerate(value):
            yield from _leaves(member, (*path, at))
    else:
        yield path


def _changed(document: Any, path: tuple[str | int, ...]) -> Any:
    if not path:
        return other(document)
    copy = deepcopy(document)
    *way, last = path
    place = copy
    for step in way:
        place = place[step]
    place[last] = other(place[last])
    return copy


def other(value: Any) -> Any:
    """Return another value of the same form, as near as there is one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if value is None:
        return 0
    if _HEX.fullmatch(value):
        return value[:-1] + ("0" if value[-1] != "0" else "1")
    if _DIGITS.fullmatch(value):
        return value[:-1] + str((int(value[-1]) + 1) % 10)
    return f"{value}x"
