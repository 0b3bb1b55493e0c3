"""Decimal strings and units."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ucumvert import PintUcumRegistry  # type: ignore[import-untyped]  # it brings no types

from guildmark.domain.recipes import quantity as qu


@given(st.decimals(-(10**17), 10**17, places=9, allow_nan=False))
def test_plain_decimals_are_read_exactly(number: Decimal) -> None:
    text = f"{number:f}"

    if number.is_zero():
        text = text.lstrip("-")
    assert qu.parse_decimal(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "+1",
        "1.",
        ".5",
        "01",
        "1e3",
        "1,5",
        "1_0",
        " 1",
        "1\n",
        "0x1",
        "NaN",
        "\u0661",
        "1" * 19,
        "0." + "1" * 19,
    ],
)
def test_other_numbers_are_refused(text: str) -> None:
    with pytest.raises(qu.MalformedDecimalError) as caught:
        qu.parse_decimal(text)

    assert caught.value.detail == {"found": ascii(text[:40])}


@pytest.mark.parametrize("text", ["-0", "-0.0"])
def test_zero_has_no_sign(text: str) -> None:
    with pytest.raises(qu.MalformedDecimalError):
        qu.parse_decimal(text)


def test_longest_numbers_are_read() -> None:
    assert qu.parse_decimal("9" * 18 + "." + "9" * 18) == Decimal("9" * 18 + "." + "9" * 18)
    assert qu.parse_decimal("0.20") == Decimal("0.2")


def test_units_of_the_list_are_accepted_and_others_refused() -> None:
    assert qu.check_unit("mm") == "mm"
    for code in ("", "MM", "inch", "mm "):
        with pytest.raises(qu.UnknownUnitError) as caught:
            qu.check_unit(code)
        assert caught.value.detail == {"found": ascii(code)}


KNOWN = [
    ("25.4", "mm", "1", "[in_i]"),
    ("1", "[mil_i]", "25.4", "um"),
    ("20", "Cel", "293.15", "K"),
    ("212", "[degF]", "100", "Cel"),
    ("-40", "[degF]", "-40", "Cel"),
    ("6000", "mm/min", "100", "mm/s"),
    ("1.27", "g/cm3", "1270", "kg/m3"),
    ("1", "bar", "0.1", "MPa"),
    ("1000", "[ppm]", "0.1", "%"),
    ("1", "kW.h", "3600", "kJ"),
    ("1", "mJ/cm2", "10", "J/m2"),
    ("1", "kHz", "60000", "/min"),
    ("6", "g/(10.min)", "0.6", "g/min"),
]


@pytest.mark.parametrize(("value", "unit", "other", "other_unit"), KNOWN)
def test_units_of_a_kind_convert_exactly(
    value: str, unit: str, other: str, other_unit: str
) -> None:
    assert qu.measures_alike(unit, other_unit)
    assert qu.converted(value, unit, other_unit) == Fraction(other)
    assert qu.worth(value, unit) == qu.worth(other, other_unit)


@pytest.mark.parametrize(
    ("one", "other"), [("mm", "mm2"), ("N.m", "J"), ("deg", "rad"), ("{HV}", "Pa"), ("1", "{copy}")]
)
def test_other_things_are_never_compared(one: str, other: str) -> None:
    assert not qu.measures_alike(one, other)
    with pytest.raises(qu.UnitMismatchError) as caught:
        qu.converted("1", one, other)

    assert caught.value.detail == {"found": one, "expected": other}


CODES = sorted(qu.UCUM_CODES)
DECIMALS = st.decimals(-(10**6), 10**6, places=6).map(lambda number: f"{abs(number):f}")


@given(DECIMALS, st.sampled_from(CODES), st.sampled_from(CODES))
def test_there_and_back_is_the_same_value(value: str, unit: str, other: str) -> None:
    if qu.measures_alike(unit, other):
        there = qu.converted(value, unit, other)

        factor = qu.converted("1", other, unit) - qu.converted("0", other, unit)
        assert there * factor + qu.converted("0", other, unit) == Fraction(Decimal(value))


PLAIN = [one for one in CODES if "{" not in one and one not in {"Cel", "[degF]", "Cel/min", "dB"}]
"""What ucumvert reads: no annotations, logarithms, or scales with a zero of their own."""


@pytest.fixture(scope="module")
def registry() -> PintUcumRegistry:
    return PintUcumRegistry()


def test_an_independent_reader_of_ucum_finds_the_same_factors(registry: PintUcumRegistry) -> None:
    for code in PLAIN:
        base = next(one for one in PLAIN if qu.measures_alike(one, code))
        one, other = (1 * registry.from_ucum(each) for each in (code, base))
        theirs = (one.to_base_units() / other.to_base_units()).magnitude

        assert float(qu.converted("1", code, base)) == pytest.approx(theirs, rel=1e-12), code
