"""Pin every environment: requirements/*.txt with hashes, hardhat-local/package-lock.json.

Neither names an address: whoever installs chooses the registry, the hashes hold for any.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from environments import ENVIRONMENTS, ROOT, node_environment, npm_command

_NPM = ROOT / "hardhat-local"
_HEADER = "# Made by `make lock` from pyproject.toml; {what}.\n"
# Environments that share a place keep shared packages at one version.
_CONSTRAINTS = {"product": ("build",), "dev": ("build", "product"), "verifier": ("product",)}
_WHAT = {
    "build": "what every environment builds packages with",
    "product": "the node, the agent, the verifier and the local chain's Node",
    "dev": "the product and all that tests and checks it in the same environment",
    "brownie": "Brownie, which pins some 75 packages of its own",
    "security": "Slither, which cannot live with this web3",
    "octoprint": "OctoPrint and its virtual printer, which tests print on",
    "statistics": "pingouin and statsmodels, which tests compare our statistics with",
    "verifier": "what `pip install guildmark` brings, for the try of the wheel",
    "bootstrap": "what makes environments where the system's Python cannot",
    "docs": "the documentation's site",
    "examples": "the CAD kernel and the picture of `make examples`",
}
_PLATFORM = re.compile(
    r"-(?P<os>darwin|linux|win32)-(?P<cpu>x64|amd64|arm64)(-(?P<libc>gnu|musl|msvc))?$"
)


def main() -> None:
    """Make the lock files named on the command line, or all."""
    wanted = sys.argv[1:] or [*ENVIRONMENTS, "npm"]
    for name in wanted:
        if name == "npm":
            _lock_npm()
        else:
            _lock_python(name)


def _lock_python(name: str) -> None:
    """Resolve one environment for Python 3.11 on every platform."""
    target = ROOT / "requirements" / f"{name}.txt"
    target.parent.mkdir(exist_ok=True)
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header"),
        *("--generate-hashes", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
        *("--universal", "--python-version", "3.11", "--upgrade"),
        *ENVIRONMENTS[name].sources,
        *("--output-file", str(target)),
    ]
    for shared in _CONSTRAINTS.get(name, ()):
        command += ["--constraint", f"requirements/{shared}.txt"]
    subprocess.run(command, cwd=ROOT, check=True)
    target.write_text(_HEADER.format(what=_WHAT[name]) + target.read_text())


def _lock_npm() -> None:
    """Resolve the npm side anew, in an empty folder: beside installed packages npm drops hashes."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", ".npmrc"):
            shutil.copy(_NPM / name, folder)
        command = npm_command("install", "--package-lock-only")
        subprocess.run(command, cwd=folder, check=True, env=node_environment())
        content = json.loads((Path(folder) / "package-lock.json").read_text())
    _name_absent_platforms(content["packages"])
    (_NPM / "package-lock.json").write_text(json.dumps(content, indent=2) + "\n")


def _name_absent_platforms(packages: dict[str, Any]) -> None:
    """Name the native packages of platforms that this registry does not hold.

    `npm ci` refuses a lock that lacks them, though it never installs them here. They carry no
    hash, since nobody has seen them: only Linux on x86-64 is pinned whole.
    """
    for package in list(packages.values()):
        for name, version in package.get("optionalDependencies", {}).items():
            place = f"node_modules/{name}"
            match = _PLATFORM.search(name)
            if place in packages or match is None:
                continue
            packages[place] = {
                "version": version,
                "cpu": [match["cpu"].replace("amd64", "x64")],
                "os": [match["os"]],
                "optional": True,
            }


if __name__ == "__main__":
    main()
