import asyncio
import fcntl
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from fakes.fieldwork import ScriptedMachine, WorldNode
from fakes.world import SITE, World, make_world
from guildmark import outfit
from guildmark.adapters.clock import SystemClock
from guildmark.adapters.fieldwork.sealing import FileSealer
from guildmark.adapters.fieldwork.settings import read_agent
from guildmark.adapters.keys.keystore import FileKeyStore
from guildmark.agent import running
from guildmark.agent.local import Door
from guildmark.agent.pages import BODY_MAX, Pages
from guildmark.domain.builds.telemetry import Presence
from guildmark.domain.identifiers import Index, to_hex
from guildmark.domain.shopfloor.fieldwork import SignedState
from guildmark.domain.shopfloor.jobs import Sample
from guildmark.domain.signatures import Algorithm, PublicKey
from guildmark.outfit import open_agent
from guildmark.ports.keys import KeyName, PasswordWrongError
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
    # The tests' own process must hear its signals again.
    monkeypatch.setattr(signal, "signal", lambda *_: None)
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


def test_g_code_that_leaves_the_recipe_is_held_and_says_why(shop: Shop, tmp_path: Path) -> None:
    other = replace(shop, folder=tmp_path / "printer")
    recipe, gcode = tmp_path / "own.json", tmp_path / "part.gcode"
    recipe.write_bytes(shop.world.site_document.encode())
    gcode.write_text("M83\nG1 Z0.4\nG1 X10 E1 F1200\nG1 Z0.8\nG1 X0 E1\n")
    other.say(
        *("init", "--node", "http://node.example", "--machine", to_hex(shop.world.machine)),
        *("--lane", shop.world.lane, "--site-recipe", to_hex(shop.world.site_recipe)),
        *("--host", "parts.example", "--recipe", recipe),
    )
    assert other.say("report", "one", "finished", "--file", gcode) == "released"

    other.say("run", "--once")

    shown = other.ask("show", "one")
    assert (other.folder / "recipe.json").read_bytes() == recipe.read_bytes()
    assert (shown["state"], shown["code"], shown["envelopes"]) == (
        "held",
        "recipe.jobDeparts",
        [],
    )
    assert "/process/layer_height to 0.4" in shown["reason"]


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


def test_lots_are_loaded_named_and_told(shop: Shop) -> None:
    text = (shop.folder / "agent.toml").read_text().replace("hold = false", "hold = true")
    (shop.folder / "agent.toml").write_text(text)
    assert shop.fail("lot", "PETG 4711") == "agent.uninformed"
    loaded = shop.ask("load", "PETG 4711", "ink 7")
    shop.say("report", "one", "finished", "--measured", shop.measured())
    shop.say("run", "--once")
    status, before = shop.ask("status"), shop.ask("show", "one")
    shop.say("add", "one", "--lot", "PETG 4712")
    shop.say("sign", "one")
    shop.say("run", "--once")
    shop.node.settle()
    shop.say("run", "--once")
    told = shop.ask("lot", "PETG 4712")

    bundle = shop.world.tools.exporter.evidence(shop.world.log, Index(0))
    (shown,) = bundle.disclosed.dependencies
    assert loaded == {"machine": "printer", "lots": ["PETG 4711", "ink 7"]}
    assert status["machines"][0]["lots"] == before["lots"] == ["PETG 4711", "ink 7"]
    assert shop.ask("show", "one")["lots"] == ["PETG 4712"]
    assert (shown.thing.text(), to_hex(shown.thing.key())) == (told["lot"], told["key"])
    assert shop.say("lot", "PETG 4712").strip() == told["lot"]
    assert shop.ask("load")["lots"] == []
    assert shop.fail("load", "a\nb") == "lot.nameInvalid"


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


def test_keys_that_are_files_are_open_before_there_is_work(shop: Shop) -> None:
    agent = open_agent(read_agent(shop.folder), {})
    try:
        agent.open_key_files()
        (shop.folder / "keys" / "password").unlink()

        assert agent.keys.sign_payload(KeyName("machine"), b"work")
    finally:
        agent.close()


def test_keys_that_do_not_open_end_no_agent_and_devices_are_not_asked(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    monkeypatch.setattr(FileKeyStore, "open", lambda _, name: opened.append(name))
    with_device = shop.folder / "agent.toml"
    with_device.write_text(
        with_device.read_text().replace('key = "machine"', 'key = "tpm:handle=0x81010001"')
    )
    device = open_agent(read_agent(shop.folder), {})
    device.open_key_files()
    device.close()
    assert opened == []

    monkeypatch.undo()
    with_device.write_text(with_device.read_text().replace("tpm:handle=0x81010001", "machine"))
    (shop.folder / "keys" / "password").write_text("another")
    agent = open_agent(read_agent(shop.folder), {})
    agent.open_key_files()

    with pytest.raises(PasswordWrongError):
        agent.keys.sign_payload(KeyName("machine"), b"work")
    agent.close()


def test_part_that_awaits_its_answer_is_not_signed_again(shop: Shop) -> None:
    shop.say("report", "one", "finished", "--measured", shop.measured())
    shop.say("run", "--once")
    agent = open_agent(read_agent(shop.folder), {})
    with agent.store.writing() as work:
        (row,) = work.signed()
        work.change_signed(replace(row, state=SignedState.SENT))
    agent.close()

    assert shop.fail("sign", "one", "--again") == "agent.notSignable"
    assert shop.ask("show", "one")["envelopes"][0]["state"] == "sent"


def test_schema_of_job_reports_is_printed(shop: Shop) -> None:
    schema = shop.speak("agent", "schema").json

    assert schema["$id"] == "https://guildmark.org/schemas/job/v1"
    assert schema["required"] == ["format", "job", "at"]


def test_refused_part_is_signed_as_scrap_when_told(shop: Shop) -> None:
    shop.say("report", "one", "finished", "--measured", shop.measured("23.00"))
    shop.say("run", "--once")

    made = shop.ask("scrap", "one", "--reason", "the bore is too wide")["envelopes"]

    assert [(row["state"], row["scrap"], row["unit"]) for row in made] == [("signed", True, 1)]
    assert shop.ask("sign", "one", "--again")["envelopes"] == []
    assert shop.fail("scrap", "two", "--reason", "why") == "agent.notSignable"


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


def test_step_without_memory_is_told_and_tried_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = open_agent(read_agent(shop.folder), {})
    now = [0.0]
    runner = running.Runner(agent, Event(), clock=lambda: now[0])

    def sign(*_: object) -> int:
        raise MemoryError

    with monkeypatch.context() as short:
        short.setattr(type(agent.attesting), "sign", sign)
        runner.turn()
        problems = shop.ask("status")["problems"]
    now[0] = 300.0
    runner.turn()

    assert problems == ["printer: agent.memoryShort: The agent has no memory left for this step."]
    assert shop.ask("status")["problems"] == []
    agent.close()


@pytest.fixture
def reporting(shop: Shop, tmp_path: Path) -> Path:
    """Return the folder from which the agent reads its machine's reports."""
    folder = tmp_path / "reports"
    folder.mkdir()
    text = (shop.folder / "agent.toml").read_text()
    changed = text.replace('source = "report:"', f'source = "folder:{folder}"')
    assert changed != text
    (shop.folder / "agent.toml").write_text(changed)
    return folder


def refuse(folder: Path, name: str) -> None:
    """Let a report lie where the folder's reader puts those that it refused."""
    (folder / "refused").mkdir(exist_ok=True)
    (folder / "refused" / f"00.{name}").write_bytes(b"")
    (folder / "refused" / f"00.{name}.reason.txt").write_text("It has no end.\n")


def test_refused_reports_are_a_problem_until_they_are_mended(shop: Shop, reporting: Path) -> None:
    before = shop.ask("status")
    refuse(reporting, "a.json")
    one, said = shop.ask("status"), shop.say("status")
    refuse(reporting, "b.json")
    two = shop.ask("status")
    for path in (reporting / "refused").glob("*.json"):
        path.unlink()

    problem = (
        "printer: machine.malformedReport: 1 report was refused; the newest, 'a.json': It has no "
        f"end. Mend what lies in {reporting}/refused and put it into the folder above again."
    )
    assert (before["problems"], before["refusedReports"]) == ([], [])
    assert one["problems"] == [problem]
    assert problem in said
    assert one["refusedReports"] == [
        {
            "machine": "printer",
            "count": 1,
            "folder": f"{reporting}/refused",
            "file": "'a.json'",
            "code": "machine.malformedReport",
            "reason": "It has no end.",
            "nextStep": problem[problem.index("Mend") :],
        }
    ]
    assert "2 reports were refused" in two["problems"][0]
    assert shop.ask("status")["problems"] == []


def test_refused_folder_that_cannot_be_read_ends_no_status(shop: Shop, reporting: Path) -> None:
    (reporting / "refused").write_bytes(b"")

    assert shop.ask("status")["problems"] == []


@pytest.mark.enable_socket
def test_agent_that_can_do_no_work_ends(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def turn(_runner: running.Runner) -> None:
        message = "Nobody foresaw it."
        raise RuntimeError(message)

    monkeypatch.setattr(running.Runner, "turn", turn)
    agent = open_agent(read_agent(shop.folder), {})

    with pytest.raises(RuntimeError, match="Nobody foresaw it"):
        running.work(agent, once=False, announce=lambda _: None)
    agent.close()


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


def told(shop: Shop, folder: Path) -> None:
    """Let a machine tell ten chunks while it works; keep the signed statement in a folder."""
    agent, post = open_agent(read_agent(shop.folder), {}), read_agent(shop.folder).watches[0].post
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


def test_telemetry_is_opened_by_challenge_and_checked(shop: Shop, tmp_path: Path) -> None:
    folder = tmp_path
    told(shop, folder)

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


def test_where_telemetry_is_kept_is_told_without_opening_it(shop: Shop, tmp_path: Path) -> None:
    told(shop, tmp_path)
    out = tmp_path / "kept.json"

    said = shop.ask("open", "one", "--nonce", NONCE, "--out", out, "--count", 4, "--kept")

    found = Presence.parse(out.read_bytes())
    assert (said["chunks"], said["kept"]) == (10, ", ".join(str(one.place) for one in found.kept))
    assert [one.cid for one in found.kept] == [f"cid-{one.place + 1}" for one in found.kept]
    assert b"nozzle" not in out.read_bytes()


def test_telemetry_that_no_node_has_yet_is_kept_nowhere(shop: Shop, tmp_path: Path) -> None:
    told(shop, tmp_path)
    agent = open_agent(read_agent(shop.folder), {})
    with agent.store.writing() as work:
        first = work.chunks("printer", "one")[0]
        work.keep_chunk(replace(first, cid=None))
    agent.close()

    words = ("open", "one", "--nonce", NONCE, "--out", tmp_path / "kept.json", "--kept")
    assert shop.fail(*words) == "telemetry.unstored"


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


def test_brief_may_be_carried_by_hand(shop: Shop, tmp_path: Path) -> None:
    agent = open_agent(read_agent(shop.folder), {})
    post = read_agent(shop.folder).watches[0].post
    told, path = agent.sending.inform(post), tmp_path / "brief.json"
    path.write_bytes(told.encode())
    assert told.beacon is not None

    shop.node.is_away = True
    taken = shop.ask("brief", path)
    shop.say("brief", path)
    path.write_bytes(replace(told, beacon=None).encode())
    none = shop.ask("brief", path)
    path.write_bytes(replace(told, machine=shop.world.instrument).encode())

    assert (taken["beacon"], taken["time"]) == (f"0.{told.beacon.beacon.seq}", told.beacon.time)
    assert none["beacon"] is None
    assert shop.fail("brief", path) == "agent.briefMismatch"
    agent.close()


HOST = "127.0.0.1:8020"


@dataclass
class Browser:
    """What a browser on the agent's machine does with its page."""

    pages: Pages

    def ask(self, method: str, url: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.pages.application())
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
                return await client.request(method, url, **options)

        return asyncio.run(send())

    def get(self, url: str, **options: Any) -> httpx.Response:
        return self.ask("GET", url, **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        return self.ask("POST", url, **options)


@pytest.fixture
def browser(shop: Shop) -> Iterator[Browser]:
    text = (shop.folder / "agent.toml").read_text().replace("hold = false", "hold = true")
    (shop.folder / "agent.toml").write_text(text)
    shop.say("report", "a/1 <b>", "finished", "--pieces", 2)
    agent = open_agent(read_agent(shop.folder), {})
    yield Browser(Pages(agent=agent, door=Door(hosts=frozenset({HOST}))))
    agent.close()


JOB = "?machine=printer&job=a%2F1+%3Cb%3E"


def test_page_shows_refused_reports(shop: Shop, reporting: Path) -> None:
    refuse(reporting, "<b>.json")
    agent = open_agent(read_agent(shop.folder), {})

    page = Browser(Pages(agent=agent, door=Door(hosts=frozenset({HOST})))).get("/")
    agent.close()

    assert "1 report was refused; the newest, &#39;&lt;b&gt;.json&#39;: It has no end." in page.text
    assert "<b>" not in page.text


def test_page_shows_machines_and_jobs_that_wait(browser: Browser, shop: Shop) -> None:
    before = browser.get("/")
    shop.say("run", "--once")
    agent = browser.pages.agent
    ready = browser.get("/")
    agent.sending.pause("printer", code="agent.unitForeign", reason="why")
    stopped = browser.get("/")
    job = browser.get(f"/job{JOB}")

    assert "not ready" in before.text
    assert "no node has told anything yet" in before.text
    assert 'state good">ready' in ready.text
    assert "agent.unitForeign: why" in stopped.text
    assert 'href="/job?machine=printer&amp;job=a%2F1+%3Cb%3E"' in ready.text
    assert "a/1 &lt;b&gt;" in job.text
    assert "<b>" not in job.text
    assert "default-src 'none'" in job.headers["content-security-policy"]
    # With no-referrer, browsers send the page's own forms with `Origin: null`, which is refused.
    assert job.headers["referrer-policy"] == "same-origin"
    assert '<meta name="referrer" content="same-origin">' in job.text
    assert browser.get("/static/style.css").status_code == 200
    assert browser.get("/static/agent.css").headers["content-type"].startswith("text/css")
    assert browser.get("/static/other.css").status_code == 404
    assert browser.get("/job?machine=printer&job=two").status_code == 404


def test_people_add_and_sign_on_the_page(browser: Browser, shop: Shop) -> None:
    token = {"token": browser.pages.door.token}
    instrument = to_hex(shop.world.instrument)
    form = {"technician": "t7", "note": "fine", "judged-1": "pass", "judged-2": "fail"}
    measured = {
        "path-1": "/tolerance/bore",
        "value-1": "22.20",
        "unit-1": "mm",
        "instrument-1": instrument,
    }

    added = browser.post(
        f"/job/add{JOB}",
        data={**token, **form, **measured},
        files={"file": ("../photo.jpg", b"a photo\r\n--x", "image/jpeg")},
    )
    plain = browser.post(f"/job/add{JOB}", data={**token, "note": "finer"})
    shown = browser.get(f"/job{JOB}")
    signed = browser.post(f"/job/sign{JOB}", data=token)
    shop.say("run", "--once")

    assert (added.status_code, plain.status_code, signed.status_code) == (303, 303, 303)
    assert added.headers["location"] == f"/job{JOB}"
    assert "/tolerance/bore: 22.20 mm" in shown.text
    assert 'value="t7"' in shown.text
    job = shop.ask("show", "a/1 <b>")
    assert (job["note"], job["files"], len(job["envelopes"])) == ("finer", 1, 1)
    agent = browser.pages.agent
    with agent.store.reading() as view:
        found = view.job("printer", "a/1 <b>")
        assert found is not None
        sealed = view.ciphertext(found.files[0].digest)
    sealer = FileSealer(entropy=agent.storing.entropy)
    assert sealer.open(sealed, found.files[0].key) == b"a photo\r\n--x"


def test_people_load_lots_and_name_those_of_a_job_on_the_page(browser: Browser, shop: Shop) -> None:
    token = {"token": browser.pages.door.token}
    load = "/load?machine=printer"

    loaded = browser.post(load, data={**token, "lots": " PETG 4711 \r\n\r\nink <7>\r\n"})
    shown = browser.get("/")
    wrong = browser.post(load, data={**token, "lots": "x" * 201})
    unknown = browser.post("/load?machine=other", data={**token, "lots": "x"})
    old = browser.post(load, data={"lots": "x"})
    named = browser.post(f"/job/add{JOB}", data={**token, "lots": "PETG 4712"})
    job = browser.get(f"/job{JOB}")
    emptied = browser.post(load, data={**token, "lots": ""})

    assert (loaded.status_code, loaded.headers["location"]) == (303, "/")
    assert "PETG 4711, ink &lt;7&gt;" in shown.text
    assert (wrong.status_code, unknown.status_code, old.status_code) == (422, 422, 403)
    assert "printable characters" in wrong.text
    assert "PETG 4711, ink &lt;7&gt;" in wrong.text
    assert (named.status_code, emptied.status_code) == (303, 303)
    assert ">PETG 4712</textarea>" in job.text
    assert shop.ask("show", "a/1 <b>")["lots"] == ["PETG 4712"]
    assert shop.ask("status")["machines"][0]["lots"] == []


def test_people_call_a_job_scrap_on_the_page(browser: Browser, shop: Shop) -> None:
    token = {"token": browser.pages.door.token}

    shown = browser.get(f"/job{JOB}")
    empty = browser.post(f"/job/scrap{JOB}", data={**token, "reason": " "})
    done = browser.post(f"/job/scrap{JOB}", data={**token, "reason": "it fell"})
    shop.say("run", "--once")
    after = browser.get(f"/job{JOB}")

    assert "Sign as scrap" in shown.text
    assert (empty.status_code, done.status_code) == (422, 303)
    assert [row["scrap"] for row in shop.ask("show", "a/1 <b>")["envelopes"]] == [True, True]
    assert "signed, scrap" in after.text
    assert "Sign as scrap" not in after.text


def test_page_says_what_it_does_not_take(browser: Browser) -> None:
    token = {"token": browser.pages.door.token}

    wrong = browser.post(
        f"/job/add{JOB}", data={**token, "path-1": "bore", "value-1": "x", "unit-1": "mm"}
    )
    huge = browser.post(f"/job/add{JOB}", content=b"x" * (BODY_MAX + 1))
    browser.post(f"/job/sign{JOB}", data=token)
    late = browser.post(f"/job/sign{JOB}", data=token)

    assert wrong.status_code == 422
    assert 'role="alert"' in wrong.text
    assert huge.status_code == 413
    assert "does not wait" in late.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1:1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_other_sites_and_names_get_nothing(browser: Browser, headers: dict[str, str]) -> None:
    token = {"token": browser.pages.door.token}

    assert browser.get("/", headers=headers).status_code == 403
    assert browser.post(f"/job/sign{JOB}", data=token, headers=headers).status_code == 403


@pytest.mark.parametrize("form", [{}, {"token": "x"}, {"token": "ä"}])
def test_form_that_the_page_did_not_hand_out_changes_nothing(
    browser: Browser, shop: Shop, form: dict[str, str]
) -> None:
    answer = browser.post(f"/job/sign{JOB}", data=form, headers={"Origin": f"http://{HOST}"})

    assert answer.status_code == 403
    assert shop.ask("status")["machines"][0]["held"] == 1


@pytest.mark.enable_socket
def test_port_that_is_taken_is_named(shop: Shop) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        text = (shop.folder / "agent.toml").read_text()
        port = taken.getsockname()[1]
        (shop.folder / "agent.toml").write_text(text.replace("port = 0", f"port = {port}"))

        spoken = shop.speak("agent", "run", "--home", shop.folder)

    assert "agent.portTaken" in spoken.err
