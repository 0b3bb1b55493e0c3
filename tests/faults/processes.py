"""A node's life in a process of its own: ``python -m faults.processes``."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from faults import rig as rigs
from faults.proxy import FaultProxy
from guildmark.adapters.chain import deployment
from guildmark.domain.identifiers import Bytes32, Digest, LogNumber
from guildmark.domain.log.queue import Queued

_SECONDS = 300


def run(
    rig: rigs.Rig,
    database: Path,
    sent: Sequence[Queued],
    steps: int,
    *,
    before: Sequence[str] = (),
) -> tuple[int, set[Digest]]:
    """Let a process live until a step; return its exit code and what it acknowledged.

    Args:
        before: What the command begins with, such as a tracer.
    """
    acknowledged = database.with_name("acknowledged")
    acknowledged.write_bytes(b"")
    pin = database.with_name("pin.json")
    deployment.save(pin, rig.pin)
    order = {
        "url": rig.chain.url,
        "pin": str(pin),
        "database": str(database),
        "log": rig.log,
        "depth": rig.depth,
        "steps": steps,
        "acknowledged": str(acknowledged),
        "seeds": [entry.label for entry in sent],
    }
    roots = [str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    finished = subprocess.run(
        [*before, sys.executable, "-m", "faults.processes", json.dumps(order)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(roots)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=_SECONDS,
        check=False,
    )
    said = acknowledged.read_bytes()
    digests = {Digest(Bytes32(said[at : at + 32])) for at in range(0, len(said) // 32 * 32, 32)}
    if finished.returncode > 0:
        sys.stderr.write(finished.stderr.decode()[-2_000:])
    return finished.returncode, digests


def main() -> None:
    """Live as the order says."""
    order = json.loads(sys.argv[1])
    rig = rigs.attached(
        order["url"],
        deployment.load(Path(order["pin"])),
        FaultProxy(order["url"]),
        LogNumber(order["log"]),
        order["depth"],
    )
    passed = 0

    def on_step(_name: str) -> None:
        nonlocal passed
        passed += 1
        if passed == order["steps"]:
            os.kill(os.getpid(), signal.SIGKILL)

    clock = rigs.TellingClock(rigs.START + os.getpid() * 100)
    node = rig.node(Path(order["database"]), on_step=on_step, url=order["url"], clock=clock)
    handle = os.open(order["acknowledged"], os.O_WRONLY | os.O_APPEND)
    sent = [rigs.entry_of(bytes.fromhex(seed)) for seed in order["seeds"]]

    def acknowledge(digest: Digest) -> None:
        os.write(handle, digest)

    rigs.live(rig, node, sent, acknowledge)


if __name__ == "__main__":
    main()
