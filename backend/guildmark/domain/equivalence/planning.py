"""What a plan can promise: power, the number of replicates that it needs, operating curves."""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy import special

from guildmark.domain.equivalence.columns import Array
from guildmark.domain.equivalence.plan import LEAST_REPLICATES
from guildmark.domain.errors import UsageError

REPLICATES_MAX = 100_000
_NODES = 200
_EDGE = 1e-14


class PowerUnreachableError(UsageError):
    """A margin that no reasonable number of replicates can resolve."""

    code = "equivalence.powerUnreachable"
    hint = "Widen the margin, ask for less power, or lower the variation between builds."


def power(
    replicates: int,
    *,
    margin: float,
    deviations: tuple[float, float],
    alpha: float,
    difference: float = 0.0,
) -> float:
    """Return how likely two sites are found equivalent in location.

    Args:
        replicates: How many each site has.
        margin: The greatest difference that does not matter.
        deviations: The standard deviation of replicates at each site; for builds of m parts
            the square root of (between builds)^2 + (within)^2 / m.
        alpha: The level of each of the two tests.
        difference: The true difference.

    The integral over the estimated error, which has Satterthwaite's degrees of freedom; the two
    tests are not taken as independent (Owen, 1965).
    """
    first, second = (deviation**2 / replicates for deviation in deviations)
    total = first + second
    degrees = total**2 * (replicates - 1) / (first**2 + second**2)
    error = math.sqrt(total)
    levels, weights = _grid()
    # The estimated over the true error, at equal steps of its probability.
    estimated = np.sqrt(2 * special.gammaincinv(degrees / 2, levels) / degrees)
    half = special.stdtrit(degrees, 1 - alpha) * error * estimated
    room = margin - half
    inside = special.ndtr((room - difference) / error) - special.ndtr((-room - difference) / error)
    return math.fsum((np.where(room > 0, inside, 0.0) * weights).tolist())


def required_replicates(
    *, margin: float, deviations: tuple[float, float], alpha: float, wanted: float
) -> int:
    """Return the least number of replicates a site with the wanted power at no difference.

    Raises:
        PowerUnreachableError: It would be above ``REPLICATES_MAX``.
    """

    def reaches(count: int) -> bool:
        return power(count, margin=margin, deviations=deviations, alpha=alpha) >= wanted

    low, high = LEAST_REPLICATES - 1, LEAST_REPLICATES
    while not reaches(high):
        low, high = high, high * 2
        if high > REPLICATES_MAX:
            message = f"Not even {REPLICATES_MAX} replicates a site reach a power of {wanted}."
            raise PowerUnreachableError(message, margin=margin)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high


def operating_curve(
    replicates: int,
    *,
    margin: float,
    deviations: tuple[float, float],
    alpha: float,
    points: int = 61,
) -> Sequence[tuple[float, float]]:
    """Return how likely EQUIVALENT is, by the true difference from 0 to one and a half margins."""
    steps = [1.5 * margin * at / (points - 1) for at in range(points)]
    return [
        (
            step,
            power(replicates, margin=margin, deviations=deviations, alpha=alpha, difference=step),
        )
        for step in steps
    ]


@cache
def _grid() -> tuple[Array, Array]:
    """Return nodes and weights of Gauss and Legendre on the open interval from 0 to 1."""
    nodes, weights = special.roots_legendre(_NODES)
    return np.clip((nodes + 1) / 2, _EDGE, 1 - _EDGE), weights / 2
