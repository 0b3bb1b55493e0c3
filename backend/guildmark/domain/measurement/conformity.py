"""Whether a measured value meets a tolerance: decision rules with guard bands, exactly computed.

A guard band keeps the measurement's uncertainty away from the limits (ISO 14253-1; ILAC-G8). Inside
of it a value proves neither that a part conforms nor that it does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from fractions import Fraction

from guildmark.domain.builds.predicate import Measurement
from guildmark.domain.recipes.clause import Clause
from guildmark.domain.recipes.quantity import converted, parse_decimal


class DecisionRule(Enum):
    """How a value beside a limit is decided; the value is what a recipe's clause says."""

    SIMPLE = "simple acceptance"
    """No guard band: the value alone decides (ILAC-G8:09/2019, 4.2.1)."""
    EXPANDED = "guard band U"
    """A guard band of the expanded uncertainty (ILAC-G8:09/2019, 4.2.2; ISO 14253-1:2013)."""
    PROBABILITY = "ISO 14253-1"
    """A guard band that proves at 95 % of probability (ISO 14253-1:2017)."""


class Outcome(StrEnum):
    """What a measurement says about a tolerance."""

    CONFORMS = "conforms"
    UNPROVEN = "unproven"
    EXCEEDED = "out of tolerance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided of one characteristic, and by what.

    Args:
        outcome: What was decided.
        reason: The sentence that says why, empty where it conforms.
        guard_band: How far from a limit a value must stay, in the tolerance's unit.
        ratio: The tolerance's width over that of the uncertainty, T / 2U; None where there is no
            such thing.
    """

    outcome: Outcome
    reason: str = ""
    guard_band: Fraction | None = None
    ratio: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a tolerance, themselves allowed; None where there is none."""

    lower: Fraction | None
    upper: Fraction | None

    @property
    def width(self) -> Fraction | None:
        """Return the distance of the limits, None where one lacks."""
        if self.lower is None or self.upper is None:
            return None
        return self.upper - self.lower

    def contain(self, value: Fraction, guard_band: Fraction) -> bool:
        """Return whether a value stays away from each limit by a guard band, or is at its end."""
        above = self.lower is None or value >= self.lower + guard_band
        below = self.upper is None or value <= self.upper - guard_band
        return above and below

    def exclude(self, value: Fraction, guard_band: Fraction) -> bool:
        """Return whether a value lies beyond a limit by more than a guard band."""
        below = self.lower is not None and value < self.lower - guard_band
        above = self.upper is not None and value > self.upper + guard_band
        return below or above


_MET = Decision(outcome=Outcome.CONFORMS)
_NOT_MET = Decision(outcome=Outcome.EXCEEDED, reason="It lies outside its bounds.")

# The 95 % point of the normal distribution, 1.645, rounded up: one limit is near.
_ONE_SIDED = Fraction(165, 100)
# The 97.5 % point, 1.960, rounded up: values may be wrong at both limits.
_TWO_SIDED = Fraction(196, 100)
# From here on, the other limit takes less than what the first rounding left.
_FAR = 5
_EVEN_SQUARED = 12


def limits_of(tolerance: Clause) -> Limits:
    """Return what a tolerance allows; one without bounds allows its value alone, or anything."""
    bounds: Sequence[str | None] = (tolerance.minimum, tolerance.maximum)
    if not tolerance.is_bounded:
        bounds = (tolerance.value, tolerance.value)
    lower, upper = (None if text is None else exact(text) for text in bounds)
    return Limits(lower=lower, upper=upper)


def decide(
    measured: Measurement, tolerance: Clause, rule: DecisionRule, least_ratio: Decimal | None = None
) -> Decision:
    """Return whether a measurement proves that a characteristic meets its tolerance.

    Args:
        measured: The measurement.
        tolerance: The clause that it answers.
        rule: The recipe's decision rule.
        least_ratio: How wide the tolerance must be beside the uncertainty, where a recipe says.
    """
    if measured.uncertainty is None and least_ratio is None and rule is DecisionRule.SIMPLE:
        return _MET if tolerance.admits(measured.value, measured.unit) else _NOT_MET
    unit = tolerance.unit
    if unit is None or not tolerance.measures_like(measured.unit):
        return _NOT_MET
    limits, value = limits_of(tolerance), converted(measured.value, measured.unit, unit)
    said = _Said.of(measured, unit)
    if said is None:
        return _undeclared(limits, value)
    guard_band = said.guard_band(rule, limits)
    ratio = None if limits.width is None else limits.width / (2 * said.expanded)
    outcome, reason = _beside(limits, value, guard_band)
    if outcome is Outcome.CONFORMS:
        outcome, reason = _trusted(said, ratio, least_ratio)
    return Decision(outcome=outcome, reason=reason, guard_band=guard_band, ratio=ratio)


def exact(text: str) -> Fraction:
    """Return a decimal without any rounding.

    Raises:
        MalformedDecimalError: The text is no plain decimal.
    """
    return Fraction(parse_decimal(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What a measurement says about its own uncertainty, in the unit of the tolerance.

    Args:
        expanded: U.
        coverage: k, by which U is k standard uncertainties.
        resolution: The least step that the instrument shows.
    """

    expanded: Fraction
    coverage: Fraction
    resolution: Fraction | None

    @classmethod
    def of(cls, measured: Measurement, unit: str) -> "_Said | None":
        if measured.uncertainty is None or measured.coverage_factor is None:
            return None
        # A distance: where a scale has its zero does not matter.
        step = converted("1", measured.unit, unit) - converted("0", measured.unit, unit)
        resolution = measured.resolution
        return cls(
            expanded=exact(measured.uncertainty) * step,
            coverage=exact(measured.coverage_factor),
            resolution=None if resolution is None else exact(resolution) * step,
        )

    def guard_band(self, rule: DecisionRule, limits: Limits) -> Fraction:
        if rule is DecisionRule.SIMPLE:
            return Fraction(0)
        if rule is DecisionRule.EXPANDED:
            return self.expanded
        standard, width = self.expanded / self.coverage, limits.width
        is_near = width is not None and width < _FAR * standard
        return standard * (_TWO_SIDED if is_near else _ONE_SIDED)

    @property
    def is_finer_than_its_steps(self) -> bool:
        """Return whether U is less than the steps alone make it: r / (2 sqrt 3) (GUM, F.2.2.1)."""
        if self.resolution is None:
            return False
        steps = (self.coverage * self.resolution) ** 2
        return _EVEN_SQUARED * self.expanded**2 < steps


def _undeclared(limits: Limits, value: Fraction) -> Decision:
    """Return what a value proves that comes without the uncertainty that is asked for."""
    if limits.exclude(value, Fraction(0)):
        return _NOT_MET
    reason = "No uncertainty is stated, which the recipe's decision rule needs."
    return Decision(outcome=Outcome.UNPROVEN, reason=reason)


def _beside(limits: Limits, value: Fraction, guard_band: Fraction) -> tuple[Outcome, str]:
    if limits.contain(value, guard_band):
        return Outcome.CONFORMS, ""
    if limits.exclude(value, guard_band):
        return _NOT_MET.outcome, _NOT_MET.reason
    return Outcome.UNPROVEN, "It lies so near a limit that its uncertainty decides."


def _trusted(
    said: _Said, ratio: Fraction | None, least_ratio: Decimal | None
) -> tuple[Outcome, str]:
    """Return whether a value inside counts, given how it was measured."""
    if said.is_finer_than_its_steps:
        return Outcome.UNPROVEN, "Its uncertainty is smaller than the instrument's steps allow."
    if least_ratio is not None and ratio is not None and ratio < Fraction(least_ratio):
        reason = (
            f"The tolerance is {rounded(ratio)} times as wide as the uncertainty;"
            f" the recipe asks for {least_ratio:f} times."
        )
        return Outcome.UNPROVEN, reason
    return Outcome.CONFORMS, ""


def rounded(number: Fraction, places: int = 2) -> str:
    """Return a number to some places, half to even, for people."""
    scaled = round(number * 10**places)
    sign, digits = "-" if scaled < 0 else "", f"{abs(scaled):0{places + 1}d}"
    whole, part = digits[: len(digits) - places], digits[len(digits) - places :]
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"
