"""Data that was copied: one raw file for two parts, or equal values far beyond what chance gives.

Equal values are no crime where an instrument resolves little: what is held against the number of
coincidences is the number that chance would give (Poisson), from the values' own density.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import numpy as np
from scipy import special

from guildmark.domain.equivalence import numbers
from guildmark.domain.equivalence.columns import Array, Series, Table
from guildmark.domain.equivalence.plan import EquivalencePlan, Kind
from guildmark.domain.recipes.clause import ClausePath

CHANCE = 1e-6
"""What is less likely than this is not taken for chance."""

_MIXER = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
_LEAST_BLOCK = 2
# Values within a quarter of the standard deviation count as near each other.
_NEAR = 0.25


def found(plan: EquivalencePlan, table: Table) -> Iterator[tuple[str, str]]:
    """Yield the sites with copied data, each with the reason."""
    yield from _shared_files(table)
    yield from _equal_parts(plan, table)
    for wanted in plan.characteristics:
        owned = [(site, table.series.get((site, wanted.path))) for site in plan.all_sites]
        series = [(site, one) for site, one in owned if one is not None]
        yield from _equal_blocks(series, wanted.path)


def _shared_files(table: Table) -> Iterator[tuple[str, str]]:
    """Yield the sites of parts that share a raw file."""
    count = len(table.part_names)
    owners: dict[int, str] = {}
    pairs: list[Array] = []
    by_site = groupby(sorted(table.series, key=str), key=lambda key: key[0])
    for site, keys in by_site:
        before: Array = None
        for key in keys:
            series = table.series[key]
            named = series.raws >= 0
            now = series.raws[named] * count + series.parts[named]
            # One file mostly holds all of a part: then the pairs are those of before.
            if before is None or not np.array_equal(before, now):
                pairs.append(now)
                owners.update(dict.fromkeys(np.unique(series.parts).tolist(), site))
            before = now
    if not pairs:
        return
    every = np.unique(np.concatenate(pairs))
    raws, parts = every // count, every % count
    for at in np.flatnonzero(raws[1:] == raws[:-1]).tolist():
        doubled = (int(parts[at]), int(parts[at + 1]))
        first, second = (table.part_names[part] for part in doubled)
        for site in sorted({owners[part] for part in doubled}):
            yield site, f"The parts {first} and {second} have one and the same raw data."


def _equal_parts(plan: EquivalencePlan, table: Table) -> Iterator[tuple[str, str]]:
    """Yield the sites of parts that are equal in all characteristics, where chance is no reason."""
    paths = [one.path for one in plan.characteristics if one.kind is Kind.PART]
    rows, parts, sites = _matrix(plan, table, paths)
    if len(rows) < _LEAST_BLOCK:
        return
    groups = _alike(rows)
    observed = sum(len(group) - 1 for group in groups)
    if not observed or not _is_copied(observed, len(rows), _part_odds(rows)):
        return
    for group in groups:
        first, second = (table.part_names[int(parts[at])] for at in group[:2])
        for site in sorted({sites[at] for at in group}):
            yield site, f"The values of part {second} are those of part {first}."


def _equal_blocks(
    series: Sequence[tuple[str, Series]], path: ClausePath
) -> Iterator[tuple[str, str]]:
    """Yield sites with whole sets of values that others have, too, maybe shifted or shuffled."""
    if not series:
        return
    places = max(one.places for _, one in series)
    values = np.concatenate([one.numbers for _, one in series])
    builds = [(site, rows) for site, one in series for rows in _builds(one)]
    whole = [(site, one.numbers.reshape(1, -1)) for site, one in series]
    sized = sorted(builds, key=_width)
    for width, same in groupby(sized, key=_width):
        if width >= _LEAST_BLOCK:
            yield from _equal_sets(list(same), places, _deviation_odds, f"build ({path})")

    def odds(rows: Array) -> float:
        # Any order of a site's values counts.
        size = int(rows.shape[1])
        return math.lgamma(size + 1) + (size - 1) * _odds(values)

    for _, same in groupby(sorted(whole, key=_width), key=_width):
        yield from _equal_sets(list(same), places, odds, f"site ({path})")


def _width(block: tuple[str, Array]) -> int:
    return int(block[1].shape[1])


def _equal_sets(
    blocks: list[tuple[str, Array]], places: int, odds: Callable[[Array], float], named: str
) -> Iterator[tuple[str, str]]:
    sites = [site for site, rows in blocks for _ in rows]
    rows = np.sort(np.concatenate([rows for _, rows in blocks]), axis=1)
    rows = np.rint((rows - rows[:, :1]) * 10.0**places)
    groups = _alike(rows)
    observed = sum(len(group) - 1 for group in groups)
    if observed and _is_copied(observed, len(rows), odds(rows)):
        for site in sorted({sites[at] for group in groups for at in group}):
            yield site, f"The values of one {named} are another's, maybe shifted or reordered."


def _deviation_odds(rows: Array) -> float:
    """Return the logarithm of the chance that two builds deviate alike from their least parts."""
    return _part_odds(rows[:, 1:])


def _builds(series: Series) -> Iterator[Array]:
    """Yield the values of the replicates, a row each, those of one size together."""
    sizes: Array = np.diff(np.append(series.starts, len(series.values)))
    if (sizes == sizes[0]).all():
        yield series.numbers.reshape(-1, int(sizes[0]))
        return
    for size in np.unique(sizes).tolist():
        places = series.starts[sizes == size][:, None] + np.arange(size)
        yield series.numbers[places]


def _matrix(
    plan: EquivalencePlan, table: Table, paths: Sequence[ClausePath]
) -> tuple[Array, Array, list[str]]:
    """Return a row a part that has all characteristics, the parts, and their sites."""
    rows, parts, sites = [], [], []
    for site in plan.all_sites:
        own = [table.series.get((site, path)) for path in paths]
        present = [one for one in own if one is not None]
        if not paths or len(present) != len(paths):
            continue
        orders = [np.argsort(one.parts, kind="stable") for one in present]
        first = present[0].parts[orders[0]]
        pairs = list(zip(present, orders, strict=True))
        if all(np.array_equal(one.parts[order], first) for one, order in pairs):
            rows.append(np.stack([one.numbers[order] for one, order in pairs], axis=1))
            parts.append(first)
            sites += [site] * len(first)
    if not rows:
        return np.empty((0, 0)), np.empty(0), sites
    return np.concatenate(rows), np.concatenate(parts), sites


def _alike(rows: Array) -> list[list[int]]:
    """Return the groups of equal rows, as places, each group and all of them ascending."""
    # Minus zero has other bits than zero, and is the same value.
    keys = _mixed((rows + 0.0).view(np.uint64))
    order = np.argsort(keys, kind="stable")
    ends: Array = np.flatnonzero(np.diff(keys[order]) != 0) + 1
    runs = np.split(order, ends) if len(ends) + 1 < len(order) else []
    groups: list[list[int]] = []
    for run in runs:
        if len(run) >= _LEAST_BLOCK:
            groups += _equal_rows(rows, run.tolist())
    return sorted(groups)


def _equal_rows(rows: Array, places: list[int]) -> list[list[int]]:
    """Return those of some rows that are equal indeed, whatever their keys say."""
    found: dict[bytes, list[int]] = {}
    for at in places:
        found.setdefault((rows[at] + 0.0).tobytes(), []).append(at)
    return [group for group in found.values() if len(group) >= _LEAST_BLOCK]


def _mixed(rows: Array) -> Array:
    """Return one number a row, mostly different where rows are."""
    keys: Array = np.zeros(len(rows), dtype=np.uint64)
    for column in rows.T:
        keys = (keys ^ column) * _MIXER
        keys ^= keys >> _SHIFT
    return keys


def _odds(values: Array) -> float:
    """Return the logarithm of the chance that two values are equal.

    Of the values that are near each other, by how many steps of the instrument they could differ:
    copies themselves hardly change that, however many they are.
    """
    ordered = np.sort(values)
    steps = np.diff(ordered)
    if not steps.any():
        return 0.0
    step = float(steps[steps > 0].min())
    near = max(step, _NEAR * float(np.std(ordered)))
    above = np.searchsorted(ordered, ordered + near * (1 + numbers.TINY), side="right")
    below = np.searchsorted(ordered, ordered - near * (1 + numbers.TINY), side="left")
    share = float((above - below).sum()) / len(ordered) ** 2
    return math.log(share * step / (2 * near + step))


def _part_odds(rows: Array) -> float:
    """Return the logarithm of the chance that two parts are equal.

    Characteristics of one part go together: only the half of them that says least is counted.
    """
    odds = sorted((_odds(column) for column in rows.T), reverse=True)
    return math.fsum(odds[: (len(odds) + 1) // 2])


def _is_copied(observed: int, count: int, odds: float) -> bool:
    expected = count * (count - 1) / 2 * math.exp(min(odds, 0.0))
    return bool(special.gammainc(observed, expected) < CHANCE)
