"""Sums that no order and no machine changes, and comparisons that leave no verdict to a rounding.

Only elementwise operations of numpy are used: sums are `math.fsum`, which is exact before its
one rounding, so that neither the order of the data nor a library's threads can be seen in them.
"""

import math
from collections.abc import Sequence
from enum import IntEnum

TINY = 1e-9
"""A value that is nearer to its bound, in parts of the bound, is on neither side of it."""


class Side(IntEnum):
    """Where a value is, seen from a bound."""

    BELOW = -1
    AT = 0
    ABOVE = 1


def side(value: float, bound: float) -> Side:
    """Return on which side of a bound a value clearly is."""
    if abs(value - bound) <= TINY * abs(bound):
        return Side.AT
    return Side.ABOVE if value > bound else Side.BELOW


def mean(values: Sequence[float]) -> float:
    """Return the arithmetic mean."""
    return math.fsum(values) / len(values)


def variance(values: Sequence[float], around: float) -> float:
    """Return the unbiased variance of values around their mean."""
    return math.fsum([(value - around) ** 2 for value in values]) / (len(values) - 1)
