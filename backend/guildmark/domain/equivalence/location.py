"""Gates 5 and 9: two one-sided tests of location, at the level of independent replicates.

Schuirmann (1987), with the degrees of freedom of Welch and Satterthwaite; by ranks with the
interval of Hodges and Lehmann. Nested data are reduced to one mean a replicate: parts of one
build are not independent.
"""

import math
from dataclasses import dataclass

from scipy import special

from guildmark.domain.equivalence import numbers, ranks
from guildmark.domain.equivalence.columns import Array, Summary
from guildmark.domain.equivalence.plan import (
    CharacteristicPlan,
    EquivalencePlan,
    Kind,
    Method,
    Transformation,
)
from guildmark.domain.equivalence.verdict import Gate, GateOutcome, Outcome, figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate, its interval of confidence 1 - 2 alpha, and the bounds that it should keep.

    Args:
        p: The greater of the two p-values: the least alpha at which the interval lies inside.
    """

    estimate: float
    low: float
    high: float
    least: float
    most: float
    p: float | None = None

    def outcome(self) -> Outcome:
        """Return PASSED inside the bounds, FAILED outside, INCONCLUSIVE across or upon one."""
        above, below = numbers.Side.ABOVE, numbers.Side.BELOW
        if (
            numbers.side(self.low, self.least) is above
            and numbers.side(self.high, self.most) is below
        ):
            return Outcome.PASSED
        if (
            numbers.side(self.low, self.most) is above
            or numbers.side(self.high, self.least) is below
        ):
            return Outcome.FAILED
        return Outcome.INCONCLUSIVE

    def figures(self) -> dict[str, str]:
        """Return the interval as results hold it."""
        found = {
            "estimate": self.estimate,
            "low": self.low,
            "high": self.high,
            "least": self.least,
            "most": self.most,
            "p": self.p,
        }
        return {name: figure(value) for name, value in found.items() if value is not None}


def judge(
    plan: EquivalencePlan,
    wanted: CharacteristicPlan,
    sites: tuple[str, str],
    first: Summary,
    second: Summary,
) -> GateOutcome:
    """Return whether two sites are at the same place, within the margin."""
    gate = Gate.LOCATION if wanted.kind is Kind.PART else Gate.PROCESS
    found = compare(plan, wanted, first, second)
    fewest = min(first.replicates, second.replicates)
    figures = {"n": f"{first.replicates}, {second.replicates}"}
    if found is None:
        outcome = Outcome.INCONCLUSIVE
        reason = f"{fewest} {plan.replication}s of a site are too few for any interval."
    else:
        figures |= found.figures()
        outcome, reason = _judged(plan, wanted, found, fewest)
    return GateOutcome(
        gate=gate,
        outcome=outcome,
        reason=reason,
        sites=sites,
        characteristic=wanted.path,
        figures=figures,
    )


def compare(
    plan: EquivalencePlan, wanted: CharacteristicPlan, first: Summary, second: Summary
) -> Interval | None:
    """Return the difference of the second site from the first, None where too few replicates."""
    margin = float(wanted.margin)
    bound = math.log(margin) if wanted.transformation is Transformation.LOG else margin
    alpha = float(plan.alpha)
    if wanted.method is Method.RANKS:
        shift = ranks.shift(first.means, second.means, alpha, bound)
        if shift is None:
            return None
        estimate, low, high, p = shift
        return Interval(estimate=estimate, low=low, high=high, least=-bound, most=bound, p=p)
    return two_one_sided(first, second, alpha, bound)


def two_one_sided(first: Summary, second: Summary, alpha: float, margin: float) -> Interval:
    """Return the parametric interval of the difference of two means."""
    errors = (first.error**2, second.error**2)
    freedom = (first.replicates - 1, second.replicates - 1)
    low, high, p = tost(second.mean - first.mean, errors, freedom, alpha, margin)
    return Interval(
        estimate=second.mean - first.mean,
        low=float(low),
        high=float(high),
        least=-margin,
        most=margin,
        p=float(p),
    )


def tost(
    difference: Array,
    errors: tuple[Array, Array],
    freedom: tuple[int, int],
    alpha: float,
    margin: float,
) -> tuple[Array, Array, Array]:
    """Return the interval of 1 - 2 alpha and the p-value of two one-sided tests.

    Args:
        difference: Of the two means; an array gives arrays.
        errors: The squared standard error of each mean.
        freedom: The degrees of freedom of each.
        alpha: The level of each of the two tests.
        margin: The greatest difference that does not matter.
    """
    total = errors[0] + errors[1]
    # Satterthwaite (1946); with both errors 0 nothing is estimated, and no interval is wide.
    degrees = total**2 / (errors[0] ** 2 / freedom[0] + errors[1] ** 2 / freedom[1])
    error = total**0.5
    half = special.stdtrit(degrees, 1 - alpha) * error
    # The far tail, taken directly: a small p-value keeps its digits.
    p = special.stdtr(degrees, (abs(difference) - margin) / error)
    return difference - half, difference + half, p


def _judged(
    plan: EquivalencePlan, wanted: CharacteristicPlan, found: Interval, fewest: int
) -> tuple[Outcome, str]:
    outcome = found.outcome()
    interval = f"[{found.low:.6g}, {found.high:.6g}]"
    bounds = f"[{found.least:.6g}, {found.most:.6g}]"
    if wanted.transformation is Transformation.LOG:
        bounds += " of logarithms"
    if fewest < plan.replicates and outcome is not Outcome.FAILED:
        reason = (
            f"{fewest} independent {plan.replication}s where the plan asks for at least "
            f"{plan.replicates}."
        )
        return Outcome.INCONCLUSIVE, reason
    words = {
        Outcome.PASSED: f"The difference lies in {interval}, inside the margin {bounds}.",
        Outcome.INCONCLUSIVE: f"The difference lies in {interval}, across the margin {bounds}.",
        Outcome.FAILED: f"The difference lies in {interval}, outside the margin {bounds}.",
    }
    return outcome, words[outcome]
