"""Faults of single system calls: a node's life in a fork, with strace in front of the kernel."""

import ctypes
import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from guildmark.domain.identifiers import Bytes32, Digest

# What reaches the disk, and what reaches the chain's node.
FILES = ("write", "pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "rename")
TALKS = ("sendto", "recvfrom")
FAULTS = ("signal=KILL", "error=EIO", "error=ENOSPC")
_SECONDS = 120.0
_PAUSE = 0.005
# prctl: anybody may trace this process, also where only parents may.
_PR_SET_PTRACER, _ANYBODY = 0x59616D61, ctypes.c_ulong(-1)
_CALL = re.compile(r"^(\w+)\(", re.MULTILINE)

Work = Callable[[Callable[[Digest], None]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A system call of a life, and what befalls it.

    Args:
        number: The how-many-eth of its name it is.
    """

    call: str
    number: int
    fault: str

    @property
    def option(self) -> str:
        return f"inject={self.call}:{self.fault}:when={self.number}"


def moments(told: str) -> Sequence[Moment]:
    """Return every fault of every call that a trace tells of; a network has no full disk."""
    counts: Counter[str] = Counter()
    found: list[Moment] = []
    for call in _CALL.findall(told):
        counts[call] += 1
        faults = FAULTS if call in FILES else FAULTS[:2]
        found += [Moment(call=call, number=counts[call], fault=fault) for fault in faults]
    return found


def traced(work: Work, trace: Path, moment: Moment | None = None) -> tuple[int, set[Digest]]:
    """Live in a fork under strace; return its exit code and what it acknowledged."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANYBODY, 0, 0, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
            work(lambda digest: _said(writer, digest))
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    os.waitpid(pid, os.WUNTRACED)
    tracer = _attach(pid, trace, moment)
    os.kill(pid, signal.SIGCONT)
    with os.fdopen(reader, "rb") as file:
        said = file.read()
    _, status = os.waitpid(pid, 0)
    tracer.wait(_SECONDS)
    digests = {Digest(Bytes32(said[at : at + 32])) for at in range(0, len(said) // 32 * 32, 32)}
    return os.waitstatus_to_exitcode(status), digests


def _attach(pid: int, trace: Path, moment: Moment | None) -> "subprocess.Popen[bytes]":
    options = [] if moment is None else ["-e", moment.option]
    command = [
        *("strace", "-qq", "-o", str(trace), "-p", str(pid)),
        *("-e", f"trace={','.join((*FILES, *TALKS))}", *options),
    ]
    tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + _SECONDS
    while f"TracerPid:\t{tracer.pid}\n" not in Path(f"/proc/{pid}/status").read_text():
        assert tracer.poll() is None, "strace may not trace here"
        assert time.monotonic() < deadline, "strace does not begin in time"
        time.sleep(_PAUSE)
    return tracer


def _said(writer: int, digest: Digest) -> None:
    os.write(writer, digest)
