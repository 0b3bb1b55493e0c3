"""The verdict page: what a report says, in the words of a person who holds the part."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from guildmark.domain.contracts import ChainClass
from guildmark.domain.verification.report import CheckResult, Party, Report, State, Verdict

_TONES: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.VERIFIED: "good",
        Verdict.UNTRUSTED: "care",
        Verdict.PROBLEM: "bad",
        Verdict.NOT_FOUND: "none",
        Verdict.UNCHECKABLE: "none",
    }
)

_SENTENCES: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.VERIFIED: "All required checks hold.",
        Verdict.UNTRUSTED: "The checks hold, but the list below which they were made does not name "
        "everybody who vouches for this part.",
        Verdict.PROBLEM: "Do not rely on this part before the problem is explained.",
        Verdict.NOT_FOUND: "No entry of this log answers to what was asked.",
        Verdict.UNCHECKABLE: "Something that must be checked could not be. Try again later.",
    }
)

_STATE_TONES: Mapping[State, str] = MappingProxyType(
    {
        State.OK: "good",
        State.FAIL: "bad",
        State.UNKNOWN: "care",
        State.WITHHELD: "none",
        State.NOT_CLAIMED: "none",
    }
)

_ROLES: Mapping[str, str] = MappingProxyType(
    {"maker": "Maker", "designOwner": "Designer", "operator": "Logged by"}
)

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
    """A line of the card: a name, a value, and who says so."""

    name: str
    value: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A measured value beside what the recipe allows."""

    name: str
    value: str
    allowed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """A numbered check as a row."""

    number: int
    title: str
    state: str
    tone: str
    reason: str


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
class PartDetails:
    """What the statement and its disclosures say, beside the report.

    Args:
        serial: What stands below the QR code.
        facts: Further lines of the card.
        measurements: Measured values.
        built: The window of the build, block seconds.
        links: What can be downloaded.
        qr: The picture of the label's QR code.
        file_name: The name that the bundle gets.
    """

    serial: str = ""
    facts: tuple[Fact, ...] = ()
    measurements: tuple[Measured, ...] = ()
    built: tuple[int, int] | None = None
    links: tuple[Link, ...] = ()
    qr: str = ""
    file_name: str = "bundle.zip"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictPage:
    """Everything that the template shows."""

    headline: str
    sentence: str
    tone: str
    problems: tuple[str, ...]
    as_of: str
    simulated: bool
    serial: str
    facts: tuple[Fact, ...]
    measurements: tuple[Measured, ...]
    checks: tuple[CheckRow, ...]
    not_checked: str
    timeline: tuple[Moment, ...]
    links: tuple[Link, ...]
    qr: str
    file_name: str
    limits: Sequence[str] = LIMITS


NO_DETAILS = PartDetails()


def verdict_page(
    report: Report,
    *,
    list_of: str,
    chain_class: ChainClass,
    details: PartDetails = NO_DETAILS,
) -> VerdictPage:
    """Return the page of a report.

    Args:
        report: The report.
        list_of: Whose trust list judged, since that is part of the verdict.
        chain_class: Who can rewrite the chain.
        details: What is shown beside the checks.
    """
    return VerdictPage(
        headline=report.headline,
        sentence=f"{_SENTENCES[report.verdict]} Judged by the list of {list_of}.",
        tone=_TONES[report.verdict],
        problems=tuple(_problems(report)),
        as_of=_as_of(report, chain_class),
        simulated=report.part is not None and report.part.is_simulated,
        serial=details.serial,
        facts=(*_part_facts(report), *details.facts),
        measurements=details.measurements,
        checks=tuple(_row(check) for check in report.checks),
        not_checked=", ".join(f"({number})" for number in report.not_checked),
        timeline=tuple(_timeline(report, details)),
        links=details.links,
        qr=details.qr,
        file_name=details.file_name,
    )


def _problems(report: Report) -> Iterable[str]:
    if report.fault is not None:
        yield f"{report.fault.reason} {report.fault.next_step}"
    for check in report.failed:
        yield f"({check.number}) {check.reason}"
    if report.verdict is Verdict.UNCHECKABLE:
        yield from (
            f"({check.number}) {check.reason}" for check in report.checks if check.falls_short
        )


def _as_of(report: Report, chain_class: ChainClass) -> str:
    if report.as_of is None:
        return ""
    words = f"As of {_words(report.as_of.time)}, block {report.as_of.block}."
    if chain_class is ChainClass.LOCAL:
        return f"{words} The chain is this node's own: its keeper could rewrite it."
    return words


def _part_facts(report: Report) -> Iterable[Fact]:
    part = report.part
    if part is None:
        return
    if part.label is not None:
        yield Fact(name="Label", value=part.label)
    if part.unit is not None:
        yield Fact(name="Unit", value=f"{part.unit} of {part.units}", source="metered on chain")
    for party in report.parties:
        yield Fact(name=_ROLES[party.role], value=party.name or party.id, source=_vouched(party))
    if part.signer_role is not None:
        yield Fact(name="Signed by", value=f"the {part.signer_role}'s key")
    yield Fact(name="Entry", value=f"{part.log}.{part.index}")


def _vouched(party: Party) -> str:
    shown = [f"{claim.scheme} {claim.value}, stated by {claim.issuer}" for claim in party.claims]
    if not party.is_listed:
        shown.append("not on the list")
    return "; ".join(shown)


def _row(check: CheckResult) -> CheckRow:
    return CheckRow(
        number=check.number,
        title=check.name,
        state=check.state.value,
        tone=_STATE_TONES[check.state],
        reason=check.reason,
    )


def _timeline(report: Report, details: PartDetails) -> Iterable[Moment]:
    if details.built is not None:
        began, logged = details.built
        yield _moment(began, "The job began after this block.", "beacon of the statement")
        yield _moment(logged, "The build was logged.", "record on chain")
    if report.as_of is not None:
        yield _moment(report.as_of.time, "The state of the chain that was checked.", "block header")


def _moment(at: int, what: str, source: str) -> Moment:
    return Moment(at=_iso(at), shown=_words(at), what=what, source=source)


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _words(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
