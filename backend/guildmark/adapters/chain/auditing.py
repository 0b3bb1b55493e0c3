"""Whether outbox and chain agree: what is settled stands, no nonce is left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from guildmark.adapters.chain.eip1559 import transaction_hash
from guildmark.adapters.chain.rpc import Request, Rpc, quantity
from guildmark.adapters.store.outbox import OutboxTable, Outgoing, State
from guildmark.domain.errors import (
    ConflictError,
    ContentError,
    GuildmarkError,
    NotFinalError,
    NotLoggedError,
)
from guildmark.domain.identifiers import Address, ChainId, to_hex
from guildmark.ports.clock import Clock

_PAGE = 200
_SIGNED = (State.SIGNED, State.SENT, State.INCLUDED)


class TransactionOpenError(NotFinalError):
    """A transaction has had no verdict for long."""

    code = "fsck.transactionOpen"
    hint = "Look why it waits with `guildmark tx list`; hurry it or take it back."


class TransactionMissingError(NotLoggedError):
    """A transaction that was final is not in the chain's block."""

    code = "fsck.transactionMissing"
    hint = "Stop the node and compare the chain with another node of it."


class AttemptChangedError(ContentError):
    """The stored bytes of a transaction are missing or were changed."""

    code = "fsck.attemptChanged"
    hint = "Stop the node and restore the home from a backup."


class NonceGapError(ConflictError):
    """Below a waiting transaction a nonce of its key is used by none."""

    code = "fsck.nonceGap"
    hint = "Let the node run: it fills gaps once the transaction above is stuck."


@dataclass(frozen=True, slots=True, kw_only=True)
class Auditing:
    """The comparison of an outbox with its chain; it changes neither.

    Args:
        open_seconds: For how long a transaction may be without a verdict.
    """

    table: OutboxTable
    rpc: Rpc
    chain_id: ChainId
    clock: Clock
    open_seconds: int

    def differences(
        self,
    ) -> Iterator[GuildmarkError]:
        """Yield what differs.

        Raises:
            LedgerUnavailableError: The node cannot be reached in time.
            LedgerAnswerError: Its answers are not what the standard says.
        """
        # Before the chain is asked, which may only go on meanwhile.
        counters, last = self.table.counters(self.chain_id), 0
        waiting: list[Outgoing] = []
        while page := self.table.after(last, self.chain_id, _PAGE):
            last = page[-1].number
            for item in page:
                yield from self._bytes(item)
                yield from self._age(item)
            yield from self._standing([item for item in page if item.block_hash is not None])
            waiting += [item for item in page if item.state in _SIGNED]
        for sender, counter in counters.items():
            nonces = [item.nonce for item in waiting if item.request.sender == sender]
            yield from self._gaps(sender, {nonce for nonce in nonces if nonce is not None}, counter)

    def _bytes(self, outgoing: Outgoing) -> Iterator[AttemptChangedError]:
        hashes = [attempt.hash for attempt in outgoing.attempts]
        is_signed = outgoing.state in _SIGNED or outgoing.state is State.FINAL
        is_whole = all(transaction_hash(one.raw) == one.hash for one in outgoing.attempts)
        if not is_whole or (is_signed and outgoing.hash not in hashes):
            message = f"The stored bytes of transaction {outgoing.request.id} are not its own."
            yield AttemptChangedError(message, transaction=outgoing.request.id)

    def _age(self, outgoing: Outgoing) -> Iterator[TransactionOpenError]:
        waited = self.clock.now() - outgoing.changed
        is_open = outgoing.state not in {State.FINAL, State.FAILED}
        if is_open and waited >= self.open_seconds:
            state, name = outgoing.state.value, outgoing.request.id
            message = f"Transaction {name} has been {state} for {waited} s."
            yield TransactionOpenError(message, transaction=name, state=state, seconds=waited)

    def _standing(self, outgoings: Sequence[Outgoing]) -> Iterator[TransactionMissingError]:
        settled = [item for item in outgoings if item.state in {State.FINAL, State.FAILED}]
        requests: list[Request] = []
        for item in settled:
            requests.append(("eth_getTransactionReceipt", [to_hex(item.hash or b"")]))
            requests.append(("eth_getBlockByNumber", [hex(item.block_number or 0), False]))
        answers = self.rpc.batch(requests)
        for item, receipt, block in zip(settled, answers[::2], answers[1::2], strict=True):
            told = to_hex(item.block_hash or b"")
            if _hash(receipt, "blockHash") != told or _hash(block, "hash") != told:
                message = f"Transaction {item.request.id} is not in block {item.block_number}."
                yield TransactionMissingError(message, transaction=item.request.id)

    def _gaps(self, sender: Address, nonces: set[int], counter: int) -> Iterator[NonceGapError]:
        count = quantity(self.rpc.call("eth_getTransactionCount", to_hex(sender), "latest"))
        for nonce in sorted(set(range(count, counter)) - nonces):
            message = (
                f"No transaction has nonce {nonce} of {to_hex(sender)}; the next is {counter}."
            )
            yield NonceGapError(message, account=to_hex(sender), nonce=nonce)


def _hash(answer: Any, member: str) -> Any:
    return answer.get(member) if isinstance(answer, dict) else None
