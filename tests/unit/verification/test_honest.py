"""Honest flows stay green: what a shop does in good faith is never red, and says what it was."""

from dataclasses import replace

import pytest

from fakes.cases.accredited import SCOPE, accredit
from fakes.cases.draft import Draft
from fakes.simulator import (
    BEGUN,
    ISSUER,
    LOGGED,
    MACHINE,
    MAKER,
    PUBLISHED,
    REGISTERED,
    SITE,
    Signer,
    Simulator,
    accreditation,
    accreditation_word,
    interval_word,
    key_word,
)
from guildmark.domain import bundle
from guildmark.domain.chain import storage
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32
from guildmark.domain.identity.identity import key_id
from guildmark.domain.verification.report import Report, State, Verdict
from guildmark.verify import verify_bundle


def judged(simulator: Simulator) -> Report:
    return verify_bundle(bundle.write(simulator.evidence()), simulator.trust())


def new_machine(since: int) -> Simulator:
    """Return the first build of a machine that was registered and linked at ``since``."""
    simulator = Simulator()
    key = key_id(MACHINE, simulator.signer.public)
    simulator.words[storage.KEYS.at(key)] = key_word(since)
    simulator.words[storage.LINKS.at(MACHINE, SITE, 1)] = interval_word(since)
    return simulator


def test_the_first_build_of_a_new_machine_is_green_from_a_beacon_that_is_not_older() -> None:
    assert judged(new_machine(BEGUN)).verdict is Verdict.VERIFIED


def test_a_beacon_from_before_the_machine_is_never_red() -> None:
    report = judged(new_machine(BEGUN + 1))

    states = {check.state for check in report.checks}
    assert State.FAIL not in states
    assert State.UNKNOWN in states


def test_a_queue_that_waited_long_without_a_network_is_green() -> None:
    simulator = Simulator()
    # As old as a beacon of this world can be; the job ended long before its record.
    simulator.beacon["time"] = PUBLISHED
    simulator.run |= {"started_on": PUBLISHED + 1, "finished_on": PUBLISHED + 60}

    report = judged(simulator)

    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)


def test_a_queue_signed_again_after_a_rotation_is_green_and_says_so() -> None:
    simulator = Simulator()
    old = key_id(MACHINE, simulator.signer.public)
    simulator.words[storage.KEYS.at(old)] = key_word(REGISTERED, BEGUN - 10)
    simulator.signer = Signer("the next key")
    new = key_id(MACHINE, simulator.signer.public)
    simulator.words[storage.KEYS.at(new)] = key_word(BEGUN - 10)
    simulator.statement["replaces"] = sha256(b"what the old key signed")

    report = judged(simulator)

    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)
    assert any("replaces an earlier envelope" in note for note in report.notes)


@pytest.mark.parametrize("until", [LOGGED, LOGGED + 1])
def test_a_key_that_ended_with_its_last_record_or_later_had_its_time(until: int) -> None:
    simulator = Simulator()
    key = key_id(MACHINE, simulator.signer.public)
    simulator.words[storage.KEYS.at(key)] = key_word(REGISTERED, until)

    report = judged(simulator)

    assert State.FAIL not in {check.state for check in report.checks}
    assert (report.verdict is Verdict.VERIFIED) == (until > LOGGED)


@pytest.mark.parametrize("gap", [0, 1])
def test_a_renewed_accreditation_covers_the_build_without_a_gap(gap: int) -> None:
    draft = Draft()
    first = accreditation(ISSUER, MAKER, SCOPE)
    second = accreditation(ISSUER, MAKER, replace(SCOPE, salt=Bytes32(sha256(b"renewed"))))
    accredit(draft, first, second)
    words, middle = draft.simulator.words, BEGUN + 50
    words[storage.ACCREDITATIONS.at(first.id())] = accreditation_word(REGISTERED, middle)
    words[storage.ACCREDITATIONS.at(second.id())] = accreditation_word(middle + gap)

    report = judged(draft.simulator)

    assert (report.verdict is Verdict.VERIFIED) == (gap == 0)
    assert State.FAIL not in {check.state for check in report.checks}
