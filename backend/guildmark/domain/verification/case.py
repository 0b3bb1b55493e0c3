"""One part's case: evidence beside what the reader brings; what every check is given."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.builds.statement import PAYLOAD_TYPE, BuildStatement
from guildmark.domain.chain import storage
from guildmark.domain.chain.contracts import ChainPin
from guildmark.domain.chain.ethproof.header import Header, HeaderError, decode_header
from guildmark.domain.chain.storage import IntervalWord, Location
from guildmark.domain.errors import GuildmarkError, UncheckableError
from guildmark.domain.identifiers import Address, ChainId, Digest, Index, LogNumber, to_hex
from guildmark.domain.labels.activation import ChipAnswer, Claimed
from guildmark.domain.labels.digital_link import DigitalLink
from guildmark.domain.log.record import Record
from guildmark.domain.trust import Trust
from guildmark.domain.verification.evidence import Core, Disclosures, Evidence
from guildmark.domain.verification.report import Cause, CheckResult, Finding, Lack, State
from guildmark.domain.verification.rights import Cover, Window, cover
from guildmark.domain.verification.state import ProvenState, Unproven, prove_state

PROOF_MISSING = Cause(
    code="verify.proofMissing",
    state=State.UNKNOWN,
    meaning="The bundle proves nothing about a slot that the check needs.",
)
PROOF_INVALID = Cause(
    code="verify.proofInvalid",
    state=State.FAIL,
    meaning="The bundle shows a proof of a slot that the check needs, and the proof is wrong.",
)
STATEMENT_UNREAD = Cause(
    code="verify.statementUnread",
    state=State.UNKNOWN,
    meaning="The check needs the statement, which cannot be read; (2) or (3) says why.",
)
WINDOW_UNKNOWN = Cause(
    code="verify.windowUnknown",
    state=State.UNKNOWN,
    meaning="Beacon or record is not proven, so that the time of the build is not known; see (4).",
)
LINK_MISSING = Cause(
    code="verify.linkMissing",
    state=State.UNKNOWN,
    meaning="The bundle does not show a link, or not all of its intervals.",
)
LICENSE_MISSING = Cause(
    code="verify.licenseMissing",
    state=State.UNKNOWN,
    meaning="The bundle does not show the lane's license, or not all licenses above it.",
)
RECIPE_MISSING = Cause(
    code="verify.recipeMissing",
    state=State.UNKNOWN,
    meaning="The bundle does not show the recipe.",
)
SITE_RECIPE_MISSING = Cause(
    code="verify.siteRecipeMissing",
    state=State.UNKNOWN,
    meaning="The bundle does not show the site's recipe.",
)
CLAUSES_INVALID = Cause(
    code="verify.clausesInvalid",
    state=State.FAIL,
    meaning="The shown clauses are not the ones that a recipe commits to.",
)
VALUES_INVALID = Cause(
    code="verify.valuesInvalid",
    state=State.FAIL,
    meaning="The shown settings or measured values are not those that the statement commits to.",
)
CONTROLLER_UNDER_NOTICE = Cause(
    code="verify.controllerUnderNotice",
    state=State.FAIL,
    meaning="Whoever registered, linked, licensed or gave it did so after a notice on his account.",
)
CONTROLLER_IN_DOUBT = Cause(
    code="verify.controllerInDoubt",
    state=State.UNKNOWN,
    meaning="Whoever registered, linked, licensed or gave it did so before a notice on his "
    "account, at a time when the account is already suspected.",
)
AUTHORITY_MISSING = Cause(
    code="verify.authorityMissing",
    state=State.UNKNOWN,
    meaning="The bundle does not prove what an authority on your list said of it.",
)
SHARED = (
    CONTROLLER_UNDER_NOTICE,
    CONTROLLER_IN_DOUBT,
    AUTHORITY_MISSING,
    PROOF_MISSING,
    PROOF_INVALID,
    STATEMENT_UNREAD,
    WINDOW_UNKNOWN,
    LINK_MISSING,
    LICENSE_MISSING,
    RECIPE_MISSING,
    SITE_RECIPE_MISSING,
    CLAUSES_INVALID,
    VALUES_INVALID,
)
"""Causes that several checks can have."""


ENVELOPE = "statements/build.dsse.json"


class UndecidedError(UncheckableError):
    """A rule cannot go on; its finding says why."""

    code = "verify.undecided"

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.reason)
        self.finding = finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What the reader's own node says of block b.

    Args:
        is_reached: Whether the node answered at all.
        hash: The block's hash there, None where the node does not have it.
        is_final: Whether the node calls it final.
        chain: The node's chain: its id and the hash of its first block; None where it need not
            be asked, since the node is the one that the trust file came from.
    """

    is_reached: bool
    hash: Digest | None = None
    is_final: bool = False
    chain: tuple[ChainId, Digest] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsearched:
    """Where other entries of the label were looked for, and not all could be looked at.

    Args:
        reason: The sentence that says where, and why.
        lack: What is missing for (3); None where it is only told.
    """

    reason: str
    lack: Lack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the reader holds in hand, beside the bundle.

    Args:
        label: The label that was read, whole.
        link: The link that was scanned; its host may be that of a node's page, not the label's.
        hint: The position that the label's code named.
        now: The reader's time in seconds, where the age of the evidence matters.
        sighting: What the reader's own node says of block b, where one was asked.
        list_name: Whose list judges, where it is not the reader's own.
        unsearched: Where other entries of the label could not all be looked at.
        inspections_from: Who gave out the inspections that he knows, empty where nobody was asked.
        second: What he holds beside the label: a first claim, or a chip's answer.
    """

    label: str | None = None
    link: DigitalLink | None = None
    hint: tuple[LogNumber, Index] | None = None
    now: int | None = None
    sighting: Sighting | None = None
    list_name: str | None = None
    unsearched: tuple[Unsearched, ...] = ()
    inspections_from: str = ""
    second: Claimed | ChipAnswer | None = None


NO_QUESTION = Question()


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """Evidence about another entry that the reader holds beside the part's, or a node of his.

    Args:
        name: What the reader calls it.
        evidence: What is looked at; what stands inside it is not.
        sighting: What the reader's own node says of its block, where one was asked.
    """

    name: str
    evidence: Evidence
    sighting: Sighting | None = None


def with_others(
    question: Question, found: Iterable[Brought | Unsearched]
) -> tuple[Question, tuple[Brought, ...]]:
    """Return the question with what could not be looked at, and the entries that could."""
    both = tuple(found)
    unsearched = tuple(one for one in both if isinstance(one, Unsearched))
    brought = tuple(one for one in both if isinstance(one, Brought))
    return replace(question, unsearched=(*question.unsearched, *unsearched)), brought


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRight:
    """By whose word an entry claims its label.

    Args:
        licensor: The account that owned the design when the root license was signed, None where
            that is not proven.
        is_named_by_owner: Whether the root license names the label's namespace.
        is_named_by_holder: Whether a license names it that has the word of whom the label's GS1
            prefix is: the design's owner who signed it, or the maker who builds under it.
        has_prefix: Whether the prefix is the maker's or the design owner's.
    """

    licensor: Address | None = None
    is_named_by_owner: bool = False
    is_named_by_holder: bool = False
    has_prefix: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Another entry that may claim the part's label.

    Args:
        checks: The checks over it alone.
        is_listed: Whether the reader lists its parties.
        right: By whose word it claims the label.
        name: What the reader calls it, empty where the part's own bundle carries it.
    """

    evidence: Evidence
    checks: tuple[CheckResult, ...]
    is_listed: bool
    right: LabelRight
    name: str = ""


@dataclass(frozen=True)
class Case:
    """Evidence, trust and question, with everything that is read from them once.

    Args:
        replacement: The checks over the entry that replaces this one, where it is shown.
        rivals: The other entries that claim this one's label, as far as they are shown.
        same: Other bundles of this very entry that the reader brought, at blocks that he trusts.
    """

    evidence: Evidence
    trust: Trust | None = None
    question: Question = field(default=NO_QUESTION)
    replacement: tuple[CheckResult, ...] = ()
    rivals: tuple[Rival, ...] = ()
    same: "tuple[Case, ...]" = ()

    @property
    def core(self) -> Core:
        """Return the entry in its record."""
        return self.evidence.core

    @property
    def disclosed(self) -> Disclosures:
        """Return what the parties show."""
        return self.evidence.disclosed

    @property
    def pin(self) -> ChainPin:
        """Return the pinned chain: the reader's, else the one that the bundle names."""
        return self.evidence.chain.pin if self.trust is None else self.trust.chain

    @cached_property
    def header(self) -> Header | None:
        """Return the header of block b, None where it is none."""
        try:
            return decode_header(self.evidence.chain.header)
        except HeaderError:
            return None

    @cached_property
    def state(self) -> ProvenState:
        """Return what the shown proofs prove under the header."""
        if self.header is None:
            return ProvenState(words={}, faults={})
        return prove_state(self.header, self.pin, self.evidence.chain.accounts)

    @cached_property
    def envelope(self) -> Envelope | GuildmarkError:
        """Return the signed envelope, or why it cannot be read."""
        try:
            return Envelope.parse(self.core.envelope)
        except GuildmarkError as error:
            return error

    @cached_property
    def parsed_statement(self) -> BuildStatement | GuildmarkError:
        """Return the statement, or why it cannot be read. Nothing here says that it is signed."""
        if isinstance(self.envelope, GuildmarkError):
            return self.envelope
        try:
            return BuildStatement.parse(self.envelope.payload)
        except GuildmarkError as error:
            return error

    @property
    def statement(self) -> BuildStatement:
        """Return the statement.

        Raises:
            UndecidedError: It cannot be read.
        """
        statement = self.parsed_statement
        if isinstance(statement, BuildStatement) and self._has_known_type():
            return statement
        raise UndecidedError(STATEMENT_UNREAD.found("The statement cannot be read.", ENVELOPE))

    def _has_known_type(self) -> bool:
        return isinstance(self.envelope, Envelope) and self.envelope.payload_type == PAYLOAD_TYPE

    @property
    def window(self) -> Window:
        """Return the time in which the part was built, from the beacon's to the record's.

        Raises:
            UndecidedError: One of the two is not proven.
        """
        window = self._proven_window
        if window is None:
            reason = "Beacon or record is not proven, so that the time of the build is not known."
            raise UndecidedError(WINDOW_UNKNOWN.found(reason, "log/record.json"))
        return window

    @cached_property
    def _proven_window(self) -> Window | None:
        beacon, record = self.disclosed.beacon, self.core.record
        if beacon is None or not (self._is_on_chain(beacon) and self._is_on_chain(record)):
            return None
        named = self.statement.beacon.record_digest == beacon.digest()
        if not named or beacon.time >= record.time:
            return None
        return Window(begin=beacon.time, end=record.time)

    def _is_on_chain(self, record: Record) -> bool:
        word = self.state.word(storage.RECORDS.at(record.log, record.seq))
        return word == int.from_bytes(record.digest(), "big")

    def word(self, location: Location) -> int:
        """Return a slot's proven word; 0 is proven absence.

        Raises:
            UndecidedError: No proof of it is shown, or a wrong one.
        """
        word = self.state.word(location)
        if isinstance(word, int):
            return word
        place = f"chain/{location.contract}.json"
        named = f"slot {to_hex(location.slot)} of {location.contract}"
        if word is Unproven.INVALID:
            raise UndecidedError(PROOF_INVALID.found(f"The proof of {named} is wrong.", place))
        raise UndecidedError(PROOF_MISSING.found(f"There is no proof of {named}.", place))


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """A right that must cover the window, and what to say where it does not."""

    what: str
    evidence: str
    none: Cause
    part: Cause

    def findings(self, intervals: Iterable[IntervalWord], window: Window) -> Iterator[Finding]:
        """Yield nothing where the intervals cover the window."""
        found = cover(intervals, window)
        during = f"between {window.begin} and {window.end}, when the part was built"
        if found is Cover.NONE:
            reason = f"{self.what} did not hold {during}."
            yield self.none.found(reason, self.evidence)
        if found is Cover.PART:
            reason = f"{self.what} held only a part of the time {during}."
            yield self.part.found(reason, self.evidence)
