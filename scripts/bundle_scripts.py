"""What pages need of npm's packages, bundled: cryptography and a reader of codes.

What ships is in the repository.

`--check` compares instead of writing.
"""

import subprocess
import sys
from pathlib import Path

from environments import ROOT, node

_MODULES = ROOT / "hardhat-local" / "node_modules"
_STATIC = ROOT / "backend" / "guildmark" / "api" / "static"
SOURCES = (
    _STATIC / "verifier" / "crypto.source.js",
    _STATIC / "scanner" / "decoder.source.js",
)


def main() -> int:
    """Write the bundles, or return 1 if one is not that of the installed packages."""
    if "--check" not in sys.argv:
        for source in SOURCES:
            target(source).write_bytes(bundle(source))
        return 0
    return 0 if all(target(one).read_bytes() == bundle(one) for one in SOURCES) else 1


def target(source: Path) -> Path:
    """Return where the bundle of a source stands."""
    return source.with_name(source.name.replace(".source.js", ".js"))


def bundle(source: Path) -> bytes:
    """Return the bundle of the installed packages, licenses' notes included."""
    command = [str(node()), str(_esbuild()), "--bundle", "--format=esm", "--minify"]
    command += ["--charset=ascii", "--legal-comments=inline", "--log-level=error"]
    done = subprocess.run(
        command, input=source.read_bytes(), cwd=_MODULES.parent, check=True, capture_output=True
    )
    return done.stdout


def _esbuild() -> Path:
    return _MODULES / "esbuild" / "bin" / "esbuild"


if __name__ == "__main__":
    sys.exit(main())
