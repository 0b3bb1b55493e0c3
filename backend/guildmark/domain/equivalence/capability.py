"""Gate 7: whether a site keeps its limits with room to spare, by the lower bound of Ppk."""

import math
from dataclasses import dataclass

from scipy import special

from guildmark.domain.equivalence import numbers
from guildmark.domain.equivalence.columns import Summary
from guildmark.domain.equivalence.plan import (
    CharacteristicPlan,
    EquivalencePlan,
    Transformation,
)
from guildmark.domain.equivalence.spread import total
from guildmark.domain.equivalence.verdict import Gate, GateOutcome, Outcome, figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """An index of capability, each bound with the confidence 1 - alpha."""

    index: float
    low: float
    high: float


def judge(
    plan: EquivalencePlan, wanted: CharacteristicPlan, site: str, found: Summary
) -> GateOutcome:
    """Return whether a site is capable; ``min_cpk`` and a limit are there."""
    capable = capability(wanted, found, float(plan.alpha))
    bound = float(wanted.min_cpk or 0)
    figures = {
        "ppk": figure(capable.index),
        "low": figure(capable.low),
        "high": figure(capable.high),
    }
    outcome = Outcome.INCONCLUSIVE
    if numbers.side(capable.low, bound) is numbers.Side.ABOVE:
        outcome = Outcome.PASSED
    elif numbers.side(capable.high, bound) is numbers.Side.BELOW:
        outcome = Outcome.FAILED
    confidence = f"{1 - float(plan.alpha):.4g}"
    reason = (
        f"Ppk is {capable.index:.4g}, with confidence {confidence} at least {capable.low:.4g} "
        f"and at most {capable.high:.4g}; the plan asks for at least {wanted.min_cpk}."
    )
    return GateOutcome(
        gate=Gate.CAPABILITY,
        outcome=outcome,
        reason=reason,
        sites=(site,),
        characteristic=wanted.path,
        figures=figures,
    )


def capability(wanted: CharacteristicPlan, found: Summary, alpha: float) -> Capability:
    """Return Ppk over all parts with its one-sided bounds.

    Mean and deviation are bounded each by itself and joined as Graybill and Wang (1980) join
    them; for many degrees of freedom this is Bissell's bound (1990).
    """
    spread = total(found)
    index = min(_distances(wanted, found.mean)) / (3 * spread.deviation)
    error = found.error / (3 * spread.deviation)
    center = special.stdtrit(found.replicates - 1, 1 - alpha) * error
    least, most = spread.bounds(alpha)
    lower = index * (1 - math.sqrt(spread.variance / most))
    upper = index * (math.sqrt(spread.variance / least) - 1)
    return Capability(
        index=index,
        low=index - math.hypot(center, lower),
        high=index + math.hypot(center, upper),
    )


def _distances(wanted: CharacteristicPlan, mean: float) -> list[float]:
    """Return how far the mean is inside each limit."""
    found = []
    is_ratio = wanted.transformation is Transformation.LOG
    for text, sign in ((wanted.lower, 1), (wanted.upper, -1)):
        if text is not None:
            limit = math.log(float(text)) if is_ratio else float(text)
            found.append(sign * (mean - limit))
    return found
