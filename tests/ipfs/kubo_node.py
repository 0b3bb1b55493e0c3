"""A real Kubo of the tests' own: no network but this machine, killed and started at will."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

_BUILT = Path(__file__).resolve().parents[2] / "build" / "kubo" / "ipfs"
# `make system` builds the pinned one; elsewhere the path's may serve.
_PROGRAM = str(_BUILT) if _BUILT.exists() else shutil.which("ipfs")
_CONFIG = {
    "AutoConf.Enabled": "false",
    "Bootstrap": "[]",
    "DNS.Resolvers": "{}",
    "Routing.DelegatedRouters": "[]",
    "Ipns.DelegatedPublishers": "[]",
}


class KuboNode:
    """A repository and, between ``start`` and ``stop``, the daemon on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._daemon: subprocess.Popen[bytes] | None = None
        self.port, self.gateway_port = _free_port(), _free_port()
        self.run("init", "--profile=test")
        for name, value in _CONFIG.items():
            self.run("config", "--json", name, value)
        self.run("config", "Addresses.API", f"/ip4/127.0.0.1/tcp/{self.port}")
        self.run("config", "Addresses.Gateway", f"/ip4/127.0.0.1/tcp/{self.gateway_port}")

    @property
    def address(self) -> str:
        return f"/ip4/127.0.0.1/tcp/{self.port}/http"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"

    def run(self, *arguments: str, data: bytes | None = None) -> bytes:
        """Run one command and return what it prints."""
        done = subprocess.run(
            [str(_PROGRAM), *arguments],
            env=self._environment(),
            input=data,
            check=True,
            capture_output=True,
        )
        return done.stdout

    def start(self) -> None:
        (self.folder / "api").unlink(missing_ok=True)
        with (self.folder / "daemon.log").open("ab") as log:
            command = [str(_PROGRAM), "daemon", "--offline"]
            self._daemon = subprocess.Popen(
                command, env=self._environment(), stdout=log, stderr=log
            )
        for _ in range(600):
            assert self._daemon.poll() is None
            if self._answers():
                return
            time.sleep(0.05)
        raise TimeoutError

    def kill(self) -> None:
        """End the daemon as a power cut does."""
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait()
            self._daemon = None

    def freeze(self) -> None:
        """Have the daemon stand still, its connections open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.terminate()
            self._daemon.wait()
            self._daemon = None

    def _signal(self, number: signal.Signals) -> None:
        assert self._daemon is not None
        self._daemon.send_signal(number)

    def _answers(self) -> bool:
        if not (self.folder / "api").exists():
            return False
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except ConnectionRefusedError:
            return False

    def _environment(self) -> Mapping[str, str]:
        folder = str(self.folder)
        return {"PATH": os.environ["PATH"], "HOME": folder, "IPFS_PATH": folder}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def address_by_kubo(file: Path, folder: Path) -> str:
    """Return the address that Kubo computes of a file; its repository is made in ``folder``."""
    environment = {**os.environ, "IPFS_PATH": str(folder)}
    shape = ("--cid-version=1", "--raw-leaves", "--chunker=size-1048576", "--max-file-links=1024")
    init, add = ["init", "--profile=test"], ["add", "--only-hash", "--quieter", *shape, str(file)]
    _run(init, environment)
    return _run(add, environment).decode().strip()


def _run(command: list[str], environment: Mapping[str, str]) -> bytes:
    program = [str(_PROGRAM), *command]
    return subprocess.run(program, env=environment, check=True, capture_output=True).stdout
