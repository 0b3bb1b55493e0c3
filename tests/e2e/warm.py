"""The program, warm: ``python -m e2e.warm FOLDER`` has it imported, and forks for each command.

`FOLDER/guildmark` is the program for a shell. Each command is a process of its own, with the
arguments, the folder, the environment and the files that the shell gave it; importing, which takes
longer than most commands do, was done before. Signals do not reach it.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from guildmark.cli import _COMMANDS, main

SOCKET = "socket"
PROGRAM = "guildmark"
SIZE_MAX = 1 << 20
_FILES = 3
_READY = b"ready\n"
_LATE = ("eth_account", "httpcore")
"""What commands import when they need it: most do."""

_CLIENT = f"""#!{sys.executable} -IS
import json, os, socket, sys
umask = os.umask(0)
os.umask(umask)
order = dict(words=sys.argv[1:], folder=os.getcwd(), umask=umask, environment=dict(os.environ))
server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, {SIZE_MAX})
server.connect(os.path.join(os.path.dirname(os.path.abspath(__file__)), {SOCKET!r}))
socket.send_fds(server, [json.dumps(order).encode()], [0, 1, 2])
sys.exit(int(server.recv(16) or b"1"))
"""


@contextmanager
def program() -> Iterator[Path]:
    """Yield a folder in which a shell finds the program; not measured, as it is one for many."""
    # A socket's path has 107 bytes at most, which a test's own folder may exceed.
    with TemporaryDirectory(prefix="guildmark-", ignore_cleanup_errors=True) as folder:
        yield from _started(Path(folder))


def _started(folder: Path) -> Iterator[Path]:
    roots = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "e2e.warm", folder],
        env={**kept, "PYTHONPATH": os.pathsep.join(roots)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == _READY
        yield folder
    finally:
        process.kill()
        process.communicate()


def serve(folder: Path) -> None:
    """Take commands until whoever started this has ended."""
    for name in _COMMANDS:
        import_module(f"guildmark.cli.{name}")
    for late in _LATE:
        import_module(late)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind(str(folder / SOCKET))
    listening.listen()
    client = folder / PROGRAM
    client.write_text(_CLIENT)
    client.chmod(0o700)
    os.write(1, _READY)
    while select.select([listening, sys.stdin], [], [])[0] == [listening]:
        asked, _ = listening.accept()
        if not os.fork():
            listening.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _answer(asked)
        asked.close()


def _answer(asked: socket.socket) -> None:
    """Run one command in a process of its own, and say how it ended."""
    data, files, _, _ = socket.recv_fds(asked, SIZE_MAX, _FILES)
    process = os.fork()
    if not process:
        asked.close()
        _run(json.loads(data), files)
    _, status = os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    asked.send(str(code if code >= 0 else 128 - code).encode())
    os._exit(0)


def _run(order: dict[str, Any], files: list[int]) -> None:
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(order["folder"])
    os.umask(order["umask"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = [PROGRAM, *order["words"]]
    main()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
