"""What the demo started, written down, so that the next one can end what an earlier one left."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from guildmark.adapters.files import write_durably

FILE_NAME = "pids.json"

_PROC = Path("/proc")
_SINCE_BOOT = 19
"""Where /proc/PID/stat, behind the name in brackets, says when the process began (proc(5))."""
_BEGIN_SECONDS = 10.0
_END_SECONDS = 10.0
_PAUSE = 0.05


def note(folder: Path, processes: Mapping[str, int]) -> None:
    """Write down which processes run, each with its command and when it began."""
    document = {
        name: {"pid": pid, "process": found}
        for name, pid in processes.items()
        if (found := _begun(pid)) is not None
    }
    write_durably(folder / FILE_NAME, json.dumps(document, indent=2).encode())


def end_left(folder: Path) -> list[str]:
    """End what was written down and still runs, the last one first; return its names.

    A number that another process has by now is left alone.
    """
    try:
        document = json.loads((folder / FILE_NAME).read_bytes())
        noted = {name: (int(each["pid"]), each["process"]) for name, each in document.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return []
    left = {name: pid for name, (pid, process) in noted.items() if _described(pid) == process}
    for name in reversed(left):
        _end(left[name], noted[name][1])
    return list(left)


def _begun(pid: int) -> str | None:
    """Return how a process is described once it has its command.

    A process that was started a moment ago may have none yet.
    """
    deadline = time.monotonic() + _BEGIN_SECONDS
    while (found := _described(pid)) is not None and found.endswith(" "):
        if time.monotonic() > deadline:
            break
        time.sleep(_PAUSE)
    return found


def _described(pid: int) -> str | None:
    """Return when a process began and its command, None where there is none."""
    try:
        return _from_proc(pid) if _PROC.is_dir() else _from_ps(pid)
    except OSError:
        return None


def _from_proc(pid: int) -> str | None:
    state, *fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    command = (_PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace")
    words = command.rstrip("\0").replace("\0", " ")
    return None if state == "Z" else f"{fields[_SINCE_BOOT - 1]} {words}"


def _from_ps(pid: int) -> str | None:
    command = ["ps", "-ww", "-o", "lstart=,args=", "-p", str(pid)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def _end(pid: int, process: str) -> None:
    # Each was started as the leader of a group.
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(pid, number)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + _END_SECONDS
        while _described(pid) == process and time.monotonic() < deadline:
            time.sleep(_PAUSE)
