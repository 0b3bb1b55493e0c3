"""What is looked at: one part's entry, what was disclosed around it, and proofs of block b.

Nothing here is believed because it is here; every value is a claim that a check compares.
A disclosure that is absent makes the checks that need it ``unknown``, never ``ok``. What cannot be
written on any chain (numbers out of range) is refused when it is made.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Self

from guildmark.domain.builds.dependencies import DEPENDENCIES_MAX, Dependency
from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.builds.inspection import InspectionProof
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.builds.values import MeasurementsDisclosure, SettingsDisclosure
from guildmark.domain.chain.contracts import AccountProof, ChainPin, ContractName
from guildmark.domain.chain.storage import FATES, VOIDED
from guildmark.domain.encoding import strictjson
from guildmark.domain.encoding.document import Document
from guildmark.domain.encoding.strictjson import JsonValue
from guildmark.domain.equivalence.registration import Registration
from guildmark.domain.errors import ContentError, GuildmarkError
from guildmark.domain.identifiers import (
    UINT40_MAX,
    AccreditationId,
    Bytes32,
    ClaimId,
    Digest,
    IdentityId,
    Index,
    LaneNumber,
    LogNumber,
    UnitNumber,
    bytes32_from_hex,
)
from guildmark.domain.identity.accreditation import ScopeDocument, accreditation_id
from guildmark.domain.identity.identity import ClaimDocument, profile_digest
from guildmark.domain.log.entry import Entry
from guildmark.domain.log.note import NOTE_MAX
from guildmark.domain.log.record import COUNT_MAX, PATH_MAX, Record
from guildmark.domain.recall import OWNERS
from guildmark.domain.recipes.approval import APPROVALS_MAX, SignedApproval
from guildmark.domain.recipes.clauses import Disclosure
from guildmark.domain.recipes.recipe import Recipe, SiteRecipe
from guildmark.domain.rights.design import Revision
from guildmark.domain.rights.terms import NO_LICENSE, Terms
from guildmark.domain.signatures import PublicKey

INTERVALS_MAX = 64
STEPS_MAX = 64
LICENSES_MAX = 5
AUTHORITIES_MAX = 16
RIVALS_MAX = 8
PLANS_MAX = 32
ENTRIES_MAX = 64
"""How many other entries of one label are looked at beyond what a bundle carries."""
PARTIES_MAX = 64
ACCREDITATIONS_MAX = 32
_ACCREDITATION_LIMITS = strictjson.Limits(size=4 << 20, depth=8, values=50_000)
ACTORS_MAX = PARTIES_MAX + ACCREDITATIONS_MAX
INSPECTIONS_MAX = 4
RECALLS_MAX = 64
RECALLS_IN_ALL_MAX = 256
"""How many recalls of one list a bundle proves, and of all lists together."""
RECALLS_BEYOND_MAX = 16
"""How many of a list's may be chosen from behind its first ones, since they reach the part."""
_NONE_REACHING: Mapping[tuple[Bytes32, IdentityId], Sequence[int]] = MappingProxyType({})
LANES_MAX = 32
OWNERS_MAX = 8
"""How many lanes a unit came through at most; of more it is not known who gave them."""
SLOTS_MAX = 2048
NODES_MAX = 20_000
"""Together in all proofs of a bundle: what a reader checks in a second."""


class EvidenceRangeError(ContentError):
    """A number in the evidence that no contract could hold, or more of a thing than is read."""

    code = "evidence.outOfRange"
    hint = "Ask for the evidence again from another source."


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """An entry in its record, with the signed statement that it commits to.

    Args:
        envelope: The DSSE envelope, bytes as received.
        entry: The log entry.
        salt: The 32 bytes that salt the entry's leaf.
        record: The record of the batch, grants included.
        position: The entry's position in the batch, from 0.
        path: The RFC 9162 inclusion path, leaf to root.
    """

    envelope: bytes
    entry: Entry
    salt: Bytes32
    record: Record
    position: int
    path: tuple[Digest, ...]

    def __post_init__(self) -> None:
        self.entry.leaf_data(self.salt)
        self.record.digest()
        _check_range("position", self.position, 0, COUNT_MAX - 1)
        _check_range("path", len(self.path), 0, PATH_MAX)

    @property
    def index(self) -> Index:
        """Return the entry's index in its log."""
        return self.record.index_of(self.position)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDisclosure:
    """A link and how many intervals it has had; all of them are proven."""

    child: IdentityId
    parent: IdentityId
    count: int

    def __post_init__(self) -> None:
        _check_range("link's intervals", self.count, 0, INTERVALS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllersDisclosure:
    """How many controllers an identity has had, where it is more than one; all are proven."""

    identity: IdentityId
    count: int

    def __post_init__(self) -> None:
        _check_range("identity's controllers", self.count, 2, INTERVALS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseDisclosure:
    """A license, its number on chain, and what is shown of the tree under ``terms_root``."""

    number: int
    terms: Terms
    members: Disclosure

    def __post_init__(self) -> None:
        self.terms.struct_hash()
        _check_range("license's number", self.number, 1, UINT40_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneDisclosure:
    """A lane from which another one was cut, and who holds it."""

    number: LaneNumber
    holder: IdentityId

    def __post_init__(self) -> None:
        _check_range("lane's number", self.number, 1, UINT40_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionDisclosure:
    """Units that were added to the root license: the first one, and whose epoch it was."""

    first: UnitNumber
    epoch: int

    def __post_init__(self) -> None:
        _check_range("extension's first unit", self.first, 1, UINT40_MAX)
        _check_range("extension's epoch", self.epoch, 0, UINT40_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerDisclosure:
    """An epoch of the design in which another owner published, or gave it on, and who he was.

    Args:
        identity: The organization that spoke for him, None where none did.
    """

    epoch: int
    identity: IdentityId | None = None

    def __post_init__(self) -> None:
        _check_range("owner's epoch", self.epoch, 0, UINT40_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeDisclosure:
    """A recipe, how many status steps it has had, and what is shown of its clauses."""

    recipe: Recipe
    steps: int
    clauses: Disclosure

    def __post_init__(self) -> None:
        self.recipe.id()
        _check_range("recipe's steps", self.steps, 0, STEPS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRecipeDisclosure:
    """A site's recipe and what is shown of its clauses."""

    recipe: SiteRecipe
    clauses: Disclosure


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerRecipeDisclosure:
    """The recipe that the part's one supersedes, and what is shown of its clauses."""

    recipe: Recipe
    clauses: Disclosure

    def __post_init__(self) -> None:
        self.recipe.id()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimDisclosure:
    """A claim about an identity, opened: who states which identifier of whom."""

    issuer: IdentityId
    subject: IdentityId
    claim: ClaimDocument

    def __post_init__(self) -> None:
        self.id()

    def id(self) -> ClaimId:
        """Return the id under which the chain keeps the claim."""
        return self.claim.claim_id(issuer=self.issuer, subject=self.subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccreditationDisclosure(Document):
    """An accreditation, opened: who accredits whom for which scope."""

    LIMITS = _ACCREDITATION_LIMITS

    issuer: IdentityId
    subject: IdentityId
    scope: ScopeDocument

    def id(self) -> AccreditationId:
        """Return the id under which the chain keeps the accreditation."""
        digest = self.scope.digest()
        return accreditation_id(issuer=self.issuer, subject=self.subject, scope=digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionDisclosure:
    """An inspection in its record, and who signed it.

    Args:
        proof: The inspection at its place in a log.
        key: The public key of the instrument.
        site_link: Instrument to site.
        inspector_link: Site to the inspecting organization.
    """

    proof: InspectionProof
    key: PublicKey | None = None
    site_link: LinkDisclosure | None = None
    inspector_link: LinkDisclosure | None = None

    def __post_init__(self) -> None:
        self.proof.record.digest()
        _check_range("position", self.proof.position, 0, COUNT_MAX - 1)
        _check_range("path", len(self.proof.path), 0, PATH_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountersignerDisclosure:
    """Who signed a statement beside its machine.

    Args:
        machine: The machine whose key it is.
        key: The public key.
        site_link: Machine to site.
        link: Site to organization.
    """

    machine: IdentityId
    key: PublicKey
    site_link: LinkDisclosure
    link: LinkDisclosure


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileDisclosure:
    """A profile document of an identity, bytes as published; its names are for display only."""

    identity: IdentityId
    document: bytes

    def opened(self) -> tuple[Digest, Mapping[str, JsonValue]]:
        """Return the digest that the chain keeps, and what the document says without its salt.

        Raises:
            GuildmarkError: It is no profile.
        """
        members = dict(strictjson.parse_object(self.document))
        salt = bytes32_from_hex(str(members.pop("salt", "")))
        return profile_digest(members, salt), members


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDisclosure:
    """A plan that the maker's site joined, and its number among those of one recipe."""

    number: int
    plan: Registration

    def __post_init__(self) -> None:
        _check_range("plan's number", self.number, 1, UINT40_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallsDisclosure:
    """How many recalls a list has, where it has any; all are proven, as far as that many are read.

    Args:
        key: Under which the chain keeps the recalls of a thing.
        by: Whose list: `OWNERS`, or an authority.
        count: How many of its first ones are proven.
        beyond: The numbers of further ones that are proven, ascending: they reach the part.
    """

    key: Bytes32
    by: IdentityId
    count: int
    beyond: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _check_range("list's recalls", self.count, 1, RECALLS_MAX)
        _check_range("list's recalls", self.shown, 1, RECALLS_MAX)
        _check_range("recalls beyond", len(self.beyond), 0, RECALLS_BEYOND_MAX)
        for before, number in pairwise((self.count, *self.beyond)):
            _check_range("recall's number", number, before + 1, UINT40_MAX)

    @property
    def shown(self) -> int:
        """Return how many are proven."""
        return self.count + len(self.beyond)

    @property
    def numbers(self) -> Sequence[int]:
        """Return the numbers of those that are proven, ascending."""
        return (*range(1, self.count + 1), *self.beyond)


def shown_recalls(
    counted: Iterable[tuple[Bytes32, IdentityId, int]],
    reaching: Mapping[tuple[Bytes32, IdentityId], Sequence[int]] = _NONE_REACHING,
) -> tuple[RecallsDisclosure, ...]:
    """Return what a bundle shows of lists of recalls, the owners' first, as far as it has room.

    Who fills his list lets others see that there is more than is shown, never that there is none;
    those of others that reach the part are shown all the same.

    Args:
        counted: Key, list, and how many recalls the list has.
        reaching: By key and list, the numbers of those that are known to reach the part.
    """
    room, shown = RECALLS_IN_ALL_MAX, list[RecallsDisclosure]()
    for key, by, count in sorted(counted, key=lambda one: one[1] != OWNERS):
        taken = min(count, RECALLS_MAX, room)
        if taken:
            shown.append(_shown_of_list(key, by, taken, sorted(reaching.get((key, by), ()))))
            room -= taken
    return tuple(shown)


def _shown_of_list(
    key: Bytes32, by: IdentityId, room: int, reaching: Sequence[int]
) -> RecallsDisclosure:
    """Return a list with room for some: the first ones, and the newest that reach the part."""
    chosen: list[int] = []
    for number in reversed(reaching):
        # Each takes the place of the last of the first ones.
        count = room - len(chosen)
        if number <= count or count == 1 or len(chosen) == RECALLS_BEYOND_MAX:
            break
        chosen.append(number)
    return RecallsDisclosure(
        key=key, by=by, count=room - len(chosen), beyond=tuple(reversed(chosen))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosures:
    """What the parties show beside the entry.

    Args:
        key: The machine's public key.
        site_link: Machine to site.
        maker_link: Site to organization.
        operator: The identity that runs the record's log.
        beacon: The record that the statement names.
        licenses: The license of the lane, then each license above it, the root last.
        lanes: The lane that the unit's was cut from, then the one above that; the first one last.
        extension: By which extension the unit was added, where it was.
        recipe: The recipe that the license allows.
        site_recipe: The site's own recipe.
        revision: The design's revision.
        owner: The organization that speaks for whoever owned the design when it was licensed.
        owners: Other owners of the design, who published what the part was built by.
        claims: Claims by which maker and design owner are named.
        profiles: Profiles, for display.
        accreditations: Accreditations of maker and site, and of those who gave them.
        controllers: Which identities have had more than one controller.
        authorities: Authorities of whom it is proven whether they gave notice, or recalled.
        countersigner: Who signed beside the machine, where the recipe asks for it.
        inspections: What others than the maker found when they inspected the part.
        equivalence: The plans by which the maker's site tried to be certified.
        approvals: Who approved the recipe, where it asks to be approved, and who agreed that it
            changes less than the rules make of it.
        former_recipe: The recipe before it, where it says that it changes little.
        settings: Recorded settings, where the statement commits to them by salted leaves.
        measurements: Measured values, where it commits to them so.
        dependencies: What only the maker knew that the part could be recalled by.
        recalls: Lists of recalls that are not empty.
    """

    key: PublicKey | None = None
    site_link: LinkDisclosure | None = None
    maker_link: LinkDisclosure | None = None
    operator: IdentityId | None = None
    beacon: Record | None = None
    licenses: tuple[LicenseDisclosure, ...] = ()
    lanes: tuple[LaneDisclosure, ...] = ()
    extension: ExtensionDisclosure | None = None
    recipe: RecipeDisclosure | None = None
    site_recipe: SiteRecipeDisclosure | None = None
    revision: Revision | None = None
    owner: IdentityId | None = None
    owners: tuple[OwnerDisclosure, ...] = ()
    claims: tuple[ClaimDisclosure, ...] = ()
    profiles: tuple[ProfileDisclosure, ...] = ()
    accreditations: tuple[AccreditationDisclosure, ...] = ()
    controllers: tuple[ControllersDisclosure, ...] = ()
    authorities: tuple[IdentityId, ...] = ()
    inspections: tuple[InspectionDisclosure, ...] = ()
    countersigner: CountersignerDisclosure | None = None
    equivalence: tuple[PlanDisclosure, ...] = ()
    approvals: tuple[SignedApproval, ...] = ()
    former_recipe: FormerRecipeDisclosure | None = None
    settings: SettingsDisclosure | None = None
    measurements: MeasurementsDisclosure | None = None
    dependencies: tuple[Dependency, ...] = ()
    recalls: tuple[RecallsDisclosure, ...] = ()

    def __post_init__(self) -> None:
        if self.beacon is not None:
            self.beacon.digest()
        if self.revision is not None:
            self.revision.digest()
        _check_range("licenses", len(self.licenses), 0, LICENSES_MAX)
        _check_range("lanes", len(self.lanes), 0, LANES_MAX)
        _check_range("owners", len(self.owners), 0, OWNERS_MAX)
        _check_range("claims", len(self.claims), 0, PARTIES_MAX)
        _check_range("profiles", len(self.profiles), 0, PARTIES_MAX)
        _check_range("accreditations", len(self.accreditations), 0, ACCREDITATIONS_MAX)
        _check_range("controllers", len(self.controllers), 0, ACTORS_MAX)
        _check_range("authorities", len(self.authorities), 0, AUTHORITIES_MAX)
        _check_range("inspections", len(self.inspections), 0, INSPECTIONS_MAX)
        _check_range("plans", len(self.equivalence), 0, PLANS_MAX)
        _check_range("approvals", len(self.approvals), 0, APPROVALS_MAX)
        _check_range("dependencies", len(self.dependencies), 0, DEPENDENCIES_MAX)
        _check_range("recalls", sum(one.shown for one in self.recalls), 0, RECALLS_IN_ALL_MAX)

    @property
    def root_license(self) -> LicenseDisclosure | None:
        """Return the license that the design's owner signed, None where it is not shown."""
        last = self.licenses[-1] if self.licenses else None
        return last if last is not None and last.terms.parent == NO_LICENSE else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEvidence:
    """The state of one block: its header and one account proof a contract.

    Args:
        pin: The chain that the bundle says it is about; compared, never trusted.
        header: The header of block b in RLP.
        accounts: One account proof a contract, with proofs of its slots.
        note: What witnesses signed about block b, empty where nobody was asked.
    """

    pin: ChainPin
    header: bytes
    accounts: Mapping[ContractName, AccountProof] = field(default_factory=dict)
    note: bytes = b""

    def __post_init__(self) -> None:
        _check_range("bytes of the block's note", len(self.note), 0, NOTE_MAX)
        slots = [slot for proof in self.accounts.values() for slot in proof.slots]
        _check_range("proven slots", len(slots), 0, SLOTS_MAX)
        _check_range("proofs' nodes", sum(len(slot.nodes) for slot in slots), 0, NODES_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that a verdict about one part rests on, except whom the reader trusts.

    Args:
        replacement: Evidence about the entry that replaced this one, where its fate says so.
        rivals: Evidence about other entries that claim the same label.
        attached: Names of files that came with it and that nobody looks at.
    """

    core: Core
    disclosed: Disclosures
    chain: ChainEvidence
    replacement: "Evidence | None" = None
    rivals: "tuple[Evidence, ...]" = ()
    attached: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        _check_range("rivals", len(self.rivals), 0, RIVALS_MAX)

    @property
    def place(self) -> tuple[LogNumber, Index]:
        """Return the entry's log and index."""
        return self.core.record.log, self.core.index

    @property
    def is_replaced(self) -> bool:
        """Return whether the shown fate, proven or not, names an entry that replaces this one."""
        parts = self.chain.accounts.get(ContractName.PARTS)
        slot = FATES.at(*self.place).slot
        shown = () if parts is None else parts.slots
        return any(one.slot == slot and one.value not in {0, VOIDED} for one in shown)

    def beside(self, others: "Iterable[Evidence]") -> Self:
        """Return the evidence with those of ``others`` as rivals that claim the same label.

        This is for who puts a bundle together and knows the records of the others; a reader brings
        his to the verdict instead. Each is taken alone, without what stands inside it, and each
        place once; of more than are read the earliest stay, since those decide.
        """
        statement = statement_of(self.core)
        label = None if statement is None else statement.label
        found = {rival.place: rival for rival in self.rivals}
        for other in others:
            stated = statement_of(other.core)
            if stated is not None and stated.label == label and other.place != self.place:
                found.setdefault(other.place, replace(other, replacement=None, rivals=()))
        earliest = sorted(found.values(), key=lambda rival: (rival.core.record.time, rival.place))
        kept = sorted(earliest[:RIVALS_MAX], key=lambda rival: rival.place)
        return replace(self, rivals=tuple(kept))


def statement_of(core: Core) -> BuildStatement | None:
    """Return what an entry's envelope says, None where it cannot be read."""
    return _stated(core.envelope)


@lru_cache(maxsize=16)
def _stated(envelope: bytes) -> BuildStatement | None:
    # Asked for by many checks and slots of one part.
    try:
        return BuildStatement.parse(Envelope.parse(envelope).payload)
    except GuildmarkError:
        # An envelope that cannot be read is a finding of the checks.
        return None


def _check_range(what: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        message = f"The {what} must be {least} to {most}, found {value}."
        raise EvidenceRangeError(message, found=value, least=least, most=most)
