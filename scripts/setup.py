"""Fill the environments from their lock files: `setup.py product|dev|brownie|security|docs ...`.

Runs on the system's Python with its standard library alone. A stamp beside each environment
names what it was filled from, so that a second run has nothing to do.
"""

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from environments import ENVIRONMENTS, ROOT, node_environment, npm_command

_NPM = ROOT / "hardhat-local"
_IN_WORKING_TREE = {"product", "dev"}
_SOURCES = ("backend", "ipfs", "scripts")
_QUIET = ("--quiet", "--disable-pip-version-check", "--no-input")
# Without isolation pip builds with the pinned tools, and fetches no others.
_LOCKED = ("--require-hashes", "--no-deps", "--no-build-isolation", "-r")


def main() -> None:
    """Set the named environments up, the product's with its npm side."""
    for name in sys.argv[1:]:
        _fill(name)
        if name in _IN_WORKING_TREE:
            _compile(ROOT / ENVIRONMENTS[name].place)
            _install_npm(everything=name == "dev")


def _fill(name: str) -> None:
    place = ROOT / ENVIRONMENTS[name].place
    locks = [ROOT / "requirements" / f"{name}.txt", ROOT / "pyproject.toml"]
    # The development environment is the product's and more, in the same place.
    stamps = [place / f".stamp-{name}"]
    if name == "product":
        stamps.append(place / ".stamp-dev")
    if any(_is_fresh(stamp, _wanted_by(stamp, locks)) for stamp in stamps):
        return
    print(f"setup: {name} environment in {place.relative_to(ROOT)}")
    python = _make(place)
    tools = [ROOT / "requirements" / "build.txt"] if ENVIRONMENTS[name].has_tools else []
    for lock in [*tools, locks[0]]:
        _pip(python, *_LOCKED, str(lock))
    if name in _IN_WORKING_TREE:
        _pip(python, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    stamps[0].write_text(_digest(locks))


def _wanted_by(stamp: Path, locks: list[Path]) -> str:
    lock = ROOT / "requirements" / f"{stamp.name.removeprefix('.stamp-')}.txt"
    return _digest([lock, *locks[1:]])


def _make(place: Path) -> Path:
    """Make an empty environment and return its Python."""
    python = place / "bin" / "python"
    if python.exists():
        return python
    environment = dict(os.environ)
    module = ["venv"]
    if importlib.util.find_spec("ensurepip") is None:
        environment["PYTHONPATH"] = str(_virtualenv())
        module = ["virtualenv", "--quiet"]
    command = [sys.executable, "-m", *module, str(place)]
    subprocess.run(command, check=True, env=environment)
    return python


def _virtualenv() -> Path:
    """Put virtualenv below build/: Debian ships a Python without ensurepip."""
    place = ROOT / ENVIRONMENTS["bootstrap"].place
    lock = ROOT / "requirements" / "bootstrap.txt"
    if not (place / "virtualenv").is_dir():
        _pip(Path(sys.executable), "--target", str(place), *_LOCKED, str(lock))
    return place


def _pip(python: Path, *arguments: str) -> None:
    command = [str(python), "-m", "pip", "install", *_QUIET, *arguments]
    subprocess.run(command, check=True, cwd=ROOT)


def _compile(place: Path) -> None:
    """Compile our own modules as pip compiles all others; what is up to date stays.

    Where PYTHONDONTWRITEBYTECODE is set, each process would compile them anew: a node takes half a
    second longer to start.
    """
    command = [str(place / "bin" / "python"), "-m", "compileall", "-q", "-j", "0", *_SOURCES]
    subprocess.run(command, check=True, cwd=ROOT)


def _install_npm(*, everything: bool) -> None:
    """Install the local chain's packages, with the contracts' toolchain where `everything`."""
    locks = [_NPM / "package-lock.json", _NPM / "package.json"]
    stamp = _NPM / "node_modules" / (".stamp-dev" if everything else ".stamp-product")
    both = (stamp, stamp.with_name(".stamp-dev"))
    if any(_is_fresh(each, _digest(locks)) for each in both):
        return
    print("setup: npm packages in hardhat-local/node_modules")
    options = () if everything else ("--omit=dev",)
    command = npm_command("ci", "--loglevel=error", "--no-progress", *options)
    subprocess.run(command, check=True, cwd=_NPM, env=node_environment())
    stamp.write_text(_digest(locks))


def _is_fresh(stamp: Path, wanted: str) -> bool:
    return stamp.exists() and stamp.read_text() == wanted


def _digest(files: list[Path]) -> str:
    digests = (hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
    return f"{sys.version_info.major}.{sys.version_info.minor} {' '.join(digests)}\n"


if __name__ == "__main__":
    main()
