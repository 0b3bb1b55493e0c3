"""Second signatures: what a recipe asks for beside the machine's own."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Self

from guildmark.domain.identifiers import (
    IdentityId,
    MalformedHexError,
    bytes32_from_hex,
    to_hex,
)
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType

COUNTERSIGNATURE = ClausePath("/qa/countersignature")
"""The clause that asks for it, a core text."""


class Whose(Enum):
    """Whose second signature is asked for."""

    ANY = "any organization"
    OTHER = "other organization"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a recipe asks for: a second machine's key, and whose machine it must be.

    Args:
        whose: The organization by its relation to the maker, or by its id.
    """

    whose: Whose | IdentityId

    @classmethod
    def of(cls, clause: Clause) -> Self | None:
        """Return what a clause asks for, None where it is of a form that is not known."""
        is_core_text = clause.type is ClauseType.TEXT and clause.klass is ClauseClass.CORE
        if clause.path != COUNTERSIGNATURE or not is_core_text or clause.value is None:
            return None
        known = [one for one in Whose if one.value == clause.value]
        if known:
            return cls(whose=known[0])
        try:
            return cls(whose=IdentityId(bytes32_from_hex(clause.value)))
        except MalformedHexError:
            return None

    def admits(self, organization: IdentityId, maker: IdentityId) -> bool:
        """Return whether an organization's instrument may sign beside a maker's machine."""
        if isinstance(self.whose, Whose):
            return self.whose is Whose.ANY or organization != maker
        return organization == self.whose

    @property
    def words(self) -> str:
        """Return whose signature lacks, in words."""
        if isinstance(self.whose, Whose):
            named = {Whose.ANY: "a second machine", Whose.OTHER: "another organization's machine"}
            return named[self.whose]
        return f"a machine of {to_hex(self.whose)}"


def countersignature_clause(clauses: Iterable[Clause]) -> Clause | None:
    """Return the clause that asks for a second signature, None where none does.

    One below it asks in a form that `Demand.of` does not know, and goes first.
    """
    found = [one for one in clauses if f"{one.path}/".startswith(f"{COUNTERSIGNATURE}/")]
    return max(found, key=lambda one: one.path, default=None)
