"""Decimal strings and units."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
