"""What an audit is about: units of a license, a maker, a machine, a recipe or a lot, in a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from guildmark.domain.audit.units import AuditedUnit, DrawnUnit
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
    LaneNumber,
    LicenseId,
    RecipeId,
    to_hex,
)
from guildmark.domain.log.record import Record
from guildmark.domain.recall import RecallCause, Thing
from guildmark.ports.facts import Facts
from guildmark.services.rights.ancestry import above


class ScopeEmptyError(UsageError):
    """An audit that is about nothing in particular, or ends before it begins."""

    code = "audit.scopeEmpty"
    hint = (
        "Name a license, an organization, a machine, a recipe or a lot, and --to later than --from."
    )


class ScopeLotError(UsageError):
    """Something else than a lot was named as one."""

    code = "audit.lotMalformed"
    hint = "Write a lot as MAKER:DIGEST, the way `guildmark recall` does."


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is audited: what holds of all that is named.

    Args:
        license: A license with all below it.
        organization: Whose sites drew.
        machine: Which machine built; what nobody shows counts where its site drew.
        recipe: By which recipe; what nobody shows counts where the design is its own.
        lot: From which lot of its maker; what does not show its lots counts where he made it.
        begin: From when on records count, in block seconds.
        end: Until when, 0 for as long as there are any.
    """

    license: LicenseId | None = None
    organization: IdentityId | None = None
    machine: IdentityId | None = None
    recipe: RecipeId | None = None
    lot: Thing | None = None
    begin: int = 0
    end: int = 0

    def __post_init__(self) -> None:
        """Check that it is about something.

        Raises:
            ScopeEmptyError: Nothing is named, or the time is empty.
            ScopeLotError: The lot is none.
        """
        if not any((self.license, self.organization, self.machine, self.recipe, self.lot)):
            message = "The audit is about no license, organization, machine, recipe or lot."
            raise ScopeEmptyError(message)
        if self.end and self.end <= self.begin:
            message = f"The audit ends at {self.end}, before it begins at {self.begin}."
            raise ScopeEmptyError(message, begin=self.begin, end=self.end)
        if self.lot is not None and self.lot.cause is not RecallCause.LOT:
            message = f"{self.lot.text()} is no lot."
            raise ScopeLotError(message, found=self.lot.text())

    def admits(self, one: AuditedUnit) -> bool:
        """Return whether a unit belongs to it, as far as it is shown."""
        said = one.statement
        if said is None:
            return True
        return (
            (self.machine is None or said.run.machine == self.machine)
            and (self.recipe is None or said.external.recipe == self.recipe)
            and (self.lot is None or one.lots is None or self.lot.key() in one.lots)
        )

    @property
    def makers(self) -> Sequence[IdentityId]:
        """Return the organizations of which the sites must have been."""
        lot = () if self.lot is None else (IdentityId(self.lot.id),)
        return (*(() if self.organization is None else (self.organization,)), *lot)

    @property
    def is_of_machine(self) -> bool:
        """Return whether all that a machine built belongs to it, in its time."""
        others = (self.license, self.organization, self.recipe, self.lot)
        return self.machine is not None and not any(others)

    def covers(self, time: int) -> bool:
        """Return whether records of a time count."""
        return self.begin <= time and (not self.end or time < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedLane:
    """A lane that an audit looks at, and the license that it is of."""

    fact: LaneFact
    license: LicenseId


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnRecord:
    """A record that drew units of a scope, and from which lanes."""

    record: Record
    block: int
    lanes: Mapping[LaneNumber, AuditedLane]

    def units(self) -> Iterator[DrawnUnit]:
        """Yield the units, in the order of their positions."""
        for position in range(self.record.count):
            granted = self.record.unit_at(position)
            lane = None if granted is None else self.lanes.get(granted.lane)
            if granted is not None and lane is not None:
                yield DrawnUnit(
                    record=self.record,
                    block=self.block,
                    index=self.record.index_of(position),
                    lane=granted.lane,
                    unit=granted.unit,
                    license=lane.license,
                    site=lane.fact.holder,
                )


def drawn(scope: Scope, facts: Facts) -> Iterator[DrawnRecord]:
    """Yield the records of any log that drew, as far as the chain alone tells their scope.

    Raises:
        LicenseUnknownError: No final block grants the license.
        RecipeUnknownError: No final block publishes the recipe.
    """
    lanes = lanes_of(scope, facts)
    for fact in facts.each(RecordFact):
        record = fact.record
        named = {grant.lane for grant in record.grants if not grant.is_refused}
        if named.isdisjoint(lanes) or not scope.covers(record.time):
            continue
        found = {
            number: lanes[number]
            for number in named & lanes.keys()
            if _drew(scope, lanes[number].fact, record, facts)
        }
        if found:
            yield DrawnRecord(record=record, block=fact.block, lanes=found)


def lanes_of(scope: Scope, facts: Facts) -> Mapping[LaneNumber, AuditedLane]:
    """Return the lanes of a scope's licenses, whoever holds them.

    Raises:
        LicenseUnknownError: No final block grants the license.
        RecipeUnknownError: No final block publishes the recipe.
    """
    _check_known(scope, facts)
    licenses = {one.number: one for one in facts.each(LicenseFact) if _concerns(scope, one, facts)}
    return {
        lane.number: AuditedLane(fact=lane, license=licenses[lane.license].id)
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
    """Return whether the site that drew was the makers', and the machine's, at that time."""
    site = lane.holder
    of_whom = all(_was_linked(site, one, record, facts) for one in scope.makers)
    by_whom = scope.machine is None or _was_linked(scope.machine, site, record, facts)
    return of_whom and by_whom


def _was_linked(child: IdentityId, parent: IdentityId, record: Record, facts: Facts) -> bool:
    return any(
        one.since <= record.time and (not one.until or record.time <= one.until)
        for one in facts.each(LinkFact, child, parent)
    )
