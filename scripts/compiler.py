"""The compiler's input, from the one file of settings that all four tools follow."""

import json
from typing import Any

from environments import ROOT

Json = dict[str, Any]

REMAPPING = "@openzeppelin/contracts/=hardhat-local/node_modules/@openzeppelin/contracts/"

_OUTPUT = (
    *("abi", "storageLayout", "evm.bytecode.object", "evm.deployedBytecode.object"),
    *("evm.deployedBytecode.immutableReferences",),
)


def compiler_settings() -> Json:
    """Return `hardhat-local/compiler.json`: the exact version and the settings."""
    content: Json = json.loads((ROOT / "hardhat-local" / "compiler.json").read_text())
    return content


def compiler_input(*, remappings: list[str]) -> Json:
    """Return standard JSON over all contracts, under the unit names that forge gives them."""
    files = sorted((ROOT / "contracts").rglob("*.sol"))
    names = [path.relative_to(ROOT).as_posix() for path in files]
    return {
        "language": "Solidity",
        "sources": {name: {"content": (ROOT / name).read_text()} for name in names},
        "settings": {
            **compiler_settings()["settings"],
            "remappings": remappings,
            "outputSelection": {"*": {"*": list(_OUTPUT)}},
        },
    }
