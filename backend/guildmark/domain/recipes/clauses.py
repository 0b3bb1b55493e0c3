"""Salted trees of clauses: one root commits to all, each clause can be shown alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import pairwise
from typing import Self

from guildmark.domain.encoding.fields import Fields
from guildmark.domain.encoding.strictjson import JsonObject
from guildmark.domain.errors import ContentError, MalformedError, NotFoundError
from guildmark.domain.identifiers import Digest, digest_from_hex, to_hex
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType, Criticality

CLAUSES_MAX = 4096

_BEHIND_ALL = "\x7f"


class MalformedClauseTreeError(MalformedError):
    """Clauses that are no tree: none, too many, or not in the order of their paths."""

    code = "clause.malformedTree"
    hint = "Give each clause its own path."


class ClauseUnknownError(NotFoundError):
    """A path that no clause has."""

    code = "clause.unknown"


class DisclosureMismatchError(ContentError):
    """A disclosed clause, or the set of leaves, is not what the root commits to."""

    code = "clause.disclosureMismatch"
    hint = "Ask for the clauses that the registered root commits to."


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What somebody shows of a tree: all leaf data in order, and some clauses. Unchecked.

    Args:
        leaves: The data of every leaf.
        opened: The clauses that are shown, by the number of their leaf.
    """

    leaves: tuple[Digest, ...]
    opened: Mapping[int, Clause]
    _verified: dict[Digest, "DisclosedClauses"] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def verify(self, root: Digest) -> "DisclosedClauses":
        """Return the clauses that ``root`` commits to; the answer is kept, since many ask.

        Raises:
            DisclosureMismatchError: The leaves lead to another root, a clause is not its leaf, or
                the clauses are not in the order of their paths.
        """
        if root not in self._verified:
            self._verified[root] = self._committed(root)
        return self._verified[root]

    def _committed(self, root: Digest) -> "DisclosedClauses":
        if not 0 < len(self.leaves) <= CLAUSES_MAX or MerkleTree(self.leaves).root() != root:
            message = f"The leaves that are shown do not lead to {to_hex(root)}."
            raise DisclosureMismatchError(message, root=to_hex(root))
        for number, clause in self.opened.items():
            if not 0 <= number < len(self.leaves) or clause.leaf_data() != self.leaves[number]:
                message = f"The clause {clause.path} is not leaf {number} of the tree."
                raise DisclosureMismatchError(message, path=clause.path, leaf=number)
        ordered = dict(sorted(self.opened.items()))
        if not _ascend(ordered.values()):
            message = "The clauses of the tree are not in the order of their paths."
            raise DisclosureMismatchError(message, root=to_hex(root))
        return DisclosedClauses(leaves=self.leaves, opened=ordered)

    def joined(self, other: Self) -> Self:
        """Return this one with what another disclosure of the same tree opens."""
        return replace(self, opened={**self.opened, **other.opened})

    def to_json(self) -> JsonObject:
        """Return the disclosure as a bundle holds it."""
        return {
            "leaves": [to_hex(leaf) for leaf in self.leaves],
            "opened": [
                {"leaf": number, "clause": clause.to_json()}
                for number, clause in sorted(self.opened.items())
            ],
        }

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the disclosure that a bundle holds.

        Raises:
            DocumentError: A member is missing, unknown or of another type.
            MalformedError: A leaf or a clause is malformed, or a leaf is opened twice.
        """
        opened = fields.objects("opened", _read_opened)
        if len(dict(opened)) != len(opened):
            message = "A leaf is opened twice."
            raise MalformedClauseTreeError(message)
        return cls(leaves=fields.texts("leaves", digest_from_hex), opened=dict(opened))


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosedClauses:
    """Clauses of one tree that its root is known to commit to; made by `Disclosure.verify`."""

    leaves: tuple[Digest, ...]
    opened: Mapping[int, Clause]

    @property
    def is_complete(self) -> bool:
        """Return whether no clause is withheld."""
        return len(self.opened) == len(self.leaves)

    def find(self, path: str) -> Clause | None:
        """Return the clause at a path, None where it is absent or withheld."""
        return next((one for one in self.opened.values() if one.path == path), None)

    def below(self, prefix: str) -> tuple[Clause, ...]:
        """Return the shown clauses whose paths begin with ``prefix``."""
        return tuple(one for one in self.opened.values() if one.path.startswith(prefix))

    def may_hide(self, prefix: str) -> bool:
        """Return whether a clause that is not shown can have a path that begins with ``prefix``.

        Paths ascend over the leaves, so that a hidden leaf stands between its shown neighbours.
        """
        before = [at for at, one in self.opened.items() if one.path < prefix]
        behind = [at for at, one in self.opened.items() if one.path > prefix + _BEHIND_ALL]
        room = min(behind, default=len(self.leaves)) - max(before, default=-1) - 1
        return room > len(self.below(prefix))


class Deviation(Enum):
    """How a site's clause departs from the master's."""

    COUNT = "the number of clauses"
    WITHHELD = "not shown by both"
    PATH = "the path"
    KIND = "class, type, unit or criticality"
    CORE = "a core clause"
    BOUNDS = "outside the bounds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A clause of a site's recipe that is not, or not shown to be, what the master allows."""

    leaf: int
    deviation: Deviation
    path: ClausePath | None = None


def clause_root(clauses: Sequence[Clause]) -> Digest:
    """Return the root that commits to the clauses.

    Raises:
        MalformedClauseTreeError: None, too many, or not in the order of their paths.
    """
    return MerkleTree(_leaves(clauses)).root()


def disclose(clauses: Sequence[Clause], paths: Iterable[str]) -> Disclosure:
    """Return a disclosure of the clauses at ``paths``.

    Raises:
        ClauseUnknownError: No clause has one of the paths.
        MalformedClauseTreeError: The clauses are no tree.
    """
    leaves, wanted = _leaves(clauses), set(paths)
    opened = {at: one for at, one in enumerate(clauses) if one.path in wanted}
    unknown = wanted - {clause.path for clause in opened.values()}
    if unknown:
        message = f"No clause has the path {min(unknown)[:80]!r}."
        raise ClauseUnknownError(message, path=min(unknown)[:80])
    return Disclosure(leaves=leaves, opened=opened)


def disclose_all(clauses: Sequence[Clause]) -> Disclosure:
    """Return a disclosure of every clause.

    Raises:
        MalformedClauseTreeError: The clauses are no tree.
    """
    return disclose(clauses, [clause.path for clause in clauses])


def violations(master: DisclosedClauses, site: DisclosedClauses) -> Iterator[Violation]:
    """Yield, in the order of the leaves, where a site's recipe departs from its master.

    Equal leaves are equal clauses, shown or not. Where leaves differ, both must be shown; the
    site's clause must then be of the same kind, not core, and inside the master's bounds.
    """
    if len(master.leaves) != len(site.leaves):
        shorter = min(len(master.leaves), len(site.leaves))
        yield Violation(leaf=shorter, deviation=Deviation.COUNT)
    for leaf, (theirs, ours) in enumerate(zip(master.leaves, site.leaves, strict=False)):
        if theirs != ours:
            yield from _departs(leaf, master.opened.get(leaf), site.opened.get(leaf))


def compare(master: DisclosedClauses, site: DisclosedClauses) -> Violation | None:
    """Return the first clause that a site's recipe does not keep, None where it keeps all."""
    return next(violations(master, site), None)


def _departs(leaf: int, master: Clause | None, site: Clause | None) -> Iterator[Violation]:
    if master is None or site is None:
        known = master or site
        path = known.path if known else None
        yield Violation(leaf=leaf, deviation=Deviation.WITHHELD, path=path)
        return
    deviation = _deviation(master, site)
    if deviation:
        yield Violation(leaf=leaf, deviation=deviation, path=master.path)


def _deviation(master: Clause, site: Clause) -> Deviation | None:
    if master.path != site.path:
        return Deviation.PATH
    if _kind(master) != _kind(site) or not master.measures_like(site.unit):
        return Deviation.KIND
    if master.klass is ClauseClass.CORE:
        return Deviation.CORE
    return None if site.narrows(master) else Deviation.BOUNDS


def _kind(clause: Clause) -> tuple[ClauseClass, ClauseType, Criticality]:
    return clause.klass, clause.type, clause.criticality


def _leaves(clauses: Sequence[Clause]) -> tuple[Digest, ...]:
    if not 0 < len(clauses) <= CLAUSES_MAX or not _ascend(clauses):
        message = f"A tree has 1 to {CLAUSES_MAX} clauses in the order of their paths."
        raise MalformedClauseTreeError(message, clauses=len(clauses))
    return tuple(clause.leaf_data() for clause in clauses)


def _ascend(clauses: Iterable[Clause]) -> bool:
    return all(one.path < other.path for one, other in pairwise(clauses))


def _read_opened(fields: Fields) -> tuple[int, Clause]:
    return fields.integer("leaf", most=CLAUSES_MAX - 1), fields.object("clause", Clause.read)
