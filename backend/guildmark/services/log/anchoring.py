"""Anchoring: one transaction a batch, sent until it stands, never counted twice.

The call names the seq that it extends, so that a second sending reverts; the outbox gives the same
batch the same transaction; a batch that failed for good never lands and is built again.
"""

import logging
from dataclasses import dataclass

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.refusals import LogStaleError
from guildmark.domain.errors import ConflictError
from guildmark.domain.log.queue import Batch
from guildmark.ports.chain import (
    Call,
    IdempotencyMismatchError,
    TransactionId,
    Transactions,
    TransactionState,
)
from guildmark.ports.keys import KeyName
from guildmark.ports.store import NodeStore
from guildmark.services.log.sequencing import Sequencing

_logger = logging.getLogger(__name__)

# An append of one lane takes some 73,000, a further lane 10,000 more; what is not used is not paid.
_GAS_BASE = 150_000
_GAS_A_DRAW = 40_000


class AnchoringFailedError(ConflictError):
    """The chain refused a batch; its entries wait again."""

    code = "log.anchoringFailed"
    hint = "Look at the log's writer and whether the log is closed; the node tries again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchoring:
    """Use cases around the records of a log.

    Args:
        writer: The key of the log's writer.
    """

    store: NodeStore
    transactions: Transactions
    sequencing: Sequencing
    writer: KeyName

    def advance(self) -> Batch | None:
        """Close a batch where none is open, see that it is sent, and return it.

        Raises:
            AnchoringFailedError: The chain refused it for a reason of this node's own.
        """
        batch = self.sequencing.close()
        if batch is None:
            return None
        status = self.transactions.status(self._sent(batch))
        if status.state in {TransactionState.INCLUDED, TransactionState.FINAL}:
            self._include(batch)
        # Where another record took its place, the index says so and the batch is dropped there.
        if status.state is TransactionState.FAILED and status.code != LogStaleError.code:
            self._drop(batch, status.code or ConflictError.code)
        return batch

    def _sent(self, batch: Batch) -> TransactionId:
        """Return the transaction that puts a batch on record under the present key."""
        call, name = append_call(batch), f"append:{batch.number}"
        try:
            return self.transactions.submit(call, key=self.writer, idempotency=name)
        except IdempotencyMismatchError:
            # Another key wrote when it was sent. The call names its seq: one of the two can stand.
            name = f"{name}:{self.writer}"
            return self.transactions.submit(call, key=self.writer, idempotency=name)

    def _include(self, batch: Batch) -> None:
        """Note that a block has it; the index says when it is final, together with the units."""
        with self.store.writing() as work:
            # Another process may have read of its record in between: then it is settled.
            if work.log.open_batch() == batch:
                work.log.include_batch(batch)

    def _drop(self, batch: Batch, code: str) -> None:
        with self.store.writing() as work:
            if work.log.open_batch() != batch:
                # Another process dropped it already, and may have closed the next one.
                return
            work.log.reopen_batch(batch)
        _logger.warning("batch %d of log %d was refused: %s", batch.number, batch.log, code)
        message = f"The chain refused record {batch.seq} of log {batch.log}: {code}."
        raise AnchoringFailedError(message, log=batch.log, seq=batch.seq, reason=code)


def append_call(batch: Batch) -> Call:
    """Return the call that puts a batch on record."""
    draws = tuple((draw.lane, draw.n) for draw in batch.draws)
    return Call(
        contract=ContractName.LOG,
        function="append",
        args=(batch.log, batch.seq, len(batch.entries), batch.root, draws),
        gas=_GAS_BASE + _GAS_A_DRAW * len(draws),
    )
