"""Assignments: what a machine is to build, put together from what the index knows of a lane."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from guildmark.domain.builds.delivery import Delivery
from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.builds.predicate import Beacon, ExternalParameters, Setting
from guildmark.domain.builds.statement import JOB_DEPENDENCY, BuildStatement
from guildmark.domain.chain.facts import (
    LaneFact,
    LicenseFact,
    LinkFact,
    LogFact,
    ParentFact,
    RecipeFact,
    RecordFact,
    RevisionFact,
    SiteRecipeFact,
)
from guildmark.domain.chain.refusals import LicenseUnknownError, RecipeUnknownError
from guildmark.domain.errors import GuildmarkError, NotFinalError, UntrustedError
from guildmark.domain.identifiers import (
    ZERO32,
    Digest,
    IdentityId,
    KeyId,
    LaneNumber,
    Seq,
    SiteRecipeId,
    UnitNumber,
    to_hex,
)
from guildmark.domain.log.record import Record
from guildmark.domain.recipes.gcode import check_job, observe, settled
from guildmark.domain.recipes.recipe import RecipeDocument
from guildmark.ports.facts import Facts
from guildmark.ports.store import DocumentKind, NodeStore
from guildmark.services.builds.builds import Assignment
from guildmark.services.index.projection import known
from guildmark.services.log.admission import Desk


class UnlinkedError(UntrustedError):
    """A machine belongs to no site, or a site to no organization."""

    code = "link.missing"
    hint = "Ask for the link with `guildmark link request`, and let the other side accept it."


class RecordMissingError(NotFinalError):
    """No record of any log is final, so that nothing can be a beacon."""

    code = "beacon.missing"
    hint = "Write a first record: `guildmark log tick`."


class BeaconTooOldError(NotFinalError):
    """No final record is younger than all rights of a build."""

    code = "beacon.tooOld"
    hint = "Wait for the next record of any log, or write one: `guildmark log tick`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is told to a machine.

    Args:
        machine: The machine.
        lane: The lane that its units come from.
        site_recipe: The site's recipe.
        job: SHA-256 of the job file.
        settings: The settings of the job file.
        firmware: The machine's firmware.
    """

    machine: IdentityId
    lane: LaneNumber
    site_recipe: SiteRecipeId
    job: Digest
    settings: tuple[Setting, ...] = ()
    firmware: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignments:
    """Use cases around what machines are told."""

    store: NodeStore

    def assign(self, order: Order) -> Assignment:
        """Return the assignment: license, design and parties as the final facts have them.

        Raises:
            LicenseUnknownError: No license has the lane.
            RecipeUnknownError: The site recipe is not on record.
            UnlinkedError: The machine has no site, or its site no organization.
        """
        with self.store.reading() as view:
            return _assigned(order, view.facts)

    def held(
        self, site_recipe: SiteRecipeId, job: Iterable[str], settings: Sequence[Setting]
    ) -> tuple[Setting, ...]:
        """Return the settings of a G-code job, held against the site's recipe and completed by it.

        Where this home does not hold the recipe in full, they are returned as they are.

        Raises:
            JobMalformedError: The job lays no material.
            JobDepartsError: It makes the printer do what the recipe does not admit.
            SettingContradictedError: A setting is not what the job does.
        """
        with self.store.reading() as view:
            body = view.documents.get(DocumentKind.RECIPE_DOCUMENT, site_recipe)
        if body is None:
            return tuple(settings)
        observed, clauses = observe(job), RecipeDocument.parse(body).clauses
        check_job(observed, clauses)
        return settled(observed, settings, clauses)

    def with_unit(self, assignment: Assignment, signed: Iterable[bytes]) -> Assignment:
        """Return the assignment of the lane's next unit, so that no statement is logged twice.

        No unit is named where another may draw it: where a unit was drawn that none of the signed
        statements names, where one of them names none, and where the lane is spent.

        Args:
            assignment: What the next statement is about.
            signed: The envelopes that were signed here and not refused.
        """
        external = assignment.external
        with self.store.reading() as view:
            lane = known(view.facts, LaneFact, external.lane)
        named = [one.unit for one in _of_lane(external, signed)]
        units = {unit for unit in named if unit is not None}
        following = max([lane.next, *(unit + 1 for unit in units)])
        is_alone = None not in named and units.issuperset(range(lane.first, lane.next))
        if not is_alone or following >= lane.end:
            return assignment
        return replace(assignment, external=replace(external, unit=UnitNumber(following)))

    def foresee(self, statement: BuildStatement, signer: KeyId) -> None:
        """Refuse a statement, before a machine signs it, that its log would surely refuse.

        Raises:
            KeyUnknownError: The key that is to sign is none of the machine's.
            ClockAheadError: The machine says that it ended later than the chain's time.
            GuildmarkError: As ``Desk.foresee``.
        """
        with self.store.reading() as view:
            block = view.facts.cursor()
            now = 0 if block is None else block.time
            Desk(view=view, log=statement.external.log, now=now).foresee(statement, signer)

    def beacon(self, assignment: Assignment) -> Beacon:
        """Return the newest final record of any log, to be named in the next statement.

        A build that names an older record than its rights could be from before them.

        Raises:
            RecordMissingError: No record is final.
            BeaconTooOldError: A right of the assignment is younger than every record.
        """
        with self.store.reading() as view:
            records = newest_records(view.facts)
            youngest = _youngest_right(assignment, view.facts)
        if not records:
            message = "This chain has no final record yet."
            raise RecordMissingError(message)
        newest = max(records, key=lambda record: (record.time, record.log))
        if newest.time < youngest:
            message = f"The newest record is of {newest.time}, a right of the build of {youngest}."
            raise BeaconTooOldError(message, record=newest.time, right=youngest)
        return Beacon(log=newest.log, seq=newest.seq, record_digest=newest.digest())


def order_of(statement: BuildStatement) -> Order:
    """Return what a machine was told, by what it stated."""
    return Order(
        machine=statement.run.machine,
        lane=statement.external.lane,
        site_recipe=statement.external.site_recipe,
        job=statement.resource(JOB_DEPENDENCY) or Digest(ZERO32),
        settings=statement.settings,
        firmware=statement.firmware,
    )


def _assigned(order: Order, facts: Facts) -> Assignment:
    lane, own = facts.get(LaneFact, order.lane), facts.get(SiteRecipeFact, order.site_recipe)
    if lane is None:
        message = f"No license has a lane {order.lane}."
        raise LicenseUnknownError(message, lane=order.lane)
    if own is None:
        message = f"No final block holds the site recipe {to_hex(order.site_recipe)}."
        raise RecipeUnknownError(message, recipe=to_hex(order.site_recipe))
    site = parent_of(order.machine, facts)
    external = external_of(lane, own, facts)
    revision = known(facts, RevisionFact, external.design, external.revision).revision
    return Assignment(
        external=external,
        maker=parent_of(site, facts),
        site=site,
        machine=order.machine,
        ciphertext=revision.ciphertext,
        job=order.job,
        settings=order.settings,
        firmware=order.firmware,
    )


def external_of(lane: LaneFact, own: SiteRecipeFact, facts: Facts) -> ExternalParameters:
    """Return what a build from a lane by a site's recipe is to be."""
    master = known(facts, RecipeFact, own.recipe.master).recipe
    return ExternalParameters(
        license=known(facts, LicenseFact, lane.license).id,
        recipe=own.recipe.master,
        site_recipe=own.id,
        design=master.design,
        revision=master.revision,
        log=lane.log,
        lane=lane.number,
    )


def _of_lane(lane: ExternalParameters, signed: Iterable[bytes]) -> Iterator[ExternalParameters]:
    """Yield what signed statements say of the same lane of the same license."""
    for envelope in signed:
        try:
            signed_one = Envelope.parse(Delivery.parse(envelope).envelope)
            stated = BuildStatement.parse(signed_one.payload).external
        except GuildmarkError:
            # A file that is no statement names no unit.
            continue
        if (stated.license, stated.lane) == (lane.license, lane.lane):
            yield stated


def parent_of(child: IdentityId, facts: Facts) -> IdentityId:
    """Return whom an identity belongs to.

    Raises:
        UnlinkedError: It belongs to nobody.
    """
    fact = facts.get(ParentFact, child)
    if fact is None or fact.parent == IdentityId(ZERO32):
        message = f"{to_hex(child)} belongs to nobody."
        raise UnlinkedError(message, child=to_hex(child))
    return fact.parent


def _youngest_right(assignment: Assignment, facts: Facts) -> int:
    """Return the block seconds since which design, recipes and links all hold."""
    external, site = assignment.external, assignment.site
    links = (
        *facts.each(LinkFact, assignment.machine, site),
        *facts.each(LinkFact, site, assignment.maker),
    )
    return max(
        known(facts, RevisionFact, external.design, external.revision).revision.at,
        known(facts, RecipeFact, external.recipe).published_at,
        known(facts, SiteRecipeFact, external.site_recipe).published_at,
        *(link.since for link in links),
    )


def newest_records(facts: Facts) -> Sequence[Record]:
    """Return the newest record of each log that has one."""
    return [
        known(facts, RecordFact, head.number, Seq(head.seq - 1)).record
        for head in facts.each(LogFact)
        if head.seq
    ]
