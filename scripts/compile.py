"""Compile the contracts and write what ships in the wheel; `--check` only compares."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import solcx

from compiler import REMAPPING, Json, compiler_input
from environments import ROOT
from guildmark.adapters.chain.artifacts import SOLIDITY_NAMES
from reports import dump

_TARGET = ROOT / "backend" / "guildmark" / "adapters" / "chain" / "artifacts"
_LAYOUT = ROOT / "contracts" / "storage-layout.json"
_AST_ID = re.compile(r"(?<=\))\d+(?=_|$)")


def main() -> int:
    """Write what follows from the contracts, or say which file does not."""
    files = _files(compiled())
    if "--check" not in sys.argv[1:]:
        for path, text in files.items():
            path.write_text(text)
        print(f"{len(files)} files written")
        return 0
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    stale += sorted(path for path in _TARGET.glob("*.json") if path not in files)
    for path in stale:
        where = path.relative_to(ROOT)
        print(f"{where} does not follow from contracts/: run `make compile`", file=sys.stderr)
    return 1 if stale else 0


def _files(artifacts: dict[str, Json]) -> dict[Path, str]:
    files = {_TARGET / f"{name}.json": dump(content) for name, content in artifacts.items()}
    return files | {_LAYOUT: dump(_published(artifacts.values()))}


def _published(artifacts: Iterable[Json]) -> Json:
    """Return the storage layout for readers: slots by contract, packed words by struct."""
    contracts: Json = {}
    structs: Json = {}
    for artifact in artifacts:
        types = artifact["types"]
        contracts[artifact["contract"]] = _members(artifact["storage"], types)
        for kind in types.values():
            if "members" in kind:
                structs[kind["label"].removeprefix("struct ")] = _members(kind["members"], types)
    return {"contracts": contracts, "structs": dict(sorted(structs.items()))}


def _members(variables: list[Json], types: Json) -> Json:
    return {
        variable["label"]: {
            "slot": int(variable["slot"]),
            "offset": variable["offset"],
            "bytes": int(types[variable["type"]]["numberOfBytes"]),
            "type": types[variable["type"]]["label"],
        }
        for variable in variables
    }


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


if __name__ == "__main__":
    sys.exit(main())
