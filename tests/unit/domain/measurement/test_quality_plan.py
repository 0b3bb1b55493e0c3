"""What a recipe asks of measurements, by core clauses below /qa/."""

from decimal import Decimal
from typing import Any

import pytest

from guildmark.domain.identifiers import Bytes32
from guildmark.domain.measurement.conformity import DecisionRule
from guildmark.domain.measurement.quality_plan import (
    ASKING,
    CALIBRATION,
    DECISION_RULE,
    RAW_DATA,
    SAMPLE_EVERY,
    UNCERTAINTY_RATIO,
    QualityPlan,
)
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType

CORE, SITE = ClauseClass.CORE, ClauseClass.SITE


def text(path: ClausePath, value: str | None, klass: ClauseClass = CORE) -> Clause:
    return Clause(
        path=path, type=ClauseType.TEXT, klass=klass, value=value, salt=Bytes32(bytes(32))
    )


def quantity(path: ClausePath, klass: ClauseClass = CORE, unit: str = "1", **said: Any) -> Clause:
    kind, salt = ClauseType.QUANTITY, Bytes32(bytes(32))
    return Clause(path=path, type=kind, klass=klass, unit=unit, salt=salt, **said)


def test_recipe_that_asks_for_nothing_decides_simply() -> None:
    assert QualityPlan.of([]) == QualityPlan(rule=DecisionRule.SIMPLE)
    assert list(ASKING) == sorted(ASKING)


def test_recipe_says_how_values_are_judged() -> None:
    plan = QualityPlan.of(
        [
            text(CALIBRATION, "ISO/IEC 17025"),
            text(DECISION_RULE, "ISO 14253-1"),
            text(RAW_DATA, "required"),
            quantity(SAMPLE_EVERY, value="5"),
            quantity(UNCERTAINTY_RATIO, minimum="4"),
            text(ClausePath("/qa/inspection"), "each part"),
        ]
    )

    assert plan == QualityPlan(
        rule=DecisionRule.PROBABILITY,
        least_ratio=Decimal(4),
        is_raw_asked=True,
        calibration="ISO/IEC 17025",
        every=5,
    )


@pytest.mark.parametrize(
    "clause",
    [
        text(CALIBRATION, "ISO/IEC 17025", SITE),
        quantity(CALIBRATION, value="1"),
        text(DECISION_RULE, "as you like"),
        text(DECISION_RULE, None, SITE),
        text(RAW_DATA, "sometimes"),
        text(SAMPLE_EVERY, "five"),
        quantity(SAMPLE_EVERY, value="0"),
        quantity(SAMPLE_EVERY, value="1.5"),
        quantity(SAMPLE_EVERY, value="1000001"),
        quantity(SAMPLE_EVERY, value="5", unit="mm"),
        quantity(SAMPLE_EVERY, value="5", minimum="1"),
        quantity(SAMPLE_EVERY, SITE, value="5"),
        text(UNCERTAINTY_RATIO, "four"),
        quantity(UNCERTAINTY_RATIO, value="4"),
        quantity(UNCERTAINTY_RATIO, minimum="0"),
        quantity(UNCERTAINTY_RATIO, minimum="4", maximum="10"),
        quantity(UNCERTAINTY_RATIO, minimum="4", value="5"),
        quantity(UNCERTAINTY_RATIO, minimum="4", unit="mm"),
        quantity(UNCERTAINTY_RATIO, SITE, minimum="4"),
    ],
)
def test_clause_of_another_form_is_unread_and_never_passed_over(clause: Clause) -> None:
    assert QualityPlan.of([clause]) == QualityPlan(unread=(clause.path,))


@pytest.mark.parametrize("number", ["1", "1000000"])
def test_sample_has_bounds_that_belong_to_it(number: str) -> None:
    assert QualityPlan.of([quantity(SAMPLE_EVERY, value=number)]).every == int(number)


@pytest.mark.parametrize(("unit", "is_sampled"), [(1, True), (2, False), (5, False), (6, True)])
def test_one_unit_of_five_is_measured_beginning_with_the_first(unit: int, is_sampled: bool) -> None:
    assert QualityPlan(every=5).samples(unit) is is_sampled


def test_part_whose_unit_nobody_says_is_measured() -> None:
    assert QualityPlan(every=5).samples(None)
