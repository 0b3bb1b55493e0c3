"""The peer: OpenZeppelin's ERC-721 with an open mint, compiled as our own contracts are."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import solcx

from compiler import REMAPPING, compiler_input
from environments import ROOT
from guildmark.adapters.chain.eip1559 import Transaction
from guildmark.adapters.chain.fees import suggested
from guildmark.adapters.chain.rpc import Rpc, RpcRefusedError, data, quantity
from guildmark.adapters.chain.signing import GAS_MAX
from guildmark.domain.encoding import abi
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Address, ChainId, to_hex
from guildmark.ports import KeyName, KeyStore

_SOURCE = "tests/contracts/support/PlainToken.sol"
_MINT = keccak256(b"mint(address,uint256)")[:4]
_OWNER_OF = keccak256(b"ownerOf(uint256)")[:4]
_GAS = 2_000_000


class CapMissingError(Exception):
    """The chain takes transactions of more gas than EIP-7825 allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """An account that sends without an outbox."""

    rpc: Rpc
    chain_id: ChainId
    keys: KeyStore
    key: KeyName

    def send(self, to: Address | None, payload: bytes) -> Mapping[str, Any]:
        """Send a call, or a creation, and return its receipt."""
        sent = self.rpc.call("eth_sendRawTransaction", self._signed(self._next(to, payload)))
        receipt: Mapping[str, Any] = self.rpc.call("eth_getTransactionReceipt", sent)
        return receipt

    def check_gas_cap(self) -> None:
        """Check that the chain caps a transaction's gas.

        Raises:
            CapMissingError: It does not.
        """
        over = replace(self._next(self.keys.address(self.key), b""), gas=GAS_MAX + 1)
        (answer,) = self.rpc.attempt([("eth_sendRawTransaction", [self._signed(over)])])
        if not isinstance(answer, RpcRefusedError):
            message = f"The chain took a transaction of more than {GAS_MAX:,} gas."
            raise CapMissingError(message)

    def _next(self, to: Address | None, payload: bytes) -> Transaction:
        account = to_hex(self.keys.address(self.key))
        count = self.rpc.call("eth_getTransactionCount", account, "latest")
        return Transaction(
            chain_id=self.chain_id,
            nonce=quantity(count),
            fees=suggested(self.rpc),
            gas=_GAS,
            to=to,
            data=payload,
        )

    def _signed(self, transaction: Transaction) -> str:
        signature = self.keys.sign_digest(self.key, transaction.digest())
        return to_hex(transaction.signed(signature))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mint:
    """A token minted: what it cost, and whether its owner is who was meant."""

    gas: int
    same_answer: bool


@dataclass(slots=True, kw_only=True)
class PlainToken:
    """The deployed token; its ids count from 1."""

    sender: Sender
    address: Address
    minted: int = field(default=0, init=False)

    @classmethod
    def deploy(cls, sender: Sender) -> Self:
        """Compile and deploy it."""
        receipt = sender.send(None, _bytecode())
        return cls(sender=sender, address=Address(data(receipt["contractAddress"], 20)))

    def mint(self, to: Address) -> Mint:
        """Mint the next token."""
        self.minted += 1
        receipt = self.sender.send(self.address, _MINT + abi.address(to) + abi.uint(self.minted))
        owner = self._owner(self.minted)
        return Mint(gas=quantity(receipt["gasUsed"]), same_answer=owner == abi.address(to))

    def _owner(self, token: int) -> bytes:
        call = {"to": to_hex(self.address), "data": to_hex(_OWNER_OF + abi.uint(token))}
        return data(self.sender.rpc.call("eth_call", call, "latest"))


def _bytecode() -> bytes:
    source = {_SOURCE: {"content": (ROOT / _SOURCE).read_text()}}
    answer = solcx.compile_standard(
        {**compiler_input(remappings=[REMAPPING]), "sources": source},
        base_path=str(ROOT),
        solc_binary=ROOT / "scripts" / "solc",
    )
    code: str = answer["contracts"][_SOURCE]["PlainToken"]["evm"]["bytecode"]["object"]
    return bytes.fromhex(code)
