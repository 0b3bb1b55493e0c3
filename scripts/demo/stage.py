"""What runs while the demo plays: the keeper and the nodes, each a process of its own."""

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

from environments import ROOT
from guildmark.adapters.peers.client import NodeClient

STAGE = ROOT / "build" / "demo"

_READY_SECONDS = 30.0
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
def open_stage() -> Iterator[Stage]:
    """Clear the folder, and end every process at the end, unless KEEP=1."""
    shutil.rmtree(STAGE, ignore_errors=True)
    (STAGE / "logs").mkdir(parents=True)
    stage = Stage(STAGE)
    try:
        yield stage
    except BaseException:
        stage.end()
        raise
    if os.environ.get("KEEP") != "1":
        stage.end()


def free_port() -> int:
    """Return a port that nobody listens at now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def write(path: Path, data: bytes) -> None:
    """Write a file, and its folder where it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and kill its whole group where it does not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
