"""The audit of a scope: each drawn unit is opened and verified; what does not add up is named."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType

from guildmark.domain import bundle
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.chain.facts import LaneFact, LogFact, RecordFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import ContentError, NetworkError, NotFinalError
from guildmark.domain.identifiers import Index, LogNumber, Seq, to_hex
from guildmark.domain.verification.evidence import statement_of
from guildmark.domain.verification.report import Report, Verdict
from guildmark.ports import Facts, NodeStore, Peer
from guildmark.services.audit.scope import DrawnUnit, Scope, drawn

SCRAP_CODE = "verify.entryScrap"


class Flaw(StrEnum):
    """What an audit may find, worst first."""

    DOUBLE_USE = "doubleUse"
    """One label, envelope or counter of a machine stands at several granted positions."""
    PROBLEM = "problem"
    """The verdict about a part is *Problem found*."""
    LOG_BROKEN = "logBroken"
    """The records of a log do not follow one another."""
    DRAWS_DIFFER = "drawsDiffer"
    """A lane is drawn further than the records account for."""
    WITHHELD = "withheld"
    """Nobody who was asked shows what stands at a unit's position."""
    UNREACHABLE = "unreachable"
    """A unit is unseen, and somebody who may show it did not answer."""
    UNCHECKABLE = "uncheckable"
    """The verdict about a part is *Could not check*."""
    UNTRUSTED = "untrusted"
    """A part is as it should be, but by somebody who is not on the reader's list."""
    COUNTER_GAP = "counterGap"
    """A machine's counter leaves numbers out among the parts that are shown."""


EXIT_OF_FLAW: Mapping[Flaw, int] = MappingProxyType(
    {
        Flaw.DOUBLE_USE: 18,
        Flaw.PROBLEM: 18,
        Flaw.LOG_BROKEN: 19,
        Flaw.DRAWS_DIFFER: 19,
        Flaw.WITHHELD: 23,
        Flaw.UNREACHABLE: 3,
        Flaw.UNCHECKABLE: 23,
        Flaw.UNTRUSTED: 16,
        Flaw.COUNTER_GAP: 23,
    }
)
"""The exit code of an audit whose worst finding is this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that does not add up.

    Args:
        places: Where to look, as log and index; empty where it is no entry.
        reason: What was found.
    """

    flaw: Flaw
    places: tuple[tuple[LogNumber, Index], ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedUnit:
    """A drawn unit and what became of it.

    Args:
        state: A verdict's, "scrap", "withheld" or "unreachable".
        statement: What its machine said, where it is shown and can be read.
        envelope: SHA-256 of what is shown, empty where nothing is.
        report: The verdict in full, where there is one.
    """

    unit: DrawnUnit
    state: str
    statement: BuildStatement | None = None
    envelope: bytes = b""
    report: Report | None = None

    @property
    def place(self) -> tuple[LogNumber, Index]:
        """Return its log and index."""
        return self.unit.record.log, self.unit.index


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditResult:
    """What an audit found.

    Args:
        block: The newest block of the index it was made from.
        units: Every unit of the scope, in the order of the logs.
        findings: What does not add up, the worst kind first.
    """

    block: int
    units: tuple[AuditedUnit, ...]
    findings: tuple[Finding, ...]

    @property
    def exit(self) -> int:
        """Return 0 where everything adds up, else what the worst finding gives."""
        return EXIT_OF_FLAW[self.findings[0].flaw] if self.findings else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Auditor:
    """Audits by an index of the auditor's own and by whoever shows evidence.

    Args:
        store: The auditor's own, with an index that read his own node of the chain.
        peers: Whom to ask for evidence; nothing that they send is believed.
        judge: Returns the verdict about a bundle by the auditor's own trust file.
        seen: Is told after each unit how many were looked at.
    """

    store: NodeStore
    peers: Sequence[Peer]
    judge: Callable[[bytes], Report]
    seen: Callable[[int], None] = field(default=lambda _: None)

    def audit(self, scope: Scope) -> AuditResult:
        """Open and verify every unit of a scope.

        Raises:
            LicenseUnknownError: No final block grants the license.
            RecipeUnknownError: No final block publishes the recipe.
        """
        with self.store.reading() as view:
            cursor = view.facts.cursor()
            wanted = list(drawn(scope, view.facts))
            structural = [*_broken_logs(wanted, view.facts), *_drawn_further(wanted, view.facts)]
        units = tuple(self._opened(wanted, scope))
        flaws = list(Flaw)
        findings = sorted(
            [*_double_uses(units), *_of_units(units), *structural, *_gaps(units, scope)],
            key=lambda one: (flaws.index(one.flaw), one.places),
        )
        block = 0 if cursor is None else cursor.number
        return AuditResult(block=block, units=units, findings=tuple(findings))

    def _opened(self, wanted: Sequence[DrawnUnit], scope: Scope) -> Iterator[AuditedUnit]:
        for number, unit in enumerate(wanted, start=1):
            found = self._unit(unit)
            self.seen(number)
            if found.statement is None or scope.admits(found.statement):
                yield found

    def _unit(self, unit: DrawnUnit) -> AuditedUnit:
        data, is_asked = self._bundle(unit)
        if data is None:
            return AuditedUnit(unit=unit, state="withheld" if is_asked else "unreachable")
        report = self.judge(data)
        try:
            core = bundle.read(data).core
        except ContentError:
            # Its verdict says so.
            return AuditedUnit(unit=unit, state=report.verdict.value, report=report)
        if (core.record.log, core.index) != (unit.record.log, unit.index):
            return AuditedUnit(unit=unit, state="withheld")
        return AuditedUnit(
            unit=unit,
            state="scrap" if _is_scrap(report) else report.verdict.value,
            statement=statement_of(core),
            envelope=sha256(core.envelope),
            report=report,
        )

    def _bundle(self, unit: DrawnUnit) -> tuple[bytes | None, bool]:
        """Return the first bundle that somebody shows, and whether everybody could be asked."""
        is_asked = True
        for peer in self.peers:
            try:
                found = peer.bundle(unit.record.log, unit.index)
            except (NetworkError, NotFinalError):
                is_asked = False
                continue
            if found is not None:
                return found, True
        return None, is_asked


def _is_scrap(report: Report) -> bool:
    findings = (finding for check in report.checks for finding in check.findings)
    return any(finding.cause.code == SCRAP_CODE for finding in findings)


def _of_units(units: Iterable[AuditedUnit]) -> Iterator[Finding]:
    for one in units:
        if one.state in {Verdict.VERIFIED.value, "scrap"}:
            continue
        log, index = one.place
        reason = f"Unit {one.unit.unit} of {to_hex(one.unit.license)[:12]} is {one.state}."
        if one.report is not None:
            reason = f"{reason} {_why(one.report)}"
        yield Finding(flaw=Flaw(one.state), places=((log, index),), reason=reason)


def _why(report: Report) -> str:
    if report.fault is not None:
        return report.fault.reason
    worst = [check for check in report.checks if check.falls_short]
    return " ".join(f"({check.number}) {check.reason}" for check in worst[:3]) or report.headline


def _double_uses(units: Sequence[AuditedUnit]) -> Iterator[Finding]:
    uses: dict[tuple[str, Hashable], list[AuditedUnit]] = defaultdict(list)
    for one in units:
        if one.statement is not None:
            said = one.statement
            uses["label", said.label].append(one)
            uses["envelope", one.envelope].append(one)
            uses["counter", (said.run.machine, said.run.counter)].append(one)
    for (what, _), found in uses.items():
        if len(found) > 1:
            places = tuple(one.place for one in found)
            reason = f"One {what} stands at {len(found)} positions, each with a unit of its own."
            yield Finding(flaw=Flaw.DOUBLE_USE, places=places, reason=reason)


def _broken_logs(wanted: Iterable[DrawnUnit], facts: Facts) -> Iterator[Finding]:
    """Yield the logs whose records do not follow one another up to the head on chain."""
    for log in sorted({one.record.log for one in wanted}):
        head, records = facts.get(LogFact, log), [one.record for one in facts.each(RecordFact, log)]
        ends = [(Seq(0), 0), *((Seq(one.seq + 1), one.first_index + one.count) for one in records)]
        begins = [(one.seq, one.first_index) for one in records]
        if head is None or [*begins, (head.seq, head.size)] != ends:
            reason = f"The records of log {log} do not follow one another up to its head on chain."
            yield Finding(flaw=Flaw.LOG_BROKEN, places=(), reason=reason)


def _drawn_further(wanted: Iterable[DrawnUnit], facts: Facts) -> Iterator[Finding]:
    """Yield the lanes that are drawn further than all records together drew from them."""
    of_records: dict[int, int] = defaultdict(int)
    for fact in facts.each(RecordFact):
        for grant in fact.record.grants:
            of_records[grant.lane] += 0 if grant.is_refused else grant.n
    for number in sorted({one.lane for one in wanted}):
        lane = facts.get(LaneFact, number)
        if lane is not None and lane.drawn != of_records[number]:
            reason = f"Lane {number} is drawn by {lane.drawn}, its records by {of_records[number]}."
            yield Finding(flaw=Flaw.DRAWS_DIFFER, places=(), reason=reason)


def _gaps(units: Iterable[AuditedUnit], scope: Scope) -> Iterator[Finding]:
    """Yield where a machine that is audited leaves out numbers of its counter."""
    if scope.machine is None:
        return
    seen = sorted({one.statement.run.counter for one in units if one.statement is not None})
    for before, after in pairwise(seen):
        if after > before + 1:
            reason = f"The counter goes from {before} to {after}."
            yield Finding(flaw=Flaw.COUNTER_GAP, places=(), reason=reason)
