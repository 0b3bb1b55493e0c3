"""Windows and rights: whether a union of intervals covers the time in which a part was built."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from guildmark.domain.storage import IntervalWord


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
    for interval in sorted(intervals, key=lambda each: each.since):
        open_ended = interval.until == 0
        if interval.since <= window.end and (open_ended or interval.until > window.begin):
            touched = True
        if interval.since <= reached and (open_ended or interval.until > window.end):
            return Cover.FULL
        if interval.since <= reached < interval.until:
            reached = interval.until
    return Cover.PART if touched else Cover.NONE
