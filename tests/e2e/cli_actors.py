"""Actors as people play them: each a home, each word to the system a `guildmark` command."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_READY_SECONDS = 60.0
_PAUSE = 0.1


@dataclass(frozen=True)
class Spoken:
    """What a command left behind."""

    exit: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Actor:
    """Who works in a home."""

    home: Path

    def try_to(self, *words: object) -> Spoken:
        """Run a command and return how it ended."""
        done = subprocess.run(
            [sys.executable, "-m", "guildmark", *map(str, words)],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Spoken(exit=done.returncode, out=done.stdout.strip(), err=done.stderr)

    def say(self, *words: object) -> str:
        """Run a command that must succeed and return its result."""
        spoken = self.try_to(*words)
        assert spoken.exit == 0, f"{words}: {spoken.err}"
        return spoken.out

    def ask(self, *words: object) -> Any:
        """Run a command that must succeed and return its result as JSON."""
        return json.loads(self.say(*words, "--json"))

    @contextlib.contextmanager
    def keeping(self, *words: object, ready: Path) -> Iterator[Any]:
        """Run a command that stays, until its file says that it is ready; end it with its work."""
        process = subprocess.Popen(
            [sys.executable, "-m", "guildmark", *map(str, words)],
            env=self._environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            _wait_for(ready, process)
            yield json.loads(ready.read_bytes())
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)

    def _environment(self) -> dict[str, str]:
        named = {"GUILDMARK_HOME": str(self.home)}
        return {**os.environ, **named}


def _wait_for(ready: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not ready.exists():
        if process.poll() is not None:
            _, errors = process.communicate()
            raise AssertionError(errors.decode())
        assert time.monotonic() < deadline, f"{ready} did not appear"
        time.sleep(_PAUSE)
