"""How what a node takes grows with time and entries, by least squares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import correlation, linear_regression

MEBI = 1 << 20
_HOUR, _MILLION = 3_600.0, 1_000_000
# What a process needs to begin says nothing of how it goes on.
_BEGINNING = 4
_FEWEST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was seen at one moment.

    Args:
        seconds: Since the first build was sent.
        entries: How many builds were acknowledged by then.
        resident: Bytes that each process held in memory, by its name.
        database: Bytes of the database's files.
    """

    seconds: float
    entries: int
    resident: Mapping[str, int]
    database: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A straight line through samples.

    Args:
        slope: In units of what was asked for.
        straightness: The square of the correlation: 1 where all lie on the line.
    """

    slope: float
    straightness: float


def settled(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Return the samples without the first quarter, in which processes fill what they keep."""
    return samples[len(samples) // _BEGINNING :]


def memory_an_hour(samples: Sequence[Sample], process: str) -> Line | None:
    """Return the MiB that a process takes more in an hour; None where too few samples say it."""
    times = [one.seconds / _HOUR for one in settled(samples)]
    return _line(times, [one.resident[process] / MEBI for one in settled(samples)])


def memory_a_million(samples: Sequence[Sample], process: str) -> Line | None:
    """Return the MiB that a process takes more for a million entries."""
    entries = [one.entries / _MILLION for one in settled(samples)]
    return _line(entries, [one.resident[process] / MEBI for one in settled(samples)])


def database_a_million(samples: Sequence[Sample]) -> Line | None:
    """Return the MiB that the database takes for a million entries."""
    entries = [one.entries / _MILLION for one in samples]
    return _line(entries, [one.database / MEBI for one in samples])


def _line(places: Sequence[float], values: Sequence[float]) -> Line | None:
    if len(places) < _FEWEST or len(set(places)) == 1:
        return None
    slope = linear_regression(places, values).slope
    # What never changes lies on a line, too.
    straight = 1.0 if len(set(values)) == 1 else correlation(places, values) ** 2
    return Line(slope=slope, straightness=straight)
