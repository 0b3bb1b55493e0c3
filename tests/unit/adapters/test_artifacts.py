import re

import pytest

from guildmark.adapters.chain import artifacts
from guildmark.domain.chain.contracts import ContractName


@pytest.mark.parametrize("name", list(ContractName))
def test_every_contract_ships_with_abi_code_and_storage(name: ContractName) -> None:
    artifact = artifacts.load(name)

    assert artifact.name is name
    assert artifact.contract == artifacts.SOLIDITY_NAMES[name]
    assert {entry["type"] for entry in artifact.abi} >= {"function", "event"}
    assert artifact.bytecode.endswith(artifact.deployed_bytecode)
    assert all(variable.type in artifact.types for variable in artifact.storage)


def test_code_is_recognised_whatever_its_immutables_hold() -> None:
    artifact = artifacts.load(ContractName.LOG)
    start, length = artifact.immutables[0]
    deployed = bytearray(artifact.deployed_bytecode)
    deployed[start : start + length] = b"\xff" * length

    assert artifact.is_code_of(bytes(deployed))


def test_other_code_is_not_recognised() -> None:
    artifact = artifacts.load(ContractName.LOG)
    deployed = bytearray(artifact.deployed_bytecode)
    deployed[0] ^= 1

    assert not artifact.is_code_of(bytes(deployed))
    assert not artifact.is_code_of(artifact.deployed_bytecode[:-1])


def test_types_are_numbered_by_appearance_so_that_other_sources_do_not_move_them() -> None:
    types = artifacts.load(ContractName.IDENTITIES).types

    numbers = {int(match[1]) for name in types for match in re.finditer(r"\)(\d+)", name)}

    assert numbers == set(range(len(numbers)))
