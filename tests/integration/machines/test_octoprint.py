"""A real OctoPrint prints on its virtual printer, and the adapter tells of it."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from floor import MachineSuite, Stage, Watcher
from guildmark.adapters.machines.octoprint import KEY_HEADER, OctoPrint
from guildmark.adapters.machines.registry import machine_source
from guildmark.adapters.machines.secrets import SecretFiles
from guildmark.adapters.machines.web import Site
from guildmark.domain.shopfloor.jobs import JobPhase
from guildmark.ports.shopfloor import Machine, MachineAnswerError, MachineUnavailableError
from octoprint_server import OctoPrintServer, wait_for

pytestmark = pytest.mark.needs("octoprint")

# OctoPrint itself waits at its command for somebody to go on.
GCODE = b"""\
; a square, two layers high
M140 S60
M104 S210
G28
G1 X10 Y10 Z0.2 F6000
G1 X30 Y10 E1
G1 X30 Y30 E2
@pause
G1 Z0.4
G1 X10 Y30 E3
G1 X10 Y10 E4
M104 S0
M140 S0
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OctoPrintServer]:
    server = OctoPrintServer(tmp_path_factory.mktemp("octoprint") / "home")
    server.start()
    yield server
    server.kill()


class _Cable(httpx.BaseTransport):
    """A real connection that can be unplugged."""

    def __init__(self) -> None:
        self.is_plugged = True
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not self.is_plugged:
            message = "unplugged"
            raise httpx.ConnectError(message)
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


class RealStage:
    tells_beginnings = True
    spoilings: Sequence[str] = ()

    def __init__(self, server: OctoPrintServer, name: str) -> None:
        self.server, self.name = server, name
        self._cables: list[_Cable] = []
        self._ended = 0
        server.put(name, GCODE + f"; {name}\n".encode())

    def open(self) -> Machine:
        headers = {KEY_HEADER: self.server.key}
        self._cables.append(_Cable())
        return OctoPrint(
            site=Site(url=self.server.url, headers=headers, transport=self._cables[-1])
        )

    def begin(self) -> None:
        self.server.begin(self.name)
        wait_for(lambda: self.server.state() == "Paused")

    def end(self) -> None:
        self.server.command(command="pause", action="resume")
        self._ended += 1
        wait_for(lambda: self.server.ended(self.name) == self._ended)
        wait_for(lambda: self.server.state() == "Operational")

    def wait(self) -> None:
        """Every step above has waited already."""

    def jump(self, seconds: int) -> None:
        """Leave this machine's clock alone."""

    def unplug(self) -> None:
        self._cables[-1].is_plugged = False

    def plug(self) -> None:
        self._cables[-1].is_plugged = True

    def spoil(self, how: str) -> None:
        raise NotImplementedError


class TestRealOctoPrintKeepsThePort(MachineSuite):
    @pytest.fixture
    def stage(self, server: OctoPrintServer, request: pytest.FixtureRequest) -> RealStage:
        return RealStage(server, f"{abs(hash(request.node.name))}.gcode")

    @pytest.mark.parametrize("seed", [3])
    def test_restarts_and_lost_answers_double_nothing_and_lose_nothing(
        self, stage: Stage, watcher: Watcher, seed: int
    ) -> None:
        super().test_restarts_and_lost_answers_double_nothing_and_lose_nothing(stage, watcher, seed)


def test_a_print_is_told_with_the_digest_of_its_g_code_and_its_temperatures(
    server: OctoPrintServer,
) -> None:
    stage = RealStage(server, "square.gcode")
    watcher = Watcher(stage)
    watcher.keep()
    stage.begin()
    # OctoPrint asks for temperatures some seconds later; it tells of them while it prints.
    wait_for(lambda: _channels(watcher) >= {"tool0.actual", "tool0.target", "bed.actual"})
    stage.end()
    watcher.settle()

    content = GCODE + b"; square.gcode\n"
    begun, ended = watcher.events
    assert (begun.phase, ended.phase) == (JobPhase.STARTED, JobPhase.FINISHED)
    assert begun.job == ended.job
    assert begun.file == ended.file == hashlib.sha256(content).digest()
    assert abs(ended.at - begun.at) < 600
    watcher.restart()


def _channels(watcher: Watcher) -> set[str]:
    watcher.keep()
    return {sample.channel for sample in watcher.samples}


def test_a_cancelled_print_gives_no_piece(server: OctoPrintServer) -> None:
    stage = RealStage(server, "cancelled.gcode")
    watcher = Watcher(stage)
    watcher.keep()
    stage.begin()
    watcher.keep()
    server.command(command="cancel")
    wait_for(lambda: server.ended(stage.name) == 1)
    wait_for(lambda: server.state() == "Operational")
    watcher.settle()
    watcher.restart()

    assert [event.phase for event in watcher.events] == [JobPhase.STARTED, JobPhase.STOPPED]


def test_a_wrong_key_is_a_wrong_answer_that_names_the_remedy(
    server: OctoPrintServer, tmp_path: Path
) -> None:
    (tmp_path / "octoprint").write_text("f" * 32)
    (tmp_path / "octoprint").chmod(0o600)
    machine = machine_source(f"octoprint:{server.url}", SecretFiles(folder=tmp_path))

    with pytest.raises(MachineAnswerError, match="does not accept the key") as caught:
        machine.poll(b"")

    assert "Make a new key" in caught.value.next_step
    machine.close()


def test_a_power_cut_in_the_middle_of_a_print_is_told_as_a_stop(tmp_path: Path) -> None:
    server = OctoPrintServer(tmp_path / "home")
    server.start()
    stage = RealStage(server, "cut.gcode")
    watcher = Watcher(stage)
    watcher.keep()
    stage.begin()
    watcher.keep()
    server.kill()
    with pytest.raises(MachineUnavailableError):
        watcher.poll()
    watcher.restart()
    server.start()
    machine = OctoPrint(
        site=Site(url=server.url, headers={KEY_HEADER: server.key}),
        monotonic=iter(range(0, 1_000, 16)).__next__,
    )
    for _ in range(4):
        seen = machine.poll(watcher.cursor)
        watcher.cursor = seen.cursor
        watcher.events += seen.events
    machine.close()
    server.kill()

    assert [event.phase for event in watcher.events] == [JobPhase.STARTED, JobPhase.STOPPED]
