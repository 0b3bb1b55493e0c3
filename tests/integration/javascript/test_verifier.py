"""The page's verifier under Node: what it finds, what it leaves, that it ships as built."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import bundle_scripts
import corpus
from environments import ROOT, node
from fakes.cases import CASES, Draft
from fakes.corpus import Given
from fakes.corpus.case import given
from fakes.newer import AnyNode
from fakes.simulator import Simulator
from guildmark.domain import bundle
from guildmark.domain.signatures import Algorithm
from guildmark.verify import verify_bundle
from guildmark.verify.keeping import renew_bundle

VERIFIER = ROOT / "backend" / "guildmark" / "api" / "static" / "verifier" / "verifier.js"
NOT_CLAIMED = "not claimed"
BROKEN = {
    "altered_measurement": (2, "verify.signatureInvalid", 12),
    "false_path": (3, "verify.pathInvalid", 19),
    "record_that_nobody_appended": (4, "verify.recordUnknown", 19),
    "part_is_void": (4, "verify.partVoided", 19),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, Any]]:
    """Return what the page's verifier says of a few cases, all in one process."""
    folder = tmp_path_factory.mktemp("corpus")
    for case in chosen():
        place = folder / case.name
        place.mkdir()
        (place / "bundle.zip").write_bytes(case.bundle)
        (place / "trust.json").write_bytes(case.trust_file() or b"null")
        (place / "expected.json").write_text(json.dumps({"case": case.name}))
    command = [str(node()), "scripts/verify_corpus.mjs", str(VERIFIER), str(folder)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return {(line := json.loads(text))["case"]: line for text in done.stdout.splitlines()}


def chosen() -> Iterator[Given]:
    for algorithm in Algorithm:
        draft = Draft()
        draft.simulator.sign_with(algorithm)
        yield given(algorithm.name, draft.seal())
        forged = bytearray(draft.simulator.make_envelope())
        # The last letter but three of a signature of 64 bytes is one of its own.
        at = forged.rindex(b'"}]}') - 4
        forged[at] = ord("A") if forged[at] != ord("A") else ord("B")
        draft.simulator.envelope = bytes(forged)
        yield given(f"forged-{algorithm.name}", draft.seal())
    for case in CASES:
        if case.name in BROKEN:
            yield given(case.name, case.seal())
    honest = Simulator()
    data = bytearray(bundle.write(honest.evidence()))
    data[100] ^= 1
    yield Given("flipped", bytes(data), honest.trust())
    renewed = AnyNode(latest=Simulator(block=99), final=Simulator(block=90))
    made = renew_bundle(bundle.write(honest.evidence()), renewed, honest.trust())
    newer = replace(honest.trust(), blocks=(made.block,))
    yield Given("renewed", made.data, newer)
    yield Given("grown old", bundle.write(honest.evidence()), newer)
    yield Given("unlisted", bundle.write(honest.evidence()), None)


def states(line: Mapping[str, Any]) -> dict[int, str]:
    return {check["number"]: check["state"] for check in line["checks"]}


def codes(line: Mapping[str, Any]) -> dict[int, str | None]:
    return {check["number"]: check["code"] for check in line["checks"]}


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_an_honest_part_is_verified_by_its_readers_list(
    said: Mapping[str, Mapping[str, Any]], algorithm: Algorithm
) -> None:
    line = said[algorithm.name]

    assert (line["verdict"], line["exit"]) == ("verified", 0)
    ok = dict.fromkeys((*range(9), 12), "ok")
    assert states(line) == {**ok, **dict.fromkeys((9, 10, 13), NOT_CLAIMED)}
    assert line["headline"].startswith("Verified as of ")
    assert line["headline"].endswith(", signed by the machine.")


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_forged_signature_of_any_kind_of_key_is_found(
    said: Mapping[str, Mapping[str, Any]], algorithm: Algorithm
) -> None:
    line = said[f"forged-{algorithm.name}"]

    assert (line["verdict"], line["exit"]) == ("problem", 12)
    assert states(line)[2] == "fail"
    assert codes(line)[2] == "verify.signatureInvalid"


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_broken_part_is_a_problem(said: Mapping[str, Mapping[str, Any]], name: str) -> None:
    number, code, exit_code = BROKEN[name]
    line = said[name]

    assert (line["verdict"], line["exit"]) == ("problem", exit_code)
    assert states(line)[number] == "fail"
    assert codes(line)[number] == code


def test_a_flipped_bit_is_no_canonical_bundle(said: Mapping[str, Mapping[str, Any]]) -> None:
    line = said["flipped"]

    assert (line["verdict"], line["exit"], line["checks"]) == ("problem", 14, [])


def test_a_renewed_bundle_needs_the_newer_block_alone(
    said: Mapping[str, Mapping[str, Any]],
) -> None:
    made = {case.name: case for case in chosen()}
    report = verify_bundle(made["renewed"].bundle, made["renewed"].trust)

    line = said["renewed"]

    assert (line["verdict"], line["exit"], line["headline"]) == ("verified", 0, report.headline)
    assert list(corpus.disagreements(report, line)) == []
    assert (codes(said["grown old"])[0], said["grown old"]["exit"]) == ("verify.blockUnknown", 23)


def test_without_trust_the_chain_is_not_known(said: Mapping[str, Mapping[str, Any]]) -> None:
    line = said["unlisted"]

    assert (states(line)[0], codes(line)[0]) == ("unknown", "verify.trustMissing")


def said_of(number: int, state: str, code: str, reason: str) -> dict[str, Any]:
    """Return what the page's verifier would say of a check with one finding."""
    told = {"state": state, "code": code, "reason": reason}
    return {"number": number, **told, "findings": [told]}


TOLD = {"state": "unknown", "code": "verify.notFinal", "reason": "It is not final."}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"verdict": "verified"}, "it says verified while checks are left"),
        ({"code": "bundle.malformed"}, "it refuses the bundle, bundle.malformed"),
        (
            {"checks": [said_of(3, "fail", "verify.pathInvalid", "It is not there.")]},
            "(3) is fail, verify.pathInvalid",
        ),
        (
            {"checks": [said_of(4, "ok", "verify.notFinal", "It is not final.")]},
            "(4) is ok, verify.notFinal",
        ),
        (
            {
                "checks": [
                    said_of(10, NOT_CLAIMED, "verify.accreditationsNotAsked", "It asks for none.")
                ]
            },
            "(10) says not claimed, verify.accreditationsNotAsked, It asks for none. where it is "
            "not claimed, verify.accreditationsNotAsked, The recipe asks for no accreditation.",
        ),
        (
            {"checks": [{"number": 4, "state": "ok", "code": None, "findings": [TOLD]}]},
            "(4) says unknown, verify.notFinal, It is not final. where it is nothing",
        ),
    ],
)
def test_a_verifier_that_says_something_else_is_told(change: dict[str, Any], told: str) -> None:
    simulator = Simulator()
    report = verify_bundle(bundle.write(simulator.evidence()), simulator.trust())
    agreeing: dict[str, Any] = {"verdict": "notChecked", "code": None, "checks": []}

    assert list(corpus.disagreements(report, agreeing)) == []
    assert list(corpus.disagreements(report, {**agreeing, **change})) == [told]


def test_a_verifier_that_reads_what_python_refuses_is_told() -> None:
    report = verify_bundle(b"no bundle", None)
    reading: dict[str, Any] = {"verdict": "notChecked", "code": None, "checks": []}
    code = "archive.notCanonical"
    whole = {"verdict": "problem", "exit": report.exit, "headline": report.headline}
    refusing = {**reading, **whole, "code": code}

    [told] = corpus.disagreements(report, reading)
    assert told == "it reads the bundle that Python refuses, archive.notCanonical"
    assert list(corpus.disagreements(report, refusing)) == []


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("verdict", "untrusted", "its verdict is 'untrusted', not 'verified'"),
        ("exit", 16, "its exit is 16, not 0"),
        ("headline", "Verified.", "its headline is 'Verified.', not 'Verified as of"),
    ],
)
def test_a_verifier_that_judges_the_whole_otherwise_is_told(
    name: str, value: str | int, told: str
) -> None:
    simulator = Simulator()
    report = verify_bundle(bundle.write(simulator.evidence()), simulator.trust())
    checks = [
        {
            "number": one.number,
            "state": one.state.value,
            "code": one.code,
            "findings": [
                {"state": each.cause.state.value, "code": each.cause.code, "reason": each.reason}
                for each in one.findings
            ],
        }
        for one in report.checks
    ]
    said = {"verdict": "verified", "exit": 0, "headline": report.headline, "code": None}

    assert list(corpus.disagreements(report, {**said, "checks": checks})) == []
    [line] = corpus.disagreements(report, {**said, "checks": checks, name: value})
    assert line.startswith(told)


@pytest.mark.parametrize(
    ("told", "code"), [((), 0), (("a: Python and JavaScript disagree: (1) is ok, None",), 1)]
)
def test_nothing_is_pinned_of_which_the_verifiers_disagree(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    told: tuple[str, ...],
    code: int,
) -> None:
    pins = tmp_path / "pins.json"
    pins.write_text("{}")
    honest = Simulator()
    case = Given("of nobody", bundle.write(honest.evidence()), honest.trust())
    monkeypatch.setattr(corpus, "EXPECTED", pins)
    monkeypatch.setattr(corpus, "TARGET", tmp_path / "corpus")
    monkeypatch.setattr(corpus, "cases", lambda: [case])
    monkeypatch.setattr(corpus, "_in_javascript", lambda *_: list(told))
    monkeypatch.setattr("reports.write_rows", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["corpus.py", "--pin"])

    assert corpus.main() == code
    assert ("of nobody" in json.loads(pins.read_text())) is (code == 0)
    assert all(line in capsys.readouterr().out for line in told)


def test_what_is_said_of_each_check_is_counted() -> None:
    one = {"checks": [{"number": 0, "state": "ok"}, {"number": 10, "state": "fail"}]}
    other = {"checks": [{"number": 0, "state": "ok"}, {"number": 10, "state": "ok"}]}

    assert corpus.table([one, other]) == "(0) 0 fail, 2 ok\n(10) 1 fail, 1 ok"


@pytest.mark.parametrize("source", bundle_scripts.SOURCES, ids=lambda source: source.name)
def test_a_bundled_script_is_that_of_the_installed_packages(source: Path) -> None:
    assert bundle_scripts.target(source).read_bytes() == bundle_scripts.bundle(source)
