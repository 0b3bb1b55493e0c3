"""Build the stock reader of logs (Go's sumdb and transparency-dev) into build/tlog, for the tests.

Runs on the system's Python with its standard library alone. Without Go it says so and is done:
those tests then skip by name, or fail where everything must be there.
"""

import hashlib
import os
import shutil
import subprocess
import sys

from environments import ROOT

_MODULE = ROOT / "tests" / "peers" / "tlog"
_PLACE = ROOT / "build" / "tlog"
_LIMIT = 10 * 60
_BUILD = (
    *("build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w"),
    *("-o", str(_PLACE / "tlog"), "."),
)


def main() -> int:
    """Build it where it is not there yet, or was built from other sources."""
    stamp, wanted = _PLACE / "stamp", _digest()
    if stamp.exists() and stamp.read_text() == wanted:
        return 0
    go = shutil.which("go")
    if go is None:
        print("tlog: no Go on the path; the tests that ask a stock reader of logs cannot run")
        return 0
    print("tlog: building the stock reader of logs from its Go modules", flush=True)
    _PLACE.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "CGO_ENABLED": "0"}
    subprocess.run([go, *_BUILD], cwd=_MODULE, env=environment, check=True, timeout=_LIMIT)
    stamp.write_text(wanted)
    return 0


def _digest() -> str:
    files = [_MODULE / name for name in ("go.mod", "go.sum", "main.go")]
    return " ".join(hashlib.sha256(file.read_bytes()).hexdigest() for file in files) + "\n"


if __name__ == "__main__":
    sys.exit(main())
