"""What is shown of trees: a license's terms, and whether a hidden leaf may stand somewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from guildmark.domain.identifiers import ZERO32, Digest
from guildmark.domain.recipes.clause import Clause
from guildmark.domain.recipes.clauses import DisclosedClauses, DisclosureMismatchError
from guildmark.domain.recipes.gaps import Gaps
from guildmark.domain.verification.evidence import LicenseDisclosure


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

    Args:
        by_path: The shown clauses, ascending.
        gaps: Their places among all leaves.
    """

    by_path: Mapping[str, Clause]
    gaps: Gaps

    @classmethod
    def of(cls, clauses: DisclosedClauses) -> Self:
        """Return the clauses, ready to be looked up."""
        paths = {at: str(clause.path) for at, clause in clauses.opened.items()}
        by_path = {str(clause.path): clause for clause in clauses.opened.values()}
        return cls(by_path, Gaps.between(paths, len(clauses.leaves)))

    def may_hide(self, path: str) -> bool:
        """Return whether a leaf that is not shown can have this path, or one below it."""
        return self.gaps.may_hide(path)
