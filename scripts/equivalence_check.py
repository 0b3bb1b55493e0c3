"""Simulated error rates of the equivalence engine: `build/equivalence.json`, and 1 where one fails.

Each row draws data with a known truth, 10,000 times, and counts how often location ends
EQUIVALENT: at the margin at most alpha, at no difference at least the planned power, each with
three standard errors of room. RUNS= takes another number.
"""

import math
import os
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

import reports
from guildmark.domain.equivalence.location import tost
from guildmark.domain.equivalence.planning import required_replicates

ALPHA, POWER, MARGIN = 0.05, 0.8, 1.0
_RUNS = 10_000
_ERRORS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How data comes about.

    Args:
        between: The standard deviation of builds at each of the two sites.
        within: That of the parts of a build.
        parts: How many parts a build has.
    """

    name: str
    between: tuple[float, float]
    within: float
    parts: int

    @property
    def deviations(self) -> tuple[float, float]:
        """Return the standard deviation of one replicate at each site."""
        noise = self.within**2 / self.parts
        first, second = (math.sqrt(between**2 + noise) for between in self.between)
        return first, second


DESIGNS = (
    Design(name="independent", between=(1.0, 1.5), within=0.0, parts=1),
    Design(name="nested", between=(0.9, 1.2), within=0.6, parts=5),
)


def main() -> int:
    """Write the rows and return 1 if a rate is not as promised."""
    runs = int(os.environ.get("RUNS", str(_RUNS)))
    rows = [row(design, truth, runs) for design in DESIGNS for truth in ("margin", "zero")]
    reports.write_rows("equivalence", rows)
    for found in rows:
        print(
            f"{found['design']:12} {found['truth']:7} n {found['n']:3}: EQUIVALENT in "
            f"{found['equivalent']} of {found['runs']} runs ({found['rate']:.4f})"
        )
    wrong = [found for found in rows if not is_kept(found)]
    for found in wrong:
        print(f"not as promised: {found}", file=sys.stderr)
    return 1 if wrong else 0


def row(design: Design, truth: str, runs: int, seed: int = 1) -> dict[str, Any]:
    """Return how often a design ends EQUIVALENT."""
    count = required_replicates(
        margin=MARGIN, deviations=design.deviations, alpha=ALPHA, wanted=POWER
    )
    generator = np.random.default_rng([seed, len(design.name), len(truth)])
    difference = MARGIN if truth == "margin" else 0.0
    first = replicates(generator, design, 0, (runs, count))
    second = replicates(generator, design, 1, (runs, count)) + difference
    low, high, _ = tost(
        second.mean(axis=1) - first.mean(axis=1),
        (first.var(axis=1, ddof=1) / count, second.var(axis=1, ddof=1) / count),
        (count - 1, count - 1),
        ALPHA,
        MARGIN,
    )
    passed = int(np.count_nonzero((low > -MARGIN) & (high < MARGIN)))
    return {
        "design": design.name,
        "truth": truth,
        "n": count,
        "runs": runs,
        "equivalent": passed,
        "rate": passed / runs,
        "alpha": ALPHA,
        "power": POWER,
    }


def replicates(generator: Any, design: Design, site: int, shape: tuple[int, int]) -> Any:
    """Return means of builds, each of its parts."""
    levels = generator.normal(0, design.between[site], shape)
    if design.within == 0:
        return levels
    parts = generator.normal(0, design.within, (*shape, design.parts))
    return (levels[..., None] + parts).mean(axis=2)


def is_kept(found: dict[str, Any]) -> bool:
    """Return whether a rate is what alpha or the power promises."""
    promised = found["alpha"] if found["truth"] == "margin" else found["power"]
    room = _ERRORS * math.sqrt(promised * (1 - promised) / found["runs"])
    if found["truth"] == "margin":
        return bool(found["rate"] <= promised + room)
    return bool(found["rate"] >= promised - room)


if __name__ == "__main__":
    sys.exit(main())
