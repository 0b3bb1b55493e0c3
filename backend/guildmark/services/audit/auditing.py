"""The audit of a scope: each drawn unit is opened and verified; what does not add up is named."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise

from guildmark.domain.audit.accounts import Accounts, LogAccount
from guildmark.domain.audit.findings import Finding, Flaw, Place
from guildmark.domain.audit.materials import LotBounds, Materials
from guildmark.domain.audit.unit_findings import findings_of, recall_finding
from guildmark.domain.audit.units import REPLACED, VOID, AuditedUnit, UnitRow
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.chain.contracts import ChainPin
from guildmark.domain.chain.facts import NoticeFact, RecordFact
from guildmark.domain.identifiers import IdentityId, LaneNumber, LicenseId, LogNumber, to_hex
from guildmark.domain.log.note import NoteKey
from guildmark.domain.rights.reconciliation import Reconciliation
from guildmark.domain.trust import Trust
from guildmark.ports.audit import AuditBook, EvidenceSource
from guildmark.ports.chain import Block
from guildmark.ports.facts import Facts
from guildmark.ports.store import NodeStore
from guildmark.services.audit.continuity import Draws, lane_accounts, log_account
from guildmark.services.audit.elsewhere import Elsewhere
from guildmark.services.audit.heads import Heads
from guildmark.services.audit.opening import Judge, Opened, Opening
from guildmark.services.audit.reaching import Reaching
from guildmark.services.audit.scope import AuditedLane, DrawnRecord, Scope, drawn, lanes_of
from guildmark.services.audit.telemetry import Asking, Telemetry

_COUNTER_SIZE = 8
_LABEL, _ENVELOPE, _COUNTER, _COUNTED = "label", "envelope", "counter", "counted"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditResult:
    """What an audit found; units and findings stand in its book.

    Args:
        block: The newest block of the index that it was made from, None where it read none.
    """

    block: Block | None
    accounts: Accounts
    book: AuditBook

    @property
    def exit(self) -> int:
        """Return 0 where everything adds up, else what the worst finding gives."""
        return self.accounts.exit


def _keep_nothing(one: AuditedUnit, data: bytes, envelope: bytes) -> None:
    del one, data, envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class Auditor:
    """Audits by an index of the auditor's own and by whoever shows evidence.

    Args:
        store: The auditor's own, with an index that read his own node of the chain.
        pin: That chain.
        sources: Whom to ask for evidence, by name; nothing that they send is believed.
        judge: Returns the verdict about a bundle by the auditor's own trust file.
        book: Where units and findings are written down; it is empty.
        trust: Whose authorities' recalls count, and whose cosignatures under heads of logs.
        log_keys: The keys of logs' checkpoints, as the auditor got them from their operators.
        lots: What the auditor knows of lots.
        asking: What he drew of the parts' telemetry, and what was answered.
        reconciled: Returns what is known here of the keys that were released under a license.
        keep: Is given each unit that is shown, with its bundle and its signed statement.
        seen: Is told after each unit how many were looked at.
    """

    store: NodeStore
    pin: ChainPin
    sources: Mapping[str, EvidenceSource]
    judge: Judge
    book: AuditBook
    trust: Trust | None = None
    log_keys: Sequence[NoteKey] = ()
    lots: LotBounds = field(default=LotBounds())
    asking: Asking = field(default=Asking())
    reconciled: Callable[[LicenseId], Reconciliation | None] = field(default=lambda _: None)
    keep: Callable[[AuditedUnit, bytes, bytes], None] = field(default=_keep_nothing)
    seen: Callable[[int], None] = field(default=lambda _: None)

    def audit(self, scope: Scope) -> AuditResult:
        """Open and verify every unit of a scope.

        Raises:
            LicenseUnknownError: No final block grants the license.
            RecipeUnknownError: No final block publishes the recipe.
        """
        with self.store.reading() as view:
            block = view.facts.cursor()
            records, lanes = list(drawn(scope, view.facts)), lanes_of(scope, view.facts)
        audit = _Audit(auditor=self, scope=scope, materials=Materials.within(self.lots))
        audit.units(records)
        audit.overdrawn()
        audit.elsewhere(records)
        audit.doubles()
        drew = {number: lanes[number] for one in records for number in one.lanes}
        audit.lanes(drew)
        audit.logs(sorted({one.record.log for one in records}))
        audit.releases(sorted({one.license for one in drew.values()}))
        audit.gaps()
        audit.notices({one.fact.holder for one in drew.values()})
        audit.silence()
        return AuditResult(block=block, accounts=audit.accounts, book=self.book)


def _counter(said: BuildStatement) -> bytes:
    return said.run.machine + said.run.counter.to_bytes(_COUNTER_SIZE, "big")


@dataclass(slots=True, kw_only=True)
class _Audit:
    """One audit on its way."""

    auditor: Auditor
    scope: Scope
    materials: Materials
    accounts: Accounts = field(default_factory=Accounts)
    silent: dict[str, int] = field(default_factory=dict)
    looked: Elsewhere = field(default_factory=Elsewhere)

    def units(self, records: Sequence[DrawnRecord]) -> None:
        """Open every unit, one after the other."""
        auditor = self.auditor
        self.accounts.drawing = auditor.asking.drawing
        opening = Opening(sources=auditor.sources, judge=auditor.judge)
        reaching, number = Reaching(trust=auditor.trust), 0
        for record in records:
            for unit in record.units():
                opened = opening.open(unit, self.scope.admits)
                with auditor.store.reading() as view:
                    self._unit(opened, reaching, view.facts)
                number += 1
                auditor.seen(number)

    def _unit(self, opened: Opened, reaching: Reaching, facts: Facts) -> None:
        one = opened.by_chain(facts)
        self._heard(opened)
        if not self.scope.admits(one) and one.statement is not None:
            self._count(one.statement, one.unit.place)
            return
        told = Telemetry(asking=self.auditor.asking, sources=self.auditor.sources).of(one)
        one = replace(one, telemetry=told.state)
        self._silent(told.silent)
        self.accounts.add_unit(one)
        self.auditor.book.add_unit(UnitRow.of(one))
        self._use(one)
        found = [*findings_of(one), *self._of_lot(one), *self.materials.take(one)]
        if told.finding is not None:
            found.append(told.finding)
        is_told = any(each.flaw is Flaw.RECALLED for each in found)
        for recall in reaching.of(one, facts):
            self.accounts.add_recall(recall)
            if not (recall.closed_at or is_told or one.state == VOID):
                found.append(recall_finding(one, recall))
        for each in found:
            self._find(each)
        if opened.shown is not None:
            shown = opened.shown
            self.auditor.keep(one, shown.data, shown.evidence.core.envelope)

    def _silent(self, names: Sequence[str]) -> None:
        for name in names:
            self.silent[name] = self.silent.get(name, 0) + 1

    def _heard(self, opened: Opened) -> None:
        self._silent(opened.silent)
        log, index = opened.unit.unit.place
        for name in opened.false:
            reason = f"{name} sends of {log}.{index} what does not stand or hold there."
            place = opened.unit.unit.place
            self._find(Finding(flaw=Flaw.FALSE_EVIDENCE, places=(place,), reason=reason))

    def _of_lot(self, one: AuditedUnit) -> Iterator[Finding]:
        is_asked = self.scope.lot is not None or self.materials.concerns(one)
        if is_asked and one.is_shown and one.lots is None:
            reason = f"Unit {one.unit.unit} does not show of which lots it is."
            yield Finding(flaw=Flaw.LOT_WITHHELD, places=(one.unit.place,), reason=reason)

    def _use(self, one: AuditedUnit) -> None:
        """Write down what may stand once alone; what is void or replaced is no part any more."""
        if one.statement is None or one.envelope is None:
            return
        book, place = self.auditor.book, one.unit.place
        book.add_use(_ENVELOPE, one.envelope, place)
        self._count(one.statement, place)
        if one.state in {VOID, REPLACED}:
            return
        book.add_use(_COUNTER, _counter(one.statement), place)
        for each in (place, *one.rivals):
            book.add_use(_LABEL, one.statement.label.encode(), each)

    def _count(self, said: BuildStatement, place: Place) -> None:
        """Write down that a number of a machine's counter is accounted for."""
        self.auditor.book.add_use(_COUNTED, _counter(said), place)

    def overdrawn(self) -> None:
        """Name lots that more parts name than they are enough for."""
        self._found(self.materials.overdrawn())

    def elsewhere(self, records: Sequence[DrawnRecord]) -> None:
        """Look outside the scope for the numbers that its machines' counters leave out."""
        auditor = self.auditor
        if self.scope.is_of_machine:
            return
        opening = Opening(sources=auditor.sources, judge=auditor.judge)
        for machine in dict.fromkeys(machine for machine, _, _ in self._left_out()):
            with auditor.store.reading() as view:
                units = self.looked.units(
                    machine, self.accounts.machines[machine], records, view.facts
                )
            for unit in units:
                opened = opening.look(unit)
                self._heard(opened)
                with auditor.store.reading() as view:
                    one = opened.by_chain(view.facts)
                if one.statement is not None and one.statement.run.machine == machine:
                    self._use(one)

    def doubles(self) -> None:
        """Name what stands at several positions."""
        for what in (_LABEL, _ENVELOPE, _COUNTER):
            for places in self.auditor.book.doubles(what):
                reason = (
                    f"One {what} stands at {len(places)} positions, each with a unit of its own."
                )
                self._find(Finding(flaw=Flaw.DOUBLE_USE, places=tuple(places), reason=reason))

    def lanes(self, wanted: Mapping[LaneNumber, AuditedLane]) -> None:
        """Compare lanes with all records of the chain."""
        with self.auditor.store.reading() as view:
            found = list(lane_accounts(wanted, Draws.read(view.facts)))
        self.accounts.lanes = tuple(account for account, _ in found)
        self._found(finding for _, finding in found)

    def logs(self, wanted: Sequence[LogNumber]) -> None:
        """Compare logs with their heads on chain, and with what nodes signed of them."""
        auditor = self.auditor
        asked = Heads(
            sources=auditor.sources, pin=auditor.pin, keys=auditor.log_keys, trust=auditor.trust
        )
        accounts: list[LogAccount] = []
        for log in wanted:
            with self.auditor.store.reading() as view:
                account, broken = log_account(log, view.facts)
                records = [fact.record for fact in view.facts.each(RecordFact, log)]
            account, false = asked.of(account, records)
            accounts.append(account)
            self._found((broken, *false))
        self.accounts.logs = tuple(accounts)
        self._silent(asked.silent)

    def releases(self, licenses: Sequence[LicenseId]) -> None:
        """Compare draws with the keys that were released, as far as receipts are known here."""
        for license_id in licenses:
            found = self.auditor.reconciled(license_id)
            for alert in () if found is None else found.alerts:
                reason = f"License {to_hex(license_id)[:12]}: {alert.value}."
                self._find(Finding(flaw=Flaw.RELEASES_DIFFER, places=(), reason=reason))

    def gaps(self) -> None:
        """Name where a machine that built in the scope leaves out numbers of its counter."""
        where = "" if self.scope.is_of_machine else self.looked.words()
        for machine, before, after in self._left_out():
            who = to_hex(machine)[:12]
            reason = f"The counter of machine {who} goes from {before} to {after}{where}."
            self._find(Finding(flaw=Flaw.COUNTER_GAP, places=(), reason=reason))

    def _left_out(self) -> Iterator[tuple[IdentityId, int, int]]:
        """Yield each machine whose counter leaves numbers out, from which to which one."""
        counted = groupby(
            self.auditor.book.uses(_COUNTED), key=lambda each: IdentityId(each[:-_COUNTER_SIZE])
        )
        for machine, uses in counted:
            account = self.accounts.machines.get(machine)
            if account is None:
                continue
            numbers = (int.from_bytes(each[-_COUNTER_SIZE:], "big") for each in uses)
            inside = (each for each in numbers if account.first <= each <= account.last)
            for before, after in pairwise(inside):
                if after > before + 1:
                    yield machine, before, after

    def notices(self, sites: set[IdentityId]) -> None:
        """Collect the notices on whoever built: machines and sites."""
        who = sorted(sites | self.accounts.machines.keys())
        with self.auditor.store.reading() as view:
            found = [fact for each in who for fact in view.facts.each(NoticeFact, each)]
        self.accounts.notices = tuple(found)

    def silence(self) -> None:
        """Name who did not answer."""
        for name, times in sorted(self.silent.items()):
            reason = f"{name} left {times} questions without an answer."
            self._find(Finding(flaw=Flaw.NODE_SILENT, places=(), reason=reason))

    def _found(self, found: "Iterator[Finding | None] | Sequence[Finding | None]") -> None:
        for each in found:
            if each is not None:
                self._find(each)

    def _find(self, found: Finding) -> None:
        self.accounts.add_finding(found)
        self.auditor.book.add_finding(found)
