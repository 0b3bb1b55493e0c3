"""Prints on a real OctoPrint become final parts: agent, log, chain; and while the node is dead.

Nobody says anything: the settings come from the G-code, the values from the reports of a measuring
machine.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import stages
from demo.workshop import Workshop
from e2e.cli_actors import Actor
from e2e.test_agent import an_agent
from e2e.test_kills import NODE, kill
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.identifiers import to_hex
from octoprint_server import OctoPrintServer, wait_for
from stages import Played, until

pytestmark = [pytest.mark.e2e, pytest.mark.needs("anvil", "octoprint")]

_BEGUN = re.compile(r"job [0-9a-f-]+ started")
_ENDED = re.compile(r"job ([0-9a-f-]+) finished")
# Two layers as the site's recipe wants them, with the comments that a slicer writes.
GCODE = b"""\
M83
M140 S78
M104 S235
M106 S89
G28
G1 X10 Y10 Z0.36 F2400
G1 X30 E1
@pause
G1 Z0.72
G1 Y30 E2
M104 S0
; external_perimeter_speed = 28
; extrusion_width = 0.88
; filament_type = PETG
; fill_density = 45%
; nozzle_diameter = 0.8
; perimeters = 2
"""


@pytest.fixture(scope="module")
def played(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return stages.played(pytestconfig, lambda: tmp_path_factory.mktemp("stage"))


@dataclass
class Printing:
    """An agent that runs beside a printer."""

    actor: Actor
    workshop: Workshop
    server: OctoPrintServer
    spool: Path

    def begin(self, number: int, name: str = "bracket.gcode") -> None:
        """Print, up to the middle of the job, until the agent has seen it begin."""
        self.server.begin(name)
        wait_for(lambda: self.server.state() == "Paused")
        until(lambda: len(_BEGUN.findall(self._log())) == number)

    def end(self) -> None:
        """Print the rest."""
        self.server.command(command="pause", action="resume")
        wait_for(lambda: self.server.state() == "Operational")

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.actor.ask("agent", "status")["machines"][0]
        return found

    def measure(self, number: int) -> None:
        """Do what a measuring machine does with the part: report it, by a name of its own."""
        measured = [
            {
                "characteristic": one.characteristic,
                "value": one.value,
                "unit": one.unit,
                "instrument": one.instrument,
            }
            for one in self.workshop.measured(number)
        ]
        document = {
            "format": "guildmark/job/v1",
            "job": f"program-7-run-{number}",
            "at": int(time.time()),
            "pieces": [{"measurements": measured}],
        }
        (self.spool / f".{number}.json").write_text(json.dumps(document))
        (self.spool / f".{number}.json").rename(self.spool / f"{number}.json")

    def jobs(self) -> list[str]:
        """Return the jobs that ended, the first one first."""
        return list(reversed(_ENDED.findall(self._log())))

    def _log(self) -> str:
        """Return what the agent noted, the newest first."""
        return self.actor.say("agent", "log", "--lines", 1_000, "--json")


@pytest.fixture(scope="module")
def printing(played: Played, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Printing]:
    folder = tmp_path_factory.mktemp("printing")
    server = OctoPrintServer(folder / "octoprint")
    server.start()
    server.put("bracket.gcode", GCODE)
    server.put("thick.gcode", GCODE.replace(b"Z0.72", b"Z0.8"))
    actor = Actor(folder / "home")
    source = f"octoprint:{server.url}"
    spool, recipe = folder / "spool", folder / "own.json"
    spool.mkdir()
    recipe.write_bytes(played.workshops[1].document.encode())
    options = ("--source", source, "--recipe", str(recipe))
    workshop, _ = an_agent(played, actor, *options, nonce=78, tells=False)
    with (actor.home / "agent.toml").open("a") as file:
        file.write(f'measured = "folder:{spool}"\n')
    (actor.home / "secrets").mkdir(exist_ok=True)
    (actor.home / "secrets" / "octoprint").write_text(server.key)
    (actor.home / "secrets" / "octoprint").chmod(0o600)
    words = [sys.executable, "-m", "guildmark", "agent", "run", "--home", str(actor.home)]
    with (actor.home / "run.log").open("ab") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
    yield Printing(actor=actor, workshop=workshop, server=server, spool=spool)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    server.kill()


def test_prints_become_final_parts_also_where_the_node_dies_in_the_middle(
    played: Played, printing: Printing
) -> None:
    printing.begin(1)
    printing.end()
    printing.measure(1)
    until(lambda: printing.status()["final"] == 1)

    printing.begin(2)
    kill(played.stage, NODE)
    printing.end()
    printing.measure(2)
    until(lambda: printing.status()["waiting"] == 1)
    stages.start(played.stage, NODE)
    until(lambda: printing.status()["final"] == 2)

    shown = [printing.actor.ask("agent", "show", job) for job in printing.jobs()]
    rows = [row for job in shown for row in job["envelopes"]]
    assert [job["file"] for job in shown] == ["bracket.gcode"] * 2
    assert [(row["state"], row["counter"], row["unit"]) for row in rows] == [
        ("final", 1, 1),
        ("final", 2, 2),
    ]
    assert [len(played.node.positions(row["label"])) for row in rows] == [1, 1]
    for row in rows:
        assert verified(played, printing, row["label"])["verdict"] == "verified"

    printing.begin(3, "thick.gcode")
    printing.end()
    printing.measure(3)
    until(lambda: "recipe.jobDeparts" in str(printing.actor.ask("agent", "status")["problems"]))
    status = printing.status()
    assert (status["held"], status["waiting"], status["final"]) == (1, 0, 2)


def verified(played: Played, printing: Printing, label: str) -> Any:
    """Return what a customer's command says of the part, which must end with 0."""
    (log, index), *_ = played.node.positions(label)
    customer = Actor(printing.spool.with_name("customer"))
    trust, bundle = customer.home / "trust.json", customer.home / f"{index}.zip"
    chain, pin = played.scene.casting.chain.url, played.scene.designer.home.ledger.pin()
    customer.home.mkdir(exist_ok=True)
    if not trust.exists():
        directory = to_hex(pin.contracts[ContractName.DIRECTORY].address)
        customer.say(
            *("trust", "init", "--rpc", chain, "--directory", directory, "--trust", trust),
            *("--operator", to_hex(printing.workshop.operator.party.id)),
            *("--issuer", to_hex(played.scene.authority.id)),
        )
    customer.say("bundle", "export", f"{log}.{index}", "--out", bundle, "--node", played.node.url)
    return customer.ask("verify", bundle, "--trust", trust, "--rpc", chain)
