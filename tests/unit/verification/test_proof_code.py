"""The verdict about a proof code: never the green one, and each changed field is found."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fakes.proof_codes import pinning, proof_code, signed
from fakes.simulator import Simulator
from guildmark.domain.identifiers import Bytes32, Digest, IdentityId, Index, Seq, SiteRecipeId
from guildmark.domain.labels.proof import ProofCode
from guildmark.domain.log.entry import EntryKind
from guildmark.domain.trust import Trust
from guildmark.domain.verification.proof_code import verify_proof_code
from guildmark.domain.verification.report import Report, State, Verdict

CODE = proof_code(records=5, count=8, witnesses=("w1", "w2"))
PINS = pinning("w1", "w2", "w3", quorum=2)
OTHER = b"\x5a" * 32


def said(report: Report) -> tuple[Verdict, int]:
    return report.verdict, report.exit


def test_what_enough_witnesses_signed_is_in_the_log_and_no_more() -> None:
    report = verify_proof_code(CODE, PINS)

    assert said(report) == (Verdict.UNCHECKABLE, 23)
    assert "place in the log, which 2 of your 3 witnesses signed" in report.headline
    states = {check.number: check.state for check in report.checks}
    assert states[3] is State.OK
    assert {state for number, state in states.items() if number != 3} == {State.UNKNOWN}
    assert {check.code for check in report.checks if check.number != 3} == {"verify.notInProof"}
    assert report.part is not None
    assert (report.part.log, report.part.index, report.part.unit) == (*CODE.place, 26)


@pytest.mark.parametrize(
    ("trust", "code"),
    [
        (None, "verify.trustMissing"),
        (pinning(), "verify.witnessesTooFew"),
        (pinning("w3"), "verify.witnessesTooFew"),
        (pinning("w1", "w3", quorum=2), "verify.witnessesTooFew"),
    ],
)
def test_without_enough_of_the_reader_s_witnesses_it_is_signed_alone(
    trust: Trust | None, code: str
) -> None:
    report = verify_proof_code(CODE, trust)

    assert said(report) == (Verdict.UNTRUSTED, 16)
    assert report.headline == "Signed, not checked against the ledger."
    assert report.checks[0].code == code
    assert not any(check.state is State.OK for check in report.checks)
    assert any("machine 0x" in note for note in report.notes)


def test_a_list_that_pins_no_contract_of_logs_proves_nothing() -> None:
    contracts = {name: one for name, one in PINS.chain.contracts.items() if name != "log"}
    report = verify_proof_code(CODE, replace(PINS, chain=replace(PINS.chain, contracts=contracts)))

    assert said(report) == (Verdict.UNTRUSTED, 16)
    assert report.checks[0].reason == "Your list does not pin the contract of logs."
    assert report.part is None


def test_two_signatures_of_one_witness_count_once() -> None:
    twice = replace(CODE, signatures=(CODE.signatures[0],) * 2)

    assert verify_proof_code(twice, PINS).exit == 16


def test_a_witness_counts_at_the_time_that_it_signed() -> None:
    made = CODE.signatures[0].time
    for since, until, code in ((made, made + 1, 23), (made + 1, 0, 16), (0, made, 16)):
        witnesses = tuple(replace(one, since=since, until=until) for one in PINS.witnesses)

        assert verify_proof_code(CODE, replace(PINS, witnesses=witnesses)).exit == code


def record(code: ProofCode, **changes: object) -> ProofCode:
    return replace(code, bare=replace(code.bare, **changes))  # type: ignore[arg-type]  # any member


def entry(code: ProofCode, **changes: object) -> ProofCode:
    return replace(code, entry=replace(code.entry, **changes))  # type: ignore[arg-type]  # any member


def grant(code: ProofCode, **changes: object) -> ProofCode:
    first, *rest = code.bare.grants
    return record(code, grants=(replace(first, **changes), *rest))  # type: ignore[arg-type]  # any member


def path(code: ProofCode, name: str, at: int) -> ProofCode:
    hashes = list(getattr(code, name))
    hashes[at] = Digest(OTHER)
    return replace(code, **{name: tuple(hashes)})  # type: ignore[arg-type]  # one of two


def signature(code: ProofCode, **changes: object) -> ProofCode:
    first, *rest = code.signatures
    return replace(code, signatures=(replace(first, **changes), *rest))  # type: ignore[arg-type]  # any member


MUTATIONS: dict[str, Callable[[ProofCode], ProofCode]] = {
    "log": lambda code: record(code, log=2),
    "seq": lambda code: record(code, seq=Seq(code.bare.seq + 1)),
    "firstIndex": lambda code: record(code, first_index=Index(code.bare.first_index + 1)),
    "count": lambda code: record(code, count=code.bare.count + 8),
    "time": lambda code: record(code, time=code.bare.time + 1),
    "parent": lambda code: record(code, parent=Bytes32(OTHER)),
    "grants": lambda code: record(code, grants=()),
    "lane": lambda code: grant(code, lane=99),
    "n": lambda code: grant(code, n=1),
    "firstUnit": lambda code: grant(code, first_unit=7),
    "position": lambda code: replace(code, position=code.position + 1),
    "kind": lambda code: entry(code, kind=EntryKind.SCRAP),
    "subject": lambda code: entry(code, subject=Digest(OTHER)),
    "envelope": lambda code: entry(code, envelope=Digest(OTHER)),
    "siteRecipe": lambda code: entry(code, site_recipe=SiteRecipeId(Bytes32(OTHER))),
    "machine": lambda code: entry(code, machine=IdentityId(Bytes32(OTHER))),
    "maker": lambda code: entry(code, maker=IdentityId(Bytes32(OTHER))),
    "dependencies": lambda code: entry(code, dependencies=Digest(OTHER)),
    "previous": lambda code: entry(code, previous=1),
    "salt": lambda code: replace(code, salt=Bytes32(OTHER)),
    "path": lambda code: path(code, "path", 0),
    "path's end": lambda code: path(code, "path", -1),
    "path shorter": lambda code: replace(code, path=code.path[:-1]),
    "size": lambda code: replace(code, size=code.size + 1),
    "size beyond": lambda code: replace(code, size=0),
    "recordPath": lambda code: path(code, "record_path", 0),
    "recordPath longer": lambda code: replace(code, record_path=(*code.record_path, Digest(OTHER))),
    "signature": lambda code: signature(code, value=bytes(64)),
    "signature's time": lambda code: signature(code, time=code.signatures[0].time + 1),
    "signature's time beyond": lambda code: signature(code, time=2**63),
}


@pytest.mark.parametrize("field", MUTATIONS)
def test_a_changed_field_fails_the_place_in_the_log(field: str) -> None:
    changed = MUTATIONS[field](CODE)

    report = verify_proof_code(ProofCode.parse(changed.text()), PINS)

    assert changed != CODE
    assert said(report) == (Verdict.PROBLEM, 19)
    assert report.headline == "Problem found: place in the log."
    assert [(check.number, check.code) for check in report.failed] == [(3, "verify.pathInvalid")]


def test_another_witness_s_name_under_a_signature_is_no_signature_of_his() -> None:
    changed = signature(CODE, key=b"\0\0\0\0")

    assert verify_proof_code(changed, PINS).exit == 16


def test_a_log_of_another_chain_is_not_what_was_signed() -> None:
    pin = replace(Simulator().pin, genesis=Digest(OTHER))

    report = verify_proof_code(signed(CODE, pin, "w1", "w2"), PINS)

    assert said(report) == (Verdict.PROBLEM, 19)


def test_a_path_that_does_not_fit_is_wrong_for_every_reader() -> None:
    changed = replace(CODE, path=CODE.path[:-1])

    assert verify_proof_code(changed, None).exit == 19


def test_an_entry_without_a_unit_has_none() -> None:
    without = signed(record(CODE, grants=()), Simulator().pin, "w1", "w2")

    report = verify_proof_code(without, PINS)

    assert report.exit == 23
    assert report.part is not None
    assert report.part.unit is None
