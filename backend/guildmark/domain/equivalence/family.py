"""Gate 8: how several characteristics share one error rate (Holm, 1979)."""

from collections.abc import Sequence

from guildmark.domain.equivalence import numbers
from guildmark.domain.equivalence.plan import EquivalencePlan, FamilyRule
from guildmark.domain.equivalence.verdict import Gate, GateOutcome, Outcome, figure


def judge(
    plan: EquivalencePlan, sites: tuple[str, str], gates: Sequence[GateOutcome]
) -> GateOutcome:
    """Return whether what was claimed of a pair's characteristics may be claimed together.

    Args:
        plan: The plan.
        sites: The pair.
        gates: Its locations and spreads.
    """
    if plan.family is FamilyRule.INTERSECTION:
        reason = "Only the claim that all are equivalent is made: it needs no correction."
        return _outcome(sites, Outcome.PASSED, reason, {})
    found = _probabilities(gates)
    passed = holm(list(found.values()), float(plan.alpha))
    kept = dict(zip(found, passed, strict=True))
    figures = {path: figure(p) for path, p in found.items()}
    lost = [path for path, is_kept in kept.items() if not is_kept]
    if lost:
        reason = f"Under Holm's rule {len(lost)} of {len(kept)} claims fall, first {lost[0]}."
        return _outcome(sites, Outcome.INCONCLUSIVE, reason, figures)
    reason = f"Under Holm's rule all {len(kept)} claims stand."
    return _outcome(sites, Outcome.PASSED, reason, figures)


def holm(probabilities: Sequence[float], alpha: float) -> list[bool]:
    """Return which claims stand together at a level, in their order."""
    order = sorted(range(len(probabilities)), key=lambda at: probabilities[at])
    stands = [False] * len(order)
    for rank, at in enumerate(order):
        bound = alpha / (len(order) - rank)
        if numbers.side(probabilities[at], bound) is not numbers.Side.BELOW:
            break
        stands[at] = True
    return stands


def _probabilities(gates: Sequence[GateOutcome]) -> dict[str, float]:
    """Return the p-value of each characteristic: it is equivalent where all of its claims hold."""
    found: dict[str, float] = {}
    for one in gates:
        path, p = str(one.characteristic), float(one.figures.get("p", "1"))
        found[path] = max(found.get(path, 0.0), p)
    return dict(sorted(found.items()))


def _outcome(
    sites: tuple[str, str], outcome: Outcome, reason: str, figures: dict[str, str]
) -> GateOutcome:
    return GateOutcome(
        gate=Gate.FAMILY, outcome=outcome, reason=reason, sites=sites, figures=figures
    )
