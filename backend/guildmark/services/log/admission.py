"""Whether a build may be logged here: signature, key, links, license, recipe, in this order.

What the door asks is what the verdict asks later, so that nothing is logged that a reader would
refuse; the verdict does not rest on it.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain

from guildmark.domain.builds.countersigning import Demand
from guildmark.domain.builds.delivery import Delivery, OpenedValues
from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.builds.inspection import inspection_in
from guildmark.domain.builds.predicate import CLOCK_TOLERANCE, Measurement
from guildmark.domain.builds.statement import DESIGN_DEPENDENCY, PAYLOAD_TYPE, BuildStatement
from guildmark.domain.builds.statement_reader import ReadStatement, StatementReader
from guildmark.domain.chain.facts import (
    IdentityFact,
    KeyFact,
    LaneFact,
    LicenseFact,
    LinkFact,
    LogFact,
    NoticeFact,
    ParentFact,
    RecipeFact,
    RecordFact,
    RevisionFact,
    SiteRecipeFact,
)
from guildmark.domain.chain.refusals import KeyUnknownError, LaneLogError, LicenseUnknownError
from guildmark.domain.chain.storage import IntervalWord
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import (
    MalformedError,
    NonconformingError,
    NotClaimedError,
    NotCoveredError,
    NotLoggedError,
    RevokedError,
    UncheckableError,
    UntrustedError,
)
from guildmark.domain.identifiers import (
    Bytes32,
    Digest,
    IdentityId,
    KeyId,
    LogNumber,
    UnitNumber,
    to_hex,
)
from guildmark.domain.identity.accreditation import Requirement, accredited_over
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.labels.digital_link import label_like, operator_token
from guildmark.domain.log.entry import Entry
from guildmark.domain.log.queue import Queued
from guildmark.domain.measurement.conformity import Outcome, decide
from guildmark.domain.measurement.quality_plan import ASKING, QualityPlan
from guildmark.domain.recipes.clause import Clause, ClauseType
from guildmark.domain.recipes.clauses import DisclosedClauses, compare, disclose_all
from guildmark.domain.recipes.recipe import PROCESS, RecipeDocument, Status, unrecorded
from guildmark.domain.rights.terms import (
    Allowance,
    TermsKind,
    allows,
    label_beginnings,
    revision_member,
)
from guildmark.domain.signatures import Algorithm, PublicKey
from guildmark.domain.trust import Trust
from guildmark.domain.verification.checks.accreditation import asked
from guildmark.domain.verification.checks.measurements import TOLERANCE
from guildmark.domain.verification.rights import Window
from guildmark.domain.verification.slots import instrument_id
from guildmark.ports.store import DocumentKind, View
from guildmark.services.builds import inspecting
from guildmark.services.builds.countersigning import (
    CountersignatureMissingError,
    admitted,
    demanded,
)
from guildmark.services.builds.inspecting import is_inspection
from guildmark.services.identity.accreditations import accreditations_above
from guildmark.services.identity.notices import counting, is_act_doubted
from guildmark.services.index.projection import known
from guildmark.services.log.memory import Job
from guildmark.services.log.raw_data import RawData
from guildmark.services.recipes.approvals import check_approved
from guildmark.services.recipes.disclosing import shown_clauses
from guildmark.services.remembering import NotedDocuments, Told, still_tell
from guildmark.services.rights.ancestry import above
from guildmark.services.rights.giving import check_given, check_published, published_times
from guildmark.services.rights.lawful import Place

_ANYBODY = (IntervalWord(since=0, until=0),)
"""A list on which everybody is, at all times."""


class PayloadTypeError(MalformedError):
    """The envelope holds something else than a build statement."""

    code = "statement.payloadType"
    hint = "Send the envelopes that machines signed."


class LabelOperatorError(NotLoggedError):
    """A label of the own form names another operator than the one who runs the log."""

    code = "label.otherOperator"
    hint = "Make labels with the id of the log's operator: `guildmark label new --operator ID`."


class BeaconUnknownError(NotLoggedError):
    """The statement's beacon is no final record of this chain."""

    code = "beacon.unknown"
    hint = "Take a fresh beacon from a node before the job begins."


class KeyOutsideWindowError(RevokedError):
    """The machine's key was not good from the beacon until now."""

    code = "key.outsideWindow"
    hint = "Sign with the machine's present key, with a beacon younger than the key."


class LinkOutsideWindowError(UntrustedError):
    """The machine's or site's link was not open from the beacon until now."""

    code = "link.outsideWindow"
    hint = "Link machine, site and organization, then take a beacon younger than the links."


class MadeInDoubtError(RevokedError):
    """A notice doubts the key, its machine's links or the site's recipe, by who made them."""

    code = "build.madeInDoubt"
    hint = "Make what is named anew, under the owner's own account; then sign the build again."


class NotAccreditedError(UntrustedError):
    """The recipe asks for an accreditation that did not hold from the beacon until now."""

    code = "build.notAccredited"
    hint = "Disclose the accreditation to this node, or have it renewed; then sign again."


class LaneMismatchError(NotCoveredError):
    """The lane is not the one of this license and site."""

    code = "license.laneMismatch"
    hint = "Name the lane that the site holds under this license."


class NotAllowedError(NotCoveredError):
    """The license's terms do not allow it."""

    code = "license.notAllowed"
    hint = "Ask the licensor for terms that name it."


class NotDisclosedError(UncheckableError):
    """A document that the node must see was not disclosed to it."""

    code = "disclosure.missing"
    hint = "Disclose terms, recipe and site recipe to this node, then send the build again."


class DesignMismatchError(NotCoveredError):
    """The build is not of the design and revision that license and recipe are about."""

    code = "design.mismatch"


class RecipeNotInForceError(NotCoveredError):
    """The recipe is a draft, suspended or retired."""

    code = "recipe.notInForce"
    hint = "Build under a recipe on trial or qualified."


class RecipeMismatchError(NotCoveredError):
    """The site recipe is not this site's own under this recipe."""

    code = "recipe.mismatch"
    hint = "Name the recipe that this site published under the master recipe."


class RecipeDepartsError(NonconformingError):
    """The site's recipe does not keep its master."""

    code = "recipe.departs"
    hint = "Derive the site's recipe again from the master."


class SettingOutsideError(NonconformingError):
    """A recorded setting lies outside the site's recipe."""

    code = "recipe.settingOutside"


class SettingWithheldError(UncheckableError):
    """The site's recipe was disclosed without all of its process clauses."""

    code = "recipe.settingWithheld"
    hint = "Disclose the process clauses of the site's recipe to this node."


class SettingMissingError(NonconformingError):
    """A process clause asks for a setting that the statement does not record."""

    code = "recipe.settingMissing"
    hint = "Let the machine record the setting that is named."


class SettingsNotRecordedError(NotClaimedError):
    """The recipe has process clauses, and the statement records no setting."""

    code = "recipe.settingsNotRecorded"
    hint = "Let the machine record its settings in the statement."


class ClockAheadError(MalformedError):
    """The machine says that it ended later than the chain's time allows."""

    code = "machine.clockAhead"
    hint = (
        "Set the machine's clock; its own times are shown to readers. Where the clock is right, "
        "the chain stands still: write a record, `guildmark log tick`."
    )


class ToleranceExceededError(NonconformingError):
    """A measured value lies outside its tolerance."""

    code = "recipe.toleranceExceeded"


class ConformityUnprovenError(NonconformingError):
    """A value lies so near a limit, or was measured in such a way, that it proves nothing."""

    code = "recipe.conformityUnproven"
    hint = "Measure again with less uncertainty, and state it with its coverage factor."


class RawDataMissingError(NotClaimedError):
    """The recipe asks for the instrument's own file, and a measurement names none."""

    code = "recipe.rawDataMissing"
    hint = "Give the SHA-256 of the instrument's file as rawData."


class QualityPlanUnreadError(UncheckableError):
    """How the recipe wants measurements to be judged cannot be told."""

    code = "recipe.qualityPlanUnread"
    hint = "Disclose the recipe's clauses below /qa/ to this node; update it if it has them."


class InstrumentUncalibratedError(NonconformingError):
    """An instrument was not calibrated as the recipe asks, from the beacon until now."""

    code = "measurement.instrumentUncalibrated"
    hint = "Disclose the instrument's calibration and those above it to this node, or calibrate it."


class MeasurementMissingError(NonconformingError):
    """A toleranced characteristic was not measured."""

    code = "recipe.measurementMissing"
    hint = "Measure the characteristic that is named."


class InstrumentUnknownError(UntrustedError):
    """A measurement names an instrument that nobody registered as a machine."""

    code = "measurement.instrumentUnknown"
    hint = "Register the instrument as a machine and name its id."


class InstrumentTooNewError(UntrustedError):
    """An instrument was registered after the build's beacon."""

    code = "measurement.instrumentTooNew"
    hint = "Register instruments before they measure, and begin with a beacon from after that."


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """An entry that may be logged, and what its statement names beside it.

    Args:
        unit: The unit, where it names one.
        replaces: The envelope of the same machine and counter that it replaces.
        raw_data: The instruments' files that it names.
        values: What opens its statement's values, where it is salted.
    """

    entry: Queued
    raw_data: RawData
    values: OpenedValues | None = None
    unit: UnitNumber | None = None
    replaces: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The door for one batch of envelopes, over one state of the index.

    Args:
        view: The state.
        log: The log that this node runs.
        now: The time of the newest final block.
        reader: What reads statements.
        trust: Which authorities' notices count.
        remembered: The jobs that were examined at this block before.
    """

    view: View
    log: LogNumber
    now: int
    reader: StatementReader = field(default_factory=StatementReader)
    trust: Trust | None = None
    remembered: dict[Hashable, Job] = field(default_factory=dict)
    _shown: dict[tuple[DocumentKind, bytes], DisclosedClauses] = field(default_factory=dict)
    _jobs: dict[Hashable, Job] = field(default_factory=dict)

    def examine(self, delivery: Delivery, digest: Digest, salt: Bytes32) -> Admitted:
        """Return the entry that an envelope may be logged as, salted with ``salt``.

        Args:
            delivery: The envelope, and what opens its statement's values.
            digest: The envelope's digest.
            salt: 32 random bytes.

        Raises:
            GuildmarkError: The first thing that does not hold; its code says which.
        """
        data, values = delivery.envelope, delivery.values
        envelope = Envelope.parse(data)
        if is_inspection(envelope):
            entry = inspecting.admitted(data, envelope, salt, view=self.view, log=self.log)
            said = inspection_in(envelope)
            raw_data = RawData.of(entry.label, said.site, said.measurements)
            return Admitted(entry=entry, raw_data=raw_data)
        read = self.reader.read(envelope.payload, envelope.signatures[0].key)
        statement = delivery.opened(read.statement)
        # First of all: who sent it to the wrong node learns nothing else of it.
        self._check_log(statement)
        key = self._signer(envelope, statement)
        self._check_clock(statement)
        self._check_label(statement.label)
        job = self._job(key, ReadStatement(statement=statement, form=read.form))
        for granted, beginnings in zip(job.licenses, job.beginnings, strict=True):
            if not statement.label.startswith(beginnings):
                _check_named(*granted, TermsKind.LABEL_NAMESPACE, statement.label)
        _check_measurements(job.tolerances, job.plan, statement)
        if job.demand is not None:
            self._check_countersigned(job.demand, envelope, statement)
        entry = queued(data, digest, envelope, statement, salt)
        return Admitted(
            entry=entry,
            unit=statement.external.unit,
            replaces=statement.replaces,
            raw_data=RawData.of(entry.label, statement.run.site, statement.measurements),
            values=values if statement.roots is not None else None,
        )

    def _job(self, key: KeyFact, read: ReadStatement) -> Job:
        """Examine once what all parts of a job share, and return what each is measured by.

        What earlier requests found stands while the documents do that they found it by.
        """
        shared = _shared(key, read)
        job = self._jobs.get(shared)
        if job is None:
            job = self.remembered.get(shared)
            if job is None or not still_tell(job.told, self.view.documents):
                noted = NotedDocuments(documents=self.view.documents)
                view = View(facts=self.view.facts, log=self.view.log, documents=noted)
                job = replace(self, view=view).examine_job(key, read.statement, noted.told)
            self._jobs[shared] = self.remembered[shared] = job
        return job

    def examine_job(self, key: KeyFact, statement: BuildStatement, told: Told) -> Job:
        """Return what all parts of a statement's job share.

        Args:
            key: The key that signed.
            statement: One of the job's.
            told: Where the view notes the documents that it is asked for.

        Raises:
            GuildmarkError: The first thing that does not hold; its code says which.
        """
        self._check_window(key, statement)
        granted = self._check_lane(statement)
        licenses = self._check_terms(granted, statement)
        self._check_design(granted, statement)
        self._check_undoubted(key, statement)
        self._check_given(licenses[-1][0], statement)
        master, site = self._check_recipe(statement)
        beginnings = [label_beginnings(members) for _, members in licenses]
        if statement.scrap is not None:
            # It draws a unit by the same rights; how bad it is, is nobody's to refuse.
            return Job(licenses=licenses, beginnings=beginnings, told=told)
        return Job(
            licenses=licenses,
            beginnings=beginnings,
            tolerances=_tolerances(site),
            plan=self._check_plan(master, statement),
            demand=demanded(master),
            told=told,
        )

    def foresee(self, statement: BuildStatement, signer: KeyId) -> None:
        """Refuse a statement, before anybody signs it, that this door would surely refuse.

        It looks at key, times, links, and at settings and measurements where the site's recipe is
        here in full.

        Args:
            statement: What is to be signed.
            signer: The key that is to sign it.

        Raises:
            GuildmarkError: The first thing that does not hold; its code says which.
        """
        key = self.view.facts.get(KeyFact, signer)
        if key is None:
            message = f"The key is none of machine {to_hex(statement.run.machine)}."
            raise KeyUnknownError(message, machine=to_hex(statement.run.machine))
        self._check_window(key, statement)
        self._check_clock(statement)
        document = self.view.documents.get(
            DocumentKind.RECIPE_DOCUMENT, statement.external.site_recipe
        )
        if document is not None and statement.scrap is None:
            shown = disclose_all(RecipeDocument.parse(document).clauses)
            own = known(self.view.facts, SiteRecipeFact, statement.external.site_recipe)
            clauses = shown.verify(own.recipe.root)
            _check_settings(clauses, statement)
            _check_measurements(_tolerances(clauses), _plan(clauses), statement)
        self._check_instruments(statement)

    def _check_log(self, statement: BuildStatement) -> None:
        named, lane = statement.external.log, statement.external.lane
        if named != self.log:
            message = f"The statement names log {named}; this is log {self.log}."
            raise LaneLogError(message, lane=lane, log=named)

    def _check_label(self, label: str) -> None:
        # One text a label and one parser for all: as check (3) asks.
        link = label_like(label)
        operator = known(self.view.facts, LogFact, self.log).operator
        if not link.is_of_operator(operator):
            message = f"The label names operator {link.value}; log {self.log} has another one."
            raise LabelOperatorError(
                message, found=link.value, expected=operator_token(operator), log=self.log
            )

    def _signer(self, envelope: Envelope, statement: BuildStatement) -> KeyFact:
        envelope.check_type(PAYLOAD_TYPE, "build statement", PayloadTypeError)
        keys = [self.view.facts.get(KeyFact, one.key) for one in envelope.signatures]
        own = [key for key in keys if key and key.machine == statement.run.machine]
        if not own:
            message = f"No key of machine {to_hex(statement.run.machine)} signed."
            raise KeyUnknownError(message, machine=to_hex(statement.run.machine))
        envelope.verify({key.id: _public_key(key).verify for key in own})
        return own[0]

    def _check_window(self, key: KeyFact, statement: BuildStatement) -> None:
        begin = self._beacon_time(statement)
        self._check_key(key, begin)
        run = statement.run
        self._check_link(run.machine, run.site, begin)
        self._check_link(run.site, run.maker, begin)

    def _check_key(self, key: KeyFact, begin: int) -> None:
        if key.until or key.notice_at or key.since > begin:
            message = f"The key {to_hex(key.id)} was not good from {begin} until now."
            raise KeyOutsideWindowError(message, key=to_hex(key.id), since=key.since)

    def _check_clock(self, statement: BuildStatement) -> None:
        finished_on = statement.run.finished_on
        if finished_on > self.now + CLOCK_TOLERANCE:
            message = f"The build ends at {finished_on}, the chain is at {self.now}."
            raise ClockAheadError(message, finishedOn=finished_on, now=self.now)

    def _beacon_time(self, statement: BuildStatement) -> int:
        beacon = statement.beacon
        found = self.view.facts.get(RecordFact, beacon.log, beacon.seq)
        if found is None or found.record.digest() != beacon.record_digest:
            message = f"Record {beacon.seq} of log {beacon.log} is not the statement's beacon."
            raise BeaconUnknownError(message, log=beacon.log, seq=beacon.seq)
        return found.record.time

    def _check_link(self, child: IdentityId, parent: IdentityId, begin: int) -> None:
        facts = self.view.facts
        present = facts.get(ParentFact, child)
        links = facts.each(LinkFact, child, parent)
        is_open = present is not None and present.parent == parent
        if not is_open or links[-1].since > begin:
            message = f"{to_hex(child)} did not belong to {to_hex(parent)} from {begin} until now."
            raise LinkOutsideWindowError(message, child=to_hex(child), parent=to_hex(parent))

    def _check_lane(self, statement: BuildStatement) -> LicenseFact:
        external = statement.external
        lane = self.view.facts.get(LaneFact, external.lane)
        if lane is None:
            message = f"No license has a lane {external.lane}."
            raise LicenseUnknownError(message, lane=external.lane)
        if lane.log != self.log:
            message = f"Lane {lane.number} draws into log {lane.log}; this is log {self.log}."
            raise LaneLogError(message, lane=lane.number, log=lane.log)
        granted = known(self.view.facts, LicenseFact, lane.license)
        if granted.id != external.license or lane.holder != statement.run.site:
            message = f"Lane {lane.number} is of another license or site."
            raise LaneMismatchError(message, lane=lane.number)
        return granted

    def _check_terms(
        self, granted: LicenseFact, statement: BuildStatement
    ) -> Sequence[tuple[LicenseFact, DisclosedClauses]]:
        """Return the licenses, from the lane's own to the root's, each with its terms."""
        run = statement.run
        place = Place.known(run.site, run.maker, self.view, trust=self.trust)
        found = []
        for license_ in (granted, *above(granted.terms, self.view.facts)):
            terms_root = license_.terms.terms_root
            members = self._clauses(DocumentKind.TERMS, license_.id, terms_root)
            for kind, value in _named(statement):
                _check_named(license_, members, kind, value)
            place.check(license_.number, members, begun=self._beacon_time(statement))
            found.append((license_, members))
        return found

    def _check_design(self, granted: LicenseFact, statement: BuildStatement) -> None:
        external = statement.external
        revision = self.view.facts.get(RevisionFact, external.design, external.revision)
        if granted.terms.design != external.design or revision is None:
            message = f"License {granted.number} is not about this design and revision."
            raise DesignMismatchError(message, design=to_hex(external.design))
        if statement.resource(DESIGN_DEPENDENCY) != revision.revision.ciphertext:
            message = "The build did not begin from the revision's encrypted files."
            raise DesignMismatchError(message, revision=external.revision)

    def _check_undoubted(self, key: KeyFact, statement: BuildStatement) -> None:
        """Refuse what a notice would put in doubt: key, links, site recipe, by who made them."""
        run, facts = statement.run, self.view.facts
        if any(one.target == Bytes32(key.id) for one in self._notices(run.machine)):
            message = f"The key {to_hex(key.id)} is under an authority's notice."
            raise MadeInDoubtError(message, key=to_hex(key.id))
        acts = [(run.machine, key.since)]
        site_recipe = facts.get(SiteRecipeFact, statement.external.site_recipe)
        # One that nobody published is refused where its clauses are read.
        acts += [] if site_recipe is None else [(run.site, site_recipe.published_at)]
        for child, parent in ((run.machine, run.site), (run.site, run.maker)):
            since = facts.each(LinkFact, child, parent)[-1].since
            acts += [(child, since), (parent, since)]
        for identity, time in acts:
            if is_act_doubted(identity, time, facts, self.trust):
                message = f"What {to_hex(identity)} did at {time} is doubted."
                raise MadeInDoubtError(message, identity=to_hex(identity), time=time)

    def _check_given(self, root: LicenseFact, statement: BuildStatement) -> None:
        """Refuse units or papers that a notice puts in doubt, by whoever gave or published them."""
        lane = known(self.view.facts, LaneFact, statement.external.lane)
        check_given(lane, root, self.view.facts, self.trust)
        external = statement.external
        times = published_times(
            self.view.facts.get(RevisionFact, external.design, external.revision),
            self.view.facts.get(RecipeFact, external.recipe),
            self._beacon_time(statement),
        )
        check_published(lane, root, times, self.view.facts, self.trust)

    def _notices(self, identity: IdentityId) -> Sequence[NoticeFact]:
        return counting(identity, self.view.facts, self.trust)

    def _check_accredited(self, master: DisclosedClauses, statement: BuildStatement) -> None:
        """Refuse what is not accredited from the beacon until now, where the recipe asks.

        Whose word counts is for each reader: the door takes anybody's.
        """
        run = statement.run
        window = Window(begin=self._beacon_time(statement), end=self.now)
        wanted = asked(list(master.opened.values()), run.site).requirements
        subjects = (run.maker, run.site) if wanted else ()
        shown = [
            one for each in subjects for one in accreditations_above(each, self.view, self.trust)
        ]
        for requirement in wanted:
            answer = accredited_over(
                (run.maker, run.site), requirement, window, shown=shown, roots=lambda _: _ANYBODY
            )
            if not answer.is_held:
                raise NotAccreditedError(answer.reason, wanted=str(requirement))

    def _check_countersigned(
        self, demand: Demand, envelope: Envelope, statement: BuildStatement
    ) -> None:
        """Refuse an envelope without the second signature that its recipe asks for."""
        run, begin = statement.run, self._beacon_time(statement)
        second = admitted(demand, envelope, run, self.view.facts)
        if second is None:
            message = f"The recipe asks that {demand.words} signs, too."
            raise CountersignatureMissingError(message, signatures=len(envelope.signatures))
        envelope.verify({second.key.id: _public_key(second.key).verify})
        self._check_key(second.key, begin)
        self._check_link(second.key.machine, second.site, begin)
        self._check_link(second.site, second.organization, begin)

    def _check_recipe(self, statement: BuildStatement) -> tuple[DisclosedClauses, DisclosedClauses]:
        """Return the recipe and the site's own one, which keeps it."""
        master, site = self._recipes(statement)
        departure = compare(master, site)
        if departure is not None:
            where = departure.path or f"leaf {departure.leaf}"
            message = f"The site's recipe departs at {where}: {departure.deviation.value}."
            raise RecipeDepartsError(message, path=departure.path, leaf=departure.leaf)
        if statement.scrap is None:
            _check_settings(site, statement)
            check_approved(statement.external.recipe, master, self.view, self.trust)
        self._check_instruments(statement)
        self._check_accredited(master, statement)
        return master, site

    def _check_plan(self, master: DisclosedClauses, statement: BuildStatement) -> QualityPlan:
        """Return how a recipe's measurements are judged; its instruments are calibrated.

        Whose word counts is for each reader: the door takes anybody's.
        """
        plan = _plan(master)
        if not plan.calibration:
            return plan
        wanted = Requirement(standard=plan.calibration)
        window = Window(begin=self._beacon_time(statement), end=self.now)
        for identity in _instruments(statement):
            shown = accreditations_above(identity, self.view, self.trust)
            answer = accredited_over(
                [identity], wanted, window, shown=shown, roots=lambda _: _ANYBODY
            )
            if not answer.is_held:
                message = f"The instrument {to_hex(identity)} was not calibrated. {answer.reason}"
                raise InstrumentUncalibratedError(message, instrument=to_hex(identity))
        return plan

    def _check_instruments(self, statement: BuildStatement) -> None:
        for name in dict.fromkeys(one.instrument for one in statement.measurements):
            identity = instrument_id(name)
            found = None if identity is None else self.view.facts.get(IdentityFact, identity)
            if found is None or found.kind != IdentityKind.MACHINE:
                message = f"The instrument {name[:80]!r} is no registered machine."
                raise InstrumentUnknownError(message, instrument=name[:80])
            begin = self._beacon_time(statement)
            if found.since > begin:
                message = f"The instrument {name} was registered at {found.since}, after {begin}."
                raise InstrumentTooNewError(message, instrument=name, since=found.since)

    def _recipes(self, statement: BuildStatement) -> tuple[DisclosedClauses, DisclosedClauses]:
        external, facts = statement.external, self.view.facts
        recipe = facts.get(RecipeFact, external.recipe)
        own = facts.get(SiteRecipeFact, external.site_recipe)
        if recipe is None or own is None or not _fit(recipe, own, statement):
            message = "Recipe and site recipe are not those of this design and site."
            raise RecipeMismatchError(message, recipe=to_hex(external.recipe))
        if recipe.status not in {Status.TRIAL, Status.QUALIFIED}:
            message = f"The recipe is {Status(recipe.status).name.lower()}."
            raise RecipeNotInForceError(message, status=Status(recipe.status).name.lower())
        return (
            self._clauses(DocumentKind.RECIPE, recipe.id, recipe.recipe.root),
            self._clauses(DocumentKind.SITE_RECIPE, own.id, own.recipe.root),
        )

    def _clauses(self, kind: DocumentKind, key: bytes, root: Digest) -> DisclosedClauses:
        # Asked for each time, so that each job notes it; read once.
        self.view.documents.get(kind, key)
        if (kind, key) not in self._shown:
            shown = shown_clauses(self.view.documents, kind, key)
            if shown is None:
                message = f"The {kind.value} {to_hex(key)} was not disclosed to this node."
                raise NotDisclosedError(message, kind=kind.value, key=to_hex(key))
            self._shown[kind, key] = shown.verify(root)
        return self._shown[kind, key]


def _shared(key: KeyFact, read: ReadStatement) -> Hashable:
    """Return all that a statement says but for its part: label, salt, unit, times and values."""
    statement = read.statement
    if read.form is not None and statement.roots is None:
        return (key.id, read.form, statement.beacon)
    recorded = (
        statement.settings,
        tuple(one.instrument for one in statement.measurements),
    )
    if read.form is not None:
        # A salted form says of the values that there are some.
        return (key.id, read.form, statement.beacon, recorded)
    run, external = statement.run, statement.external
    return (
        key.id,
        statement.kind,
        (run.maker, run.site, run.machine),
        statement.beacon,
        (external.license, external.recipe, external.site_recipe, external.design),
        (external.revision, external.log, external.lane),
        statement.resolved,
        recorded,
    )


def _public_key(key: KeyFact) -> PublicKey:
    return _registered(key.algorithm, key.public_key)


@lru_cache(maxsize=1024)
def _registered(algorithm: int, data: bytes) -> PublicKey:
    """Return a key as the chain has it; a machine signs by the thousand."""
    return PublicKey(algorithm=Algorithm(algorithm), data=data)


def _named(statement: BuildStatement) -> Iterator[tuple[TermsKind, str]]:
    external, run = statement.external, statement.run
    yield TermsKind.REVISION, revision_member(external.design, external.revision)
    yield TermsKind.RECIPE, to_hex(external.recipe)
    yield TermsKind.SITE, to_hex(run.site)
    yield TermsKind.MACHINE, to_hex(run.machine)


def _check_named(
    license_: LicenseFact, members: DisclosedClauses, kind: TermsKind, value: str
) -> None:
    if allows(members, kind, value) is not Allowance.YES:
        message = f"License {license_.number} does not allow {kind.value} {value[:90]}."
        raise NotAllowedError(message, kind=kind.value, value=value[:90])


def _fit(recipe: RecipeFact, own: SiteRecipeFact, statement: BuildStatement) -> bool:
    external = statement.external
    of_design = (recipe.recipe.design, recipe.recipe.revision)
    of_site = (own.recipe.master, own.recipe.site)
    return of_design == (external.design, external.revision) and of_site == (
        external.recipe,
        statement.run.site,
    )


def _check_settings(site: DisclosedClauses, statement: BuildStatement) -> None:
    if site.may_hide(PROCESS):
        message = "Not all process clauses of the site's recipe were disclosed to this node."
        raise SettingWithheldError(message)
    if site.below(PROCESS) and not statement.settings:
        message = "The recipe has process clauses, and the statement records no setting."
        raise SettingsNotRecordedError(message)
    for setting in statement.settings:
        clause = site.find(setting.path)
        if clause is None or not clause.admits(setting.value, setting.unit):
            message = f"The setting {setting.path} is not as the site's recipe has it."
            raise SettingOutsideError(message, path=setting.path, found=setting.value[:40])
    for path in unrecorded(site, statement.settings):
        message = f"The statement records no setting for {path}."
        raise SettingMissingError(message, path=path)


def _tolerances(site: DisclosedClauses) -> Sequence[Clause]:
    return [one for one in site.below(TOLERANCE) if one.type is ClauseType.QUANTITY]


def _plan(clauses: DisclosedClauses) -> QualityPlan:
    """Return how measurements are judged.

    Raises:
        QualityPlanUnreadError: A clause that says so is hidden, or of a form that is not known.
    """
    plan = QualityPlan.of(clauses.opened.values())
    hidden = (one for one in ASKING if clauses.find(one) is None and clauses.may_hide(one))
    unread = next(chain(plan.unread, hidden), None)
    if unread is not None:
        message = f"The clause {unread} is hidden, or in an unknown form."
        raise QualityPlanUnreadError(message, path=unread)
    return plan


def _instruments(statement: BuildStatement) -> Iterator[IdentityId]:
    named = dict.fromkeys(one.instrument for one in statement.measurements)
    yield from filter(None, map(instrument_id, named))


def _check_measurements(
    tolerances: Sequence[Clause], plan: QualityPlan, statement: BuildStatement
) -> None:
    measured = {one.characteristic: one for one in statement.measurements}
    is_sampled = plan.samples(statement.external.unit)
    for clause in tolerances:
        found = measured.get(clause.path)
        if found is not None:
            _check_measured(clause, plan, found)
        elif is_sampled:
            message = f"{clause.path} was not measured."
            raise MeasurementMissingError(message, path=clause.path)


def _check_measured(clause: Clause, plan: QualityPlan, found: Measurement) -> None:
    decision = decide(found, clause, plan.rule, plan.least_ratio)
    if decision.outcome is Outcome.EXCEEDED:
        message = f"{_said(clause, found)}, out of tolerance."
        raise ToleranceExceededError(
            message, path=clause.path, found=found.value, min=clause.minimum, max=clause.maximum
        )
    if decision.outcome is Outcome.UNPROVEN:
        message = f"{_said(clause, found)}. {decision.reason}"
        raise ConformityUnprovenError(message, path=clause.path, found=found.value)
    if plan.is_raw_asked and found.raw_data is None:
        message = f"The measurement of {clause.path} names no file of its instrument."
        raise RawDataMissingError(message, path=clause.path)


def _said(clause: Clause, found: Measurement) -> str:
    return f"{clause.path} measures {found.value} {found.unit}"


def queued(
    data: bytes, digest: Digest, envelope: Envelope, statement: BuildStatement, salt: Bytes32
) -> Queued:
    """Return the entry that an envelope is logged as, without asking whether it may be."""
    run = statement.run
    entry = Entry(
        kind=statement.kind,
        subject=statement.subject,
        envelope=digest,
        site_recipe=statement.external.site_recipe,
        machine=run.machine,
        maker=run.maker,
        dependencies=statement.dependencies,
    )
    return Queued(
        envelope=data,
        digest=digest,
        payload=sha256(envelope.payload),
        entry=entry,
        salt=salt,
        lane=statement.external.lane,
        label=statement.label,
        counter=run.counter,
    )
