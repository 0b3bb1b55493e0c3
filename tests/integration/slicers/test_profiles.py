"""Real slicers: what they export is imported, and what they slice is held against it."""

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from example_design.slicing import slice_part
from guildmark.adapters.profiles import read_profile_file
from guildmark.domain.recipes.clause import Clause
from guildmark.domain.recipes.gcode import Judgement, judge, observe
from guildmark.domain.recipes.importing.settings import ProfileMalformedError

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"
CURA = ROOT / "build" / "cura"


def values(clauses: Iterable[Clause]) -> Mapping[str, str | None]:
    return {str(one.path): one.value for one in clauses}


def exported(folder: Path, changed: str = "") -> Path:
    """Let Slic3r write its own configuration: every setting of it, as it saves them."""
    file, other = folder / "saved.ini", folder / "changed.ini"
    other.write_text(changed)
    profiles = ("--load", str(EXAMPLES / "profiles" / "site-a.ini"), "--load", str(other))
    command = ["slic3r", *profiles, "--save", str(file)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return file


def judged(code: bytes, clauses: Iterable[Clause]) -> Judgement:
    return judge(observe(code.decode().splitlines(keepends=True)), list(clauses))


@pytest.mark.needs("slic3r")
def test_what_slic3r_exports_is_imported_and_what_it_slices_by_it_keeps_it(tmp_path: Path) -> None:
    saved = exported(tmp_path)

    imported = read_profile_file(saved)
    judgement = judged(slice_part(EXAMPLES / "part.stl", saved, slicer="Slic3r"), imported.clauses)

    assert len(imported.clauses) == 22
    assert values(imported.clauses)["/process/nozzle_temperature"] == "240"
    assert (judgement.departures, judgement.silent) == ([], [])
    assert len(judgement.kept) == 22


@pytest.mark.needs("slic3r")
def test_a_job_that_slic3r_made_by_another_profile_departs_clause_by_clause(
    tmp_path: Path,
) -> None:
    promised = read_profile_file(EXAMPLES / "profiles" / "site-a.ini")
    changed = {
        "temperature": "232",
        "bed_temperature": "70",
        "layer_height": "0.3",
        "filament_diameter": "2.85",
        "perimeters": "3",
    }
    other = exported(tmp_path, "".join(f"{key} = {value}\n" for key, value in changed.items()))
    code = slice_part(EXAMPLES / "part.stl", other, slicer="Slic3r")

    departures = {str(one.path): found for one, found in judged(code, promised.clauses).departures}

    assert departures == {
        "/material/filament_diameter": "2.85",
        "/process/bed_temperature": "70",
        "/process/layer_height": "0.3",
        "/process/nozzle_temperature": "232",
        "/process/wall_loops": "3",
    }


@pytest.mark.needs("cura-engine")
def test_what_curas_engine_slices_keeps_the_profile_that_cura_would_export(
    tmp_path: Path,
) -> None:
    engine = EXAMPLES / "profiles" / "site-b.ini"
    file = tmp_path / "site-b.inst.cfg"
    lines = [line for line in engine.read_text().splitlines() if line[:1] not in {"#", "["}]
    file.write_text("\n".join(["[general]", "name = Site B", "[values]", *lines]))

    imported = read_profile_file(file)
    code = slice_part(EXAMPLES / "part.stl", engine, slicer="CuraEngine")
    judgement = judged(code, imported.clauses)

    assert judgement.departures == []
    assert {"/process/layer_height", "/process/nozzle_temperature"} <= {*judgement.kept}


@pytest.mark.needs("cura-definitions")
def test_a_printer_of_cura_takes_from_its_parents_what_it_does_not_say() -> None:
    imported = read_profile_file(CURA / "definitions" / "creality_ender3.def.json")

    assert imported.name == "Creality Ender-3"
    assert values(imported.clauses) == {
        "/design/support": "no support",
        "/material/filament_diameter": "1.75",
        "/process/bed_temperature": "60",
        "/process/first_layer_height": "0.3",
        "/process/first_layer_nozzle_temperature": "210",
        "/process/infill_density": "20",
        "/process/infill_speed": "50",
        "/process/layer_height": "0.1",
        "/process/line_width": "0.4",
        "/process/nozzle_diameter": "0.4",
        "/process/nozzle_temperature": "210",
        "/process/retraction": "6.5",
    }


@pytest.mark.needs("cura-definitions")
def test_curas_own_definitions_become_recipes_or_are_refused_by_name() -> None:
    files = sorted((CURA / "definitions").glob("[a-c]*.def.json"))[::4]
    read, refused = [], []
    for file in files:
        try:
            read.append(len(read_profile_file(file).clauses))
        except ProfileMalformedError as error:
            refused.append(error.message)

    assert len(read) > 9 * len(refused)
    # What a printer's definition leaves to formulas alone is listed, not read.
    assert min(read) >= 2


@pytest.mark.needs("cura-definitions")
def test_a_profile_of_quality_that_cura_ships_is_imported() -> None:
    imported = read_profile_file(CURA / "quality" / "key3d" / "key3d_tyro_best.inst.cfg")

    assert imported.name == "Best Quality"
    assert values(imported.clauses)["/process/layer_height"] == "0.08"
    assert values(imported.clauses)["/design/support"] == "with support"
    assert len(imported.clauses) == 14
