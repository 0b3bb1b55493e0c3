"""Gate 1: what share of the variation is the gauge's own (crossed ANOVA; AIAG MSA, ASTM E2782)."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special

from guildmark.domain.equivalence import numbers
from guildmark.domain.equivalence.dataset import GaugeStudy
from guildmark.domain.equivalence.plan import CharacteristicPlan
from guildmark.domain.equivalence.verdict import Gate, GateOutcome, Outcome, figure

# Above this p-value the interaction of parts and appraisers counts as repeatability (AIAG).
_INTERACTION_KEPT = 0.25
_LEAST = 2
_OUTCOMES = {
    numbers.Side.BELOW: Outcome.PASSED,
    numbers.Side.AT: Outcome.INCONCLUSIVE,
    numbers.Side.ABOVE: Outcome.INVALID,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeVariation:
    """Standard deviations of a study.

    Args:
        repeatability: Of one appraiser on one part: equipment variation.
        reproducibility: Between appraisers, on average or part by part: appraiser variation.
        parts: Between parts.
    """

    repeatability: float
    reproducibility: float
    parts: float

    @property
    def gauge(self) -> float:
        """Return gauge repeatability and reproducibility together."""
        return math.hypot(self.repeatability, self.reproducibility)

    @property
    def total(self) -> float:
        """Return the total study variation."""
        return math.hypot(self.gauge, self.parts)

    @property
    def share(self) -> float:
        """Return the gauge's share of the study variation."""
        return self.gauge / self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class _MeanSquares:
    part: float
    appraiser: float
    interaction: float
    error: float
    parts: int
    appraisers: int
    repeats: int


def judge(study: GaugeStudy | None, wanted: CharacteristicPlan, instrument: str) -> GateOutcome:
    """Return whether a gauge is good enough for a characteristic; ``max_gauge`` is there."""
    bound = float(wanted.max_gauge or 0)
    named = f"The gauge {instrument}"
    if study is None:
        return _outcome(wanted, Outcome.INVALID, f"{named} has no study of {wanted.path}.")
    cells = _cells(study)
    if cells is None:
        reason = f"{named}'s study is not crossed: each appraiser measures each part as often."
        return _outcome(wanted, Outcome.INVALID, reason)
    found = variation(cells)
    if found.total == 0:
        reason = f"{named}'s study shows one value only."
        return _outcome(wanted, Outcome.INVALID, reason)
    outcome = _OUTCOMES[numbers.side(found.share, bound)]
    reason = f"{named} makes {found.share:.1%} of the study variation; at most {bound:.1%} may be."
    figures = {
        "repeatability": figure(found.repeatability),
        "reproducibility": figure(found.reproducibility),
        "parts": figure(found.parts),
        "gauge": figure(found.gauge),
        "share": figure(found.share),
    }
    return _outcome(wanted, outcome, reason, figures)


def variation(cells: Sequence[Sequence[Sequence[float]]]) -> GaugeVariation:
    """Return the components of a crossed study, negative ones as 0.

    Args:
        cells: The repeats, by part and appraiser, equally many in each.
    """
    found = _mean_squares(cells)
    p, a, r = found.parts, found.appraisers, found.repeats
    error, interaction = found.error, found.interaction
    degrees = (p - 1) * (a - 1)
    is_kept = error == 0 or (
        special.fdtrc(degrees, p * a * (r - 1), interaction / error) <= _INTERACTION_KEPT
    )
    if not is_kept:
        rest = p * a * (r - 1)
        error = interaction = (interaction * degrees + error * rest) / (degrees + rest)
    between = max(0.0, (interaction - error) / r) + max(
        0.0, (found.appraiser - interaction) / (p * r)
    )
    return GaugeVariation(
        repeatability=math.sqrt(error),
        reproducibility=math.sqrt(between),
        parts=math.sqrt(max(0.0, (found.part - interaction) / (a * r))),
    )


def _mean_squares(cells: Sequence[Sequence[Sequence[float]]]) -> _MeanSquares:
    p, a, r = len(cells), len(cells[0]), len(cells[0][0])
    means = [[numbers.mean(cell) for cell in row] for row in cells]
    rows = [numbers.mean(row) for row in means]
    columns = [numbers.mean(column) for column in zip(*means, strict=True)]
    grand = numbers.mean(rows)
    interaction = math.fsum(
        (means[at][by] - rows[at] - columns[by] + grand) ** 2 for at in range(p) for by in range(a)
    )
    error = math.fsum(
        (value - means[at][by]) ** 2
        for at in range(p)
        for by in range(a)
        for value in cells[at][by]
    )
    return _MeanSquares(
        part=a * r * numbers.variance(rows, grand),
        appraiser=p * r * numbers.variance(columns, grand),
        interaction=r * interaction / ((p - 1) * (a - 1)),
        error=error / (p * a * (r - 1)),
        parts=p,
        appraisers=a,
        repeats=r,
    )


def _cells(study: GaugeStudy) -> list[list[list[float]]] | None:
    """Return a study's repeats by part and appraiser, None where it is not crossed."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for trial in study.trials:
        if not trial.value.is_finite():
            return None
        found[trial.part, trial.appraiser].append(float(trial.value))
    parts = sorted({part for part, _ in found})
    appraisers = sorted({appraiser for _, appraiser in found})
    counts = {len(found.get((part, by), ())) for part in parts for by in appraisers}
    is_large = min(len(parts), len(appraisers), *counts) >= _LEAST if counts else False
    if len(counts) != 1 or not is_large:
        return None
    return [[sorted(found[part, by]) for by in appraisers] for part in parts]


def _outcome(
    wanted: CharacteristicPlan,
    outcome: Outcome,
    reason: str,
    figures: dict[str, str] | None = None,
) -> GateOutcome:
    return GateOutcome(
        gate=Gate.GAUGE,
        outcome=outcome,
        reason=reason,
        characteristic=wanted.path,
        figures=figures or {},
    )
