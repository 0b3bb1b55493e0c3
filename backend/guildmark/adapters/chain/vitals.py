"""The ``Vitals`` port: coin, the price of gas, how long transactions and how much else is open."""

import os
import resource
from dataclasses import dataclass

from guildmark.adapters.chain.fees import fee_requests, offered
from guildmark.adapters.chain.rpc import Rpc, quantity
from guildmark.adapters.store.outbox import OutboxTable
from guildmark.domain.identifiers import Address, ChainId, to_hex
from guildmark.ports.chain import Handles, LedgerAnswerError, Purse

# Linux and macOS list a process's own there.
_HANDLES = "/dev/fd"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainVitals:
    """What a node of the chain and the outbox tell."""

    rpc: Rpc
    table: OutboxTable
    chain_id: ChainId

    def purse(self, account: Address) -> Purse:
        """Return an account's coin, and what a unit of gas costs now."""
        balance, block, priority = self.rpc.batch(
            [("eth_getBalance", [to_hex(account), "latest"]), *fee_requests()]
        )
        if not isinstance(block, dict):
            message = "The chain's node answered without its newest block."
            raise LedgerAnswerError(message)
        fees = offered(quantity(block.get("baseFeePerGas")), quantity(priority))
        return Purse(balance=quantity(balance), price=fees.max_fee)

    def oldest(self) -> int | None:
        """Return since when the oldest open transaction has been open, None without one."""
        return self.table.oldest(self.chain_id)

    def handles(self) -> Handles:
        """Return how many files and connections this process has open."""
        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        try:
            held = len(os.listdir(_HANDLES))  # noqa: PTH208 - a loop over it would hold one more
        except OSError:
            # The list needs a handle itself, and there is none left.
            held = most
        return Handles(held=held, most=most)
