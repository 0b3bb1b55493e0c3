"""Reading profiles: PrusaSlicer and Slic3r, Cura, OrcaSlicer, and OKH manifests."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
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
_HEADING = re.compile(r"\[([a-z_]{1,40})\]", re.ASCII)
_PARENT = re.compile(r"[A-Za-z0-9@(][A-Za-z0-9@()+., _-]{0,98}", re.ASCII)
_DEPTH = 40
_LIMITS = Limits(size=SIZE_MAX, depth=128)


class Program(Enum):
    """What wrote a profile."""

    PRUSA = "prusaslicer"
    CURA = "cura"
    ORCA = "orcaslicer"
    OKH = "okh"


def read_profile(data: bytes, program: Program, *, parents: Sequence[bytes] = ()) -> Imported:
    """Return the clauses of a profile as its program writes it.

    Args:
        data: The profile.
        program: What wrote it.
        parents: The profiles that it builds on, the nearest first.

    Raises:
        ProfileMalformedError: It is too large, or no profile of this program.
        ProfileEmptyError: No setting is known.
    """
    text = _decoded(data)
    if program is Program.PRUSA:
        return import_settings(dict(sections(_lines(text))), PRUSA)
    if program is Program.OKH:
        return import_manifest(_toml(text))
    if _is_container(text):
        return _container(text)
    members = _json(text)
    lineage = [*(_json(_decoded(one)) for one in reversed(parents)), members]
    # What a profile builds on and nobody gave stays visible among what is not read.
    beyond = parent_of(parents[-1] if parents else data)
    settings = _inherited(lineage) if program is Program.ORCA else _merged(lineage)
    if beyond is not None:
        settings[f"inherits {beyond}"] = ""
    table = ORCA if program is Program.ORCA else CURA
    return import_settings(settings, table, name=_name(members))


def parent_of(data: bytes) -> str | None:
    """Return the name of the profile that a profile in JSON builds on, if it names one.

    Raises:
        ProfileMalformedError: It is too large, no JSON, or the name is none of a file.
    """
    text = _decoded(data)
    name = None if _is_container(text) else _json(text).get("inherits")
    if not isinstance(name, str) or not name:
        return None
    if not _PARENT.fullmatch(name):
        _refuse(f"The profile builds on {name[:80]!r}, which is no name of a profile.")
    return name


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
    if lower.endswith((".cfg", ".def.json")):
        return Program.CURA
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
    except (ValueError, RecursionError):
        # Beside errors of TOML: integers of more digits than Python reads.
        _refuse("The manifest is no TOML.")


def _flat(members: Mapping[str, Any]) -> dict[str, str]:
    flat = {}
    for key, value in members.items():
        values = value if isinstance(value, list) else [value]
        flat[key] = joined(_word(one) for one in values)
    return flat


def _is_container(text: str) -> bool:
    """Return whether a text is a profile as Cura exports it: sections of settings, no JSON."""
    return text.lstrip().startswith("[general]")


def _container(text: str) -> Imported:
    found: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        heading, match = _HEADING.fullmatch(line.strip()), _LINE.fullmatch(line.rstrip())
        if heading:
            section = found.setdefault(heading[1], {})
        elif match and match[1] not in section:
            section[match[1]] = match[2]
        elif match:
            _refuse(f"Line {number} gives {match[1][:80]!r} again.")
        # Commands at start and end of a job go on over lines of their own.
    values = {key: _formula_or_value(text) for key, text in found.get("values", {}).items()}
    return import_settings(_resolved(values), CURA, name=found["general"].get("name"))


def _formula_or_value(text: str) -> Mapping[str, str]:
    return {"value": text[1:]} if text.startswith("=") else {"default_value": text}


def _inherited(lineage: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    flat = {key: value for each in lineage for key, value in _flat(each).items()}
    flat.pop("inherits", None)
    return flat


def _merged(lineage: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return what a definition says with those that it builds on, the farthest of them first."""
    settings: dict[str, dict[str, Any]] = {}
    trees = [tree for members in lineage for tree in _trees(members)]
    if not trees:
        _refuse("The profile has neither settings nor overrides.")
    for tree in trees:
        for key, said in _values(tree, 0):
            settings.setdefault(key, {}).update(said)
    return _resolved(settings)


def _resolved(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {key: _stated(settings, key) for key in settings}


def _trees(members: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for name in ("settings", "overrides"):
        tree = members.get(name, {})
        if not isinstance(tree, Mapping):
            _refuse(f"The profile's {name} are no object.")
        if tree:
            yield tree


def _values(tree: Mapping[str, Any], depth: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each setting with its default and the formula that stands in its place."""
    if depth > _DEPTH:
        _refuse("The profile is nested too deeply.")
    for key, setting in tree.items():
        if not isinstance(setting, Mapping):
            _refuse(f"The setting {key[:80]!r} is no object.")
        said = {name: setting[name] for name in ("value", "default_value") if name in setting}
        if said:
            yield key, said
        children = setting.get("children")
        if isinstance(children, Mapping):
            yield from _values(children, depth + 1)


def _stated(settings: Mapping[str, Mapping[str, Any]], key: str, depth: int = 0) -> str:
    """Return a value, or the formula in its place after an equals sign.

    A formula that names one other setting is that setting's value; no other one is worked out.
    """
    said = settings[key]
    value = said.get("value", said.get("default_value"))
    if "value" not in said or not isinstance(value, str) or _NUMBER.fullmatch(value):
        return _word(value)
    if value in settings and depth < _DEPTH:
        return _stated(settings, value, depth + 1)
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
    try:
        return str(value)
    except ValueError:
        _refuse("An integer has more digits than are read.")


def _refuse(message: str) -> NoReturn:
    raise ProfileMalformedError(message)
