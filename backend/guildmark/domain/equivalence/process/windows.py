"""Gate 9, each site by itself: whether a channel kept the window that the plan promises.

Chunks that were drawn and are not shown make it INVALID: who may leave some out shows the best.
"""

from collections.abc import Sequence
from fractions import Fraction

from guildmark.domain.equivalence.plan import CharacteristicPlan, Trace
from guildmark.domain.equivalence.process.traces import Signature
from guildmark.domain.equivalence.verdict import Gate, GateOutcome, Outcome, figure


def judge(
    wanted: CharacteristicPlan, trace: Trace, site: str, found: Sequence[Signature]
) -> GateOutcome:
    """Return whether all builds of a site kept the window; there is one at least."""
    missing = max(one.missing for one in found)
    coverage = min(one.coverage for one in found)
    inside = min(one.inside for one in found)
    deviation = max(one.deviation for one in found)
    outcome, reason = _judged(wanted, trace, missing, coverage, inside)
    return GateOutcome(
        gate=Gate.PROCESS,
        outcome=outcome,
        reason=reason,
        sites=(site,),
        characteristic=wanted.path,
        figures={
            "builds": str(len(found)),
            "chunks": str(sum(one.drawn - one.missing for one in found)),
            "drawn": str(sum(one.drawn for one in found)),
            "coverage": figure(float(coverage)),
            "inside": figure(float(inside)),
            "deviation": figure(float(deviation)),
        },
    )


def _judged(
    wanted: CharacteristicPlan, trace: Trace, missing: int, coverage: Fraction, inside: Fraction
) -> tuple[Outcome, str]:
    window = f"[{wanted.lower}, {wanted.upper}] {wanted.unit}"
    if missing > trace.max_missing:
        reason = (
            f"{missing} of the chunks that were drawn of a build are not shown; the plan allows "
            f"{trace.max_missing}."
        )
        return Outcome.INVALID, reason
    if coverage < Fraction(trace.min_coverage):
        reason = (
            f"A build's telemetry holds a share of {float(coverage):.4g} of its values; the plan "
            f"asks for {trace.min_coverage}."
        )
        return Outcome.INCONCLUSIVE, reason
    told = f"In each build a share of at least {float(inside):.4g} of the values lies in {window}"
    if inside < Fraction(trace.min_inside):
        return Outcome.FAILED, f"{told}; the plan asks for {trace.min_inside}."
    return Outcome.PASSED, f"{told}, by telemetry."
