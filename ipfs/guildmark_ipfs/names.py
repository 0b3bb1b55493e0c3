"""File names that come from outside, checked before anybody writes under them."""

import unicodedata
from collections.abc import Iterable

from guildmark_ipfs.errors import UnsafeNameError

MAX_NAME = 255
_FORBIDDEN = frozenset('/\\<>:"|?*')
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)}
)


def check_name(name: str) -> str:
    """Return ``name``, a plain file name that means the same on every system.

    Raises:
        UnsafeNameError: A path, hidden, reserved, too long, not in NFC, or with control characters.
    """
    for fault, found in _faults(name):
        if found:
            message = f"The file name {name[:80]!r} {fault}."
            raise UnsafeNameError(message, name=ascii(name[:80]))
    return name


def check_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return ``names``, each of them safe and none equal to another but for its case.

    Raises:
        UnsafeNameError: One is not safe, or two would meet in one folder.
    """
    checked = tuple(check_name(name) for name in names)
    seen: dict[str, str] = {}
    for name in checked:
        other = seen.get(name.casefold())
        if other is not None:
            message = f"The file names {other!r} and {name!r} would meet in one folder."
            raise UnsafeNameError(message, name=ascii(name))
        seen[name.casefold()] = name
    return checked


def _faults(name: str) -> Iterable[tuple[str, bool]]:
    stem = name.partition(".")[0].strip().casefold()
    yield "is empty", not name
    yield f"is longer than {MAX_NAME} bytes", _size(name) > MAX_NAME
    yield "begins with a dot, a dash or a space", name[:1] in {".", "-", " "}
    yield "ends with a dot or a space", name[-1:] in {".", " "}
    yield "is a path or has a character that systems reserve", not _FORBIDDEN.isdisjoint(name)
    yield "is reserved by a system", stem in _RESERVED
    # Categories C*: control, format (what turns the writing direction), surrogates, unassigned.
    yield "has invisible characters", any(unicodedata.category(char)[0] == "C" for char in name)
    yield "is not in Unicode's composed form (NFC)", not unicodedata.is_normalized("NFC", name)


def _size(name: str) -> int:
    return len(name.encode(errors="surrogatepass"))
