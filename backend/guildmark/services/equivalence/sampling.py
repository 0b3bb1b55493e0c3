"""Which units a plan draws of a site, and whether a site's data are what was logged of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from guildmark.domain.builds.delivery import OpenedValues
from guildmark.domain.builds.predicate import Beacon
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.builds.telemetry import Disclosure
from guildmark.domain.builds.values import MeasurementsDisclosure
from guildmark.domain.chain.facts import (
    NO_LOG,
    KeyFact,
    LaneFact,
    LicenseFact,
    LinkFact,
    PlanEntryFact,
    RecipeFact,
    RecordFact,
    SiteRecipeFact,
)
from guildmark.domain.equivalence.blinded import BlindData, SiteData
from guildmark.domain.equivalence.logged import (
    LoggedUnit,
    Passed,
    Sample,
    SampleError,
    check_drawn,
    readings_of,
)
from guildmark.domain.equivalence.plan import EquivalencePlan, Kind
from guildmark.domain.equivalence.process.drawing import Asked, check_telemetry
from guildmark.domain.equivalence.process.traces import BuildTrace
from guildmark.domain.equivalence.sampling import (
    Population,
    drawn,
    place_name,
    population,
    tick_that_draws,
)
from guildmark.domain.errors import NotFinalError, NotFoundError, UsageError
from guildmark.domain.identifiers import (
    Digest,
    EquivalencePlanId,
    IdentityId,
    LaneNumber,
    LogNumber,
    to_hex,
)
from guildmark.domain.log.positions import Place
from guildmark.domain.log.record import Record
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.signatures import Algorithm, PublicKey
from guildmark.domain.verification.rights import Window
from guildmark.ports.store import DocumentKind, NodeStore, View
from guildmark.services.equivalence.calibrating import Use, calibrations, check_calibrated
from guildmark.services.index.projection import known
from guildmark.services.log.proving import TREES


class PlanDocumentUnknownError(NotFoundError):
    """This home does not hold the plan in full."""

    code = "equivalence.planDocumentUnknown"
    hint = "Use the home that registered the plan, or ask its sponsor for the document."


class NotDrawnError(UsageError):
    """A plan that draws no units."""

    code = "equivalence.planDrawsNothing"
    hint = "Let the next plan say `drawnFrom`; under this one each site chooses what it measures."


class SampleTooEarlyError(NotFinalError):
    """What decides which units are drawn is not on record yet."""

    code = "equivalence.sampleTooEarly"
    hint = "Wait for the units that the plan draws from, then for two ticks: `guildmark log tick`."


class DrawnUnitUnknownError(NotFoundError):
    """A unit was drawn whose envelope this home does not hold."""

    code = "equivalence.drawnUnitUnknown"
    hint = "Run the command in the home of the log that holds the unit."


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Which units a plan draws of a site.

    Args:
        population: What they are drawn from.
        tick: The record whose `parent` draws.
        order: All of them in the order in which they are drawn.
    """

    population: Population
    tick: Record
    order: Sequence[Place]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Use cases around the units that plans draw."""

    store: NodeStore

    def draw(self, plan: EquivalencePlanId, site: IdentityId) -> Drawing:
        """Return which units a plan draws of a site; anybody finds the same.

        Raises:
            PlanDocumentUnknownError: The plan's document is not here.
            NotDrawnError: The plan draws none.
            SampleTooEarlyError: The site did not join, or records are missing that decide.
        """
        with self.store.reading() as view:
            return drawing(plan_document(plan, view), plan, site, view)

    def challenges(
        self, plan: EquivalencePlanId, site: IdentityId
    ) -> Sequence[tuple[BuildTrace, Sequence[int]]]:
        """Return which chunks of the telemetry of drawn builds a plan asks for.

        Raises:
            PlanDocumentUnknownError: The plan's document is not here.
            NotDrawnError: The plan draws none.
            SampleTooEarlyError: The site did not join, or records are missing that decide.
            DrawnUnitUnknownError: A drawn unit is of another node's log.
            SampleError: Too few units were built for the plan, or one has no telemetry.
        """
        with self.store.reading() as view:
            document = plan_document(plan, view)
            if document.chunks is None:
                return ()
            made = drawing(document, plan, site, view)
            _, sample = _collected(document, entry_of(plan, site, view), made.order, view)
            traces = _asked(document, plan, site, made).traces(sample)
        return [(one, one.drawn(document.chunks)) for one in traces]

    def collect(
        self,
        plan: EquivalencePlanId,
        site: IdentityId,
        answers: Sequence[Disclosure] = (),
    ) -> SiteData:
        """Return the data of the units that are drawn, from the log of this home.

        Args:
            plan: The plan.
            site: The site.
            answers: What opens the telemetry of drawn builds, where the plan asks for some.

        Raises:
            PlanDocumentUnknownError: The plan's document is not here.
            NotDrawnError: The plan draws none.
            SampleTooEarlyError: The site did not join, or records are missing that decide.
            DrawnUnitUnknownError: A drawn unit is of another node's log.
            SampleError: Too few units were built for the plan, or telemetry is not answered for.
        """
        with self.store.reading() as view:
            document = plan_document(plan, view)
            made = drawing(document, plan, site, view)
            units, sample = _collected(document, entry_of(plan, site, view), made.order, view)
            planned = planned_of(document)
            taken = tuple(
                reading
                for place in sample.measured(document.units)
                for reading in readings_of(place, sample.opened[place])
                if reading.characteristic in planned
            )
            asked, names = document.calibration, {one.instrument for one in taken}
            shown = () if asked is None else calibrations(asked, names, view)
            traces, told = _asked(document, plan, site, made).answered(sample, answers)
        readings = (*taken, *told)
        return SiteData(readings=readings, logged=tuple(units), calibrations=shown, traces=traces)


def plan_document(plan: EquivalencePlanId, view: View) -> EquivalencePlan:
    """Return a plan in full.

    Raises:
        PlanDocumentUnknownError: It is not in this home.
    """
    document = view.documents.get(DocumentKind.EQUIVALENCE_PLAN, plan)
    if document is None:
        message = f"The plan {to_hex(plan)} is not in this home."
        raise PlanDocumentUnknownError(message, plan=to_hex(plan))
    return EquivalencePlan.parse(document)


def drawing(
    document: EquivalencePlan, plan: EquivalencePlanId, site: IdentityId, view: View
) -> Drawing:
    """Return which units a plan draws of a site.

    Raises:
        NotDrawnError: The plan draws none.
        SampleTooEarlyError: The site did not join, or records are missing that decide.
    """
    if document.drawn_from is None:
        message = f"The plan {to_hex(plan)} draws no units."
        raise NotDrawnError(message, plan=to_hex(plan))
    entry = entry_of(plan, site, view)
    lanes = lanes_of(document, entry, view)
    records = (fact.record for log in lanes.logs for fact in view.facts.each(RecordFact, log))
    found = population(records, lanes.numbers, after=entry.joined_at, size=document.drawn_from)
    if found is None:
        message = f"The site did not log {document.drawn_from} units since it joined."
        raise SampleTooEarlyError(message, wanted=document.drawn_from)
    tick = tick_that_draws(
        (fact.record for fact in view.facts.each(RecordFact, NO_LOG)), found.closing
    )
    if tick is None:
        message = "There are not two ticks after the last unit that the plan draws from."
        raise SampleTooEarlyError(message, after=found.closing.time)
    order = drawn(found.places, tick.parent, plan, site)
    return Drawing(population=found, tick=tick, order=order)


def check_data(document: EquivalencePlan, data: BlindData, view: View) -> None:
    """Check what a site claims of its data, and that they are those of the units that were drawn.

    Raises:
        GuildmarkError: The first thing that does not hold; its message says which.
    """
    data.shown.check_claims(document)
    if document.drawn_from is None:
        return
    sample = _sample(document, data, view)
    check_drawn(document, sample, data.readings)
    if document.chunks is not None or data.shown.traces:
        asked = _asked(
            document, data.plan, data.site, drawing(document, data.plan, data.site, view)
        )
        check_telemetry(asked, sample, data.shown.traces, data.readings)
    if document.calibration is not None:
        uses = dict.fromkeys(_uses(document, sample, view))
        check_calibrated(document.calibration, uses, data.shown.calibrations, view)


def passed_over(document: EquivalencePlan, data: BlindData, view: View) -> Mapping[Passed, int]:
    """Return how many drawn parts were passed over in data that hold, and why.

    Raises:
        GuildmarkError: The data do not hold.
    """
    if document.drawn_from is None:
        return {}
    return _sample(document, data, view).passed_over(document.units)


def _sample(document: EquivalencePlan, data: BlindData, view: View) -> Sample:
    """Return what data open of the units that were drawn, each proven to its log and machine.

    Raises:
        GuildmarkError: A unit is not what its log holds, or nothing is drawn yet.
    """
    order = drawing(document, data.plan, data.site, view).order
    entry = entry_of(data.plan, data.site, view)
    opened: dict[Place, BuildStatement] = {}
    foreign: dict[Place, Passed] = {}
    recorded: dict[Place, int] = {}
    for unit in data.shown.logged:
        fact = view.facts.get(RecordFact, unit.log, unit.seq)
        if fact is None:
            message = f"No record {unit.seq} of log {unit.log} is on chain."
            raise SampleError(message, log=unit.log, seq=unit.seq)
        place = (unit.log, fact.record.index_of(unit.position))
        opened[place] = _proven(unit, fact.record, view)
        recorded[place] = fact.record.time
        why = why_passed(document, entry, opened[place], view)
        if why is not None:
            foreign[place] = why
    return Sample(order=order, opened=opened, foreign=foreign, recorded=recorded)


def _asked(
    document: EquivalencePlan, plan: EquivalencePlanId, site: IdentityId, made: Drawing
) -> Asked:
    return Asked(plan=document, id=plan, site=to_hex(site), seed=made.tick.parent)


def planned_of(document: EquivalencePlan) -> frozenset[ClausePath]:
    """Return what a plan measures on parts."""
    return frozenset(one.path for one in document.characteristics if one.kind is Kind.PART)


def _uses(document: EquivalencePlan, sample: Sample, view: View) -> Iterator[Use]:
    """Yield which instruments measured drawn parts, and when."""
    planned = planned_of(document)
    for place in sample.measured(document.units):
        said = sample.opened[place]
        beacon = known(view.facts, RecordFact, said.beacon.log, said.beacon.seq).record
        window = Window(begin=beacon.time, end=sample.recorded[place])
        taken = (one for one in said.measurements if one.characteristic in planned)
        yield from (Use(instrument=one.instrument, window=window) for one in taken)


def entry_of(plan: EquivalencePlanId, site: IdentityId, view: View) -> PlanEntryFact:
    """Return what the chain knows of a site under a plan.

    Raises:
        SampleTooEarlyError: It did not join.
    """
    entry = view.facts.get(PlanEntryFact, plan, site)
    if entry is None:
        message = f"The site {to_hex(site)} did not join the plan."
        raise SampleTooEarlyError(message, plan=to_hex(plan), site=to_hex(site))
    return entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """Where a site's units of a recipe's design come from.

    Args:
        numbers: The lanes.
        logs: The logs that draw from them, ascending.
    """

    numbers: frozenset[LaneNumber]
    logs: tuple[LogNumber, ...]


def lanes_of(document: EquivalencePlan, entry: PlanEntryFact, view: View) -> Lanes:
    """Return the lanes of a recipe's design that a site, or whom it belonged to, holds.

    Who held it counts from when it joined: nobody changes the population afterwards.
    """
    design = known(view.facts, RecipeFact, document.recipe).recipe.design
    holders = {entry.site} | {
        link.parent
        for link in view.facts.each(LinkFact, entry.site)
        if link.since <= entry.joined_at and (not link.until or entry.joined_at < link.until)
    }
    found = [
        lane
        for lane in view.facts.each(LaneFact)
        if lane.holder in holders
        and lane.log != NO_LOG
        and known(view.facts, LicenseFact, lane.license).terms.design == design
    ]
    return Lanes(
        numbers=frozenset(lane.number for lane in found),
        logs=tuple(sorted({lane.log for lane in found})),
    )


def _collected(
    document: EquivalencePlan, entry: PlanEntryFact, order: Sequence[Place], view: View
) -> tuple[Sequence[LoggedUnit], Sample]:
    """Return drawn units of this home's log until enough of them were built for the plan."""
    units: list[LoggedUnit] = []
    opened: dict[Place, BuildStatement] = {}
    foreign: dict[Place, Passed] = {}
    for place in order:
        unit = logged_unit(place, planned_of(document), view)
        _, statement = unit.opened()
        units.append(unit)
        opened[place] = statement
        why = why_passed(document, entry, statement, view)
        if why is not None:
            foreign[place] = why
        if len(opened) - len(foreign) == document.units:
            break
    return units, Sample(order=order, opened=opened, foreign=foreign)


def logged_unit(place: Place, planned: frozenset[ClausePath], view: View) -> LoggedUnit:
    """Return a unit of this home's log, with what proves it.

    Args:
        place: Where it stands.
        planned: What is opened of salted measured values.
        view: What this home knows.

    Raises:
        DrawnUnitUnknownError: It is of another node's log.
    """
    found = view.log.logged(*place)
    if found is None:
        message = f"This home does not hold the unit {place_name(place)}."
        raise DrawnUnitUnknownError(message, unit=place_name(place))
    record = known(view.facts, RecordFact, found.log, found.seq).record
    return LoggedUnit(
        log=found.log,
        seq=found.seq,
        position=found.position,
        salt=found.queued.salt,
        envelope=found.queued.envelope,
        path=TREES.path(record, found.position, view.log),
        previous=found.queued.entry.previous,
        measurements=_opened(found.queued.digest, planned, view),
    )


def _opened(
    envelope: Digest, planned: frozenset[ClausePath], view: View
) -> MeasurementsDisclosure | None:
    """Return what a site opens to a plan: what the plan measures, and nothing else."""
    body = view.documents.get(DocumentKind.VALUES, envelope)
    measured = None if body is None else OpenedValues.parse(body).measurements
    return None if measured is None else measured.only(lambda path: path in planned)


def _proven(unit: LoggedUnit, record: Record, view: View) -> BuildStatement:
    """Return what a logged unit's machine signed.

    Raises:
        GuildmarkError: The record holds something else, or no key of the machine signed it.
    """
    envelope, statement = unit.opened()
    unit.check(statement, record)
    keys = [view.facts.get(KeyFact, one.key) for one in envelope.signatures]
    envelope.verify(
        {
            key.id: PublicKey(algorithm=Algorithm(key.algorithm), data=key.public_key).verify
            for key in keys
            if key is not None and key.machine == statement.run.machine
        }
    )
    return statement


def why_passed(
    document: EquivalencePlan, entry: PlanEntryFact, said: BuildStatement, view: View
) -> Passed | None:
    """Return why a unit was not built for a plan, None where it was.

    Built for it is what became a part of its recipe, site and machine model, begun since the site
    joined. What it says was signed before it was drawn.
    """
    own = view.facts.get(SiteRecipeFact, said.external.site_recipe)
    lacks = {
        Passed.SCRAP: said.scrap is not None,
        Passed.OTHER_RECIPE: said.external.recipe != document.recipe,
        Passed.OTHER_SITE: said.run.site != entry.site,
        Passed.OTHER_MODEL: own is None or own.recipe.model != entry.scope,
        Passed.LATE: said.run.is_late_report,
        Passed.EARLY: not _is_begun_since(entry.joined_at, said.beacon, view),
    }
    return next((why for why, is_so in lacks.items() if is_so), None)


def _is_begun_since(time: int, beacon: Beacon, view: View) -> bool:
    fact = view.facts.get(RecordFact, beacon.log, beacon.seq)
    return (
        fact is not None
        and fact.record.digest() == beacon.record_digest
        and fact.record.time >= time
    )
