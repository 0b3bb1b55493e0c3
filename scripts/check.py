"""Everything that must hold beside the tests; `--format` writes the formats instead."""

import os
import sys
from pathlib import Path

from environments import ENVIRONMENTS, ROOT, native, node
from steps import Step, run

_BIN = Path(sys.executable).parent
_SOLIDITY = ("contracts", "tests/contracts")
_SOLHINT = ROOT / "hardhat-local" / "node_modules" / "solhint" / "solhint.js"


def main() -> int:
    """Run the checks, or the formatters."""
    if "--format" in sys.argv[1:]:
        return run(_formatters())
    return run([*_python(), *_contracts(), *_texts()])


def _formatters() -> list[Step]:
    return [
        Step(name="ruff", command=[_BIN / "ruff", "format"]),
        Step(name="ruff imports", command=[_BIN / "ruff", "check", "--select", "I", "--fix"]),
        Step(name="forge fmt", command=[native("forge"), "fmt", *_SOLIDITY]),
    ]


def _python() -> list[Step]:
    return [
        Step(name="ruff format", command=[_BIN / "ruff", "format", "--check", "--quiet"]),
        Step(name="ruff check", command=[_BIN / "ruff", "check", "--quiet"]),
        Step(name="mypy", command=[_BIN / "mypy", "--no-error-summary"]),
        Step(name="imports are named", command=[sys.executable, "scripts/check_imports.py"]),
        Step(name="layers", command=[_BIN / "lint-imports", "--no-cache"]),
    ]


def _contracts() -> list[Step]:
    forge = native("forge")
    slither = ROOT / ENVIRONMENTS["security"].place / "bin" / "slither"
    path = f"{forge.parent}{os.pathsep}{node().parent}{os.pathsep}{os.environ['PATH']}"
    solhint = ("--noPoster", "--max-warnings", "0", "--config", "hardhat-local/solhint.json")
    return [
        Step(name="forge fmt", command=[forge, "fmt", "--check", *_SOLIDITY]),
        Step(name="solhint", command=[node(), _SOLHINT, *solhint, "contracts/**/*.sol"]),
        Step(
            name="slither",
            command=[slither, ".", "--config-file", "hardhat-local/slither.json"],
            # Slither cleans the output before it builds: it gets its own.
            environment={
                "PATH": path,
                "FOUNDRY_OUT": "build/slither/out",
                "FOUNDRY_CACHE_PATH": "build/slither/cache",
            },
        ),
        Step(
            name="artifacts follow from contracts",
            command=[sys.executable, "scripts/compile.py", "--check"],
        ),
        Step(name="equal bytecode", command=[sys.executable, "scripts/check_bytecode.py"]),
    ]


def _texts() -> list[Step]:
    return [
        Step(name="codespell", command=[_BIN / "codespell"]),
        Step(
            name="docs follow from code",
            command=[sys.executable, "scripts/write_docs.py", "--check"],
        ),
        Step(name="the wheel alone", command=[sys.executable, "scripts/check_wheel.py"]),
        Step(name="lock files", command=[sys.executable, "scripts/check_locks.py"]),
    ]


if __name__ == "__main__":
    sys.exit(main())
