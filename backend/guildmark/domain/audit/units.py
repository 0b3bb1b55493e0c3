"""The units that records drew, and what became of each."""

from dataclasses import dataclass
from datetime import UTC, datetime

from guildmark.domain.audit.findings import Place
from guildmark.domain.audit.telemetry import TelemetryState
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.identifiers import (
    Digest,
    IdentityId,
    Index,
    KeyId,
    LaneNumber,
    LicenseId,
    UnitNumber,
    to_hex,
)
from guildmark.domain.log.record import Record
from guildmark.domain.verification.report import CheckResult, Report, Verdict

WITHHELD, UNREACHABLE, SCRAP, VOID, REPLACED = (
    *("withheld", "unreachable", "scrap", "void", "replaced"),
)
ACCOUNTED = frozenset({Verdict.VERIFIED.value, SCRAP, VOID, REPLACED})
"""The states that are no finding."""
STATES = (
    *(Verdict.VERIFIED.value, SCRAP, VOID, REPLACED),
    *(Verdict.PROBLEM.value, Verdict.UNCHECKABLE.value, Verdict.UNTRUSTED.value),
    *(WITHHELD, UNREACHABLE),
)
"""All that may become of a unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnUnit:
    """A unit that a record drew.

    Args:
        block: The block that holds the record.
        site: Who held the lane.
    """

    record: Record
    block: int
    index: Index
    lane: LaneNumber
    unit: UnitNumber
    license: LicenseId
    site: IdentityId

    @property
    def place(self) -> Place:
        """Return its log and index."""
        return self.record.log, self.index


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedUnit:
    """A drawn unit and what became of it.

    Args:
        state: A verdict's, or "scrap", "void", "replaced", "withheld", "unreachable".
        statement: What its machine said, where it is shown and can be read.
        envelope: SHA-256 of what is shown, None where nothing is.
        signers: The keys that its envelope names.
        report: The verdict in full, where there is one.
        lots: The recall keys of its list of dependencies, None where that is not shown.
        rivals: Where else on chain its label has a unit, as the evidence shows it.
        telemetry: What became of its telemetry, None where nothing of it is known.
    """

    unit: DrawnUnit
    state: str
    statement: BuildStatement | None = None
    envelope: Digest | None = None
    signers: tuple[KeyId, ...] = ()
    report: Report | None = None
    lots: frozenset[bytes] | None = None
    rivals: tuple[Place, ...] = ()
    telemetry: TelemetryState | None = None

    @property
    def is_shown(self) -> bool:
        """Return whether somebody shows what stands there."""
        return self.envelope is not None

    @property
    def falls_short(self) -> tuple[CheckResult, ...]:
        """Return the checks that are not ``ok`` although they could be."""
        checks = () if self.report is None else self.report.checks
        return tuple(check for check in checks if check.falls_short)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRow:
    """An audited unit as tables have it: plain values, empty where nothing is shown."""

    log: int
    index: int
    record: int
    recorded: str
    block: int
    license: str
    lane: int
    unit: int
    state: str
    failed: str = ""
    label: str = ""
    maker: str = ""
    site: str = ""
    machine: str = ""
    counter: int | str = ""
    recipe: str = ""
    envelope: str = ""
    telemetry: str = ""

    @classmethod
    def of(cls, one: AuditedUnit) -> "UnitRow":
        """Return the row of a unit."""
        unit, said = one.unit, one.statement
        run = None if said is None else said.run
        return cls(
            log=unit.record.log,
            index=unit.index,
            record=unit.record.seq,
            recorded=moment_text(unit.record.time),
            block=unit.block,
            license=to_hex(unit.license),
            lane=unit.lane,
            unit=unit.unit,
            state=one.state,
            failed=" ".join(f"{each.number}:{each.code}" for each in one.falls_short),
            label="" if said is None else said.label,
            maker="" if run is None else to_hex(run.maker),
            site=to_hex(unit.site if run is None else run.site),
            machine="" if run is None else to_hex(run.machine),
            counter="" if run is None else run.counter,
            recipe="" if said is None else to_hex(said.external.recipe),
            envelope="" if one.envelope is None else to_hex(one.envelope),
            telemetry="" if one.telemetry is None else one.telemetry.value,
        )


def moment_text(seconds: int) -> str:
    """Return block seconds as UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
