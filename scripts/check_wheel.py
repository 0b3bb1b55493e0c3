"""Build the wheel and try it as a customer gets it: with the verifier's few packages alone."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from environments import ROOT, python

_DIST = ROOT / "build" / "dist"
_DEMO = ROOT / "build" / "demo"
_AT_MOST = 12
# What the environment itself consists of.
_OWN = {"guildmark", "pip", "setuptools"}


def main() -> int:
    """Return 1 if the wheel needs more than it says, or does not work."""
    _run(sys.executable, "scripts/setup.py", "verifier")
    wheel = _build()
    interpreter = python("verifier")
    _run(interpreter, "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", wheel)
    listing = _run(interpreter, "-m", "pip", "list", "--format", "json")
    packages = {package["name"] for package in json.loads(listing)} - _OWN
    print(f"the verifier brings {len(packages)} packages: {', '.join(sorted(packages))}")
    _run(interpreter.parent / "guildmark", "version")
    _verify_a_part(interpreter.parent / "guildmark")
    return 0 if len(packages) <= _AT_MOST else 1


def _build() -> Path:
    """Build the wheel and return it."""
    shutil.rmtree(_DIST, ignore_errors=True)
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", _DIST)
    _run(sys.executable, "-m", "pip", "wheel", *options, ROOT)
    return next(_DIST.glob("guildmark-*.whl"))


def _verify_a_part(guildmark: Path) -> None:
    """Verify a part of the last demo, where there was one."""
    for bundle in sorted(_DEMO.glob("bundles/*.zip"))[:1]:
        _run(guildmark, "verify", "--offline", "--trust", _DEMO / "trust.json", bundle)
        print(f"and verifies {bundle.name}")


def _run(*command: str | Path) -> str:
    """Run a command away from the clone, so that nothing is imported from it by accident."""
    words = [str(word) for word in command]
    place = ROOT if "scripts/setup.py" in words else ROOT / "build"
    result = subprocess.run(words, cwd=place, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{' '.join(words)}: {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


if __name__ == "__main__":
    sys.exit(main())
