"""What an inspection by somebody else keeps out of doubt, and all that it does not."""

from dataclasses import replace

import pytest

from fakes import simulator as sim
from fakes.cases import CASES
from fakes.cases.draft import Draft, word
from fakes.cases.inspections import NOTICE, REASONS, helped, inspect
from fakes.cases.key import KEY
from fakes.cases.notices import KEY_ID, doubt, list_authority
from fakes.inspecting import INSPECTED, INSPECTOR, Inspecting
from fakes.simulator import AUTHORITY, LOGGED, REGISTERED, Simulator
from guildmark.domain import bundle
from guildmark.domain.builds.inspection import Result
from guildmark.domain.chain import storage
from guildmark.domain.identifiers import Index, LogNumber, Seq
from guildmark.domain.trust import Listed
from guildmark.domain.verification.evidence import (
    INSPECTIONS_MAX,
    EvidenceRangeError,
    InspectionDisclosure,
)
from guildmark.domain.verification.report import Report, State, Verdict
from guildmark.domain.verification.verdict import verify_evidence
from guildmark.verify import verify_bundle


def judged(draft: Draft) -> Report:
    sealed = draft.seal()
    return verify_bundle(bundle.write(sealed.evidence), sealed.trust, sealed.question)


def test_a_doubted_part_stands_by_an_inspection_a_second_before_the_notice() -> None:
    draft = Draft()
    helped(draft)

    report = judged(draft)

    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)
    assert report.checks[2].state is State.OK
    [note] = [note for note in report.notes if "stands by the inspection" in note]
    assert f"notice was given at {NOTICE}" in note
    assert f"on record since {NOTICE - 1}" in note
    assert INSPECTOR.hex() in note


@pytest.mark.parametrize("name", sorted(REASONS))
def test_a_report_says_why_an_inspection_does_not_help(name: str) -> None:
    sealed = next(case for case in CASES if case.name == name).seal()

    report = verify_bundle(bundle.write(sealed.evidence), sealed.trust, sealed.question)

    assert REASONS[name] in report.checks[2].reason
    assert not [note for note in report.notes if "stands by" in note]


def test_an_inspection_helps_nobody_after_the_notice() -> None:
    draft = Draft()
    inspect(draft, record={"time": LOGGED - 5})
    word(KEY, sim.key_word(REGISTERED, notice_at=LOGGED, suspected_from=REGISTERED))(draft)

    report = judged(draft)

    assert (report.checks[2].code, report.exit) == ("verify.keyUnderNotice", 12)


def test_each_notice_needs_an_inspection_before_it() -> None:
    draft = Draft()
    list_authority(draft)
    inspect(draft)
    doubt(draft, storage.NOTICES.at(KEY_ID, AUTHORITY), INSPECTED, LOGGED)

    assert judged(draft).checks[2].code == "verify.keyInDoubt"

    doubt(draft, storage.NOTICES.at(KEY_ID, AUTHORITY), INSPECTED + 1, LOGGED)

    report = judged(draft)
    assert report.exit == 0
    assert len([note for note in report.notes if "stands by" in note]) == 2


def test_a_part_may_be_inspected_before_it_is_logged() -> None:
    draft = Draft()
    inspect(draft, record={"time": LOGGED - 5})

    assert judged(draft).exit == 0


def test_who_failed_a_part_may_pass_it_later() -> None:
    draft = Draft()
    inspect(draft, said={"result": Result.FAILED}, record={"time": INSPECTED - 9})
    later = {"seq": Seq(3), "first_index": Index(20)}
    inspect(draft, record=later)

    report = judged(draft)

    assert report.exit == 0
    found = [note for note in report.notes if "inspected the part" in note]
    assert [note.split(": ")[1].split(",")[0] for note in found] == ["failed", "passed"]


def test_what_inspectors_found_is_told_of_a_part_that_nobody_doubts() -> None:
    simulator = Simulator()
    Inspecting(simulator=simulator, said={"result": Result.FAILED}).show()
    trust = replace(simulator.trust(), inspectors=(Listed(id=INSPECTOR),))

    report = verify_evidence(simulator.evidence(), trust)

    assert (report.verdict, report.exit) == (Verdict.PROBLEM, 15)
    assert report.checks[8].code == "verify.inspectionFailed"
    assert any("failed, on record at" in note for note in report.notes)
    unlisted = verify_evidence(simulator.evidence(), simulator.trust())
    assert unlisted.exit == 0
    assert not any("inspected" in note for note in unlisted.notes)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"bore": "10.05", "height": "20.2"}, None),
        ({"bore": "10.0500001"}, "verify.toleranceExceeded"),
        ({"height": "19.79"}, "verify.toleranceExceeded"),
        ({"elsewhere": "1000"}, None),
    ],
)
def test_what_a_listed_inspector_measured_counts_to_the_last_digit(
    values: dict[str, str], code: str | None
) -> None:
    simulator = Simulator()
    taken = tuple(sim.measured(name, value) for name, value in values.items())
    Inspecting(simulator=simulator, said={"measurements": taken}).show()
    trust = replace(simulator.trust(), inspectors=(Listed(id=INSPECTOR),))

    listed = verify_evidence(simulator.evidence(), trust).checks[8]
    unlisted = verify_evidence(simulator.evidence(), simulator.trust()).checks[8]

    assert (listed.code, unlisted.code) == (code, None)


def test_an_inspectors_newest_values_are_his_last_word() -> None:
    simulator = Simulator()
    outside, inside = sim.measured("bore", "10.06"), sim.measured("bore", "10.01")
    Inspecting(
        simulator=simulator,
        said={"measurements": (outside,)},
        record={"time": INSPECTED - 9},
    ).show()
    later = {"seq": Seq(3), "first_index": Index(20)}
    Inspecting(simulator=simulator, said={"measurements": (inside,)}, record=later).show()
    trust = replace(simulator.trust(), inspectors=(Listed(id=INSPECTOR),))

    assert verify_evidence(simulator.evidence(), trust).checks[8].code is None


def test_an_inspection_without_a_trust_file_helps_nobody() -> None:
    draft = Draft(without_trust=True)
    inspect(draft)

    assert judged(draft).checks[2].code == "verify.keyInDoubt"


def test_an_inspection_leaves_other_checks_alone() -> None:
    draft = Draft()
    helped(draft)
    draft.simulator.disclosed["key"] = None

    report = judged(draft)

    assert report.checks[2].code == "verify.keyMissing"
    assert not [note for note in report.notes if "stands by" in note]


def test_a_bundle_shows_so_many_inspections() -> None:
    shown = Inspecting(simulator=Simulator()).disclosure()
    disclosed = Simulator().make_disclosures()

    most = replace(disclosed, inspections=(shown,) * INSPECTIONS_MAX)
    assert len(most.inspections) == INSPECTIONS_MAX
    with pytest.raises(EvidenceRangeError, match="inspections must be 0 to 4, found 5"):
        replace(disclosed, inspections=(shown,) * (INSPECTIONS_MAX + 1))


@pytest.mark.parametrize(("position", "path"), [(2**20, 1), (-1, 1), (1, 21)])
def test_an_inspection_that_no_record_holds_is_refused(position: int, path: int) -> None:
    shown = Inspecting(simulator=Simulator()).disclosure()
    proof = replace(shown.proof, position=position, path=shown.proof.path[:1] * path)

    with pytest.raises(EvidenceRangeError):
        InspectionDisclosure(proof=proof)


def test_an_inspection_outside_its_list_time_is_not_told_of() -> None:
    draft = Draft()
    inspect(draft)
    draft.trust["inspectors"] = (Listed(id=INSPECTOR, since=INSPECTED + 1),)

    assert not [note for note in judged(draft).notes if "inspected the part" in note]
    assert LogNumber(6) == draft.simulator.disclosed["inspections"][0].proof.record.log
