"""A job against its recipe: what the commands do, what the comments say, the clause that fails."""

from dataclasses import replace

import pytest

from guildmark.domain.builds.predicate import Setting
from guildmark.domain.identifiers import ZERO32
from guildmark.domain.recipes import gcode as gc
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType

JOB = """\
; made by hand
M83
M104 S200
M109 S230
M140 S80
G1 Z0.3 F600
G1 X10 Y0 E1 F1200
M106 S127.5
G1 Z0.5
G1 X0 E1 F2400
G1 E-2 F3000
G0 X50 F9000
G1 Z0.7
G1 X60 E1 F1800
M104 S0
M140 S0
M107
G1 X0
; filament_type = PETG
; nozzle_diameter = 0.4
; layer_height = 0.9
"""


def quantity(path: str, least: str, most: str, unit: str) -> Clause:
    return Clause(
        path=ClausePath(path),
        type=ClauseType.QUANTITY,
        klass=ClauseClass.WINDOW,
        salt=ZERO32,
        minimum=least,
        maximum=most,
        unit=unit,
    )


LAYER = quantity("/process/layer_height", "0.15", "0.25", "mm")
HEAT = quantity("/process/nozzle_temperature", "220", "240", "Cel")
SPEED = quantity("/process/print_speed", "20", "40", "mm/s")
WIDTH = quantity("/process/line_width", "0.4", "0.5", "mm")
POLYMER = Clause(
    path=ClausePath("/material/polymer"),
    type=ClauseType.TEXT,
    klass=ClauseClass.CORE,
    salt=ZERO32,
    value="PETG",
)
BRAND = replace(POLYMER, path=ClausePath("/material/brand"))


def seen(job: str) -> dict[str, tuple[str, str]]:
    return {str(one.path): (one.least, one.most) for one in gc.observe(job.splitlines())}


def test_commands_tell_what_is_done_while_material_is_laid() -> None:
    assert seen(JOB) == {
        "/material/polymer": ("PETG", "PETG"),
        "/process/bed_temperature": ("80", "80"),
        "/process/fan_speed": ("50", "50"),
        "/process/layer_height": ("0.2", "0.2"),
        "/process/nozzle_diameter": ("0.4", "0.4"),
        "/process/nozzle_temperature": ("230", "230"),
        "/process/print_speed": ("40", "40"),
    }


def test_absolute_extrusion_relative_moves_inches_and_origins_are_followed() -> None:
    inches = "M82\nG20\nG1 Z0.01 F60\nG1 X1 E1 S5\nG92 E0\nG91\nG1 Z0.01\nG1 X1 E1"
    job = inches + "\nG90\nG21\nM106\nG1 X9 E90"

    found = seen(job)

    assert found["/process/layer_height"] == ("0.254", "0.254")
    assert found["/process/print_speed"] == ("25.4", "25.4")
    assert found["/process/fan_speed"] == ("100", "100")


def test_a_job_of_one_layer_has_no_height_of_layers() -> None:
    assert "/process/layer_height" not in seen("G1 X1 E1 F60")


def test_a_job_that_changes_its_heat_shows_both_values() -> None:
    (hot,) = [
        one
        for one in gc.observe("M109 S230\nG1 X1 E1\nM109 S250\nG1 X2 E2".splitlines())
        if one.path == HEAT.path
    ]

    assert (hot.least, hot.most, hot.setting) == ("230", "250", None)
    assert hot.departs(HEAT) == "250"
    assert hot.departs(replace(HEAT, minimum="235", maximum="260")) == "230"
    assert hot.departs(replace(HEAT, maximum="250")) is None


def test_one_value_is_a_setting_of_a_statement() -> None:
    found = {one.path: one.setting for one in gc.observe(JOB.splitlines())}

    setting = found[ClausePath("/process/nozzle_temperature")]
    assert setting is not None
    assert (setting.value, setting.unit) == ("230", "Cel")


def test_a_job_that_keeps_its_recipe_tells_what_it_does_not_say() -> None:
    judgement = gc.check_job(
        gc.observe(JOB.splitlines()), [BRAND, POLYMER, LAYER, WIDTH, HEAT, SPEED]
    )

    assert judgement.kept == [POLYMER.path, LAYER.path, HEAT.path, SPEED.path]
    assert judgement.silent == [WIDTH.path]
    assert judgement.departures == []


@pytest.mark.parametrize(
    ("clause", "value"),
    [
        (replace(LAYER, minimum="0.21"), "0.2"),
        (replace(LAYER, minimum="201", maximum="300", unit="um"), "0.2"),
        (replace(HEAT, maximum="229.9"), "230"),
        (replace(SPEED, maximum="39.999"), "40"),
        (replace(POLYMER, value="PLA"), "PETG"),
        (replace(POLYMER, path=LAYER.path), "0.2"),
    ],
)
def test_the_first_clause_that_a_job_leaves_is_named(clause: Clause, value: str) -> None:
    with pytest.raises(gc.JobDepartsError) as caught:
        gc.check_job(gc.observe(JOB.splitlines()), [clause])

    assert caught.value.detail["path"] == clause.path
    assert caught.value.detail["found"] == value


@pytest.mark.parametrize(
    "job",
    ["", "G1 X1 Y1 F60", "; layer_height = 0.2", "G1 E5", "x" * 10_001, "G1 X1 E1" + " " * 10_000],
)
def test_what_lays_nothing_is_no_job(job: str) -> None:
    with pytest.raises(gc.JobMalformedError):
        gc.observe(job.splitlines())


def test_a_job_is_read_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "LINES_MAX", 2)

    assert gc.observe(["G1 X1 E1", "G1 X2 E2"])
    with pytest.raises(gc.JobMalformedError, match="Line 3"):
        gc.observe(["G1 X1 E1", "G1 X2 E2", "G1"])


SQUARE = "M104 S230\n{}\nG1 Z0.2 F1200\nG1 X9 E1\nG1 Y9 E2\n"


@pytest.mark.parametrize(
    ("line", "path", "most"),
    [
        ("N5 M104 S290*77", HEAT.path, "290"),
        ("m104s290", HEAT.path, "290"),
        ("M104 S+290", HEAT.path, "290"),
        ("M109 R290", HEAT.path, "290"),
        ("M104 S290 (M104 S230)", HEAT.path, "290"),
        ("M104 S290\n(M104 S230", HEAT.path, "290"),
        ("M104 S290\nPRINT_M104 S230", HEAT.path, "290"),
        ("M104 S290\nM117 M104 S230", HEAT.path, "290"),
        ("M104 S0000000000000290", HEAT.path, "290"),
        ("M220 S300", SPEED.path, "60"),
        ("G2 X5 Y5 I5 E0.5 F3600", SPEED.path, "60"),
        ("G3 I5 J0 E0.5 F3600", SPEED.path, "60"),
    ],
)
def test_what_a_printer_obeys_is_seen_however_it_is_written(
    line: str, path: str, most: str
) -> None:
    assert seen(SQUARE.format(line))[path][1] == most


@pytest.mark.parametrize("line", ["(M104 S290)", "M104", "M104 X290", "M220", "PRINT_M104 S290"])
def test_what_no_printer_obeys_changes_nothing(line: str) -> None:
    found = seen(SQUARE.format(line))

    assert (found[HEAT.path], found[SPEED.path]) == (("230", "230"), ("20", "20"))


def test_an_origin_without_axes_is_that_of_all() -> None:
    job = "M104 S230\nG1 X1 E9\nG92\nM104 S290\nG1 X1 E1"

    assert seen(job)[HEAT.path] == ("230", "290")


def test_numbers_of_more_digits_than_any_printer_reads_are_refused() -> None:
    assert gc.observe(["G1 X999999999999 E1"])
    with pytest.raises(gc.JobMalformedError, match="Line 2"):
        gc.observe(["G1 X1 E1", "G1 X1000000000000 E2"])


def test_a_comment_that_is_no_number_of_any_setting_is_passed_over() -> None:
    assert "/process/line_width" not in seen("G1 X1 E1\n; extrusion_width = 1e999999999")


def test_unknown_commands_are_passed_over() -> None:
    assert seen("T0\nM105\nG28\nM104\nM73 P0\nG1 X1 E1")["/process/nozzle_temperature"] == (
        "0",
        "0",
    )


RECORDED = Setting(path=HEAT.path, value="230", unit="Cel")


def test_settings_are_completed_by_the_job() -> None:
    observed = gc.observe(JOB.splitlines())

    found = gc.settled(observed, [RECORDED], [BRAND, POLYMER, LAYER, WIDTH, HEAT])

    assert [(one.path, one.value, one.unit) for one in found] == [
        (HEAT.path, "230", "Cel"),
        (POLYMER.path, "PETG", None),
        (LAYER.path, "0.2", "mm"),
    ]


def test_a_clause_for_which_a_job_has_two_values_is_left_to_the_technician() -> None:
    observed = gc.observe("M109 S230\nG1 X1 E1\nM109 S250\nG1 X2 E2".splitlines())

    assert gc.settled(observed, [], [HEAT]) == ()
    assert gc.settled(observed, [replace(RECORDED, value="240")], [HEAT])


@pytest.mark.parametrize(
    ("setting", "agrees"),
    [
        (RECORDED, True),
        (replace(RECORDED, value="503.15", unit="K"), True),
        (replace(RECORDED, value="230.001"), True),
        (replace(RECORDED, value="230.002"), False),
        (replace(RECORDED, value="229.998"), False),
        (replace(RECORDED, unit="mm"), False),
        (replace(RECORDED, value="hot", unit=None), True),
        (Setting(path=ClausePath("/process/fan_speed"), value="49", unit="%"), True),
        (Setting(path=ClausePath("/process/fan_speed"), value="48.9", unit="%"), False),
        (Setting(path=ClausePath("/material/polymer"), value="PETG, grey"), True),
        (Setting(path=ClausePath("/process/unknown"), value="1", unit="mm"), True),
    ],
)
def test_a_recorded_setting_is_what_the_job_does(setting: Setting, agrees: bool) -> None:
    observed = gc.observe(JOB.splitlines())

    if agrees:
        assert gc.settled(observed, [setting], []) == (setting,)
    else:
        with pytest.raises(gc.SettingContradictedError) as caught:
            gc.settled(observed, [setting], [])
        assert caught.value.detail["path"] == setting.path


def test_what_a_machine_recorded_is_judged_alike() -> None:
    hot = gc.Observed.recorded(replace(RECORDED, value="241"))

    judgement = gc.judge([hot, gc.Observed.recorded(RECORDED)], [LAYER, HEAT])

    assert (judgement.kept, judgement.silent) == ([HEAT.path], [LAYER.path])
    assert hot.departs(HEAT) == "241"
    text = gc.Observed.recorded(replace(RECORDED, value="hot", unit=None))
    assert text.departs(HEAT) == "hot"
