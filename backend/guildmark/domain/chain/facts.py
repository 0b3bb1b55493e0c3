"""What the registries say, as read from their final events: one value a thing, each with a key.

A key's parts are bytes of fixed length and integers, the outermost first, so that the facts of a
thing stand together and in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from guildmark.domain.equivalence.registration import Registration
from guildmark.domain.identifiers import (
    ZERO32,
    AccreditationId,
    Address,
    Bytes32,
    ClaimId,
    DesignId,
    Digest,
    EquivalencePlanId,
    IdentityId,
    Index,
    KeyId,
    LaneNumber,
    LicenseId,
    LogNumber,
    RecipeId,
    Seq,
    SiteRecipeId,
    UnitNumber,
)
from guildmark.domain.log.record import Record
from guildmark.domain.recall import OWNERS, RecallId, Thing
from guildmark.domain.recipes.recipe import Recipe, SiteRecipe
from guildmark.domain.rights.design import Revision
from guildmark.domain.rights.terms import Terms

FIRST_SEQ = Seq(0)
NO_LOG = LogNumber(0)
NO_DIGEST = Digest(ZERO32)
NO_LANE = LaneNumber(0)

Key: TypeAlias = tuple[bytes | int, ...]


class Fact(Protocol):
    """A value that the index keeps under its key."""

    @property
    def key(self) -> Key:
        """Return what tells it from the other facts of its class."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityFact:
    """An identity and the account that speaks for it."""

    id: IdentityId
    kind: int
    controller: Address
    since: int
    profile: Digest

    @property
    def key(self) -> Key:
        """Return the identity's id."""
        return (self.id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileFact:
    """A profile that an identity shows, or showed; ``until`` is 0 while it stands."""

    identity: IdentityId
    profile: Digest
    since: int
    until: int = 0

    @property
    def key(self) -> Key:
        """Return the identity and the profile's digest."""
        return (self.identity, self.profile)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenForFact:
    """An identity that an account speaks for, or once spoke for."""

    account: Address
    identity: IdentityId

    @property
    def key(self) -> Key:
        """Return the account and the identity."""
        return (self.account, self.identity)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerFact:
    """Controller ``number`` (from 1) of an identity, and the block time from which it spoke."""

    identity: IdentityId
    number: int
    account: Address
    since: int

    @property
    def key(self) -> Key:
        """Return the identity and the number."""
        return (self.identity, self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalFact:
    """The account that a controller named to follow him; zero where none waits to accept."""

    identity: IdentityId
    account: Address

    @property
    def key(self) -> Key:
        """Return the identity."""
        return (self.identity,)


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFact:
    """An identity that has, or had, a name or a word of it: the way from how it looks to whom."""

    name: Digest
    identity: IdentityId

    @property
    def key(self) -> Key:
        """Return the digest of how the text looks, and the identity."""
        return (self.name, self.identity)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityFact:
    """An authority, by the time of its registration."""

    since: int
    identity: IdentityId

    @property
    def key(self) -> Key:
        """Return the time and the identity."""
        return (self.since, self.identity)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFact:
    """A notice on a key or a controller of an identity.

    Args:
        target: The key's id, or what notices call the controller.
        by: The authority, 32 zero bytes for the controller himself or his guardians.
        number: Which controller it is about, 0 where it is about a key.
        by_guardians: Whether guardians gave it, or moved it last.
    """

    identity: IdentityId
    target: Bytes32
    by: IdentityId
    number: int
    notice_at: int
    suspected_from: int
    evidence: Digest
    by_guardians: bool = False

    @property
    def key(self) -> Key:
        """Return the identity, what is doubted, and by whom."""
        return (self.identity, self.target, self.by)

    @property
    def is_by_authority(self) -> bool:
        """Return whether an authority gave it, so that it counts for who lists that one."""
        return any(self.by)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackingFact:
    """Which notice on a target a guardian backs; ``suspected_from`` is 0 where he backs none."""

    target: Bytes32
    guardian: Address
    suspected_from: int

    @property
    def key(self) -> Key:
        """Return the target and the guardian."""
        return (self.target, self.guardian)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardiansFact:
    """A set of an identity's guardians; ``since`` is 0 while it waits, and where it never stood."""

    identity: IdentityId
    epoch: int
    guardians: tuple[Address, ...]
    threshold: int
    delay: int
    ready_at: int
    since: int = 0

    @property
    def key(self) -> Key:
        """Return the identity and the set's number."""
        return (self.identity, self.epoch)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryFact:
    """The newest recovery of an identity; ``ready_at`` is 0 once it runs no more."""

    identity: IdentityId
    candidate: Address
    ready_at: int

    @property
    def key(self) -> Key:
        """Return the identity."""
        return (self.identity,)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFact:
    """A machine's key; ``until`` and ``notice_at`` are 0 while it is good."""

    id: KeyId
    machine: IdentityId
    algorithm: int
    public_key: bytes
    since: int
    until: int = 0
    notice_at: int = 0
    suspected_from: int = 0

    @property
    def key(self) -> Key:
        """Return the key's id."""
        return (self.id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineKeyFact:
    """A key of a machine: the way from a machine to its keys."""

    machine: IdentityId
    id: KeyId

    @property
    def key(self) -> Key:
        """Return the machine and the key's id."""
        return (self.machine, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFact:
    """Interval ``number`` (from 1) of a link; ``until`` is 0 while it is open."""

    child: IdentityId
    parent: IdentityId
    number: int
    since: int
    until: int = 0

    @property
    def key(self) -> Key:
        """Return both ends and the interval's number."""
        return (self.child, self.parent, self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentFact:
    """The open parent of an identity, 32 zero bytes where it has none."""

    child: IdentityId
    parent: IdentityId

    @property
    def key(self) -> Key:
        """Return the child."""
        return (self.child,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFact:
    """A claim; ``until`` is 0 while it stands, ``value`` is empty where the chain hides it."""

    id: ClaimId
    issuer: IdentityId
    subject: IdentityId
    scheme: Bytes32
    digest: Digest
    since: int
    until: int = 0
    value: str = ""
    salt: Bytes32 = ZERO32

    @property
    def key(self) -> Key:
        """Return the claim's id."""
        return (self.id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedByFact:
    """A claim about an identity, standing or revoked."""

    subject: IdentityId
    claim: ClaimId

    @property
    def key(self) -> Key:
        """Return the subject and the claim."""
        return (self.subject, self.claim)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccreditationFact:
    """An accreditation; ``until`` is 0 where it does not end, ``revoked_at`` while it stands.

    Args:
        recorded_at: The time of the block in which it was given, whatever it begins with.
    """

    id: AccreditationId
    issuer: IdentityId
    subject: IdentityId
    scope: Digest
    since: int
    until: int = 0
    revoked_at: int = 0
    recorded_at: int = 0

    @property
    def key(self) -> Key:
        """Return the accreditation's id."""
        return (self.id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccreditedFact:
    """An accreditation of an identity, whatever became of it."""

    subject: IdentityId
    accreditation: AccreditationId

    @property
    def key(self) -> Key:
        """Return the subject and the accreditation."""
        return (self.subject, self.accreditation)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFact:
    """A claim, standing or revoked, whose identifier this home can read.

    Args:
        number: SHA-256 of the identifier, so that keys have one length.
    """

    scheme: Bytes32
    number: Digest
    claim: ClaimId

    @property
    def key(self) -> Key:
        """Return the scheme, the identifier's digest and the claim."""
        return (self.scheme, self.number, self.claim)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignFact:
    """A design and its owner's account."""

    id: DesignId
    owner: Address
    priority: int
    epoch: int = 0

    @property
    def key(self) -> Key:
        """Return the design's id."""
        return (self.id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignOwnerFact:
    """Who owned a design in an epoch, signed the licenses that name it, and since when."""

    design: DesignId
    epoch: int
    owner: Address
    since: int

    @property
    def key(self) -> Key:
        """Return the design and the epoch."""
        return (self.design, self.epoch)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionFact:
    """A revision of a design and where its encrypted manifest is."""

    revision: Revision
    cid: str

    @property
    def key(self) -> Key:
        """Return the design and the revision's number."""
        return (self.revision.design, self.revision.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeFact:
    """A recipe, its present status, and when each step that led there was made."""

    id: RecipeId
    recipe: Recipe
    published_at: int
    status: int
    changed_at: tuple[int, ...] = ()

    @property
    def steps(self) -> int:
        """Return how many statuses the recipe has had."""
        return 1 + len(self.changed_at)

    def steps_since(self, time: int) -> Sequence[int]:
        """Return when the status that held at a time was set, and each one after it."""
        earlier = [at for at in (self.published_at, *self.changed_at) if at <= time]
        return (*earlier[-1:], *(at for at in self.changed_at if at > time))

    @property
    def key(self) -> Key:
        """Return the recipe's id."""
        return (self.id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRecipeFact:
    """A site's recipe."""

    id: SiteRecipeId
    recipe: SiteRecipe
    published_at: int

    @property
    def key(self) -> Key:
        """Return the site recipe's id."""
        return (self.id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFact:
    """An equivalence plan, and when it was registered."""

    id: EquivalencePlanId
    plan: Registration
    at: int

    @property
    def key(self) -> Key:
        """Return the plan's id."""
        return (self.id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEntryFact:
    """A site in a plan; what it did not do yet has time 0.

    Args:
        number: Its number among the plans of the recipe that the site joined.
        scope: The salted digest of the machine model that it is about.
        blind: What it committed to.
        root: The root of its data, once that is revealed.
    """

    plan: EquivalencePlanId
    site: IdentityId
    number: int
    scope: Digest
    joined_at: int
    blind: Digest = NO_DIGEST
    committed_at: int = 0
    root: Digest = NO_DIGEST
    revealed_at: int = 0

    @property
    def key(self) -> Key:
        """Return the plan and the site."""
        return (self.plan, self.site)


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePlanFact:
    """Plan ``number`` (from 1) of a recipe that a site joined."""

    recipe: RecipeId
    site: IdentityId
    number: int
    plan: EquivalencePlanId

    @property
    def key(self) -> Key:
        """Return the recipe, the site and the number."""
        return (self.recipe, self.site, self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFact:
    """What an evaluator certified of a site; what did not happen has time 0."""

    plan: EquivalencePlanId
    site: IdentityId
    verdict: int
    result: Digest
    since: int
    until: int = 0
    suspended_at: int = 0
    reason: Digest = NO_DIGEST
    lapsed_at: int = 0
    cause: int = 0

    @property
    def key(self) -> Key:
        """Return the plan and the site."""
        return (self.plan, self.site)


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterFact:
    """Another result that an authority sets against a certificate."""

    plan: EquivalencePlanId
    site: IdentityId
    challenger: IdentityId
    result: Digest
    at: int

    @property
    def key(self) -> Key:
        """Return the plan, the site and the authority."""
        return (self.plan, self.site, self.challenger)


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseFact:
    """A license under its number on chain; ``stop_at`` is 0 while nobody stopped it.

    Args:
        first_lane: The lane that it began with; who gave that is its licensor.
        granted_at: The block time at which it was granted.
        more: How many units were added to those of the terms.
        stopped_at: The time of the first call that stopped it.
    """

    number: int
    id: LicenseId
    terms: Terms
    first_lane: LaneNumber
    granted_at: int = 0
    more: int = 0
    stop_at: int = 0
    stopped_at: int = 0

    @property
    def key(self) -> Key:
        """Return the license's number."""
        return (self.number,)

    @property
    def units(self) -> int:
        """Return how many units it was given, then or later."""
        return self.terms.units + self.more


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseNumberFact:
    """The number of a license."""

    id: LicenseId
    number: int

    @property
    def key(self) -> Key:
        """Return the license's id."""
        return (self.id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionFact:
    """Units [first, end) that were added to a root license.

    Args:
        epoch: The epoch of the design, whose owner signed.
        at: The block time.
    """

    license: int
    first: UnitNumber
    end: UnitNumber
    epoch: int
    at: int

    @property
    def key(self) -> Key:
        """Return the license's number and the first unit."""
        return (self.license, self.first)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneFact:
    """Units [first, end) of a license, drawn up to ``next``; ``log`` is 0 where none may draw.

    Args:
        source: The lane that it was cut from, whose holder may reclaim it; 0 where none.
        given_at: When that holder gave the units on; 0 where it was cut from none.
        reclaim_at: From when he may take what is undrawn; 0 while he did not announce it.
    """

    number: LaneNumber
    license: int
    first: UnitNumber
    next: UnitNumber
    end: UnitNumber
    log: LogNumber
    holder: IdentityId
    source: LaneNumber = NO_LANE
    given_at: int = 0
    reclaim_at: int = 0

    @property
    def key(self) -> Key:
        """Return the lane's number."""
        return (self.number,)

    @property
    def drawn(self) -> int:
        """Return how many units it has drawn."""
        return self.next - self.first

    @property
    def room(self) -> int:
        """Return how many units are left to draw."""
        return self.end - self.next


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidFact:
    """For how many units of a lane the royalty of its license, or of one above, was paid."""

    lane: LaneNumber
    license: int
    units: int

    @property
    def key(self) -> Key:
        """Return the lane and the license."""
        return (self.lane, self.license)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFact:
    """A log, who runs it, and its head; a closed log's writer is zero."""

    number: LogNumber
    operator: IdentityId
    writer: Address
    size: int = 0
    seq: Seq = FIRST_SEQ

    @property
    def key(self) -> Key:
        """Return the log's number."""
        return (self.number,)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFact:
    """A batch on record, and the block that holds it."""

    record: Record
    block: int

    @property
    def key(self) -> Key:
        """Return the log and the record's number in it."""
        return (self.record.log, self.record.seq)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStartFact:
    """Where in its log a record begins: the way from an index to its record."""

    log: LogNumber
    first_index: Index
    seq: Seq

    @property
    def key(self) -> Key:
        """Return the log and the record's first index."""
        return (self.log, self.first_index)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFact:
    """What became of a log position: its token's owner, and its fate (0 = none)."""

    log: LogNumber
    index: Index
    owner: Address | None = None
    fate: int = 0

    @property
    def key(self) -> Key:
        """Return log and index."""
        return (self.log, self.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallFact:
    """Recall ``number`` (from 1) of a thing in one list; ``closed_at`` is 0 while it is open.

    Args:
        by: Whose list it is in: the owners', or an authority's.
        issuer: The identity that recalls or, with twelve zero bytes in front, an account.
        since: From when parts are reached, 0 for the first.
        until: Until when, exclusive, 0 without end.
    """

    thing: Thing
    by: IdentityId
    number: int
    issuer: Bytes32
    at: int
    since: int
    until: int
    severity: int
    reason: Digest
    closed_at: int = 0
    closing: Digest = NO_DIGEST

    @property
    def key(self) -> Key:
        """Return the thing's key, the list and the number."""
        return (self.thing.key(), self.by, self.number)

    @property
    def id(self) -> RecallId:
        """Return which recall it is."""
        return RecallId(key=self.thing.key(), by=self.by, number=self.number)

    @property
    def is_owners(self) -> bool:
        """Return whether an owner of the thing issued it."""
        return self.by == OWNERS

    def reaches(self, time: int) -> bool:
        """Return whether it is open and reaches what is of a block time."""
        in_window = self.since <= time and (not self.until or time < self.until)
        return not self.closed_at and in_window


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallAskFact:
    """What an account last said should be recalled of a thing; it proves nothing."""

    thing: Thing
    account: Address
    at: int
    since: int
    until: int
    severity: int
    reason: Digest

    @property
    def key(self) -> Key:
        """Return the thing's key and the account."""
        return (self.thing.key(), self.account)


# Names are not among them: what somebody was called before is forgotten with the index alone.
KINDS: tuple[type[Fact], ...] = (
    IdentityFact,
    ProfileFact,
    SpokenForFact,
    ControllerFact,
    ProposalFact,
    NameFact,
    AuthorityFact,
    NoticeFact,
    BackingFact,
    GuardiansFact,
    RecoveryFact,
    KeyFact,
    MachineKeyFact,
    LinkFact,
    ParentFact,
    ClaimFact,
    NamedByFact,
    AccreditationFact,
    AccreditedFact,
    NumberFact,
    DesignFact,
    DesignOwnerFact,
    RevisionFact,
    RecipeFact,
    SiteRecipeFact,
    PlanFact,
    PlanEntryFact,
    SitePlanFact,
    CertificateFact,
    CounterFact,
    LicenseFact,
    LicenseNumberFact,
    ExtensionFact,
    LaneFact,
    PaidFact,
    LogFact,
    RecordFact,
    RecordStartFact,
    PartFact,
    RecallFact,
    RecallAskFact,
)
"""Every class of facts that the index keeps, but for names."""
