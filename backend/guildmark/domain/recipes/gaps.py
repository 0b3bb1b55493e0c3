"""Where hidden leaves of a tree may stand: paths ascend over its leaves."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

_BEHIND_ALL = "\x7f"


@dataclass(frozen=True, slots=True)
class Gaps:
    """The places of shown leaves; a hidden leaf stands between its shown neighbours.

    Args:
        paths: The shown paths, between a path before and one behind all others.
        leaves: The numbers of their leaves, between the one before the first and the one behind
            the last leaf.
    """

    paths: Sequence[str]
    leaves: Sequence[int]

    @classmethod
    def between(cls, shown: Mapping[int, str], count: int) -> Self:
        """Return the places of shown leaves, by their numbers and ascending, among ``count``."""
        return cls(("", *shown.values(), _BEHIND_ALL), (-1, *shown, count))

    def may_hide(self, path: str) -> bool:
        """Return whether a leaf that is not shown can have this path, or one below it."""
        before = bisect_left(self.paths, path) - 1
        behind = bisect_left(self.paths, path + _BEHIND_ALL)
        return self.leaves[behind] - self.leaves[before] > behind - before
