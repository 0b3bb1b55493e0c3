"""What an audit is about: units of a license, an organization, a machine or a recipe, in a time."""

from collections.abc import Iterator
from dataclasses import dataclass

from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.chain.facts import (
    LaneFact,
    LicenseFact,
    LicenseNumberFact,
    LinkFact,
    RecipeFact,
    RecordFact,
)
from guildmark.domain.chain.refusals import LicenseUnknownError, RecipeUnknownError
from guildmark.domain.errors import UsageError
from guildmark.domain.identifiers import (
    IdentityId,
    Index,
    LaneNumber,
    LicenseId,
    RecipeId,
    UnitNumber,
    to_hex,
)
from guildmark.domain.log.record import Record
from guildmark.ports import Facts
from guildmark.services.rights.ancestry import above


class ScopeEmptyError(UsageError):
    """An audit that is about nothing in particular, or ends before it begins."""

    code = "audit.scopeEmpty"
    hint = "Name a license, an organization, a machine or a recipe, and --to later than --from."


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is audited: what holds of all that is named.

    Args:
        license: A license with all below it.
        organization: Whose sites drew.
        machine: Which machine built; what nobody shows counts where its site drew.
        recipe: By which recipe; what nobody shows counts where the design is its own.
        begin: From when on records count, in block seconds.
        end: Until when, 0 for as long as there are any.
    """

    license: LicenseId | None = None
    organization: IdentityId | None = None
    machine: IdentityId | None = None
    recipe: RecipeId | None = None
    begin: int = 0
    end: int = 0

    def __post_init__(self) -> None:
        """Check that it is about something.

        Raises:
            ScopeEmptyError: Nothing is named, or the time is empty.
        """
        if not any((self.license, self.organization, self.machine, self.recipe)):
            message = "The audit is about no license, organization, machine or recipe."
            raise ScopeEmptyError(message)
        if self.end and self.end <= self.begin:
            message = f"The audit ends at {self.end}, before it begins at {self.begin}."
            raise ScopeEmptyError(message, begin=self.begin, end=self.end)

    def admits(self, statement: BuildStatement) -> bool:
        """Return whether a part that is shown belongs to it."""
        return (self.machine is None or statement.run.machine == self.machine) and (
            self.recipe is None or statement.external.recipe == self.recipe
        )

    def covers(self, time: int) -> bool:
        """Return whether records of a time count."""
        return self.begin <= time and (not self.end or time < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnUnit:
    """A unit that a record drew.

    Args:
        block: The block that holds the record.
    """

    record: Record
    block: int
    index: Index
    lane: LaneNumber
    unit: UnitNumber
    license: LicenseId


def drawn(scope: Scope, facts: Facts) -> Iterator[DrawnUnit]:
    """Yield the units that records of any log drew, as far as the chain alone tells their scope.

    Raises:
        LicenseUnknownError: No final block grants the license.
        RecipeUnknownError: No final block publishes the recipe.
    """
    lanes = _lanes(scope, facts)
    for fact in facts.each(RecordFact):
        record = fact.record
        if not scope.covers(record.time):
            continue
        for position in range(record.count):
            granted = record.unit_at(position)
            found = None if granted is None else lanes.get(granted.lane)
            if granted is not None and found is not None and _drew(scope, found[0], record, facts):
                yield DrawnUnit(
                    record=record,
                    block=fact.block,
                    index=record.index_of(position),
                    lane=granted.lane,
                    unit=granted.unit,
                    license=found[1].id,
                )


def _lanes(scope: Scope, facts: Facts) -> dict[LaneNumber, tuple[LaneFact, LicenseFact]]:
    licenses = {one.number: one for one in facts.each(LicenseFact) if _concerns(scope, one, facts)}
    _check_known(scope, facts)
    return {
        lane.number: (lane, licenses[lane.license])
        for lane in facts.each(LaneFact)
        if lane.license in licenses
    }


def _check_known(scope: Scope, facts: Facts) -> None:
    if scope.license and facts.get(LicenseNumberFact, scope.license) is None:
        message = f"No final block grants the license {to_hex(scope.license)}."
        raise LicenseUnknownError(message, license=to_hex(scope.license))
    if scope.recipe and facts.get(RecipeFact, scope.recipe) is None:
        message = f"No final block publishes the recipe {to_hex(scope.recipe)}."
        raise RecipeUnknownError(message, recipe=to_hex(scope.recipe))


def _concerns(scope: Scope, one: LicenseFact, facts: Facts) -> bool:
    recipe = None if scope.recipe is None else facts.get(RecipeFact, scope.recipe)
    if recipe is not None and one.terms.design != recipe.recipe.design:
        return False
    line = (one, *above(one.terms, facts))
    return scope.license is None or scope.license in {each.id for each in line}


def _drew(scope: Scope, lane: LaneFact, record: Record, facts: Facts) -> bool:
    """Return whether the site that drew was the organization's, and the machine's, at that time."""
    site = lane.holder
    of_whom = scope.organization is None or _was_linked(site, scope.organization, record, facts)
    by_whom = scope.machine is None or _was_linked(scope.machine, site, record, facts)
    return of_whom and by_whom


def _was_linked(child: IdentityId, parent: IdentityId, record: Record, facts: Facts) -> bool:
    return any(
        one.since <= record.time and (not one.until or record.time <= one.until)
        for one in facts.each(LinkFact, child, parent)
    )
