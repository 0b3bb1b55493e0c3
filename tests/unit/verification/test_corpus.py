"""The corpus: each broken case fails where it is broken, and nothing honest is refused."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.cases import CASES, Broken, Draft
from fakes.cases.chain import block_note, watched
from fakes.simulator import (
    DESIGNER,
    LOOKED,
    MACHINE,
    MAKER,
    NUMBER,
    SITE,
    Simulator,
    claim,
    members,
    show,
)
from guildmark.domain import bundle
from guildmark.domain.chain import storage
from guildmark.domain.identifiers import IdentityId, to_hex
from guildmark.domain.signatures import Algorithm
from guildmark.domain.verification.case import SHARED, Question, Sighting
from guildmark.domain.verification.report import CheckResult, Report, State, Verdict
from guildmark.domain.verification.verdict import CHECKS
from guildmark.verify import verify_bundle

HONEST = Simulator()
BUNDLE = bundle.write(HONEST.evidence())


def lowest_not_ok(report: Report) -> CheckResult:
    if report.failed:
        return report.failed[0]
    open_ones = [check for check in report.checks if check.state is not State.OK]
    return next((check for check in open_ones if check.falls_short), open_ones[0])


def test_the_honest_part_is_verified() -> None:
    report = verify_bundle(BUNDLE, HONEST.trust())

    assert report.verdict is Verdict.VERIFIED
    assert report.exit == 0
    states = [check.state for check in report.checks]
    assert states == [*[State.OK] * 9, *[State.NOT_CLAIMED] * 2, State.OK, State.NOT_CLAIMED]


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_part_that_any_kind_of_key_signed_is_verified(algorithm: Algorithm) -> None:
    simulator = Simulator()
    simulator.sign_with(algorithm)

    report = verify_bundle(bundle.write(simulator.evidence()), simulator.trust())

    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)


@pytest.mark.parametrize("numbers", [(8,), (8, 9, 10, 11)])
def test_a_part_under_licenses_below_others_is_verified(numbers: tuple[int, ...]) -> None:
    simulator = Simulator()
    simulator.license_under(*numbers)

    report = verify_bundle(bundle.write(simulator.evidence()), simulator.trust())

    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)


@pytest.mark.parametrize("subject", [SITE, MAKER])
def test_a_part_of_a_cleared_site_in_an_allowed_country_is_verified(subject: IdentityId) -> None:
    simulator = Simulator()
    simulator.terms_members = members(
        COUNTRY="DE", COUNTRY_DENIED="FR", CONTROL_CLASS="X1", LICENSE_TEXT="SPDX:MIT", TEXT="so"
    )
    simulator.claims = (*simulator.claims, claim(subject, "CONTROL", "X1"))

    report = verify_bundle(bundle.write(simulator.evidence()), simulator.trust())

    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)
    assert "CONTROL" not in {one.scheme for party in report.parties for one in party.claims}


def test_a_clearance_alone_names_nobody() -> None:
    simulator = Simulator()
    simulator.claims = (claim(MAKER, "CONTROL", "X1"), simulator.claims[1])

    report = verify_bundle(bundle.write(simulator.evidence()), simulator.trust())

    assert report.verdict is not Verdict.VERIFIED
    assert report.exit == 16


def test_what_a_license_says_in_words_may_be_withheld() -> None:
    simulator = Simulator()
    simulator.terms_members = members(SITE=to_hex(SITE), TEXT="the price")
    shown = show(simulator.terms_members, "/terms/site/0000")
    (license_,) = simulator.make_disclosures().licenses
    simulator.disclosed["licenses"] = (replace(license_, members=shown),)

    report = verify_bundle(bundle.write(simulator.evidence()), simulator.trust())

    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_broken_case_is_judged_as_told(case: Broken) -> None:
    sealed = case.seal()

    report = verify_bundle(bundle.write(sealed.evidence), sealed.trust, sealed.question)

    [at] = [check for check in report.checks if check.number == case.check]
    named = lowest_not_ok(report) if case.decides else at
    assert (named.number, named.code) == (case.check, case.code)
    assert report.exit == case.exit


@pytest.mark.parametrize("names", [("w1", "w2"), ("w3", "w2", "w1"), ("stranger", "w1", "w3")])
@pytest.mark.parametrize("hash_there", [None, "same"])
def test_a_block_that_enough_witnesses_signed_is_believed(
    names: tuple[str, ...], hash_there: str | None
) -> None:
    draft = Draft()
    watched(draft, block_note(draft, *names), until=LOOKED + 1)
    block = draft.simulator.trust().blocks[0]
    seen = Sighting(is_reached=bool(hash_there), hash=block.hash, is_final=True)
    draft.question = Question(sighting=seen if hash_there else None)
    sealed = draft.seal()

    report = verify_bundle(bundle.write(sealed.evidence), sealed.trust, sealed.question)

    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)


def test_the_own_node_stands_in_for_witnesses_who_are_away() -> None:
    draft = Draft()
    watched(draft, block_note(draft, "w1"))
    block = draft.simulator.trust().blocks[0]
    draft.question = Question(sighting=Sighting(is_reached=True, hash=block.hash, is_final=True))
    sealed = draft.seal()

    report = verify_bundle(bundle.write(sealed.evidence), sealed.trust, sealed.question)

    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)


def test_an_owner_whom_the_chain_does_not_know_is_not_named() -> None:
    sealed = Simulator(words={storage.IDENTITIES.at(DESIGNER): 0})

    report = verify_bundle(bundle.write(sealed.evidence()), sealed.trust())

    assert (report.verdict, report.exit) == (Verdict.UNTRUSTED, 16)
    assert report.parties[-1].id == ""


@pytest.mark.parametrize(
    ("place", "code", "exit_code"),
    [
        (storage.LINKS.at(MACHINE, SITE, 1), "verify.machineUnlinked", 16),
        (storage.LICENSES.at(NUMBER), "verify.licenseUnknown", 18),
    ],
)
def test_a_slot_that_holds_nothing_is_no_right_without_bounds(
    place: storage.Location, code: str, exit_code: int
) -> None:
    simulator = Simulator(words={place: 0})

    report = verify_bundle(bundle.write(simulator.evidence()), simulator.trust())

    assert (report.failed[0].code, report.exit) == (code, exit_code)


def test_every_cause_has_a_case() -> None:
    causes = {cause.code for check in CHECKS for cause in check.causes}
    causes |= {cause.code for cause in SHARED}

    assert {case.code for case in CASES} == causes


def test_every_code_is_of_one_cause() -> None:
    own = [cause.code for check in CHECKS for cause in check.causes]
    shared = [cause.code for cause in SHARED]

    assert len(set(own + shared)) == len(own + shared)


def test_every_case_has_its_own_name() -> None:
    names = [case.name for case in CASES]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("name", "check", "code", "exit_code"),
    [
        ("altered_measurement", 2, "verify.signatureInvalid", 12),
        ("unregistered_machine", 1, "verify.machineUnregistered", 16),
        ("unit_61", 6, "verify.unitNotGranted", 18),
        ("false_path", 3, "verify.pathInvalid", 19),
    ],
)
def test_the_four_bad_parts_have_exactly_this_lowest_failed_check(
    name: str, check: int, code: str, exit_code: int
) -> None:
    sealed = next(case for case in CASES if case.name == name).seal()

    report = verify_bundle(bundle.write(sealed.evidence), sealed.trust)

    assert (report.failed[0].number, report.failed[0].code) == (check, code)
    assert (report.verdict, report.exit) == (Verdict.PROBLEM, exit_code)


@given(st.data())
@settings(max_examples=200)
def test_a_flipped_bit_is_no_canonical_bundle(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(BUNDLE) - 1))
    flipped = bytearray(BUNDLE)
    flipped[at] ^= 1 << data.draw(st.integers(0, 7))

    report = verify_bundle(bytes(flipped), HONEST.trust())

    assert (report.verdict, report.exit) == (Verdict.PROBLEM, 14)
    assert report.checks == ()
    assert report.fault is not None
