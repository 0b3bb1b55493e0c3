"""Second factors by command: codes drawn and printed, parts claimed, chips asked."""

import json
from pathlib import Path
from typing import Any

import pytest

from fakes.cases.draft import Draft
from fakes.cases.second import CODE, answer, claim, commit, public
from fakes.notes import secret
from fakes.simulator import LABEL
from guildmark.cli import part as part_module
from guildmark.domain import bundle, trust
from guildmark.domain.identifiers import bytes32_from_hex, to_hex
from guildmark.domain.labels.activation import (
    ActivationCode,
    ClaimedBeforeError,
    ClaimFile,
    chip_digest,
    chip_message,
)
from unit.cli.speaking import Speak

URL = "http://127.0.0.1:9"


@pytest.fixture
def drafted(tmp_path: Path) -> Draft:
    """Write a part with a code and a chip, and the reader's trust."""
    draft = Draft()
    commit(draft, code=True, chip=True)
    (tmp_path / "part.zip").write_bytes(bundle.write(draft.simulator.evidence()))
    (tmp_path / "trust.json").write_bytes(trust.serialise(draft.simulator.trust()))
    return draft


def verified(speak: Speak, folder: Path, *words: object) -> Any:
    files = (folder / "part.zip", "--trust", folder / "trust.json")
    return speak("verify", *files, *words, "--json")


def second(shown: Any) -> tuple[str, str | None]:
    [check] = [one for one in shown.json["checks"] if one["check"] == 13]
    return check["state"], check.get("code")


def test_a_claim_makes_the_check_hold(speak: Speak, drafted: Draft, tmp_path: Path) -> None:
    held = claim(drafted)
    assert held.key is not None
    (tmp_path / "mine").write_bytes(held.file.encode())
    mine = ("--claim", tmp_path / "mine")

    without = verified(speak, tmp_path)
    unlisted = verified(speak, tmp_path, *mine)
    with_key = verified(speak, tmp_path, *mine, "--claim-key", held.key.encode())

    assert second(without) == ("unknown", "verify.secondFactorNotShown")
    assert second(unlisted) == ("unknown", "verify.claimUnlisted")
    assert second(with_key) == ("ok", None)


def test_another_code_is_a_possible_copy(speak: Speak, drafted: Draft, tmp_path: Path) -> None:
    held = claim(drafted, code=ActivationCode(CODE.number + 1))
    (tmp_path / "mine").write_bytes(held.file.encode())

    shown = verified(speak, tmp_path, "--claim", tmp_path / "mine")

    assert (shown.exit, second(shown)) == (22, ("fail", "verify.codeWrong"))


@pytest.mark.usefixtures("drafted")
@pytest.mark.parametrize(
    ("name", "said"), [("chip", ("ok", None)), ("other", ("fail", "verify.chipWrong"))]
)
def test_a_chip_answers(
    speak: Speak, tmp_path: Path, name: str, said: tuple[str, str | None]
) -> None:
    held = answer(name)
    told = {
        "algorithm": "ed25519",
        "key": to_hex(held.key.data),
        "signature": to_hex(held.signature),
    }
    (tmp_path / "chip").write_text(json.dumps(told))
    asked = ("--chip", tmp_path / "chip", "--challenge", to_hex(held.challenge))

    assert second(verified(speak, tmp_path, *asked)) == said


@pytest.mark.usefixtures("drafted")
@pytest.mark.parametrize(
    "words",
    [
        ("--claim-key", "x"),
        ("--chip", "none"),
        ("--challenge", "0x12"),
        ("--claim", "none"),
        ("--claim", "empty"),
        ("--claim", "empty", "--chip", "empty", "--challenge", "0x12"),
        ("--chip", "empty", "--challenge", "0x12"),
        ("--chip", "rsa", "--challenge", "0x" + "12" * 32),
    ],
)
def test_what_cannot_be_used_is_refused(
    speak: Speak, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "empty").write_text("{}")
    (tmp_path / "rsa").write_text('{"algorithm":"rsa","key":"0x12","signature":"0x12"}')
    named = [tmp_path / word if word in {"none", "empty", "rsa"} else word for word in words]

    refused = verified(speak, tmp_path, *named)

    assert (refused.exit, "verify.secondFactorInvalid" in refused.out + refused.err) == (2, True)


def test_codes_are_drawn_for_labels(speak: Speak, tmp_path: Path) -> None:
    (tmp_path / "labels").write_text(f"{LABEL}\n")

    speak("label", "codes", tmp_path / "labels", "--out", tmp_path / "codes")

    label, code, commitment = (tmp_path / "codes").read_text().strip().split(",")
    assert (label, to_hex(ActivationCode.parse(code).digest(label))) == (LABEL, commitment)
    assert (tmp_path / "codes").stat().st_mode & 0o77 == 0


def test_a_chips_key_is_committed_to(speak: Speak) -> None:
    key = public(secret("chip"))

    shown = speak("label", "chip", "ed25519", to_hex(key.data))
    refused = speak("label", "chip", "rsa", to_hex(key.data))

    assert shown.out == to_hex(chip_digest(key))
    assert (refused.exit, "cli.labelLayoutUnknown" in refused.err) == (2, True)


def test_a_challenge_is_drawn_for_a_label(speak: Speak) -> None:
    shown = speak("part", "challenge", LABEL, "--json").json

    drawn = bytes32_from_hex(shown["challenge"])
    assert shown["message"] == to_hex(chip_message(drawn, LABEL))


class Claims:
    """A node that takes claims, and keeps what it was told."""

    def __init__(self, receipt: bytes | None) -> None:
        self.receipt = receipt
        self.told: list[tuple[str, str, bytes]] = []

    def __call__(self, url: str) -> "Claims":
        assert url == URL
        return self

    def __enter__(self) -> "Claims":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def claim(self, part: str, code: str, token: bytes) -> bytes:
        self.told.append((part, code, token))
        if self.receipt is None:
            message = "Part 1.103 was claimed before, at 2026-01-01T00:00:00Z."
            raise ClaimedBeforeError(message)
        return self.receipt


def test_a_part_is_claimed_and_the_claim_kept(
    speak: Speak, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Claims(None)
    monkeypatch.setattr(part_module, "asking", node)
    (tmp_path / "code").write_text(CODE.text().lower() + "\n")
    words = ("part", "activate", "1.103", "--node", URL, "--code", tmp_path / "code")

    refused = speak(*words, "--out", tmp_path / "mine")
    node.receipt = claim(Draft()).file.receipt.encode()
    taken = speak(*words, "--out", tmp_path / "mine", "--json")

    assert (refused.exit, "activation.claimedBefore" in refused.err) == (22, True)
    assert "2026-01-01" in refused.err
    assert taken.json["part"] == "1.103"
    # The same token is sent again, and only the claim file stays.
    assert len({token for _, _, token in node.told}) == 1
    assert {each[:2] for each in node.told} == {("1.103", CODE.text())}
    kept = ClaimFile.parse((tmp_path / "mine").read_bytes())
    assert (kept.code, kept.token) == (CODE, node.told[0][2])
    assert (tmp_path / "mine").stat().st_mode & 0o77 == 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file())[:2] == [
        "code",
        "mine",
    ]
