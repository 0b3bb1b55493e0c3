"""Claimed statistics recompute from the values, or are refused with both figures."""

import statistics
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.encoding.fields import read_object
from guildmark.domain.measurement.conformity import Limits
from guildmark.domain.measurement.statistics import (
    ClaimedStatistics,
    StatisticsMismatchError,
    StatisticsUncheckableError,
)
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.recipes.quantity import MalformedDecimalError

BORE = ClausePath("/tolerance/bore")
VALUES = [Fraction(text) for text in ("22.01", "22.03", "22.02", "22.06")]
LIMITS = Limits(lower=Fraction("21.9"), upper=Fraction("22.1"))


def claim(**said: Any) -> ClaimedStatistics:
    return ClaimedStatistics(characteristic=BORE, unit="mm", **said)


def test_claims_that_recompute_are_taken() -> None:
    # s = 0.0216025 and the mean 22.03 is 0.07 below the upper limit.
    claim(
        n=4, mean="22.03", deviation="0.0216", minimum="22.01", maximum="22.06", cpk="1.08"
    ).check(VALUES, LIMITS)


@pytest.mark.parametrize(
    ("name", "claimed", "recomputed"),
    [
        ("n", 5, "4"),
        ("mean", "22.031", "22.03000"),
        ("s", "0.0217", "0.021602"),
        ("min", "22.02", "22.0100"),
        ("max", "22.0601", "22.060000"),
        ("cpk", "1.09", "1.0801"),
    ],
)
def test_claim_that_does_not_recompute_is_refused_with_both_figures(
    name: str, claimed: str, recomputed: str
) -> None:
    member = {"s": "deviation", "min": "minimum", "max": "maximum"}.get(name, name)
    said: Any = {member: claimed}

    with pytest.raises(StatisticsMismatchError) as caught:
        claim(**said).check(VALUES, LIMITS)

    assert caught.value.detail == {
        "characteristic": BORE,
        "statistic": name,
        "claimed": str(claimed),
        "recomputed": recomputed,
    }


@pytest.mark.parametrize(("said", "is_taken"), [("0.5", True), ("0.6", True), ("0.54", False)])
def test_claim_may_be_rounded_either_way_at_the_half(said: str, is_taken: bool) -> None:
    values = [Fraction("0.55")]

    if is_taken:
        claim(mean=said).check(values, None)
    else:
        with pytest.raises(StatisticsMismatchError):
            claim(mean=said).check(values, None)


def test_negative_figures_round_as_positive_ones_do() -> None:
    claim(mean="-0.5", minimum="-1", maximum="0", cpk="-0.5").check(
        [Fraction(-1), Fraction(0)], Limits(lower=Fraction("0.56"), upper=None)
    )
    with pytest.raises(StatisticsMismatchError) as caught:
        claim(cpk="0.5").check(
            [Fraction(-1), Fraction(0)], Limits(lower=Fraction("0.56"), upper=None)
        )

    assert caught.value.detail["recomputed"] == "-0.500"


@pytest.mark.parametrize(
    ("values", "limits", "said"),
    [
        ([], LIMITS, {"mean": "1"}),
        ([], LIMITS, {"minimum": "1"}),
        (VALUES[:1], LIMITS, {"deviation": "0"}),
        (VALUES[:1], LIMITS, {"cpk": "1"}),
        ([Fraction(7)] * 5, LIMITS, {"cpk": "1"}),
        (VALUES, None, {"cpk": "1.08"}),
        (VALUES, Limits(lower=None, upper=None), {"cpk": "1.08"}),
    ],
)
def test_claim_that_the_values_cannot_give_is_refused(
    values: list[Fraction], limits: Limits | None, said: dict[str, Any]
) -> None:
    with pytest.raises(StatisticsUncheckableError):
        claim(**said).check(values, limits)


def test_equal_values_have_a_deviation_of_zero() -> None:
    claim(deviation="0.000", n=5).check([Fraction(7)] * 5, LIMITS)


@given(
    st.lists(st.decimals(-100, 100, places=3), min_size=2, max_size=12),
    st.integers(min_value=0, max_value=6),
)
def test_figures_of_another_implementation_recompute(values: list[Decimal], places: int) -> None:
    exact = [Fraction(value) for value in values]
    mean = f"{statistics.mean(exact).__float__():.{places}f}".replace("-0.", "-0.")
    mean = mean.lstrip("-") if Decimal(mean) == 0 else mean
    spread = f"{statistics.stdev(exact):.{places}f}"

    claim(n=len(values), mean=mean, deviation=spread).check(exact, None)


@given(
    values=st.lists(st.decimals(-100, 100, places=3), min_size=2, max_size=12),
    off=st.sampled_from([-2, 2]),
)
def test_figures_two_digits_off_are_refused(values: list[Decimal], off: int) -> None:
    exact = [Fraction(value) for value in values]
    wrong = round(statistics.mean(exact), 4) + Fraction(off, 10**4)
    text = f"{Decimal(wrong.numerator) / Decimal(wrong.denominator):.4f}"
    text = text.lstrip("-") if Decimal(text) == 0 else text

    with pytest.raises(StatisticsMismatchError):
        claim(mean=text).check(exact, None)


def test_claim_is_written_and_read_alike() -> None:
    full = claim(n=4, mean="1", deviation="2", minimum="3", maximum="4", cpk="5")

    for one in (full, claim()):
        assert read_object(one.to_json(), ClaimedStatistics.read) == one


def test_claim_that_is_no_decimal_is_refused() -> None:
    with pytest.raises(MalformedDecimalError):
        claim(cpk="inf")
