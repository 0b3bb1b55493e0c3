"""A real OctoPrint with its virtual printer: a process of its own, in an environment of its own."""

import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

_PROGRAM = (
    Path(__file__).resolve().parents[1] / "build" / "octoprint" / "venv" / "bin" / "octoprint"
)
# Whatever asks other hosts, or its first user, is off; the printer answers as fast as it can.
_OFF = (
    *("announcements", "discovery", "errortracking", "firmware_check", "gcodeviewer"),
    *("health_check", "pi_support", "pluginmanager", "softwareupdate", "tracking"),
)
_PATIENCE = 240.0


def _settings(key: str) -> Any:
    return {
        "api": {"key": key},
        "server": {
            "firstRun": False,
            "ignoreIncompleteStartup": True,
            "onlineCheck": {"enabled": False},
            "pluginBlacklist": {"enabled": False},
        },
        "plugins": {
            "_disabled": list(_OFF),
            "virtual_printer": {"enabled": True, "throttle": 0.0001, "sendBusy": False},
        },
        "serial": {"port": "VIRTUAL", "baudrate": 115200, "autoconnect": True},
        "gcodeAnalysis": {"runAt": "never"},
        "webcam": {"timelapse": {"type": "off"}},
    }


class OctoPrintServer:
    """OctoPrint's folder and, between ``start`` and ``stop``, its process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = secrets.token_hex(16)
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        # YAML reads JSON.
        (folder / "config.yaml").write_text(json.dumps(_settings(self.key)))
        (folder / "config.yaml").chmod(0o600)

    def start(self) -> None:
        """Start it, again where another process took the port first."""
        for _ in range(5):
            if self._start():
                return
        raise RuntimeError((self.folder / "out.log").read_text()[-2_000:])

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def put(self, name: str, content: bytes) -> None:
        """Hand a file in."""
        self._ask("POST", "/api/files/local", files={"file": (name, content)})

    def begin(self, name: str) -> None:
        """Print a file."""
        command = {"command": "select", "print": True}
        self._ask("POST", f"/api/files/local/{name}", json=command)

    def command(self, **command: str) -> None:
        """Say something of the present job."""
        self._ask("POST", "/api/job", json=command)

    def ended(self, name: str) -> int:
        """Return how many runs of a file its history counts."""
        prints = self._ask("GET", f"/api/files/local/{name}").json().get("prints", {})
        return int(prints.get("success", 0)) + int(prints.get("failure", 0))

    def state(self) -> str:
        """Return what the printer does."""
        return str(self._ask("GET", "/api/job").json()["state"])

    def _start(self) -> bool:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [str(_PROGRAM), "serve", "--iknowwhatimdoing", "--basedir", str(self.folder)]
        with (self.folder / "out.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--port", str(port)],
                stdout=log,
                stderr=log,
                env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            )
        return self._is_ready(self._process)

    def _is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        end = time.monotonic() + _PATIENCE
        while process.poll() is None and time.monotonic() < end:
            try:
                if self.state() == "Operational":
                    return True
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        self.kill()
        return False

    def _ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        answer = httpx.request(
            method, self.url + path, headers={"X-Api-Key": self.key}, timeout=60.0, **content
        )
        return answer.raise_for_status()


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + _PATIENCE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)
