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
    licensed_apart,
    other_entry,
    stand_beside,
)
from fakes.simulator import HOST, ISSUER, LABEL, LOG, LOGGED, MAKER, Simulator
from guildmark.domain import storage
from guildmark.domain.identifiers import Index, Seq, to_hex
from guildmark.domain.trust import Trust
from guildmark.domain.verification.evidence import RIVALS_MAX, EvidenceRangeError
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


def test_an_entry_under_another_block_takes_no_label() -> None:
    ours, other = Simulator(), other_entry(EARLIER)
    stand_beside(ours, other)
    other.block += 1
    ours.rivals = (other.evidence(),)

    assert judged(ours).exit == 0


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

    beside = ours.evidence().beside(
        [
            replace(earlier, rivals=(later,), replacement=later),
            earlier,
            later,
            ours.evidence(),
            foreign.evidence(),
            unread.evidence(),
        ]
    )

    assert beside.rivals == (earlier, later)
    assert unread.evidence().beside([earlier]).rivals == ()


def test_of_more_entries_than_are_read_the_earliest_are_taken() -> None:
    places = [
        {"seq": Seq(10 + at), "first_index": Index(200 + 10 * at), "time": LOGGED + at}
        for at in range(RIVALS_MAX + 1)
    ]
    others = [other_entry(place).evidence() for place in places]

    beside = Simulator().evidence().beside(reversed(others))

    assert beside.rivals == tuple(others[:RIVALS_MAX])
    with pytest.raises(EvidenceRangeError):
        replace(beside, rivals=tuple(others))
