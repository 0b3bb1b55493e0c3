"""What the compiler made of each contract: the files beside this module are its output.

`make compile` writes them, `make check` compares them with the sources.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from guildmark.domain.chain.contracts import ContractName

SOLIDITY_NAMES: Mapping[ContractName, str] = MappingProxyType(
    {
        ContractName.IDENTITIES: "IdentityRegistry",
        ContractName.DESIGNS: "DesignRegistry",
        ContractName.RECIPES: "RecipeRegistry",
        ContractName.LICENSES: "LicenseRegistry",
        ContractName.LOG: "BuildLog",
        ContractName.PARTS: "PartRegistry",
        ContractName.EQUIVALENCE: "EquivalenceRegistry",
        ContractName.RECALLS: "RecallRegistry",
        ContractName.DIRECTORY: "Directory",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageVariable:
    """Where the compiler put a state variable.

    Args:
        offset: The first byte within the slot, counted from the low-order end.
        type: The compiler's name of its type, for example ``t_mapping(t_bytes32,t_uint40)``.
    """

    label: str
    slot: int
    offset: int
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One compiled contract.

    Args:
        bytecode: What creates the contract, without the constructor's arguments.
        deployed_bytecode: What the chain then holds, with zeros where immutables go.
        immutables: Start and length of each place where the constructor writes an immutable.
        types: The compiler's storage types by name, as in its ``storageLayout``.
    """

    name: ContractName
    contract: str
    abi: tuple[Mapping[str, Any], ...]
    bytecode: bytes
    deployed_bytecode: bytes
    immutables: tuple[tuple[int, int], ...]
    storage: tuple[StorageVariable, ...]
    types: Mapping[str, Mapping[str, Any]]

    def is_code_of(self, code: bytes) -> bool:
        """Return whether ``code`` is this contract's, whatever its immutables hold."""
        masked = bytearray(code)
        for start, length in self.immutables:
            masked[start : start + length] = bytes(length)
        return bytes(masked) == self.deployed_bytecode


@cache
def load(name: ContractName) -> Artifact:
    """Return the artifact of a contract."""
    content = json.loads((files(__name__) / f"{name}.json").read_bytes())
    return Artifact(
        name=name,
        contract=content["contract"],
        abi=tuple(content["abi"]),
        bytecode=bytes.fromhex(content["bytecode"].removeprefix("0x")),
        deployed_bytecode=bytes.fromhex(content["deployedBytecode"].removeprefix("0x")),
        immutables=tuple((place["start"], place["length"]) for place in content["immutables"]),
        storage=tuple(StorageVariable(**variable) for variable in content["storage"]),
        types=content["types"],
    )
