"""Simulated copies of labels: `build/clones.json`, recall and precision of the scan rules.

10,000 labels, 1 in 100 of them copied onto 20 parts, a year of scans. LABELS= and SEED= take other
numbers. People do not scan as the rules assume: the rates here are lognormal, some people travel,
some come through another country's network, and some parts are shown at fairs.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import reports
from guildmark.domain.labels.scans import DAY, HOUR, Scan, ScanHistory, suspicions

LABELS, COPIED, COPIES = 10_000, 0.01, 20
SHARES = (0.05, 0.1, 0.25, 0.5, 1.0)
"""Which shares of those who have a copy scan it at all."""

_YEAR = 365
_SEED = 1
_HOME = "AA"
_ABROAD = ("BB", "CC", "DD", "EE", "FF", "GG", "HH", "JJ", "KK")


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """How people scan; rates are medians of lognormal distributions.

    Args:
        early: Scans in the two weeks behind handing over.
        per_day: Scans of each day behind.
        spread: The standard deviation of the rates' logarithms.
        away: How often a scan comes from another country than the part's.
        shown: Which share of parts is shown at a fair: 40 visitors scan in five days.
        markets: In how many countries copies are sold.
    """

    early: float = 2.0
    per_day: float = 0.01
    spread: float = 0.8
    away: float = 0.02
    shown: float = 0.001
    markets: int = 5


PEOPLE = People()


def main() -> None:
    """Write and print the rows."""
    labels = int(os.environ.get("LABELS", str(LABELS)))
    seed = int(os.environ.get("SEED", str(_SEED)))
    rows = [row(share, labels, seed) for share in SHARES]
    reports.write_rows("clones", rows)
    for found in rows:
        print(
            f"{found['share']:4.0%} of the copies scanned: recall {found['recall']:.3f}, "
            f"precision {found['precision']:.3f} ({found['found']} of {found['copied']} copied "
            f"labels noted, {found['wrong']} of {found['labels'] - found['copied']} others), "
            f"seed {seed}"
        )


def row(share: float, labels: int, seed: int, people: People = PEOPLE) -> dict[str, Any]:
    """Return how the rules do where a share of those who have a copy scans it.

    Args:
        share: Of the copies.
        labels: How many labels there are, of which 1 in 100 is copied.
        seed: Of the random numbers.
        people: How they scan.
    """
    random = np.random.default_rng([seed, int(share * 1_000)])
    copied = round(labels * COPIED)
    noted = [_is_noted(random, number < copied, share, people) for number in range(labels)]
    found, wrong = sum(noted[:copied]), sum(noted[copied:])
    return {
        "share": share,
        "labels": labels,
        "copied": copied,
        "copies": COPIES,
        "found": found,
        "wrong": wrong,
        "recall": found / copied,
        "precision": found / (found + wrong) if found + wrong else 1.0,
        "seed": seed,
    }


def _is_noted(random: np.random.Generator, is_copied: bool, share: float, people: People) -> bool:
    begin = int(random.integers(0, _YEAR)) * DAY
    scans = list(_of_owner(random, begin, 0, _HOME, people))
    if random.random() < people.shown:
        scans += _at_fair(random, begin)
    if is_copied:
        scans += _of_copies(random, begin, share, people)
    if not scans:
        return False
    history = ScanHistory(first=min(one.hour for one in scans), count=len(scans), scans=(*scans,))
    return bool(suspicions(history, _YEAR * DAY))


def _of_copies(
    random: np.random.Generator, begin: int, share: float, people: People
) -> Iterator[Scan]:
    markets = random.choice(_ABROAD, people.markets, replace=False)
    for copy in range(1, COPIES + 1):
        if random.random() < share:
            sold = int(random.integers(begin // DAY, _YEAR)) * DAY
            yield from _of_owner(random, sold, copy, str(random.choice(markets)), people)


def _of_owner(
    random: np.random.Generator, begin: int, owner: int, country: str, people: People
) -> Iterator[Scan]:
    """Yield the scans by one owner of a part, from two networks, until the year's end."""
    early = random.lognormal(np.log(people.early), people.spread)
    rate = random.lognormal(np.log(people.per_day), people.spread)
    days = _YEAR - begin // DAY
    soon = random.uniform(0, min(14, days), random.poisson(early))
    late = random.uniform(0, days, random.poisson(rate * days))
    for day in (*soon, *late):
        hour = (begin + int(day * DAY)) // HOUR * HOUR
        is_away = random.random() < people.away
        stated = str(random.choice(_ABROAD)) if is_away else country
        yield Scan(hour=hour, country=stated, network=f"{owner}.{random.integers(2)}.{is_away}")


def _at_fair(random: np.random.Generator, begin: int) -> Iterator[Scan]:
    for visitor in range(40):
        hour = (begin + int(random.uniform(0, 5 * DAY))) // HOUR * HOUR
        yield Scan(hour=hour, country=_HOME, network=f"fair.{visitor}")


if __name__ == "__main__":
    main()
