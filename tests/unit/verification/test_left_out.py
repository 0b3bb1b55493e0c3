"""An inspection that a bundle leaves out: another bundle shows it, or a note says so."""

from dataclasses import replace

import pytest

from fakes.cases.draft import Draft, word
from fakes.cases.inspections import doubt_and_list, inspect
from fakes.inspecting import INSPECTED, INSPECTOR, Inspecting
from fakes.simulator import Simulator
from guildmark.domain.builds.inspection import Result
from guildmark.domain.chain import storage
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Index, Seq
from guildmark.domain.trust import Listed, Trust, TrustedBlock
from guildmark.domain.verification.case import Brought, Question, Sighting
from guildmark.domain.verification.evidence import Evidence
from guildmark.domain.verification.report import Report, Verdict
from guildmark.domain.verification.verdict import verify_evidence

LATER = {"time": INSPECTED + 5, "seq": Seq(3), "first_index": Index(20)}
FAILED = {"result": Result.FAILED}


def trust(simulator: Simulator, *others: Evidence) -> Trust:
    """Return a list with an inspector, and with the blocks of all that is held beside the part."""
    blocks = [
        TrustedBlock(number=78, hash=keccak256(one.chain.header), time=2_200) for one in others
    ]
    listed = replace(simulator.trust(), inspectors=(Listed(id=INSPECTOR),))
    return replace(listed, blocks=(*listed.blocks, *blocks))


def failing(**record: object) -> Evidence:
    """Return a later bundle of the same entry, in which it failed."""
    simulator = Simulator(block=78)
    Inspecting(simulator=simulator, said=FAILED, record=record).show()
    return simulator.evidence()


def notes(report: Report) -> list[str]:
    return [note for note in report.notes if "may have been left out" in note]


def test_what_another_bundle_of_the_part_shows_counts() -> None:
    simulator, other = Simulator(), failing()
    brought = Brought(name="1.103 at the node", evidence=other)

    alone = verify_evidence(simulator.evidence(), trust(simulator))
    both = verify_evidence(simulator.evidence(), trust(simulator, other), brought=[brought])

    assert (alone.verdict, alone.exit) == (Verdict.VERIFIED, 0)
    assert (both.verdict, both.exit) == (Verdict.PROBLEM, 15)
    assert both.checks[8].code == "verify.inspectionFailed"
    assert any("failed, on record at" in note for note in both.notes)


@pytest.mark.parametrize(("inspectors", "told"), [((), 0), ((Listed(id=INSPECTOR),), 1)])
def test_an_offline_answer_says_that_inspections_may_be_left_out(
    inspectors: tuple[Listed, ...], told: int
) -> None:
    simulator = Simulator()
    by = replace(simulator.trust(), inspectors=inspectors)

    offline = verify_evidence(simulator.evidence(), by)
    asked = verify_evidence(simulator.evidence(), by, Question(inspections_from="a node"))

    assert len(notes(offline)) == told
    assert notes(asked) == []
    assert all("Only the 0 inspections" in note for note in notes(offline))


def test_a_node_that_shows_the_same_is_an_answer() -> None:
    simulator = Simulator()
    Inspecting(simulator=simulator).show()
    evidence = simulator.evidence()

    report = verify_evidence(
        evidence, trust(simulator), brought=[Brought(name="node", evidence=evidence)]
    )

    assert (report.exit, notes(report)) == (0, [])
    assert len([note for note in report.notes if "inspected the part" in note]) == 1


def test_a_bundle_at_a_block_that_nobody_trusts_is_told_and_not_compared() -> None:
    simulator, other = Simulator(), failing()

    report = verify_evidence(
        simulator.evidence(), trust(simulator), brought=[Brought(name="node", evidence=other)]
    )

    assert report.exit == 0
    assert any(note.startswith("Could not compare with node: Your trust") for note in report.notes)
    assert len(notes(report)) == 1


def test_the_readers_own_node_may_know_that_block() -> None:
    simulator, other = Simulator(), failing()
    seen = Sighting(is_reached=True, hash=keccak256(other.chain.header), is_final=True)
    brought = Brought(name="node", evidence=other, sighting=seen)

    report = verify_evidence(simulator.evidence(), trust(simulator), brought=[brought])

    assert report.exit == 15


def test_what_one_bundle_cannot_prove_of_an_inspection_another_may() -> None:
    """The same inspection is shown by both; in one of them a proof lacks."""
    unproven = Simulator()
    shown = Inspecting(simulator=unproven, said=FAILED).show()
    record = shown.proof.record
    unproven.unproven.add(storage.RECORDS.at(record.log, record.seq))
    whole = failing()

    for first, second in ((unproven.evidence(), whole), (whole, unproven.evidence())):
        by = trust(unproven, whole)
        report = verify_evidence(first, by, brought=[Brought(name="node", evidence=second)])
        assert report.exit == 15


def test_an_inspection_that_the_maker_left_out_helps_a_doubted_part() -> None:
    draft, shown = Draft(), Draft()
    doubt_and_list(draft)
    inspect(shown)
    ours, other = draft.seal(), shown.seal()
    assert ours.trust is not None
    assert other.trust is not None
    by = replace(ours.trust, blocks=other.trust.blocks)
    brought = [Brought(name="theirs", evidence=other.evidence)]

    report = verify_evidence(other.evidence, by)
    assert report.exit == 0
    lean = replace(other.evidence, disclosed=replace(other.evidence.disclosed, inspections=()))
    assert verify_evidence(lean, by).checks[2].code == "verify.keyInDoubt"
    assert verify_evidence(lean, by, brought=brought).exit == 0


def test_an_inspector_may_pass_what_failed_before() -> None:
    simulator, other = Simulator(), failing()
    Inspecting(simulator=simulator, record=LATER).show()

    report = verify_evidence(
        simulator.evidence(),
        trust(simulator, other),
        brought=[Brought(name="node", evidence=other)],
    )

    assert report.exit == 0


def test_who_is_not_listed_fails_nothing() -> None:
    draft = Draft()
    Inspecting(simulator=draft.simulator, said=FAILED).show()
    word(storage.RECORDS.at(draft.simulator.make_core().record.log, Seq(99)), 1)(draft)
    sealed = draft.seal()

    assert verify_evidence(sealed.evidence, sealed.trust).exit == 0
