"""What runs while the demo plays: the keeper and the nodes, each a process of its own."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from demo import left
from environments import ROOT
from guildmark.adapters.files import write_durably
from guildmark.adapters.peers.client import NodeClient

STAGE = ROOT / "build" / "demo"
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""By these signals a demo is ended."""

_READY_SECONDS = 120.0
_END_SECONDS = 10.0
_PAUSE = 0.05


class StageError(Exception):
    """A process of the demo did not do what it was started for."""


@dataclass
class Stage:
    """The processes, and the folder that they play in."""

    folder: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def home(self, name: str) -> Path:
        """Return an actor's home."""
        return self.folder / "homes" / name

    def keeper(self, *, port: int = 0) -> str:
        """Start the local chain's keeper and return its address; port 0 is a free one."""
        home = self.home("chain")
        (home / "chain" / "endpoint.json").unlink(missing_ok=True)
        self._start("chain", "chain", "run", "--home", str(home), "--port", str(port))
        return str(self._endpoint("chain", home / "chain" / "endpoint.json")["url"])

    def start_node(self, name: str) -> None:
        """Begin to start the node of an operator's home; it takes a moment."""
        self._start(name, "up", "--home", str(self.home(name)))

    def start_further(self, name: str) -> tuple[NodeClient, subprocess.Popen[bytes]]:
        """Start another process of a node whose database is on a server, and wait for it.

        Returns:
            A client of it, and the process.
        """
        port, own = free_port(), f"{name}-further"
        self._start(own, "up", "--home", str(self.home(name)), "--port", str(port))
        client = NodeClient(f"http://127.0.0.1:{port}")
        self._wait(own, client.is_ready)
        return client, self.processes[own]

    def node(self, name: str) -> NodeClient:
        """Return a client of a node that was started, when it is ready."""
        client = NodeClient(str(self._endpoint(name, self.home(name) / "node.json")["url"]))
        self._wait(name, client.is_ready)
        return client

    def _start(self, name: str, *words: str) -> None:
        with (self.folder / "logs" / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "guildmark", *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        left.note(self.folder, {each: found.pid for each, found in self.processes.items()})

    def _endpoint(self, name: str, path: Path) -> Mapping[str, object]:
        self._wait(name, path.exists)
        document: Mapping[str, object] = json.loads(path.read_text(encoding="utf-8"))
        return document

    def _wait(self, name: str, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not is_ready():
            if self.processes[name].poll() is not None or time.monotonic() > deadline:
                log = self.folder / "logs" / f"{name}.log"
                message = f"{name} did not start; {log} says why."
                raise StageError(message)
            time.sleep(_PAUSE)

    def end(self) -> None:
        """End every process, the last one first."""
        for process in reversed(self.processes.values()):
            _end(process)


@contextmanager
def open_stage(folder: Path, *, keep: bool) -> Iterator[Stage]:
    """Clear the folder, and end every process at the end, unless all went well and ``keep``."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "logs").mkdir(parents=True)
    stage = Stage(folder)
    try:
        yield stage
    except BaseException:
        _end_undisturbed(stage)
        raise
    if not keep:
        _end_undisturbed(stage)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other demos out of a folder as long as this one plays.

    Raises:
        StageError: Another demo plays there.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            lock.seek(0)
            number = lock.read() or "unknown"
            message = f"Another demo plays in {folder}. Wait for it, or end it: kill {number}"
            raise StageError(message) from exc
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _end_undisturbed(stage: Stage) -> None:
    """End every process, whatever signals come meanwhile."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING}
    stage.end()
    (stage.folder / left.FILE_NAME).unlink(missing_ok=True)
    for number, handler in before.items():
        signal.signal(number, handler)


def free_port() -> int:
    """Return a port that nobody listens at now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def write(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all, and its folder where it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, data)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and kill its whole group where it does not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
