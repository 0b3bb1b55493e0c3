"""Compile with four tools from one file of settings and compare what creates each contract.

Leaves build/bytecode.json: py-solc-x, forge, Hardhat and Brownie side by side.
"""

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

from compile import compiled
from compiler import REMAPPING, compiler_settings
from environments import ROOT, native, node, node_environment
from guildmark.adapters.chain.artifacts import SOLIDITY_NAMES
from reports import write_rows
from run_brownie import brownie

_BUILD = ROOT / "build"
_HARDHAT = ROOT / "hardhat-local"

Bytecodes = dict[str, str]


def main() -> int:
    """Write the digests and return 1 if two tools differ, or a tool's settings do."""
    problems = _settings_that_differ()
    by_tool = {tool: compile_all() for tool, compile_all in _TOOLS.items()}
    rows = []
    for contract in SOLIDITY_NAMES.values():
        digests = {tool: _digest(codes[contract]) for tool, codes in by_tool.items()}
        rows.append({"contract": contract, **digests})
        if len(set(digests.values())) > 1:
            problems.append(f"{contract}: the tools disagree: {digests}")
    write_rows("bytecode", rows)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _settings_that_differ() -> list[str]:
    """Compare the settings that forge and Brownie must repeat with those of the one file."""
    pinned = compiler_settings()
    settings = pinned["settings"]
    forge = tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]["default"]
    brownie_file = (ROOT / "brownie-config.yaml").read_text()
    wanted = {
        "optimizer": settings["optimizer"]["enabled"],
        "optimizer_runs": settings["optimizer"]["runs"],
        "evm_version": settings["evmVersion"],
        "via_ir": settings["viaIR"],
        "bytecode_hash": settings["metadata"]["bytecodeHash"],
        "cbor_metadata": settings["metadata"]["appendCBOR"],
        "remappings": [REMAPPING],
    }
    found = [
        f"foundry.toml: {key} is not {value}"
        for key, value in wanted.items()
        if forge.get(key) != value
    ]
    lines = {
        f"version: {pinned['version']}",
        f"evm_version: {settings['evmVersion']}",
        f"enabled: {json.dumps(settings['optimizer']['enabled'])}",
        f"runs: {settings['optimizer']['runs']}",
        f"viaIR: {json.dumps(settings['viaIR'])}",
        f'- "{REMAPPING}"',
    }
    missing = lines - {line.strip() for line in brownie_file.splitlines()}
    return found + [f"brownie-config.yaml: no line `{line}`" for line in sorted(missing)]


def _solcx() -> Bytecodes:
    return {content["contract"]: content["bytecode"] for content in compiled().values()}


def _forge() -> Bytecodes:
    _run([str(native("forge")), "build", "contracts"], ROOT)
    place = _BUILD / "forge" / "out"
    return _read(lambda name: place / f"{name}.sol" / f"{name}.json", "bytecode", "object")


def _hardhat() -> Bytecodes:
    script = _HARDHAT / "node_modules" / "hardhat" / "dist" / "src" / "cli.js"
    _run([str(node()), str(script), "build", "--quiet"], _HARDHAT)
    place = _BUILD / "hardhat" / "artifacts" / "contracts"
    return _read(lambda name: place / f"{name}.sol" / f"{name}.json", "bytecode")


def _brownie() -> Bytecodes:
    result = brownie("compile", quiet=True)
    if result.returncode != 0:
        sys.exit(result.stdout + result.stderr)
    return _read(lambda name: _BUILD / "brownie" / "contracts" / f"{name}.json", "bytecode")


_TOOLS: dict[str, Callable[[], Bytecodes]] = {
    "solcx": _solcx,
    "forge": _forge,
    "hardhat": _hardhat,
    "brownie": _brownie,
}


def _read(place: Callable[[str], Path], *keys: str) -> Bytecodes:
    codes = {}
    for contract in SOLIDITY_NAMES.values():
        content = json.loads(place(contract).read_text())
        for key in keys:
            content = content[key]
        codes[contract] = str(content)
    return codes


def _run(command: list[str], place: Path) -> None:
    environment = {**node_environment(), "HARDHAT_DISABLE_TELEMETRY_PROMPT": "true"}
    result = subprocess.run(
        command, cwd=place, env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        sys.exit(f"{os.fspath(command[0])}:\n{result.stdout}{result.stderr}")


def _digest(code: str) -> str:
    return hashlib.sha256(bytes.fromhex(code.removeprefix("0x"))).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
