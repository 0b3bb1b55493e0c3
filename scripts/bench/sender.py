"""An account of the peers', which sends without an outbox."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from guildmark.adapters.chain.eip1559 import Transaction
from guildmark.adapters.chain.fees import suggested
from guildmark.adapters.chain.rpc import Rpc, RpcRefusedError, data, quantity
from guildmark.adapters.chain.signing import GAS_MAX
from guildmark.domain.identifiers import Address, ChainId, to_hex
from guildmark.ports.keys import KeyName, KeyStore


class CapMissingError(Exception):
    """The chain takes transactions of more gas than EIP-7825 allows."""


class NotSucceededError(Exception):
    """A peer's transaction was reverted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """An account that sends without an outbox."""

    rpc: Rpc
    chain_id: ChainId
    keys: KeyStore
    key: KeyName

    def send(self, to: Address, payload: bytes) -> Mapping[str, Any]:
        """Send a call and return its receipt.

        Raises:
            NotSucceededError: It was reverted.
        """
        return self._receipt(to, payload)

    def create(self, code: bytes) -> Address:
        """Create a contract and return its address.

        Raises:
            NotSucceededError: Its constructor reverted.
        """
        return Address(data(self._receipt(None, code)["contractAddress"], 20))

    def read(self, to: Address, payload: bytes) -> bytes:
        """Return what a call gives, now."""
        call = {"to": to_hex(to), "data": to_hex(payload)}
        return data(self.rpc.call("eth_call", call, "latest"))

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

    def _receipt(self, to: Address | None, payload: bytes) -> Mapping[str, Any]:
        sent = self.rpc.call("eth_sendRawTransaction", self._signed(self._next(to, payload)))
        receipt: Mapping[str, Any] = self.rpc.call("eth_getTransactionReceipt", sent)
        if quantity(receipt["status"]) != 1:
            message = f"{sent} was reverted."
            raise NotSucceededError(message)
        return receipt

    def _next(self, to: Address | None, payload: bytes) -> Transaction:
        account = to_hex(self.keys.address(self.key))
        count = self.rpc.call("eth_getTransactionCount", account, "latest")
        return Transaction(
            chain_id=self.chain_id,
            nonce=quantity(count),
            fees=suggested(self.rpc),
            gas=GAS_MAX,
            to=to,
            data=payload,
        )

    def _signed(self, transaction: Transaction) -> str:
        signature = self.keys.sign_digest(self.key, transaction.digest())
        return to_hex(transaction.signed(signature))
