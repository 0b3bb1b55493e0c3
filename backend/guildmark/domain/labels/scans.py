"""Scans of a label, without who scanned, and when they are too many for one part.

A copied label looks like the original, so that only its use tells: copies are in many hands at
once. What is said here is a note about a label, and never a proof about a part.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

HOUR = 3_600
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Scans of one part in one hour from one network.

    Args:
        hour: When, rounded down to the hour, in seconds.
        country: The country that a proxy states, two letters; empty where none does.
        network: A token of the network that nobody can compare beyond a day or across parts.
        count: How many scans.
    """

    hour: int
    country: str = ""
    network: str
    count: int = 1

    @property
    def day(self) -> int:
        """Return the number of the day (UTC)."""
        return self.hour // DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanHistory:
    """What a node counted of one part's label.

    Args:
        first: The hour of the first scan; it outlives the scans themselves.
        count: How many scans there were in all.
        scans: What is kept of them.
    """

    first: int
    count: int
    scans: tuple[Scan, ...] = ()


class Reason(StrEnum):
    """Why a label may have been copied."""

    APART = "apart"
    """It was scanned in two countries in one hour."""
    SPREAD = "spread"
    """It was scanned in too many countries since its first scan."""
    BURST = "burst"
    """It was scanned from too many networks on one day."""
    MANY = "many"
    """It was scanned on too many days from too many networks since its first scan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How often one genuine part is scanned: in visits, each one network on one day.

    Visits of one part follow a negative binomial distribution: each owner scans at random, at a
    rate of his own, and the rates of many owners follow a gamma distribution (A. S. C. Ehrenberg,
    "The Pattern of Consumer Purchases", Applied Statistics 8, 1959, 26-41).

    Args:
        early: Mean visits around handing over.
        per_day: Mean visits of each day behind.
        on_a_day: Mean visits on a day on which there is one.
        abroad: Which share of visits comes from another country than most.
        shape: The gamma distribution's shape k; the smaller it is, the more the owners differ.
        chance: How rarely a genuine part may reach a count before its label is noted.
    """

    early: float = 3.0
    per_day: float = 0.02
    on_a_day: float = 1.0
    abroad: float = 0.03
    shape: float = 1.0
    chance: float = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """That a label may have been copied: why, and how many were counted."""

    reason: Reason
    count: int


HABITS = Habits()
"""What pages judge by."""


def suspicions(history: ScanHistory, now: int, habits: Habits = HABITS) -> tuple[Suspicion, ...]:
    """Return why a label may have been copied, nothing where its scans are those of one part.

    ``apart``: scans of one hour state two countries. ``burst``: the visits of one day, at most,
    are so many that a genuine part has them with less than ``chance``. ``many``: so are all
    visits since the first one that is kept. ``spread``: so are the countries beyond one, of which
    there are no more than visits from abroad.
    """
    return tuple(_suspicions(history.scans, now, habits))


def _suspicions(scans: Sequence[Scan], now: int, habits: Habits) -> Iterator[Suspicion]:
    if not scans:
        return
    apart = _countries_at_once(scans)
    if apart > 1:
        yield Suspicion(reason=Reason.APART, count=apart)
    # A part's country may change within a day while the network's token stays; it is one visit.
    visits = {(scan.day, scan.network) for scan in scans}
    (_, burst), *_ = Counter(day for day, _ in visits).most_common(1)
    if at_least(burst, habits.on_a_day, habits.shape) < habits.chance:
        yield Suspicion(reason=Reason.BURST, count=burst)
    days = max(0, now - min(scan.hour for scan in scans)) / DAY
    mean = habits.early + habits.per_day * days
    if at_least(len(visits), mean, habits.shape) < habits.chance:
        yield Suspicion(reason=Reason.MANY, count=len(visits))
    countries = {scan.country for scan in scans if scan.country}
    if at_least(len(countries) - 1, habits.abroad * mean, habits.shape) < habits.chance:
        yield Suspicion(reason=Reason.SPREAD, count=len(countries))


def _countries_at_once(scans: Sequence[Scan]) -> int:
    """Return in how many countries scans of one hour were, at most."""
    stated = {(scan.hour, scan.country) for scan in scans if scan.country}
    return max(Counter(hour for hour, _ in stated).values(), default=0)


def at_least(count: int, mean: float, shape: float) -> float:
    """Return the chance of ``count`` or more under a negative binomial distribution.

    P(X = i) = G(k+i) / (G(k) i!) (k/(k+m))^k (m/(k+m))^i, with mean m, shape k and G the gamma
    function; the tail is one minus the sum below ``count``.
    """
    log_failing = math.log(mean / (shape + mean))
    log_none = shape * math.log(shape / (shape + mean))
    below = math.fsum(
        math.exp(
            math.lgamma(shape + i)
            - math.lgamma(shape)
            - math.lgamma(i + 1)
            + log_none
            + i * log_failing
        )
        for i in range(count)
    )
    return max(0.0, 1.0 - below)
