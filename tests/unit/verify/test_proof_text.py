"""A proof code is exported from a node, and verified as text and from its picture, off line."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.notes import cosignature, key, signature
from fakes.proof_codes import pinning
from fakes.simulator import Simulator
from fakes.web import Web, serving
from guildmark.cli import main
from guildmark.domain import bundle
from guildmark.domain import trust as trust_file
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.labels.proof import BEGIN, ProofCode
from guildmark.domain.log.checkpoint import Checkpoint, LogProof, origin_of
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.log.note import Note

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

HONEST = Simulator()
BUNDLE = bundle.write(HONEST.evidence())
CORE = HONEST.make_core()
PATH = "/v1/parts/1.103/bundle"
PROOF = "/v1/logs/1/records/4/proof"


def log_proof(*witnesses: str, other: bool = False) -> bytes:
    """Return what a node says of the record: its path, and a checkpoint with cosignatures."""
    leaves = [bytes(sha256(b"record %d" % at)) for at in range(7)]
    leaves[4] = sha256(b"another") if other else CORE.record.digest()
    tree = MerkleTree(leaves)
    origin = origin_of(HONEST.pin, CORE.record.log)
    text = Checkpoint(origin=origin, size=7, root=tree.root()).text()
    lines = (signature("operator", text), *(cosignature(name, text=text) for name in witnesses))
    note = Note(text=text, signatures=lines)
    return LogProof(index=4, path=tree.inclusion_path(4), checkpoint=note.encode()).encode()


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(Web()) as server:
        server.pages = {PATH: (200, BUNDLE), PROOF: (200, log_proof("w1", "w3"))}
        yield server


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GUILDMARK_HOME", str(tmp_path))
    (tmp_path / "trust.json").write_bytes(trust_file.serialise(pinning("w1", "w2")))
    return tmp_path


def run(*words: str | Path) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    assert isinstance(left.value.code, int)
    return left.value.code


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def exported(web: Web, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert run("label", "proof", "1.103", "--node", web.url, "--out", folder / "code.png") == 0
    return capsys.readouterr().out.removesuffix("\n")


def test_a_code_is_exported_and_verified_off_line(
    web: Web, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = exported(web, folder, capsys)
    asked = list(web.asked)

    for target in (text, folder / "code.png"):
        assert run("verify", target, "--offline") == 23
        assert "place in the log, which 1 of your 2 witnesses signed" in capsys.readouterr().out
    assert text.startswith(BEGIN)
    assert len(ProofCode.parse(text).signatures) == 1
    assert ProofCode.parse(text).record() == CORE.record
    # A code with all that it needs asks nobody, whatever is allowed.
    assert run("verify", text, "--node", web.url) == 23
    assert web.asked == asked


def test_without_a_trust_file_a_code_is_signed_alone(
    web: Web, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = exported(web, folder, capsys)
    (folder / "trust.json").unlink()

    assert run("verify", text, "--offline", "--json") == 16
    assert told(capsys)["headline"] == "Signed, not checked against the ledger."


def test_a_changed_code_fails_the_place_in_the_log(
    web: Web, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = ProofCode.parse(exported(web, folder, capsys))
    changed = replace(code, entry=replace(code.entry, machine=code.entry.maker))

    assert run("verify", changed.text(), "--offline", "--json") == 19
    assert told(capsys)["failed"] == [{"check": 3, "code": "verify.pathInvalid"}]


def test_a_text_that_only_begins_like_a_code_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("verify", f"{BEGIN}ABC", "--json") == 2
    assert told(capsys)["code"] == "label.proofMalformed"


def test_a_long_text_that_is_no_code_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("verify", "A" * 5_000, "--json") == 2
    assert told(capsys)["code"] == "verify.targetInvalid"


@pytest.mark.parametrize(
    ("change", "exit_", "code"),
    [
        ({PATH: (409, b"")}, 17, "source.notFinal"),
        ({PATH: (404, b"")}, 11, "verify.partNotThere"),
        ({PROOF: (404, b"")}, 11, "verify.partNotThere"),
        ({PROOF: (200, log_proof("w3"))}, 23, "label.proofUnwitnessed"),
        ({PROOF: (200, log_proof("w1", other=True))}, 19, "proof.rootMismatch"),
        ({PROOF: (200, b"no proof")}, 2, "checkpoint.malformed"),
    ],
)
def test_what_cannot_be_proven_is_not_exported(
    web: Web,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, tuple[int, bytes]],
    exit_: int,
    code: str,
) -> None:
    web.pages.update(change)
    out = folder / "code.svg"

    left = run("label", "proof", "1.103", "--node", web.url, "--out", out, "--json")

    assert (left, told(capsys)["code"]) == (exit_, code)
    assert not out.exists()


def test_a_forged_signature_in_a_witness_s_name_is_not_exported(
    web: Web, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = replace(cosignature("w1", text="other\n"), name=key("w1").name)
    proof = LogProof.parse(log_proof("w3"))
    note = Note.parse(proof.checkpoint).signed(forged)
    web.pages[PROOF] = (200, replace(proof, checkpoint=note.encode()).encode())

    left = run("label", "proof", "1.103", "--node", web.url, "--out", folder / "a.png", "--json")

    assert (left, told(capsys)["code"]) == (12, "note.signatureWrong")


@pytest.mark.parametrize("pins", [None, pinning()])
def test_whoever_pins_no_witnesses_exports_nothing(
    web: Web,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    pins: trust_file.Trust | None,
) -> None:
    (folder / "trust.json").unlink()
    if pins is not None:
        (folder / "trust.json").write_bytes(trust_file.serialise(pins))

    left = run("label", "proof", "1.103", "--node", web.url, "--out", folder / "a.png", "--json")

    assert (left, told(capsys)["code"]) == (2, "label.proofWitnessesUnknown")
