"""Run Brownie with a home of its own, the pinned compiler and its own anvil on a free port."""

import hashlib
import os
import shutil
import socket
import subprocess
import sys

from compiler import compiler_settings
from environments import ENVIRONMENTS, ROOT, native, node_environment

_HOME = ROOT / "build" / "brownie" / "home"
_TESTS = ROOT / "tests" / "brownie"
_NETWORKS = """\
live: []
development:
- name: anvil on a free port
  id: guildmark
  cmd: anvil
  host: http://127.0.0.1
  timeout: 60
  cmd_settings:
    port: {port}
    accounts: 10
    base_fee: 0
    evm_version: osaka
"""


def main() -> int:
    """Run `brownie` with the arguments of the command line."""
    return brownie(*sys.argv[1:]).returncode


def brownie(*arguments: str, quiet: bool = False) -> subprocess.CompletedProcess[str]:
    """Run one Brownie command in the repository."""
    _furnish()
    environment = node_environment()
    environment["HOME"] = str(_HOME)
    environment["PATH"] = f"{native('anvil').parent}{os.pathsep}{environment['PATH']}"
    environment["PYTEST_ADDOPTS"] = f"-c {_TESTS / 'pytest.ini'} --confcutdir {_TESTS}"
    return subprocess.run(
        [str(ROOT / ENVIRONMENTS["brownie"].place / "bin" / "brownie"), *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=quiet,
        text=True,
        check=False,
    )


def _furnish() -> None:
    """Put compiler and networks where Brownie looks for them."""
    compilers = _HOME / ".solcx"
    compilers.mkdir(parents=True, exist_ok=True)
    link = compilers / f"solc-v{compiler_settings()['version']}"
    link.unlink(missing_ok=True)
    link.symlink_to(ROOT / "scripts" / "solc")
    _forget_old_build()
    networks = _HOME / ".brownie" / "network-config.yaml"
    networks.parent.mkdir(exist_ok=True)
    networks.write_text(_NETWORKS.format(port=_free_port()))


def _forget_old_build() -> None:
    """Drop what was compiled from other sources: Brownie stumbles over sources that are gone."""
    stamp = _HOME / "sources"
    content = "".join(file.read_text() for file in sorted((ROOT / "contracts").rglob("*.sol")))
    digest = hashlib.sha256(content.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    for folder in ("contracts", "interfaces"):
        shutil.rmtree(_HOME.parent / folder, ignore_errors=True)
    stamp.write_text(digest)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
