"""The shift between two samples by ranks: the interval of Hodges and Lehmann, exact where small."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy import special

from guildmark.domain.equivalence.columns import Array

EXACT_MAX = 50
"""Up to this many replicates a site the distribution of the rank sum is counted out."""


def shift(
    first: Sequence[float], second: Sequence[float], alpha: float, margin: float
) -> tuple[float, float, float, float] | None:
    """Return estimate, bounds and p-value of the second sample's shift.

    The interval has at least the confidence 1 - 2 alpha where both have one shape; None where
    there are too few values for any.
    """
    differences = np.sort(np.subtract.outer(np.array(second), np.array(first)).ravel())
    sizes = (len(first), len(second))
    cut = _critical(sizes, alpha)
    if cut == 0:
        return None
    count = len(differences)
    estimate = (differences[(count - 1) // 2] + differences[count // 2]) / 2
    # Ties count against both alternatives, so that the tests stay within their level.
    below = int(np.count_nonzero(differences <= -margin))
    above = int(np.count_nonzero(differences >= margin))
    p = max(probability(below, sizes), probability(above, sizes))
    return float(estimate), float(differences[cut - 1]), float(differences[count - cut]), p


def probability(statistic: int, sizes: tuple[int, int]) -> float:
    """Return how likely a Mann-Whitney statistic is at most so large."""
    if max(sizes) <= EXACT_MAX:
        return float(_distribution(sizes)[statistic])
    # With the correction for continuity; Lehmann (1975).
    middle, deviation = _moments(sizes)
    return float(special.ndtr((statistic + 0.5 - middle) / deviation))


def _critical(sizes: tuple[int, int], alpha: float) -> int:
    """Return which difference, counted from each end, bounds the interval; 0 where none does."""
    if max(sizes) <= EXACT_MAX:
        return int(np.searchsorted(_distribution(sizes), alpha, side="right"))
    middle, deviation = _moments(sizes)
    return max(0, math.floor(middle - 0.5 + float(special.ndtri(alpha)) * deviation) + 1)


def _moments(sizes: tuple[int, int]) -> tuple[float, float]:
    m, n = sizes
    return m * n / 2, math.sqrt(m * n * (m + n + 1) / 12)


@lru_cache(maxsize=64)
def _distribution(sizes: tuple[int, int]) -> Array:
    """Return the cumulated distribution of the statistic without ties (Mann and Whitney, 1947).

    The counts are the coefficients of the Gaussian binomial; whole numbers, exact.
    """
    m, n = min(sizes), max(sizes)
    counts = [1] + [0] * (m * n)
    for factor in range(1, m + 1):
        for at in range(m * n, n + factor - 1, -1):
            counts[at] -= counts[at - n - factor]
        for at in range(factor, m * n + 1):
            counts[at] += counts[at - factor]
    total = math.comb(m + n, m)
    return np.array([float(sum_) for sum_ in _cumulated(counts)]) / float(total)


def _cumulated(counts: Sequence[int]) -> list[int]:
    found, running = [], 0
    for one in counts:
        running += one
        found.append(running)
    return found
