"""What stands at a unit's position, by those who are asked, judged by the auditor's own list."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from guildmark.domain import bundle
from guildmark.domain.audit.findings import Place
from guildmark.domain.audit.units import (
    REPLACED,
    SCRAP,
    UNREACHABLE,
    VOID,
    WITHHELD,
    AuditedUnit,
    DrawnUnit,
)
from guildmark.domain.builds.dependencies import dependencies_root
from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.chain.facts import PartFact, RecordFact
from guildmark.domain.chain.storage import VOIDED
from guildmark.domain.errors import ContentError, GuildmarkError
from guildmark.domain.identifiers import KeyId
from guildmark.domain.verification.case import Brought
from guildmark.domain.verification.evidence import Core, Evidence, statement_of
from guildmark.domain.verification.report import Report, Verdict
from guildmark.domain.verification.standing import stands
from guildmark.ports.audit import EvidenceSource
from guildmark.ports.facts import Facts

SCRAP_CODE = "verify.entryScrap"

Judge: TypeAlias = Callable[[bytes, Sequence[Brought]], Report]
"""Returns the verdict about a bundle, beside others that were shown."""

_BEST_FIRST = (Verdict.VERIFIED, Verdict.UNTRUSTED, Verdict.UNCHECKABLE, Verdict.PROBLEM)
_GOOD = frozenset({Verdict.VERIFIED, Verdict.UNTRUSTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A bundle that stands at the position that was asked for, and who sent it."""

    source: str
    data: bytes
    evidence: Evidence


@dataclass(slots=True, kw_only=True)
class Answers:
    """What was answered about one position.

    Args:
        shown: What stands there, each bundle once.
        silent: Who did not answer.
        false: Who sent what does not stand there.
    """

    shown: list[Shown] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A unit with its verdict, and what was answered.

    Args:
        unit: What became of it, as far as evidence tells.
        shown: The bundle that the verdict is about, None where nobody shows one.
        silent: Who did not answer.
        false: Who sent what does not stand there, or does not hold.
    """

    unit: AuditedUnit
    shown: Shown | None
    silent: Sequence[str]
    false: Sequence[str]

    def by_chain(self, facts: Facts) -> AuditedUnit:
        """Return the unit with what the auditor's own index of the chain says of it."""
        state = _fate(self.unit.unit, facts) or self.unit.state
        rivals = () if self.shown is None else tuple(_rivals(self.shown.evidence, facts))
        return replace(self.unit, state=state, rivals=rivals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Opens units by asking every node; what only one of them shows counts as shown.

    Args:
        sources: Whom to ask, by name.
        judge: The verdict by the auditor's own trust file.
    """

    sources: Mapping[str, EvidenceSource]
    judge: Judge

    def open(
        self, unit: DrawnUnit, admits: Callable[[AuditedUnit], bool] = lambda _: True
    ) -> Opened:
        """Return what stands at a unit's position.

        Args:
            unit: The unit.
            admits: Whether a verdict is wanted, by what a bundle shows; one that says so is enough.
        """
        answers = self._asked(unit)
        if not any(admits(_looked_at(unit, one)) for one in answers.shown):
            return _without_verdict(unit, answers)
        best, report = self._judged(answers)
        core = best.evidence.core
        statement = statement_of(core)
        found = AuditedUnit(
            unit=unit,
            state=SCRAP if _is_scrap(report) else report.verdict.value,
            statement=statement,
            envelope=envelope_digest(core.envelope),
            signers=_signers(core.envelope),
            report=report,
            lots=_lots(best.evidence),
        )
        return Opened(unit=found, shown=best, silent=answers.silent, false=answers.false)

    def look(self, unit: DrawnUnit) -> Opened:
        """Return what stands at a unit's position, without a verdict about it."""
        return _without_verdict(unit, self._asked(unit))

    def _asked(self, unit: DrawnUnit) -> Answers:
        found, seen = Answers(), set[bytes]()
        for name, source in self.sources.items():
            try:
                data = source.bundle(unit.record.log, unit.index)
            except GuildmarkError:
                found.silent.append(name)
                continue
            if data is None or data in seen:
                continue
            seen.add(data)
            evidence = _read(data, unit)
            if evidence is None:
                found.false.append(name)
            else:
                found.shown.append(Shown(source=name, data=data, evidence=evidence))
        return found

    def _judged(self, answers: Answers) -> tuple[Shown, Report]:
        """Return the evidence that says most for the part, and the verdict beside all the other.

        A bundle that leaves something out, or was spoiled, takes nothing from one that is whole;
        what another one proves against the part counts.
        """
        alone = [(one, self.judge(one.data, ())) for one in answers.shown]
        ranked = sorted(alone, key=lambda pair: _BEST_FIRST.index(pair[1].verdict))
        best, report = ranked[0]
        others = [
            Brought(name=f"the bundle of {one.source}", evidence=one.evidence)
            for one, _ in ranked[1:]
        ]
        if others:
            report = self.judge(best.data, others)
        if report.verdict in _GOOD:
            answers.false += [
                one.source for one, alone in ranked[1:] if alone.verdict is Verdict.PROBLEM
            ]
        return best, report


def _without_verdict(unit: DrawnUnit, answers: Answers) -> Opened:
    shown = answers.shown[0] if answers.shown else None
    unseen = AuditedUnit(unit=unit, state=UNREACHABLE if answers.silent else WITHHELD)
    found = unseen if shown is None else _looked_at(unit, shown)
    return Opened(unit=found, shown=shown, silent=answers.silent, false=answers.false)


def _looked_at(unit: DrawnUnit, shown: Shown) -> AuditedUnit:
    core = shown.evidence.core
    return AuditedUnit(
        unit=unit,
        state=Verdict.UNCHECKABLE.value,
        statement=statement_of(core),
        envelope=envelope_digest(core.envelope),
        lots=_lots(shown.evidence),
    )


def _read(data: bytes, unit: DrawnUnit) -> Evidence | None:
    """Return the evidence of a bundle that stands at a unit's position, None where none does."""
    try:
        evidence = bundle.read(data)
    except ContentError:
        return None
    return evidence if stands(evidence.core, unit.record, unit.index) else None


def _fate(unit: DrawnUnit, facts: Facts) -> str | None:
    """Return what the lane's holder made of an entry by the chain's own word, None for nothing."""
    fact = facts.get(PartFact, unit.record.log, unit.index)
    if fact is None or not fact.fate:
        return None
    return VOID if fact.fate == VOIDED else REPLACED


def _is_scrap(report: Report) -> bool:
    findings = (finding for check in report.checks for finding in check.findings)
    return any(finding.cause.code == SCRAP_CODE for finding in findings)


def _signers(envelope: bytes) -> tuple[KeyId, ...]:
    try:
        return tuple(one.key for one in Envelope.parse(envelope).signatures)
    except GuildmarkError:
        # A finding of (2).
        return ()


def _lots(evidence: Evidence) -> frozenset[bytes] | None:
    """Return the recall keys that a maker committed to, None where he does not show them."""
    shown, root = evidence.disclosed.dependencies, evidence.core.entry.dependencies
    if dependencies_root(shown) != root:
        return None
    return frozenset(one.thing.key() for one in shown)


def _rivals(evidence: Evidence, facts: Facts) -> Iterator[Place]:
    """Yield where other entries of the label have a unit, by the chain that the auditor read."""
    own = statement_of(evidence.core)
    for rival in evidence.rivals:
        said = statement_of(rival.core)
        is_same = own is not None and said is not None and said.label == own.label
        if is_same and _has_unit(rival.core, facts):
            yield rival.place


def _has_unit(core: Core, facts: Facts) -> bool:
    """Return whether an entry stands on chain with a unit that is neither void nor replaced."""
    log, index = core.record.log, core.index
    fact, part = facts.get(RecordFact, log, core.record.seq), facts.get(PartFact, log, index)
    if fact is None or not stands(core, fact.record, index):
        return False
    return core.record.unit_at(core.position) is not None and (part is None or not part.fate)
