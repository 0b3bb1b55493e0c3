"""Reading profiles: PrusaSlicer and Slic3r, Cura, OrcaSlicer, and OKH manifests."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, NoReturn

from guildmark.domain.encoding.strictjson import JsonError, Limits, parse_foreign
from guildmark.domain.recipes.importing.settings import (
    CURA,
    OKH,
    ORCA,
    PRUSA,
    SIZE_MAX,
    Imported,
    ProfileMalformedError,
    import_settings,
    joined,
    sections,
)

_LINE = re.compile(r"[;#]?\s*([A-Za-z0-9_]+)\s*=\s?(.*)")
_COMMAND = re.compile(r"^G[01] ", re.MULTILINE)
_NUMBER = re.compile(r"-?[0-9.]+", re.ASCII)
_LITERAL = re.compile(r"'([^']*)'")
_DEPTH = 40
_LIMITS = Limits(size=SIZE_MAX, depth=128)


class Program(Enum):
    """What wrote a profile."""

    PRUSA = "prusaslicer"
    CURA = "cura"
    ORCA = "orcaslicer"
    OKH = "okh"


def read_profile(data: bytes, program: Program) -> Imported:
    """Return the clauses of a profile as its program writes it.

    Raises:
        ProfileMalformedError: It is too large, or no profile of this program.
        ProfileEmptyError: No setting is known.
    """
    text = _decoded(data)
    if program is Program.PRUSA:
        return import_settings(dict(sections(_lines(text))), PRUSA)
    if program is Program.OKH:
        return import_manifest(_toml(text))
    members = _json(text)
    if program is Program.ORCA:
        return import_settings(_flat(members), ORCA, name=_name(members))
    return import_settings(dict(sections(_cura(members))), CURA, name=_name(members))


def recognised(name: str, data: bytes) -> Program:
    """Return which program seems to have written a file, by its name and beginning.

    Raises:
        ProfileMalformedError: None that is known.
    """
    lower = name.lower()
    if lower.endswith(".toml"):
        return Program.OKH
    if lower.endswith((".ini", ".config", ".gcode")):
        return Program.PRUSA
    if lower.endswith(".json"):
        members = _json(_decoded(data))
        is_cura = isinstance(members.get("overrides", members.get("settings")), Mapping)
        return Program.CURA if is_cura else Program.ORCA
    message = f"{name[:80]!r} is no profile that is known by its name."
    raise ProfileMalformedError(message, name=name[:80])


def import_manifest(members: Mapping[str, Any]) -> Imported:
    """Return the clauses of an OKH manifest: its top level, then its parts' first.

    Raises:
        ProfileMalformedError: It is nested too deeply.
        ProfileEmptyError: No member is known.
    """
    flat: dict[str, str] = {}
    for path, value in _leaves(members):
        short = path.rpartition(".")[2].replace("_", "-")
        known = short in OKH and short not in flat
        flat[short if known else path] = value
    name = flat.pop("name", None) or flat.pop("title", None)
    return import_settings(flat, OKH, name=name)


def _decoded(data: bytes) -> str:
    if len(data) > SIZE_MAX:
        _refuse(f"The profile has {len(data)} bytes, at most {SIZE_MAX} are read.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        _refuse("The profile is not UTF-8.")


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield the settings of a profile, or those that a slicer writes behind a job's commands."""
    is_job = _COMMAND.search(text) is not None
    for number, line in enumerate(text.splitlines(), 1):
        if is_job and not line.startswith("; "):
            continue
        if line.startswith("["):
            _refuse(f"Line {number} begins a section: export the profile, not the bundle.")
        match = _LINE.fullmatch(line.rstrip())
        if match:
            yield match[1], match[2]
        elif line.strip() and not line.startswith(("#", ";")):
            _refuse(f"Line {number} is no setting.")


def _json(text: str) -> Mapping[str, Any]:
    try:
        members = parse_foreign(text.encode(), _LIMITS)
    except JsonError as error:
        _refuse(f"The profile is no JSON that can be read: {error.message}")
    if not isinstance(members, dict):
        _refuse("The profile is no JSON object.")
    return members


def _toml(text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text, parse_float=str)
    except (tomllib.TOMLDecodeError, RecursionError):
        _refuse("The manifest is no TOML.")


def _flat(members: Mapping[str, Any]) -> dict[str, str]:
    flat = {}
    for key, value in members.items():
        values = value if isinstance(value, list) else [value]
        flat[key] = joined(_word(one) for one in values)
    return flat


def _cura(members: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    tree = members.get("overrides", members.get("settings"))
    if not isinstance(tree, Mapping):
        _refuse("The profile has neither settings nor overrides.")
    yield from _values(tree, 0)


def _values(tree: Mapping[str, Any], depth: int) -> Iterator[tuple[str, str]]:
    """Yield each setting with its default, or with the formula that stands in its place."""
    if depth > _DEPTH:
        _refuse("The profile is nested too deeply.")
    for key, setting in tree.items():
        if not isinstance(setting, Mapping):
            _refuse(f"The setting {key[:80]!r} is no object.")
        if "value" in setting:
            yield key, _stated(setting["value"])
        elif "default_value" in setting:
            yield key, _word(setting["default_value"])
        children = setting.get("children")
        if isinstance(children, Mapping):
            yield from _values(children, depth + 1)


def _stated(value: object) -> str:
    """Return a value, or what stands in its place after an equals sign, as Cura writes formulas."""
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return _word(value)
    literal = _LITERAL.fullmatch(value)
    return literal[1] if literal else f"={value}"


def _leaves(
    members: Mapping[str, Any], beginning: str = "", depth: int = 0
) -> Iterator[tuple[str, str]]:
    if depth > _DEPTH:
        _refuse("The manifest is nested too deeply.")
    for key, value in members.items():
        path = f"{beginning}{key}"
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}.", depth + 1)
        elif isinstance(value, list):
            yield path, ", ".join(_word(one) for one in value)
        else:
            yield path, _word(value)


def _name(members: Mapping[str, Any]) -> str | None:
    name = members.get("name")
    return name if isinstance(name, str) and name else None


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _refuse(message: str) -> NoReturn:
    raise ProfileMalformedError(message)
