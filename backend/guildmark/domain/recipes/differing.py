"""How a recipe differs from the one that it supersedes, clause by clause, and what that means.

The rules are tried in their order, the first that fits decides; the greatest change of any clause
is that of the recipe. `RULES` is what the published schema shows under ``changeRules``.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from guildmark.domain.errors import NonconformingError
from guildmark.domain.identifiers import Digest
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClauseType
from guildmark.domain.recipes.clauses import DisclosedClauses
from guildmark.domain.recipes.quantity import kind_of, worth
from guildmark.domain.recipes.recipe import Change

_FREE = frozenset({ClauseClass.CUSTOM, ClauseClass.SITE})


class ChangeUnderstatedError(NonconformingError):
    """A recipe changes more than its publisher says."""

    code = "recipe.changeUnderstated"
    hint = (
        "Name the greater kind of change, which `guildmark recipe diff` tells clause by clause; or"
        " let two sign for less: `guildmark recipe override`."
    )


class Kind(Enum):
    """What happened to a clause."""

    SPELLING = "the same, written otherwise"
    FREE = "free at each site, or chosen for each unit"
    CRITICALITY = "nothing but its criticality"
    NARROWED = "admits less than before"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "admits something else than before"


RULES: Mapping[Kind, Change] = {
    Kind.SPELLING: Change.EDITORIAL,
    Kind.FREE: Change.MINOR,
    Kind.CRITICALITY: Change.MINOR,
    Kind.NARROWED: Change.MINOR,
    Kind.ADDED: Change.REQUALIFY,
    Kind.REMOVED: Change.REQUALIFY,
    Kind.CHANGED: Change.REQUALIFY,
}
"""What each means for who builds by the old recipe, in the order in which they are tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One clause that is not as it was.

    Args:
        path: The clause.
        kind: What happened to it.
        before: The clause in the older recipe, none where it is new.
        after: The clause in the newer recipe, none where it is gone.
    """

    path: str
    kind: Kind
    before: Clause | None
    after: Clause | None

    @property
    def change(self) -> Change:
        """Return what the rules make of it."""
        return RULES[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """What the rules make of a change, as far as both recipes are shown.

    Args:
        least: What they make of the clauses that are shown.
        is_known: Whether no clause that is not shown can make it more.
    """

    least: Change
    is_known: bool


def differences(before: Sequence[Clause], after: Sequence[Clause]) -> Iterator[Difference]:
    """Yield the clauses that differ, in the order of their paths; salts do not count."""
    old, new = ({clause.path: clause for clause in clauses} for clauses in (before, after))
    for path in sorted({*old, *new}):
        kind = _kind(old.get(path), new.get(path))
        if kind is not None:
            yield Difference(path=path, kind=kind, before=old.get(path), after=new.get(path))


def change_of(found: Sequence[Difference]) -> Change:
    """Return the kind of change that the differences make together."""
    return max((one.change for one in found), default=Change.EDITORIAL)


def ruled(before: DisclosedClauses, after: DisclosedClauses) -> Ruled:
    """Return what the rules make of a change between recipes that may hide clauses.

    Equal leaves are equal clauses, shown or not.
    """
    gone, unseen = _unlike(before, frozenset(after.leaves))
    come, unseen_now = _unlike(after, frozenset(before.leaves))
    # A clause that one recipe lacks may stand behind a leaf that the other does not show.
    paths = {
        path
        for path in {*gone, *come}
        if (path in gone or not unseen) and (path in come or not unseen_now)
    }
    kinds = (_kind(gone.get(path), come.get(path)) for path in paths)
    least = max((RULES[kind] for kind in kinds if kind is not None), default=Change.EDITORIAL)
    return Ruled(least=least, is_known=not (unseen or unseen_now) or least is Change.REQUALIFY)


def check_stated(stated: Change, found: Sequence[Difference]) -> None:
    """Check that a publisher does not say less than the rules do.

    Raises:
        ChangeUnderstatedError: A clause changes more; the first is named.
    """
    worst = change_of(found)
    if stated < worst:
        first = next(one for one in found if one.change is worst)
        message = (
            f"The change is said to be {stated.name.lower()}, but {first.path} makes it "
            f"{worst.name.lower()}: {first.kind.value}."
        )
        raise ChangeUnderstatedError(
            message, path=first.path, found=stated.name.lower(), expected=worst.name.lower()
        )


def in_words(clause: Clause | None) -> str | None:
    """Return what a clause asks for in one line, none where there is no clause."""
    if clause is None:
        return None
    shown: Mapping[str, str | None] = {
        "": clause.value,
        "from ": clause.minimum,
        "to ": clause.maximum,
        "in ": clause.unit,
    }
    said = [word + text for word, text in shown.items() if text is not None]
    return " ".join((clause.klass.name.lower(), *said))


def _unlike(
    clauses: DisclosedClauses, others: Collection[Digest]
) -> tuple[Mapping[str, Clause], int]:
    """Return the shown clauses whose leaves another recipe lacks, and how many are not shown."""
    unlike = [at for at, leaf in enumerate(clauses.leaves) if leaf not in others]
    opened = clauses.opened
    shown: dict[str, Clause] = {opened[at].path: opened[at] for at in unlike if at in opened}
    return shown, sum(at not in opened for at in unlike)


def _kind(before: Clause | None, after: Clause | None) -> Kind | None:
    if before is None or after is None:
        present = before or after
        is_free = present is not None and present.klass in _FREE
        only = Kind.REMOVED if after is None else Kind.ADDED
        return Kind.FREE if is_free else only
    if replace(after, salt=before.salt) == before:
        return None
    return _kind_of_both(before, after)


def _kind_of_both(before: Clause, after: Clause) -> Kind:
    if _meaning(before) == _meaning(after):
        return Kind.SPELLING
    if before.klass is not after.klass:
        return Kind.CHANGED
    if before.klass in _FREE:
        return Kind.FREE
    if _meaning(before)[1:] == _meaning(after)[1:]:
        return Kind.CRITICALITY
    return Kind.NARROWED if after.narrows(before) else Kind.CHANGED


def _meaning(clause: Clause) -> tuple[object, ...]:
    """Return what a clause says, its criticality first, numbers by their worth."""
    texts = (clause.value, clause.minimum, clause.maximum)
    if clause.type is ClauseType.TEXT or clause.unit is None:
        said = tuple(None if text is None else " ".join(text.split()) for text in texts)
        return clause.criticality, clause.klass, clause.type, said
    unit = clause.unit
    numbers = tuple(None if text is None else worth(text, unit) for text in texts)
    return clause.criticality, clause.klass, kind_of(unit), numbers
