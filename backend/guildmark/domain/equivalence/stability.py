"""Gate 3: control charts, and the patterns in them that a stable process hardly ever shows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from guildmark.domain.equivalence import numbers
from guildmark.domain.equivalence.columns import Array, Summary
from guildmark.domain.equivalence.plan import (
    CharacteristicPlan,
    Chart,
    EquivalencePlan,
    RunRule,
)
from guildmark.domain.equivalence.verdict import Gate, GateOutcome, Outcome, figure

# Mean and standard deviation of the range of n standard normal values (ASTM E2587, table 6).
RANGES: Mapping[int, tuple[float, float]] = MappingProxyType(
    {
        2: (1.12838, 0.85250),
        3: (1.69257, 0.88837),
        4: (2.05875, 0.87981),
        5: (2.32593, 0.86408),
        6: (2.53441, 0.84804),
        7: (2.70436, 0.83321),
        8: (2.84720, 0.81983),
        9: (2.97003, 0.80783),
        10: (3.07751, 0.79705),
    }
)
_LEAST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlChart:
    """Points in their order, with limits.

    Args:
        name: What is charted.
        sigma: The standard deviation of one point.
        signals: The points that break a rule, each with the first rule that it breaks.
    """

    name: str
    points: Sequence[float]
    center: float
    lower: float
    upper: float
    sigma: float
    signals: Mapping[int, RunRule]


def judge(
    plan: EquivalencePlan, wanted: CharacteristicPlan, site: str, found: Summary
) -> GateOutcome:
    """Return whether a site's process was stable in a characteristic."""
    charts = control_charts(plan, found)
    if not charts:
        outcome = Outcome.INCONCLUSIVE
        reason = "X-bar and R charts need builds of 2 to 10 parts, all alike."
        return _outcome(wanted, site, outcome, reason)
    bad = [(chart, at, rule) for chart in charts for at, rule in chart.signals.items()]
    figures = {
        f"{chart.name}.{name}": figure(value)
        for chart in charts
        for name, value in (
            ("center", chart.center),
            ("lower", chart.lower),
            ("upper", chart.upper),
        )
    }
    if not bad:
        reason = f"{found.replicates} points keep all of the plan's rules."
        return _outcome(wanted, site, Outcome.PASSED, reason, figures)
    chart, at, rule = bad[0]
    reason = (
        f"The process was not stable: on the chart of {chart.name} point {at + 1} of "
        f"{len(chart.points)} breaks the rule {rule}."
    )
    return _outcome(wanted, site, Outcome.INCONCLUSIVE, reason, figures)


def control_charts(plan: EquivalencePlan, found: Summary) -> tuple[ControlChart, ...]:
    """Return the charts of a series that a plan asks for, none where they cannot be made."""
    width = float(plan.sigmas)
    ranges = _ranges(found)
    if plan.chart is Chart.XBAR:
        if ranges is None:
            return ()
        return (_xbar(found, ranges, width, plan.rules), _range(found, ranges, width))
    located = individuals(found.means, width, plan.rules)
    return (located,) if ranges is None else (located, _range(found, ranges, width))


def individuals(points: Sequence[float], width: float, rules: Sequence[RunRule]) -> ControlChart:
    """Return the chart of single values, with limits from their moving ranges."""
    steps: list[float] = np.abs(np.diff(np.array(points))).tolist()
    sigma = numbers.mean(steps) / RANGES[2][0]
    return _chart("means", (numbers.mean(points), sigma), points, width, rules)


def _xbar(
    found: Summary, ranges: Sequence[float], width: float, rules: Sequence[RunRule]
) -> ControlChart:
    size = int(found.sizes[0])
    sigma = numbers.mean(ranges) / (RANGES[size][0] * math.sqrt(size))
    return _chart("means", (found.mean, sigma), found.means, width, rules)


def _range(found: Summary, ranges: Sequence[float], width: float) -> ControlChart:
    center = numbers.mean(ranges)
    expected, spread = RANGES[int(found.sizes[0])]
    sigma = center * spread / expected
    chart = _chart("ranges", (center, sigma), ranges, width, (RunRule.BEYOND_LIMITS,))
    return replace(chart, lower=max(0.0, chart.lower))


def _ranges(found: Summary) -> list[float] | None:
    """Return the range within each replicate, None where the table of constants has no size."""
    size = int(found.sizes[0])
    if size not in RANGES or (found.sizes != size).any():
        return None
    rows = found.numbers.reshape(-1, size)
    listed: list[float] = (rows.max(axis=1) - rows.min(axis=1)).tolist()
    return listed


def _chart(
    name: str,
    stable: tuple[float, float],
    points: Sequence[float],
    width: float,
    rules: Sequence[RunRule],
) -> ControlChart:
    center, sigma = stable
    signals: dict[int, RunRule] = {}
    deviations = (np.array(points) - center) / sigma if sigma else np.zeros(len(points))
    for rule in rules:
        for at in _broken(rule, deviations, width):
            signals.setdefault(at, rule)
    return ControlChart(
        name=name,
        points=points,
        center=center,
        lower=center - width * sigma,
        upper=center + width * sigma,
        sigma=sigma,
        signals=dict(sorted(signals.items())),
    )


def _broken(rule: RunRule, deviations: Array, width: float) -> Iterator[int]:
    """Yield the points at which a rule is broken."""
    if rule is RunRule.BEYOND_LIMITS:
        # As near to a limit as a rounding is beyond it.
        yield from np.flatnonzero(abs(deviations) >= width * (1 - numbers.TINY)).tolist()
        return
    if rule is RunRule.SIX_IN_ONE_DIRECTION:
        steps = np.sign(np.diff(deviations))
        yield from (at + 1 for at in _runs(steps, 5, 5))
        return
    if rule is RunRule.FOURTEEN_ALTERNATING:
        turns = np.sign(np.diff(deviations))
        changes = np.where(turns[1:] * turns[:-1] < 0, 1, 0)
        yield from (at + 2 for at in _runs(changes, 12, 12))
        return
    distance, needed, among = _ZONES[rule]
    sides = np.where(abs(deviations) > distance, np.sign(deviations), 0)
    yield from _runs(sides, needed, among)


_ZONES: Mapping[RunRule, tuple[float, int, int]] = MappingProxyType(
    {
        RunRule.NINE_ON_ONE_SIDE: (0.0, 9, 9),
        RunRule.TWO_OF_THREE_BEYOND_TWO: (2.0, 2, 3),
        RunRule.FOUR_OF_FIVE_BEYOND_ONE: (1.0, 4, 5),
    }
)


def _runs(sides: Array, needed: int, among: int) -> Iterator[int]:
    """Yield the last places of windows with enough points on one side."""
    if len(sides) < among:
        return
    for sign in (1, -1):
        on = np.cumsum(np.concatenate(([0], sides == sign)))
        counts = on[among:] - on[:-among]
        yield from (np.flatnonzero(counts >= needed) + among - 1).tolist()


def _outcome(
    wanted: CharacteristicPlan,
    site: str,
    outcome: Outcome,
    reason: str,
    figures: Mapping[str, str] | None = None,
) -> GateOutcome:
    return GateOutcome(
        gate=Gate.STABILITY,
        outcome=outcome,
        reason=reason,
        sites=(site,),
        characteristic=wanted.path,
        figures=figures or {},
    )
