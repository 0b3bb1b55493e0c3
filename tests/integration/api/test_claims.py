"""A part is claimed once by its hidden code, at the node of its log; a chip answers by itself."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from html import unescape
from itertools import count
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demo.actors import MACHINE
from demo.making import fresh_beacon
from demo.workshop import Workshop
from e2e.cli_actors import Actor
from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.identifiers import Bytes32, to_hex
from guildmark.domain.labels.activation import (
    ActivationCode,
    ClaimFile,
    byproducts,
    chip_digest,
    chip_message,
)
from guildmark.domain.signatures import Algorithm, PublicKey
from stages import Played, new_workshops, read_by_nodes, until

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

CODE = ActivationCode.drawn(bytes(range(12)))
CHIP = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)
KEY = PublicKey(algorithm=Algorithm.ED25519, data=CHIP.public_key().public_bytes_raw())
CHALLENGE = Bytes32(bytes([9]) * 32)


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A part on record whose label has a scratch field and a chip."""

    played: Played
    place: str
    label: str

    def claim(self, code: str, token: int) -> httpx.Response:
        body = {"code": code, "token": to_hex(Bytes32(bytes([token]) * 32))}
        with _from_elsewhere(self.played, "127.0.6.1") as client:
            return client.post(f"/v1/parts/{self.place}/claims", json=body)

    def save(self, folder: Path) -> Path:
        file = folder / "part.zip"
        answer = httpx.get(f"{self.played.node.url}/v1/parts/{self.place}/bundle", timeout=60)
        file.write_bytes(answer.raise_for_status().content)
        (folder / "trust.json").write_bytes(
            httpx.get(f"{self.played.node.url}/.well-known/guildmark-trust.json").content
        )
        return file


@pytest.fixture(scope="module")
def logged(played: Played) -> Callable[[], Labelled]:
    """Return what puts a part with both second factors on record."""
    (workshop,) = new_workshops(played, 1, units=3)
    numbers = count(1)
    return lambda: _logged(played, workshop, next(numbers))


def _logged(played: Played, workshop: Workshop, number: int) -> Labelled:
    beacon = fresh_beacon(played.scene)
    read_by_nodes(played)
    plain = BuildStatement.parse(Envelope.parse(workshop.build(number, beacon)).payload)
    named = byproducts(code=CODE.digest(plain.label), chip=chip_digest(KEY))
    statement = replace(plain, byproducts=(*plain.byproducts, *named))
    envelope = workshop.maker.machine_home.builds.attest(statement, key=MACHINE)
    (answer,) = played.node.submit([envelope])
    assert answer["reception"] == "accepted", answer
    digest = envelope_digest(envelope)
    until(lambda: played.node.build(digest)["state"] == "final")
    found = played.node.build(digest)
    return Labelled(played=played, place=f"{found['log']}.{found['index']}", label=plain.label)


@pytest.fixture(scope="module")
def part(logged: Callable[[], Labelled]) -> Labelled:
    return logged()


def test_first_claim_stands_and_the_second_is_told_of_it(part: Labelled) -> None:
    wrong = part.claim(ActivationCode.drawn(bytes(12)).text(), 1)
    first = part.claim(CODE.text(), 2)
    again = part.claim(CODE.text().lower().replace("-", " "), 2)
    second = part.claim(CODE.text(), 3)

    assert (wrong.status_code, wrong.json()["code"]) == (403, "activation.codeWrong")
    assert first.status_code == 200
    assert first.headers["cache-control"] == "no-store"
    assert first.json() == again.json()
    assert (second.status_code, second.json()["code"]) == (409, "activation.claimedBefore")
    assert "was claimed before, at 20" in second.json()["detail"]
    assert CODE.text() not in second.text


@pytest.fixture
def elsewhere(played: Played) -> Iterator[httpx.Client]:
    """Return a client of another network."""
    with _from_elsewhere(played, "127.0.7.1") as client:
        yield client


def _from_elsewhere(played: Played, address: str) -> httpx.Client:
    """Return a client in a network of its own: each network may try so often."""
    transport = httpx.HTTPTransport(local_address=address)
    return httpx.Client(base_url=played.node.url, timeout=30, transport=transport)


def test_a_browser_without_scripts_claims_once_and_the_page_says_since_when(
    logged: Callable[[], Labelled], elsewhere: httpx.Client
) -> None:
    part, web = logged(), elsewhere
    page, action = f"/parts/{part.place}", f"/parts/{part.place}/claim"
    before = web.get(page).text

    wrong = web.post(action, data={"code": ActivationCode.drawn(bytes(12)).text()})
    offered = web.post(action, data={"code": CODE.text()})
    form = _hidden_fields(offered.text)
    claimed = web.post(action, data=form)
    again = web.post(action, data=form)
    saved = web.post(action, data={**_hidden_fields(claimed.text), "file": "1"})
    second = web.post(action, data={"code": CODE.text()})
    after = web.get(page).text

    assert "Nobody claimed this part yet." in before
    assert f'method="post" action="{action}"' in before
    assert (wrong.status_code, "Not claimed" in wrong.text) == (403, True)
    assert (offered.status_code, "The code is right" in offered.text) == (200, True)
    assert "You are the first to claim" in claimed.text
    assert claimed.text == again.text
    kept = ClaimFile.parse(saved.content)
    assert kept.receipt.encode().decode() in unescape(claimed.text)
    assert saved.headers["content-disposition"].startswith("attachment")
    assert (second.status_code, '<h1 id="headline">Possible copy' in second.text) == (409, True)
    assert "Claimed since the hour of 20" in after
    assert "action=" not in after.split('id="claim"')[1].split("</section>")[0]
    answers = (wrong, offered, claimed, again, saved, second)
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
    assert not any(CODE.text() in str(answer.url) for answer in answers)
    assert CODE.text() not in second.text


def test_what_no_form_of_the_page_sends_is_refused(part: Labelled, web: httpx.Client) -> None:
    action = f"/parts/{part.place}/claim"

    as_json = web.post(action, json={"code": CODE.text()})
    too_long = web.post(action, data={"code": "A" * 2000})
    in_a_url = web.get(action, params={"code": CODE.text()})
    malformed = web.post("/parts/01.1/claim", data={"code": CODE.text()})

    assert (as_json.status_code, "http.mediaTypeUnsupported" in as_json.text) == (415, True)
    assert (too_long.status_code, too_long.headers["cache-control"]) == (413, "no-store")
    assert (in_a_url.status_code, in_a_url.headers["location"]) == (303, f"/parts/{part.place}")
    assert malformed.status_code == 400
    assert web.get("/parts/01.1/claim").status_code == 400


def test_claimant_verifies_and_a_copyist_cannot(
    logged: Callable[[], Labelled], played: Played, tmp_path: Path
) -> None:
    part, reader = logged(), Actor(home=tmp_path / "home")
    bundle, trust = part.save(tmp_path), tmp_path / "trust.json"
    (tmp_path / "code.txt").write_text(CODE.text())
    key = httpx.get(f"{played.node.url}/log/{part.place.partition('.')[0]}/key").text.strip()
    mine, url = tmp_path / "mine.json", played.node.url
    code = ("--code", tmp_path / "code.txt")
    activate = ("part", "activate", part.place, "--node", url, *code, "--out")

    reader.say(*activate, mine)
    copied = reader.try_to(*activate, tmp_path / "2.json")

    verify = ("verify", bundle, "--trust", trust, "--rpc", _rpc(played))
    held = reader.ask(*verify, "--claim", mine, "--claim-key", key)
    bare = reader.ask(*verify)
    assert copied.exit == 22
    assert "activation.claimedBefore" in copied.err
    assert held["checks"][-1]["state"] == "ok", held["checks"][-1]
    assert bare["checks"][-1]["state"] != "ok"
    assert (held["exit"], bare["exit"]) == (0, 0)


def test_chip_answers_the_readers_own_challenge_alone(
    part: Labelled, played: Played, tmp_path: Path
) -> None:
    reader, bundle = Actor(home=tmp_path / "home"), part.save(tmp_path)
    answer = tmp_path / "answer.json"
    signature = CHIP.sign(chip_message(CHALLENGE, part.label))
    said = {"algorithm": "ed25519", "key": to_hex(KEY.data), "signature": "0x" + signature.hex()}
    answer.write_text(json.dumps(said))
    asked = ("verify", bundle, "--trust", tmp_path / "trust.json", "--rpc", _rpc(played))
    verify = (*asked, "--chip", answer, "--challenge")

    held = reader.ask(*verify, to_hex(CHALLENGE))
    replayed = reader.try_to(*verify, "0x" + "0a" * 32, "--json")

    assert held["checks"][-1]["state"] == "ok"
    assert replayed.exit == 22
    assert replayed.json["checks"][-1]["state"] == "fail"


def _hidden_fields(html: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))


def _rpc(played: Played) -> str:
    return str(played.scene.designer.home.settings.chain.url)
