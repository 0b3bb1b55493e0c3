"""A bundle is verified where there is no network at all, and no socket is asked for."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes.corpus.good import good_cases
from guildmark.domain import trust
from namespaces import without_network

pytestmark = pytest.mark.needs("network-namespace")

_ANY_AGE = 1 << 40
_CONNECT = "import socket; socket.create_connection(('127.0.0.1', 1), timeout=5)"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a good bundle, the same with a flipped bit, and a reader's list."""
    folder = tmp_path_factory.mktemp("offline")
    case = next(good_cases())
    assert case.trust is not None
    reader = replace(case.trust, policy=replace(case.trust.policy, max_age=_ANY_AGE))
    (folder / "trust.json").write_bytes(trust.serialise(reader))
    (folder / "good.zip").write_bytes(case.bundle)
    (folder / "bad.zip").write_bytes(case.bundle[:-1] + bytes([case.bundle[-1] ^ 1]))
    return folder


def verify(files: Path, name: str, before: Sequence[str]) -> tuple[int, Any]:
    """Run the command line behind other words; return its exit code and what it printed."""
    options = ["--offline", "--json", "--trust", str(files / "trust.json")]
    command = [*before, sys.executable, "-m", "guildmark", "verify", *options, str(files / name)]
    environment = {
        "PATH": os.environ["PATH"],
        # Without it the C library asks a name service where the user's home is.
        "HOME": str(files),
        "PYTHONPATH": os.pathsep.join(sys.path),
        "GUILDMARK_HOME": str(files / "home"),
    }
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize(("name", "code"), [("good.zip", 0), ("bad.zip", 14)])
def test_verdict_is_the_same_without_a_network(files: Path, name: str, code: int) -> None:
    apart = verify(files, name, without_network())

    assert apart == verify(files, name, ())
    assert apart[0] == code


def test_there_is_no_network_in_there() -> None:
    command = [*without_network(), sys.executable, "-c", _CONNECT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "unreachable" in done.stderr


@pytest.mark.needs("strace")
@pytest.mark.parametrize(("name", "code"), [("good.zip", 0), ("bad.zip", 14)])
def test_no_socket_is_asked_for(files: Path, tmp_path: Path, name: str, code: int) -> None:
    trace = tmp_path / "trace"
    watched = ["strace", "-f", "-e", "trace=%network,execve", "-o", str(trace)]

    assert verify(files, name, watched)[0] == code
    calls = [line.split(maxsplit=1)[1] for line in trace.read_text().splitlines()]
    assert calls[0].startswith("execve(")
    assert not [call for call in calls if not call.startswith(("execve(", "+++", "---"))]
