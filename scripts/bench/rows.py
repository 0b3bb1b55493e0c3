"""A row of the benchmark: what was measured in each round, its reference and its target."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Better(StrEnum):
    """Which way a figure should go."""

    LOWER = "lower"
    HIGHER = "higher"


class Judged(StrEnum):
    """Which figure of a row its target bounds."""

    OURS = "ours"
    RATIO = "ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The bound of a figure: the most where lower is better, else the least."""

    of: Judged
    bound: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round gave.

    Args:
        ours: What we take.
        reference: The limit, or what the peer took in the same round.
        same_answer: Whether the answers that were compared were equal.
    """

    ours: float
    reference: float
    same_answer: bool

    @property
    def ratio(self) -> float:
        """Return ours in references."""
        return self.ours / self.reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What a row measures.

    Args:
        id: The row's name, for example P1.n1.
        text: What is measured, for people.
        against: What the reference is.
        target: The bound that it promises, if any.
    """

    id: str
    text: str
    unit: str
    against: str
    better: Better = Better.LOWER
    target: Target | None = None

    def promise(self) -> str | None:
        """Return the target as text, for example ``ratio <= 2``."""
        if self.target is None:
            return None
        sign = "<=" if self.better is Better.LOWER else ">="
        return f"{self.target.of} {sign} {self.target.bound:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A metric with its rounds; the worst one counts."""

    metric: Metric
    rounds: Sequence[Round]

    @property
    def worst(self) -> Round:
        """Return the round that is least to our favour."""
        pick = max if self.metric.better is Better.LOWER else min
        return pick(self.rounds, key=lambda found: found.ratio)

    @property
    def spread(self) -> float:
        """Return how far the rounds' ratios lie apart, in parts of their median."""
        ratios = [found.ratio for found in self.rounds]
        return (max(ratios) - min(ratios)) / statistics.median(ratios)

    @property
    def same_answer(self) -> bool:
        """Return whether the answers were equal in every round."""
        return all(found.same_answer for found in self.rounds)

    @property
    def is_ok(self) -> bool:
        """Return whether the answers were equal and the target, if there is one, is met."""
        return self.same_answer and self._meets_target()

    def to_json(self) -> Mapping[str, Any]:
        """Return the row as build/bench.json holds it."""
        metric, worst = self.metric, self.worst
        return {
            "id": metric.id,
            "metric": metric.text,
            "ours": worst.ours,
            "reference": worst.reference,
            "against": metric.against,
            "ratio": worst.ratio,
            "unit": metric.unit,
            "better": metric.better.value,
            "target": metric.promise(),
            "rounds": len(self.rounds),
            "spread": self.spread,
            "same_answer": self.same_answer,
            "ok": self.is_ok,
        }

    def _meets_target(self) -> bool:
        target = self.metric.target
        if target is None:
            return True
        found = self.worst.ours if target.of is Judged.OURS else self.worst.ratio
        if self.metric.better is Better.LOWER:
            return found <= target.bound
        return found >= target.bound
