"""Gate 4: whether replicates may be taken as normal (Anderson-Darling)."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from guildmark.domain.equivalence import numbers
from guildmark.domain.equivalence.columns import Array, Summary
from guildmark.domain.equivalence.plan import CharacteristicPlan, EquivalencePlan, Method
from guildmark.domain.equivalence.verdict import Gate, GateOutcome, Outcome, figure

# D'Agostino and Stephens, Goodness-of-fit techniques (1986), table 4.9: up to which statistic
# which polynomial gives the logarithm of the p-value (or of its complement).
_LOW, _MIDDLE, _HIGH = 0.2, 0.34, 0.6


def judge(
    plan: EquivalencePlan, wanted: CharacteristicPlan, site: str, found: Summary
) -> GateOutcome:
    """Return whether the plan's method fits how a site's replicates are distributed."""
    if wanted.method is Method.RANKS:
        outcome = Outcome.PASSED
        reason = "The plan compares by ranks, which asks for no distribution."
        return _outcome(wanted, site, outcome, reason, {})
    statistic, probability = anderson_darling(found.means, found.mean, found.variance)
    figures = {"statistic": figure(statistic), "p": figure(probability)}
    is_normal = numbers.side(probability, float(plan.normality)) is numbers.Side.ABOVE
    words = "may be" if is_normal else "are hardly"
    reason = (
        f"The {found.replicates} {plan.replication}s {words} normal: p is "
        f"{probability:.4f}, the plan's bound {plan.normality}."
    )
    outcome = Outcome.PASSED if is_normal else Outcome.INCONCLUSIVE
    return _outcome(wanted, site, outcome, reason, figures)


def anderson_darling(values: Sequence[float], mean: float, variance: float) -> tuple[float, float]:
    """Return the statistic for values of unknown mean and variance, and its p-value."""
    count = len(values)
    scores = (np.sort(np.array(values)) - mean) / math.sqrt(variance)
    weights: Array = 2 * np.arange(1, count + 1) - 1
    logs = special.log_ndtr(scores) + special.log_ndtr(-scores[::-1])
    squared = -count - math.fsum((weights * logs).tolist()) / count
    return squared, _probability(squared * (1 + 0.75 / count + 2.25 / count**2))


def _probability(statistic: float) -> float:
    if statistic <= _LOW:
        return 1 - math.exp(-13.436 + 101.14 * statistic - 223.73 * statistic**2)
    if statistic <= _MIDDLE:
        return 1 - math.exp(-8.318 + 42.796 * statistic - 59.938 * statistic**2)
    if statistic <= _HIGH:
        return math.exp(0.9177 - 4.279 * statistic - 1.38 * statistic**2)
    # Above its minimum the parabola would rise again.
    bounded = min(statistic, 153.467)
    return math.exp(1.2937 - 5.709 * bounded + 0.0186 * bounded**2)


def _outcome(
    wanted: CharacteristicPlan, site: str, outcome: Outcome, reason: str, figures: dict[str, str]
) -> GateOutcome:
    return GateOutcome(
        gate=Gate.DISTRIBUTION,
        outcome=outcome,
        reason=reason,
        sites=(site,),
        characteristic=wanted.path,
        figures=figures,
    )
