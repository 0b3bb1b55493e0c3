"""The verdict page: what a report says, in the words of a person who holds the part."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from guildmark.api.pages.claimed import Hidden
from guildmark.api.pages.proven import proven
from guildmark.api.pages.scanned import Scanned
from guildmark.domain.chain.contracts import ChainClass
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import to_hex
from guildmark.domain.verification.checks.recalled import RECALLED
from guildmark.domain.verification.headline import is_unclaimed, kept_words
from guildmark.domain.verification.report import CheckResult, Party, Report, State, Verdict
from guildmark.domain.verification.times import as_time

_TONES: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.VERIFIED: "good",
        Verdict.UNTRUSTED: "care",
        Verdict.PROBLEM: "bad",
        Verdict.NOT_FOUND: "none",
        Verdict.UNCHECKABLE: "none",
    }
)

_VERIFIED = frozenset({Verdict.VERIFIED, Verdict.UNTRUSTED})
_MAY_BE_COPIED = "; this label may be copied"

_SENTENCES: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.VERIFIED: "All required checks hold.",
        Verdict.UNTRUSTED: "All required checks hold. Whether to trust who vouches for this part "
        "is for you to decide.",
        Verdict.PROBLEM: "Do not rely on this part before the problem is explained: "
        "show this page to whoever sold it.",
        Verdict.NOT_FOUND: "No entry of this log answers to what was asked.",
        Verdict.UNCHECKABLE: "Something that must be checked could not be. Try again later.",
    }
)

_STATES: Mapping[State, tuple[str, str]] = MappingProxyType(
    {
        State.OK: ("good", "ok"),
        State.FAIL: ("bad", "fails"),
        State.UNKNOWN: ("care", "unknown"),
        State.WITHHELD: ("none", "withheld"),
        State.NOT_CLAIMED: ("none", "not claimed"),
    }
)

_SIGNERS: Mapping[str, str] = MappingProxyType(
    {"machine": "the machine", "gateway": "a gateway", "technician": "a technician"}
)

_ROLES: Mapping[str, str] = MappingProxyType(
    {"maker": "Maker", "designOwner": "Designer", "operator": "Logged by"}
)
"""In the order in which they are shown."""

_UNLISTED: Mapping[str, str] = MappingProxyType(
    {
        "operator": "the operator of the log",
        "maker": "the maker's issuer",
        "designOwner": "the designer's issuer",
    }
)

EQUIVALENCE, ACCREDITATION = 9, 10
"""The check that may rest on an issuer whom the reader does not list."""

_LATER: Mapping[int, str] = MappingProxyType(
    {
        11: "custody",
    }
)

# At the top they would bury the words; the checks below give them whole.
_DIGEST = re.compile(r"0x[0-9a-f]{64}", re.ASCII)

LIMITS: Sequence[str] = (
    "That the physical part is the one that the record describes: a label can be copied.",
    "That no further copies were made of a file that was once decrypted.",
    "When the part was built to the minute: times are windows between two blocks.",
    "That the part is equivalent to others in every function: only declared features are compared.",
    "That no recall reaches it by anything that its maker did not declare.",
)
"""What no verdict proves; printed on every page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A line of a card: a name, a value, and who says so.

    Args:
        is_id: Whether the value is an identifier, which is shown as one piece to copy.
    """

    name: str
    value: str
    source: str = ""
    is_id: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A measured value beside what the recipe allows.

    Args:
        uncertainty: The expanded uncertainty with its coverage factor, empty where none is stated.
        decision: What the value proves, empty where the tolerance is not shown.
        tone: How the decision looks.
        reason: Why it proves no more.
    """

    name: str
    unit: str
    value: str
    allowed: str
    uncertainty: str = ""
    decision: str = ""
    tone: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """A numbered check as a row."""

    number: int
    title: str
    state: str
    tone: str
    reason: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A line of the timeline, with its source."""

    at: str
    shown: str
    what: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Something to take along."""

    href: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How the maker's site compares with the reference, in words.

    Args:
        parts: Of part equivalence.
        process: Of process equivalence.
        sites: The page of the recipe's sites.
        plan: The page of the plan, empty where its result was not published here.
    """

    parts: str
    process: str
    sites: str
    plan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What the page's own verifier needs to check what the server judged.

    Args:
        bundle: The address of the bundle, its proofs at the same block.
        digest: Of the bundle that the server judged.
        part: The position that was asked for.
        verdict: What the server says.
    """

    bundle: str
    digest: str
    part: str
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDetails:
    """What the statement and its disclosures say, beside the report.

    Args:
        serial: What stands below the QR code.
        facts: Further lines of the card.
        ids: The identifiers of everything that the part came from.
        names: How identities call themselves, by id; display only.
        measurements: Measured values.
        built: The window of the build, block seconds.
        recalls: When recalls of the part were issued and closed, with what was said.
        links: What can be downloaded.
        qr: The picture of the label's QR code.
        file_name: The name that the bundle gets.
        compared: How the maker's site compares, None where that is not asked for.
        own: What the page's own verifier needs, None where there is nothing to check.
        scanned: How often the label was scanned, None where that was not counted.
        hidden: What is said of the label's hidden code, None where there is none.
    """

    serial: str = ""
    facts: tuple[Fact, ...] = ()
    ids: tuple[Fact, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    measurements: tuple[Measured, ...] = ()
    built: tuple[int, int] | None = None
    recalls: tuple[tuple[int, str], ...] = ()
    links: tuple[Link, ...] = ()
    qr: str = ""
    file_name: str = "bundle.zip"
    compared: Compared | None = None
    own: Own | None = None
    scanned: Scanned | None = None
    hidden: Hidden | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Who judged, on which chain: both are part of every verdict.

    Args:
        host: Whose trust list judged.
        chain_class: Who can rewrite the chain.
    """

    host: str
    chain_class: ChainClass

    @property
    def is_own_chain(self) -> bool:
        """Return whether the chain is the node's own."""
        return self.chain_class is ChainClass.LOCAL


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictPage:
    """Everything that the template shows."""

    headline: str
    by_whom: str
    sentence: str
    proven: str
    tone: str
    problems: tuple[str, ...]
    as_of: str
    simulated: bool
    serial: str
    facts: tuple[Fact, ...]
    ids: tuple[Fact, ...]
    measurements: tuple[Measured, ...]
    checks: tuple[CheckRow, ...]
    not_checked: str
    timeline: tuple[Moment, ...]
    links: tuple[Link, ...]
    qr: str
    file_name: str
    compared: Compared | None
    own: Own | None
    scanned: Scanned | None
    hidden: Hidden | None
    limits: Sequence[str] = LIMITS


NO_DETAILS = PartDetails()


def verdict_page(report: Report, *, judge: Judge, details: PartDetails = NO_DETAILS) -> VerdictPage:
    """Return the page of a report.

    Args:
        report: The report.
        judge: Who judged, on which chain.
        details: What is shown beside the checks.
    """
    # Nothing is plainly green behind a label that may be on several parts.
    is_suspect = (
        report.verdict in _VERIFIED and details.scanned is not None and details.scanned.is_suspect
    )
    return VerdictPage(
        headline=f"{_headline(report, judge)}{_MAY_BE_COPIED if is_suspect else ''}",
        by_whom=_by_whom(report, judge),
        sentence=_SENTENCES[report.verdict],
        proven=proven(report),
        tone="care" if is_suspect else _TONES[report.verdict],
        problems=tuple(_DIGEST.sub(_shortened, problem) for problem in _problems(report)),
        as_of=_as_of(report, judge),
        simulated=report.part is not None and report.part.is_simulated,
        serial=details.serial,
        facts=(*_part_facts(report, details), *details.facts),
        ids=details.ids,
        measurements=details.measurements,
        checks=tuple(_row(check) for check in report.checks),
        not_checked=", ".join(_later(number) for number in report.not_checked),
        timeline=tuple(_timeline(report, details)),
        links=details.links,
        qr=details.qr,
        file_name=details.file_name,
        compared=details.compared,
        own=details.own,
        scanned=details.scanned,
        hidden=details.hidden,
    )


def own(bundle: bytes, report: Report, *, base: str) -> Own:
    """Return what the page's own verifier needs to check what was judged.

    Args:
        bundle: The bundle that was judged.
        report: What was found.
        base: The address of the part's resources, without a slash at its end.
    """
    block = "" if report.as_of is None else f"?block={report.as_of.block}"
    return Own(
        bundle=f"{base}/bundle{block}",
        digest=to_hex(sha256(bundle)),
        part=base.rpartition("/")[2],
        verdict=report.verdict.value,
    )


def _headline(report: Report, judge: Judge) -> str:
    verified = "Verified on this node's own chain" if judge.is_own_chain else "Verified"
    if report.verdict is Verdict.VERIFIED:
        return verified
    if report.verdict is Verdict.UNTRUSTED:
        unlisted = [party for party in report.parties if not party.is_listed]
        if unlisted and all(map(is_unclaimed, unlisted)):
            return f"{verified}, but nobody was shown to vouch for who is named"
        return f"{verified}, but an issuer is not on this node's trust list"
    if report.verdict is Verdict.NOT_FOUND:
        return "Not found"
    lead = "Problem found" if report.verdict is Verdict.PROBLEM else "Could not check"
    decisive = _decisive(report)
    if decisive is not None and decisive.code == RECALLED.code:
        return "Recalled"
    return lead if decisive is None else f"{lead}: {decisive.name}"


def _decisive(report: Report) -> CheckResult | None:
    """Return the check that decided: the lowest that failed, else the lowest that is open."""
    open_checks = (check for check in report.checks if check.falls_short)
    return next(iter(report.failed), None) or next(open_checks, None)


def _by_whom(report: Report, judge: Judge) -> str:
    by_list = f"udged by the trust list of {judge.host}."
    role = None if report.part is None else report.part.signer_role
    return f"Signed by {_SIGNERS[role]}, j{by_list}" if role else f"J{by_list}"


def _problems(report: Report) -> Iterable[str]:
    if report.fault is not None:
        yield f"{report.fault.reason} {report.fault.next_step}"
    for check in report.failed:
        yield f"({check.number}) {check.reason}"
    if report.verdict is Verdict.UNTRUSTED:
        yield from _untrusted(report)
    if report.verdict is Verdict.UNCHECKABLE:
        yield from (
            f"({check.number}) {check.reason}" for check in report.checks if check.falls_short
        )


def _untrusted(report: Report) -> Iterable[str]:
    unlisted = [party for party in report.parties if not party.is_listed]
    unclaimed = [party for party in unlisted if is_unclaimed(party)]
    for party in unclaimed:
        yield (
            f"{_ROLES[party.role]}: no valid claim was shown to this node. Who made one shows it "
            "with `guildmark disclose claim`."
        )
    others = [party for party in unlisted if party not in unclaimed]
    if others or not unclaimed:
        yield f"Not on the list: {_unlisted(report, others)}."


def _unlisted(report: Report, parties: Sequence[Party]) -> str:
    who = [_UNLISTED[party.role] for party in parties]
    unknown = {check.number for check in report.checks if check.state is State.UNKNOWN}
    if EQUIVALENCE in unknown:
        who.append("the evaluator of the site's equivalence")
    if ACCREDITATION in unknown:
        who.append("the last issuer of an accreditation")
    return ", ".join(who or ["the issuer of the label's GS1 prefix"])


def _as_of(report: Report, judge: Judge) -> str:
    if report.as_of is None:
        return ""
    words = f"As of {in_words(report.as_of.time)}, block {report.as_of.block}."
    if judge.is_own_chain:
        return f"{words} The chain is this node's own: whoever keeps it could rewrite it."
    return words


def _part_facts(report: Report, details: PartDetails) -> Iterable[Fact]:
    part = report.part
    if part is None:
        return
    if details.serial:
        yield Fact(name="Serial", value=details.serial)
    if part.unit is not None:
        yield Fact(name="Unit", value=f"{part.unit} of {part.units}", source="metered on chain")
    for check in report.checks:
        for kept in kept_words(check):
            said, _, cover = kept.removesuffix(".").partition("; ")
            yield Fact(name="Not shown", value=f"{said}.", source=cover)
    shown = list(_ROLES)
    for party in sorted(report.parties, key=lambda party: shown.index(party.role)):
        yield _party(party, details.names)


def _party(party: Party, names: Mapping[str, str]) -> Fact:
    shown = [
        f"{claim.scheme} {claim.value}, stated by "
        f"{names.get(claim.issuer) or shortened(claim.issuer)}"
        for claim in party.claims
    ]
    if not party.is_listed:
        shown.append(
            "no claim was shown" if is_unclaimed(party) else "not on this node's trust list"
        )
    name = party.name or shortened(party.id) or "not known"
    return Fact(name=_ROLES[party.role], value=name, source="; ".join(shown))


def _shortened(digest: re.Match[str]) -> str:
    return shortened(digest[0])


def shortened(identity: str) -> str:
    """Return an identity with its middle left out."""
    return f"{identity[:10]}…{identity[-4:]}" if identity else ""


def _row(check: CheckResult) -> CheckRow:
    tone, state = _STATES[check.state]
    return CheckRow(
        number=check.number,
        title=check.name,
        state=state,
        tone=tone,
        reason=check.reason,
        code=check.code or "",
    )


def _later(number: int) -> str:
    return f"{_LATER[number]} ({number})"


def _timeline(report: Report, details: PartDetails) -> Iterable[Moment]:
    if details.built is not None:
        began, logged = details.built
        yield _moment(began, "The job began after this block.", "beacon of the statement")
        yield _moment(logged, "The build was put on record.", "record on chain")
    for at, said in sorted(details.recalls):
        yield _moment(at, _DIGEST.sub(_shortened, said), "recall on chain")
    if report.as_of is not None:
        yield _moment(report.as_of.time, "What was checked now.", "block header")


def _moment(at: int, what: str, source: str) -> Moment:
    return Moment(at=as_time(at), shown=in_words(at), what=what, source=source)


def in_words(at: int) -> str:
    """Return block seconds as people read them."""
    return as_time(at).replace("T", " ").replace("Z", " UTC")
