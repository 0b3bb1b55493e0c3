"""Audits: what is drawn is opened and verified, and each thing that does not add up is named."""

import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from fakes.telemetry import chunks
from fakes.world import World, log_unasked, make_world
from guildmark.adapters.reports.book import SqliteBook
from guildmark.domain import bundle
from guildmark.domain.audit.accounts import MachineAccount
from guildmark.domain.audit.findings import CONSEQUENCES, Finding, Flaw, Place
from guildmark.domain.audit.materials import LotBound, LotBounds
from guildmark.domain.audit.telemetry import Answers, Drawing, TelemetryState
from guildmark.domain.audit.units import AuditedUnit, UnitRow
from guildmark.domain.builds.dependencies import Dependency, dependencies_root
from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.builds.telemetry import disclose_chunks, locate_chunks, telemetry_resource
from guildmark.domain.chain.facts import (
    LaneFact,
    LicenseFact,
    LicenseNumberFact,
    LinkFact,
    LogFact,
    NoticeFact,
    PartFact,
    RecallFact,
    RecordFact,
    SitePlanFact,
)
from guildmark.domain.chain.refusals import LicenseUnknownError, RecipeUnknownError
from guildmark.domain.chain.storage import VOIDED
from guildmark.domain.identifiers import (
    Bytes32,
    Cid,
    DesignId,
    Digest,
    EquivalencePlanId,
    IdentityId,
    Index,
    LaneNumber,
    LicenseId,
    LogNumber,
    RecipeId,
    Seq,
    UnitNumber,
    to_hex,
)
from guildmark.domain.log.checkpoint import Checkpoint, origin_of
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.log.note import Note, NoteSignature
from guildmark.domain.log.record import Grant
from guildmark.domain.recall import OWNERS, RecallCause, Thing
from guildmark.domain.rights.reconciliation import Difference, Reconciliation, Row
from guildmark.domain.trust import VERSION, Listed, Trust
from guildmark.domain.verification.case import Brought
from guildmark.domain.verification.report import (
    Cause,
    CheckResult,
    Fault,
    Lack,
    Report,
    State,
    Verdict,
)
from guildmark.ports.peers import PeerUnavailableError
from guildmark.services.audit.auditing import Auditor, AuditResult
from guildmark.services.audit.continuity import log_account
from guildmark.services.audit.elsewhere import LOOKED_MAX, Elsewhere
from guildmark.services.audit.opening import SCRAP_CODE, Judge
from guildmark.services.audit.reaching import Reaching
from guildmark.services.audit.scope import (
    DrawnRecord,
    Scope,
    ScopeEmptyError,
    ScopeLotError,
    drawn,
)
from guildmark.services.audit.telemetry import Asking
from guildmark.services.evidence.bundles import Bundles
from guildmark.services.evidence.evidence import PartUnknownError
from guildmark.services.index.projection import known

GOOD = Report(verdict=Verdict.VERIFIED, exit=0, headline="Verified.")
STRANGE = IdentityId(bytes([9]) * 32)


@dataclass
class Source:
    """A node that shows bundles, but for those that it hides; or does not answer at all."""

    bundles: Bundles
    hidden: set[int] = field(default_factory=set)
    told: Mapping[int, bytes] = field(default_factory=dict)
    checkpoint: bytes | None = None
    is_down: bool = False
    contents: Set[Cid] = frozenset()

    def holds(self, cid: Cid) -> bool:
        if self.is_down:
            message = f"The node does not answer about {cid}."
            raise PeerUnavailableError(message)
        return cid in self.contents

    def bundle(self, log: LogNumber, index: Index) -> bytes | None:
        if self.is_down:
            message = "The node does not answer."
            raise PeerUnavailableError(message)
        if index in self.told:
            return self.told[index]
        if index in self.hidden:
            return None
        try:
            return self.bundles.bundle(log, index)
        except PartUnknownError:
            return None

    def log_checkpoint(self, log: LogNumber) -> bytes | None:
        if self.is_down:
            message = f"The node does not answer about log {log}."
            raise PeerUnavailableError(message)
        return self.checkpoint


@dataclass(frozen=True)
class Audited:
    """What an audit left, read from its book."""

    result: AuditResult
    units: list[UnitRow]
    findings: list[Finding]

    @property
    def flaws(self) -> list[Flaw]:
        return [one.flaw for one in self.findings]

    @property
    def states(self) -> list[str]:
        return [one.state for one in self.units]


def world_of(*numbers: int) -> World:
    made = make_world()
    log_unasked(made, *(made.envelope(number) for number in numbers))
    made.tools.indexing(made.log).follow()
    return made


@pytest.fixture(scope="module")
def world() -> World:
    """Return a world with two parts on record."""
    return world_of(1, 2)


def shown(world: World, **more: object) -> Source:
    store, exporter = world.tools.store, world.tools.exporter
    bundles = Bundles(exporter=exporter, store=store, own_log=world.log)
    more.setdefault("checkpoint", checkpoint(world))
    return Source(bundles=bundles, **more)  # type: ignore[arg-type]  # members of it


def judge_good(data: bytes, others: Sequence[Brought]) -> Report:
    del data, others
    return GOOD


def judging(report: Report) -> Judge:
    """Return a judge to whom all bundles are the same."""

    def judge(data: bytes, others: Sequence[Brought]) -> Report:
        del data, others
        return report

    return judge


@pytest.fixture
def book() -> Iterator[SqliteBook]:
    """Return an empty book."""
    with SqliteBook() as made:
        yield made


def audited(world: World, *sources: Source, scope: Scope | None = None, **more: object) -> Audited:
    """Return an audit of a world's license by some nodes, or of a scope."""
    named = {f"node {number}": one for number, one in enumerate(sources or (shown(world),), 1)}
    with SqliteBook() as book:
        members: dict[str, object] = {"judge": judge_good, **more}
        auditor = Auditor(
            store=world.tools.store,
            pin=world.tools.chain.pin(),
            sources=named,
            book=book,
            **members,  # type: ignore[arg-type]  # members of it
        )
        result = auditor.audit(scope or of_license(world))
        return Audited(result=result, units=list(book.units()), findings=list(book.findings()))


def of_license(world: World) -> Scope:
    return Scope(license=world.license)


def test_a_scope_that_adds_up_is_clean(world: World) -> None:
    seen: list[int] = []

    found = audited(world, seen=seen.append)

    assert (found.result.exit, found.findings, seen) == (0, [], [1, 2])
    assert [(one.log, one.index, one.unit, one.state) for one in found.units] == [
        (world.log, 0, 1, "verified"),
        (world.log, 1, 2, "verified"),
    ]
    assert found.result.block is not None
    assert all(one.block > 0 for one in found.units)
    (lane,), (log,) = found.result.accounts.lanes, found.result.accounts.logs
    assert (lane.number, lane.drawn, lane.refused, lane.site) == (world.lane, 2, 0, world.site)
    assert (log.number, log.size, log.unitless, log.is_whole) == (world.log, 2, 0, True)


def test_two_audits_of_one_state_are_equal(world: World) -> None:
    assert audited(world).units == audited(world).units


def test_what_is_shown_is_given_out_with_its_statement(world: World) -> None:
    kept: list[tuple[Place, bytes, bytes]] = []

    audited(
        world,
        shown(world, hidden={1}),
        keep=lambda one, data, envelope: kept.append((one.unit.place, data, envelope)),
    )

    ((place, data, envelope),) = kept
    core = bundle.read(data).core
    assert (place, envelope) == ((world.log, 0), core.envelope)


def test_an_index_that_read_nothing_knows_no_license(book: SqliteBook) -> None:
    world = make_world()
    auditor = Auditor(
        store=type(world.tools.store)(),
        pin=world.tools.chain.pin(),
        sources={},
        judge=judge_good,
        book=book,
    )

    with pytest.raises(LicenseUnknownError):
        auditor.audit(of_license(world))


def test_what_nobody_shows_is_withheld(world: World) -> None:
    found = audited(world, shown(world, hidden={1}))

    (one,) = found.findings
    assert (one.flaw, one.places) == (Flaw.WITHHELD, ((world.log, 1),))
    assert "withheld" in one.reason
    assert found.result.exit == 23
    assert found.units[1].envelope == ""
    assert found.units[1].site == to_hex(world.site)


def test_what_only_one_node_shows_counts(world: World) -> None:
    found = audited(world, shown(world, hidden={0}), shown(world, hidden={1}))

    assert (found.findings, found.states) == ([], ["verified", "verified"])


def test_who_does_not_answer_leaves_units_unseen(world: World) -> None:
    hiding, down = shown(world, hidden={0}), shown(world, is_down=True)

    found = audited(world, down, hiding)

    assert found.flaws == [Flaw.UNREACHABLE, Flaw.NODE_SILENT]
    assert found.result.exit == 3
    assert "node 1 left 3 questions" in found.findings[1].reason


def test_who_does_not_answer_is_named_even_where_others_show_all(world: World) -> None:
    found = audited(world, shown(world, is_down=True), shown(world))

    assert (found.flaws, found.result.exit) == ([Flaw.NODE_SILENT], 3)


def test_a_bundle_of_another_place_shows_nothing(world: World) -> None:
    first = shown(world).bundle(world.log, Index(0))
    assert first is not None

    found = audited(world, shown(world, told={1: first}))

    assert found.flaws == [Flaw.FALSE_EVIDENCE, Flaw.WITHHELD]
    assert found.findings[0].places == ((world.log, 1),)
    assert found.result.exit == 14


def changed(world: World, **members: object) -> bytes:
    """Return the first part's bundle with other members of its core."""
    first = shown(world).bundle(world.log, Index(0))
    assert first is not None
    evidence = bundle.read(first)
    core = replace(evidence.core, **members)  # type: ignore[arg-type]  # members of it
    return bundle.write(replace(evidence, core=core))


@pytest.mark.parametrize("lie", ["junk", "salt", "envelope", "record"])
def test_a_lying_node_takes_nothing_from_what_another_one_shows(world: World, lie: str) -> None:
    first = shown(world).bundle(world.log, Index(0))
    assert first is not None
    core = bundle.read(first).core
    told = {
        "junk": b"junk",
        "salt": changed(world, salt=Bytes32(bytes(32))),
        "envelope": changed(world, envelope=world.envelope(9)),
        "record": changed(world, record=replace(core.record, time=core.record.time + 1)),
    }[lie]

    found = audited(world, shown(world, told={0: told}), shown(world))

    assert (found.flaws, found.states) == ([Flaw.FALSE_EVIDENCE], ["verified", "verified"])
    assert "node 1" in found.findings[0].reason


def test_a_spoiled_bundle_beside_a_whole_one_names_who_sent_it(world: World) -> None:
    first = shown(world).bundle(world.log, Index(0))
    assert first is not None
    evidence = bundle.read(first)
    spoiled = bundle.write(replace(evidence, disclosed=replace(evidence.disclosed, key=None)))
    beside: list[list[str]] = []

    def judge(data: bytes, others: Sequence[Brought]) -> Report:
        beside.append([one.name for one in others])
        return failed("verify.recipeMissing") if data == spoiled else GOOD

    found = audited(world, shown(world, told={0: spoiled}), shown(world), judge=judge)

    assert (found.flaws, found.states) == ([Flaw.FALSE_EVIDENCE], ["verified", "verified"])
    assert ["the bundle of node 1"] in beside


def test_what_one_bundle_proves_against_a_part_counts(world: World) -> None:
    first = shown(world).bundle(world.log, Index(0))
    assert first is not None
    evidence = bundle.read(first)
    more = bundle.write(replace(evidence, disclosed=replace(evidence.disclosed, key=None)))

    def judge(data: bytes, others: Sequence[Brought]) -> Report:
        del data
        return failed("verify.inspectionFailed") if others else GOOD

    found = audited(world, shown(world, told={0: more}), shown(world), judge=judge)

    assert (found.flaws, found.states) == ([Flaw.PROBLEM], ["problem", "verified"])


def failed(code: str, verdict: Verdict = Verdict.PROBLEM) -> Report:
    cause = Cause(code=code, state=State.FAIL, meaning="It is not so.")
    finding = cause.found("It is so.", "evidence")
    check = CheckResult(number=6, name="unit", asks="Is it so?", findings=(finding,))
    return Report(verdict=verdict, exit=18, headline="Problem found.", checks=(check,))


def lacking(number: int, code: str, verdict: Verdict, lack: Lack = Lack.EVIDENCE) -> Report:
    """Return a report in which one check is unknown."""
    cause = Cause(code=code, state=State.UNKNOWN, meaning="It is not known.", lack=lack)
    finding = cause.found("It cannot be told.", "evidence")
    check = CheckResult(number=number, name="x", asks="Is it?", findings=(finding,))
    return Report(verdict=verdict, exit=23, headline="Could not check.", checks=(check,))


@pytest.mark.parametrize(
    ("verdict", "flaw"),
    [
        (Verdict.PROBLEM, Flaw.PROBLEM),
        (Verdict.UNTRUSTED, Flaw.UNTRUSTED),
        (Verdict.UNCHECKABLE, Flaw.UNCHECKABLE),
    ],
)
def test_a_verdict_that_is_not_green_is_a_finding(
    world: World, verdict: Verdict, flaw: Flaw
) -> None:
    found = audited(world, judge=judging(failed("verify.x", verdict)))

    assert found.flaws == [flaw, flaw]
    assert "(6) It is so." in found.findings[0].reason
    assert {one.failed for one in found.units} == {"6:verify.x"}


@pytest.mark.parametrize(
    ("report", "flaw", "code"),
    [
        (lacking(2, "verify.keyInDoubt", Verdict.UNCHECKABLE), Flaw.COMPROMISED, 12),
        (lacking(12, "verify.recalled", Verdict.PROBLEM), Flaw.RECALLED, 20),
        (lacking(12, "verify.recallsStale", Verdict.UNCHECKABLE), Flaw.UNCHECKABLE, 23),
        (lacking(3, "verify.labelClaimedEarlier", Verdict.PROBLEM), Flaw.DOUBLE_USE, 18),
        (lacking(9, "verify.equivalenceNotInForce", Verdict.PROBLEM), Flaw.EQUIVALENCE_GAP, 15),
        (lacking(10, "verify.accreditationLapsed", Verdict.PROBLEM), Flaw.ACCREDITATION_GAP, 13),
        (
            lacking(10, "verify.accreditationUnlisted", Verdict.UNTRUSTED, Lack.ISSUER),
            Flaw.UNTRUSTED,
            16,
        ),
    ],
)
def test_each_check_gives_the_flaw_that_it_is_about(
    world: World, report: Report, flaw: Flaw, code: int
) -> None:
    found = audited(world, judge=judging(report))

    assert (found.flaws, found.result.exit) == ([flaw, flaw], code)


def test_gaps_are_told_by_site_and_time(world: World) -> None:
    lapsed = lacking(10, "verify.accreditationLapsed", Verdict.PROBLEM)

    ((key, gap),) = audited(world, judge=judging(lapsed)).result.accounts.gaps.items()

    (record,) = records(world)
    assert key == (Flaw.ACCREDITATION_GAP, world.site, "verify.accreditationLapsed")
    assert (gap.parts, gap.first, gap.last) == (2, record.record.time, record.record.time)


def test_what_the_recipe_does_not_ask_for_is_no_gap(world: World) -> None:
    cause = Cause(
        code="verify.accreditationsNotAsked",
        state=State.NOT_CLAIMED,
        meaning="Not asked.",
        is_exempt=True,
    )
    check = CheckResult(number=10, name="x", asks="?", findings=(cause.found("No.", "x"),))
    other = failed("verify.x")
    (six,) = other.checks
    both = replace(six, findings=(*six.findings, cause.found("Not asked.", "x")))
    report = replace(other, checks=(both, check))

    found = audited(world, judge=judging(report))

    assert found.flaws == [Flaw.PROBLEM, Flaw.PROBLEM]
    assert "Not asked." not in found.findings[0].reason
    assert found.result.accounts.gaps == {}


def test_a_verdict_without_a_failed_check_is_told_by_its_headline(world: World) -> None:
    untrusted = replace(GOOD, verdict=Verdict.UNTRUSTED, headline="Verified, but not listed.")

    found = audited(world, judge=judging(untrusted))

    assert "Verified, but not listed." in found.findings[0].reason


def test_a_verdict_that_ended_early_is_told_by_its_fault(world: World) -> None:
    fault = Fault(code="bundle.x", reason="It ended early.", next_step="Ask again.")
    report = Report(verdict=Verdict.PROBLEM, exit=14, headline="Problem found.", fault=fault)

    found = audited(world, judge=judging(report))

    assert "It ended early." in found.findings[0].reason


def test_scrap_is_accounted_for(world: World) -> None:
    found = audited(world, judge=judging(failed(SCRAP_CODE)))

    assert found.result.exit == 0
    assert found.states == ["scrap", "scrap"]


@pytest.mark.parametrize(("fate", "state"), [(VOIDED, "void"), (1, "replaced")])
def test_what_its_maker_took_back_is_accounted_for(fate: int, state: str) -> None:
    world = world_of(1, 2)
    with world.tools.store.writing() as work:
        work.facts.put(PartFact(log=world.log, index=Index(0), fate=fate))

    for hidden in (set[int](), {0}):
        found = audited(world, shown(world, hidden=hidden))
        assert (found.states, found.findings) == ([state, "verified"], [])


def twice() -> World:
    """Return a world in which one label and one counter stand at two positions."""
    world = make_world()
    first = world.statement(1)
    others = replace(world.statement(2), label=first.label, run=first.run)
    log_unasked(world, world.sign(first), world.sign(others))
    world.tools.indexing(world.log).follow()
    return world


def test_one_label_and_one_counter_at_two_places_are_double_use() -> None:
    world = twice()

    found = audited(world)

    assert found.flaws == [Flaw.DOUBLE_USE, Flaw.DOUBLE_USE]
    assert {one.reason.split()[1] for one in found.findings} == {"label", "counter"}
    assert found.findings[0].places == ((world.log, 0), (world.log, 1))


def test_a_void_part_uses_neither_label_nor_counter() -> None:
    world = twice()
    with world.tools.store.writing() as work:
        work.facts.put(PartFact(log=world.log, index=Index(1), fate=VOIDED))

    assert audited(world).findings == []


def test_a_label_that_another_bundle_shows_is_double_use() -> None:
    world = twice()

    found = audited(world, shown(world, hidden={1}))

    assert found.flaws == [Flaw.DOUBLE_USE, Flaw.WITHHELD]
    assert found.findings[0].places == ((world.log, 0), (world.log, 1))


def test_a_rival_that_is_void_takes_no_label() -> None:
    world = twice()
    with world.tools.store.writing() as work:
        work.facts.put(PartFact(log=world.log, index=Index(1), fate=VOIDED))

    found = audited(world, shown(world, hidden={1}))

    assert found.flaws == []


def test_a_rival_that_stands_nowhere_takes_no_label() -> None:
    world = twice()
    first = shown(world).bundle(world.log, Index(0))
    assert first is not None
    evidence = bundle.read(first)
    (rival,) = evidence.rivals
    moved = replace(rival, core=replace(rival.core, salt=Bytes32(bytes(32))))
    told = bundle.write(replace(evidence, rivals=(moved,)))

    assert audited(world, shown(world, told={0: told}, hidden={1})).flaws == [Flaw.WITHHELD]


def test_an_envelope_that_is_none_is_still_an_entry() -> None:
    world = make_world()
    log_unasked(world, b"no envelope")
    world.tools.indexing(world.log).follow()

    found = audited(world, judge=judging(failed("verify.envelopeMalformed")))

    (one,) = found.units
    assert (one.state, one.label, one.counter) == ("problem", "", "")
    assert found.result.accounts.machines == {}


def test_a_log_with_a_gap_is_broken() -> None:
    world = world_of(1)
    with world.tools.store.writing() as work:
        head = known(work.facts, LogFact, world.log)
        work.facts.put(replace(head, size=head.size + 1))

    assert audited(world).flaws == [Flaw.LOG_BROKEN]


def test_a_log_without_a_head_is_broken(world: World) -> None:
    with world.tools.store.reading() as view:
        account, broken = log_account(LogNumber(99), view.facts)

    assert (account.is_whole, account.operator) == (False, IdentityId(bytes(32)))
    assert broken is not None


def test_records_that_do_not_follow_one_another_are_broken() -> None:
    world = world_of(1, 2)
    with world.tools.store.writing() as work:
        (fact,) = work.facts.each(RecordFact, world.log)
        later = replace(fact.record, seq=Seq(2), first_index=Index(9))
        work.facts.put(replace(fact, record=later))

    assert Flaw.LOG_BROKEN in audited(world).flaws


def test_a_lane_that_is_drawn_further_than_its_records_differs() -> None:
    world = world_of(1)
    with world.tools.store.writing() as work:
        lane = known(work.facts, LaneFact, world.lane)
        work.facts.put(replace(lane, next=UnitNumber(lane.next + 1)))

    assert audited(world).flaws == [Flaw.DRAWS_DIFFER]


def test_refused_draws_are_counted() -> None:
    world = world_of(1)
    with world.tools.store.writing() as work:
        (fact,) = work.facts.each(RecordFact, world.log)
        refused = Grant(lane=world.lane, n=1, first_unit=UnitNumber(0))
        record = replace(fact.record, count=3, grants=(*fact.record.grants, refused))
        work.facts.put(replace(fact, record=record))

    accounts = audited(world).result.accounts

    assert [one.refused for one in accounts.lanes] == [1]
    assert [one.unitless for one in accounts.logs] == [2]


def checkpoint(world: World, **members: object) -> bytes:
    """Return a true checkpoint of the world's log, but for some members."""
    tree = MerkleTree(one.record.digest() for one in records(world))
    origin = origin_of(world.tools.chain.pin(), world.log)
    head = Checkpoint(origin=origin, size=len(tree), root=tree.root())
    text = replace(head, **members).text()  # type: ignore[arg-type]  # members of it
    signature = NoteSignature(name="somebody", key=b"1234", value=b"x" * 64)
    return Note(text=text, signatures=(signature,)).encode()


def test_a_true_checkpoint_says_how_much_of_the_log_it_covers(world: World) -> None:
    found = audited(world, shown(world, checkpoint=checkpoint(world)))

    assert found.findings == []
    assert [one.checkpoint for one in found.result.accounts.logs] == [1]


def test_a_checkpoint_that_is_younger_than_the_index_says_nothing(world: World) -> None:
    found = audited(world, shown(world, checkpoint=checkpoint(world, size=2)))

    assert found.findings == []
    assert [one.checkpoint for one in found.result.accounts.logs] == [0]


@pytest.mark.parametrize("lie", ["root", "origin", "junk"])
def test_a_false_checkpoint_is_named(world: World, lie: str) -> None:
    told = {
        "root": checkpoint(world, root=Digest(bytes(32))),
        "origin": checkpoint(world, origin="elsewhere"),
        "junk": b"junk",
    }[lie]

    found = audited(world, shown(world, checkpoint=told), shown(world))

    assert (found.flaws, found.result.exit) == ([Flaw.CHECKPOINT_DIFFERS], 19)
    assert found.findings[0].reason.startswith("node 1")


def test_a_machine_that_leaves_numbers_out_is_named() -> None:
    world = world_of(1, 4)

    found = audited(world, scope=Scope(machine=world.machine))

    (one,) = found.findings
    who = to_hex(world.machine)[:12]
    assert one.flaw is Flaw.COUNTER_GAP
    assert one.reason == f"The counter of machine {who} goes from 1 to 4."
    (machine,) = found.result.accounts.machines.values()
    assert (machine.first, machine.last, machine.shown) == (1, 4, 2)


def test_any_machine_of_a_scope_that_leaves_numbers_out_is_named() -> None:
    found = audited(world_of(1, 3))

    (one,) = found.findings
    assert (one.flaw, found.result.exit) == (Flaw.COUNTER_GAP, 23)
    assert one.reason.endswith("goes from 1 to 3, also outside the scope.")


def elsewhere(*numbers: int, beside: int) -> World:
    """Return a world in which one record of several drew under another license."""
    world = make_world()
    for number in numbers:
        log_unasked(world, world.envelope(number))
    world.tools.indexing(world.log).follow()
    other = LaneNumber(99)
    with world.tools.store.writing() as work:
        lane = known(work.facts, LaneFact, world.lane)
        license_ = known(work.facts, LicenseFact, lane.license)
        work.facts.put(replace(license_, number=99, id=LicenseId(bytes([5]) * 32)))
        fact = list(work.facts.each(RecordFact, world.log))[beside]
        (grant,) = fact.record.grants
        moved = replace(fact.record, grants=(replace(grant, lane=other),))
        work.facts.put(replace(fact, record=moved))
        work.facts.put(replace(lane, next=UnitNumber(lane.next - 1)))
        drew = UnitNumber(lane.first + 1)
        work.facts.put(replace(lane, number=other, license=99, next=drew))
    return world


def test_a_number_that_stands_under_another_license_is_not_left_out() -> None:
    world = elsewhere(1, 2, 3, beside=1)

    found = audited(world)

    assert (found.findings, len(found.units)) == ([], 2)
    (machine,) = found.result.accounts.machines.values()
    assert (machine.first, machine.last, machine.shown) == (1, 3, 2)


def test_what_a_machine_built_elsewhere_has_no_gap_of_its_own() -> None:
    """Counter 7 stands under another license, and is behind the last part of this one."""
    assert audited(elsewhere(1, 7, 2, beside=1)).findings == []


def test_a_number_that_nobody_shows_elsewhere_is_left_out() -> None:
    world = elsewhere(1, 2, 3, beside=1)

    hiding = audited(world, shown(world, hidden={1}))
    silent = audited(world, shown(world), shown(world, is_down=True))

    assert hiding.flaws == [Flaw.COUNTER_GAP]
    # The numbers were found at the first node; the other one was asked of each unit, and the head.
    assert silent.flaws == [Flaw.NODE_SILENT]
    assert "left 4 questions" in silent.findings[0].reason


def test_a_counter_that_was_used_again_elsewhere_is_double_use() -> None:
    world = elsewhere(1, 1, 3, beside=1)

    found = audited(world)

    assert Flaw.DOUBLE_USE in found.flaws
    assert Flaw.COUNTER_GAP in found.flaws


def test_what_a_scope_leaves_out_is_counted() -> None:
    world = make_world()
    second = world.statement(2)
    other = replace(second, external=replace(second.external, recipe=RecipeId(bytes(32))))
    log_unasked(world, world.envelope(1), world.sign(other), world.envelope(3))
    world.tools.indexing(world.log).follow()

    found = audited(world, scope=Scope(recipe=world.recipe.id()))

    assert (found.flaws, len(found.units)) == ([], 2)


def test_a_machine_outside_the_scope_has_no_gaps() -> None:
    world = make_world()
    said = [world.statement(number) for number in (1, 2, 5)]
    strange = [replace(one, run=replace(one.run, machine=STRANGE)) for one in said[1:]]
    log_unasked(world, world.sign(said[0]), *(world.sign(one) for one in strange))
    world.tools.indexing(world.log).follow()

    found = audited(world, scope=Scope(license=world.license, machine=world.machine))

    assert (found.flaws, len(found.units)) == ([], 1)


def test_no_more_is_looked_at_outside_than_there_is_room_for() -> None:
    world = elsewhere(1, 2, 4, beside=1)
    (first, _), last = _drawn(world, of_license(world)), 1
    account = MachineAccount(first=1, last=4, since=first.record.time, until=2**40 - 2)
    with world.tools.store.reading() as view:
        whole, cut = Elsewhere(room=last), Elsewhere(room=0)
        found = [one.units(world.machine, account, [first], view.facts) for one in (whole, cut)]

    assert [len(one) for one in found] == [1, 0]
    assert (whole.was_cut, cut.was_cut) == (True, True)
    assert cut.words() == f", as far as {LOOKED_MAX} units outside the scope tell"


def recall(thing: Thing, **members: object) -> RecallFact:
    fact = RecallFact(
        thing=thing,
        by=OWNERS,
        number=1,
        issuer=Bytes32(bytes(32)),
        at=50,
        since=0,
        until=0,
        severity=2,
        reason=Digest(bytes(32)),
    )
    return replace(fact, **members)  # type: ignore[arg-type]  # members of it


def with_recall(thing: Callable[[World], Thing], **members: object) -> World:
    world = world_of(1, 2)
    with world.tools.store.writing() as work:
        work.facts.put(recall(thing(world), **members))
    return world


def named(cause: RecallCause, what: Callable[[World], bytes]) -> Callable[[World], Thing]:
    return lambda world: Thing(cause=cause, id=Bytes32(what(world)))


def key_of(world: World) -> bytes:
    return Envelope.parse(world.envelope(1)).signatures[0].key


@pytest.mark.parametrize(
    ("thing", "count"),
    [
        (lambda world: Thing.serial(world.log, Index(0)), 1),
        (named(RecallCause.MACHINE, lambda world: world.machine), 2),
        (named(RecallCause.RECIPE, lambda world: world.recipe.id()), 2),
        (named(RecallCause.SITE_RECIPE, lambda world: world.site_recipe), 2),
        (named(RecallCause.DESIGN, lambda world: world.revision.design), 2),
        (named(RecallCause.KEY, key_of), 2),
        (named(RecallCause.MACHINE, lambda _: STRANGE), 0),
    ],
)
def test_parts_are_recalled_by_what_they_have_in_common(
    thing: Callable[[World], Thing], count: int
) -> None:
    found = audited(with_recall(thing))

    assert found.flaws == [Flaw.RECALLED] * count
    assert found.result.exit == (20 if count else 0)


def test_a_certificate_is_recalled_by_plan_and_site() -> None:
    plan = EquivalencePlanId(bytes([8]) * 32)
    world = with_recall(
        lambda world: Thing(
            cause=RecallCause.CERTIFICATE, id=Bytes32(plan), detail=Bytes32(world.site)
        )
    )
    with world.tools.store.writing() as work:
        work.facts.put(SitePlanFact(recipe=world.recipe.id(), site=world.site, number=1, plan=plan))

    assert audited(world).flaws == [Flaw.RECALLED, Flaw.RECALLED]


def test_a_serial_is_recalled_though_nobody_shows_it() -> None:
    world = with_recall(lambda world: Thing.serial(world.log, Index(0)))

    found = audited(world, shown(world, hidden={0}))

    assert found.flaws == [Flaw.RECALLED, Flaw.WITHHELD]


def test_a_closed_recall_stays_visible_and_is_no_finding() -> None:
    world = with_recall(lambda world: Thing.serial(world.log, Index(0)), closed_at=60)

    found = audited(world)

    assert found.findings == []
    ((fact, parts),) = found.result.accounts.recalls.values()
    assert (fact.closed_at, parts) == (60, 1)


@pytest.mark.parametrize(("shift", "count"), [((0, 1), 2), ((1, 0), 0), ((-9, 0), 0)])
def test_a_window_bounds_a_recall(shift: tuple[int, int], count: int) -> None:
    world = world_of(1, 2)
    (fact,) = records(world)
    time, (begin, end) = fact.record.time, shift
    window = {"since": time + begin, "until": time + end if end or begin < 0 else 0}
    thing = Thing(cause=RecallCause.MACHINE, id=Bytes32(world.machine))
    with world.tools.store.writing() as work:
        work.facts.put(recall(thing, **window))

    assert len(audited(world).findings) == count


def test_an_authoritys_recall_counts_for_who_lists_it() -> None:
    world = with_recall(lambda world: Thing.serial(world.log, Index(0)), by=STRANGE)
    pin = world.tools.chain.pin()
    listed = Trust(version=VERSION, chain=pin, authorities=(Listed(id=STRANGE),))

    assert audited(world).findings == []
    assert audited(world, trust=replace(listed, authorities=())).findings == []
    (one,) = audited(world, trust=listed).findings
    assert "the authority 0x" in one.reason


def test_a_recall_that_the_verdict_tells_is_told_once() -> None:
    world = with_recall(lambda world: Thing.serial(world.log, Index(0)))
    report = lacking(12, "verify.recalled", Verdict.PROBLEM)

    found = audited(world, judge=judging(report))

    assert found.flaws == [Flaw.RECALLED, Flaw.RECALLED]
    assert all("(12)" in one.reason for one in found.findings)


def test_notices_on_machines_and_sites_are_listed(world: World) -> None:
    other = world_of(1)
    notice = NoticeFact(
        identity=other.machine,
        target=Bytes32(bytes([3]) * 32),
        by=IdentityId(bytes(32)),
        number=0,
        notice_at=70,
        suspected_from=60,
        evidence=Digest(bytes(32)),
    )
    with other.tools.store.writing() as work:
        work.facts.put(notice)

    assert audited(other).result.accounts.notices == (notice,)
    assert audited(world).result.accounts.notices == ()


def test_keys_that_were_released_are_compared_with_draws(world: World) -> None:
    asked: list[LicenseId] = []

    def reconciled(license_id: LicenseId) -> Reconciliation:
        asked.append(license_id)
        row = Row(
            lane=world.lane,
            site=world.site,
            units=3,
            drawn=2,
            released=1,
            first_at=1,
            last_at=1,
            machines=(),
            releasers=(),
            differences=(Difference.LATE, Difference.UNDRAWN),
        )
        return Reconciliation(license=license_id, stopped_at=0, rows=(row,))

    (one,) = audited(world, reconciled=reconciled).findings

    assert asked == [world.license]
    assert (one.flaw, "receiptLate" in one.reason) == (Flaw.RELEASES_DIFFER, True)


LOT = Bytes32(bytes([6]) * 32)
GRANT = Grant(lane=LaneNumber(1), n=1, first_unit=UnitNumber(1))


def lot_of(world: World) -> Thing:
    return Thing(cause=RecallCause.LOT, id=Bytes32(world.maker), detail=LOT)


def test_parts_without_lots_are_in_none_and_get_no_verdict(world: World) -> None:
    judged: list[bytes] = []

    def judge(data: bytes, others: Sequence[Brought]) -> Report:
        judged.append(data)
        return judge_good(data, others)

    found = audited(world, scope=Scope(lot=lot_of(world)), judge=judge)

    assert (found.units, found.findings, judged) == ([], [], [])


def declaring(world: World, *named: Thing, hides: bool = False) -> bytes:
    """Return the first part's bundle, its entry committed to what its maker declares."""
    first = shown(world).bundle(world.log, Index(0))
    assert first is not None
    evidence, salt = bundle.read(first), Bytes32(bytes([9]) * 32)
    declared = tuple(Dependency(thing=thing, salt=salt) for thing in named)
    entry = replace(evidence.core.entry, dependencies=dependencies_root(declared))
    core, leaf = replace(evidence.core, entry=entry, path=()), entry.leaf_data(evidence.core.salt)
    record = replace(
        core.record,
        count=1,
        root=MerkleTree([leaf]).root(),
        grants=(replace(GRANT, lane=world.lane),),
    )
    with world.tools.store.writing() as work:
        (fact,) = work.facts.each(RecordFact, world.log)
        work.facts.put(replace(fact, record=record))
    disclosed = replace(evidence.disclosed, dependencies=() if hides else declared)
    return bundle.write(replace(evidence, core=replace(core, record=record), disclosed=disclosed))


def test_parts_that_do_not_show_their_lots_may_be_of_one() -> None:
    world = world_of(1)
    told = declaring(world, lot_of(world), hides=True)

    found = audited(world, shown(world, told={0: told}), scope=Scope(lot=lot_of(world)))

    assert found.flaws == [Flaw.LOT_WITHHELD]
    assert found.result.exit == 23
    assert audited(world, shown(world, told={0: told})).findings == []


def test_lots_are_counted_against_what_the_auditor_knows() -> None:
    world = world_of(1)
    told = declaring(world, lot_of(world))
    over = LotBounds(lots=(LotBound(lot=lot_of(world).text(), parts=1, until=1),))

    found = audited(world, shown(world, told={0: told}), lots=over)

    assert (found.flaws, found.result.exit) == ([Flaw.LOT_EXPIRED], 15)
    enough = LotBounds(lots=(LotBound(lot=lot_of(world).text(), parts=1),))
    assert audited(world, shown(world, told={0: told}), lots=enough).findings == []


def test_parts_that_hide_their_lots_may_be_of_a_known_one() -> None:
    world = world_of(1)
    told = declaring(world, lot_of(world), hides=True)
    known = LotBounds(lots=(LotBound(lot=lot_of(world).text(), parts=1),))

    assert audited(world, shown(world, told={0: told}), lots=known).flaws == [Flaw.LOT_WITHHELD]


@pytest.mark.parametrize("is_in", [True, False])
def test_parts_that_show_their_lots_are_in_those(is_in: bool) -> None:
    world = world_of(1)
    other = Thing(cause=RecallCause.LOT, id=Bytes32(world.maker), detail=Bytes32(bytes(32)))
    told = declaring(world, lot_of(world) if is_in else other)

    found = audited(world, shown(world, told={0: told}), scope=Scope(lot=lot_of(world)))

    assert (len(found.units), found.findings) == (1 if is_in else 0, [])


def test_a_lot_of_another_maker_is_in_no_part(world: World) -> None:
    thing = Thing(cause=RecallCause.LOT, id=Bytes32(STRANGE), detail=LOT)

    assert audited(world, scope=Scope(lot=thing)).units == []


@pytest.mark.parametrize("is_in", [True, False])
def test_shown_lots_tell_who_is_in(world: World, is_in: bool) -> None:
    (drawn_record,) = _drawn(world, of_license(world))
    unit = next(iter(drawn_record.units()))
    lots = frozenset({lot_of(world).key() if is_in else b"x"})
    one = AuditedUnit(unit=unit, state="verified", statement=world.statement(1), lots=lots)

    assert Scope(lot=lot_of(world)).admits(one) is is_in


def test_a_shown_lot_is_recalled_with_its_parts(world: World) -> None:
    (drawn_record,) = _drawn(world, of_license(world))
    unit = next(iter(drawn_record.units()))
    thing = lot_of(world)
    one = AuditedUnit(
        unit=unit, state="verified", statement=world.statement(1), lots=frozenset({thing.key()})
    )
    other = world_of(1)
    with other.tools.store.writing() as work:
        work.facts.put(recall(thing))

    with other.tools.store.reading() as view:
        assert len(list(Reaching(trust=None).of(one, view.facts))) == 1


def _drawn(world: World, scope: Scope) -> Sequence[DrawnRecord]:
    with world.tools.store.reading() as view:
        return list(drawn(scope, view.facts))


@pytest.mark.parametrize("member", ["organization", "machine", "recipe", "license"])
def test_each_scope_holds_what_is_its_own(world: World, member: str) -> None:
    own = {
        "organization": world.maker,
        "machine": world.machine,
        "recipe": world.recipe.id(),
        "license": world.license,
    }

    found = audited(world, scope=Scope(**{member: own[member]}))  # type: ignore[arg-type]  # ids

    assert len(found.units) == 2


@pytest.mark.parametrize("member", ["organization", "machine"])
def test_who_had_no_part_in_it_has_none_in_the_audit(world: World, member: str) -> None:
    scope = Scope(license=world.license, **{member: STRANGE})  # type: ignore[arg-type]  # ids

    assert audited(world, scope=scope).units == []


def test_parts_of_another_machine_or_recipe_are_left_out(world: World) -> None:
    (record,) = _drawn(world, of_license(world))
    unit = next(iter(record.units()))
    one = AuditedUnit(unit=unit, state="verified", statement=world.statement(1))

    assert not Scope(machine=STRANGE).admits(one)
    assert not Scope(recipe=RecipeId(bytes(32))).admits(one)
    assert Scope(machine=world.machine, recipe=world.recipe.id()).admits(one)


def test_a_part_that_says_another_recipe_is_left_out() -> None:
    world = make_world()
    said = world.statement(1)
    other = replace(said, external=replace(said.external, recipe=RecipeId(bytes(32))))
    log_unasked(world, world.sign(other))
    world.tools.indexing(world.log).follow()

    assert audited(world, scope=Scope(recipe=world.recipe.id())).units == []


def below(world: World, **terms: object) -> LicenseId:
    """Let the lane be of a license that stands under others; return its id."""
    child = LicenseId(bytes([5]) * 32)
    with world.tools.store.writing() as work:
        lane = known(work.facts, LaneFact, world.lane)
        above = known(work.facts, LicenseFact, lane.license)
        made = replace(above.terms, **terms)  # type: ignore[arg-type]  # members of terms
        work.facts.put(replace(above, number=99, id=child, terms=made))
        work.facts.put(LicenseNumberFact(id=child, number=99))
        work.facts.put(replace(lane, license=99))
    return child


def test_a_license_is_audited_with_those_below_it() -> None:
    world = world_of(1)
    child = below(world, parent=world.license)

    (found,) = audited(world).units

    assert found.license == to_hex(child)


def test_a_license_of_another_design_is_not_that_of_a_recipe() -> None:
    world = world_of(1)
    below(world, design=DesignId(bytes([4]) * 32))

    assert audited(world, scope=Scope(recipe=world.recipe.id())).units == []


def test_a_link_that_ended_before_does_not_count() -> None:
    world = world_of(1)
    with world.tools.store.writing() as work:
        (link,) = work.facts.each(LinkFact, world.site, world.maker)
        work.facts.put(replace(link, until=link.since))
    with world.tools.store.reading() as view:
        found = list(drawn(Scope(organization=world.maker), view.facts))

    assert found == []


def test_time_bounds_what_is_audited(world: World) -> None:
    (fact,) = records(world)
    time = fact.record.time

    def count(begin: int, end: int) -> int:
        scope = Scope(license=world.license, begin=begin, end=end)
        return len(audited(world, scope=scope).units)

    assert (count(time, time + 1), count(time + 1, 0), count(0, time)) == (2, 0, 0)


def records(world: World) -> Sequence[RecordFact]:
    with world.tools.store.reading() as view:
        return list(view.facts.each(RecordFact, world.log))


@pytest.mark.parametrize(
    "scope",
    [
        Scope,
        lambda: Scope(begin=5),
        lambda: Scope(machine=STRANGE, begin=5, end=5),
    ],
)
def test_a_scope_of_nothing_is_refused(scope: Callable[[], Scope]) -> None:
    with pytest.raises(ScopeEmptyError):
        scope()


def test_a_scope_may_last_a_second() -> None:
    assert Scope(machine=STRANGE, begin=5, end=6).covers(5)


@pytest.mark.parametrize(
    ("scope", "error"),
    [
        (Scope(license=LicenseId(bytes([7]) * 32)), LicenseUnknownError),
        (Scope(recipe=RecipeId(bytes([7]) * 32)), RecipeUnknownError),
    ],
)
def test_what_is_not_on_chain_is_unknown(
    world: World, scope: Scope, error: type[Exception]
) -> None:
    with pytest.raises(error):
        audited(world, scope=scope)


def test_something_else_than_a_lot_is_no_lot() -> None:
    with pytest.raises(ScopeLotError):
        Scope(lot=Thing(cause=RecallCause.MACHINE, id=Bytes32(STRANGE)))


def peak(units: int) -> tuple[int, int]:
    """Return how much memory the audit of a log of so many units takes, and its findings."""
    world = world_of(1)
    with world.tools.store.writing() as work:
        (fact,) = work.facts.each(RecordFact, world.log)
        grant = Grant(lane=world.lane, n=units, first_unit=UnitNumber(1))
        work.facts.put(replace(fact, record=replace(fact.record, count=units, grants=(grant,))))
    hiding = shown(world, hidden=set(range(units)))
    tracemalloc.start()
    try:
        with SqliteBook() as book:
            auditor = Auditor(
                store=world.tools.store,
                pin=world.tools.chain.pin(),
                sources={"node": hiding},
                judge=judge_good,
                book=book,
            )
            found = auditor.audit(of_license(world))
        return tracemalloc.get_traced_memory()[1], found.accounts.flaws[Flaw.WITHHELD]
    finally:
        tracemalloc.stop()


def test_an_audit_of_ten_thousand_units_takes_no_more_memory_than_a_small_one() -> None:
    few, _ = peak(200)

    many, withheld = peak(10_000)

    assert withheld == 10_000
    assert many < few + (1 << 19)


def test_each_flaw_has_an_exit_code_and_a_next_step() -> None:
    assert set(CONSEQUENCES) == set(Flaw)
    assert all(one.exit and one.next_step for one in CONSEQUENCES.values())


def test_the_auditors_page_names_each_flaw() -> None:
    page = Path("docs/how-to/regulator.md").read_text()

    assert all(f"`{flaw.value}`" in page for flaw in Flaw)


def test_telemetry_is_held_against_answers_and_nodes() -> None:
    world, told = make_world(), chunks("job", ["210", "211"])
    said = [world.statement(1), world.statement(2), world.statement(3)]
    resource = telemetry_resource(told)
    envelopes = [world.sign(replace(one, byproducts=(resource,))) for one in said[:2]]
    log_unasked(world, *envelopes, world.sign(said[2]))
    world.tools.indexing(world.log).follow()
    drawing = Drawing(nonce=Bytes32(bytes([3]) * 32), most=1)
    found_at = locate_chunks(
        [(each, Cid("bafkgone")) for each in told], nonce=drawing.nonce, most=1
    )
    opened = disclose_chunks(told, nonce=drawing.nonce, most=1)
    handed = {0: Answers(opened=opened.encode()), 1: Answers(kept=found_at.encode())}
    asking = Asking(drawing=drawing, answers=lambda place: handed[place[1]])

    found = audited(world, asking=asking)
    unanswered = audited(world, shown(world), shown(world, is_down=True), asking=asking)

    assert [one.telemetry for one in found.units] == ["opened", "missing", "none"]
    assert (found.flaws, found.result.exit) == ([Flaw.TELEMETRY_MISSING], 23)
    assert found.result.accounts.telemetry == {
        TelemetryState.OPENED: 1,
        TelemetryState.MISSING: 1,
        TelemetryState.NONE: 1,
    }
    assert found.result.accounts.drawing == drawing
    assert unanswered.flaws == [Flaw.TELEMETRY_UNOPENED, Flaw.NODE_SILENT]
    assert "left 5 questions" in unanswered.findings[1].reason
