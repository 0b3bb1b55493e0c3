"""Windows and rights: whether a union of intervals covers the time in which a part was built."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from guildmark.domain.chain.storage import IntervalWord

_FOREVER = 2**40


class Cover(Enum):
    """How much of a window a right covers."""

    FULL = "full"
    PART = "part"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The block seconds [begin, end] between beacon and record, both included."""

    begin: int
    end: int


def cover(intervals: Iterable[IntervalWord], window: Window) -> Cover:
    """Return how much of the window the union of the intervals [since, until) covers."""
    reached, touched = window.begin, False
    for interval in sorted(filter(_holds, intervals), key=lambda each: each.since):
        end = interval.until or _FOREVER
        touched = touched or (interval.since <= window.end and end > window.begin)
        if interval.since <= reached:
            reached = max(reached, end)
    if reached > window.end:
        return Cover.FULL
    return Cover.PART if touched else Cover.NONE


def _holds(interval: IntervalWord) -> bool:
    # What ended in the block that began it never held.
    return interval.until == 0 or interval.since < interval.until
