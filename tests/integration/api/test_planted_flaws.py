"""An audit of a license: a part is doubled, one hidden, one a ghost, and a key is stolen.

The telemetry of one part is half gone, and another one's answer tells what its machine did not.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from demo.actors import MACHINE, SITE
from demo.making import fresh_beacon
from demo.workshop import Workshop
from e2e.cli_actors import Actor
from fakes.telemetry import chunks
from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.builds.statement import PAYLOAD_TYPE, BuildStatement
from guildmark.domain.builds.telemetry import disclose_chunks, locate_chunks, telemetry_resource
from guildmark.domain.chain.facts import RecordFact, RecordStartFact
from guildmark.domain.identifiers import Bytes32, Cid, IdentityId, LicenseId, to_hex
from guildmark.domain.identity.identity import key_id
from guildmark.ports.keys import KeyAlgorithm, KeyName
from guildmark.services.builds.builds import signing_key
from guildmark.services.index.projection import known
from guildmark.services.log.admission import queued
from stages import Played, new_workshops, read_by_nodes, until

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

_UNITS_A_MACHINE = 3
_GHOST = KeyName("ghost")
_TOLD = chunks("job", ["210", "211", "212"])
_LIED = chunks("job", ["210", "211", "213"])
_LOST = "bafkreidw65pgckp6gajvxvcnqcvxzrdp3oubsb3vrxear47ckf5654vr5e"
_NONCE = Bytes32(bytes([7]) * 32)


@dataclass(frozen=True, kw_only=True)
class Planted:
    """Where everything stands, as log.index.

    Args:
        doubled: The part whose label was used before, past the node's door.
        hidden: The part that the operator does not show to the auditor.
        doubted: The part that the stolen key signed.
        ghost: A unit with a statement of a machine that nobody registered.
    """

    license: LicenseId
    honest: str
    doubled: str
    hidden: str
    doubted: str
    ghost: str
    key: Bytes32


@dataclass(frozen=True, kw_only=True)
class Plot:
    """Two machines of one site with a license of their own."""

    played: Played
    workshops: Sequence[Workshop]

    def envelope(self, workshop: Workshop, number: int) -> bytes:
        beacon = fresh_beacon(self.played.scene)
        read_by_nodes(self.played)
        return workshop.build(number, beacon)

    def settled(self, envelope: bytes) -> str:
        """Wait until an envelope that the node has is final, and return its place."""
        node, digest = self.played.node, envelope_digest(envelope)
        until(lambda: node.build(digest)["state"] == "final")
        found = node.build(digest)
        return f"{found['log']}.{found['index']}"

    def logged(self, workshop: Workshop, number: int, *, told: Sequence[bytes] = ()) -> str:
        """Log a part, and commit to what its machine told."""
        envelope = self.envelope(workshop, number)
        if told:
            said = BuildStatement.parse(Envelope.parse(envelope).payload)
            byproducts = (*said.byproducts, telemetry_resource(told))
            envelope = workshop.maker.machine_home.builds.attest(
                replace(said, byproducts=byproducts), key=MACHINE
            )
        (answer,) = self.played.node.submit([envelope])
        assert answer["reception"] == "accepted", answer
        return self.settled(envelope)

    def doubled(self, workshop: Workshop, number: int, *, label: str) -> str:
        """Log a part under another one's label."""
        honest = Envelope.parse(self.envelope(workshop, number))
        statement = replace(BuildStatement.parse(honest.payload), label=label)
        data = workshop.maker.machine_home.builds.attest(statement, key=MACHINE)
        return self._past_the_door(workshop, data)

    def ghost(self, workshop: Workshop, number: int) -> str:
        """Log a part that nobody built, by a machine that nobody registered."""
        keys = workshop.maker.machine_home.keys
        keys.create(_GHOST, KeyAlgorithm.P256)
        honest = Envelope.parse(self.envelope(workshop, number))
        statement = BuildStatement.parse(honest.payload)
        machine = IdentityId(bytes([0xEE]) * 32)
        ghostly = replace(statement, run=replace(statement.run, machine=machine))
        signer = key_id(machine, signing_key(keys, _GHOST))
        data = Envelope.sign(
            ghostly.encode(),
            payload_type=PAYLOAD_TYPE,
            signers={signer: lambda payload: keys.sign_payload(_GHOST, payload)},
        ).encode()
        return self._past_the_door(workshop, data)

    def _past_the_door(self, workshop: Workshop, data: bytes) -> str:
        """Queue an envelope as an operator does who asks nobody."""
        home, envelope = workshop.operator.party.home, Envelope.parse(data)
        salt, statement = Bytes32(home.entropy.token(32)), BuildStatement.parse(envelope.payload)
        entry = queued(data, envelope_digest(data), envelope, statement, salt)
        with home.store.writing() as work:
            work.log.accept(entry)
        return self.settled(data)


@pytest.fixture(scope="module")
def plot(played: Played) -> Plot:
    """Return two new machines of the first maker's site, each with a lane."""
    return Plot(played=played, workshops=new_workshops(played, 2, units=_UNITS_A_MACHINE))


@pytest.fixture(scope="module")
def planted(plot: Plot) -> Planted:
    """Return what stands on chain after an honest part, a doubled, a hidden and a doubted one."""
    first, second = plot.workshops
    honest = plot.logged(first, 1, told=_TOLD)
    doubled = plot.doubled(first, 2, label=first.label(1))
    hidden = plot.logged(first, 3)
    doubted = plot.logged(second, 1, told=_TOLD)
    ghost = plot.ghost(second, 2)
    maker = second.maker
    stolen = key_id(maker.machine, signing_key(maker.machine_home.keys, MACHINE))
    # Of the machine's own time, which began with its key.
    since = second.operator.party.home.ledger.block(_block_of(plot, doubted)).time
    maker.party.home.identities(SITE).give_notice(maker.machine, stolen, suspected_from=since)
    read_by_nodes(plot.played)
    return Planted(
        license=first.assignment.external.license,
        honest=honest,
        doubled=doubled,
        hidden=hidden,
        doubted=doubted,
        ghost=ghost,
        key=Bytes32(stolen),
    )


def _block_of(plot: Plot, place: str) -> int:
    """Return the block that holds an entry's record."""
    log, index = map(int, place.split("."))
    home = plot.workshops[0].operator.party.home
    home.indexing.follow()
    with home.store.reading() as view:
        start = view.facts.floor(RecordStartFact, log, index)
        assert start is not None
        return known(view.facts, RecordFact, start.log, start.seq).block


@pytest.fixture(scope="module")
def hiding(played: Played, planted: Planted) -> Iterator[str]:
    """Return the address of the operator's node behind a door that hides one part."""
    target, secret = played.node.url, f"/v1/parts/{planted.hidden}/bundle"

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.partition("?")[0] == secret:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            answer = httpx.get(f"{target}{self.path}", timeout=60)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *words: object) -> None:
            del words

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def answers(played: Played, planted: Planted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what the makers answered: of one part a copy is lost, of another one a chunk is not
    what the machine told."""
    folder = tmp_path_factory.mktemp("answers")
    kept = [played.node.put_content([b"encrypted %d" % number]) for number in range(2)]
    stored = [*zip(_TOLD, (*kept, Cid(_LOST)), strict=True)]
    found = locate_chunks(stored, nonce=_NONCE, most=3)
    (folder / f"{planted.honest}.kept.json").write_bytes(found.encode())
    for place, told in ((planted.honest, _TOLD), (planted.doubted, _LIED)):
        opened = disclose_chunks(told, nonce=_NONCE, most=3)
        (folder / f"{place}.opened.json").write_bytes(opened.encode())
    return folder


@pytest.fixture(scope="module")
def report(
    played: Played,
    planted: Planted,
    hiding: str,
    answers: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Mapping[str, Any]:
    """Return the report of an audit of that license by both operators' nodes."""
    home = played.scene.operators[0].party.home.settings.home
    out: Path = tmp_path_factory.mktemp("audit") / "planted"
    spoken = Actor(home).try_to(
        *("audit", "--license", to_hex(planted.license), "--trust", home / "trust.json"),
        *("--node", hiding, "--node", played.other.url, "--out", out, "--pdf"),
        *("--telemetry", answers, "--nonce", to_hex(_NONCE)),
    )
    assert spoken.exit == 18, spoken.err
    found: Mapping[str, Any] = json.loads((out / "report.json").read_bytes())
    return found


def places(report: Mapping[str, Any], flaw: str) -> set[str]:
    return {one["places"] for one in report["findings"] if one["flaw"] == flaw}


def test_each_planted_flaw_is_found_by_name(report: Mapping[str, Any], planted: Planted) -> None:
    assert places(report, "doubleUse") == {
        f"{planted.honest} {planted.doubled}",
        planted.doubled,
    }
    assert places(report, "withheld") == {planted.hidden}
    assert places(report, "compromised") == {planted.doubted}
    assert places(report, "problem") == {planted.ghost}
    assert places(report, "telemetryMissing") == {planted.honest}
    assert places(report, "telemetryWrong") == {planted.doubted}
    assert set(report["flaws"]) == {
        *("doubleUse", "withheld", "compromised", "problem"),
        *("telemetryMissing", "telemetryWrong"),
    }


def test_the_telemetry_of_each_part_is_accounted_for(
    report: Mapping[str, Any], planted: Planted
) -> None:
    states = {f"{one['log']}.{one['index']}": one["telemetry"] for one in report["units"]}

    assert states == {
        planted.honest: "missing",
        planted.doubled: "none",
        planted.hidden: "",
        planted.doubted: "wrong",
        planted.ghost: "none",
    }
    assert report["telemetry"]["states"] == {"missing": 1, "none": 2, "wrong": 1}
    (lost,) = [one for one in report["findings"] if one["flaw"] == "telemetryMissing"]
    assert f"nobody holds its chunk {_LOST}" in lost["reason"]


def test_every_drawn_unit_is_accounted_for(report: Mapping[str, Any], planted: Planted) -> None:
    states = {f"{one['log']}.{one['index']}": one["state"] for one in report["units"]}

    assert states == {
        planted.honest: "verified",
        planted.doubled: "problem",
        planted.hidden: "withheld",
        planted.doubted: "uncheckable",
        planted.ghost: "problem",
    }
    assert sum(lane["drawn"] for lane in report["lanes"]) == len(states)


def test_the_notice_is_listed_with_its_times(report: Mapping[str, Any], planted: Planted) -> None:
    (notice,) = [one for one in report["notices"] if one["target"] == to_hex(planted.key)]

    assert notice["by"] == "controller or guardians"
    assert notice["suspectedFrom"] < notice["at"]
    (found,) = [one for one in report["findings"] if one["flaw"] == "compromised"]
    assert "notice was given at" in found["reason"]
