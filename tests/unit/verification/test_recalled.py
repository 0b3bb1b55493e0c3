"""(12) Recalls: who recalls what since when, in words; what a newer block says; what is shown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from fakes import simulator as sim
from fakes.cases.draft import Draft
from fakes.cases.equivalent import EVALUATOR
from fakes.cases.notices import list_authority
from fakes.cases.recalled import (
    CLOSED,
    ISSUED,
    LOT,
    LOTS,
    OPEN,
    REASON,
    SPOOL,
    Recall,
    bundle_from_before_recalls_were_proven,
    declare,
    evaluated,
    machine,
    recall,
)
from fakes.newer import OwnNode
from fakes.simulator import AUTHORITY, BEGUN, DESIGN, LOG, LOOKED, MAKER, Simulator
from guildmark.domain import bundle
from guildmark.domain.chain import storage
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.storage import Location
from guildmark.domain.identifiers import UINT40_MAX, Bytes32, IdentityId, Index
from guildmark.domain.recall import OWNERS, RecallCause, Severity, Thing
from guildmark.domain.trust import Policy
from guildmark.domain.verification.case import Case, Question
from guildmark.domain.verification.checks.recalled import recall_events
from guildmark.domain.verification.evidence import (
    RECALLS_BEYOND_MAX,
    RECALLS_IN_ALL_MAX,
    RECALLS_MAX,
    EvidenceRangeError,
    RecallsDisclosure,
    shown_recalls,
)
from guildmark.domain.verification.report import CheckResult, Report, State, Verdict
from guildmark.domain.verification.verdict import verify_evidence
from guildmark.verify import verify_bundle
from guildmark.verify.renewing import renewed

KEY = Bytes32(machine().key())


def judged(draft: Draft) -> Report:
    sealed = draft.seal()
    return verify_evidence(sealed.evidence, sealed.trust, sealed.question)


def recalls(report: Report) -> CheckResult:
    return next(one for one in report.checks if one.number == 12)


def test_a_recalled_part_says_by_whom_and_since_when() -> None:
    draft = Draft()
    declare(draft, *LOTS)
    recall(draft, LOT, Recall(since=BEGUN, until=9_000, severity=Severity.DANGER))

    report = judged(draft)

    assert (report.verdict, report.exit) == (Verdict.PROBLEM, 20)
    assert report.headline == (
        "Problem found: recalled since 1970-01-01T00:35:50Z by the lot's maker, Makers of Example."
    )
    assert recalls(report).reason == (
        "Recalled since 1970-01-01T00:35:50Z by the lot's maker, Makers of Example; "
        f"lot {LOT.text()}, as far as built from 1970-01-01T00:33:20Z until 1970-01-01T02:30:00Z: "
        f"danger, do not use it. Its reason has the SHA-256 0x{REASON:064x}."
    )


@pytest.mark.parametrize(
    ("thing", "who", "name"),
    [
        (machine(), "the machine's controller", "machine"),
        (Thing.serial(LOG, Index(103)), "the site, Makers of Example", "part 1.103"),
        (Thing(cause=RecallCause.DESIGN, id=Bytes32(DESIGN)), "the design's owner", "design"),
    ],
)
def test_an_owner_is_named_by_what_he_owns(thing: Thing, who: str, name: str) -> None:
    draft = Draft()
    recall(draft, thing, Recall(severity=Severity.INSPECT))

    reason = recalls(judged(draft)).reason

    assert f" by {who}; {name}" in reason
    assert "inspect it before use" in reason


def test_an_authority_is_named_as_the_readers_list_names_it() -> None:
    draft = Draft()
    list_authority(draft)
    recall(draft, machine(), OPEN, by=AUTHORITY)

    assert " by the authority Court; machine 0x" in recalls(judged(draft)).reason


@pytest.mark.parametrize(("until", "state"), [(ISSUED + 1, State.FAIL), (ISSUED, State.OK)])
def test_an_authority_counts_in_the_times_in_which_the_reader_lists_it(
    until: int, state: State
) -> None:
    draft = Draft()
    list_authority(draft, until=until)
    recall(draft, machine(), OPEN, by=AUTHORITY)

    assert recalls(judged(draft)).state is state


def test_open_recalls_of_other_times_do_not_reach_the_part() -> None:
    draft = Draft()
    recall(draft, machine(), Recall(until=BEGUN), Recall(since=LOOKED))

    assert recalls(judged(draft)).state is State.OK


def test_a_closed_recall_stays_in_the_notes() -> None:
    draft = Draft()
    recall(draft, machine(), CLOSED)

    report = judged(draft)

    assert report.exit == 0
    (note,) = [one for one in report.notes if one.startswith("Closed at 1970-01-01T00:36:30Z: ")]
    assert "Recalled since 1970-01-01T00:35:50Z by the machine's controller" in note


def test_recalls_of_other_times_are_not_spoken_of() -> None:
    draft = Draft()
    recall(draft, machine(), replace(CLOSED, until=BEGUN))

    assert not any("ecalled" in note for note in judged(draft).notes)


def test_the_timeline_has_when_it_was_recalled_and_closed() -> None:
    draft = Draft()
    recall(draft, machine(), CLOSED, OPEN)
    sealed = draft.seal()

    events = list(recall_events(Case(sealed.evidence, sealed.trust)))

    assert [at for at, _ in events] == [ISSUED, CLOSED.closed, ISSUED]
    assert events[1][1].endswith(" was closed.")


def test_nothing_is_told_where_the_time_of_the_build_is_not_known() -> None:
    draft = Draft()
    draft.simulator.disclosed["beacon"] = None
    recall(draft, machine(), OPEN)
    sealed = draft.seal()

    assert list(recall_events(Case(sealed.evidence, sealed.trust))) == []
    assert recalls(judged(draft)).code == "verify.windowUnknown"


def test_a_recall_is_found_whatever_else_is_not_proven() -> None:
    draft = Draft()
    draft.simulator.unproven.add(storage.RECALL_COUNTS.at(machine().key(), OWNERS))
    recall(draft, Thing(cause=RecallCause.DESIGN, id=Bytes32(DESIGN)), OPEN)

    report = judged(draft)

    assert report.exit == 20
    codes = [one.cause.code for one in recalls(report).findings]
    assert codes == ["verify.recalled", "verify.proofMissing"]


def test_a_policy_from_before_does_not_ask_for_recalls() -> None:
    draft = Draft()
    old = Policy(required=tuple(range(11)))
    draft.trust["policy"] = old
    bundle_from_before_recalls_were_proven(draft)

    report = judged(draft)

    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)
    assert "Your policy does not ask for (12), which is unknown." in report.notes


def test_recalls_are_as_fresh_as_the_policy_asks() -> None:
    draft = Draft()
    draft.trust["policy"] = Policy(required=(0, 1, 2, 3, 4, 12), max_age=10)
    for now, code in ((LOOKED + 10, None), (LOOKED + 11, "verify.recallsStale")):
        draft.question = Question(now=now)
        assert recalls(judged(draft)).code == code


def test_an_evaluator_may_speak_as_an_authority_too() -> None:
    draft = Draft()
    evaluated(draft)

    assert any("the authority Evaluator" in note for note in judged(draft).notes)
    assert EVALUATOR in {one.id for one in draft.trust["authorities"]}


def words(*recalls: Recall, by: IdentityId = OWNERS) -> Mapping[Location, int]:
    """Return what the chain holds of recalls of the machine."""
    draft = Draft()
    recall(draft, machine(), *recalls, by=by, shown=0)
    return draft.simulator.words


def later(block: int, *recalls: Recall, by: IdentityId = OWNERS) -> Simulator:
    simulator = Simulator(block=block)
    simulator.words |= words(*recalls, by=by)
    return simulator


def anew(old: Simulator, node: OwnNode, change: Callable[[Draft], None] = lambda _: None) -> Report:
    draft = Draft(simulator=old)
    change(draft)
    trust = replace(old.trust(), **draft.trust)
    data = bundle.write(old.evidence())
    return verify_bundle(data, trust, Question(now=3_000), source=node)


@pytest.mark.parametrize("final", [None, later(90)])
def test_a_newer_recall_is_found_on_the_readers_own_node(final: Simulator | None) -> None:
    report = anew(Simulator(), OwnNode(latest=later(99, CLOSED, OPEN), final=final))

    assert (report.verdict, report.exit) == (Verdict.PROBLEM, 20)
    assert "recalled since" in report.headline


def test_a_newer_recall_by_an_authority_is_found_for_who_lists_it() -> None:
    node = OwnNode(latest=later(99, OPEN, by=AUTHORITY), final=later(90))

    assert anew(Simulator(), node).exit == 0
    assert anew(Simulator(), node, list_authority).exit == 20


def test_a_deployment_without_a_registry_of_recalls_is_asked_for_none() -> None:
    old = Simulator()
    contracts = dict(old.pin.contracts)
    del contracts[ContractName.RECALLS]
    trust = replace(old.trust(), chain=replace(old.pin, contracts=contracts))

    newer = renewed(old.evidence(), trust, OwnNode(latest=later(99)))

    assert ContractName.RECALLS not in newer.latest.chain.accounts
    assert ContractName.LOG in newer.latest.chain.accounts


def test_a_recall_that_was_closed_since_counts_no_more_when_that_is_final() -> None:
    def old() -> Simulator:
        draft = Draft()
        recall(draft, machine(), OPEN)
        return draft.simulator

    closed, still = later(99, CLOSED), later(90, OPEN)

    assert anew(old(), OwnNode(latest=closed, final=still)).exit == 20
    assert anew(old(), OwnNode(latest=closed)).exit == 20
    report = anew(old(), OwnNode(latest=closed, final=later(90, CLOSED)))
    assert (report.exit, recalls(report).state) == (0, State.OK)
    partly = later(90, CLOSED, Recall(since=BEGUN + 1))
    assert anew(old(), OwnNode(latest=partly, final=partly)).exit == 20


@pytest.mark.parametrize("count", [0, RECALLS_MAX + 1])
def test_lists_hold_one_recall_to_as_many_as_are_read(count: int) -> None:
    with pytest.raises(EvidenceRangeError, match="1 to 64"):
        RecallsDisclosure(key=KEY, by=OWNERS, count=count)


def test_all_lists_together_hold_no_more_than_are_read() -> None:
    shown = Simulator().make_disclosures()
    lists = [RecallsDisclosure(key=KEY, by=OWNERS, count=RECALLS_MAX)] * 4

    assert len(replace(shown, recalls=tuple(lists)).recalls) == 4
    one = RecallsDisclosure(key=KEY, by=AUTHORITY, count=1)
    with pytest.raises(EvidenceRangeError, match="found 257"):
        replace(shown, recalls=(*lists, one))


@pytest.mark.parametrize(
    ("count", "beyond"),
    [
        (3, (3,)),
        (3, (5, 5)),
        (3, (6, 5)),
        (3, (UINT40_MAX + 1,)),
        (3, tuple(range(9, 9 + RECALLS_BEYOND_MAX + 1))),
        (RECALLS_MAX, (RECALLS_MAX + 1,)),
    ],
)
def test_recalls_beyond_are_few_in_order_and_no_first_ones(
    count: int, beyond: tuple[int, ...]
) -> None:
    with pytest.raises(EvidenceRangeError):
        RecallsDisclosure(key=KEY, by=OWNERS, count=count, beyond=beyond)


def test_recalls_beyond_count_among_those_that_are_read() -> None:
    beyond = tuple(range(90, 90 + RECALLS_BEYOND_MAX))
    full = RECALLS_MAX - len(beyond)
    most = RecallsDisclosure(key=KEY, by=OWNERS, count=full, beyond=beyond)
    last = RecallsDisclosure(key=KEY, by=OWNERS, count=3, beyond=(4, UINT40_MAX))

    assert (most.shown, last.numbers) == (RECALLS_MAX, (1, 2, 3, 4, UINT40_MAX))
    with pytest.raises(EvidenceRangeError, match="found 65"):
        replace(most, count=full + 1)
    with pytest.raises(EvidenceRangeError, match="found 257"):
        replace(
            Simulator().make_disclosures(),
            recalls=(*[most] * 4, RecallsDisclosure(key=KEY, by=AUTHORITY, count=1)),
        )


@pytest.mark.parametrize(
    ("count", "reaching", "first", "beyond"),
    [
        (64, range(1, 65), 64, ()),
        (65, [64, 65], 62, (64, 65)),
        (90, [2, 90], 63, (90,)),
        (90, [63, 90], 63, (90,)),
        (90, [], 64, ()),
        (200, range(1, 201), 48, tuple(range(185, 201))),
    ],
)
def test_what_reaches_the_part_goes_before_the_rest_of_a_flood(
    count: int, reaching: Sequence[int], first: int, beyond: tuple[int, ...]
) -> None:
    (shown,) = shown_recalls([(KEY, OWNERS, count)], {(KEY, OWNERS): reaching})

    assert (shown.count, shown.beyond) == (first, beyond)


def test_a_list_that_has_room_for_one_shows_its_first() -> None:
    keys = [Bytes32(bytes([number]) * 32) for number in range(5)]
    full = [(key, OWNERS, RECALLS_MAX) for key in keys[:3]]
    counted = [*full, (keys[3], OWNERS, RECALLS_MAX - 1), (keys[4], OWNERS, 9)]

    shown = shown_recalls(counted, {(keys[4], OWNERS): [9]})

    assert (shown[-1].count, shown[-1].beyond) == (1, ())


def test_a_flood_drowns_no_recall_that_reaches_the_part() -> None:
    draft, flood = Draft(), (Recall(until=BEGUN - 1),) * RECALLS_MAX
    recall(draft, Thing(cause=RecallCause.DESIGN, id=Bytes32(DESIGN)), CLOSED)
    recall(draft, machine(), *flood, OPEN, shown=RECALLS_MAX - 1, beyond=(RECALLS_MAX + 1,))

    found = recalls(judged(draft))

    assert (found.state, found.code) == (State.FAIL, "verify.recalled")
    assert {one.cause.code for one in found.findings} == {
        *("verify.recalled", "verify.recallsHidden")
    }


def test_what_a_bundle_shows_beyond_is_asked_anew_of_the_readers_own_node() -> None:
    flood = (Recall(until=BEGUN - 1),) * RECALLS_MAX
    draft, last = Draft(), RECALLS_MAX + 1
    recall(draft, machine(), *flood, OPEN, shown=RECALLS_MAX - 1, beyond=(last,))
    node = OwnNode(latest=later(99, *flood, OPEN, CLOSED))

    newer = renewed(draft.simulator.evidence(), draft.simulator.trust(), node)

    (shown,) = newer.latest.disclosed.recalls
    assert (shown.count, shown.beyond) == (RECALLS_MAX - 1, (last,))


def test_no_more_is_declared_than_is_read() -> None:
    shown = Simulator().make_disclosures()

    assert replace(shown, dependencies=LOTS[:1] * 32).dependencies
    with pytest.raises(EvidenceRangeError, match="dependencies must be 0 to 32, found 33"):
        replace(shown, dependencies=LOTS[:1] * 33)


def test_owners_go_before_authorities_where_there_is_not_room_for_all() -> None:
    keys = [Bytes32(bytes([number]) * 32) for number in range(5)]
    counted = [(key, by, 70) for key in keys for by in (AUTHORITY, OWNERS)]
    few = [(key, OWNERS, 3) for key in keys]

    shown = shown_recalls([*few, *counted, (keys[0], MAKER, 0)])

    assert [one.count for one in shown[:5]] == [3] * 5
    assert {one.by for one in shown} == {OWNERS}
    assert sum(one.count for one in shown) == RECALLS_IN_ALL_MAX


def test_a_lot_of_another_maker_is_found_by_its_own_key() -> None:
    draft = Draft()
    declare(draft, *LOTS)
    recall(draft, SPOOL, OPEN)

    assert f"lot {SPOOL.text()}" in recalls(judged(draft)).reason
    assert sim.as_int(LOT.key()) != sim.as_int(SPOOL.key())
