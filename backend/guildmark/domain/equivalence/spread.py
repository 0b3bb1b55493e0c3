"""Gate 6: whether the standard deviations of two sites are near enough to each other.

The standard deviation is that of all parts: between replicates and within them. Each site's
variance is bounded as Graybill and Wang (1980) bound sums of variances, the ratio as Zou and
Donner (2008) join two intervals; by ranks, Miller's jackknife (1968) leaves out one replicate at
a time.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from guildmark.domain.equivalence import numbers
from guildmark.domain.equivalence.columns import Array, Summary, sums
from guildmark.domain.equivalence.location import Interval, tost
from guildmark.domain.equivalence.plan import (
    CharacteristicPlan,
    EquivalencePlan,
    FamilyRule,
    Method,
)
from guildmark.domain.equivalence.verdict import Gate, GateOutcome, Outcome

_LEAST_JACKKNIFED = 4
_HALVINGS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The variance of single parts, as a sum of two that are estimated apart.

    Args:
        between: What comes from replicates.
        within: What comes from parts within them; 0 where each has one.
        freedom: The degrees of freedom of both.
    """

    between: float
    within: float
    freedom: tuple[int, int]

    @property
    def variance(self) -> float:
        """Return the variance of single parts."""
        return self.between + self.within

    @property
    def deviation(self) -> float:
        """Return their standard deviation."""
        return math.sqrt(self.variance)

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return a lower and an upper bound of the variance, each of confidence 1 - alpha."""
        low, high = 0.0, 0.0
        for part, freedom in zip((self.between, self.within), self.freedom, strict=True):
            if freedom:
                low += (part * (1 - 1 / _chi(freedom, 1 - alpha))) ** 2
                high += (part * (1 / _chi(freedom, alpha) - 1)) ** 2
        return self.variance - math.sqrt(low), self.variance + math.sqrt(high)


def total(found: Summary) -> Total:
    """Return the variance of single parts: of replicates' means, and the rest within them.

    The unweighted means analysis; for equal sizes the usual nested ANOVA.
    """
    freedom = found.replicates - 1
    rest = int(found.sizes.sum()) - found.replicates
    if rest == 0:
        return Total(between=found.variance, within=0.0, freedom=(freedom, 0))
    share = 1 - numbers.mean((1 / found.sizes).tolist())
    within = share * found.within / rest
    return Total(between=found.variance, within=within, freedom=(freedom, rest))


def judge(
    plan: EquivalencePlan,
    wanted: CharacteristicPlan,
    sites: tuple[str, str],
    first: Summary,
    second: Summary,
) -> GateOutcome:
    """Return whether two sites spread alike; ``spread_margin`` is there."""
    found = _found(plan, wanted, first, second)
    outcome, figures = Outcome.INCONCLUSIVE, {}
    reason = "There are too few replicates for an interval of the ratio of deviations."
    if found is not None:
        outcome, figures = found.outcome(), found.figures()
        where = {
            Outcome.PASSED: "inside",
            Outcome.INCONCLUSIVE: "across",
            Outcome.FAILED: "outside",
        }[outcome]
        reason = (
            f"The ratio of standard deviations lies in [{found.low:.6g}, {found.high:.6g}], "
            f"{where} the margin [{found.least:.6g}, {found.most:.6g}]."
        )
    return GateOutcome(
        gate=Gate.SPREAD,
        outcome=outcome,
        reason=reason,
        sites=sites,
        characteristic=wanted.path,
        figures=figures,
    )


def _found(
    plan: EquivalencePlan, wanted: CharacteristicPlan, first: Summary, second: Summary
) -> Interval | None:
    margin, alpha = float(wanted.spread_margin or 0), float(plan.alpha)
    if wanted.method is Method.RANKS:
        return _jackknifed(first, second, alpha, margin)
    totals = (total(first), total(second))
    found = ratio(*totals, alpha, margin)
    if plan.family is FamilyRule.HOLM:
        return replace(found, p=level(*totals, margin))
    return found


def ratio(first: Total, second: Total, alpha: float, margin: float) -> Interval:
    """Return the ratio of two standard deviations with its interval, without a p-value."""
    (low_first, high_first), (low_second, high_second) = first.bounds(alpha), second.bounds(alpha)
    # Logarithms of variances: half of them are those of deviations.
    middle = math.log(second.variance / first.variance)
    down = math.hypot(math.log(second.variance / low_second), math.log(high_first / first.variance))
    up = math.hypot(math.log(high_second / second.variance), math.log(first.variance / low_first))
    return Interval(
        estimate=math.exp(middle / 2),
        low=math.exp((middle - down) / 2),
        high=math.exp((middle + up) / 2),
        least=1 / margin,
        most=margin,
    )


def level(first: Total, second: Total, margin: float) -> float:
    """Return the p-value of a ratio: the least alpha at which it lies inside the margin."""
    low, high = 0.0, 0.5
    for _ in range(_HALVINGS):
        alpha = (low + high) / 2
        found = ratio(first, second, alpha, margin)
        is_inside = found.least < found.low and found.high < found.most
        low, high = (low, alpha) if is_inside else (alpha, high)
    return high


def _chi(freedom: int, alpha: float) -> float:
    """Return a quantile of chi square over its degrees of freedom."""
    return float(2 * special.gammaincinv(freedom / 2, alpha) / freedom)


def _jackknifed(first: Summary, second: Summary, alpha: float, margin: float) -> Interval | None:
    if min(first.replicates, second.replicates) < _LEAST_JACKKNIFED:
        return None
    means, errors, freedom = [], [], []
    for found in (first, second):
        values = _pseudovalues(found)
        center = numbers.mean(values)
        means.append(center)
        errors.append(numbers.variance(values, center) / len(values))
        freedom.append(len(values) - 1)
    # Logarithms of variances: half of them are those of deviations.
    bound = 2 * math.log(margin)
    difference = means[1] - means[0]
    low, high, p = tost(difference, (errors[0], errors[1]), (freedom[0], freedom[1]), alpha, bound)
    return Interval(
        estimate=math.exp(difference / 2),
        low=math.exp(low / 2),
        high=math.exp(high / 2),
        least=1 / margin,
        most=margin,
        p=float(p),
    )


def _pseudovalues(found: Summary) -> list[float]:
    """Return the jackknife's pseudovalues of the logarithm of the total variance."""
    count = found.replicates
    whole = math.log(total(found).variance)
    rest: Array = np.log(_without_each(found))
    listed: list[float] = (count * whole - (count - 1) * rest).tolist()
    return listed


def _without_each(found: Summary) -> Array:
    """Return the total variance without each replicate."""
    count, sizes = found.replicates, found.sizes
    deviations = np.array(found.means) - found.mean
    left = found.variance * (count - 1) - deviations**2 * count / (count - 1)
    between = left / (count - 2)
    rest = sizes.sum() - count - (sizes - 1)
    if not rest.all():
        return between
    share = 1 - (math.fsum((1 / sizes).tolist()) - 1 / sizes) / (count - 1)
    squares = np.array(sums(found.squares, found.starts))
    within = share * (found.within - squares) / rest
    return between + within
