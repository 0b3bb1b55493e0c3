"""Measurements in statements: a value, and what is stated about how it was taken."""

from typing import Any

import pytest

from guildmark.domain.builds.predicate import MalformedMeasurementError, Measurement
from guildmark.domain.encoding.fields import MemberInvalidError, read_object
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.recipes.quantity import MalformedDecimalError

PLAIN: dict[str, Any] = {
    "characteristic": ClausePath("/tolerance/bore"),
    "value": "22.040",
    "unit": "mm",
    "instrument": "gauge",
}
FULL = Measurement(
    **PLAIN,
    uncertainty="0.012",
    coverage_factor="2",
    resolution="0.001",
    raw_data=sha256(b"scan"),
    operator="op-7",
    measured_on=1_800_000_000,
)


def test_measurement_is_written_and_read_alike() -> None:
    for one in (FULL, Measurement(**PLAIN)):
        assert read_object(one.to_json(), Measurement.read) == one


def test_what_is_not_stated_is_left_out() -> None:
    assert Measurement(**PLAIN).to_json().keys() == PLAIN.keys()


@pytest.mark.parametrize(
    "said",
    [
        {"uncertainty": "0.01"},
        {"coverage_factor": "2"},
        {"uncertainty": "0", "coverage_factor": "2"},
        {"uncertainty": "-0.01", "coverage_factor": "2"},
        {"uncertainty": "0.01", "coverage_factor": "0"},
        {"resolution": "0"},
    ],
)
def test_uncertainty_is_said_in_full_and_above_zero(said: dict[str, str]) -> None:
    with pytest.raises(MalformedMeasurementError) as caught:
        Measurement(**PLAIN, **said)  # type: ignore[arg-type]  # members by name

    assert caught.value.detail == {"characteristic": "/tolerance/bore"}


def test_least_uncertainty_is_taken() -> None:
    least = "0." + "0" * 17 + "1"

    assert Measurement(**PLAIN, uncertainty=least, coverage_factor="1").uncertainty == least


def test_uncertainty_that_is_no_decimal_is_refused() -> None:
    with pytest.raises(MalformedDecimalError):
        Measurement(**PLAIN, resolution="1e-3")


@pytest.mark.parametrize(("name", "value"), [("measuredOn", -1), ("operator", "x" * 201)])
def test_member_out_of_its_bounds_is_refused(name: str, value: object) -> None:
    shown = {**FULL.to_json(), name: value}

    with pytest.raises(MemberInvalidError):
        read_object(shown, Measurement.read)  # type: ignore[arg-type]  # what a file may hold
