"""What follows for a transaction of the outbox from what the node showed; decides, does nothing."""

import logging
from collections.abc import Callable
from typing import Any, TypeAlias

import orjson

from guildmark.adapters.chain.errors import is_hopeless, is_nonce_used, is_sent, translated
from guildmark.adapters.chain.look import Receipt, View
from guildmark.adapters.chain.rpc import RpcRefusedError
from guildmark.adapters.store.outbox import Attempt, Change, Outgoing, State
from guildmark.domain.chain.refusals import CallRefusedError, OutOfGasError
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import to_hex
from guildmark.ports.chain import TransactionCancelledError

_logger = logging.getLogger(__name__)

Reason: TypeAlias = Callable[[Outgoing, Receipt], RpcRefusedError | None]

# EIP-150: a call passes on all but a 64th of the gas that is left.
_PASSED_NUMERATOR = 63
_PASSED_DENOMINATOR = 64


def change(outgoing: Outgoing, view: View, reason: Reason) -> Change | None:
    """Return how a transaction's state moves, None where it stays.

    Args:
        outgoing: A transaction with its attempts.
        view: What the node showed.
        reason: Asks the node why a transaction failed in its block.
    """
    for attempt in outgoing.attempts:
        receipt = view.receipts.get(attempt.hash)
        if receipt is not None:
            return _included(outgoing, attempt, receipt, view, reason)
    if outgoing.state is State.INCLUDED:
        # Its block was undone; nodes do not put such transactions back by themselves.
        return _to(outgoing, State.SENT, **_NO_BLOCK)
    return _answered(outgoing, view)


def failed(outgoing: Outgoing, error: GuildmarkError) -> Change:
    """Return the change to a failure for good."""
    return _to(outgoing, State.FAILED, code=error.code, reason=error.message)


def cancelled(outgoing: Outgoing) -> Change:
    """Return the change of what was taken back for good."""
    return _to(outgoing, State.FAILED, **_CANCELLED)


def noted(outgoing: Outgoing, error: GuildmarkError) -> Change | None:
    """Return the change that says why a transaction waits, None where that was said."""
    if outgoing.reason == error.message:
        return None
    return _to(outgoing, outgoing.state, code=error.code, reason=error.message)


def _included(
    outgoing: Outgoing, attempt: Attempt, receipt: Receipt, view: View, reason: Reason
) -> Change | None:
    values: dict[str, Any] = {
        "hash": receipt.hash,
        "block_number": receipt.block.number,
        "block_hash": receipt.block.hash,
        "block_time": receipt.block.time,
        "gas_used": receipt.gas_used,
        "logs": orjson.dumps(list(receipt.logs)).decode(),
        "code": None,
        "reason": None,
    }
    is_done = receipt.succeeded and not attempt.cancels
    settled = State.FINAL if is_done else State.FAILED
    state = settled if receipt.block.number <= view.final else State.INCLUDED
    if state is outgoing.state and receipt.block.hash == outgoing.block_hash:
        return None
    if attempt.cancels:
        values |= _CANCELLED
    elif not receipt.succeeded:
        error = _refusal(attempt, receipt, reason(outgoing, receipt))
        values |= {"code": error.code, "reason": error.message}
    return _to(outgoing, state, **values)


def _refusal(attempt: Attempt, receipt: Receipt, refusal: RpcRefusedError | None) -> GuildmarkError:
    if refusal is not None:
        return translated(refusal)
    if receipt.gas_used * _PASSED_DENOMINATOR >= attempt.gas * _PASSED_NUMERATOR:
        return OutOfGasError(f"The transaction used up its {attempt.gas} gas.", gas=attempt.gas)
    message = "The contract refused the call in its block, and would not refuse it now."
    return CallRefusedError(message)


def _answered(outgoing: Outgoing, view: View) -> Change | None:
    """Return what follows from the answer to the newest bytes, which no block has."""
    newest = outgoing.attempts[-1]
    if newest.hash not in view.sent:
        return None
    refusal = view.sent[newest.hash]
    if refusal is not None and is_nonce_used(refusal):
        return _overtaken(outgoing, newest, view)
    if refusal is None or is_sent(refusal):
        return None if _is_plainly_sent(outgoing) else _to(outgoing, State.SENT, **_NO_FAULT)
    error = translated(refusal)
    if is_hopeless(refusal):
        return failed(outgoing, error)
    return noted(outgoing, error)


def _is_plainly_sent(outgoing: Outgoing) -> bool:
    return outgoing.state is State.SENT and outgoing.code is None


def _overtaken(outgoing: Outgoing, newest: Attempt, view: View) -> Change | None:
    """Ask for a new nonce once final blocks hold the old one for another transaction."""
    if view.spent.get(outgoing.request.sender, 0) <= newest.nonce:
        return None
    sender = to_hex(outgoing.request.sender)
    _logger.warning("nonce %d of %s was used elsewhere", newest.nonce, sender)
    if newest.cancels:
        return cancelled(outgoing)
    return _to(outgoing, State.REQUESTED, nonce=None, hash=None)


def _to(outgoing: Outgoing, state: State, **values: Any) -> Change:
    return Change(
        number=outgoing.number, seen=outgoing.state, values={"state": state.value, **values}
    )


_CANCELLED = {
    "code": TransactionCancelledError.code,
    "reason": "It was taken back before it did anything.",
}
_NO_FAULT = dict.fromkeys(("code", "reason"))
_NO_BLOCK = _NO_FAULT | dict.fromkeys(
    ("block_number", "block_hash", "block_time", "gas_used", "logs")
)
