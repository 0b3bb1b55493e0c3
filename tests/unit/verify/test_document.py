"""The report as JSON: the shape that programs rely on."""

from dataclasses import replace
from typing import Any

from fakes.cases import CASES
from fakes.simulator import LABEL, Simulator
from guildmark.domain import bundle
from guildmark.domain.builds.predicate import KeyHolder
from guildmark.domain.errors import NetworkError, NotFinalError, UnknownPartError
from guildmark.domain.identifiers import to_hex
from guildmark.domain.signatures import Algorithm
from guildmark.domain.verification.case import Question, Sighting
from guildmark.verify import verify_bundle, without_evidence
from guildmark.verify.document import document

HONEST = Simulator()
BUNDLE = bundle.write(HONEST.evidence())


def judged(name: str) -> dict[str, Any]:
    sealed = next(case for case in CASES if case.name == name).seal()
    report = verify_bundle(bundle.write(sealed.evidence), sealed.trust, sealed.question)
    return dict(document(report))


def test_a_verified_part_has_the_whole_shape() -> None:
    shown = document(verify_bundle(BUNDLE, HONEST.trust()))

    assert shown["verdict"] == "verified"
    assert shown["exit"] == 0
    assert shown["failed"] == []
    assert shown["notChecked"] == [11]
    assert shown["asOf"] == {"block": 77, "time": 2200}
    assert shown["part"] == {
        "chainId": HONEST.pin.chain_id,
        "buildLog": to_hex(HONEST.pin.contracts[next(iter(HONEST.pin.contracts)).LOG].address),
        "log": 1,
        "index": 103,
        "label": LABEL,
        "unit": 25,
        "units": 60,
        "signerRole": "machine",
        "keyAlgorithm": "secp256k1",
        "simulated": False,
    }
    checks = shown["checks"]
    assert isinstance(checks, list)
    assert [check["check"] for check in checks] == [*range(11), 12, 13]
    assert checks[0] == {
        "check": 0,
        "name": "chain and block",
        "state": "ok",
        "reason": "The chain is the pinned one, and the block is one that you trust.",
        "evidence": "chain/header.rlp",
    }
    assert "fault" not in shown


def test_what_holds_the_key_is_the_signer_s_word() -> None:
    simulator = Simulator(statement={"key_holder": KeyHolder.TPM})
    simulator.sign_with(Algorithm.P256)

    part = document(verify_bundle(bundle.write(simulator.evidence()), simulator.trust()))["part"]

    assert isinstance(part, dict)
    assert (part["keyAlgorithm"], part["keyHolder"]) == ("p256", "tpm")


def test_a_failed_check_is_named_with_its_code() -> None:
    shown = judged("unit_61")

    assert shown["verdict"] == "problem"
    assert shown["exit"] == 18
    assert shown["failed"] == [{"check": 6, "code": "verify.unitNotGranted"}]
    assert shown["checks"][6] == {
        "check": 6,
        "name": "license and unit",
        "state": "fail",
        "code": "verify.unitNotGranted",
        "reason": "The draw of 7 units from lane 5 was granted nothing.",
        "evidence": "log/record.json",
    }


def test_a_check_with_several_findings_shows_all() -> None:
    check = judged("nothing_can_be_read")["checks"][2]

    assert check["code"] == "verify.envelopeMalformed"
    assert [other["code"] for other in check["others"]] == [
        "verify.windowUnknown",
        "verify.statementUnread",
    ]


def test_parties_show_their_claims() -> None:
    parties = document(verify_bundle(BUNDLE, HONEST.trust()))["parties"]

    assert isinstance(parties, list)
    assert [party["role"] for party in parties] == ["operator", "maker", "designOwner"]
    assert parties[1]["name"] == "Makers of Example"
    assert parties[1]["claims"][0]["value"] == "5299000J2N45DDNE4Y28"
    assert parties[1]["claims"][0]["listed"] is True


def test_what_is_no_bundle_has_a_fault_and_no_checks() -> None:
    shown = document(verify_bundle(b"zip"))

    assert (shown["verdict"], shown["exit"], shown["checks"]) == ("problem", 14, [])
    assert shown["fault"] == {
        "code": "archive.notCanonical",
        "reason": "The archive is not canonical: it is not the one archive of its files.",
        "nextStep": "Fetch the file again; a tool that repacks archives must not touch it.",
    }
    assert "part" not in shown


def test_without_evidence_the_error_decides() -> None:
    assert without_evidence(UnknownPartError("Gone.")).exit == 11
    assert without_evidence(UnknownPartError("Gone.")).verdict == "notFound"
    assert without_evidence(NetworkError("Down.")).exit == 3
    assert without_evidence(NotFinalError("Young.")).exit == 17
    assert without_evidence(NotFinalError("Young.")).verdict == "uncheckable"


def test_the_own_node_is_asked_only_for_a_block_that_the_trust_file_does_not_know() -> None:
    asked: list[int] = []

    def look(number: int) -> Sighting:
        asked.append(number)
        return Sighting(is_reached=True, hash=HONEST.trust().blocks[0].hash, is_final=True)

    assert verify_bundle(BUNDLE, HONEST.trust(), look=look).exit == 0
    assert verify_bundle(BUNDLE, None, look=look).exit == 16
    assert asked == []
    assert verify_bundle(BUNDLE, replace(HONEST.trust(), blocks=()), look=look).exit == 0
    assert asked == [77]


def test_the_own_node_is_not_asked_for_a_header_that_is_none() -> None:
    evidence = HONEST.evidence()
    broken = replace(evidence, chain=replace(evidence.chain, header=b"header"))

    def look(number: int) -> Sighting:
        raise AssertionError(number)

    report = verify_bundle(bundle.write(broken), HONEST.trust(), Question(), look=look)

    assert report.failed[0].code == "verify.headerMalformed"
