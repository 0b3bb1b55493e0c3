"""One deployment on one chain: found by its directory, checked against what is pinned."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from guildmark.adapters.chain.artifacts import load as artifact
from guildmark.adapters.chain.codec import codec
from guildmark.adapters.chain.rpc import Request, Rpc, data, quantity
from guildmark.adapters.files import write_durably
from guildmark.domain.chain.contracts import ChainClass, ChainPin, ContractName, ContractPin
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.errors import MalformedError, NotFoundError
from guildmark.domain.identifiers import (
    Address,
    ChainId,
    Digest,
    address_from_hex,
    digest_from_hex,
    to_hex,
)
from guildmark.ports.chain import (
    CodeMismatchError,
    CodeMissingError,
    GenesisMismatchError,
    LedgerAnswerError,
    WrongChainError,
)

FILE_NAME = "deployment.json"


class DeploymentMissingError(NotFoundError):
    """No contracts were deployed from this home."""

    code = "chain.notDeployed"
    hint = "Deploy them with `guildmark chain deploy`."


class DeploymentMalformedError(MalformedError):
    """A deployment file that cannot be read."""

    code = "chain.deploymentMalformed"
    hint = "Deploy again, or copy the file from whoever deployed."


def check_chain(rpc: Rpc, *, chain_id: ChainId, genesis: Digest) -> None:
    """Check that a node is on the chain that is meant.

    Raises:
        WrongChainError: The node is on another chain id.
        GenesisMismatchError: The chain has another beginning.
    """
    compare_chain(*rpc.batch(chain_requests()), chain_id=chain_id, genesis=genesis)


def chain_requests() -> list[Request]:
    """Return the two calls that tell one chain from another."""
    return [("eth_chainId", []), ("eth_getBlockByNumber", ["0x0", False])]


def compare_chain(found_id: Any, first: Any, *, chain_id: ChainId, genesis: Digest) -> None:
    """Compare the answers to ``chain_requests`` with what is meant.

    Raises:
        WrongChainError: The node is on another chain id.
        GenesisMismatchError: The chain has another beginning.
    """
    if quantity(found_id) != chain_id:
        message = f"The node is on chain {quantity(found_id)}, the settings name {chain_id}."
        raise WrongChainError(message, expected=chain_id, found=quantity(found_id))
    found = data(first.get("hash") if isinstance(first, dict) else None, 32)
    if found != genesis:
        message = f"The chain begins with {to_hex(found)}, the settings name {to_hex(genesis)}."
        raise GenesisMismatchError(message, expected=to_hex(genesis), found=to_hex(found))


def identify(rpc: Rpc) -> tuple[ChainId, Digest]:
    """Return chain id and genesis hash of a node's chain."""
    found_id, first = rpc.batch(chain_requests())
    if not isinstance(first, dict):
        message = "The node does not show its chain's first block."
        raise LedgerAnswerError(message)
    return ChainId(quantity(found_id)), Digest(data(first.get("hash"), 32))


def discover(
    rpc: Rpc,
    *,
    chain_id: ChainId,
    genesis: Digest,
    chain_class: ChainClass,
    directory: Address,
) -> ChainPin:
    """Return the pin of a deployment, from its directory; every code is one that we compiled.

    Raises:
        WrongChainError: The node is on another chain id.
        GenesisMismatchError: The chain has another beginning.
        CodeMissingError: An address has no code.
        CodeMismatchError: An address has another code than ours.
    """
    check_chain(rpc, chain_id=chain_id, genesis=genesis)
    addresses = {**_listed(rpc, directory), ContractName.DIRECTORY: directory}
    return ChainPin(
        chain_id=chain_id,
        genesis=genesis,
        chain_class=chain_class,
        contracts=_pinned(rpc, addresses),
    )


def check_pin(rpc: Rpc, pin: ChainPin) -> None:
    """Check that a node's chain and its contracts are the pinned ones.

    Raises:
        WrongChainError: The node is on another chain id.
        GenesisMismatchError: The chain has another beginning.
        CodeMissingError: An address has no code.
        CodeMismatchError: An address has another code.
    """
    check_chain(rpc, chain_id=pin.chain_id, genesis=pin.genesis)
    codes = _codes(rpc, {name: found.address for name, found in pin.contracts.items()})
    for name, code in codes.items():
        if keccak256(code) != pin.contracts[name].code_hash:
            raise _other_code(name, pin.contracts[name].address)


def save(path: Path, pin: ChainPin) -> None:
    """Write a deployment file, whole or not at all."""
    document = {
        "chainId": pin.chain_id,
        "genesis": to_hex(pin.genesis),
        "class": pin.chain_class.value,
        "directory": to_hex(pin.contracts[ContractName.DIRECTORY].address),
        "contracts": {
            name.value: {"address": to_hex(found.address), "codeHash": to_hex(found.code_hash)}
            for name, found in pin.contracts.items()
        },
    }
    write_durably(path, orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")


def load(path: Path) -> ChainPin:
    """Read what ``save`` wrote.

    Raises:
        DeploymentMissingError: There is no such file.
        DeploymentMalformedError: It is no deployment file.
    """
    try:
        return _parsed(orjson.loads(path.read_bytes()))
    except FileNotFoundError as exc:
        message = f"There is no {path}."
        raise DeploymentMissingError(message, path=str(path)) from exc
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, MalformedError) as exc:
        message = f"{path} is no deployment file: {exc}."
        raise DeploymentMalformedError(message, path=str(path)) from exc


def _parsed(document: Any) -> ChainPin:
    if type(document["chainId"]) is not int:
        raise MalformedError("the chain id is no number")
    return ChainPin(
        chain_id=ChainId(document["chainId"]),
        genesis=digest_from_hex(document["genesis"]),
        chain_class=ChainClass(document["class"]),
        contracts={name: _contract(document["contracts"][name.value]) for name in ContractName},
    )


def _contract(document: Any) -> ContractPin:
    return ContractPin(
        address=address_from_hex(document["address"]),
        code_hash=digest_from_hex(document["codeHash"]),
    )


def _listed(rpc: Rpc, directory: Address) -> Mapping[ContractName, Address]:
    """Ask the directory for the other contracts, once it is known to be one."""
    _pinned(rpc, {ContractName.DIRECTORY: directory})
    function = codec(ContractName.DIRECTORY).function("contracts")
    call = {"to": to_hex(directory), "data": to_hex(function.encode(()))}
    found = function.decode(data(rpc.call("eth_call", call, "latest")))
    return {ContractName(name): Address(address) for name, address in found.items()}


def _pinned(
    rpc: Rpc, addresses: Mapping[ContractName, Address]
) -> Mapping[ContractName, ContractPin]:
    codes = _codes(rpc, addresses)
    for name, code in codes.items():
        if not artifact(name).is_code_of(code):
            raise _other_code(name, addresses[name])
    return {
        name: ContractPin(address=addresses[name], code_hash=keccak256(codes[name]))
        for name in ContractName
        if name in addresses
    }


def _codes(rpc: Rpc, addresses: Mapping[ContractName, Address]) -> Mapping[ContractName, bytes]:
    requests: list[Request] = [
        ("eth_getCode", [to_hex(address), "latest"]) for address in addresses.values()
    ]
    codes = dict(zip(addresses, (data(code) for code in rpc.batch(requests)), strict=True))
    for name, code in codes.items():
        if not code:
            message = f"There is no code at {to_hex(addresses[name])}, where {name} should be."
            raise CodeMissingError(message, contract=name.value, address=to_hex(addresses[name]))
    return codes


def _other_code(name: ContractName, address: Address) -> CodeMismatchError:
    message = f"The code at {to_hex(address)} is not that of {name}."
    return CodeMismatchError(message, contract=name.value, address=to_hex(address))
