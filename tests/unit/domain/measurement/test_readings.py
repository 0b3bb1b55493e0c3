"""Readings: one value of one characteristic, and how documents write it."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.encoding.fields import MemberInvalidError, MemberUnknownError, read_object
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.measurement.readings import (
    MalformedReadingError,
    Reading,
    plain_decimal,
)
from guildmark.domain.recipes.clause import ClausePath, MalformedClauseError
from guildmark.domain.recipes.quantity import MalformedDecimalError, UnknownUnitError, parse_decimal

BORE = ClausePath("/tolerance/bore/diameter")
READING = Reading(
    part="bracket 7",
    build="job 3",
    lot="lot 12",
    site="site a",
    characteristic=BORE,
    value=Decimal("22.040"),
    unit="mm",
    instrument="0x" + "ab" * 32,
    raw=sha256(b"raw"),
)


def test_reading_is_written_and_read_alike() -> None:
    shown = READING.to_json()

    assert read_object(shown, Reading.read) == READING
    assert shown["value"] == "22.040"


def test_reading_without_lot_and_raw_data_leaves_them_out() -> None:
    bare = replace(READING, lot=None, raw=None)

    shown = bare.to_json()

    assert not {"lot", "rawData"} & shown.keys()
    assert read_object(shown, Reading.read) == bare


@pytest.mark.parametrize("name", ["part", "build", "site", "instrument", "lot"])
@pytest.mark.parametrize("text", ["", "x" * 201])
def test_name_of_no_or_too_many_characters_is_refused(name: str, text: str) -> None:
    changed: Any = {name: text}

    with pytest.raises(MalformedReadingError) as caught:
        replace(READING, **changed)

    assert caught.value.detail == {"member": name}


@pytest.mark.parametrize("name", ["part", "build", "site", "instrument", "lot"])
def test_name_of_one_and_of_most_characters_is_taken(name: str) -> None:
    for text in ("x", "x" * 200):
        changed: Any = {name: text}
        assert getattr(replace(READING, **changed), name) == text


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_value_that_is_not_finite_is_refused(value: str) -> None:
    with pytest.raises(MalformedReadingError):
        replace(READING, value=Decimal(value))


def test_unit_and_path_must_be_known_ones() -> None:
    with pytest.raises(UnknownUnitError):
        replace(READING, unit="furlong")
    with pytest.raises(MalformedClauseError):
        replace(READING, characteristic=ClausePath("bore"))


@pytest.mark.parametrize("text", ["1e3", "NaN", "1,5", ""])
def test_document_with_another_value_is_refused(text: str) -> None:
    with pytest.raises(MalformedDecimalError):
        read_object({**READING.to_json(), "value": text}, Reading.read)


def test_document_with_a_number_instead_of_a_text_or_more_members_is_refused() -> None:
    with pytest.raises(MemberInvalidError):
        read_object(parse_object(b'{"part": "a", "build": 7}'), Reading.read)
    with pytest.raises(MemberUnknownError):
        read_object({**READING.to_json(), "mean": "1"}, Reading.read)


@given(st.decimals(-(10**17), 10**17, places=9, allow_nan=False))
def test_written_decimal_is_read_as_the_same_number(number: Decimal) -> None:
    assert parse_decimal(plain_decimal(number)) == number


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1E+2", "100"),
        ("0E+9", "0"),
        ("0E+999", "0"),
        ("0E-18", "0." + "0" * 18),
        ("-0.00", "0.00"),
        ("1E-18", "0." + "0" * 17 + "1"),
        ("22.040", "22.040"),
        ("9" * 18, "9" * 18),
    ],
)
def test_decimal_is_written_without_exponent_and_sign_of_zero(number: str, text: str) -> None:
    assert plain_decimal(Decimal(number)) == text


@pytest.mark.parametrize(
    "number",
    ["NaN", "Infinity", "1E+18", "1E-19", "1E+999999", "-1E-999999", "0E-19", "0E-999999999"],
)
def test_decimal_that_no_document_holds_is_refused(number: str) -> None:
    with pytest.raises(MalformedDecimalError):
        plain_decimal(Decimal(number))
