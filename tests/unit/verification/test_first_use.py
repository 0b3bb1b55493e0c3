"""First use: of two entries of one label one stands, and the other is told of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fakes import simulator as sim
from fakes.rivals import (
    EARLIER,
    LATER,
    OTHER_NUMBER,
    STRANGER,
    licensed_apart,
    licensed_by_a_stranger,
    licensed_on,
    other_entry,
    stand_beside,
)
from fakes.simulator import HOST, ISSUER, LABEL, LOG, LOGGED, MAKER, Simulator
from guildmark.domain.chain import storage
from guildmark.domain.identifiers import IdentityId, Index, Seq, to_hex
from guildmark.domain.trust import Policy, Trust
from guildmark.domain.verification.case import NO_QUESTION, Brought, Question, Sighting
from guildmark.domain.verification.evidence import (
    RIVALS_MAX,
    Disclosures,
    Evidence,
    EvidenceRangeError,
)
from guildmark.domain.verification.report import Report, State
from guildmark.domain.verification.verdict import verify_evidence

NAMESPACE = f"https://{HOST}/id/"
SAME_SECOND: dict[str, Any] = {"time": LOGGED}


def judged(ours: Simulator, *others: Simulator, trust: Trust | None = None) -> Report:
    for other in others:
        stand_beside(ours, other)
    return verify_evidence(ours.evidence(), trust or ours.trust())


def notes_of(report: Report) -> list[str]:
    return [note for note in report.notes if "label" in note]


def test_the_earlier_entry_stands_with_a_note() -> None:
    report = judged(Simulator(), other_entry(LATER))

    assert report.exit == 0
    assert notes_of(report) == ["A later entry claims this label: 1.110."]


def test_the_later_entry_fails() -> None:
    report = judged(Simulator(), other_entry(EARLIER))

    (failed,) = report.failed
    assert (report.exit, failed.number, failed.code) == (19, 3, "verify.labelClaimedEarlier")
    assert failed.reason == "The earlier entry 1.93 claims this label."
    assert notes_of(report) == []


@pytest.mark.parametrize(
    ("place", "exit_code"),
    [
        ({"seq": Seq(3), "first_index": Index(90)}, 19),
        ({"seq": Seq(5), "first_index": Index(110)}, 0),
    ],
)
def test_within_one_second_the_place_decides(place: dict[str, Any], exit_code: int) -> None:
    assert judged(Simulator(), other_entry({**place, **SAME_SECOND})).exit == exit_code


def test_of_one_envelope_at_two_places_the_first_stands() -> None:
    first = judged(Simulator(), other_entry(LATER, counter=25))
    second = judged(Simulator(), other_entry(EARLIER, counter=25))

    assert first.exit == 0
    assert [check.code for check in second.failed] == ["verify.envelopeLoggedEarlier"]


def unnamed() -> Simulator:
    """Return a part whose license names no label namespace."""
    ours = Simulator()
    ours.terms_members = sim.members(SITE=to_hex(sim.SITE))
    return ours


@pytest.mark.parametrize("place", [EARLIER, LATER])
def test_the_license_that_names_the_namespace_goes_before_time(place: dict[str, Any]) -> None:
    named = judged(Simulator(), licensed_apart(place, SITE=to_hex(sim.SITE)))
    other = judged(unnamed(), licensed_apart(place, LABEL_NAMESPACE=NAMESPACE))

    assert named.exit == 0
    assert notes_of(named)[0].startswith("An entry whose license does not name this label")
    assert [check.code for check in other.failed] == ["verify.labelLicensedElsewhere"]


@pytest.mark.parametrize(("place", "exit_code"), [(EARLIER, 19), (LATER, 0)])
def test_of_two_licenses_without_namespaces_the_earlier_entry_stands(
    place: dict[str, Any], exit_code: int
) -> None:
    report = judged(unnamed(), licensed_apart(place, SITE=to_hex(sim.SITE)))

    assert report.exit == exit_code


@pytest.mark.parametrize(("place", "exit_code"), [(EARLIER, 19), (LATER, 0)])
def test_a_license_that_a_stranger_gives_himself_takes_no_label(
    place: dict[str, Any], exit_code: int
) -> None:
    other = licensed_by_a_stranger(place, LABEL_NAMESPACE=LABEL)

    report = judged(unnamed(), other)

    assert judged(unnamed(), licensed_by_a_stranger(place, SITE=to_hex(sim.SITE))).exit == exit_code
    assert report.exit == exit_code
    assert {check.code for check in report.failed} <= {"verify.labelClaimedEarlier"}
    assert notes_of(report) == ([] if exit_code else ["A later entry claims this label: 1.110."])


def test_nor_does_his_own_license_keep_it() -> None:
    report = judged(Simulator(), licensed_by_a_stranger(EARLIER, SITE=to_hex(sim.SITE)))

    assert [check.code for check in report.failed] == ["verify.labelClaimedEarlier"]


@pytest.mark.parametrize("is_named", [True, False])
def test_only_the_owners_own_license_names_labels_for_those_who_rest_on_him(
    *, is_named: bool
) -> None:
    owners = {"SITE": to_hex(sim.SITE)} | ({"LABEL_NAMESPACE": NAMESPACE} if is_named else {})

    report = judged(unnamed(), licensed_on(LATER, owners, LABEL_NAMESPACE=LABEL))

    codes = ["verify.labelLicensedElsewhere"] if is_named else []
    assert [check.code for check in report.failed] == codes


GTIN_LABEL = f"https://{HOST}/01/09506000134352/21/17"


def with_gtin(simulator: Simulator) -> Simulator:
    simulator.statement["label"] = GTIN_LABEL
    return simulator


def holding(simulator: Simulator, *subjects: IdentityId, issuer: IdentityId = ISSUER) -> Simulator:
    """Let an issuer say that each of the subjects holds the prefix of the label's GTIN."""
    claims = (sim.claim(subject, "GCP", "9506000", issuer) for subject in subjects)
    simulator.claims = (*simulator.claims, *claims)
    return simulator


@pytest.mark.parametrize("place", [EARLIER, LATER])
@pytest.mark.parametrize("holder", [MAKER, STRANGER])
def test_whoever_holds_the_labels_gs1_prefix_may_name_it(
    holder: IdentityId, place: dict[str, Any]
) -> None:
    other = licensed_by_a_stranger(place, LABEL_NAMESPACE=f"https://{HOST}/01/")

    report = judged(with_gtin(unnamed()), holding(with_gtin(other), holder))

    assert [check.code for check in report.failed] == ["verify.labelLicensedElsewhere"]


@pytest.mark.parametrize(
    ("ours", "theirs", "issuer"),
    [((), (STRANGER,), sim.identity("nobody")), ((), (sim.OPERATOR,), ISSUER)],
)
def test_who_does_not_surely_hold_the_prefix_alone_waits_his_turn(
    ours: tuple[IdentityId, ...], theirs: tuple[IdentityId, ...], issuer: IdentityId
) -> None:
    other = licensed_by_a_stranger(LATER, LABEL_NAMESPACE=GTIN_LABEL)

    report = judged(
        holding(with_gtin(unnamed()), *ours), holding(with_gtin(other), *theirs, issuer=issuer)
    )

    assert report.failed == ()
    assert notes_of(report) == ["A later entry claims this label: 1.110."]


def test_of_two_who_both_hold_the_prefix_the_earlier_entry_stands() -> None:
    other = licensed_by_a_stranger(LATER, LABEL_NAMESPACE=GTIN_LABEL)

    report = judged(holding(with_gtin(unnamed()), MAKER), holding(with_gtin(other), STRANGER))

    assert (report.exit, notes_of(report)) == (0, ["A later entry claims this label: 1.110."])


def test_a_maker_does_not_name_by_the_prefix_of_his_licensor() -> None:
    other = with_gtin(licensed_on(LATER, {"SITE": to_hex(sim.SITE)}, LABEL_NAMESPACE=GTIN_LABEL))

    report = judged(with_gtin(unnamed()), holding(other, sim.DESIGNER))

    assert report.failed == ()


def test_an_owner_who_is_not_proven_is_nobodys_licensor() -> None:
    ours, other = unnamed(), licensed_apart(LATER, LABEL_NAMESPACE=LABEL)
    ours.unproven.add(storage.DESIGN_OWNERS.at(sim.DESIGN, 0))

    assert "verify.labelLicensedElsewhere" not in {
        finding.cause.code for check in judged(ours, other).checks for finding in check.findings
    }


def void(other: Simulator) -> None:
    other.words[storage.FATES.at(LOG, Index(93))] = storage.VOIDED


def without_a_unit(other: Simulator) -> None:
    other.record["grants"] = ()


def with_a_false_path(other: Simulator) -> None:
    other.core["path"] = ()


def with_hidden_terms(other: Simulator) -> None:
    leaves = other.terms_members
    (license_,) = other.make_disclosures().licenses
    other.disclosed["licenses"] = (replace(license_, members=sim.show(leaves)),)


@pytest.mark.parametrize(
    "spoil", [void, without_a_unit, with_a_false_path, with_hidden_terms], ids=lambda s: s.__name__
)
def test_an_entry_that_does_not_stand_by_itself_takes_no_label(
    spoil: Callable[[Simulator], None],
) -> None:
    other = other_entry(EARLIER)
    spoil(other)

    report = judged(Simulator(), other)

    assert report.exit == 0
    sentence = "Another entry claims this label and does not stand by itself: 1.93."
    assert notes_of(report) == [sentence]


def apart(block: int = 78) -> tuple[Simulator, Simulator]:
    """Return a part and an earlier entry of its label, which is proven under another block."""
    ours, other = Simulator(), other_entry(EARLIER)
    stand_beside(ours, other)
    ours.rivals, other.block = (), block
    return ours, other


def beside(
    ours: Evidence, *others: Evidence, trust: Trust | None, question: Question = NO_QUESTION
) -> Report:
    brought = [Brought(name=f"file{number}.zip", evidence=one) for number, one in enumerate(others)]
    return verify_evidence(ours, trust, question, brought)


@pytest.mark.parametrize("is_carried", [True, False])
def test_an_entry_under_a_block_that_is_not_trusted_is_not_compared(is_carried: bool) -> None:
    ours, other = apart()
    shown = other.evidence()
    if is_carried:
        report = verify_evidence(replace(ours.evidence(), rivals=(shown,)), ours.trust())
    else:
        report = beside(ours.evidence(), shown, trust=ours.trust())

    (note,) = notes_of(report)
    assert report.exit == 0
    assert note.startswith("Could not compare with 1.93, which claims this label: ")
    assert "Your trust file does not know block 78" in note


def test_without_a_trust_file_two_blocks_are_not_compared() -> None:
    ours, other = apart()

    report = beside(ours.evidence(), other.evidence(), trust=None)

    (note,) = notes_of(report)
    assert report.exit == 16
    assert note.endswith("claims this label: You have not said whom you trust.")


@pytest.mark.parametrize("block", [76, 78])
def test_an_entry_under_another_trusted_block_is_compared(block: int) -> None:
    ours, other = apart(block)
    trust = ours.trust().with_block(other.trust().blocks[0])

    report = beside(ours.evidence(), other.evidence(), trust=trust)
    turned = beside(other.evidence(), ours.evidence(), trust=trust)

    (failed,) = report.failed
    assert (report.exit, failed.number, failed.code) == (19, 3, "verify.labelClaimedEarlier")
    assert failed.reason == f"The earlier entry 1.93 (as of block {block}) claims this label."
    assert (turned.exit, notes_of(turned)) == (0, ["A later entry claims this label: 1.103."])


def test_the_block_of_another_entry_is_asked_for_by_itself() -> None:
    ours, other = apart()
    shown, block = other.evidence(), other.trust().blocks[0]
    seen = Sighting(is_reached=True, hash=block.hash, is_final=True)
    brought = Brought(name="other.zip", evidence=shown, sighting=seen)

    assert verify_evidence(ours.evidence(), ours.trust(), brought=[brought]).exit == 19
    own = Question(sighting=seen)
    assert beside(ours.evidence(), shown, trust=ours.trust(), question=own).exit == 0


def test_how_old_the_other_bundle_is_does_not_matter() -> None:
    ours, other = apart()
    trust = replace(ours.trust().with_block(other.trust().blocks[0]), policy=Policy(max_age=10))
    late = Question(now=10**6)

    report = beside(ours.evidence(), other.evidence(), trust=trust, question=late)

    assert [check.code for check in report.failed] == ["verify.labelClaimedEarlier"]


def test_a_bundle_cannot_hide_what_the_reader_brings_behind_a_stripped_copy() -> None:
    ours = Simulator()
    stand_beside(ours, other_entry(EARLIER))
    (genuine,) = ours.rivals
    stripped = replace(genuine, disclosed=Disclosures())
    hiding = replace(ours.evidence(), rivals=(stripped,))

    assert verify_evidence(hiding, ours.trust()).exit == 0
    for brought in [(genuine,), (genuine, stripped), (stripped, genuine)]:
        report = beside(hiding, *brought, trust=ours.trust())
        (failed,) = report.failed
        assert (report.exit, len(failed.findings), notes_of(report)) == (19, 1, [])


def test_a_reader_cannot_hide_what_the_bundle_carries_either() -> None:
    ours = Simulator()
    stand_beside(ours, other_entry(EARLIER))
    stripped = replace(ours.rivals[0], disclosed=Disclosures())

    assert beside(ours.evidence(), stripped, trust=ours.trust()).exit == 19


def test_a_bundle_cannot_crowd_out_what_the_reader_brings() -> None:
    ours = Simulator()
    stand_beside(ours, other_entry(EARLIER))
    (genuine,) = ours.rivals
    record = genuine.core.record
    records = [
        replace(record, seq=Seq(1), first_index=Index(at), time=1) for at in range(RIVALS_MAX)
    ]
    junk = [replace(genuine, core=replace(genuine.core, record=one)) for one in records]
    crowded = replace(ours.evidence(), rivals=tuple(junk))

    assert verify_evidence(crowded, ours.trust()).exit == 0
    assert beside(crowded, genuine, trust=ours.trust()).exit == 19
    assert beside(ours.evidence(), *junk, genuine, trust=ours.trust()).exit == 19


def test_what_is_brought_and_is_no_rival_is_named() -> None:
    ours, foreign = Simulator(), other_entry(EARLIER)
    foreign.statement["label"] = LABEL.replace("00025", "00026")
    unread = Simulator(envelope=b"{}", record=dict(EARLIER)).evidence()
    own, trust = ours.evidence(), ours.trust()
    # Another statement at the same place; the part's own bundle again says nothing new.
    twin = Simulator(run={"counter": 26}).evidence()

    report = beside(own, foreign.evidence(), unread, twin, own, trust=trust)

    assert report.exit == 0
    assert [note for note in report.notes if "compare" in note] == [
        "Did not compare with file0.zip: it is about another label.",
        "Did not compare with file1.zip: its statement cannot be read.",
        "Did not compare with file2.zip: it is about this very entry.",
    ]
    assert beside(unread, own, trust=trust).notes == (
        "Did not compare with file0.zip: this part's statement cannot be read.",
        "Your policy does not ask for (13), which is unknown.",
    )


def test_what_stands_inside_a_brought_bundle_is_not_looked_at() -> None:
    ours = Simulator()
    stand_beside(ours, other_entry(LATER))
    (later,) = ours.rivals
    inner = replace(later, rivals=(ours.evidence(),), replacement=ours.evidence())

    report = beside(replace(ours.evidence(), rivals=()), inner, trust=ours.trust())

    assert (report.exit, notes_of(report)) == (0, ["A later entry claims this label: 1.110."])


def test_parties_that_the_reader_does_not_list_take_no_label_from_those_that_he_lists() -> None:
    other = other_entry(EARLIER)
    other.claims = tuple(one for one in other.claims if one.subject != MAKER)

    report = judged(Simulator(), other)

    assert report.exit == 0
    assert notes_of(report) == ["An entry of parties that you do not list claims this label: 1.93."]


def test_parties_that_are_not_listed_either_lose_to_the_earlier_entry() -> None:
    ours = Simulator()
    stand_beside(ours, other_entry(EARLIER))
    trust = replace(ours.trust(), issuers=())

    assert ISSUER not in {listed.id for listed in trust.issuers}
    assert judged(ours, trust=trust).exit == 19


def test_without_a_trust_file_the_earlier_entry_stands() -> None:
    ours = Simulator()
    stand_beside(ours, other_entry(EARLIER))

    assert verify_evidence(ours.evidence()).exit == 19


def test_an_entry_of_another_label_is_no_rival() -> None:
    ours, other = Simulator(), other_entry(EARLIER)
    other.statement["label"] = LABEL.replace("00025", "00026")

    report = judged(ours, other)

    assert (report.exit, notes_of(report)) == (0, [])


def test_nothing_is_a_rival_of_what_cannot_be_read() -> None:
    ours = Simulator(envelope=b"{}")
    report = judged(ours, other_entry(EARLIER))

    assert report.checks[3].state is State.UNKNOWN
    assert notes_of(report) == []


def test_shown_terms_that_the_license_does_not_commit_to_name_nothing() -> None:
    ours = Simulator()
    (license_,) = ours.make_disclosures().licenses
    other = sim.members(LABEL_NAMESPACE=NAMESPACE)
    ours.disclosed["licenses"] = (replace(license_, members=sim.show_all(other)),)

    report = judged(ours, licensed_apart(LATER, LABEL_NAMESPACE=NAMESPACE))

    assert "verify.labelLicensedElsewhere" in {check.code for check in report.failed}
    assert OTHER_NUMBER != sim.NUMBER


def test_evidence_takes_other_entries_of_its_label_beside_it() -> None:
    ours = Simulator()
    stand_beside(ours, other_entry(LATER))
    later, earlier = ours.rivals[0], other_entry(EARLIER).evidence()
    foreign = Simulator(statement={"label": LABEL.replace("00025", "00026")}, record=dict(EARLIER))
    unread = Simulator(envelope=b"{}", record=dict(EARLIER))

    shown = ours.evidence().beside(
        [
            replace(earlier, rivals=(later,), replacement=later),
            earlier,
            later,
            ours.evidence(),
            foreign.evidence(),
            unread.evidence(),
        ]
    )

    assert shown.rivals == (earlier, later)
    assert unread.evidence().beside([earlier]).rivals == ()


def test_of_more_entries_than_are_read_the_earliest_are_taken() -> None:
    places = [
        {"seq": Seq(10 + at), "first_index": Index(200 + 10 * at), "time": LOGGED + at}
        for at in range(RIVALS_MAX + 1)
    ]
    others = [other_entry(place).evidence() for place in places]

    shown = Simulator().evidence().beside(reversed(others))

    assert shown.rivals == tuple(others[:RIVALS_MAX])
    with pytest.raises(EvidenceRangeError):
        replace(shown, rivals=tuple(others))
