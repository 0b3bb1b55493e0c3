"""Build Kubo from its Go module into build/kubo, for the tests that ask a real IPFS node.

Runs on the system's Python with its standard library alone. Without Go it says so and is done:
those tests then skip by name, or fail where everything must be there.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from environments import ROOT

_MODULE = ROOT / "ipfs" / "kubo"
_PLACE = ROOT / "build" / "kubo"
# A cold build on two busy cores takes minutes; more than this is no build any more.
_LIMIT = 40 * 60
_BUILD = (
    *("build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w"),
    *("-o", str(_PLACE / "ipfs"), "github.com/ipfs/kubo/cmd/ipfs"),
)


def main() -> int:
    """Build it where it is not there yet, or was built from other modules."""
    stamp, wanted = _PLACE / "stamp", _digest()
    if stamp.exists() and stamp.read_text() == wanted:
        return 0
    go = shutil.which("go")
    if go is None:
        print("Kubo: no Go on the path; the tests that need a real node cannot run")
        return 0
    print("Kubo: building it from its Go module", flush=True)
    started = time.monotonic()
    _PLACE.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "CGO_ENABLED": "0"}
    subprocess.run([go, *_BUILD], cwd=_MODULE, env=environment, check=True, timeout=_LIMIT)
    stamp.write_text(wanted)
    print(f"Kubo: built in {time.monotonic() - started:.0f} s")
    return 0


def _digest() -> str:
    files: tuple[Path, ...] = (_MODULE / "go.mod", _MODULE / "go.sum")
    return " ".join(hashlib.sha256(file.read_bytes()).hexdigest() for file in files) + "\n"


if __name__ == "__main__":
    sys.exit(main())
