"""What an agent keeps beside its machines: jobs, what was signed about them, how far that is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from guildmark.domain.builds.dependencies import Declaration
from guildmark.domain.builds.lots import check_lots
from guildmark.domain.builds.predicate import Beacon, ExternalParameters, Setting
from guildmark.domain.encoding.document import Document
from guildmark.domain.encoding.strictjson import Limits
from guildmark.domain.identifiers import (
    Bytes32,
    Cid,
    Digest,
    IdentityId,
    LaneNumber,
    LogNumber,
    SiteRecipeId,
    UnitNumber,
)
from guildmark.domain.recipes.clause import Clause
from guildmark.domain.recipes.gcode import Observed
from guildmark.domain.shopfloor.jobs import Piece

_MINUTE = 60
_BACKOFF_MAX = 300.0
_DOUBLINGS_MAX = 16


class JobState(StrEnum):
    """How far a job is on its way to a signature."""

    RUNNING = "running"
    HELD = "held"
    """It ended; people may add to it, then let it be signed."""
    RELEASED = "released"
    """Its pieces are to be signed."""
    SIGNED = "signed"
    """Each of its pieces is signed or scrap."""
    STOPPED = "stopped"
    """Nothing came out that counts."""
    TAKEN = "taken"
    """A measuring machine's report whose values another job has."""


class SignedState(StrEnum):
    """How far an envelope is on its way to a unit."""

    SIGNED = "signed"
    SENT = "sent"
    """It left at least once; nobody knows yet whether it arrived."""
    ACCEPTED = "accepted"
    INCLUDED = "included"
    FINAL = "final"
    REFUSED = "refused"
    REPLACED = "replaced"
    """Another envelope of the same counter stands in its place."""


PENDING = (SignedState.SIGNED, SignedState.SENT)
UNDERWAY = (SignedState.ACCEPTED, SignedState.INCLUDED)
WAITING = (*PENDING, *UNDERWAY)
TAKEN = (*UNDERWAY, SignedState.FINAL)
"""The log has them."""
STANDING = (*PENDING, *TAKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """Something that must hold over a build's window.

    Args:
        name: What it is.
        since: From which block second on it holds.
        until: When it ends; 0 where nobody knows an end.
    """

    name: str
    since: int
    until: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedBeacon:
    """A final record, and its block's seconds."""

    beacon: Beacon
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief(Document):
    """What a node tells the agent of a machine: what is to be signed, and whether it would count.

    Args:
        external: What the build is to be, and where it counts.
        operator: The organization that runs the log.
        ciphertext: Digest of the revision's encrypted files.
        drawn: The unit that the chain gives next to the lane.
        following: The unit that the lane gives next when all that waits at the node has drawn.
        end: The first unit that is no more of the lane.
        counter: The greatest counter of the machine that the node has seen, 0 where none.
        now: The seconds of the newest final block.
        pace: Seconds between the last two records of the beacon's log, 0 where there is one.
        beacon: The newest final record of any log.
        rights: What must hold from the beacon until the build is on record.
    """

    LIMITS = Limits(size=1 << 16)

    external: ExternalParameters
    maker: IdentityId
    site: IdentityId
    machine: IdentityId
    operator: IdentityId
    ciphertext: Digest
    drawn: UnitNumber
    following: UnitNumber
    end: UnitNumber
    counter: int
    now: int
    pace: int = 0
    beacon: DatedBeacon | None = None
    rights: tuple[Right, ...] = ()

    @property
    def youngest(self) -> Right | None:
        """Return the right that began last."""
        return max(self.rights, key=lambda right: right.since, default=None)

    @property
    def usable_beacon(self) -> Beacon | None:
        """Return the beacon, None where a right is younger than it."""
        if self.beacon is None:
            return None
        since = 0 if self.youngest is None else self.youngest.since
        return self.beacon.beacon if self.beacon.time >= since else None


class Hindrance(StrEnum):
    """Why a machine should not begin a job."""

    UNINFORMED = "uninformed"
    """No node has told anything yet."""
    BEACON = "beacon"
    """No record is younger than all rights."""
    ENDING = "ending"
    """A right ends sooner than builds usually take until they are on record."""
    SPENT = "spent"
    """The lane has no unit left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether a job that begins now would count.

    Args:
        hindrance: Why it would not, None where it would.
        text: The same in words.
        seconds: In about how many seconds it would, None where waiting does not help.
    """

    hindrance: Hindrance | None
    text: str
    seconds: int | None = None


def readiness(brief: Brief | None, *, elapsed: int, delay: int, spoken_for: int) -> Readiness:
    """Return whether a machine should begin a job now.

    Args:
        brief: What a node said last.
        elapsed: Seconds since then by the agent's clock.
        delay: Seconds that a build usually takes until it is on record.
        spoken_for: How many units the agent has named that the node has not counted.
    """
    if brief is None:
        return Readiness(hindrance=Hindrance.UNINFORMED, text="no node has told anything yet")
    now = brief.now + max(elapsed, 0)
    ending = [right for right in brief.rights if right.until and right.until - now <= delay]
    if ending:
        first = min(ending, key=lambda right: right.until)
        text = f"{first.name} {_ending(first.until - now)}"
        return Readiness(hindrance=Hindrance.ENDING, text=text)
    if brief.following + spoken_for >= brief.end:
        return Readiness(hindrance=Hindrance.SPENT, text="the lane has no unit left")
    if brief.usable_beacon is None:
        return _until_beacon(brief, now)
    return Readiness(hindrance=None, text="ready", seconds=0)


def _until_beacon(brief: Brief, now: int) -> Readiness:
    newest = 0 if brief.beacon is None else brief.beacon.time
    seconds = max(newest + brief.pace - now, _MINUTE)
    minutes = math.ceil(seconds / _MINUTE)
    youngest = brief.youngest
    because = "" if youngest is None else f": {youngest.name} is younger than any record"
    plural = "" if minutes == 1 else "s"
    text = f"ready in about {minutes} minute{plural}{because}"
    return Readiness(hindrance=Hindrance.BEACON, text=text, seconds=seconds)


def _ending(seconds: int) -> str:
    if seconds < 0:
        return "does not hold"
    return f"ends in {math.ceil(seconds / _MINUTE)} min" if seconds else "ends now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A machine as its agent's owner set it up.

    Args:
        name: What the agent calls it.
        machine: Its identity.
        key: The name or URI of the key that signs for it.
        host: The host of its parts' labels.
        gtin: The GTIN of its parts, where the maker has a prefix.
        job: SHA-256 of the job file, where the machine does not hand it out.
        observed: What that file makes the machine do, where it could be read.
        settings: What it is set to, where it does not tell.
        clauses: Those of the site's recipe, where its document is here: what a job file does is
            held against them before anything is signed.
        holds: Whether jobs wait for what people add.
        is_alone: Whether nobody else draws from the lane, so that each statement names its unit.
        delay: Seconds that a build usually takes until it is on record.
    """

    name: str
    machine: IdentityId
    key: str
    lane: LaneNumber
    site_recipe: SiteRecipeId
    host: str
    gtin: str | None = None
    job: Digest | None = None
    observed: tuple[Observed, ...] = ()
    settings: tuple[Setting, ...] = ()
    clauses: tuple[Clause, ...] = ()
    firmware: str | None = None
    holds: bool = False
    is_alone: bool = True
    delay: int = 3600

    @property
    def gauge(self) -> "Post":
        """Return the place of the measuring machine beside it, whose reports wait for its jobs."""
        return replace(self, name=f"{self.name}/measured", holds=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What an agent remembers of a machine.

    Args:
        cursor: How far its source was read.
        counter: The last counter that was taken.
        brief: What a node said last.
        briefed_at: When, by the agent's clock.
        paused: The code of what stopped it until its owner decides.
        reason: The same in words.
        error: The code of what failed last; None after it went well again.
        error_text: The same in words.
        lots: What is loaded: the lots of every job that begins from now on.
    """

    name: str
    cursor: bytes = b""
    counter: int = 0
    brief: Brief | None = None
    briefed_at: int = 0
    paused: str | None = None
    reason: str | None = None
    error: str | None = None
    error_text: str | None = None
    lots: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_lots(self.lots)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneBook:
    """What an agent remembers of a lane.

    Args:
        serial: The last number that a label took.
        first_unit: The unit that it gave next when this agent began with it; 0 before that.
    """

    lane: LaneNumber
    serial: int = 0
    first_unit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that people added to a job, kept encrypted.

    Args:
        name: What the statement calls it.
        digest: SHA-256 of the encrypted file.
        key: What opens it.
        cid: Where the node keeps it, None before it is there.
    """

    name: str
    digest: Digest
    key: Bytes32 = field(repr=False)
    cid: Cid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run of a machine.

    Args:
        number: Its place in the order in which the agent saw them, 0 before it is stored.
        seen_at: When the agent first heard of it, by the agent's clock.
        started_at: The source's clock.
        beacon: The newest final record that was known when its beginning was seen.
        is_late: Whether nobody saw it begin, so that the beacon is taken at signing.
        observed: What its file makes the machine do.
        files: What people added.
        lots: What went in, by the names that people give, or as MAKER:DIGEST.
        is_stored: Whether the node keeps its files and telemetry.
        scrap: Why its failed pieces are signed as scrap; None where they are only named.
        code: Why it is held, where it is no wish of its owner.
        reason: The same in words.
    """

    machine: str
    job: str
    number: int = 0
    state: JobState = JobState.RUNNING
    seen_at: int = 0
    started_at: int | None = None
    finished_at: int | None = None
    beacon: Beacon | None = None
    is_late: bool = False
    file_name: str | None = None
    file: Digest | None = None
    settings: tuple[Setting, ...] = ()
    observed: tuple[Observed, ...] = ()
    firmware: str | None = None
    technician: str | None = None
    note: str | None = None
    pieces: tuple[Piece, ...] = ()
    files: tuple[Attachment, ...] = ()
    lots: tuple[str, ...] = ()
    is_stored: bool = False
    scrap: str | None = None
    code: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        check_lots(self.lots)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """An envelope about one piece of a job.

    Args:
        number: Its place in the order of signing, 0 before it is stored.
        piece: The piece's place in its job, from 0.
        unit: The unit that it names.
        code: Why the node did not take it, or why it got no unit.
        granted: The unit that it got.
        index: Its place in the log.
        is_scrap: Whether it says that its unit became no part.
        declared: The lots that it commits to, None where it names none.
        is_shown: Whether the node knows them.
    """

    machine: str
    job: str
    piece: int
    counter: int
    label: str
    log: LogNumber
    lane: LaneNumber
    digest: Digest
    number: int = 0
    unit: UnitNumber | None = None
    state: SignedState = SignedState.SIGNED
    code: str | None = None
    reason: str | None = None
    granted: UnitNumber | None = None
    index: int | None = None
    replaces: Digest | None = None
    signed_at: int = 0
    is_scrap: bool = False
    declared: Declaration | None = None
    is_shown: bool = False

    @property
    def is_replaceable(self) -> bool:
        """Return whether another envelope may take its place: the log surely has not got it.

        What left and was not answered may be in the log; it is sent again until there is an answer.
        """
        return self.state in {SignedState.SIGNED, SignedState.REFUSED} and not self.is_scrap

    @property
    def to_show(self) -> Declaration | None:
        """Return what the node is to be shown now: it opens what is on record."""
        is_due = self.state is SignedState.FINAL and not self.is_shown
        return self.declared if is_due else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A line of an agent's own journal."""

    at: int
    machine: str
    code: str
    text: str


def next_unit(brief: Brief, named: Sequence[UnitNumber]) -> UnitNumber | None:
    """Return the unit that the next statement names, None where the lane has none left.

    Args:
        brief: What the node said last.
        named: The units that standing statements of the lane name.
    """
    following = max([brief.following, *(unit + 1 for unit in named)])
    return UnitNumber(following) if following < brief.end else None


def backoff(failures: int, chance: float) -> float:
    """Return in how many seconds to try again: doubling to five minutes, a half of it by chance.

    Args:
        failures: How often it failed in a row, from 1.
        chance: A random number from 0 to 1, so that many agents do not come back at once.
    """
    longest = min(_BACKOFF_MAX, 2.0 ** min(failures, _DOUBLINGS_MAX))
    return longest * (1 + chance) / 2
