"""Build programs from their Go modules into build/, for the tests that ask a real peer.

Runs on the system's Python with its standard library alone. Without Go it says so and is done:
those tests then skip by name, or fail where everything must be there.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from environments import ROOT

# A cold build on two busy cores takes minutes; more than this is no build any more.
_LIMIT = 40 * 60
_FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w")


@dataclass(frozen=True)
class Program:
    """What is built.

    Args:
        title: What people call it.
        module: The folder of its module.
        package: What of it, or of what it requires, is built.
        place: Where the program goes.
    """

    title: str
    module: Path
    package: str
    place: Path


PROGRAMS = (
    Program(
        title="Kubo",
        module=ROOT / "ipfs" / "kubo",
        package="github.com/ipfs/kubo/cmd/ipfs",
        place=ROOT / "build" / "kubo" / "ipfs",
    ),
    Program(
        title="geth",
        module=ROOT / "tests" / "peers" / "geth",
        package="github.com/ethereum/go-ethereum/cmd/geth",
        place=ROOT / "build" / "geth" / "geth",
    ),
    Program(
        title="a stock reader of logs",
        module=ROOT / "tests" / "peers" / "tlog",
        package=".",
        place=ROOT / "build" / "tlog" / "tlog",
    ),
)


def main() -> int:
    """Build each where it is not there yet, or was built from other sources."""
    go = shutil.which("go")
    for program in PROGRAMS:
        stamp, wanted = program.place.with_name("stamp"), _digest(program)
        if stamp.exists() and stamp.read_text() == wanted:
            continue
        if go is None:
            print(f"{program.title}: no Go on the path; the tests that ask it cannot run")
            continue
        _build(program, go)
        stamp.write_text(wanted)
    return 0


def _build(program: Program, go: str) -> None:
    print(f"{program.title}: building it from its Go module", flush=True)
    started = time.monotonic()
    program.place.parent.mkdir(parents=True, exist_ok=True)
    command = [go, "build", *_FLAGS, "-o", str(program.place), program.package]
    environment = {**os.environ, "CGO_ENABLED": "0"}
    subprocess.run(command, cwd=program.module, env=environment, check=True, timeout=_LIMIT)
    print(f"{program.title}: built in {time.monotonic() - started:.0f} s")


def _digest(program: Program) -> str:
    files = sorted(one for one in program.module.iterdir() if one.suffix in {".go", ".mod", ".sum"})
    return " ".join(hashlib.sha256(file.read_bytes()).hexdigest() for file in files) + "\n"


if __name__ == "__main__":
    sys.exit(main())
