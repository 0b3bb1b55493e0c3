"""How many nonces of an account final blocks used up, by nodes too that have pruned their states.

Most nodes keep the states of the last 128 blocks, and on many chains the final block is older. What
is seen at the newest block counts once that block is final, which its hash alone shows.
"""

from dataclasses import dataclass, field
from typing import Any

from guildmark.adapters.chain.ledger import plain_block
from guildmark.adapters.chain.rpc import Rpc, RpcRefusedError, quantity
from guildmark.domain.identifiers import Address, to_hex
from guildmark.ports.chain import Block


@dataclass(frozen=True, slots=True)
class Sighting:
    """How many nonces an account had used up in a block that was the newest one."""

    block: Block
    count: int


@dataclass(frozen=True, slots=True)
class SpentNonces:
    """What one node says of the nonces of accounts.

    An account's sighting stays until its block is final: a newer one would never get there.
    """

    rpc: Rpc
    _seen: dict[Address, Sighting] = field(default_factory=dict, init=False)

    def of(self, sender: Address, *, head: Block, final: int) -> int:
        """Return how many nonces final blocks are known to have used up; 0 where nothing is known.

        Args:
            sender: The account.
            head: The newest block.
            final: The number of the newest block that nothing can undo.

        Raises:
            LedgerUnavailableError: The node cannot be reached in time.
            LedgerAnswerError: Its answers are not what the standard says.
        """
        seen, account = self._seen.get(sender), to_hex(sender)
        sighted = (seen.block if seen is not None else head).number
        at_final, at_head, block = self.rpc.attempt(
            [
                ("eth_getTransactionCount", [account, hex(max(0, final))]),
                # EIP-1898: by its hash, it cannot be another block of this number.
                ("eth_getTransactionCount", [account, {"blockHash": to_hex(head.hash)}]),
                ("eth_getBlockByNumber", [hex(sighted), False]),
            ]
        )
        counted, newest = _count(at_final), _count(at_head)
        if seen is not None and seen.block.number > final:
            return counted
        if newest:
            self._seen[sender] = Sighting(head, newest)
        is_proven = seen is not None and plain_block(block).hash == seen.block.hash
        return max(counted, seen.count) if seen is not None and is_proven else counted


def _count(answer: Any) -> int:
    """Return a count, 0 of a node that has no state of the block any more."""
    return 0 if answer is None or isinstance(answer, RpcRefusedError) else quantity(answer)
