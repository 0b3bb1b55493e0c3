"""The published storage layout: where a contract keeps a fact, and how its word is packed.

Slot numbers are those of the compiled contracts; a test compares the two. Keys of mappings
follow Solidity: slot of ``m[k]`` = keccak256(k || slot of ``m``), keys padded to 32 bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Address, IdentityId


@dataclass(frozen=True, slots=True)
class Location:
    """A 32-byte storage slot of one contract."""

    contract: ContractName
    slot: bytes


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping of a contract: its name in the source and the slot number of its declaration."""

    contract: ContractName
    name: str
    number: int

    def at(self, *keys: bytes | int) -> Location:
        """Return where the mapping keeps the value of ``keys``, the outermost key first."""
        slot = _word(self.number)
        for key in keys:
            slot = keccak256(_word(key) + slot)
        return Location(self.contract, slot)


def _word(key: bytes | int) -> bytes:
    return key.to_bytes(32, "big") if isinstance(key, int) else key.rjust(32, b"\0")


IDENTITIES = Mapping(ContractName.IDENTITIES, "_identities", 0)
CONTROLLERS = Mapping(ContractName.IDENTITIES, "_controllers", 1)
PROFILES = Mapping(ContractName.IDENTITIES, "_profiles", 2)
LINKS = Mapping(ContractName.IDENTITIES, "_links", 4)
LINK_COUNTS = Mapping(ContractName.IDENTITIES, "_linkCounts", 5)
KEYS = Mapping(ContractName.IDENTITIES, "_keys", 8)
CLAIMS = Mapping(ContractName.IDENTITIES, "_claims", 9)
ACCREDITATIONS = Mapping(ContractName.IDENTITIES, "_accreditations", 14)
NOTICES = Mapping(ContractName.IDENTITIES, "_notices", 15)
PROFILE_TIMES = Mapping(ContractName.IDENTITIES, "_profileTimes", 17)

REVISIONS = Mapping(ContractName.DESIGNS, "_revisions", 7)
DESIGN_OWNERS = Mapping(ContractName.DESIGNS, "_epochOwners", 11)

LICENSES = Mapping(ContractName.LICENSES, "_licenses", 2)
LICENSE_IDS = Mapping(ContractName.LICENSES, "_ids", 3)
LICENSE_NUMBERS = Mapping(ContractName.LICENSES, "_numbers", 5)
LANES = Mapping(ContractName.LICENSES, "_lanes", 6)
LANE_HOLDERS = Mapping(ContractName.LICENSES, "_holders", 7)
ORIGINS = Mapping(ContractName.LICENSES, "_origins", 8)
EXTENSIONS = Mapping(ContractName.LICENSES, "_extensions", 15)

RECIPES = Mapping(ContractName.RECIPES, "_recipes", 0)
STEPS = Mapping(ContractName.RECIPES, "_steps", 1)
SITE_RECIPES = Mapping(ContractName.RECIPES, "_siteRecipes", 3)

OPERATORS = Mapping(ContractName.LOG, "_operators", 1)
RECORDS = Mapping(ContractName.LOG, "_records", 2)

FATES = Mapping(ContractName.PARTS, "_fates", 8)

SCHEDULES = Mapping(ContractName.EQUIVALENCE, "_schedules", 0)
PLAN_ENTRIES = Mapping(ContractName.EQUIVALENCE, "_entries", 3)
SCOPES = Mapping(ContractName.EQUIVALENCE, "_scopes", 4)
CERTIFICATES = Mapping(ContractName.EQUIVALENCE, "_certificates", 7)
RESULTS = Mapping(ContractName.EQUIVALENCE, "_results", 8)
COUNTERS = Mapping(ContractName.EQUIVALENCE, "_counters", 9)
PLAN_COUNTS = Mapping(ContractName.EQUIVALENCE, "_counts", 10)
PLANS = Mapping(ContractName.EQUIVALENCE, "_plans", 11)

RECALL_COUNTS = Mapping(ContractName.RECALLS, "_counts", 0)
RECALLS = Mapping(ContractName.RECALLS, "_recalls", 1)
RECALL_REASONS = Mapping(ContractName.RECALLS, "_reasons", 3)

ALL_MAPPINGS = (
    *(IDENTITIES, CONTROLLERS, PROFILES, LINKS, LINK_COUNTS, KEYS, CLAIMS, ACCREDITATIONS),
    *(NOTICES, PROFILE_TIMES),
    *(REVISIONS, DESIGN_OWNERS),
    *(LICENSES, LICENSE_IDS, LICENSE_NUMBERS, LANES, LANE_HOLDERS, ORIGINS, EXTENSIONS),
    *(RECIPES, STEPS, SITE_RECIPES),
    *(OPERATORS, RECORDS),
    FATES,
    *(SCHEDULES, PLAN_ENTRIES, SCOPES, CERTIFICATES, RESULTS, COUNTERS, PLAN_COUNTS, PLANS),
    *(RECALL_COUNTS, RECALLS, RECALL_REASONS),
)

VOIDED = 2**64 - 1
"""The fate of an entry that its lane's holder declared void."""


def _fields(word: int, *widths: int) -> Iterator[int]:
    """Yield the fields of a packed word, low bits first, as solc packs a struct."""
    for width in widths:
        yield word & ((1 << width) - 1)
        word >>= width


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityWord:
    """An identity: its controller, kind, first block time, and how many controllers it had.

    Args:
        in_recovery: 1 while guardians are about to give it another controller, else 0.
        under_notice: 1 while its controller is under notice, his own or his guardians', else 0.
    """

    controller: Address
    kind: int
    since: int
    controllers: int
    in_recovery: int
    under_notice: int

    @classmethod
    def decode(cls, word: int) -> Self:
        """Return the fields of ``Identity``."""
        widths = (160, 8, 40, 32, 8, 8)
        controller, kind, since, controllers, recovery, notice = _fields(word, *widths)
        return cls(
            controller=Address(controller.to_bytes(20, "big")),
            kind=kind,
            since=since,
            controllers=controllers,
            in_recovery=recovery,
            under_notice=notice,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountWord:
    """Who controls an identity or owns a design, zero for nobody, and from which block time."""

    account: Address
    since: int

    @classmethod
    def decode(cls, word: int) -> Self:
        """Return the fields of ``Controller`` and ``Owner``, which lie alike."""
        account, since = _fields(word, 160, 40)
        return cls(account=Address(account.to_bytes(20, "big")), since=since)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeWord:
    """A compromise notice: when it was given, 0 where none was, and from when on it doubts."""

    at: int
    suspected_from: int

    @classmethod
    def decode(cls, word: int) -> Self:
        """Return the fields of ``Notice``."""
        at, suspected_from = _fields(word, 40, 40)
        return cls(at=at, suspected_from=suspected_from)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalWord:
    """Block seconds [since, until); ``until`` = 0 is open."""

    since: int
    until: int

    @classmethod
    def decode(cls, word: int) -> Self:
        """Return the fields of ``Interval``."""
        since, until = _fields(word, 40, 40)
        return cls(since=since, until=until)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccreditationWord:
    """What an accreditation says of time; ``until`` = 0 is open, ``revoked_at`` = 0 stands.

    Args:
        since: From when on it holds.
        until: When it ends by itself.
        revoked_at: When its issuer revoked it.
        recorded_at: The time of the block in which it was given.
    """

    since: int
    until: int = 0
    revoked_at: int = 0
    recorded_at: int = 0

    @classmethod
    def decode(cls, word: int) -> Self:
        """Return the fields of ``Accreditation``."""
        since, until, revoked_at, recorded_at = _fields(word, 40, 40, 40, 40)
        return cls(since=since, until=until, revoked_at=revoked_at, recorded_at=recorded_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWord:
    """A machine's key: algorithm, interval, and the two times of a compromise notice."""

    algorithm: int
    since: int
    until: int
    notice_at: int
    suspected_from: int

    @classmethod
    def decode(cls, word: int) -> Self:
        """Return the fields of ``Key``."""
        algorithm, since, until, notice_at, suspected_from = _fields(word, 8, 40, 40, 40, 40)
        return cls(
            algorithm=algorithm,
            since=since,
            until=until,
            notice_at=notice_at,
            suspected_from=suspected_from,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseWord:
    """The metered part of a license."""

    units: int
    not_before: int
    not_after: int
    stop_at: int
    notice: int
    parent: int
    depth: int

    @classmethod
    def decode(cls, word: int) -> Self:
        """Return the fields of ``License``."""
        units, not_before, not_after, stop_at, notice, parent, depth = _fields(
            word, 40, 40, 40, 40, 40, 40, 8
        )
        return cls(
            units=units,
            not_before=not_before,
            not_after=not_after,
            stop_at=stop_at,
            notice=notice,
            parent=parent,
            depth=depth,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneWord:
    """A lane: units [first, end) of a license, drawn up to ``next``, into one log."""

    license: int
    first: int
    next: int
    end: int
    log: int
    reclaim_at: int

    @classmethod
    def decode(cls, word: int) -> Self:
        """Return the fields of ``Lane``."""
        number, first, following, end, log, reclaim_at = _fields(word, 40, 40, 40, 40, 40, 40)
        return cls(
            license=number, first=first, next=following, end=end, log=log, reclaim_at=reclaim_at
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedWord:
    """The number of a license and the block time at which it was granted."""

    number: int
    at: int

    @classmethod
    def decode(cls, word: int) -> Self:
        """Return the fields of ``Granted``."""
        number, at = _fields(word, 40, 40)
        return cls(number=number, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginWord:
    """The lane that a lane was cut from, 0 where it was cut from none, and when it was given."""

    source: int
    at: int

    @classmethod
    def decode(cls, word: int) -> Self:
        """Return the fields of ``Origin``."""
        source, at = _fields(word, 40, 40)
        return cls(source=source, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionWord:
    """Units that were added to a license, up to ``end``: by the owner of which epoch, and when."""

    end: int
    epoch: int
    at: int

    @classmethod
    def decode(cls, word: int) -> Self:
        """Return the fields of ``Extension``."""
        end, epoch, at = _fields(word, 40, 40, 40)
        return cls(end=end, epoch=epoch, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeWord:
    """When a recipe was published, and how many status steps it has."""

    at: int
    steps: int

    @classmethod
    def decode(cls, word: int) -> Self:
        """Return the fields of ``_recipes``."""
        at, steps = _fields(word, 40, 40)
        return cls(at=at, steps=steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWord:
    """One dated status step of a recipe."""

    status: int
    at: int

    @classmethod
    def decode(cls, word: int) -> Self:
        """Return the fields of ``Step``."""
        status, at = _fields(word, 8, 40)
        return cls(status=status, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleWord:
    """When a plan was registered, its deadlines, and how many of its sites committed."""

    at: int
    commit_by: int
    reveal_by: int
    sites: int
    committed: int

    @classmethod
    def decode(cls, word: int) -> Self:
        """Return the fields of ``Schedule``."""
        at, commit_by, reveal_by, sites, committed = _fields(word, 40, 40, 40, 16, 16)
        return cls(
            at=at, commit_by=commit_by, reveal_by=reveal_by, sites=sites, committed=committed
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEntryWord:
    """A site in a plan: its number among the site's plans of the recipe, and when it did what."""

    number: int
    joined_at: int
    committed_at: int
    revealed_at: int

    @classmethod
    def decode(cls, word: int) -> Self:
        """Return the fields of ``Entry``."""
        number, joined_at, committed_at, revealed_at = _fields(word, 40, 40, 40, 40)
        return cls(
            number=number, joined_at=joined_at, committed_at=committed_at, revealed_at=revealed_at
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateWord:
    """What an evaluator certified; ``until`` = 0 is open, 0 in the other times is never."""

    verdict: int
    since: int
    until: int
    suspended_at: int
    lapsed_at: int
    cause: int

    @classmethod
    def decode(cls, word: int) -> Self:
        """Return the fields of ``Certificate``."""
        widths = (8, 40, 40, 40, 40, 8)
        verdict, since, until, suspended_at, lapsed_at, cause = _fields(word, *widths)
        return cls(
            verdict=verdict,
            since=since,
            until=until,
            suspended_at=suspended_at,
            lapsed_at=lapsed_at,
            cause=cause,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallWord:
    """A recall of what was built in [since, until); ``until`` = 0 and ``closed_at`` = 0 are open.

    Args:
        at: When it was issued.
        severity: What to do with a part, as `Severity` numbers it.
    """

    at: int
    since: int
    until: int
    closed_at: int
    severity: int

    @classmethod
    def decode(cls, word: int) -> Self:
        """Return the fields of ``Recall``."""
        at, since, until, closed_at, severity = _fields(word, 40, 40, 40, 40, 8)
        return cls(at=at, since=since, until=until, closed_at=closed_at, severity=severity)


def identity_of(word: int) -> IdentityId:
    """Return the identity id that a word holds."""
    return IdentityId(word.to_bytes(32, "big"))
