"""Deploys the contracts: addresses computed first, raw transactions kept, all checked at the end.

web3 encodes the constructors and decodes the directory: a second opinion beside our own codec.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from guildmark.adapters.chain import deployment
from guildmark.adapters.chain.artifacts import Artifact, load
from guildmark.adapters.chain.codec import constructor_inputs
from guildmark.adapters.chain.eip1559 import (
    Transaction,
    created_address,
    transaction_hash,
)
from guildmark.adapters.chain.errors import is_sent, receipts, translated
from guildmark.adapters.chain.fees import suggested
from guildmark.adapters.chain.rpc import Request, Rpc, RpcRefusedError, data, quantity
from guildmark.adapters.files import write_durably
from guildmark.domain.chain.contracts import ChainClass, ChainPin, ContractName
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Address, digest_from_hex, from_hex, to_hex
from guildmark.ports.chain import CodeMismatchError
from guildmark.ports.keys import KeyName, KeyStore

_logger = logging.getLogger(__name__)

DRAFT = "deploying.json"

# Gas of a creation: 200 a byte of code (yellow paper, G_codedeposit), 16 a byte of data (G_txdata)
# and the rest for the constructor; what is not used is not paid.
_GAS = 1_000_000
_GAS_A_CODE_BYTE = 200
_GAS_A_DATA_BYTE = 18
_WAITS = 600


class DeploymentFailedError(GuildmarkError):
    """A contract could not be deployed."""

    code = "chain.deploymentFailed"
    hint = "Look at the deployer's balance and run `guildmark chain deploy` again: it goes on."


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployer:
    """Deploys with one account; stopped at any point, the next run goes on with the same bytes.

    Args:
        folder: Where the raw transactions, and at the end the deployment file, are kept.
        pause: Waits a moment for the chain.
    """

    rpc: Rpc
    keys: KeyStore
    key: KeyName
    folder: Path
    chain_class: ChainClass
    pause: Callable[[], None]

    def deploy(self) -> ChainPin:
        """Deploy all contracts and write the deployment file; return what it pins.

        Raises:
            LedgerUnavailableError: The node cannot be reached in time.
            GenesisMismatchError: A deployment was begun on another chain.
            FundsMissingError: The account cannot pay.
            DeploymentFailedError: A creation failed.
            CodeMismatchError: A contract came out otherwise.
        """
        raws = self._kept() or self._signed()
        self._send(raws)
        self._wait(raws)
        pin = self._pinned(self._addresses(raws))
        deployment.save(self.folder / deployment.FILE_NAME, pin)
        (self.folder / DRAFT).unlink()
        return pin

    def _kept(self) -> Mapping[ContractName, bytes] | None:
        """Return what an earlier run signed, if it did not end."""
        path = self.folder / DRAFT
        if not path.exists():
            return None
        document = orjson.loads(path.read_bytes())
        deployment.check_chain(
            self.rpc, chain_id=document["chainId"], genesis=digest_from_hex(document["genesis"])
        )
        return {ContractName(name): from_hex(raw) for name, raw in document["raw"].items()}

    def _signed(self) -> Mapping[ContractName, bytes]:
        """Sign all creations and keep them before the first one is sent."""
        chain_id, genesis = deployment.identify(self.rpc)
        sender = self.keys.address(self.key)
        nonce = quantity(self.rpc.call("eth_getTransactionCount", to_hex(sender), "pending"))
        fees = suggested(self.rpc)
        raws = {
            name: self._sign(Transaction(chain_id=chain_id, nonce=number, fees=fees, **rest))
            for number, (name, rest) in enumerate(_creations(sender, nonce).items(), start=nonce)
        }
        document = {
            "chainId": chain_id,
            "genesis": to_hex(genesis),
            "raw": {name.value: to_hex(raw) for name, raw in raws.items()},
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        write_durably(self.folder / DRAFT, orjson.dumps(document, option=orjson.OPT_INDENT_2))
        return raws

    def _sign(self, transaction: Transaction) -> bytes:
        return transaction.signed(self.keys.sign_digest(self.key, transaction.digest()))

    def _send(self, raws: Mapping[ContractName, bytes]) -> None:
        # One after the other: a node may order a batch as it likes, and keeps no long nonce gaps.
        for name, raw in raws.items():
            (answer,) = self.rpc.attempt([("eth_sendRawTransaction", [to_hex(raw)])])
            if isinstance(answer, RpcRefusedError) and not is_sent(answer):
                raise translated(answer)
            _logger.debug("sent the creation of %s", name)

    def _wait(self, raws: Mapping[ContractName, bytes]) -> None:
        requests: list[Request] = [
            ("eth_getTransactionReceipt", [to_hex(transaction_hash(raw))]) for raw in raws.values()
        ]
        for _ in range(_WAITS):
            found = receipts(self.rpc.attempt(requests))
            _check_receipts(dict(zip(raws, found, strict=True)))
            if all(found):
                return
            self.pause()
        message = f"The contracts were sent and are not in a block. Where they never will be, \
because another transaction took a nonce, remove {self.folder / DRAFT}."
        raise DeploymentFailedError(message, draft=str(self.folder / DRAFT))

    def _addresses(self, raws: Mapping[ContractName, bytes]) -> Mapping[ContractName, Address]:
        requests: list[Request] = [
            ("eth_getTransactionReceipt", [to_hex(transaction_hash(raw))]) for raw in raws.values()
        ]
        return {
            name: Address(from_hex(str(receipt["contractAddress"]).lower()))
            for name, receipt in zip(raws, self.rpc.batch(requests), strict=True)
        }

    def _pinned(self, addresses: Mapping[ContractName, Address]) -> ChainPin:
        chain_id, genesis = deployment.identify(self.rpc)
        pin = deployment.discover(
            self.rpc,
            chain_id=chain_id,
            genesis=genesis,
            chain_class=self.chain_class,
            directory=addresses[ContractName.DIRECTORY],
        )
        _compare_directory(self.rpc, pin, addresses)
        return pin


def predicted(sender: Address, nonce: int) -> Mapping[ContractName, Address]:
    """Return the addresses that the contracts get, deployed in their order from ``nonce`` on."""
    return MappingProxyType(
        {name: created_address(sender, number) for number, name in enumerate(ContractName, nonce)}
    )


def _creations(sender: Address, nonce: int) -> Mapping[ContractName, Mapping[str, Any]]:
    addresses = predicted(sender, nonce)
    return {name: _creation(load(name), addresses) for name in ContractName}


def _creation(artifact: Artifact, addresses: Mapping[ContractName, Address]) -> Mapping[str, Any]:
    from web3 import Web3  # noqa: PLC0415 - a second of imports, for deployments only

    arguments = [
        Web3.to_checksum_address(addresses[ContractName(name)])
        for name in constructor_inputs(artifact.name)
    ]
    factory = Web3().eth.contract(abi=list(artifact.abi), bytecode=artifact.bytecode)
    creation = data(factory.constructor(*arguments).data_in_transaction)
    code_gas = _GAS_A_CODE_BYTE * len(artifact.deployed_bytecode)
    gas = _GAS + code_gas + _GAS_A_DATA_BYTE * len(creation)
    return {"to": None, "data": creation, "gas": gas}


def _check_receipts(receipts: Mapping[ContractName, Any]) -> None:
    for name, receipt in receipts.items():
        if receipt is not None and quantity(receipt.get("status")) != 1:
            message = f"The creation of {name} failed."
            raise DeploymentFailedError(message, contract=name.value)


def _compare_directory(rpc: Rpc, pin: ChainPin, addresses: Mapping[ContractName, Address]) -> None:
    """Read the directory with web3's codec and compare it with what was deployed."""
    from web3 import Web3  # noqa: PLC0415 - as above

    contract = Web3().eth.contract(abi=list(load(ContractName.DIRECTORY).abi))
    directory = to_hex(pin.contracts[ContractName.DIRECTORY].address)
    call = {"to": directory, "data": contract.encode_abi("contracts", args=[])}
    names = [component["name"] for component in _components()]
    answer = data(rpc.call("eth_call", call, "latest"))
    (listed,) = Web3().codec.decode([f"({','.join('address' for _ in names)})"], answer)
    for name, address in zip(names, listed, strict=True):
        if bytes.fromhex(address.removeprefix("0x")) != addresses[ContractName(name)]:
            message = f"The directory names {address} for {name}, which was not deployed now."
            raise CodeMismatchError(message, contract=name, address=address)


def _components() -> Any:
    functions = (item for item in load(ContractName.DIRECTORY).abi if item["type"] == "function")
    return next(item["outputs"][0]["components"] for item in functions)
