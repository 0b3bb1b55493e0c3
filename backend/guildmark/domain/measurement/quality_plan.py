"""What a recipe asks of measurements: clauses below /qa/, each a core one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from guildmark.domain.measurement.conformity import DecisionRule
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType
from guildmark.domain.recipes.quantity import parse_decimal

DECISION_RULE = ClausePath("/qa/decision_rule")
UNCERTAINTY_RATIO = ClausePath("/qa/uncertainty_ratio")
RAW_DATA = ClausePath("/qa/raw_data")
CALIBRATION = ClausePath("/qa/calibration")
SAMPLE_EVERY = ClausePath("/qa/sample_every")
ASKING = (CALIBRATION, DECISION_RULE, RAW_DATA, SAMPLE_EVERY, UNCERTAINTY_RATIO)
"""The clauses by which a recipe asks, ascending."""

REQUIRED = "required"
_EVERY_MAX = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityPlan:
    """What a recipe asks of the measurements of a part.

    Args:
        rule: How a value beside a limit is decided.
        least_ratio: How many times as wide as the uncertainty a tolerance must be.
        is_raw_asked: Whether each measurement names the instrument's own file.
        calibration: The standard for which instruments must be calibrated, empty for none.
        every: Of how many units one is measured, beginning with unit 1.
        unread: Paths of clauses whose form is not known.
    """

    rule: DecisionRule = DecisionRule.SIMPLE
    least_ratio: Decimal | None = None
    is_raw_asked: bool = False
    calibration: str = ""
    every: int = 1
    unread: tuple[ClausePath, ...] = ()

    @classmethod
    def of(cls, clauses: Iterable[Clause]) -> Self:
        """Return what a recipe's shown clauses ask."""
        found = {clause.path: clause for clause in clauses if clause.path in ASKING}
        rule, ratio = _rule(found), _ratio(found)
        raw, standard = _text(found, RAW_DATA), _text(found, CALIBRATION)
        every = _every(found)
        values = {
            DECISION_RULE: rule,
            UNCERTAINTY_RATIO: ratio,
            RAW_DATA: raw if raw == REQUIRED else None,
            CALIBRATION: standard,
            SAMPLE_EVERY: every,
        }
        return cls(
            rule=rule or DecisionRule.SIMPLE,
            least_ratio=ratio,
            is_raw_asked=raw == REQUIRED,
            calibration=standard or "",
            every=every or 1,
            unread=tuple(path for path in ASKING if path in found and values[path] is None),
        )

    def samples(self, unit: int | None) -> bool:
        """Return whether a unit is to be measured; one whose number nobody says always is."""
        return unit is None or (unit - 1) % self.every == 0


def _text(found: Mapping[ClausePath, Clause], path: ClausePath) -> str | None:
    clause = found.get(path)
    is_plain = clause and (clause.type, clause.klass) == (ClauseType.TEXT, ClauseClass.CORE)
    return clause.value if clause and is_plain else None


def _rule(found: Mapping[ClausePath, Clause]) -> DecisionRule | None:
    said = _text(found, DECISION_RULE)
    return next((rule for rule in DecisionRule if rule.value == said), None)


def _ratio(found: Mapping[ClausePath, Clause]) -> Decimal | None:
    """Return the least ratio: a core quantity with a minimum alone."""
    clause = found.get(UNCERTAINTY_RATIO)
    if clause is None or clause.minimum is None or clause.maximum is not None:
        return None
    ratio = parse_decimal(clause.minimum)
    is_core = clause.klass is ClauseClass.CORE and clause.unit == "1" and clause.value is None
    return ratio if is_core and ratio > 0 else None


def _every(found: Mapping[ClausePath, Clause]) -> int | None:
    clause = found.get(SAMPLE_EVERY)
    if clause is None or clause.value is None or clause.is_bounded or clause.unit != "1":
        return None
    number = parse_decimal(clause.value)
    is_whole = number == number.to_integral_value() and 1 <= number <= _EVERY_MAX
    return int(number) if is_whole and clause.klass is ClauseClass.CORE else None
