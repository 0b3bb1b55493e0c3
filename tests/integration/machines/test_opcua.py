"""A machine behind a real OPC UA server: what is told once, what is a gap, what nobody saw."""

import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua
from asyncua.sync import Server, ThreadLoop

from floor import Watcher
from guildmark.adapters.machines.registry import machine_source
from guildmark.adapters.machines.secrets import SecretFiles
from guildmark.domain.shopfloor.jobs import JobPhase, Observation
from guildmark.ports.shopfloor import Machine, MachineAnswerError, MachineUnavailableError

NUMBERS = count()
STARTED, FINISHED, STOPPED = JobPhase.STARTED, JobPhase.FINISHED, JobPhase.STOPPED


@dataclass
class Hall:
    """A real server, which may be stopped and started anew at its port."""

    port: int
    loop: ThreadLoop
    server: Server
    nodes: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, value: Any) -> None:
        objects = self.server.nodes.objects
        self.nodes[name] = objects.add_variable(
            ua.NodeId.from_string(f"ns=2;s={name}"), name, value
        )

    def write(self, name: str, value: Any) -> None:
        self.nodes[name].write_value(value)


@dataclass
class Lathe:
    """A machine that a real server speaks for; its variables have names of its own."""

    hall: Hall
    secrets: SecretFiles
    has_counter: bool = True
    parts: int = 7
    ready: Any = "READY"
    name: str = field(default_factory=lambda: f"lathe{next(NUMBERS)}")

    tells_beginnings = True
    spoilings: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name, value in (("Execution", self.ready), ("PartCount", 7), ("Program", "O100")):
            self.hall.add(f"{self.name}.{name}", value)

    def say(self, **values: Any) -> None:
        for name, value in values.items():
            self.hall.write(f"{self.name}.{name}", value)

    def open(self) -> Machine:
        counter = f"&count=ns=2;s={self.name}.PartCount" if self.has_counter else ""
        named = f"execution=ns=2;s={self.name}.Execution&program=ns=2;s={self.name}.Program"
        return machine_source(f"opcua:{place(self.hall)}?{named}{counter}", self.secrets)

    def wait(self) -> None:
        """Wait for nothing: who asks again waits for what he wants."""

    def begin(self) -> None:
        self.say(Execution="ACTIVE")

    def end(self) -> None:
        self.parts += 1
        self.say(PartCount=self.parts)
        self.say(Execution="PROGRAM_COMPLETED")

    def jump(self, seconds: int) -> None:
        raise NotImplementedError

    def unplug(self) -> None:
        self.hall.server.stop()

    def plug(self) -> None:
        self.hall.server.start()

    def spoil(self, how: str) -> None:
        raise NotImplementedError


def place(hall: Hall) -> str:
    return f"opc.tcp://127.0.0.1:{hall.port}/hall"


@pytest.fixture(scope="module")
def hall() -> Iterator[Hall]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with ThreadLoop() as loop:
        server = Server(tloop=loop)
        hall = Hall(port, loop, server)
        server.set_endpoint(place(hall))
        server.register_namespace("urn:hall")
        server.start()
        yield hall
        server.stop()


@pytest.fixture
def lathe(hall: Hall, tmp_path: Path) -> Lathe:
    return Lathe(hall, SecretFiles(folder=tmp_path))


@pytest.fixture
def watcher(lathe: Lathe) -> Iterator[Watcher]:
    watcher = Watcher(lathe)
    watcher.keep()
    yield watcher
    watcher.restart()


def until(watcher: Watcher, is_there: Callable[[], object]) -> None:
    """Ask until something was told; a slow machine may take its time."""
    for _ in range(100_000):
        watcher.keep()
        if is_there():
            return
    message = f"It was not told; there is {watcher.events}."
    raise AssertionError(message)


def finished(watcher: Watcher, runs: int = 1) -> Callable[[], bool]:
    return lambda: len(watcher.names(FINISHED)) >= runs


def told(watcher: Watcher) -> list[tuple[JobPhase, int]]:
    return [(event.phase, len(event.pieces)) for event in watcher.events]


def test_a_run_is_told_with_its_program_and_its_parts(hall: Hall, tmp_path: Path) -> None:
    idle, busy = ua.LocalizedText("NotExecuting"), ua.LocalizedText("Executing")
    lathe = Lathe(hall, SecretFiles(folder=tmp_path), ready=idle)
    watcher = Watcher(lathe)
    watcher.keep()
    lathe.say(Program="O200")
    lathe.say(Execution=busy)
    until(watcher, lambda: watcher.names(STARTED))
    lathe.say(PartCount=9)
    lathe.say(Execution=idle)
    until(watcher, finished(watcher))
    watcher.restart()

    begun, ended = watcher.events
    assert (begun.job, begun.phase, begun.file_name) == (ended.job, STARTED, "O200")
    assert (ended.phase, len(ended.pieces)) == (FINISHED, 2)


def test_what_was_not_kept_is_told_again_and_then_no_more(lathe: Lathe, watcher: Watcher) -> None:
    lathe.begin()
    lathe.end()
    lost = Observation.nothing(b"")
    while FINISHED not in {event.phase for event in lost.events}:
        lost = watcher.poll()

    again = watcher.poll()
    watcher.keep()
    watcher.keep()

    assert [event.job for event in again.events] == [event.job for event in lost.events]
    assert told(watcher) == [(STARTED, 0), (FINISHED, 1)]


def test_an_agent_that_restarts_in_a_run_goes_on_with_it(lathe: Lathe, watcher: Watcher) -> None:
    lathe.begin()
    until(watcher, lambda: watcher.names(STARTED))
    watcher.restart()
    watcher.keep()
    watcher.restart()
    lathe.end()
    until(watcher, finished(watcher))
    watcher.restart()
    watcher.keep()

    assert told(watcher) == [(STARTED, 0), (FINISHED, 1)]
    assert len({event.job for event in watcher.events}) == 1


def test_parts_that_were_made_while_nobody_looked_are_one_run_behind_a_gap(
    lathe: Lathe, watcher: Watcher
) -> None:
    watcher.restart()
    for _ in range(3):
        lathe.begin()
        lathe.end()

    seen = watcher.poll()
    watcher.keep()
    watcher.keep()

    assert [(gap.last, gap.first) for gap in seen.gaps] == [(None, 3)]
    assert told(watcher) == [(STARTED, 0), (FINISHED, 3)]
    assert watcher.events[0].job.endswith("-unseen")


def test_a_server_that_goes_and_comes_back_loses_and_doubles_nothing(
    lathe: Lathe, watcher: Watcher
) -> None:
    lathe.begin()
    until(watcher, lambda: watcher.names(STARTED))
    lathe.unplug()
    for _ in range(2):
        with pytest.raises(MachineUnavailableError):
            watcher.poll()
    lathe.end()
    lathe.plug()

    until(watcher, finished(watcher))
    watcher.keep()

    assert told(watcher) == [(STARTED, 0), (FINISHED, 1)]


def test_a_run_whose_end_nobody_saw_and_no_counter_shows_gave_nothing(lathe: Lathe) -> None:
    lathe.has_counter = False
    watcher = Watcher(lathe)
    watcher.keep()
    lathe.begin()
    until(watcher, lambda: watcher.names(STARTED))
    watcher.restart()
    lathe.say(Execution="READY")

    until(watcher, lambda: watcher.names(STOPPED))
    lathe.begin()
    lathe.end()
    until(watcher, finished(watcher))
    watcher.restart()

    assert told(watcher) == [(STARTED, 0), (STOPPED, 0), (STARTED, 0), (FINISHED, 1)]


def test_variables_that_are_not_there_are_named_as_the_trouble(lathe: Lathe) -> None:
    for node in ("ns=2;s=Nothing", "nonsense"):
        machine = machine_source(f"opcua:{place(lathe.hall)}?execution={node}", lathe.secrets)
        with pytest.raises(MachineAnswerError, match="variables"):
            machine.poll(b"")
        machine.close()
