"""Sets in license terms: /terms/<kind>/<n> is one leaf a member; an absent kind means any."""

from collections.abc import Callable
from enum import Enum
from itertools import pairwise

from guildmark.domain.clauses import DisclosedClauses, DisclosureMismatchError
from guildmark.domain.identifiers import ZERO32, Digest
from guildmark.domain.verification.evidence import LicenseDisclosure


class Allowed(Enum):
    """Whether the terms allow a thing, as far as they are shown."""

    YES = "yes"
    NO = "no"
    HIDDEN = "hidden"


def members_of(shown: LicenseDisclosure) -> DisclosedClauses | None:
    """Return what is shown of a license's terms, None where their root says something else."""
    if shown.terms.terms_root == Digest(ZERO32) and not shown.members.leaves:
        return DisclosedClauses(leaves=(), opened={})
    try:
        return shown.members.verify(shown.terms.terms_root)
    except DisclosureMismatchError:
        return None


def allows(members: DisclosedClauses, kind: str, fits: Callable[[str], bool]) -> Allowed:
    """Return whether a member of the kind fits, or the terms name none of that kind."""
    prefix = f"/terms/{kind}/"
    values = [clause.value for clause in members.below(prefix)]
    if any(value is not None and fits(value) for value in values):
        return Allowed.YES
    if may_hide(members, prefix):
        return Allowed.HIDDEN
    return Allowed.NO if values else Allowed.YES


def may_hide(clauses: DisclosedClauses, prefix: str) -> bool:
    """Return whether a leaf that is not shown can have a path below ``prefix``.

    Paths ascend over the leaves, so that a hidden leaf stands between its shown neighbours.
    """
    shown = [(leaf, str(clause.path)) for leaf, clause in clauses.opened.items()]
    fences = [(-1, ""), *shown, (len(clauses.leaves), _BEHIND_ALL)]
    return any(
        right - left > 1 and _begins_before_end(below, prefix) and above > prefix
        for (left, below), (right, above) in pairwise(fences)
    )


_BEHIND_ALL = "\x7f"


def _begins_before_end(path: str, prefix: str) -> bool:
    return path < prefix or path.startswith(prefix)
