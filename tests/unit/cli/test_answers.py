"""Results for people and for programs."""

import json

import pytest

from guildmark.cli.answers import Answer, Moment, note, say


def shown(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_values_stand_in_one_column(capsys: pytest.CaptureFixture[str]) -> None:
    say({"id": "0x1", "controller": None, "open": True, "closed": False}, as_json=False)

    assert shown(capsys) == [
        "id          0x1",
        "controller  -",
        "open        yes",
        "closed      no",
    ]


def test_block_seconds_are_utc_and_zero_is_never(capsys: pytest.CaptureFixture[str]) -> None:
    say({"from": Moment(1_700_000_000), "to": Moment(0)}, as_json=False)

    assert shown(capsys) == ["from  2023-11-14T22:13:20Z", "to    -"]


def test_block_seconds_are_numbers_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    say({"from": Moment(1_700_000_000)}, as_json=True)

    assert json.loads(capsys.readouterr().out) == {"from": 1_700_000_000}


def test_objects_are_indented_and_lists_are_tables(capsys: pytest.CaptureFixture[str]) -> None:
    answer: Answer = {
        "profile": {"name": "M"},
        "lanes": [{"lane": 1, "log": 10}, {"lane": 22, "log": 1}],
        "terms": ["text: Five."],
        "claims": [],
    }

    say(answer, as_json=False)

    assert shown(capsys) == [
        "profile",
        "  name  M",
        "lanes",
        "  lane  log",
        "  1     10",
        "  22    1",
        "terms",
        "  text: Five.",
        "claims   -",
    ]


def test_what_has_members_or_several_values_stands_in_one_cell(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows: Answer = {
        "mirrors": [
            {"log": 7, "files": {"named": 2, "kept": None}, "peers": ["a", "b"]},
            {"log": 8, "files": {}, "peers": []},
        ]
    }

    say(rows, as_json=False)

    assert shown(capsys) == [
        "mirrors",
        "  log  files            peers",
        "  7    named 2, kept -  a, b",
        "  8    -                -",
    ]


def test_one_value_is_all_that_people_want(capsys: pytest.CaptureFixture[str]) -> None:
    say({"lane": 3}, as_json=False, brief=3)

    assert shown(capsys) == ["3"]


def test_notes_are_no_results(capsys: pytest.CaptureFixture[str]) -> None:
    note("Next: guildmark up")

    assert capsys.readouterr() == ("", "Next: guildmark up\n")


def test_a_cell_of_several_lines_stands_in_one(capsys: pytest.CaptureFixture[str]) -> None:
    say({"clauses": [{"path": "/a", "value": "none\nM4", "unit": ""}]}, as_json=False)

    assert shown(capsys) == ["clauses", "  path  value      unit", "  /a    none | M4"]
