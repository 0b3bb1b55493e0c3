"""What an audit adds up while it goes from unit to unit: as much as there are logs and machines."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from guildmark.domain.audit.findings import CONSEQUENCES, GAP_CHECKS, Finding, Flaw
from guildmark.domain.audit.telemetry import Drawing, TelemetryState
from guildmark.domain.audit.units import ACCOUNTED, AuditedUnit
from guildmark.domain.chain.facts import NoticeFact, RecallFact
from guildmark.domain.identifiers import IdentityId, LaneNumber, LicenseId, LogNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAccount:
    """A log as the chain has it.

    Args:
        size: How many entries its records hold.
        unitless: How many of them have no unit: refused, or behind the grants.
        is_whole: Whether its records follow one another up to its head.
        checkpoint: The largest tree that a node shows truly, 0 for none.
        is_signed: Whether the log's key signed all that is shown; None where no key is named.
        witnesses: How many listed witnesses cosigned that tree.
    """

    number: LogNumber
    operator: IdentityId
    records: int
    size: int
    unitless: int
    is_whole: bool
    checkpoint: int = 0
    is_signed: bool | None = None
    witnesses: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneAccount:
    """A lane as the chain has it: what it has, what it drew, what was refused to it."""

    number: LaneNumber
    license: LicenseId
    site: IdentityId
    units: int
    drawn: int
    refused: int


@dataclass(slots=True, kw_only=True)
class MachineAccount:
    """What is shown of a machine's counter.

    Args:
        shown: How many parts it built.
        since: When the first of them was recorded, in block seconds.
        until: When the last one was.
    """

    first: int
    last: int
    shown: int = 0
    since: int = 0
    until: int = 0


@dataclass(slots=True, kw_only=True)
class GapAccount:
    """How many parts of a site lack something, and from when to when they were recorded."""

    first: int
    last: int
    parts: int = 0


@dataclass(slots=True, kw_only=True)
class Accounts:
    """The sums of an audit; they grow with logs, lanes, machines and recalls, never with units.

    Args:
        states: How many units are in each state.
        flaws: How many findings of each flaw there are.
        machines: The machines of the parts that are shown.
        gaps: What lacks, by flaw, site and the code of the check's finding.
        recalls: The recalls that reach parts, closed ones too, and how many parts each.
        telemetry: How many parts' telemetry is in each state.
        drawing: How chunks of it were drawn, None where none was.
    """

    states: dict[str, int] = field(default_factory=dict)
    flaws: dict[Flaw, int] = field(default_factory=dict)
    machines: dict[IdentityId, MachineAccount] = field(default_factory=dict)
    gaps: dict[tuple[Flaw, IdentityId, str], GapAccount] = field(default_factory=dict)
    recalls: dict[tuple[bytes | int, ...], tuple[RecallFact, int]] = field(default_factory=dict)
    telemetry: dict[TelemetryState, int] = field(default_factory=dict)
    drawing: Drawing | None = None
    notices: tuple[NoticeFact, ...] = ()
    logs: tuple[LogAccount, ...] = ()
    lanes: tuple[LaneAccount, ...] = ()

    @property
    def units(self) -> int:
        """Return how many units there are."""
        return sum(self.states.values())

    @property
    def exit(self) -> int:
        """Return 0 where everything adds up, else what the worst finding gives."""
        worst = next((flaw for flaw in Flaw if self.flaws.get(flaw)), None)
        return 0 if worst is None else CONSEQUENCES[worst].exit

    def add_unit(self, one: AuditedUnit) -> None:
        """Count a unit."""
        self.states[one.state] = self.states.get(one.state, 0) + 1
        if one.statement is not None:
            run, time = one.statement.run, one.unit.record.time
            account = self.machines.setdefault(
                run.machine,
                MachineAccount(first=run.counter, last=run.counter, since=time, until=time),
            )
            account.first = min(account.first, run.counter)
            account.last = max(account.last, run.counter)
            account.since, account.until = min(account.since, time), max(account.until, time)
            account.shown += 1
        if one.telemetry is not None:
            self.telemetry[one.telemetry] = self.telemetry.get(one.telemetry, 0) + 1
        if one.state not in ACCOUNTED:
            self._add_gaps(one)

    def add_finding(self, found: Finding) -> None:
        """Count a finding."""
        self.flaws[found.flaw] = self.flaws.get(found.flaw, 0) + 1

    def add_recall(self, recall: RecallFact) -> None:
        """Count a part that a recall reaches, or reached."""
        _, parts = self.recalls.get(recall.key, (recall, 0))
        self.recalls[recall.key] = (recall, parts + 1)

    def _add_gaps(self, one: AuditedUnit) -> None:
        site, time = one.unit.site, one.unit.record.time
        for check in one.falls_short:
            if check.number in GAP_CHECKS and check.code is not None:
                key = (GAP_CHECKS[check.number], site, check.code)
                gap = self.gaps.setdefault(key, GapAccount(first=time, last=time))
                gap.first, gap.last = min(gap.first, time), max(gap.last, time)
                gap.parts += 1

    def counted(self) -> Mapping[Flaw, int]:
        """Return how many findings of each flaw there are, the worst first."""
        return {flaw: self.flaws[flaw] for flaw in Flaw if flaw in self.flaws}
