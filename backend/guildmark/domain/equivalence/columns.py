"""Readings as columns: a series a site and characteristic, in one order whatever came first."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from guildmark.domain.encoding.strictjson import INTEGER_MAX
from guildmark.domain.equivalence import numbers
from guildmark.domain.equivalence.dataset import Dataset
from guildmark.domain.equivalence.plan import EquivalencePlan, Replication, Transformation
from guildmark.domain.errors import UsageError
from guildmark.domain.measurement.readings import Reading
from guildmark.domain.recipes.clause import ClausePath

Array: TypeAlias = Any
"""An array of numpy's."""

DIGITS_MAX = 15
"""More significant digits than a double holds exactly are no measurement."""

_DIGITS = re.compile(r"([0-9]+)")
_NO_RAW = -1


class ForeignSiteError(UsageError):
    """Readings of a site that the plan does not name."""

    code = "equivalence.foreignSite"
    hint = "Give the data of the plan's sites alone; another site needs another plan."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """One site's values of one characteristic, by replicate and part.

    Args:
        values: Whole numbers in units of 10 to the power of minus ``places``.
        starts: Where each replicate begins.
        parts: The part of each value, as a number of the table.
        raws: The raw file of each value, as a number of the table, -1 where there is none.
        instruments: What measured them.
        units: What they are given in.
    """

    values: Array
    places: int
    starts: Array
    parts: Array
    raws: Array
    instruments: frozenset[str]
    units: frozenset[str]

    @property
    def numbers(self) -> Array:
        """Return the values as doubles, each rounded once."""
        return self.values / 10.0**self.places


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All series of a plan, and the names behind the numbers in them."""

    series: Mapping[tuple[str, ClausePath], Series]
    part_names: Sequence[str]
    excess: Mapping[tuple[str, ClausePath], str]
    """A value with more digits than can be computed with, where a series would have one."""
    placed_twice: Mapping[str, str]
    """A part that is in two builds or in two sites, by each of its sites."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What gates need to know of a series.

    Args:
        means: The mean of each replicate, in order.
        mean: Their mean, each replicate counting once.
        variance: The variance between them.
        sizes: How many parts each has.
        squares: The square of each value's distance from the mean of its replicate.
        within: The sum of these.
        numbers: All values, transformed as the plan says.
    """

    means: Sequence[float]
    mean: float
    variance: float
    sizes: Array
    squares: Array
    within: float
    numbers: Array

    @property
    def replicates(self) -> int:
        """Return how many independent replicates there are."""
        return len(self.means)

    @property
    def error(self) -> float:
        """Return the standard error of the mean."""
        return math.sqrt(self.variance / self.replicates)

    @property
    def starts(self) -> Array:
        """Return where each replicate begins."""
        return np.cumsum(self.sizes) - self.sizes


def table(plan: EquivalencePlan, dataset: Dataset) -> Table:
    """Return readings as columns.

    Raises:
        ForeignSiteError: A reading is of a site that the plan does not name.
    """
    foreign = {one.site for one in dataset.readings} - set(plan.all_sites)
    if foreign:
        name = min(foreign)
        message = f"The data holds readings of {name[:80]}, which the plan does not name."
        raise ForeignSiteError(message, site=name[:80])
    parts, raws = _numbered(dataset.readings)
    grouped: dict[tuple[str, ClausePath], list[Reading]] = defaultdict(list)
    for one in dataset.readings:
        grouped[one.site, one.characteristic].append(one)
    excess = {key: bad for key, found in grouped.items() if (bad := _excess(found)) is not None}
    series = {
        key: _series(sorted(found, key=_order(plan.replication)), plan, parts, raws)
        for key, found in grouped.items()
        if key not in excess
    }
    return Table(
        series=series,
        part_names=tuple(parts),
        excess=excess,
        placed_twice=_placed_twice(dataset.readings),
    )


def summary(series: Series, transformation: Transformation) -> Summary:
    """Return what gates need to know of a series of at least two replicates."""
    sizes: Array = np.diff(np.append(series.starts, len(series.values)))
    if transformation is Transformation.LOG:
        values = np.log(series.numbers)
        means = _means(values, series.starts)
    else:
        values = series.numbers
        means = _exact_means(series, sizes)
    mean = numbers.mean(means)
    squares = (values - np.repeat(means, sizes)) ** 2
    return Summary(
        means=means,
        mean=mean,
        variance=numbers.variance(means, mean),
        sizes=sizes,
        squares=squares,
        within=math.fsum(squares.tolist()),
        numbers=values,
    )


def distinct(codes: Array) -> int:
    """Return how many different numbers there are; mostly they ascend."""
    if (codes[1:] > codes[:-1]).all():
        return len(codes)
    return len(np.unique(codes))


def sums(values: Array, starts: Array) -> list[float]:
    """Return the sum of each replicate's values."""
    listed = values.tolist()
    ends = [*starts.tolist(), len(listed)]
    return [math.fsum(listed[start:end]) for start, end in pairwise(ends)]


def _means(values: Array, starts: Array) -> list[float]:
    sizes: Array = np.diff(np.append(starts, len(values)))
    listed: list[float] = (np.array(sums(values, starts)) / sizes).tolist()
    return listed


def _exact_means(series: Series, sizes: Array) -> list[float]:
    """Return means from sums of whole numbers, where these are as exact as doubles."""
    largest = int(max(series.values.max(), -series.values.min())) * int(sizes.max())
    if largest > INTEGER_MAX:
        return _means(series.numbers, series.starts)
    whole = np.add.reduceat(series.values, series.starts)
    listed: list[float] = (whole / (sizes * 10.0**series.places)).tolist()
    return listed


@lru_cache(maxsize=1 << 16)
def natural(text: str) -> tuple[tuple[int, int | str], ...]:
    """Return what sorts names as people count: build 9 before build 10."""
    pieces = _DIGITS.split(text)
    return tuple((0, int(one)) if one.isdigit() else (1, one) for one in pieces if one)


def replicate(reading: Reading, replication: Replication) -> str:
    """Return the name of the replicate that a reading belongs to."""
    if replication is Replication.PART:
        return reading.part
    if replication is Replication.BUILD:
        return reading.build
    return reading.lot or ""


def _order(replication: Replication) -> Any:
    def key(one: Reading) -> tuple[Any, ...]:
        raw = b"" if one.raw is None else one.raw
        return (natural(replicate(one, replication)), natural(one.part), one.value, raw)

    return key


def _numbered(readings: Iterable[Reading]) -> tuple[dict[str, int], dict[bytes, int]]:
    """Return numbers for parts and raw files, the same for the same set of readings."""
    parts = sorted({one.part for one in readings}, key=lambda name: (natural(name), name))
    raws = sorted({one.raw for one in readings if one.raw is not None})
    return ({name: at for at, name in enumerate(parts)}, {raw: at for at, raw in enumerate(raws)})


def _excess(readings: Iterable[Reading]) -> str | None:
    """Return a value that has more digits than a double holds, the first in order."""
    found = sorted(str(one.value)[:40] for one in readings if not _is_measurable(one))
    return found[0] if found else None


def _is_measurable(one: Reading) -> bool:
    behind = max(0, -int(one.value.as_tuple().exponent))
    # The part before the point and all places behind it are digits to be kept.
    return behind <= DIGITS_MAX and one.value.adjusted() + 1 + behind <= DIGITS_MAX


def _series(
    readings: Sequence[Reading],
    plan: EquivalencePlan,
    parts: Mapping[str, int],
    raws: Mapping[bytes, int],
) -> Series:
    places = max(0, *(-int(one.value.as_tuple().exponent) for one in readings))
    named = [replicate(one, plan.replication) for one in readings]
    starts = [at for at, name in enumerate(named) if at == 0 or named[at - 1] != name]
    return Series(
        values=np.array([int(one.value.scaleb(places)) for one in readings], dtype=np.int64),
        places=places,
        starts=np.array(starts),
        parts=np.array([parts[one.part] for one in readings]),
        raws=np.array([_NO_RAW if one.raw is None else raws[one.raw] for one in readings]),
        instruments=frozenset(one.instrument for one in readings),
        units=frozenset(one.unit for one in readings),
    )


def _placed_twice(readings: Iterable[Reading]) -> Mapping[str, str]:
    """Return, by site, a part that is said to be of two builds or two sites."""
    places: dict[str, set[tuple[str, str, str]]] = defaultdict(set)
    for one in readings:
        places[one.part].add((one.site, one.build, one.lot or ""))
    doubled = {part: found for part, found in places.items() if len(found) > 1}
    return {site: part for part in sorted(doubled, reverse=True) for site, *_ in doubled[part]}
