"""Briefing: what a node tells the agent of a machine, so that the agent needs no chain."""

from collections.abc import Iterator
from dataclasses import dataclass

from guildmark.domain.builds.predicate import Beacon, ExternalParameters
from guildmark.domain.chain.facts import (
    IdentityFact,
    KeyFact,
    LaneFact,
    LicenseFact,
    LinkFact,
    LogFact,
    RecipeFact,
    RecordFact,
    RevisionFact,
    SiteRecipeFact,
)
from guildmark.domain.chain.refusals import (
    IdentityUnknownError,
    KeyUnknownError,
    LaneLogError,
    LicenseUnknownError,
    RecipeUnknownError,
)
from guildmark.domain.chain.storage import IntervalWord
from guildmark.domain.identifiers import (
    IdentityId,
    KeyId,
    LaneNumber,
    Seq,
    SiteRecipeId,
    UnitNumber,
    to_hex,
)
from guildmark.domain.identity.accreditation import accredited_span
from guildmark.domain.log.record import Record
from guildmark.domain.shopfloor.fieldwork import Brief, DatedBeacon, Right
from guildmark.domain.verification.checks.accreditation import asked
from guildmark.ports.facts import Facts
from guildmark.ports.store import DocumentKind, NodeStore, View
from guildmark.services.builds.assignments import external_of, newest_records, parent_of
from guildmark.services.identity.accreditations import accreditations_above
from guildmark.services.index.projection import known
from guildmark.services.recipes.disclosing import shown_clauses
from guildmark.services.rights.ancestry import above

_ALWAYS = IntervalWord(since=0, until=0)
# Long past.
_ENDED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an agent asks about.

    Args:
        machine: Its machine.
        key: The key that is to sign.
        lane: The lane that the units are to come from.
        site_recipe: The site's recipe.
    """

    machine: IdentityId
    key: KeyId
    lane: LaneNumber
    site_recipe: SiteRecipeId


@dataclass(frozen=True, slots=True, kw_only=True)
class Briefing:
    """Use cases around what agents ask a node."""

    store: NodeStore

    def brief(self, question: Question) -> Brief:
        """Return what the final facts and this node's own log say of a machine and a lane.

        Raises:
            IdentityUnknownError: There is no such machine.
            LicenseUnknownError: No license has the lane.
            LaneLogError: The lane draws into no log.
            RecipeUnknownError: The site recipe is not on record.
            UnlinkedError: The machine has no site, or its site no organization.
            KeyUnknownError: The key is none of the machine's.
        """
        with self.store.reading() as view:
            facts = view.facts
            _check_machine(question, facts)
            lane, own = _lane(question, facts), _site_recipe(question, facts)
            external = external_of(lane, own, facts)
            site = parent_of(question.machine, facts)
            maker = parent_of(site, facts)
            newest = _newest(facts)
            rights = _rights(question, external, (site, maker), facts)
            block = facts.cursor()
            return Brief(
                external=external,
                maker=maker,
                site=site,
                machine=question.machine,
                operator=known(facts, LogFact, lane.log).operator,
                ciphertext=known(
                    facts, RevisionFact, external.design, external.revision
                ).revision.ciphertext,
                drawn=lane.next,
                following=UnitNumber(lane.next + view.log.claimed_units(lane.number)),
                end=lane.end,
                counter=view.log.last_counter(question.machine),
                now=0 if block is None else block.time,
                pace=_pace(newest, facts),
                beacon=None if newest is None else _dated(newest),
                rights=(*rights, *_accreditations(external, (site, maker), view)),
            )


def _check_machine(question: Question, facts: Facts) -> None:
    if facts.get(IdentityFact, question.machine) is None:
        message = f"No final block holds a machine {to_hex(question.machine)}."
        raise IdentityUnknownError(message, identity=to_hex(question.machine))


def _lane(question: Question, facts: Facts) -> LaneFact:
    lane = facts.get(LaneFact, question.lane)
    if lane is None:
        message = f"No license has a lane {question.lane}."
        raise LicenseUnknownError(message, lane=question.lane)
    if not lane.log:
        message = f"Lane {lane.number} draws into no log."
        raise LaneLogError(message, lane=lane.number, log=0)
    return lane


def _site_recipe(question: Question, facts: Facts) -> SiteRecipeFact:
    own = facts.get(SiteRecipeFact, question.site_recipe)
    if own is None:
        message = f"No final block holds the site recipe {to_hex(question.site_recipe)}."
        raise RecipeUnknownError(message, recipe=to_hex(question.site_recipe))
    return own


def _newest(facts: Facts) -> Record | None:
    records = newest_records(facts)
    return max(records, key=lambda record: (record.time, record.log), default=None)


def _dated(record: Record) -> DatedBeacon:
    beacon = Beacon(log=record.log, seq=record.seq, record_digest=record.digest())
    return DatedBeacon(beacon=beacon, time=record.time)


def _pace(newest: Record | None, facts: Facts) -> int:
    if newest is None or not newest.seq:
        return 0
    return newest.time - known(facts, RecordFact, newest.log, Seq(newest.seq - 1)).record.time


def _rights(
    question: Question,
    external: ExternalParameters,
    parents: tuple[IdentityId, IdentityId],
    facts: Facts,
) -> Iterator[Right]:
    site, maker = parents
    key = facts.get(KeyFact, question.key)
    if key is None or key.machine != question.machine:
        message = f"The key is none of machine {to_hex(question.machine)}."
        raise KeyUnknownError(message, machine=to_hex(question.machine))
    yield Right(name="the key", since=key.since, until=_first(key.until, key.notice_at))
    yield _link("the machine's link", question.machine, site, facts)
    yield _link("the site's link", site, maker, facts)
    revision = known(facts, RevisionFact, external.design, external.revision).revision
    yield Right(name="the design", since=revision.at)
    recipe = known(facts, RecipeFact, external.recipe)
    yield Right(name="the recipe", since=recipe.published_at)
    own = known(facts, SiteRecipeFact, external.site_recipe)
    yield Right(name="the site's recipe", since=own.published_at)
    lane = known(facts, LaneFact, external.lane)
    granted = known(facts, LicenseFact, lane.license)
    for one in (granted, *above(granted.terms, facts)):
        yield Right(
            name=f"license {one.number}",
            since=one.terms.not_before,
            until=_first(one.terms.not_after, one.stop_at),
        )
    yield Right(name=f"lane {lane.number}", since=0, until=lane.reclaim_at)


def _accreditations(
    external: ExternalParameters, parents: tuple[IdentityId, IdentityId], view: View
) -> Iterator[Right]:
    """Yield the accreditations that the recipe asks for, as far as this node can read both."""
    site, maker = parents
    clauses = shown_clauses(view.documents, DocumentKind.RECIPE, external.recipe)
    opened = [] if clauses is None else list(clauses.opened.values())
    block = view.facts.cursor()
    for requirement in asked(opened, site).requirements:
        # Whose word counts is for each reader: the door takes anybody's, and so does this.
        shown = [one for each in parents for one in accreditations_above(each, view, None)]
        span = accredited_span(
            (maker, site),
            requirement,
            0 if block is None else block.time,
            shown=shown,
            roots=lambda _: (_ALWAYS,),
        )
        since, until = (0, _ENDED) if span is None else (span.since, span.until)
        name = f"the accreditation for {requirement}"
        yield Right(name=name, since=since, until=until)


def _link(name: str, child: IdentityId, parent: IdentityId, facts: Facts) -> Right:
    link = facts.each(LinkFact, child, parent)[-1]
    return Right(name=name, since=link.since, until=link.until)


def _first(*ends: int) -> int:
    """Return the earliest end, 0 where there is none."""
    return min((end for end in ends if end), default=0)
