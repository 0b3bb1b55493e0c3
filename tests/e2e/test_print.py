"""Prints on a real OctoPrint become final parts: agent, log, chain; and while the node is dead.

The recipe asks for measurements, which no printer gives: those of a measuring machine are added by
command.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

import stages
from demo.workshop import Workshop
from e2e.cli_actors import Actor
from e2e.test_agent import an_agent
from e2e.test_kills import NODE, kill
from octoprint_server import OctoPrintServer, wait_for
from stages import Played, until

pytestmark = [pytest.mark.e2e, pytest.mark.needs("anvil", "octoprint")]

_BEGUN = re.compile(r"job [0-9a-f-]+ started")
_ENDED = re.compile(r"job ([0-9a-f-]+) finished")
GCODE = b"M140 S60\nM104 S210\nG28\nG1 X10 Y10 Z0.2 F6000\nG1 X30 E1\n@pause\nG1 Y30 E2\nM104 S0\n"


@pytest.fixture(scope="module")
def played(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return stages.played(pytestconfig, lambda: tmp_path_factory.mktemp("stage"))


@dataclass
class Printing:
    """An agent that runs beside a printer."""

    actor: Actor
    workshop: Workshop
    server: OctoPrintServer

    def begin(self, number: int) -> None:
        """Print, up to the middle of the job, until the agent has seen it begin."""
        self.server.begin("bracket.gcode")
        wait_for(lambda: self.server.state() == "Paused")
        until(lambda: len(_BEGUN.findall(self._log())) == number)

    def end(self) -> None:
        """Print the rest."""
        self.server.command(command="pause", action="resume")
        wait_for(lambda: self.server.state() == "Operational")

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.actor.ask("agent", "status")["machines"][0]
        return found

    def measure(self, number: int) -> str:
        """Do what a measuring machine does once the print is known, and return the job's name."""
        until(lambda: self._held() is not None)
        job = str(self._held())
        words = [
            word
            for one in self.workshop._measured(number)
            for word in (
                "--measured",
                f"{one.characteristic}={one.value}:{one.unit}:{one.instrument}",
            )
        ]
        self.actor.say("agent", "add", job, "--piece", 1, *words)
        self.actor.say("agent", "sign", job)
        return job

    def _log(self) -> str:
        """Return what the agent noted, the newest first."""
        return self.actor.say("agent", "log", "--json")

    def _held(self) -> str | None:
        """Return the job that ended last, where one waits."""
        ended = _ENDED.findall(self._log())
        return ended[0] if self.status()["held"] and ended else None


@pytest.fixture(scope="module")
def printing(played: Played, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Printing]:
    folder = tmp_path_factory.mktemp("printing")
    server = OctoPrintServer(folder / "octoprint")
    server.start()
    server.put("bracket.gcode", GCODE)
    actor = Actor(folder / "home")
    source = f"octoprint:{server.url}"
    workshop, _ = an_agent(played, actor, "--hold", "--source", source, nonce=78)
    (actor.home / "secrets").mkdir(exist_ok=True)
    (actor.home / "secrets" / "octoprint").write_text(server.key)
    (actor.home / "secrets" / "octoprint").chmod(0o600)
    words = [sys.executable, "-m", "guildmark", "agent", "run", "--home", str(actor.home)]
    with (actor.home / "run.log").open("ab") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
    yield Printing(actor=actor, workshop=workshop, server=server)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    server.kill()


def test_prints_become_final_parts_also_where_the_node_dies_in_the_middle(
    played: Played, printing: Printing
) -> None:
    printing.begin(1)
    printing.end()
    first = printing.measure(1)
    until(lambda: printing.status()["final"] == 1)

    printing.begin(2)
    kill(played.stage, NODE)
    printing.end()
    second = printing.measure(2)
    until(lambda: printing.status()["waiting"] == 1)
    stages.start(played.stage, NODE)
    until(lambda: printing.status()["final"] == 2)

    shown = [printing.actor.ask("agent", "show", job) for job in (first, second)]
    rows = [row for job in shown for row in job["envelopes"]]
    assert [job["file"] for job in shown] == ["bracket.gcode"] * 2
    assert [(row["state"], row["counter"], row["unit"]) for row in rows] == [
        ("final", 1, 1),
        ("final", 2, 2),
    ]
    assert [len(played.node.positions(row["label"])) for row in rows] == [1, 1]
