"""Profiles as files: read alone, or out of the 3MF that a slicer saved them in."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from guildmark.adapters.shapes.archive import open_archive
from guildmark.adapters.shapes.limits import LIMITS
from guildmark.domain.errors import SettingsError
from guildmark.domain.recipes.importing.profiles import (
    Program,
    import_manifest,
    parent_of,
    read_profile,
    recognised,
)
from guildmark.domain.recipes.importing.settings import SIZE_MAX, Imported, ProfileMalformedError

_PACKED = {
    "Metadata/Slic3r_PE.config": Program.PRUSA,
    "Metadata/Slic3r.config": Program.PRUSA,
    "Metadata/project_settings.config": Program.ORCA,
}
"""Where slicers keep the settings of a project."""
_YAML = frozenset({".yml", ".yaml"})
_ENDINGS = (".def.json", ".json")
_GENERATIONS = 12


class ProfileExtraError(SettingsError):
    """A manifest in YAML, and nothing here that reads it."""

    code = "profile.extraMissing"
    hint = "Install it: `pip install guildmark[okh]`."


def read_profile_file(path: Path, program: Program | None = None) -> Imported:
    """Return the clauses of a profile, as what its name says or as ``program``'s.

    Raises:
        ProfileMalformedError: It is too large, or no profile that is known.
        ProfileEmptyError: No setting is known.
        ContentError: A 3MF that would harm its reader.
    """
    if path.suffix.lower() == ".3mf":
        packed, data = _unpacked(path)
        return read_profile(data, program or packed)
    data = _bounded(path, SIZE_MAX)
    if path.suffix.lower() in _YAML and program in {None, Program.OKH}:
        return _manifest(data)
    wrote = program or recognised(path.name, data)
    is_json = wrote in {Program.CURA, Program.ORCA}
    parents = tuple(_parents(path, data)) if is_json else ()
    return read_profile(data, wrote, parents=parents)


def _parents(path: Path, data: bytes) -> Iterator[bytes]:
    """Yield the profiles that a profile builds on, as far as they lie beside it."""
    for _ in range(_GENERATIONS):
        name = parent_of(data)
        if name is None:
            return
        beside = (path.with_name(name + ending) for ending in _ENDINGS)
        found = next((one for one in beside if one.is_file()), None)
        if found is None:
            return
        data = _bounded(found, SIZE_MAX)
        yield data
    message = f"{path.name} builds on more than {_GENERATIONS} profiles, or on itself."
    raise ProfileMalformedError(message, name=path.name)


def _manifest(data: bytes) -> Imported:
    if find_spec("yaml") is None:
        message = "The package that reads YAML is not installed."
        raise ProfileExtraError(message)
    # The extra's package is imported where it is used alone.
    from guildmark.adapters.manifests import read_yaml  # noqa: PLC0415

    return import_manifest(read_yaml(data))


def _unpacked(path: Path) -> tuple[Program, bytes]:
    archive = open_archive(_bounded(path, LIMITS.size), LIMITS)
    for name, program in _PACKED.items():
        if archive.has(name):
            return program, archive.read(name)
    message = f"{path.name} holds no slicer's settings."
    raise ProfileMalformedError(message, looked=", ".join(_PACKED))


def _bounded(path: Path, most: int) -> bytes:
    size = path.stat().st_size
    if size > most:
        message = f"{path.name} has {size} bytes, at most {most} are read."
        raise ProfileMalformedError(message, size=size)
    return path.read_bytes()
