import fcntl
import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from fakes.fieldwork import ScriptedMachine, WorldNode
from fakes.world import SITE, World, make_world
from guildmark import outfit
from guildmark.adapters.clock import SystemClock
from guildmark.adapters.fieldwork.settings import read_agent
from guildmark.agent import running
from guildmark.domain.fieldwork import SignedState
from guildmark.domain.identifiers import to_hex
from guildmark.domain.jobs import Sample
from guildmark.domain.signatures import Algorithm, PublicKey
from guildmark.outfit import open_agent
from unit.cli.speaking import Speak

NONCE = "0x" + "5a" * 32


@dataclass
class OpenNode(WorldNode):
    """The world's node behind every address."""

    def at(self, url: str) -> "OpenNode":
        assert url == "http://node.example"
        return self

    def __exit__(self, *_: object) -> None:
        """Hold nothing."""


@dataclass
class Shop:
    """An agent's home beside the world's machine, as its owner made it."""

    world: World
    node: OpenNode
    folder: Path
    speak: Speak

    def say(self, *words: object) -> str:
        spoken = self.speak("agent", *words, "--home", self.folder)
        assert spoken.exit == 0, spoken.err
        return spoken.out

    def ask(self, *words: object) -> Any:
        return json.loads(self.say(*words, "--json"))

    def fail(self, *words: object) -> str:
        spoken = self.speak("agent", *words, "--home", self.folder, "--json")
        assert spoken.exit
        return str(json.loads(spoken.out)["code"])

    def measured(self, bore: str = "22.20") -> str:
        return f"/tolerance/bore={bore}:mm:{to_hex(self.world.instrument)}"


@pytest.fixture
def world() -> World:
    made = make_world()
    made.disclose()
    return made


@pytest.fixture
def shop(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speak: Speak) -> Shop:
    node = OpenNode(world)
    monkeypatch.setattr(outfit, "NodeClient", node.at)
    # The world's chain lives in its own time.
    monkeypatch.setattr(SystemClock, "now", lambda _: world.beacon.time + 30)
    made = Shop(world=world, node=node, folder=tmp_path / "agent", speak=speak)
    public = made.say(
        *("init", "--node", "http://node.example", "--machine", to_hex(world.machine)),
        *("--lane", world.lane, "--site-recipe", to_hex(world.site_recipe)),
        *("--host", "parts.example", "--name", "printer"),
    )
    algorithm, _, data = public.partition(":")
    key = PublicKey(algorithm=Algorithm[algorithm.upper()], data=bytes.fromhex(data[2:]))
    world.tools.identities(SITE).add_key(world.machine, key)
    world.tools.logs("operator").tick()
    world.tools.indexing(world.log).follow()
    (made.folder / "job.gcode").write_bytes(b"job")
    settings = {
        "/process/layer_height": {"value": "0.36", "unit": "mm"},
        "/process/nozzle": {"value": "0.8", "unit": "mm"},
    }
    (made.folder / "settings.json").write_text(json.dumps({"settings": settings}))
    text = (made.folder / "agent.toml").read_text().replace("delay_minutes = 60", "")
    text += 'delay_minutes = 1\njob = "job.gcode"\nsettings = "settings.json"\n'
    (made.folder / "agent.toml").write_text(text)
    return made


def test_job_by_hand_becomes_a_unit(shop: Shop) -> None:
    assert shop.say("report", "one", "started") == "running"
    assert "1 running" not in shop.say("status")
    shop.say("report", "one", "finished", "--measured", shop.measured())
    shop.say("run", "--once")
    waiting = shop.ask("status")
    shop.node.settle()
    shop.say("run", "--once")

    status, shown = shop.ask("status"), shop.ask("show", "one")

    assert waiting["waiting"] == 1
    assert waiting["machines"][0]["oldest"] == shop.world.beacon.time + 30
    assert (status["waiting"], status["machines"][0]["final"], status["problems"]) == (0, 1, [])
    assert status["machines"][0]["begin"] == "ready"
    assert shown["state"] == "signed"
    assert (shown["envelopes"][0]["state"], shown["envelopes"][0]["unit"]) == ("final", 1)
    assert "0 waiting" in shop.say("status")
    assert [line["code"] for line in shop.ask("log")["lines"]][:1] == ["final"]


def test_agent_is_made_once_and_says_what_to_do(shop: Shop) -> None:
    again = ("init", "--node", "http://node.example", "--machine", to_hex(shop.world.machine))
    rest = ("--lane", 1, "--site-recipe", to_hex(shop.world.site_recipe), "--host", "x.example")

    assert shop.fail(*again, *rest) == "cli.outputExists"


def test_held_job_takes_additions_until_it_is_signed(shop: Shop, tmp_path: Path) -> None:
    text = (shop.folder / "agent.toml").read_text().replace("hold = false", "hold = true")
    (shop.folder / "agent.toml").write_text(text)
    photo, table = tmp_path / "photo.jpg", tmp_path / "table.csv"
    photo.write_bytes(b"a photo")
    row = f"/tolerance/bore,22.21,mm,{to_hex(shop.world.instrument)}"
    table.write_text(
        f"job,piece,characteristic,value,unit,instrument\ntray,1,{row}\nother,9,{row}\ntray,2,{row}\n"
    )
    shop.say("report", "tray", "finished", "--pieces", 3)
    shop.say("run", "--once")
    assert shop.ask("status")["machines"][0]["held"] == 1

    shop.say("add", "tray", "--technician", "t7", "--note", "fine", "--csv", table)
    shop.say("add", "tray", "--photo", photo)
    shop.say("add", "tray", "--piece", 3, "--fail")
    shown = shop.ask("show", "tray")
    assert shop.say("sign", "tray") == "released"
    shop.say("run", "--once")

    assert (shown["technician"], shown["pieces"], shown["files"]) == ("t7", 3, 1)
    assert [row["state"] for row in shop.ask("show", "tray")["envelopes"]] == ["accepted"] * 2
    assert len(shop.node.contents) == 1
    assert b"a photo" not in shop.node.contents[0]
    assert shop.fail("add", "tray", "--note", "late") == "agent.jobNotHeld"
    assert shop.fail("show", "nothing") == "agent.jobUnknown"


def test_additions_that_cannot_be_read_are_refused(shop: Shop, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    assert shop.fail("add", "one", "--measured", "nothing") == "agent.additionMalformed"
    for text in (
        "job,piece\n",
        "",
        "job,piece,characteristic,value,unit,instrument\none,0,/a/b,1,mm,x\n",
    ):
        table.write_text(text)
        assert shop.fail("add", "one", "--csv", table) == "agent.additionMalformed"


def test_refused_part_is_sent_or_signed_again_when_told(shop: Shop) -> None:
    shop.say("report", "one", "finished", "--measured", shop.measured("23.00"))
    shop.say("run", "--once")
    assert shop.ask("show", "one")["envelopes"][0]["code"] == "recipe.toleranceExceeded"
    assert shop.ask("status")["machines"][0]["refused"] == 1

    assert shop.say("retry", "one") == "1"
    shop.say("run", "--once")
    made = shop.ask("sign", "one", "--again")["envelopes"]

    assert [row["state"] for row in made] == ["signed"]
    assert shop.fail("retry", "two") == "agent.notRefused"


def test_stopped_machine_goes_on_when_its_owner_says_so(shop: Shop) -> None:
    shop.say("run", "--once")
    agent = open_agent(read_agent(shop.folder), {})
    agent.sending.pause("printer", code="machine.counterReused", reason="a clone")
    agent.close()

    assert shop.ask("status")["machines"][0]["state"] == "stopped"
    assert "machine.counterReused: a clone" in shop.say("status")
    assert shop.say("resume") == "running"
    assert shop.say("adopt", "--counter", 5) == "5"
    assert shop.ask("adopt", "--machine", "printer")["counter"] == 5


def test_node_that_is_away_is_told_and_asked_later(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.node.is_away = True
    agent = open_agent(read_agent(shop.folder), {})
    now = [0.0]
    runner = running.Runner(agent, Event(), clock=lambda: now[0])

    runner.turn()
    problem = shop.ask("status")["problems"]
    shop.node.is_away = False
    runner.turn()
    still = shop.ask("status")["problems"]
    now[0] = 300.0
    runner.turn()

    assert problem == still == ["printer: peer.unavailable: The node does not answer."]
    assert shop.ask("status")["problems"] == []
    agent.close()


def test_foreign_unit_before_ours_stops_the_machine(shop: Shop) -> None:
    shop.say("report", "one", "finished", "--measured", shop.measured())
    agent = open_agent(read_agent(shop.folder), {})
    shop.say("run", "--once")
    with agent.store.writing() as work:
        (row,) = work.signed()
        work.change_signed(replace(row, state=SignedState.SIGNED, code="license.unitMismatch"))

    shop.say("run", "--once")

    assert shop.ask("status")["machines"][0]["state"] == "stopped"
    assert "agent.unitForeign" in shop.say("status")
    agent.close()


def test_telemetry_is_opened_by_challenge_and_checked(shop: Shop, tmp_path: Path) -> None:
    agent, folder = open_agent(read_agent(shop.folder), {}), tmp_path
    post = read_agent(shop.folder).watches[0].post
    machine = ScriptedMachine()
    sample = Sample(channel="nozzle", at=1, value="230", unit="Cel", sequence=1)
    for number in range(0, 20, 2):
        machine.tell(samples=[replace(sample, sequence=number)])
    shop.say("report", "one", "started")
    for _ in machine.steps:
        agent.watching.observe(post, machine)
    shop.say("report", "one", "finished", "--measured", shop.measured())
    shop.say("run", "--once")
    with agent.store.reading() as view:
        (row,) = view.signed()
        (folder / "part.dsse.json").write_bytes(view.envelope(row.digest))
    agent.close()

    out, envelope = folder / "answer.json", folder / "part.dsse.json"
    opened = shop.ask("open", "one", "--nonce", NONCE, "--out", out, "--count", 4)
    words = ("agent", "check", out, "--envelope", envelope, "--nonce", NONCE, "--json")
    checked = shop.speak(*words, "--count", 4)
    other = shop.speak(*words, "--count", 3)

    assert (opened["chunks"], len(opened["opened"].split(", "))) == (10, 4)
    assert checked.json == {"chunks": 10, "opened": 4, "values": 4, "gaps": 0}
    assert other.json["code"] == "telemetry.disclosureIncomplete"
    assert len(shop.node.contents) == 10
    nothing = ("open", "two", "--nonce", NONCE, "--out", folder / "two.json")
    assert shop.fail(*nothing) == "telemetry.missing"


def test_statement_without_telemetry_is_named(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "part.dsse.json"
    path.write_bytes(shop.world.envelope())

    spoken = shop.speak("agent", "check", path, "--envelope", path, "--nonce", NONCE, "--json")

    assert spoken.json["code"] == "telemetry.missing"


def test_one_agent_runs_in_a_home(shop: Shop) -> None:
    with (shop.folder / "agent.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        spoken = shop.speak("agent", "run", "--once", "--home", shop.folder)

    assert "agent.running" in spoken.err


def test_agent_needs_nothing_but_its_own_extra(tmp_path: Path) -> None:
    blocked = [
        "alembic",
        "eth_account",
        "eth_abi",
        "fastapi",
        "libipld",
        "pydantic",
        "sqlalchemy",
        "web3",
        "rich",
    ]
    program = (
        "import sys\n"
        f"for name in {blocked!r}: sys.modules[name] = None\n"
        "import guildmark.agent.running\n"
        "from guildmark.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    words = [sys.executable, "-c", program, "agent", "status", "--home", str(tmp_path), "--json"]

    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert json.loads(done.stdout)["code"] == "agent.homeMissing"


def test_machine_of_another_kind_is_read_by_its_adapter(shop: Shop, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    text = (shop.folder / "agent.toml").read_text()
    (shop.folder / "agent.toml").write_text(text.replace('"report:"', f'"folder:{spool}"'))
    shop.say("run", "--once")

    assert shop.ask("status")["problems"] == []
    (shop.folder / "agent.toml").write_text(text.replace('"report:"', '"abacus:1"'))
    shop.say("run", "--once")
    assert "machine.unknownKind" in shop.ask("status")["problems"][0]
