"""A node on embedded defaults, started as its user starts it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx


class Node:
    """A node that is started as its user starts it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process = self._start()

    @property
    def url(self) -> str:
        return str(json.loads((self.home / "node.json").read_text())["url"])

    def restart(self) -> None:
        (self.home / "node.json").unlink()
        self.process = self._start()

    def kill(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)

    def keeper(self) -> int | None:
        """Return the process that keeps the chain, None where there is none."""
        endpoint = self.home / "chain" / "endpoint.json"
        return int(json.loads(endpoint.read_text())["pid"]) if endpoint.exists() else None

    def is_ready(self) -> bool:
        assert self.process.poll() is None, (self.home / "log").read_text()
        if not (self.home / "node.json").exists():
            return False
        try:
            return httpx.get(f"{self.url}/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    def _start(self) -> "subprocess.Popen[bytes]":
        self.home.mkdir(exist_ok=True)
        with (self.home / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "guildmark", "up", "--name", "Maker Lab", "--port", "0"],
                env={**os.environ, "GUILDMARK_HOME": str(self.home)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
