"""Which slots of block b a verifier asks for, so that whoever exports evidence can prove them."""

from collections.abc import Iterator, Mapping, Sequence

from guildmark.domain.builds.delivery import recorded_measurements
from guildmark.domain.builds.inspection import Inspection
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.builds.values import ValuesMismatchError
from guildmark.domain.chain import storage
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.storage import Location
from guildmark.domain.equivalence.registration import covered_by, is_asked
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import (
    ZERO32,
    Bytes32,
    DesignId,
    IdentityId,
    LicenseId,
    MalformedHexError,
    bytes32_from_hex,
)
from guildmark.domain.identity.identity import controller_target, key_id
from guildmark.domain.recall import OWNERS, RecallCause, Thing
from guildmark.domain.recipes.approval import DESIGNER
from guildmark.domain.verification.evidence import (
    Core,
    CountersignerDisclosure,
    Disclosures,
    InspectionDisclosure,
    LicenseDisclosure,
    LinkDisclosure,
    statement_of,
)

PROVEN_CONTRACTS = (
    ContractName.IDENTITIES,
    ContractName.DESIGNS,
    ContractName.RECIPES,
    ContractName.LICENSES,
    ContractName.LOG,
    ContractName.PARTS,
    ContractName.EQUIVALENCE,
    ContractName.RECALLS,
)
"""The contracts whose state a verdict may rest on."""

UNPROVEN_ONCE = frozenset({ContractName.RECALLS})
"""Those that bundles of before prove nothing about: the check that rests on them says so."""

_WHERE_ASKED = frozenset({ContractName.EQUIVALENCE})
"""Those whose state nobody looks at where the recipe does not ask for it."""


def required_slots(core: Core, disclosed: Disclosures) -> Mapping[ContractName, tuple[bytes, ...]]:
    """Return the slots to prove at block b, by each contract that the verdict rests on.

    What ``Ledger.proof`` takes. A slot that the chain does not hold is proven, too: zero.
    """
    locations = set(_locations(core, disclosed))
    found = {
        name: tuple(sorted(each.slot for each in locations if each.contract is name))
        for name in PROVEN_CONTRACTS
    }
    return {name: slots for name, slots in found.items() if slots or name not in _WHERE_ASKED}


def instrument_id(instrument: str) -> IdentityId | None:
    """Return the identity that a measurement names as its instrument, None where it names none."""
    try:
        return IdentityId(bytes32_from_hex(instrument))
    except MalformedHexError:
        return None


def _locations(core: Core, disclosed: Disclosures) -> Iterator[Location]:
    record = core.record
    yield storage.RECORDS.at(record.log, record.seq)
    yield storage.OPERATORS.at(record.log)
    yield storage.FATES.at(record.log, core.index)
    yield from _of_lanes(core, disclosed)
    if disclosed.key is not None:
        key = key_id(core.entry.machine, disclosed.key)
        yield storage.KEYS.at(key)
        yield from _of_notices(Bytes32(key), disclosed)
    for identity in acting(core, disclosed):
        yield from _of_controllers(identity, disclosed)
    yield from _of_disclosures(disclosed)
    yield from _of_licenses(core, disclosed)
    for shown in disclosed.inspections:
        yield from _of_inspection(shown, disclosed)
    if disclosed.countersigner is not None:
        yield from _of_countersigner(disclosed.countersigner, disclosed)
    statement = statement_of(core)
    if statement is not None:
        yield from _of_statement(statement)
        yield from _of_profiles(statement.run.site, disclosed)
        yield from _of_equivalence(statement.run.site, disclosed)
    yield from _of_recalls(core, disclosed)


def recall_lists(core: Core, disclosed: Disclosures) -> Iterator[tuple[Bytes32, IdentityId]]:
    """Yield key and list of each list of recalls that may hold one of a part.

    Of owners, and of each authority of whom the evidence says what it recalled.
    """
    things = [*part_things(core, disclosed), *certificates(core, disclosed)]
    for thing in dict.fromkeys([*things, *(one.thing for one in disclosed.dependencies)]):
        for by in (OWNERS, *disclosed.authorities):
            yield Bytes32(thing.key()), by


def part_things(core: Core, disclosed: Disclosures) -> Iterator[Thing]:
    """Yield what a part can be recalled by, as its entry and its statement say."""
    entry = core.entry
    yield Thing.serial(core.record.log, core.index)
    yield Thing(cause=RecallCause.MACHINE, id=Bytes32(entry.machine))
    if disclosed.key is not None:
        yield Thing(cause=RecallCause.KEY, id=Bytes32(key_id(entry.machine, disclosed.key)))
    yield Thing(cause=RecallCause.SITE_RECIPE, id=Bytes32(entry.site_recipe))
    statement = statement_of(core)
    if statement is not None:
        external = statement.external
        yield Thing(cause=RecallCause.RECIPE, id=Bytes32(external.recipe))
        yield Thing(cause=RecallCause.DESIGN, id=Bytes32(external.design))


def certificates(core: Core, disclosed: Disclosures) -> Iterator[Thing]:
    """Yield the certificates by which the maker's site may have been shown to be equivalent."""
    statement = statement_of(core)
    if statement is None:
        return
    site = Bytes32(statement.run.site)
    for shown in disclosed.equivalence:
        yield Thing(cause=RecallCause.CERTIFICATE, id=Bytes32(shown.plan.id()), detail=site)


def _of_recalls(core: Core, disclosed: Disclosures) -> Iterator[Location]:
    shown = {(one.key, one.by): one.numbers for one in disclosed.recalls}
    for key, by in recall_lists(core, disclosed):
        yield storage.RECALL_COUNTS.at(key, by)
        for number in shown.get((key, by), ()):
            yield storage.RECALLS.at(key, by, number)
            yield storage.RECALL_REASONS.at(key, by, number)


def _of_lanes(core: Core, disclosed: Disclosures) -> Iterator[Location]:
    grant = core.record.grant_at(core.position)
    if grant is None:
        return
    yield storage.LANES.at(grant.lane)
    for lane in (grant.lane, *(one.number for one in disclosed.lanes)):
        yield storage.LANE_HOLDERS.at(lane)
        yield storage.ORIGINS.at(lane)


def acting(core: Core, disclosed: Disclosures) -> frozenset[IdentityId]:
    """Return the identities whose controllers made what a verdict rests on.

    They registered, linked, accredited, approved, licensed, or gave units on.
    """
    statement = statement_of(core)
    instruments = set() if statement is None else set(_instruments(statement, disclosed))
    links = [link for link in (disclosed.site_link, disclosed.maker_link) if link is not None]
    ends = {end for link in links for end in (link.child, link.parent)}
    issuers = {claim.issuer for claim in disclosed.claims}
    issuers |= {given.issuer for given in disclosed.accreditations}
    issuers |= {shown.plan.evaluator for shown in disclosed.equivalence}
    named = (disclosed.operator, disclosed.owner)
    speaking = {one for one in named if one is not None} | {one.holder for one in disclosed.lanes}
    machine = set() if disclosed.key is None else {core.entry.machine}
    second = disclosed.countersigner
    approving = {one.approval.approver for one in disclosed.approvals} - {DESIGNER}
    inspecting = {who for shown in disclosed.inspections for who in _inspecting(shown)}
    signing = set() if second is None else _signing(second)
    speaking |= {one.identity for one in disclosed.owners if one.identity is not None}
    parties = ends | issuers | speaking | machine | instruments | inspecting | signing
    return frozenset(parties | approving)


def inspection_of(shown: InspectionDisclosure) -> Inspection | None:
    """Return what a shown inspection says, None where it cannot be read."""
    try:
        return shown.proof.opened()[1]
    except GuildmarkError:
        # An inspection that cannot be read counts for nothing, which a note says.
        return None


def _inspecting(shown: InspectionDisclosure) -> Iterator[IdentityId]:
    inspection = inspection_of(shown)
    if inspection is not None:
        yield from (inspection.machine, inspection.site, inspection.inspector)


def _of_controllers(identity: IdentityId, disclosed: Disclosures) -> Iterator[Location]:
    counts = {one.identity: one.count for one in disclosed.controllers}
    yield storage.IDENTITIES.at(identity)
    count = counts.get(identity, 1)
    for number in range(1, count + 1):
        target = controller_target(identity, number)
        yield storage.NOTICES.at(target, ZERO32)
        yield from _of_notices(target, disclosed)
        if count > 1:
            yield storage.CONTROLLERS.at(identity, number)


def _of_notices(target: Bytes32, disclosed: Disclosures) -> Iterator[Location]:
    for authority in disclosed.authorities:
        yield storage.NOTICES.at(target, authority)


def _of_disclosures(disclosed: Disclosures) -> Iterator[Location]:
    for identity in (disclosed.operator, disclosed.owner):
        if identity is not None:
            yield storage.IDENTITIES.at(identity)
    for link in (disclosed.site_link, disclosed.maker_link):
        if link is not None:
            yield from _of_link(link)
    for claim in disclosed.claims:
        yield storage.CLAIMS.at(claim.id())
    for accreditation in disclosed.accreditations:
        yield storage.ACCREDITATIONS.at(accreditation.id())
    for profile in disclosed.profiles:
        yield storage.PROFILES.at(profile.identity)
    yield from _of_recipes(disclosed)


def _signing(second: CountersignerDisclosure) -> set[IdentityId]:
    links = (second.site_link, second.link)
    return {second.machine, *(end for link in links for end in (link.child, link.parent))}


def _of_countersigner(
    second: CountersignerDisclosure, disclosed: Disclosures
) -> Iterator[Location]:
    key = key_id(second.machine, second.key)
    yield storage.KEYS.at(key)
    yield from _of_notices(Bytes32(key), disclosed)
    yield from _of_link(second.site_link)
    yield from _of_link(second.link)


def _of_inspection(shown: InspectionDisclosure, disclosed: Disclosures) -> Iterator[Location]:
    record, inspection = shown.proof.record, inspection_of(shown)
    yield storage.RECORDS.at(record.log, record.seq)
    yield storage.FATES.at(record.log, record.index_of(shown.proof.position))
    for link in (shown.site_link, shown.inspector_link):
        if link is not None:
            yield from _of_link(link)
    if inspection is not None and shown.key is not None:
        key = key_id(inspection.machine, shown.key)
        yield storage.KEYS.at(key)
        yield from _of_notices(Bytes32(key), disclosed)


def _of_licenses(core: Core, disclosed: Disclosures) -> Iterator[Location]:
    for license_ in disclosed.licenses:
        yield storage.LICENSES.at(license_.number)
        yield storage.LICENSE_IDS.at(license_.number)
    root = disclosed.root_license
    if root is not None:
        yield from _of_owners(root.terms.design, root.terms.design_epoch)
        extension = disclosed.extension
        if extension is not None:
            yield storage.EXTENSIONS.at(root.number, extension.first)
            yield from _of_owners(root.terms.design, extension.epoch)
        for owner in disclosed.owners:
            yield from _of_owners(root.terms.design, owner.epoch)
        named = _named_root(core, disclosed.licenses)
        if named is not None:
            yield storage.LICENSE_NUMBERS.at(named)


def _of_owners(design: DesignId, epoch: int) -> Iterator[Location]:
    """Yield who owned a design in an epoch, and who followed, if anybody did."""
    yield storage.DESIGN_OWNERS.at(design, epoch)
    yield storage.DESIGN_OWNERS.at(design, epoch + 1)


def _named_root(core: Core, shown: Sequence[LicenseDisclosure]) -> LicenseId | None:
    """Return the id of the root license, as whoever stands below it names it."""
    if len(shown) > 1:
        return shown[-2].terms.parent
    statement = statement_of(core)
    return None if statement is None else statement.external.license


def _of_recipes(disclosed: Disclosures) -> Iterator[Location]:
    if disclosed.recipe is not None:
        recipe = disclosed.recipe.recipe.id()
        yield storage.RECIPES.at(recipe)
        yield from _numbered(storage.STEPS, recipe, disclosed.recipe.steps)
    if disclosed.site_recipe is not None:
        yield storage.SITE_RECIPES.at(disclosed.site_recipe.recipe.id())
    if disclosed.revision is not None:
        yield storage.REVISIONS.at(disclosed.revision.design, disclosed.revision.number)


def _of_equivalence(site: IdentityId, disclosed: Disclosures) -> Iterator[Location]:
    """Yield where a recipe that asks for equivalence finds the plans of the maker's site."""
    recipe = disclosed.recipe
    if recipe is None or is_asked(recipe.clauses.opened.values()) is False:
        return
    for one in covered_by(recipe.recipe):
        yield storage.PLAN_COUNTS.at(one, site)
    for shown in disclosed.equivalence:
        plan = shown.plan.id()
        yield storage.PLANS.at(shown.plan.recipe, site, shown.number)
        yield storage.SCHEDULES.at(plan)
        for mapping in (storage.PLAN_ENTRIES, storage.SCOPES, storage.CERTIFICATES):
            yield mapping.at(plan, site)
        for authority in disclosed.authorities:
            yield storage.COUNTERS.at(plan, site, authority)


def _of_link(link: LinkDisclosure) -> Iterator[Location]:
    yield storage.IDENTITIES.at(link.child)
    yield storage.IDENTITIES.at(link.parent)
    yield storage.LINK_COUNTS.at(link.child, link.parent)
    for number in range(1, link.count + 1):
        yield storage.LINKS.at(link.child, link.parent, number)


def _of_statement(statement: BuildStatement) -> Iterator[Location]:
    run, beacon = statement.run, statement.beacon
    yield storage.RECORDS.at(beacon.log, beacon.seq)
    for identity in (run.machine, run.site, run.maker):
        yield storage.IDENTITIES.at(identity)


def _of_profiles(site: IdentityId, disclosed: Disclosures) -> Iterator[Location]:
    for profile in disclosed.profiles:
        if profile.identity == site:
            try:
                digest, _ = profile.opened()
            except GuildmarkError:
                # What cannot be read proves nothing, and needs no slot.
                continue
            yield storage.PROFILE_TIMES.at(site, digest)


def _instruments(statement: BuildStatement, disclosed: Disclosures) -> Iterator[IdentityId]:
    try:
        recorded = recorded_measurements(statement, disclosed.measurements)
    except ValuesMismatchError:
        # (8) says so; what the statement does not commit to, names nobody.
        return
    for measurement in recorded.values:
        instrument = instrument_id(measurement.instrument)
        if instrument is not None:
            yield instrument


def _numbered(mapping: storage.Mapping, key: bytes, count: int) -> Iterator[Location]:
    for number in range(1, count + 1):
        yield mapping.at(key, number)
