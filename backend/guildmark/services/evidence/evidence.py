"""The exporter: everything that a verdict about one part needs, proven at one block."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from guildmark.domain.builds.countersigning import Demand, countersignature_clause
from guildmark.domain.builds.delivery import OpenedValues, recorded_measurements
from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.builds.predicate import Measurement, RunDetails
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.builds.values import MeasurementsDisclosure, SettingsDisclosure
from guildmark.domain.chain.facts import (
    AuthorityFact,
    ClaimFact,
    ControllerFact,
    IdentityFact,
    KeyFact,
    LaneFact,
    LicenseFact,
    LinkFact,
    LogFact,
    NamedByFact,
    NoticeFact,
    PartFact,
    PlanFact,
    ProfileFact,
    RecallFact,
    RecipeFact,
    RecordFact,
    RevisionFact,
    SitePlanFact,
    SiteRecipeFact,
)
from guildmark.domain.equivalence.registration import covered_by, is_asked
from guildmark.domain.errors import GuildmarkError, NotFinalError, UnknownPartError
from guildmark.domain.identifiers import (
    UINT64_MAX,
    Address,
    IdentityId,
    Index,
    LogNumber,
    UnitNumber,
)
from guildmark.domain.identity.accreditation import Requirement
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.log.queue import Logged
from guildmark.domain.log.record import Record
from guildmark.domain.measurement.quality_plan import QualityPlan
from guildmark.domain.recipes.approval import (
    DESIGNER,
    KeptApprovals,
    SignedApproval,
    approval_clause,
    asked_standard,
)
from guildmark.domain.recipes.recipe import LESSER
from guildmark.domain.rights.design import Revision
from guildmark.domain.signatures import Algorithm, PublicKey
from guildmark.domain.verification.checks.accreditation import asked
from guildmark.domain.verification.choice import ANYBODY, Choice
from guildmark.domain.verification.evidence import (
    ACCREDITATIONS_MAX,
    INSPECTIONS_MAX,
    INTERVALS_MAX,
    LANES_MAX,
    OWNERS_MAX,
    PLANS_MAX,
    AccreditationDisclosure,
    ChainEvidence,
    ClaimDisclosure,
    ControllersDisclosure,
    Core,
    CountersignerDisclosure,
    Disclosures,
    Evidence,
    ExtensionDisclosure,
    FormerRecipeDisclosure,
    InspectionDisclosure,
    LaneDisclosure,
    LicenseDisclosure,
    LinkDisclosure,
    OwnerDisclosure,
    PlanDisclosure,
    ProfileDisclosure,
    RecipeDisclosure,
    SiteRecipeDisclosure,
    shown_recalls,
)
from guildmark.domain.verification.slots import (
    acting,
    instrument_id,
    recall_lists,
    required_slots,
)
from guildmark.ports.chain import Block, Ledger
from guildmark.ports.peers import BlockNotes
from guildmark.ports.store import DocumentKind, NodeStore, View
from guildmark.services.builds.countersigning import admitted
from guildmark.services.builds.inspecting import proofs_of, telling
from guildmark.services.identity.accreditations import issuers_above
from guildmark.services.identity.notices import is_act_doubted
from guildmark.services.index.projection import FactMissingError, known
from guildmark.services.log.erased import refuse_erased
from guildmark.services.log.proving import TREES
from guildmark.services.log.settling import licenses_of
from guildmark.services.recipes.disclosing import shown_claim, shown_clauses, shown_declaration
from guildmark.services.rights.giving import (
    Signing,
    lanes_above,
    published_times,
    signing,
    spoke_for,
    tenures,
)


class PartUnknownError(UnknownPartError):
    """No final entry stands at this position, as far as this node knows."""

    code = "part.unknown"


class RecordTooYoungError(NotFinalError):
    """The block is older than the part's record."""

    code = "evidence.blockTooEarly"
    hint = "Ask at a later block."


class EvidenceNotFinalError(NotFinalError):
    """The block is later than the newest final one."""

    code = "evidence.blockNotFinal"
    hint = "Ask at the newest final block, or wait until the block is final."


_AUTHORITIES = 8
"""Of how many authorities a bundle proves what they said, where nobody names them."""

_CLAIMS_A_PARTY = 16
"""How many claims a bundle brings about one party."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """Use cases around the evidence for parts of this node's own log.

    Args:
        notes: Who has notes of witnesses about blocks, None where nobody is asked.
    """

    ledger: Ledger
    store: NodeStore
    notes: BlockNotes | None = None

    def evidence(self, log: LogNumber, index: Index, *, block: int | None = None) -> Evidence:
        """Return the evidence for a part at a final block, the newest by default.

        Raises:
            PartUnknownError: This node's log has no final entry there.
            PartErasedError: The entry's content was erased.
            RecordTooYoungError: The record is younger than the block.
            EvidenceNotFinalError: The block is not final.
            LedgerUnavailableError: The chain cannot be reached.
        """
        return self.prove(self.gather(log, index), block=block)

    def gather(self, log: LogNumber, index: Index, choice: Choice = ANYBODY) -> Evidence:
        """Return what this node knows of a part of its own log, the chain's state left out.

        Args:
            log: The log.
            index: The entry's index in it.
            choice: Whom the asker lists: they go before others where not all can be shown.

        Raises:
            PartUnknownError: This node's log has no final entry there.
            PartErasedError: The entry's content was erased.
        """
        with self.store.reading() as view:
            gathered = self._gathered(log, index, view, choice)
            replacing = _replacing(log, index, view)
            replacement = (
                None if replacing is None else self._gathered(log, replacing, view, choice)
            )
        return replace(gathered, replacement=replacement)

    def prove(self, gathered: Evidence, *, block: int | None = None) -> Evidence:
        """Return the same evidence with the state of a final block.

        What stands inside it is proven under the same block, or left out where it is younger.

        Raises:
            RecordTooYoungError: The record is younger than the block.
            EvidenceNotFinalError: The block is not final.
            LedgerUnavailableError: The chain cannot be reached.
        """
        return self._proven(gathered, self._block(gathered.core.record, block))

    def _proven(self, gathered: Evidence, at: Block) -> Evidence:
        gathered = self._with_recalls(gathered)
        slots = required_slots(gathered.core, gathered.disclosed)
        chain = ChainEvidence(
            pin=self.ledger.pin(),
            header=self.ledger.header(at.number),
            accounts=self.ledger.proof(at.number, slots),
            note=b"" if self.notes is None else self.notes.note(at),
        )
        proven = replace(gathered, chain=chain, replacement=None, rivals=())
        inner = gathered.replacement
        return replace(
            proven,
            replacement=self._proven(inner, at) if inner and proven.is_replaced else None,
            rivals=tuple(
                self._proven(rival, at)
                for rival in gathered.rivals
                if rival.core.record.time <= at.time
            ),
        )

    def _with_recalls(self, gathered: Evidence) -> Evidence:
        """Return the evidence with what this node knows to be recalled, whoever gathered it."""
        core, disclosed = gathered.core, gathered.disclosed
        with self.store.reading() as view:
            lists = {
                (key, by): view.facts.each(RecallFact, key, by)
                for key, by in recall_lists(core, disclosed)
            }
        counted = [(key, by, len(facts)) for (key, by), facts in lists.items()]
        reaching = {
            each: [fact.number for fact in facts if fact.reaches(core.record.time)]
            for each, facts in lists.items()
        }
        shown = shown_recalls(counted, reaching)
        return replace(gathered, disclosed=replace(disclosed, recalls=shown))

    def _block(self, record: Record, number: int | None) -> Block:
        head = self.ledger.head(final=True)
        if number is not None and number > head.number:
            message = f"Block {number} is not final; the newest final block is {head.number}."
            raise EvidenceNotFinalError(message, block=number, final=head.number)
        at = head if number is None else self.ledger.block(number)
        if at.time < record.time:
            message = f"Block {at.number} is older than record {record.seq} of log {record.log}."
            raise RecordTooYoungError(message, block=at.number)
        return at

    def _gathered(self, log: LogNumber, index: Index, view: View, choice: Choice) -> Evidence:
        logged = view.log.logged(log, index)
        # A receipt concerns who asked and who licensed; an inspection is shown beside its part.
        if logged is None or not logged.queued.entry.kind.is_of_a_part:
            refuse_erased(view.documents, log, index)
            message = f"This node knows no final part {log}.{index}."
            raise PartUnknownError(message, log=log, index=index)
        core = _core(logged, view)
        chain = ChainEvidence(pin=self.ledger.pin(), header=b"")
        return Evidence(core=core, disclosed=disclosures(core, view, choice), chain=chain)


def _replacing(log: LogNumber, index: Index, view: View) -> Index | None:
    part = view.facts.get(PartFact, log, index)
    fate = 0 if part is None else part.fate
    return None if fate in {0, UINT64_MAX} else Index(fate)


def _core(logged: Logged, view: View) -> Core:
    record = known(view.facts, RecordFact, logged.log, logged.seq).record
    return Core(
        envelope=logged.queued.envelope,
        entry=logged.queued.entry,
        salt=logged.queued.salt,
        record=record,
        position=logged.position,
        path=TREES.path(record, logged.position, view.log),
    )


def disclosures(core: Core, view: View, choice: Choice = ANYBODY) -> Disclosures:
    """Return what this node may show about an entry; what it does not know stays absent."""
    operator = _operator(core.record, view)
    declared = shown_declaration(view.documents, core.entry.envelope)
    shown = Disclosures(
        operator=operator,
        licenses=_licenses(core, view),
        lanes=_lanes(core, view),
        extension=_extension(core, view),
        dependencies=() if declared is None else declared.dependencies,
    )
    try:
        envelope = Envelope.parse(core.envelope)
        statement = BuildStatement.parse(envelope.payload)
    except GuildmarkError:
        # An envelope that cannot be read is a finding of the checks.
        return shown
    run, revision = statement.run, _revision(statement, view)
    owner = _owner(core, revision, view)
    parties = [party for party in (run.maker, owner) if party is not None]
    claims = tuple(_claims([*parties, run.site], view, choice.issuers))
    recipe = _recipe(statement, view)
    approvals = _approvals(recipe, view)
    owners = tuple(_owners(core, statement, approvals, view))
    settings, measurements = _shown_values(core, view)
    measured = recorded_measurements(statement, measurements).values
    accreditations = _accreditations(statement.run, measured, recipe, approvals, view)
    issuers = {one.issuer for one in claims} | {one.issuer for one in accreditations}
    inspections = tuple(_inspections(core, view, choice.inspectors))
    inspectors = {one.proof.opened()[1].inspector for one in inspections}
    others = {one.identity for one in owners if one.identity is not None}
    others |= {one.approval.approver for one in approvals} - {DESIGNER}
    named = {run.machine, run.site, *parties, *others, *issuers, *inspectors}
    told = replace(
        shown,
        key=_key_of(envelope, run.machine, view),
        site_link=_link(run.machine, run.site, view),
        maker_link=_link(run.site, run.maker, view),
        beacon=_beacon(statement, view),
        recipe=recipe,
        site_recipe=_site_recipe(statement, view),
        revision=revision,
        owner=owner,
        owners=owners,
        claims=claims,
        profiles=(
            *_profiles(named if operator is None else {*named, operator}, view),
            *_former_profiles(run.site, statement, core.record, view),
        ),
        accreditations=accreditations,
        inspections=inspections,
        countersigner=_countersigner(envelope, run, recipe, view),
        equivalence=tuple(equivalence_plans(run.site, recipe, view)),
        approvals=approvals,
        former_recipe=_former_recipe(recipe, view),
        settings=settings,
        measurements=measurements,
    )
    actors = sorted(acting(core, told))
    return replace(
        told,
        controllers=tuple(_controllers(actors, view)),
        authorities=choice.authorities or tuple(_authorities(actors, view)),
    )


def _controllers(identities: Sequence[IdentityId], view: View) -> Iterator[ControllersDisclosure]:
    for identity in identities:
        count = len(view.facts.each(ControllerFact, identity))
        if count > 1:
            shown = min(count, INTERVALS_MAX)
            yield ControllersDisclosure(identity=identity, count=shown)


def _authorities(identities: Sequence[IdentityId], view: View) -> Iterator[IdentityId]:
    """Yield authorities who gave notice before those who did not, the oldest first.

    Anybody can register one. A reader whose authority is crowded out is told so, never misled.
    """
    given = [notice for one in identities for notice in view.facts.each(NoticeFact, one)]
    givers = [one.by for one in sorted(given, key=_age) if one.is_by_authority]
    known_ones = [one.identity for one in view.facts.each(AuthorityFact)]
    yield from islice(dict.fromkeys([*givers, *known_ones]), _AUTHORITIES)


def _age(notice: NoticeFact) -> int:
    return notice.notice_at


def _operator(record: Record, view: View) -> IdentityId | None:
    log = view.facts.get(LogFact, record.log)
    return None if log is None else log.operator


def _licenses(core: Core, view: View) -> tuple[LicenseDisclosure, ...]:
    granted = _granted(core, view)
    shown = [(one, shown_clauses(view.documents, DocumentKind.TERMS, one.id)) for one in granted]
    return tuple(
        LicenseDisclosure(number=one.number, terms=one.terms, members=members)
        for one, members in shown
        if members is not None
    )


def _granted(core: Core, view: View) -> Sequence[LicenseFact]:
    """Return the license of an entry's unit and all above it, the root last."""
    grant = core.record.grant_at(core.position)
    lane = None if grant is None else view.facts.get(LaneFact, grant.lane)
    return () if lane is None else licenses_of(lane, view.facts)


def _key_of(envelope: Envelope, machine: IdentityId, view: View) -> PublicKey | None:
    for signature in envelope.signatures:
        key = view.facts.get(KeyFact, signature.key)
        if key is not None and key.machine == machine:
            return PublicKey(algorithm=Algorithm(key.algorithm), data=key.public_key)
    return None


def _link(child: IdentityId, parent: IdentityId, view: View) -> LinkDisclosure:
    intervals = view.facts.each(LinkFact, child, parent)
    return LinkDisclosure(child=child, parent=parent, count=len(intervals))


def _countersigner(
    envelope: Envelope, run: RunDetails, recipe: RecipeDisclosure | None, view: View
) -> CountersignerDisclosure | None:
    """Return who gave the second signature, None where the recipe asks for none."""
    clause = None if recipe is None else countersignature_clause(recipe.clauses.opened.values())
    demand = None if clause is None else Demand.of(clause)
    found = None if demand is None else admitted(demand, envelope, run, view.facts)
    if found is None:
        return None
    key = found.key
    return CountersignerDisclosure(
        machine=key.machine,
        key=PublicKey(algorithm=Algorithm(key.algorithm), data=key.public_key),
        site_link=_link(key.machine, found.site, view),
        link=_link(found.site, found.organization, view),
    )


def _inspections(
    core: Core, view: View, inspectors: Sequence[IdentityId]
) -> Iterator[InspectionDisclosure]:
    """Yield what others than the maker found of this very envelope, the asker's own ones first."""
    for proof in telling(proofs_of(core.entry.envelope, view), inspectors, INSPECTIONS_MAX):
        envelope, said, _ = proof.opened()
        yield InspectionDisclosure(
            proof=proof,
            key=_key_of(envelope, said.machine, view),
            site_link=_link(said.machine, said.site, view),
            inspector_link=_link(said.site, said.inspector, view),
        )


def _beacon(statement: BuildStatement, view: View) -> Record | None:
    found = view.facts.get(RecordFact, statement.beacon.log, statement.beacon.seq)
    return None if found is None else found.record


def _recipe(statement: BuildStatement, view: View) -> RecipeDisclosure | None:
    fact = view.facts.get(RecipeFact, statement.external.recipe)
    clauses = shown_clauses(view.documents, DocumentKind.RECIPE, statement.external.recipe)
    if fact is None or clauses is None:
        return None
    return RecipeDisclosure(recipe=fact.recipe, steps=fact.steps, clauses=clauses)


def _former_recipe(recipe: RecipeDisclosure | None, view: View) -> FormerRecipeDisclosure | None:
    """Return the recipe before one that says that it changes little, with what differs in it."""
    if recipe is None or recipe.recipe.change not in LESSER:
        return None
    former = recipe.recipe.supersedes
    fact = view.facts.get(RecipeFact, former)
    shown = shown_clauses(view.documents, DocumentKind.RECIPE, former)
    if fact is None or shown is None:
        return None
    present = frozenset(recipe.clauses.leaves)
    unlike = {at: one for at, one in shown.opened.items() if shown.leaves[at] not in present}
    return FormerRecipeDisclosure(recipe=fact.recipe, clauses=replace(shown, opened=unlike))


def _site_recipe(statement: BuildStatement, view: View) -> SiteRecipeDisclosure | None:
    own = statement.external.site_recipe
    fact = view.facts.get(SiteRecipeFact, own)
    clauses = shown_clauses(view.documents, DocumentKind.SITE_RECIPE, own)
    if fact is None or clauses is None:
        return None
    return SiteRecipeDisclosure(recipe=fact.recipe, clauses=clauses)


def equivalence_plans(
    site: IdentityId, recipe: RecipeDisclosure | None, view: View
) -> Iterator[PlanDisclosure]:
    """Yield the plans that a site joined for a recipe which asks for equivalence."""
    if recipe is None or is_asked(recipe.clauses.opened.values()) is False:
        return
    joined = [
        one for of in covered_by(recipe.recipe) for one in view.facts.each(SitePlanFact, of, site)
    ]
    for one in joined[:PLANS_MAX]:
        plan = known(view.facts, PlanFact, one.plan).plan
        yield PlanDisclosure(number=one.number, plan=plan)


def _revision(statement: BuildStatement, view: View) -> Revision | None:
    external = statement.external
    fact = view.facts.get(RevisionFact, external.design, external.revision)
    return None if fact is None else fact.revision


def _signing(core: Core, view: View) -> Signing | None:
    """Return by which act of the design's owner an entry's unit exists, None where it has none."""
    granted, unit = _granted(core, view), core.record.unit_at(core.position)
    if not granted:
        return None
    try:
        return signing(granted[-1], UnitNumber(1) if unit is None else unit.unit, view.facts)
    except FactMissingError:
        # What this node does not know stays absent.
        return None


def _extension(core: Core, view: View) -> ExtensionDisclosure | None:
    found = _signing(core, view)
    if found is None or found.extension is None:
        return None
    return ExtensionDisclosure(first=found.extension, epoch=found.epoch)


def _lanes(core: Core, view: View) -> tuple[LaneDisclosure, ...]:
    """Return the lanes that an entry's unit came through, the nearest first."""
    grant = core.record.grant_at(core.position)
    lane = None if grant is None else view.facts.get(LaneFact, grant.lane)
    above = () if lane is None else lanes_above(lane, view.facts)
    return tuple(LaneDisclosure(number=one.number, holder=one.holder) for one in above[:LANES_MAX])


def _owner(core: Core, revision: Revision | None, view: View) -> IdentityId | None:
    """Return an organization that spoke for the design's owner when he signed for the unit."""
    found = _signing(core, view)
    if found is None:
        return None
    acts = [found.at] if revision is None else [found.at, revision.at]
    return _speaking(found.account, found.at, acts, view)


def _owners(
    core: Core, statement: BuildStatement, approvals: Sequence[SignedApproval], view: View
) -> Iterator[OwnerDisclosure]:
    """Yield who else than the signer owned the design when a paper of it was published.

    Or when its designer approved of it later.
    And who owned it between him and them: each of them gave it on. Where these are more than one
    bundle shows, who published goes before who only gave it on.
    """
    found, external = _signing(core, view), statement.external
    if found is None:
        return
    revision = view.facts.get(RevisionFact, external.design, external.revision)
    published = published_times(revision, view.facts.get(RecipeFact, external.recipe), 0)
    designers = (one.approval for one in approvals if one.approval.is_designers)
    later = (one.approved_on for one in designers if one.approved_on > max(published, default=0))
    times = (*published, *later)
    owners = tenures(external.design, view.facts)
    publishing = {one.epoch for one in owners if any(one.may_cover(at) for at in times)}
    between = range(found.epoch, max(publishing, default=0))
    others = dict.fromkeys([*sorted(publishing), *between])
    shown = sorted(islice((one for one in others if one != found.epoch), OWNERS_MAX))
    for one in (owners[epoch] for epoch in shown):
        acts = [at for at in times if one.may_cover(at)] or [one.until]
        speaking = (_speaking(one.account, at, acts, view) for at in acts)
        yield OwnerDisclosure(epoch=one.epoch, identity=next(filter(None, speaking), None))


def _speaking(account: Address, at: int, acts: Sequence[int], view: View) -> IdentityId | None:
    """Return an organization for which an account spoke at a time.

    Of several, one that doubts what the account did: a reader is not to miss it. Then one with
    claims goes before others.
    """
    named = spoke_for(account, at, view.facts)
    identities = [known(view.facts, IdentityFact, identity) for identity in named]
    them = [one.id for one in identities if one.kind == IdentityKind.ORGANIZATION]
    doubted = [one for one in them if any(is_act_doubted(one, at, view.facts, None) for at in acts)]
    claimed = [one for one in them if view.facts.each(NamedByFact, one)]
    return next(iter((*doubted, *claimed, *them)), None)


def _claims(
    subjects: Sequence[IdentityId], view: View, issuers: Sequence[IdentityId]
) -> Iterator[ClaimDisclosure]:
    """Yield standing claims: the asker's issuers first, then disclosed ones, then the oldest.

    Anybody can make claims about anybody; what strangers make must not crowd out the others.
    """
    for subject in dict.fromkeys(subjects):
        named = view.facts.each(NamedByFact, subject)
        made = [known(view.facts, ClaimFact, one.claim) for one in named]
        standing = sorted(
            (claim for claim in made if not claim.until),
            key=lambda claim: (claim.issuer not in issuers, bool(claim.value), claim.since),
        )
        shown = (shown_claim(view.documents, claim) for claim in standing)
        yield from islice((one for one in shown if one is not None), _CLAIMS_A_PARTY)


def _approvals(recipe: RecipeDisclosure | None, view: View) -> tuple[SignedApproval, ...]:
    """Return who approved a recipe as it asks for, and who agreed that it changes less."""
    if recipe is None:
        return ()
    clause = approval_clause(recipe.clauses.opened.values())
    standard = None if clause is None else asked_standard(clause)
    key, change = recipe.recipe.id(), recipe.recipe.change
    kept = KeptApprovals.parse(view.documents.get(DocumentKind.APPROVALS, key)).approvals
    approving = (one for one in kept if standard and one.approval.standard == standard)
    agreeing = (one for one in kept if change in LESSER and one.approval.ruled > change)
    return tuple(dict.fromkeys([*approving, *agreeing]))


def _shown_values(
    core: Core, view: View
) -> tuple[SettingsDisclosure | None, MeasurementsDisclosure | None]:
    """Return what everybody may see of an entry's salted values, as its maker said."""
    body = view.documents.get(DocumentKind.VALUES, core.entry.envelope)
    return (None, None) if body is None else OpenedValues.parse(body).for_everybody()


def _accreditations(
    run: RunDetails,
    measured: Sequence[Measurement],
    recipe: RecipeDisclosure | None,
    approvals: Sequence[SignedApproval],
    view: View,
) -> tuple[AccreditationDisclosure, ...]:
    """Return what may meet the recipe's requirements, nothing where it asks for nothing."""
    clauses = () if recipe is None else tuple(recipe.clauses.opened.values())
    wanted = asked(clauses, run.site).requirements
    found = issuers_above((run.maker, run.site), wanted, view) if wanted else ()
    for said in (one.approval for one in approvals if not one.approval.is_designers):
        above = issuers_above([said.approver], [Requirement(standard=said.standard)], view)
        found = tuple(dict.fromkeys([*found, *above]))
    standard = QualityPlan.of(clauses).calibration
    named = dict.fromkeys(one.instrument for one in measured)
    instruments = [one for one in map(instrument_id, named) if one is not None]
    if standard and instruments:
        calibrated = issuers_above(instruments, [Requirement(standard=standard)], view)
        found = tuple(dict.fromkeys([*found, *calibrated]))
    return found[:ACCREDITATIONS_MAX]


def _former_profiles(
    site: IdentityId, statement: BuildStatement, record: Record, view: View
) -> Iterator[ProfileDisclosure]:
    """Yield the site's profiles that ended after the beacon, as far as this home kept them."""
    beacon = _beacon(statement, view)
    begun = record.time if beacon is None else beacon.time
    for one in view.facts.each(ProfileFact, site):
        document = view.documents.get(DocumentKind.PROFILE, one.profile)
        if document is not None and one.since <= record.time and one.until > begun:
            yield ProfileDisclosure(identity=site, document=document)


def _profiles(identities: set[IdentityId], view: View) -> Iterator[ProfileDisclosure]:
    for identity in sorted(identities):
        document = view.documents.get(DocumentKind.PROFILE, identity)
        if document is not None:
            yield ProfileDisclosure(identity=identity, document=document)
