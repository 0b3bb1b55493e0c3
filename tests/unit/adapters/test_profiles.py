"""Profiles out of files, and out of the 3MF in which a slicer saves them."""

import json
import zipfile
from pathlib import Path

import pytest

from guildmark.adapters.profiles import read_profile_file
from guildmark.adapters.shapes.refusals import ShapeMalformedError
from guildmark.domain.recipes.importing.profiles import Program
from guildmark.domain.recipes.importing.settings import SIZE_MAX, ProfileMalformedError

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def packed(path: Path, name: str, text: str) -> Path:
    """Put settings into a real 3MF beside its model."""
    path.write_bytes((EXAMPLES / "part.3mf").read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, text)
    return path


def test_settings_in_a_3mf_are_read_by_where_they_lie(tmp_path: Path) -> None:
    prusa = packed(
        tmp_path / "a.3mf", "Metadata/Slic3r_PE.config", "; layer_height = 0.2\n; foo = 1\n"
    )
    orca = packed(
        tmp_path / "b.3MF",
        "Metadata/project_settings.config",
        json.dumps({"layer_height": "0.28"}),
    )

    assert [one.value for one in read_profile_file(prusa).clauses] == ["0.2"]
    assert read_profile_file(prusa).unread == ["foo"]
    assert [one.value for one in read_profile_file(orca).clauses] == ["0.28"]


def test_a_3mf_without_settings_is_refused() -> None:
    with pytest.raises(ProfileMalformedError, match="no slicer's settings"):
        read_profile_file(EXAMPLES / "part.3mf")


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.3mf"
    file.write_bytes(b"PK nothing")

    with pytest.raises(ShapeMalformedError):
        read_profile_file(file)


def test_a_file_is_bounded_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.ini"
    with file.open("wb") as large:
        large.truncate(SIZE_MAX + 1)

    with pytest.raises(ProfileMalformedError, match="at most"):
        read_profile_file(file)


def test_the_program_can_be_named(tmp_path: Path) -> None:
    file = tmp_path / "profile.txt"
    file.write_text("layer_height = 0.2")

    with pytest.raises(ProfileMalformedError):
        read_profile_file(file)
    assert read_profile_file(file, Program.PRUSA).clauses


def test_a_profile_builds_on_those_that_lie_beside_it(tmp_path: Path) -> None:
    (tmp_path / "far.json").write_text('{"layer_height": "0.3", "wall_loops": "2"}')
    (tmp_path / "near.json").write_text('{"inherits": "far", "layer_height": "0.2"}')
    own = tmp_path / "own.json"
    own.write_text('{"inherits": "near", "wall_loops": "4"}')
    alone = tmp_path / "alone.json"
    alone.write_text('{"inherits": "elsewhere", "wall_loops": "4"}')

    assert [one.value for one in read_profile_file(own).clauses] == ["0.2", "4"]
    assert read_profile_file(own).unread == []
    assert read_profile_file(alone).unread == ["inherits elsewhere"]


def test_profiles_that_build_on_one_another_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.def.json").write_text('{"inherits": "b", "overrides": {}}')
    (tmp_path / "b.def.json").write_text('{"inherits": "a", "overrides": {}}')

    with pytest.raises(ProfileMalformedError, match="or on itself"):
        read_profile_file(tmp_path / "a.def.json")
