"""The published schema and the reader take and refuse the same files."""

import json
from typing import Any

import jsonschema_rs
import pytest

from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.errors import MalformedError
from guildmark.domain.measurement.document import MeasurementFile
from guildmark.domain.measurement.schema import measurements_schema

SCHEMA: Any = json.loads(json.dumps(measurements_schema()))
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)
BORE: dict[str, Any] = {
    "characteristic": "/tolerance/bore",
    "value": "22.04",
    "unit": "mm",
    "instrument": "gauge",
}
FULL: dict[str, Any] = {
    **BORE,
    "uncertainty": "0.01",
    "coverageFactor": "2",
    "resolution": "0.001",
    "rawData": "0x" + "ab" * 32,
    "operator": "op-7",
    "measuredOn": 7,
}
CLAIM: dict[str, Any] = {"characteristic": "/tolerance/bore", "unit": "mm", "n": 1, "mean": "22.04"}


def file(measurement: dict[str, Any], claim: dict[str, Any] | None = None) -> dict[str, Any]:
    part = {"part": "S-1", "build": "j", "site": "a", "lot": "L", "measurements": [measurement]}
    members: dict[str, Any] = {"format": "guildmark/measurements/v1", "parts": [part]}
    return members if claim is None else {**members, "statistics": [claim]}


def is_read(document: dict[str, Any]) -> bool:
    try:
        MeasurementFile.parse(canonical(document))
    except MalformedError:
        return False
    return True


def test_schema_is_one() -> None:
    jsonschema_rs.meta.validate(SCHEMA)


@pytest.mark.parametrize(
    "document",
    [
        file(BORE),
        file(FULL),
        file(FULL, CLAIM),
        file({**BORE, "value": "-0.5"}),
        file({**BORE, "value": "0.00"}),
        file({**BORE, "value": "9" * 18 + "." + "9" * 18}),
        file({**BORE, "unit": "[in_i]"}),
        file(BORE, {**CLAIM, "s": "1", "min": "1", "max": "1", "cpk": "-1"}),
    ],
)
def test_both_take_what_is_right(document: dict[str, Any]) -> None:
    assert VALIDATOR.is_valid(document)
    assert is_read(document)


@pytest.mark.parametrize(
    "document",
    [
        {"format": "guildmark/measurements/v1"},
        {"format": "guildmark/measurements/v2", "parts": []},
        {**file(BORE), "more": 1},
        *(file({name: text for name, text in BORE.items() if name != gone}) for gone in BORE),
        *(
            file({**FULL, **wrong})
            for wrong in (
                {"value": "1e3"},
                {"value": "-0"},
                {"value": "-0.00"},
                {"value": "+1"},
                {"value": "01"},
                {"value": 22},
                {"value": "1" * 19},
                {"characteristic": "bore"},
                {"unit": "furlong"},
                {"instrument": "x" * 201},
                {"uncertainty": "0"},
                {"uncertainty": "-1"},
                {"resolution": "0.0"},
                {"coverageFactor": "k"},
                {"rawData": "0xAB"},
                {"measuredOn": -1},
                {"measuredOn": 2**40},
                {"mean": "1"},
            )
        ),
        file({name: text for name, text in FULL.items() if name != "coverageFactor"}),
        file({name: text for name, text in FULL.items() if name != "uncertainty"}),
        file(BORE, {**CLAIM, "n": -1}),
        file(BORE, {**CLAIM, "n": 1_000_001}),
        file(BORE, {**CLAIM, "cpk": "inf"}),
        file(BORE, {"unit": "mm"}),
    ],
)
def test_both_refuse_what_is_wrong(document: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(document)
    assert not is_read(document)
