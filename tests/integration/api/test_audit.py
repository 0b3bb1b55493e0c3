"""The demo's license audited from chain and evidence: what is shown, and what is withheld."""

import csv
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from securesystemslib.dsse import Envelope as PeerEnvelope
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer._key import Key, SSlibKey

from e2e.cli_actors import Actor
from guildmark.domain import bundle
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import LogNumber, to_hex
from guildmark.domain.signatures import PublicKey
from stages import Played

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]


@pytest.fixture(scope="module")
def audited(played: Played, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path]:
    """Return how the audit of the demo's license ended, and its folder."""
    out = tmp_path_factory.mktemp("audit") / "report"
    home = played.scene.operators[0].party.home.settings.home
    license_id = to_hex(played.workshops[0].assignment.external.license)
    words = ("audit", "--license", license_id, "--node", played.node.url, "--out", out, "--pdf")
    auditor = Actor(home)
    auditor.say("keys", "new", "auditor", "--algorithm", "ed25519")
    signed = ("--sign", "auditor", "--trust", home / "trust.json", "--json")
    lots = out.parent / "lots.json"
    maker = to_hex(played.workshops[0].maker.party.id)
    lots.write_text(json.dumps({"lots": [{"lot": f"{maker}:0x{'11' * 32}", "parts": 1}]}))
    known = ("--log-key", played.node.log_key(LogNumber(1)), "--lots", lots)
    spoken = auditor.try_to(*words, *signed, *known)
    assert spoken.json["exit"] == spoken.exit, spoken.err
    return spoken.exit, out


def report(out: Path) -> Any:
    return json.loads((out / "report.json").read_bytes())


def units(out: Path) -> Mapping[str, Mapping[str, Any]]:
    return {f"{one['log']}.{one['index']}": one for one in report(out)["units"]}


def test_honest_parts_are_verified(audited: tuple[int, Path], played: Played) -> None:
    found = units(audited[1])

    assert {found[part.hint]["state"] for part in played.parts} == {"verified"}
    assert {found[part.hint]["label"] for part in played.parts} == {
        part.label for part in played.parts
    }


def test_who_signed_the_head_of_a_log_is_said_by_the_auditors_keys(
    audited: tuple[int, Path],
) -> None:
    logs = {one["log"]: one for one in report(audited[1])["logs"]}

    assert (logs[1]["isSigned"], logs[2]["isSigned"]) == (True, None)
    assert logs[1]["checkpoint"] > 0


def test_what_the_node_does_not_show_is_withheld(audited: tuple[int, Path]) -> None:
    code, out = audited
    elsewhere = [one for one in report(out)["units"] if one["log"] == 2]

    assert {one["state"] for one in elsewhere} == {"withheld"}
    assert {one["label"] for one in elsewhere} == {""}
    found = [one for one in report(out)["findings"] if one["flaw"] == "withheld"]
    assert len(found) == len(elsewhere) > 0
    assert code == 23


def test_another_node_shows_it(played: Played) -> None:
    home = played.scene.operators[0].party.home.settings.home
    license_id = to_hex(played.workshops[-1].assignment.external.license)

    spoken = Actor(home).try_to(
        *("audit", "--license", license_id, "--trust", home / "trust.json", "--json"),
        *("--node", played.node.url, "--node", played.other.url),
    )

    assert "withheld" not in spoken.json["states"], spoken.err
    assert spoken.json["units"] == sum(spoken.json["states"].values())


def test_tables_bundles_and_paper_say_the_same(audited: tuple[int, Path], played: Played) -> None:
    _, out = audited

    with (out / "units.csv").open(newline="") as file:
        rows: Sequence[Mapping[str, str]] = list(csv.DictReader(file))
    assert [row["state"] for row in rows] == [one["state"] for one in report(out)["units"]]
    assert (out / "findings.csv").read_bytes().startswith(b"flaw,places,reason,nextStep\r\n")
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF-")
    part = played.parts[0]
    kept = bundle.read((out / "bundles" / f"{part.hint}.zip").read_bytes())
    assert (kept.core.record.log, kept.core.index) == (part.log, part.index)


def test_a_node_that_does_not_answer_is_a_finding(played: Played, tmp_path: Path) -> None:
    home = played.scene.operators[0].party.home.settings.home
    maker = to_hex(played.workshops[0].maker.party.id)

    spoken = Actor(home).try_to(
        *("audit", "--organization", maker, "--node", "http://127.0.0.1:9", "--json"),
        *("--trust", home / "trust.json"),
    )

    assert spoken.exit == 3, spoken.err
    assert set(spoken.json["states"]) == {"unreachable"}
    assert set(spoken.json["flaws"]) == {"unreachable", "nodeSilent"}


def test_the_report_is_as_its_schema_says(audited: tuple[int, Path], played: Played) -> None:
    home = played.scene.operators[0].party.home.settings.home
    schema = json.loads(Actor(home).say("audit", "--schema"))

    jsonschema_rs.Draft202012Validator(schema).validate(report(audited[1]))


def test_another_tool_verifies_what_the_auditor_signed(audited: tuple[int, Path]) -> None:
    folder = audited[1] / "dsse"
    public = load_pem_public_key((folder / "auditor.pem").read_bytes())
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    key = SSlibKey.from_crypto(public, f"0x{sha256(raw).hexdigest()}")

    envelope = PeerEnvelope.from_dict(json.loads((folder / "audit.dsse.json").read_bytes()))

    assert set(envelope.verify([key], 1)) == {key.keyid}
    subjects = {
        one["name"]: one["digest"]["sha256"] for one in json.loads(envelope.payload)["subject"]
    }
    assert subjects == {
        name: sha256((audited[1] / name).read_bytes()).hexdigest()
        for name in ("report.json", "units.csv", "findings.csv", "report.pdf")
    }


def test_another_tool_verifies_each_statement(audited: tuple[int, Path], played: Played) -> None:
    for part in played.parts:
        path = audited[1] / "dsse" / f"{part.hint}.dsse.json"
        envelope = PeerEnvelope.from_dict(json.loads(path.read_bytes()))
        kept = bundle.read((audited[1] / "bundles" / f"{part.hint}.zip").read_bytes())
        assert kept.disclosed.key is not None
        (name,) = envelope.signatures

        assert set(envelope.verify([_MachineKey(name, kept.disclosed.key)], 1)) == {name}
        assert json.loads(envelope.payload)["subject"][0]["name"] == part.label


class _MachineKey(Key):
    """A machine's key for the other tool, which asks it only whether a signature holds."""

    def __init__(self, keyid: str, key: PublicKey) -> None:
        super().__init__(keyid, "ecdsa", "raw", {"public": key.data.hex()})
        self.key = key

    def verify_signature(self, signature: Any, data: bytes) -> None:
        try:
            self.key.verify(data, bytes.fromhex(signature.signature))
        except GuildmarkError as error:
            raise UnverifiedSignatureError from error

    @classmethod
    def from_dict(cls, keyid: str, key_dict: dict[str, Any]) -> Any:
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        raise NotImplementedError


def test_an_audit_said_again_gives_equal_bytes(
    audited: tuple[int, Path], played: Played, tmp_path: Path
) -> None:
    home = played.scene.operators[0].party.home.settings.home
    license_id = to_hex(played.workshops[0].assignment.external.license)
    outs = [tmp_path / "one", tmp_path / "two"]

    for out in outs:
        Actor(home).try_to(
            *("audit", "--license", license_id, "--node", played.node.url, "--out", out),
            *("--trust", home / "trust.json", "--to", "2100-01-01"),
        )

    # Another test may log meanwhile: what stood then must stand in the same words.
    first, second = (units(out) for out in outs)
    assert {place: second[place] for place in first} == first


@pytest.mark.parametrize("option", [("--pdf",), ("--sign", "auditor")])
def test_what_needs_a_folder_asks_for_one(played: Played, option: tuple[str, ...]) -> None:
    home = played.scene.operators[0].party.home.settings.home
    maker = to_hex(played.workshops[0].maker.party.id)

    spoken = Actor(home).try_to("audit", "--organization", maker, "--node", "http://x", *option)

    assert (spoken.exit, "audit.folderMissing" in spoken.err) == (2, True)


@pytest.mark.parametrize("option", [("--telemetry", "."), ("--nonce", "0x" + "07" * 32)])
def test_answers_and_nonce_go_together(played: Played, option: tuple[str, ...]) -> None:
    home = played.scene.operators[0].party.home.settings.home
    maker = to_hex(played.workshops[0].maker.party.id)

    spoken = Actor(home).try_to("audit", "--organization", maker, "--node", "http://x", *option)

    assert (spoken.exit, "audit.drawingIncomplete" in spoken.err) == (2, True)


def test_a_key_that_stock_tools_cannot_read_is_refused(played: Played, tmp_path: Path) -> None:
    home = played.scene.operators[0].party.home.settings.home
    maker = to_hex(played.workshops[0].maker.party.id)

    spoken = Actor(home).try_to(
        *("audit", "--organization", maker, "--node", "http://x", "--sign", "account"),
        *("--out", tmp_path / "out"),
    )

    assert (spoken.exit, "key.wrongPurpose" in spoken.err, (tmp_path / "out").exists()) == (
        2,
        True,
        False,
    ), spoken.err


def test_a_part_that_names_no_lot_is_in_none(played: Played) -> None:
    home = played.scene.operators[0].party.home.settings.home
    lot = f"{to_hex(played.workshops[0].maker.party.id)}:0x{'11' * 32}"

    spoken = Actor(home).try_to(
        *("audit", "--lot", lot, "--node", played.node.url, "--node", played.other.url),
        *("--trust", home / "trust.json", "--json"),
    )

    assert spoken.json["states"].keys() <= {"withheld", "unreachable"}, spoken.err
