"""Audits: what is drawn is opened and verified, and each thing that does not add up is named."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from fakes.world import World, log_unasked, make_world
from guildmark.domain.chain.facts import (
    LaneFact,
    LicenseFact,
    LicenseNumberFact,
    LinkFact,
    LogFact,
    RecordFact,
)
from guildmark.domain.chain.refusals import LicenseUnknownError, RecipeUnknownError
from guildmark.domain.identifiers import (
    DesignId,
    IdentityId,
    Index,
    LicenseId,
    LogNumber,
    RecipeId,
    Seq,
    UnitNumber,
)
from guildmark.domain.verification.report import (
    Cause,
    CheckResult,
    Fault,
    Report,
    State,
    Verdict,
)
from guildmark.ports import PeerUnavailableError
from guildmark.services.audit.auditing import EXIT_OF_FLAW, SCRAP_CODE, Auditor, Flaw
from guildmark.services.audit.scope import Scope, ScopeEmptyError, drawn
from guildmark.services.evidence.bundles import Bundles
from guildmark.services.evidence.evidence import PartUnknownError
from guildmark.services.index.projection import known

GOOD = Report(verdict=Verdict.VERIFIED, exit=0, headline="Verified.")
STRANGE = IdentityId(bytes([9]) * 32)


@dataclass
class Shown:
    """A peer that shows bundles, but for those that it hides; or none at all."""

    bundles: Bundles
    hidden: set[int] = field(default_factory=set)
    told: Mapping[int, bytes] = field(default_factory=dict)
    is_down: bool = False

    def bundle(self, log: LogNumber, index: Index) -> bytes | None:
        if self.is_down:
            message = "The peer does not answer."
            raise PeerUnavailableError(message)
        if index in self.told:
            return self.told[index]
        if index in self.hidden:
            return None
        try:
            return self.bundles.bundle(log, index)
        except PartUnknownError:
            return None

    def positions(self, label: str) -> Sequence[tuple[LogNumber, Index]]:
        return self.bundles.positions(label)


def world_of(*numbers: int, **changes: object) -> World:
    made = make_world()
    statements = [replace(made.statement(number), **changes) for number in numbers]  # type: ignore[arg-type]  # members of a statement
    log_unasked(made, *(made.sign(one) for one in statements))
    made.tools.indexing(made.log).follow()
    return made


@pytest.fixture(scope="module")
def world() -> World:
    """Return a world with two parts on record."""
    return world_of(1, 2)


def shown(world: World, **more: object) -> Shown:
    store, exporter = world.tools.store, world.tools.exporter
    bundles = Bundles(exporter=exporter, store=store, own_log=world.log)
    return Shown(bundles=bundles, **more)  # type: ignore[arg-type]  # members of it


def auditor(
    world: World, *peers: Shown, judge: Callable[[bytes], Report] = lambda _: GOOD
) -> Auditor:
    return Auditor(store=world.tools.store, peers=peers or (shown(world),), judge=judge)


def of_license(world: World) -> Scope:
    return Scope(license=world.license)


def flaws(
    world: World, *peers: Shown, judge: Callable[[bytes], Report] = lambda _: GOOD
) -> list[Flaw]:
    found = auditor(world, *peers, judge=judge).audit(of_license(world))
    return [one.flaw for one in found.findings]


def test_a_scope_that_adds_up_is_clean(world: World) -> None:
    seen: list[int] = []

    found = replace(auditor(world), seen=seen.append).audit(of_license(world))

    assert (found.exit, found.findings, seen) == (0, (), [1, 2])
    assert [(one.state, one.place) for one in found.units] == [
        ("verified", (world.log, 0)),
        ("verified", (world.log, 1)),
    ]
    assert [one.unit.unit for one in found.units] == [1, 2]
    assert found.block > 0
    assert all(one.unit.block > 0 for one in found.units)


def test_an_index_that_read_nothing_knows_no_license() -> None:
    world = make_world()
    empty = replace(auditor(world), store=type(world.tools.store)())

    with pytest.raises(LicenseUnknownError):
        empty.audit(of_license(world))


def test_what_nobody_shows_is_withheld(world: World) -> None:
    found = auditor(world, shown(world, hidden={1})).audit(of_license(world))

    (one,) = found.findings
    assert (one.flaw, one.places) == (Flaw.WITHHELD, ((world.log, 1),))
    assert "withheld" in one.reason
    assert found.exit == 23


def test_another_peer_may_show_it(world: World) -> None:
    assert flaws(world, shown(world, hidden={0, 1}), shown(world)) == []


def test_who_does_not_answer_leaves_units_unseen(world: World) -> None:
    hiding, down = shown(world, hidden={0}), shown(world, is_down=True)

    assert flaws(world, down, hiding) == [Flaw.UNREACHABLE]


def test_a_bundle_of_another_place_shows_nothing(world: World) -> None:
    first = shown(world).bundle(world.log, Index(0))
    assert first is not None

    assert flaws(world, shown(world, told={1: first})) == [Flaw.WITHHELD]


def failed(code: str, verdict: Verdict = Verdict.PROBLEM) -> Report:
    cause = Cause(code=code, state=State.FAIL, meaning="It is not so.")
    finding = cause.found("It is so.", "evidence")
    check = CheckResult(number=6, name="unit", asks="Is it so?", findings=(finding,))
    return Report(verdict=verdict, exit=18, headline="Problem found.", checks=(check,))


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
    found = auditor(world, judge=lambda _: failed("verify.x", verdict)).audit(of_license(world))

    assert [one.flaw for one in found.findings] == [flaw, flaw]
    assert "(6) It is so." in found.findings[0].reason


def test_a_verdict_without_a_failed_check_is_told_by_its_headline(world: World) -> None:
    untrusted = replace(GOOD, verdict=Verdict.UNTRUSTED, headline="Verified, but not listed.")

    found = auditor(world, judge=lambda _: untrusted).audit(of_license(world))

    assert "Verified, but not listed." in found.findings[0].reason


def test_what_is_no_bundle_is_told_by_its_fault(world: World) -> None:
    fault = Fault(code="bundle.x", reason="It is no bundle.", next_step="Ask again.")
    report = Report(verdict=Verdict.PROBLEM, exit=14, headline="Problem found.", fault=fault)

    found = auditor(world, shown(world, told={0: b"junk"}), judge=lambda _: report).audit(
        of_license(world)
    )

    assert found.units[0].statement is None
    assert "It is no bundle." in found.findings[0].reason


def test_scrap_is_accounted_for(world: World) -> None:
    found = auditor(world, judge=lambda _: failed(SCRAP_CODE)).audit(of_license(world))

    assert found.exit == 0
    assert [one.state for one in found.units] == ["scrap", "scrap"]


def test_one_label_and_one_counter_at_two_places_are_double_use() -> None:
    world = make_world()
    twice = world.statement(1)
    others = replace(world.statement(2), label=twice.label, run=twice.run)
    log_unasked(world, world.sign(twice), world.sign(others))
    world.tools.indexing(world.log).follow()

    found = auditor(world).audit(of_license(world))

    assert [one.flaw for one in found.findings] == [Flaw.DOUBLE_USE, Flaw.DOUBLE_USE]
    assert [one.reason.split()[1] for one in found.findings] == ["label", "counter"]
    assert found.findings[0].places == ((world.log, 0), (world.log, 1))


def test_a_log_with_a_gap_is_broken() -> None:
    world = world_of(1)
    with world.tools.store.writing() as work:
        head = known(work.facts, LogFact, world.log)
        work.facts.put(replace(head, size=head.size + 1))

    assert flaws(world) == [Flaw.LOG_BROKEN]


def test_records_that_do_not_follow_one_another_are_broken() -> None:
    world = world_of(1, 2)
    with world.tools.store.writing() as work:
        (fact,) = work.facts.each(RecordFact, world.log)
        later = replace(fact.record, seq=Seq(2), first_index=Index(9))
        work.facts.put(replace(fact, record=later))

    assert Flaw.LOG_BROKEN in flaws(world)


def test_a_lane_that_is_drawn_further_than_its_records_differs() -> None:
    world = world_of(1)
    with world.tools.store.writing() as work:
        lane = known(work.facts, LaneFact, world.lane)
        work.facts.put(replace(lane, next=UnitNumber(lane.next + 1)))

    assert flaws(world) == [Flaw.DRAWS_DIFFER]


def test_a_machine_that_leaves_numbers_out_is_named() -> None:
    world = world_of(1, 4)

    found = auditor(world).audit(Scope(machine=world.machine))

    (one,) = found.findings
    assert (one.flaw, one.reason) == (Flaw.COUNTER_GAP, "The counter goes from 1 to 4.")
    assert flaws(world) == []


@pytest.mark.parametrize("member", ["organization", "machine", "recipe", "license"])
def test_each_scope_holds_what_is_its_own(world: World, member: str) -> None:
    own = {
        "organization": world.maker,
        "machine": world.machine,
        "recipe": world.recipe.id(),
        "license": world.license,
    }

    found = auditor(world).audit(Scope(**{member: own[member]}))  # type: ignore[arg-type]  # ids

    assert len(found.units) == 2


@pytest.mark.parametrize("member", ["organization", "machine"])
def test_who_had_no_part_in_it_has_none_in_the_audit(world: World, member: str) -> None:
    scope = Scope(license=world.license, **{member: STRANGE})  # type: ignore[arg-type]  # ids

    assert auditor(world).audit(scope).units == ()


def test_parts_of_another_machine_or_recipe_are_left_out(world: World) -> None:
    statement = world.statement(1)

    assert not Scope(machine=STRANGE).admits(statement)
    assert not Scope(recipe=RecipeId(bytes(32))).admits(statement)
    assert Scope(machine=world.machine, recipe=world.recipe.id()).admits(statement)


def test_a_part_that_says_another_recipe_is_left_out() -> None:
    world = make_world()
    said = world.statement(1)
    other = replace(said, external=replace(said.external, recipe=RecipeId(bytes(32))))
    log_unasked(world, world.sign(other))
    world.tools.indexing(world.log).follow()

    assert auditor(world).audit(Scope(recipe=world.recipe.id())).units == ()


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

    (found,) = auditor(world).audit(of_license(world)).units

    assert found.unit.license == child


def test_a_license_of_another_design_is_not_that_of_a_recipe() -> None:
    world = world_of(1)
    below(world, design=DesignId(bytes([4]) * 32))

    assert auditor(world).audit(Scope(recipe=world.recipe.id())).units == ()


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
        return len(auditor(world).audit(scope).units)

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
        auditor(world).audit(scope)


def test_each_flaw_has_an_exit_code() -> None:
    assert set(EXIT_OF_FLAW) == set(Flaw)
    assert 0 not in EXIT_OF_FLAW.values()
