"""What is shown of trees: a license's terms, and whether a hidden leaf may stand somewhere."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from guildmark.domain.identifiers import ZERO32, Digest
from guildmark.domain.recipes.clause import Clause
from guildmark.domain.recipes.clauses import DisclosedClauses, DisclosureMismatchError
from guildmark.domain.verification.evidence import LicenseDisclosure

_BEHIND_ALL = "\x7f"


def members_of(shown: LicenseDisclosure) -> DisclosedClauses | None:
    """Return what is shown of a license's terms, None where their root says something else."""
    if shown.terms.terms_root == Digest(ZERO32) and not shown.members.leaves:
        return DisclosedClauses(leaves=(), opened={})
    try:
        return shown.members.verify(shown.terms.terms_root)
    except DisclosureMismatchError:
        return None


@dataclass(frozen=True, slots=True)
class Shown:
    """The shown clauses of a tree by their paths, and where hidden ones may stand.

    Paths ascend over the leaves, so that a hidden leaf stands between its shown neighbours.

    Args:
        by_path: The shown clauses, ascending.
        paths: Their paths, between a path before and one behind all others.
        leaves: The numbers of their leaves, between the one before the first and the one behind
            the last leaf.
    """

    by_path: Mapping[str, Clause]
    paths: Sequence[str]
    leaves: Sequence[int]

    @classmethod
    def of(cls, clauses: DisclosedClauses) -> Self:
        """Return the clauses, ready to be looked up."""
        by_path = {str(clause.path): clause for clause in clauses.opened.values()}
        return cls(
            by_path,
            ("", *by_path, _BEHIND_ALL),
            (-1, *clauses.opened, len(clauses.leaves)),
        )

    def may_hide(self, path: str) -> bool:
        """Return whether a leaf that is not shown can have this path, or one below it."""
        before = bisect_left(self.paths, path) - 1
        behind = bisect_left(self.paths, path + _BEHIND_ALL)
        return self.leaves[behind] - self.leaves[before] > behind - before
