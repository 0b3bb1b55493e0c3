"""One exchange with a node: send what is signed, see what became of what was sent.

All of it is one HTTP request; a second one only where a receipt lies below the newest block,
since a receipt alone proves nothing: its block must be the canonical one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from guildmark.adapters.chain.deployment import chain_requests, check_pin, compare_chain
from guildmark.adapters.chain.eip1559 import Fees
from guildmark.adapters.chain.errors import is_nonce_used, receipts
from guildmark.adapters.chain.fees import fee_requests, offered
from guildmark.adapters.chain.ledger import plain_block
from guildmark.adapters.chain.rpc import Request, Rpc, RpcRefusedError, data, quantity
from guildmark.adapters.chain.spent import SpentNonces
from guildmark.adapters.store.outbox import Attempt, Outgoing
from guildmark.domain.chain.contracts import ChainPin
from guildmark.domain.chain.finality import FinalityRule
from guildmark.domain.identifiers import Address, Digest, to_hex
from guildmark.ports.chain import Block, LedgerAnswerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a block says about a transaction."""

    hash: Digest
    block: Block
    succeeded: bool
    gas_used: int
    logs: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the node showed.

    Args:
        final: The number of the newest block that nothing can undo.
        fees: What gets a transaction into one of the next blocks.
        sent: For each attempt that was sent, the node's refusal, or None where it took it.
        receipts: The receipts of canonical blocks, by the attempt's hash.
        spent: For senders of a refused nonce, how many nonces final blocks are known to have used
            up.
    """

    final: int
    fees: Fees
    sent: Mapping[Digest, RpcRefusedError | None]
    receipts: Mapping[Digest, Receipt]
    spent: Mapping[Address, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looker:
    """Exchanges with one node of the pinned chain."""

    rpc: Rpc
    chain: ChainPin
    finality: FinalityRule
    _spent: SpentNonces = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_spent", SpentNonces(self.rpc))

    def check(self) -> None:
        """Check that the node is on the pinned chain.

        Raises:
            LedgerUnavailableError: The node cannot be reached in time.
            WrongChainError: The node is on another chain id.
            GenesisMismatchError: The chain has another beginning.
        """
        self._compare(self.rpc.batch(chain_requests()))

    def check_contracts(self) -> None:
        """Check the node's chain, and that each contract there has the pinned code.

        Raises:
            LedgerUnavailableError: The node cannot be reached in time.
            WrongChainError: The node is on another chain id.
            GenesisMismatchError: The chain has another beginning.
            CodeMissingError: An address has no code.
            CodeMismatchError: An address has another code.
        """
        check_pin(self.rpc, self.chain)

    def learn(self, sender: Address) -> tuple[Fees, int]:
        """Return what a transaction must offer now, and the sender's lowest free nonce.

        Raises:
            LedgerUnavailableError: The node cannot be reached in time.
            LedgerAnswerError: Its answers are not what the standard says.
            WrongChainError: The node is on another chain id.
            GenesisMismatchError: The chain has another beginning.
        """
        count: Request = ("eth_getTransactionCount", [to_hex(sender), "pending"])
        *chain, newest, priority, nonce = self.rpc.batch(
            [*chain_requests(), *fee_requests(), count]
        )
        self._compare(chain)
        return _fees(newest, priority), quantity(nonce)

    def exchange(self, sending: Sequence[Attempt], watched: Sequence[Outgoing]) -> View:
        """Send attempts and look for all attempts of the watched transactions.

        Raises:
            LedgerUnavailableError: The node cannot be reached in time.
            LedgerAnswerError: Its answers are not what the standard says.
            WrongChainError: The node is on another chain id.
            GenesisMismatchError: The chain has another beginning.
        """
        hashes = [attempt.hash for outgoing in watched for attempt in outgoing.attempts]
        sends: list[Request] = [
            ("eth_sendRawTransaction", [to_hex(attempt.raw)]) for attempt in sending
        ]
        looks: list[Request] = [
            *chain_requests(),
            *fee_requests(),
            ("eth_getBlockByNumber", ["finalized", False]),
            *(("eth_getTransactionReceipt", [to_hex(each)]) for each in hashes),
        ]
        answers = self.rpc.attempt([*sends, *looks])
        chain, rest = _good(answers[len(sends) :][:2]), answers[len(sends) + 2 :]
        self._compare(chain)
        newest, priority, final, *found = rest
        head = plain_block(newest)
        sent = {
            attempt.hash: answer if isinstance(answer, RpcRefusedError) else None
            for attempt, answer in zip(sending, answers, strict=False)
        }
        final_number = self._final(head, final)
        return View(
            final=final_number,
            fees=_fees(newest, _good([priority])[0]),
            sent=sent,
            receipts=self._canonical(head, receipts(found)),
            spent={
                sender: self._spent.of(sender, head=head, final=final_number)
                for sender in _refused_senders(sent, watched)
            },
        )

    def reason(self, outgoing: Outgoing, receipt: Receipt) -> RpcRefusedError | None:
        """Return why a transaction failed in its block, as far as the node can still tell."""
        request = outgoing.request
        call = {
            "from": to_hex(request.sender),
            "to": to_hex(request.target),
            "data": to_hex(request.data),
            "value": hex(request.value),
        }
        before = hex(max(0, receipt.block.number - 1))
        (answer,) = self.rpc.attempt([("eth_call", [call, before])])
        return answer if isinstance(answer, RpcRefusedError) else None

    def _compare(self, answers: Sequence[Any]) -> None:
        compare_chain(*answers, chain_id=self.chain.chain_id, genesis=self.chain.genesis)

    def _final(self, head: Block, answer: Any) -> int:
        if self.finality.depth is not None:
            return head.number - self.finality.depth
        return plain_block(_good([answer])[0]).number

    def _canonical(self, head: Block, answers: Iterable[Any]) -> Mapping[Digest, Receipt]:
        found = [answer for answer in answers if answer is not None]
        numbers = {_block_number(answer) for answer in found} - {head.number}
        blocks = {head.number: head, **self._blocks(sorted(numbers))}
        read = (_receipt(answer, blocks[_block_number(answer)]) for answer in found)
        return {receipt.hash: receipt for receipt in read if receipt is not None}

    def _blocks(self, numbers: Sequence[int]) -> Mapping[int, Block]:
        requests: list[Request] = [
            ("eth_getBlockByNumber", [hex(number), False]) for number in numbers
        ]
        blocks = [plain_block(answer) for answer in self.rpc.batch(requests)]
        return {block.number: block for block in blocks}


def _fees(newest: Any, priority: Any) -> Fees:
    base = newest.get("baseFeePerGas") if isinstance(newest, dict) else None
    return offered(quantity(base), quantity(priority))


def _good(answers: Sequence[Any]) -> Sequence[Any]:
    for answer in answers:
        if isinstance(answer, RpcRefusedError):
            raise answer
    return answers


def _refused_senders(
    sent: Mapping[Digest, RpcRefusedError | None], watched: Sequence[Outgoing]
) -> Sequence[Address]:
    refused = {found for found, error in sent.items() if error is not None and is_nonce_used(error)}
    senders = {
        outgoing.request.sender
        for outgoing in watched
        if any(attempt.hash in refused for attempt in outgoing.attempts)
    }
    return sorted(senders)


def _block_number(answer: Any) -> int:
    return quantity(answer.get("blockNumber") if isinstance(answer, dict) else None)


def _receipt(answer: Mapping[str, Any], block: Block) -> Receipt | None:
    if data(answer.get("blockHash"), 32) != block.hash:
        return None
    logs = answer.get("logs")
    if not isinstance(logs, list):
        message = "The node's receipt has no logs."
        raise LedgerAnswerError(message)
    return Receipt(
        hash=Digest(data(answer.get("transactionHash"), 32)),
        block=block,
        succeeded=quantity(answer.get("status")) == 1,
        gas_used=quantity(answer.get("gasUsed")),
        logs=logs,
    )
