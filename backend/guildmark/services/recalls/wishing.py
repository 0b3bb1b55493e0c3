"""Which recalls a watch is about: by cause, thing, part or license, each by itself."""

from collections.abc import Collection

from guildmark.domain.chain.facts import (
    LaneFact,
    LicenseFact,
    LicenseNumberFact,
    RecallFact,
    RecipeFact,
    SiteRecipeFact,
)
from guildmark.domain.identifiers import LicenseId, RecipeId, SiteRecipeId
from guildmark.domain.letters import Position, RecallWatch
from guildmark.domain.recall import RecallCause, Thing
from guildmark.ports.facts import Facts
from guildmark.ports.store import View
from guildmark.services.recalls.reaching import is_within, made_of, record_at, things_of


def fits(watch: RecallWatch, fact: RecallFact, view: View) -> bool:
    """Return whether a watch wants to hear of a recall.

    Where it cannot be told whether a recall reaches a part or a license, it does: a warning too
    many does less harm than one that nobody got.
    """
    return (
        watch.is_for_all
        or fact.thing.cause in watch.causes
        or fact.thing in watch.things
        or any(_reaches_part(part, fact, view) for part in watch.parts)
        or any(_reaches_license(one, fact.thing, view) for one in watch.licenses)
    )


def _reaches_part(part: Position, fact: RecallFact, view: View) -> bool:
    if fact.thing == Thing.serial(part.log, part.index):
        return True
    # Of another operator's part it is not known here what it has in common with others.
    logged = view.log.logged(part.log, part.index)
    if logged is None or not logged.queued.entry.kind.is_counted:
        return False
    if not is_within(fact, record_at(part.log, part.index, view.facts)):
        return False
    if fact.thing.cause is RecallCause.LOT:
        return bytes(logged.queued.entry.maker) == fact.thing.id
    return fact.thing in things_of(part.log, part.index, view)


def _reaches_license(license_id: LicenseId, thing: Thing, view: View) -> bool:
    numbered = view.facts.get(LicenseNumberFact, license_id)
    granted = None if numbered is None else view.facts.get(LicenseFact, numbered.number)
    if granted is None:
        return False
    design = granted.terms.design
    lanes = {one.number for one in view.facts.each(LaneFact) if one.license == granted.number}
    match thing.cause:
        case RecallCause.DESIGN:
            return thing.id == bytes(design)
        case RecallCause.RECIPE:
            return _design_of(RecipeId(thing.id), view.facts) == bytes(design)
        case RecallCause.SITE_RECIPE:
            own = view.facts.get(SiteRecipeFact, SiteRecipeId(thing.id))
            return own is not None and _design_of(own.recipe.master, view.facts) == bytes(design)
        case RecallCause.SERIAL:
            return _is_drawn_from(lanes, thing, view.facts)
        case _:
            wanted, _is_most = made_of(thing, view.facts)
            logs = {one.log for one in view.facts.each(LaneFact) if one.number in lanes}
            return any(view.log.made(log, {**wanted, "lane": sorted(lanes)}) for log in logs)


def _design_of(recipe: RecipeId, facts: Facts) -> bytes:
    found = facts.get(RecipeFact, recipe)
    return b"" if found is None else found.recipe.design


def _is_drawn_from(lanes: Collection[int], thing: Thing, facts: Facts) -> bool:
    record = record_at(thing.log, thing.index, facts)
    unit = None if record is None else record.unit_at(thing.index - record.first_index)
    return unit is not None and unit.lane in lanes
