"""What follows from what the node showed: each arrow of the outbox's states."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from guildmark.adapters.chain.eip1559 import Fees
from guildmark.adapters.chain.look import Receipt, View
from guildmark.adapters.chain.progress import cancelled, change, noted
from guildmark.adapters.chain.rpc import RpcRefusedError
from guildmark.adapters.store.outbox import Attempt, Outgoing, Request, State
from guildmark.domain.identifiers import Address, ChainId, Digest
from guildmark.ports.chain import Block, TransactionId, WriterBusyError
from guildmark.ports.keys import KeyName

SENDER = Address(b"\x0a" * 20)
OLD, NEW = (
    Attempt(hash=Digest(bytes([n]) * 32), raw=b"", nonce=5, gas=6_400, max_fee=n, priority=1)
    for n in (1, 2)
)
BLOCK = Block(number=9, hash=Digest(b"\x0c" * 32), time=77)


def outgoing(state: State, **changes: Any) -> Outgoing:
    empty = Outgoing(
        number=4,
        request=Request(
            id=TransactionId("0x01"),
            idempotency="one",
            chain_id=ChainId(7),
            digest=Digest(bytes(32)),
            key=KeyName("key"),
            sender=SENDER,
            contract="identities",
            function="register",
            target=SENDER,
            data=b"",
            gas=None,
        ),
        state=state,
        changed=0,
        nonce=5,
        attempts=(OLD, NEW),
        hash=None,
        block_number=None,
        block_hash=None,
        block_time=None,
        gas_used=None,
        logs=None,
        code=None,
        reason=None,
    )
    return replace(empty, **changes)


def receipt(attempt: Attempt = NEW, *, succeeded: bool = True, gas_used: int = 10) -> Receipt:
    return Receipt(hash=attempt.hash, block=BLOCK, succeeded=succeeded, gas_used=gas_used, logs=[])


def view(
    *receipts: Receipt,
    final: int = 8,
    sent: Mapping[Digest, RpcRefusedError | None] | None = None,
    spent: int = 0,
) -> View:
    return View(
        final=final,
        fees=Fees(max_fee=1, priority=1),
        sent=sent or {},
        receipts={found.hash: found for found in receipts},
        spent={SENDER: spent},
    )


def refused(words: str) -> RpcRefusedError:
    return RpcRefusedError(words, rpcCode=-32000, rpcMessage=words, data=b"")


def nothing(*_: object) -> None:
    """Tell no reason."""


@pytest.mark.parametrize("state", [State.SIGNED, State.SENT, State.INCLUDED])
@pytest.mark.parametrize("attempt", [OLD, NEW])
def test_any_attempt_in_a_block_is_the_transaction_s_inclusion(
    state: State, attempt: Attempt
) -> None:
    found = change(outgoing(state), view(receipt(attempt)), nothing)

    assert found is not None
    assert (found.seen, found.values["state"]) == (state, "included")
    assert found.values["hash"] == attempt.hash
    assert found.values["block_number"] == 9


@pytest.mark.parametrize(("final", "state"), [(8, "included"), (9, "final"), (10, "final")])
def test_a_block_at_or_below_the_final_one_settles(final: int, state: str) -> None:
    found = change(outgoing(State.SENT), view(receipt(), final=final), nothing)

    assert found is not None
    assert found.values["state"] == state


def test_an_inclusion_that_was_seen_is_no_change_until_it_is_final() -> None:
    seen = outgoing(State.INCLUDED, block_hash=BLOCK.hash)

    assert change(seen, view(receipt()), nothing) is None
    assert change(seen, view(receipt(), final=9), nothing) is not None


def test_an_inclusion_that_moved_is_told() -> None:
    seen = outgoing(State.INCLUDED, block_hash=Digest(bytes(32)))

    found = change(seen, view(receipt()), nothing)

    assert found is not None
    assert found.values["block_hash"] == BLOCK.hash


def test_an_undone_inclusion_goes_back_with_nothing_left_of_its_block() -> None:
    found = change(outgoing(State.INCLUDED, block_hash=BLOCK.hash), view(), nothing)

    assert found is not None
    assert found.values.pop("state") == "sent"  # type: ignore[attr-defined]  # a plain dict
    assert set(found.values.values()) == {None}


@pytest.mark.parametrize(
    ("gas_used", "reason", "code"),
    [
        (6_300, None, "chain.outOfGas"),
        (6_299, None, "chain.callRefused"),
        (6_400, refused("execution reverted"), "chain.callRefused"),
        (10, refused("insufficient funds"), "chain.fundsMissing"),
    ],
)
def test_a_failure_in_a_block_has_its_reason(
    gas_used: int, reason: RpcRefusedError | None, code: str
) -> None:
    failed = receipt(succeeded=False, gas_used=gas_used)

    found = change(outgoing(State.SENT), view(failed, final=9), lambda *_: reason)

    assert found is not None
    assert (found.values["state"], found.values["code"]) == ("failed", code)


def test_what_was_not_sent_now_stays() -> None:
    assert change(outgoing(State.SIGNED), view(), nothing) is None
    # Only the newest bytes are sent; an answer to older ones says nothing.
    assert change(outgoing(State.SIGNED), view(sent={OLD.hash: None}), nothing) is None


@pytest.mark.parametrize("answer", [None, refused("already known")])
def test_what_the_node_has_is_sent(answer: RpcRefusedError | None) -> None:
    found = change(outgoing(State.SIGNED), view(sent={NEW.hash: answer}), nothing)

    assert found is not None
    assert found.values == {"state": "sent", "code": None, "reason": None}
    assert change(outgoing(State.SENT), view(sent={NEW.hash: answer}), nothing) is None


def test_a_fault_that_is_over_is_forgotten() -> None:
    faulty = outgoing(State.SENT, code="chain.fundsMissing", reason="poor")

    found = change(faulty, view(sent={NEW.hash: None}), nothing)

    assert found is not None
    assert found.values == {"state": "sent", "code": None, "reason": None}


@pytest.mark.parametrize(("spent", "is_free"), [(5, False), (6, True), (7, True)])
def test_a_new_nonce_is_asked_for_only_when_the_old_one_is_used_up_for_good(
    spent: int, *, is_free: bool
) -> None:
    answer = {NEW.hash: refused("nonce too low")}

    found = change(outgoing(State.SENT), view(sent=answer, spent=spent), nothing)

    assert (found is not None) is is_free
    if found is not None:
        assert found.values == {"state": "requested", "nonce": None, "hash": None}


def test_what_no_node_takes_fails() -> None:
    answer = {NEW.hash: refused("intrinsic gas too low")}

    found = change(outgoing(State.SIGNED), view(sent=answer), nothing)

    assert found is not None
    assert (found.values["state"], found.values["code"]) == ("failed", "chain.nodeRefused")


@pytest.mark.parametrize(
    ("words", "code"),
    [("insufficient funds", "chain.fundsMissing"), ("txpool is full", "chain.nodeRefused")],
)
def test_any_other_refusal_is_noted_and_tried_again(words: str, code: str) -> None:
    found = change(outgoing(State.SIGNED), view(sent={NEW.hash: refused(words)}), nothing)

    assert found is not None
    assert (found.values["state"], found.values["code"]) == ("signed", code)


NOOP = replace(NEW, hash=Digest(b"\3" * 32), cancels=True)


@pytest.mark.parametrize(("final", "state"), [(8, "included"), (9, "failed")])
def test_a_cancellation_in_a_block_is_the_transaction_s_end(final: int, state: str) -> None:
    both = outgoing(State.SENT, attempts=(OLD, NOOP))

    found = change(both, view(receipt(NOOP), final=final), nothing)

    assert found is not None
    assert (found.values["state"], found.values["code"]) == (state, "transaction.cancelled")


def test_a_transaction_that_lands_before_its_cancellation_is_done() -> None:
    both = outgoing(State.SENT, attempts=(OLD, NOOP))

    found = change(both, view(receipt(OLD), final=9), nothing)

    assert found is not None
    assert (found.values["state"], found.values["code"]) == ("final", None)


def test_a_cancelled_transaction_takes_no_other_nonce() -> None:
    both = outgoing(State.SENT, attempts=(OLD, NOOP))
    answer = {NOOP.hash: refused("nonce too low")}

    found = change(both, view(sent=answer, spent=6), nothing)

    assert found == cancelled(both)
    assert found is not None
    assert found.values["state"] == "failed"


def test_a_busy_key_is_noted_once() -> None:
    busy = WriterBusyError("process 1 signs now.")
    waiting = outgoing(State.REQUESTED, attempts=(), nonce=None)

    found = noted(waiting, busy)

    assert found is not None
    assert found.values == {
        "state": "requested",
        "code": "transaction.writerBusy",
        "reason": "process 1 signs now.",
    }
    assert noted(replace(waiting, reason="process 1 signs now."), busy) is None
