"""A real agent beside a folder of reports, killed as an operating system kills, and a real node."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

import stages
from demo.actors import ACCOUNT
from demo.making import fresh_beacon
from demo.workshop import Workshop
from e2e.cli_actors import Actor
from guildmark.domain.chain.facts import LaneFact
from guildmark.domain.identifiers import LaneNumber, Uint256, to_hex
from guildmark.domain.recipes.clauses import disclose_all
from guildmark.domain.signatures import Algorithm, PublicKey
from guildmark.ports.store import DocumentKind
from guildmark.services.index.projection import known
from guildmark.services.recipes.disclosing import clauses_body
from stages import Played, until

pytestmark = [pytest.mark.e2e, pytest.mark.needs("anvil")]

UNITS = 2_000
MANY = 20_000
PIECES = 2
MEBI = 1 << 20
BOARD = 116 * MEBI
"""Addresses that the agent of a small board may use, its programs among them; 100 were seen."""
RESIDENT = 96 * MEBI
"""The memory that it may ever hold; 82 were seen, most of it Python's and its libraries' code."""
FEW = 20
GROWTH = 8 * MEBI
"""How much more a long queue may take than a short one: what a request holds, not what waits."""
# Seconds between a report and the agent's death: while it reads, signs, sends, hears, follows.
MOMENTS = (0.0, 0.1, 0.3, 0.6, 1.2)


@pytest.fixture(scope="module")
def played(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return stages.played(pytestconfig, lambda: tmp_path_factory.mktemp("stage"))


@dataclass
class Beside:
    """An agent's home beside a machine of its own, and the folder that its reports go to."""

    actor: Actor
    workshop: Workshop
    spool: Path
    lane: LaneNumber
    process: "subprocess.Popen[bytes] | None" = None

    def start(
        self, environment: Mapping[str, str] | None = None, *, addresses: int | None = None
    ) -> None:
        """Start the agent.

        Args:
            environment: What it finds there beside what this process has.
            addresses: How many bytes of addresses it may use, from its first instruction on;
                whoever measures coverage would need some of them, and does not begin.
        """
        limit = ["prlimit", f"--as={addresses}"] if addresses else []
        words = [sys.executable, "-m", "guildmark", "agent", "run", "--home", str(self.actor.home)]
        log = (self.actor.home / "run.log").open("ab")
        found = {**os.environ, **(environment or {})}
        if addresses:
            found = {name: text for name, text in found.items() if not name.startswith("COVERAGE_")}
        self.process = subprocess.Popen(
            [*limit, *words],
            env=found,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()

    def kill(self) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def resident(self) -> int:
        """Return the most bytes that the agent ever held in memory."""
        assert self.process is not None
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))

    def reach(self, name: str, count: int) -> None:
        """Wait for a number of envelopes in a state, as long as there are more and more of them."""
        before = -1
        while (now := int(self.status()[name])) < count:
            before = now
            until(lambda before=before: self.status()[name] != before)  # type: ignore[misc]  # bound now
        assert now == count

    def name_node(self, url: str) -> str:
        """Name another node in the agent's file; return the one before."""
        file = self.actor.home / "agent.toml"
        text = file.read_text()
        before = text.partition('node = "')[2].partition('"')[0]
        file.write_text(text.replace(f'node = "{before}"', f'node = "{url}"'))
        return before

    def report(self, number: int, *, value: str | None = None) -> None:
        """Put the report of a job there, as a machine writes it.

        Args:
            number: The job's.
            value: What every measurement gives; by default what is inside the tolerances.
        """
        measured = [
            {
                "characteristic": one.characteristic,
                "value": value or one.value,
                "unit": one.unit,
                "instrument": one.instrument,
            }
            for one in self.workshop.measured(number)
        ]
        document = {
            "format": "guildmark/job/v1",
            "job": f"job-{number}",
            "at": int(time.time()),
            "file": to_hex(self.workshop.assignment.job),
            "pieces": [{"measurements": measured}] * PIECES,
        }
        draft = self.spool / f".{number}.json"
        draft.write_text(json.dumps(document))
        draft.rename(self.spool / f"{number}.json")

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.actor.ask("agent", "status")["machines"][0]
        return found


def of_own(played: Played, workshop: Workshop, nonce: int, units: int) -> tuple[LaneNumber, bytes]:
    """License units to the site in a lane of their own, and show the terms to the node."""
    designer = played.scene.designer.home
    licenses = designer.licenses(ACCOUNT)
    terms = replace(played.package.terms, units=units, nonce=Uint256(nonce))
    signed = licenses.sign(terms, licensor=ACCOUNT)
    granted = licenses.grant(signed)
    designer.indexing.follow()
    with designer.store.reading() as view:
        whole = known(view.facts, LaneFact, granted.lane)
    lane = licenses.split(whole, units, log=workshop.operator.log, to=workshop.maker.site)
    return lane, signed.id


def an_agent(
    played: Played,
    actor: Actor,
    *options: str,
    nonce: int = 77,
    units: int = UNITS,
    tells: bool = True,
) -> tuple[Workshop, LaneNumber]:
    """Make an agent's home at a site, with a machine, a license and a lane of their own.

    Args:
        tells: Whether the home tells the settings, because the job file does not.
    """
    workshop = played.workshops[1]
    lane, license_id = of_own(played, workshop, nonce, units)
    text = actor.say(
        *("agent", "init", "--node", played.node.url, "--machine", "0x" + "11" * 32),
        *("--lane", lane, "--site-recipe", to_hex(workshop.site_recipe)),
        *("--host", workshop.operator.label_host, *options),
    )
    algorithm, _, data = text.partition(":")
    public = PublicKey(algorithm=Algorithm[algorithm.upper()], data=bytes.fromhex(data[2:]))
    machine = stages.new_machine(workshop.maker, public)
    settings = {
        one.path: {"value": one.value} | ({"unit": one.unit} if one.unit else {})
        for one in workshop.assignment.settings
    }
    (actor.home / "settings.json").write_text(json.dumps({"settings": settings}))
    file = actor.home / "agent.toml"
    changed = file.read_text().replace("0x" + "11" * 32, to_hex(machine))
    changed = changed.replace("poll_seconds = 2.0", "poll_seconds = 0.1")
    changed = changed.replace("ask_seconds = 15.0", "ask_seconds = 0.2")
    file.write_text(changed + 'settings = "settings.json"\n' * tells)
    fresh_beacon(played.scene)
    block = played.scene.designer.home.ledger.head(final=True).number
    until(lambda: stages.indexed(played.node) >= block)
    body = clauses_body(disclose_all(played.package.members))
    played.node.disclose(DocumentKind.TERMS, license_id, body)
    return workshop, lane


@contextmanager
def working(played: Played, folder: Path, *, nonce: int, units: int = UNITS) -> Iterator[Beside]:
    """Yield a folder of reports with an agent of its own, which is ended at last."""
    actor, spool = Actor(folder / "home"), folder / "spool"
    spool.mkdir()
    source = f"folder:{spool}"
    workshop, lane = an_agent(played, actor, "--source", source, nonce=nonce, units=units)
    made = Beside(actor=actor, workshop=workshop, spool=spool, lane=lane)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


@pytest.fixture
def beside(played: Played, tmp_path: Path) -> Iterator[Beside]:
    with working(played, tmp_path, nonce=77) as made:
        yield made


@pytest.fixture
def long_away(played: Played, tmp_path: Path) -> Iterator[Beside]:
    with working(played, tmp_path, nonce=83, units=MANY) as made:
        yield made


@pytest.fixture
def other(played: Played, tmp_path: Path) -> Iterator[Beside]:
    with working(played, tmp_path, nonce=79) as made:
        yield made


@pytest.mark.deep
def test_killed_agent_loses_and_doubles_nothing(
    played: Played, beside: Beside, volume: Callable[[int, int, int], int]
) -> None:
    jobs = volume(3, 50, 900)
    beside.actor.say("agent", "load", "PETG 4711")
    for number in range(1, jobs + 1):
        beside.start()
        beside.report(number)
        # A new process needs a second until it works; then each moment is another step.
        time.sleep(1.0 + MOMENTS[number % len(MOMENTS)])
        beside.kill()

    beside.start()
    until(lambda: beside.status()["final"] == jobs * PIECES)

    shown = [beside.actor.ask("agent", "show", f"job-{n}") for n in range(1, jobs + 1)]
    rows = [row for job in shown for row in job["envelopes"]]
    assert {row["state"] for row in rows} == {"final"}
    assert sorted(row["counter"] for row in rows) == list(range(1, jobs * PIECES + 1))
    assert sorted(row["unit"] for row in rows) == list(range(1, jobs * PIECES + 1))
    assert len({row["label"] for row in rows}) == jobs * PIECES
    for row in rows:
        ((log, index),) = played.node.positions(row["label"])
        # The agent shows which lots are in a part; before that, nobody knows what could recall it.
        until(lambda part=f"{log}.{index}": recall_check(played, part) == "ok")  # type: ignore[misc]  # bound now
    status = beside.status()
    assert (status["waiting"], status["refused"], status["state"]) == (0, 0, "running")
    assert beside.process is not None
    beside.process.terminate()
    assert beside.process.wait(60) == 0


@pytest.mark.deep
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux: /proc")
def test_agent_of_a_small_board_drains_weeks_with_the_memory_that_it_begins_with(
    long_away: Beside, volume: Callable[[int, int, int], int]
) -> None:
    beside, jobs = long_away, volume(80, 1_000, 5_000)
    beside.start(addresses=BOARD)
    until(lambda: beside.status()["begin"] == "ready")
    # The network goes, for weeks.
    beside.kill()
    node = beside.name_node("http://127.0.0.1:1")
    beside.start(addresses=BOARD)
    for number in range(1, FEW + 1):
        beside.report(number)
    beside.reach("waiting", FEW * PIECES)
    short = beside.resident()

    for number in range(FEW + 1, jobs + 1):
        beside.report(number)
    beside.reach("waiting", jobs * PIECES)
    waiting = beside.resident()
    beside.kill()
    beside.name_node(node)
    beside.start(addresses=BOARD)
    beside.reach("final", jobs * PIECES)

    status = beside.status()
    assert (status["waiting"], status["refused"], status["state"]) == (0, 0, "running")
    most = max(waiting, beside.resident())
    assert most - short < GROWTH
    assert most < RESIDENT


def recall_check(played: Played, part: str) -> str:
    """Return the state of check (12) of a part by its log's node."""
    report = httpx.get(f"{played.node.url}/v1/parts/{part}", timeout=60).json()
    return next(str(one["state"]) for one in report["checks"] if one["check"] == 12)


def test_scrap_is_on_record_in_its_units_and_never_verifies_as_a_part(
    played: Played, other: Beside
) -> None:
    actor = other.actor
    other.start()
    other.report(1, value="999")
    until(lambda: other.status()["refused"] == PIECES)

    scrapped = actor.ask("agent", "scrap", "job-1", "--reason", "the nozzle was clogged")
    until(lambda: other.status()["final"] == PIECES)

    rows = actor.ask("agent", "show", "job-1")["envelopes"]
    final = [row for row in rows if row["state"] == "final"]
    assert [(row["unit"], row["scrap"]) for row in final] == [(1, True), (2, True)]
    assert [row["label"] for row in final] == [row["label"] for row in scrapped["envelopes"]]
    for row in final:
        ((log, index),) = played.node.positions(row["label"])
        report = httpx.get(f"{played.node.url}/v1/parts/{log}.{index}", timeout=60).json()
        assert report["headline"] == "Problem found: this unit is scrap, not a part."
    home = played.scene.designer.home
    home.indexing.follow()
    with home.store.reading() as view:
        assert known(view.facts, LaneFact, other.lane).next == 1 + PIECES
