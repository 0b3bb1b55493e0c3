"""The page's verifier's cryptography, bundled from npm's packages: what ships is in the repository.

`--check` compares instead of writing.
"""

import subprocess
import sys
from pathlib import Path

from environments import ROOT, node

_MODULES = ROOT / "hardhat-local" / "node_modules"
_FOLDER = ROOT / "backend" / "guildmark" / "api" / "static" / "verifier"
SOURCE, TARGET = _FOLDER / "crypto.source.js", _FOLDER / "crypto.js"


def main() -> int:
    """Write the bundle, or return 1 if it is not the one of the installed packages."""
    made = bundle()
    if "--check" not in sys.argv:
        TARGET.write_bytes(made)
        return 0
    return 0 if TARGET.read_bytes() == made else 1


def bundle() -> bytes:
    """Return the bundle of the installed packages, licenses' notes included."""
    command = [str(node()), str(_esbuild()), "--bundle", "--format=esm", "--minify"]
    command += ["--charset=ascii", "--legal-comments=inline", "--log-level=error"]
    done = subprocess.run(
        command, input=SOURCE.read_bytes(), cwd=_MODULES.parent, check=True, capture_output=True
    )
    return done.stdout


def _esbuild() -> Path:
    return _MODULES / "esbuild" / "bin" / "esbuild"


if __name__ == "__main__":
    sys.exit(main())
