"""Compile the contracts and write what ships in the wheel; `--check` only compares."""

import re
import sys
from pathlib import Path
from typing import Any

import solcx

from compiler import REMAPPING, Json, compiler_input
from environments import ROOT
from guildmark.adapters.chain.artifacts import SOLIDITY_NAMES
from reports import dump

_TARGET = ROOT / "backend" / "guildmark" / "adapters" / "chain" / "artifacts"
_AST_ID = re.compile(r"(?<=\))\d+(?=_|$)")


def main() -> int:
    """Write the artifacts, or say which do not follow from the sources."""
    artifacts = {f"{name}.json": content for name, content in compiled().items()}
    if "--check" not in sys.argv[1:]:
        for file, content in artifacts.items():
            (_TARGET / file).write_text(dump(content))
        print(f"{len(artifacts)} artifacts written")
        return 0
    stale = [file for file, content in artifacts.items() if _text(file) != dump(content)]
    stale += sorted(path.name for path in _TARGET.glob("*.json") if path.name not in artifacts)
    for file in stale:
        print(f"{file} does not follow from contracts/: run `make compile`", file=sys.stderr)
    return 1 if stale else 0


def compiled() -> dict[str, Json]:
    """Compile all contracts with py-solc-x and return each contract's artifact by its name."""
    answer = standard_answer()
    return {
        str(name): _artifact(contract, answer["contracts"][f"contracts/{contract}.sol"][contract])
        for name, contract in SOLIDITY_NAMES.items()
    }


def standard_answer() -> Json:
    """Return the compiler's answer over all contracts, by way of py-solc-x."""
    answer: Json = solcx.compile_standard(
        compiler_input(remappings=[REMAPPING]),
        base_path=str(ROOT),
        solc_binary=ROOT / "scripts" / "solc",
    )
    return answer


def _artifact(contract: str, output: Json) -> Json:
    deployed = output["evm"]["deployedBytecode"]
    layout = _without_ast_ids(output["storageLayout"])
    places = [place for group in deployed["immutableReferences"].values() for place in group]
    return {
        "contract": contract,
        "abi": output["abi"],
        "bytecode": "0x" + output["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + deployed["object"],
        "immutables": sorted(places, key=lambda place: int(place["start"])),
        "storage": [
            {
                "label": variable["label"],
                "slot": int(variable["slot"]),
                "offset": variable["offset"],
                "type": variable["type"],
            }
            for variable in layout["storage"]
        ],
        "types": layout["types"] or {},
    }


def _without_ast_ids(layout: Json) -> Json:
    """Number the named types anew: the compiler's own numbers move with every other source."""
    numbers: dict[str, str] = {}

    def renumber(text: str) -> str:
        return _AST_ID.sub(lambda match: numbers.setdefault(match[0], str(len(numbers))), text)

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            pairs = ((key, child) for key, child in value.items() if key != "astId")
            return {renumber(key): walk(child) for key, child in pairs}
        if isinstance(value, list):
            return [walk(child) for child in value]
        return renumber(value) if isinstance(value, str) else value

    result: Json = walk(layout)
    return result


def _text(file: str) -> str | None:
    path: Path = _TARGET / file
    return path.read_text() if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
