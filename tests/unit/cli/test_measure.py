"""`guildmark measure`: files in, what `build` commands take out, each value judged."""

import json
from pathlib import Path
from typing import Any

import pytest

from guildmark.cli.jobs import read_measurements
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.identifiers import to_hex
from unit.cli.speaking import Speak

RECIPE = Path(__file__).resolve().parents[3] / "examples" / "recipe.json"
GAUGE = "0x" + "ab" * 32
CSV = f"""part,characteristic,value,unit,instrument,uncertainty,coverageFactor
S-1,/tolerance/bore,22.20,mm,{GAUGE},0.02,2
S-1,/tolerance/width,16.21,mm,{GAUGE},,
S-1,/tolerance/depth,3,mm,{GAUGE},,
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "scan.csv"
    path.write_text(CSV)
    return path


def test_table_becomes_what_build_commands_take(speak: Speak, table: Path) -> None:
    said = speak("measure", "import", str(table), "--json")

    found = {one.characteristic: one for one in read_measurements(said.out.encode())}
    bore = found["/tolerance/bore"]  # type: ignore[index]  # a path
    assert (bore.value, bore.uncertainty, bore.coverage_factor) == ("22.20", "0.02", "2")
    assert {one.raw_data for one in found.values()} == {sha256(CSV.encode())}
    assert said.json["part"] == "S-1"


def test_each_value_is_judged_by_the_recipe_and_what_lacks_is_told(
    speak: Speak, table: Path
) -> None:
    said = speak("measure", "import", str(table), "--recipe", str(RECIPE), "--json")

    rows = {row["characteristic"]: row for row in said.json["judged"]}
    assert rows["/tolerance/bore"] == {
        "characteristic": "/tolerance/bore",
        "value": "22.20 mm",
        "uncertainty": "0.02 (k = 2)",
        "allowed": "22.05 to 22.45 mm",
        "ratio": "10.0",
        "proves": "conforms",
        "reason": None,
    }
    assert rows["/tolerance/width"]["proves"] == "out of tolerance"
    assert rows["/tolerance/depth"]["proves"] is None
    assert rows["/tolerance/mass"]["proves"] == "not measured"
    lines = speak("measure", "import", str(table), "--recipe", str(RECIPE)).lines
    assert any("not measured" in line for line in lines)


def test_table_of_another_country_is_stated(speak: Speak, tmp_path: Path) -> None:
    path, raw = tmp_path / "scan.CSV", tmp_path / "scan.raw"
    path.write_text("Teil;characteristic;Wert\nS-1;/tolerance/bore;22,20\n")
    raw.write_bytes(b"cloud of points")
    form = ("--delimiter", ";", "--decimal", ",", "--column", "part=Teil", "--column", "value=Wert")
    given = ("--set", "unit=mm", "--set", f"instrument={GAUGE}", "--raw", str(raw))

    said = speak("measure", "import", str(path), *form, *given, "--json").json

    assert said["measurements"]["/tolerance/bore"] == {
        "value": "22.20",
        "unit": "mm",
        "instrument": GAUGE,
        "rawData": to_hex(sha256(b"cloud of points")),
    }


@pytest.mark.parametrize("option", ["--column", "--set"])
def test_column_without_a_name_is_refused(speak: Speak, table: Path, option: str) -> None:
    said = speak("measure", "import", str(table), option, "unit")

    assert said.exit
    assert "measurement.optionForm" in said.err


def json_file(folder: Path, **claim: Any) -> Path:
    parts = [
        {
            "part": f"S-{number}",
            "measurements": [
                {
                    "characteristic": "/tolerance/bore",
                    "value": f"22.2{number}",
                    "unit": "mm",
                    "instrument": GAUGE,
                    "measuredOn": 7,
                }
            ],
        }
        for number in (1, 2)
    ]
    said = {"characteristic": "/tolerance/bore", "unit": "mm", **claim}
    members = {"format": "guildmark/measurements/v1", "parts": parts, "statistics": [said]}
    path = folder / "scan.json"
    path.write_text(json.dumps(members))
    return path


def test_part_of_several_is_named_and_shares_no_raw_data(speak: Speak, tmp_path: Path) -> None:
    path = json_file(tmp_path, mean="22.215")

    unnamed = speak("measure", "import", str(path))
    assert "measurement.partNotNamed" in unnamed.err
    said = speak("measure", "import", str(path), "--part", "S-2", "--json").json
    assert said["measurements"]["/tolerance/bore"] == {
        "value": "22.22",
        "unit": "mm",
        "instrument": GAUGE,
        "measuredOn": 7,
    }
    assert "measurement.partUnknown" in speak("measure", "import", str(path), "--part", "x").err


def test_claims_are_recomputed_with_the_recipes_limits(speak: Speak, tmp_path: Path) -> None:
    wrong = speak("measure", "import", str(json_file(tmp_path, mean="22.23")), "--part", "S-1")
    assert "measurement.statisticsMismatch" in wrong.err
    assert "22.2150" in wrong.err

    path = str(json_file(tmp_path, cpk="7.8"))
    unknown = speak("measure", "import", path, "--part", "S-1")
    assert "measurement.statisticsUncheckable" in unknown.err
    known = speak("measure", "import", path, "--part", "S-1", "--recipe", str(RECIPE))
    assert known.exit == 0


@pytest.mark.parametrize("name", ["scan.qif", "scan.XML"])
def test_qif_is_read_by_its_name(speak: Speak, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("<QIFDocument/>")

    said = speak("measure", "import", str(path))

    assert "no QIFDocument of QIF 3" in said.err


def test_file_of_no_known_format_is_refused(speak: Speak, tmp_path: Path) -> None:
    path = tmp_path / "scan.txt"
    path.write_text(CSV)

    assert "measurement.formatUnknown" in speak("measure", "import", str(path)).err


def test_recipe_whose_clauses_are_none_is_refused(
    speak: Speak, table: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text('{"name": "x", "clauses": ["a"]}')

    assert speak("measure", "import", str(table), "--recipe", str(recipe)).exit


def test_tolerance_without_bounds_shows_its_value(
    speak: Speak, table: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "recipe.json"
    clause = {"class": "core", "type": "quantity", "criticality": "major", "unit": "mm"}
    clauses = [
        {"path": "/tolerance/bore", "value": "22.20", **clause},
        {"path": "/tolerance/width", "min": "16", **clause},
    ]
    recipe.write_text(json.dumps({"name": "x", "clauses": clauses}))

    said = speak("measure", "import", str(table), "--recipe", str(recipe), "--json").json

    allowed = {row["characteristic"]: row["allowed"] for row in said["judged"]}
    assert allowed["/tolerance/bore"] == "22.20 mm"
    assert allowed["/tolerance/width"] == "16 to ... mm"


def test_schema_is_printed(speak: Speak) -> None:
    said = speak("measure", "schema")

    assert said.json["$id"] == "https://guildmark.org/schemas/measurements/v1"
    assert parse_object(said.out.encode())["required"] == ["format", "parts"]
