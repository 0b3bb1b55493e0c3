"""Whether the telemetry that a part's machine committed to is opened, or kept by anybody."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from guildmark.domain.audit.findings import Finding, Place
from guildmark.domain.audit.telemetry import (
    Answers,
    Drawing,
    Read,
    TelemetryState,
    read_answers,
    telemetry_finding,
    telemetry_state,
)
from guildmark.domain.audit.units import REPLACED, VOID, AuditedUnit
from guildmark.domain.builds.telemetry import find_telemetry
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Cid, to_hex
from guildmark.ports.audit import EvidenceSource


def _nothing(place: Place) -> Answers:
    del place
    return Answers()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What an auditor drew of the parts' telemetry, and what was answered.

    Args:
        drawing: How chunks are drawn, None where none is.
        answers: Returns what was handed over for the part at a place.
    """

    drawing: Drawing | None = None
    answers: Callable[[Place], Answers] = field(default=_nothing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What became of a part's telemetry.

    Args:
        silent: Who did not answer, once a question.
    """

    state: TelemetryState | None = None
    finding: Finding | None = None
    silent: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """Holds the parts' telemetry against what was answered, and against what nodes hold."""

    asking: Asking
    sources: Mapping[str, EvidenceSource]

    def of(self, one: AuditedUnit) -> Judged:
        """Return what became of a unit's telemetry; nothing where it is no part, or not shown."""
        if one.statement is None or one.state in {VOID, REPLACED}:
            return Judged()
        resource, drawing = find_telemetry(one.statement.byproducts), self.asking.drawing
        if resource is None:
            return Judged(state=TelemetryState.NONE)
        if drawing is None:
            return Judged(state=TelemetryState.UNASKED)
        read = read_answers(self.asking.answers(one.unit.place), drawing, resource)
        return self._judged(one, read)

    def _judged(self, one: AuditedUnit, read: Read) -> Judged:
        silent: list[str] = []
        missing = [cid for cid in read.cids or () if not self._is_held(cid, silent)]
        state = telemetry_state(read, missing, is_silent=bool(silent))
        unit = f"Unit {one.unit.unit} of {to_hex(one.unit.license)[:12]}"
        finding = telemetry_finding(state, one.unit.place, unit, read, missing)
        return Judged(state=state, finding=finding, silent=silent)

    def _is_held(self, cid: Cid, silent: list[str]) -> bool:
        """Return whether somebody sends an address's bytes; note who did not answer."""
        for name, source in self.sources.items():
            try:
                if source.holds(cid):
                    return True
            except GuildmarkError:
                silent.append(name)
        return False
