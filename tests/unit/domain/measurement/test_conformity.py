"""Decision rules: what a value proves about a tolerance, to the last digit."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from statistics import NormalDist
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.builds.predicate import Measurement
from guildmark.domain.identifiers import Bytes32
from guildmark.domain.measurement.conformity import (
    DecisionRule,
    Limits,
    Outcome,
    decide,
    exact,
    limits_of,
    rounded,
)
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType

BORE = ClausePath("/tolerance/bore")
WIDTH = Clause(
    path=BORE,
    type=ClauseType.QUANTITY,
    klass=ClauseClass.CORE,
    salt=Bytes32(bytes(32)),
    minimum="9.95",
    maximum="10.05",
    unit="mm",
)
CONFORMS, UNPROVEN, EXCEEDED = Outcome.CONFORMS, Outcome.UNPROVEN, Outcome.EXCEEDED
SIMPLE, EXPANDED, PROBABILITY = DecisionRule


def measured(value: str, expanded: str | None = "0.01", **said: Any) -> Measurement:
    return Measurement(
        characteristic=BORE,
        value=value,
        unit=said.pop("unit", "mm"),
        instrument="gauge",
        uncertainty=expanded,
        coverage_factor=None if expanded is None else said.pop("k", "2"),
        **said,
    )


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ("9.95", CONFORMS),
        ("10.05", CONFORMS),
        ("9.949999999999999999", EXCEEDED),
        ("10.050000000000000001", EXCEEDED),
    ],
)
@pytest.mark.parametrize("expanded", [None, "0.01"])
def test_simple_acceptance_takes_the_limits_and_not_a_digit_more(
    value: str, outcome: Outcome, expanded: str | None
) -> None:
    assert decide(measured(value, expanded), WIDTH, SIMPLE).outcome is outcome


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ("9.96", CONFORMS),
        ("10.04", CONFORMS),
        ("9.959999999999999999", UNPROVEN),
        ("10.040000000000000001", UNPROVEN),
        ("9.94", UNPROVEN),
        ("10.06", UNPROVEN),
        ("9.939999999999999999", EXCEEDED),
        ("10.060000000000000001", EXCEEDED),
    ],
)
def test_guard_band_of_u_has_a_zone_that_proves_nothing(value: str, outcome: Outcome) -> None:
    decision = decide(measured(value), WIDTH, EXPANDED)

    assert decision.outcome is outcome
    assert decision.guard_band == Fraction(1, 100)
    assert decision.ratio == 5


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ("9.95825", CONFORMS),
        ("10.04175", CONFORMS),
        ("9.958249999999999999", UNPROVEN),
        ("10.05825", UNPROVEN),
        ("10.058250000000000001", EXCEEDED),
    ],
)
def test_iso_14253_1_keeps_the_95_percent_point_away(value: str, outcome: Outcome) -> None:
    decision = decide(measured(value), WIDTH, PROBABILITY)

    assert decision.outcome is outcome
    assert decision.guard_band == Fraction("0.00825")


@pytest.mark.parametrize(
    ("expanded", "guard_band"), [("0.04", "0.033"), ("0.0400000001", "0.039200000098")]
)
def test_both_limits_count_where_the_tolerance_is_narrow(expanded: str, guard_band: str) -> None:
    decision = decide(measured("10.00", expanded), WIDTH, PROBABILITY)

    assert decision.guard_band == Fraction(guard_band)


@given(width=st.decimals("0.1", "50", places=3), at=st.decimals("0", "1", places=4))
def test_what_iso_14253_1_accepts_or_refuses_is_so_by_95_percent(
    width: Decimal, at: Decimal
) -> None:
    limits = replace(WIDTH, minimum="0", maximum=f"{width:f}")
    value = (at * 3 - 1) * width
    text = f"{value:.9f}" if value else "0"

    decision = decide(measured(text, "2"), limits, PROBABILITY)

    truth = NormalDist(float(text), 1)
    inside = truth.cdf(float(width)) - truth.cdf(0)
    if decision.outcome is CONFORMS:
        assert inside >= 0.95
    if decision.outcome is EXCEEDED:
        assert inside <= 0.05


@pytest.mark.parametrize("rule", [EXPANDED, PROBABILITY])
def test_value_without_uncertainty_proves_nothing_but_that_it_is_out(rule: DecisionRule) -> None:
    inside = decide(measured("10.00", None), WIDTH, rule)
    outside = decide(measured("10.0500000001", None), WIDTH, rule)

    assert (inside.outcome, outside.outcome) == (UNPROVEN, EXCEEDED)
    assert "No uncertainty" in inside.reason
    assert inside.ratio is None


def test_least_ratio_asks_for_an_uncertainty_and_for_a_fine_one() -> None:
    undeclared = decide(measured("10.00", None), WIDTH, SIMPLE, Decimal(4))
    enough = decide(measured("10.00", "0.0125"), WIDTH, SIMPLE, Decimal(4))
    coarse = decide(measured("10.00", "0.0125000001"), WIDTH, SIMPLE, Decimal(4))

    assert [one.outcome for one in (undeclared, enough, coarse)] == [UNPROVEN, CONFORMS, UNPROVEN]
    assert "asks for 4 times" in coarse.reason
    assert enough.ratio == 4


def test_least_ratio_says_nothing_where_only_one_limit_is() -> None:
    open_above = replace(WIDTH, maximum=None)

    decision = decide(measured("1000"), open_above, EXPANDED, Decimal(4))

    assert (decision.outcome, decision.ratio) == (CONFORMS, None)
    assert decide(measured("1000"), open_above, PROBABILITY).guard_band == Fraction("0.00825")


@pytest.mark.parametrize(
    ("expanded", "outcome"), [("0.005773502692", CONFORMS), ("0.005773502691", UNPROVEN)]
)
def test_uncertainty_below_what_the_steps_make_is_not_believed(
    expanded: str, outcome: Outcome
) -> None:
    decision = decide(measured("10.00", expanded, resolution="0.01"), WIDTH, SIMPLE)

    assert decision.outcome is outcome


def test_value_of_another_kind_answers_nothing() -> None:
    text = replace(WIDTH, type=ClauseType.TEXT, unit=None, minimum=None, maximum=None, value="ok")
    for expanded in (None, "0.01"):
        for tolerance, unit in ((WIDTH, "g"), (WIDTH, "cm"), (text, "mm")):
            decision = decide(measured("10.00", expanded, unit=unit), tolerance, SIMPLE)
            assert decision.outcome is EXCEEDED


def test_tolerance_without_bounds_asks_for_its_value_or_for_nothing() -> None:
    fixed = replace(WIDTH, minimum=None, maximum=None, value="10")
    free = replace(fixed, value=None, klass=ClauseClass.SITE)

    assert limits_of(fixed) == Limits(lower=Fraction(10), upper=Fraction(10))
    assert limits_of(free) == Limits(lower=None, upper=None)
    assert decide(measured("10.00"), fixed, SIMPLE).outcome is CONFORMS
    assert decide(measured("10.01"), fixed, EXPANDED).outcome is UNPROVEN
    assert decide(measured("-7"), free, EXPANDED).outcome is CONFORMS


@given(
    value=st.decimals("9.9", "10.1", places=4),
    smaller=st.decimals("0.0001", "0.2", places=4),
    larger=st.decimals("0.0001", "0.2", places=4),
    rule=st.sampled_from(DecisionRule),
)
def test_more_uncertainty_never_proves_more(
    value: Decimal, smaller: Decimal, larger: Decimal, rule: DecisionRule
) -> None:
    few, much = sorted([smaller, larger])

    sure = decide(measured(f"{value:f}", f"{few:f}"), WIDTH, rule).outcome
    vague = decide(measured(f"{value:f}", f"{much:f}"), WIDTH, rule).outcome

    assert vague in {sure, UNPROVEN}


@given(
    value=st.decimals("9.9", "10.1", places=4),
    rule=st.sampled_from(DecisionRule),
    expanded=st.sampled_from([None, "0.003", "0.04", "0.2"]),
)
def test_guard_bands_accept_nothing_that_lies_outside(
    value: Decimal, rule: DecisionRule, expanded: str | None
) -> None:
    text = f"{value:f}"

    if decide(measured(text, expanded), WIDTH, rule).outcome is CONFORMS:
        assert WIDTH.admits(text, "mm")


@given(
    value=st.decimals("9.9", "10.1", places=4),
    rule=st.sampled_from(DecisionRule),
    unit=st.sampled_from([("um", 1000), ("cm", Fraction(1, 10)), ("m", Fraction(1, 1000))]),
)
def test_a_decision_is_the_same_in_every_unit(
    value: Decimal, rule: DecisionRule, unit: tuple[str, Fraction]
) -> None:
    code, scale = unit

    def scaled(text: str) -> str:
        return rounded(Fraction(text) * scale, 9)

    there = decide(
        measured(scaled(f"{value:f}"), scaled("0.012"), unit=code, resolution=scaled("0.001")),
        WIDTH,
        rule,
    )

    assert there == decide(measured(f"{value:f}", "0.012", resolution="0.001"), WIDTH, rule)


def test_an_uncertainty_is_a_distance_on_a_scale_with_another_zero() -> None:
    oven = replace(WIDTH, minimum="290", maximum="300", unit="K")
    warm = measured("20", "0.5", unit="Cel", resolution="0.1")

    decision = decide(warm, oven, EXPANDED)

    assert (decision.outcome, decision.guard_band) == (CONFORMS, Fraction(1, 2))
    assert decide(replace(warm, value="17.34"), oven, EXPANDED).outcome is UNPROVEN
    assert decide(replace(warm, value="16.34"), oven, EXPANDED).outcome is EXCEEDED


def test_coverage_factor_scales_the_standard_uncertainty() -> None:
    three = decide(measured("10.00", "0.015", k="3"), WIDTH, PROBABILITY)

    assert three.guard_band == decide(measured("10.00"), WIDTH, PROBABILITY).guard_band


@pytest.mark.parametrize(
    ("number", "places", "text"),
    [
        (Fraction(1, 3), 2, "0.33"),
        (Fraction(-1, 3), 2, "-0.33"),
        (Fraction(5, 1000), 2, "0.00"),
        (Fraction(15, 1000), 2, "0.02"),
        (Fraction(7, 2), 0, "4"),
        (Fraction(-12345, 100), 1, "-123.4"),
    ],
)
def test_rounding_for_people_goes_half_to_even(number: Fraction, places: int, text: str) -> None:
    assert rounded(number, places) == text


def test_exact_decimals_lose_nothing() -> None:
    assert exact("0.1") == Fraction(1, 10)
