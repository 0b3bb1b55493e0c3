"""Recipes as files: templates, findings, differences and the schema, without a home."""

import json
from pathlib import Path

import pytest

from guildmark.domain.recipes.templates import TEMPLATES, UNSAID, template
from unit.cli.speaking import Speak


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_written_once_and_lint_says_what_is_left_to_say(
    speak: Speak, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "recipe.json"

    written = speak("recipe", "new", "--template", name, "--name", "Mine", "--out", file)
    again = speak("recipe", "new", "--template", name, "--out", file)
    found = speak("recipe", "lint", file, "--json")

    assert (written.exit, written.out) == (0, "")
    assert json.loads(file.read_text())["name"] == "Mine"
    assert again.exit != 0
    said = json.loads(found.out)
    left = {one.value for one in template(name)[1]} & UNSAID
    assert (said["refused"], found.exit) == (False, 0)
    assert [one["code"] for one in said["findings"]] == ["lint.unsaid"] * len(left)


def test_lint_tells_code_place_reason_and_what_to_write(speak: Speak, tmp_path: Path) -> None:
    file = tmp_path / "recipe.json"
    template = speak("recipe", "new", "--template", "fdm").out + "\n"
    file.write_text(template.replace(', "unit": "mm/s"', ""))

    found = speak("recipe", "lint", file)

    assert found.exit == 2
    assert "lint.unitMissing" in found.out
    assert "/process/print_speed" in found.out
    assert "A window without unit" in found.out


def test_diff_tells_the_kind_of_change(speak: Speak, tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    template = speak("recipe", "new", "--template", "cnc").out + "\n"
    old.write_text(template)
    new.write_text(template.replace('"min": "0.2"', '"min": "0.3"').replace("coolant", "cooling"))

    told = json.loads(speak("recipe", "diff", old, new, "--json").out)

    assert told["change"] == "minor"
    assert [one["path"] for one in told["differences"]] == [
        "/process/coolant",
        "/process/cooling",
        "/process/cutting_depth",
    ]
    assert told["differences"][2] == {
        "path": "/process/cutting_depth",
        "change": "minor",
        "what": "admits less than before",
        "before": "window from 0.2 to 2 in mm",
        "after": "window from 0.3 to 2 in mm",
    }


def test_the_schema_is_printed(speak: Speak) -> None:
    whole, draft = speak("recipe", "schema").out, speak("recipe", "schema", "--draft").out

    assert "salt" in json.loads(whole)["$defs"]["clause"]["required"]
    assert "salt" not in json.loads(draft)["$defs"]["clause"]["properties"]


EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def test_a_real_profile_becomes_a_recipe_and_the_rest_is_listed(
    speak: Speak, tmp_path: Path
) -> None:
    file = tmp_path / "recipe.json"

    spoken = speak("recipe", "import", EXAMPLES / "profiles" / "site-a.ini", "--out", file)

    clauses = {one["path"]: one for one in json.loads(file.read_text())["clauses"]}
    assert clauses["/process/layer_height"]["value"] == "0.4"
    assert "not read: z_offset" in spoken.err
    keys = [
        line
        for line in (EXAMPLES / "profiles" / "site-a.ini").read_text().splitlines()
        if " = " in line and not line.startswith("#")
    ]
    assert len(clauses) + spoken.err.count("not read: ") == len(keys)
    assert speak("recipe", "lint", file).exit == 0


@pytest.mark.parametrize("site", ["site-a", "site-b", "site-c"])
def test_the_jobs_of_the_example_keep_its_recipe(speak: Speak, site: str) -> None:
    job = EXAMPLES / "gcode" / f"{site}.gcode"

    found = speak("recipe", "check", EXAMPLES / "recipe.json", "--gcode", job, "--json")

    assert (found.exit, found.json["departures"]) == (0, [])
    assert "/process/nozzle_temperature" in found.json["kept"]


def test_a_job_that_departs_is_told_with_the_clause(speak: Speak, tmp_path: Path) -> None:
    job = tmp_path / "hot.gcode"
    text = (EXAMPLES / "gcode" / "site-b.gcode").read_text()
    job.write_text(text.replace("S235", "S251"))

    found = speak("recipe", "check", EXAMPLES / "recipe.json", "--gcode", job, "--json")

    assert found.exit == 15
    assert found.json["departures"] == [
        {
            "path": "/process/nozzle_temperature",
            "job": "251",
            "recipe": "window from 230 to 250 in Cel",
        }
    ]


def test_a_job_of_slic3r_tells_the_settings_that_its_profile_has(speak: Speak) -> None:
    profile = speak("recipe", "import", EXAMPLES / "profiles" / "site-a.ini").json["clauses"]
    job = speak("recipe", "import", EXAMPLES / "gcode" / "site-a.gcode").json["clauses"]

    assert [one for one in profile if one not in job] == []


def test_a_machines_report_is_held_against_the_recipe(speak: Speak, tmp_path: Path) -> None:
    report = {
        "format": "guildmark/job/v1",
        "job": "7",
        "at": 1_800_000_000,
        "settings": [
            {"path": "/process/layer_height", "value": "450", "unit": "um"},
            {"path": "/process/nozzle_temperature", "value": "240", "unit": "Cel"},
        ],
    }
    file = tmp_path / "job.json"
    file.write_text(json.dumps(report))

    found = speak("recipe", "check", EXAMPLES / "recipe.json", "--log", file, "--json")

    assert found.exit == 15
    assert [one["path"] for one in found.json["departures"]] == ["/process/layer_height"]
    assert found.json["kept"] == ["/process/nozzle_temperature"]


def test_one_job_is_held_against_a_recipe(speak: Speak) -> None:
    job = EXAMPLES / "gcode" / "site-a.gcode"

    none = speak("recipe", "check", EXAMPLES / "recipe.json", "--json")
    both = speak(
        *("recipe", "check", EXAMPLES / "recipe.json", "--gcode", job, "--log", job, "--json")
    )

    assert {none.json["code"], both.json["code"]} == {"cli.jobSource"}
    assert (none.exit, both.exit) == (2, 2)
