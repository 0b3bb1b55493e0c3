"""The outbox in SQL, in a file and in PostgreSQL: a change that comes late changes nothing."""

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes.carrier import Answering
from guildmark.adapters.chain.rpc import Rpc
from guildmark.adapters.chain.vitals import ChainVitals
from guildmark.adapters.store.engine import open_database
from guildmark.adapters.store.outbox import (
    LEASE_SECONDS,
    Attempt,
    Change,
    OutboxTable,
    Outgoing,
    Request,
    State,
    this_process,
)
from guildmark.domain.chain.contracts import ChainClass, ChainPin, ContractName, ContractPin
from guildmark.domain.identifiers import Address, ChainId, Digest
from guildmark.ports.chain import Call, LedgerAnswerError, TransactionId, WriterBusyError
from guildmark.ports.keys import KeyName

SENDER = Address(b"\x0a" * 20)
PIN = ChainPin(
    chain_id=ChainId(2**53 - 1),
    genesis=Digest(bytes(32)),
    chain_class=ChainClass.LOCAL,
    contracts={
        ContractName.LOG: ContractPin(address=Address(b"\x0b" * 20), code_hash=Digest(bytes(32)))
    },
)


def request(name: str = "one", chain: ChainPin = PIN) -> Request:
    return Request.of_call(
        chain,
        Call(contract=ContractName.LOG, function="tick"),
        data=b"\1",
        key=KeyName("key"),
        sender=SENDER,
        idempotency=name,
    )


def attempt(nonce: int, max_fee: int = 1) -> Attempt:
    return Attempt(
        hash=Digest(bytes([nonce, max_fee]) * 16),
        raw=b"raw",
        nonce=nonce,
        gas=1,
        max_fee=max_fee,
        priority=1,
    )


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))]
)
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OutboxTable]:
    is_shared = request.param == "postgresql"
    place = request.getfixturevalue("postgres").fresh() if is_shared else tmp_path / "node.db"
    engine = open_database(place)
    yield OutboxTable(engine)
    engine.dispose()


def requested(table: OutboxTable, name: str = "one") -> Outgoing:
    table.request(request(name), at=1)
    return found(table, name)


def found(table: OutboxTable, name: str = "one") -> Outgoing:
    outgoing = table.find(request(name).id)
    assert outgoing is not None
    return outgoing


def test_a_request_is_stored_once(table: OutboxTable) -> None:
    table.request(request(), at=1)
    table.request(request(), at=2)

    assert found(table).changed == 1
    assert len(table.open(PIN.chain_id, 10)) == 1
    assert table.find(TransactionId("0x00")) is None


def test_one_name_on_two_chains_is_two_transactions() -> None:
    other = replace(PIN, chain_id=ChainId(1))

    assert request().id != request(chain=other).id


def test_nonces_rise_and_are_never_below_what_the_chain_takes(table: OutboxTable) -> None:
    for name, floor in (("a", 0), ("b", 0), ("c", 7), ("d", 3)):
        table.sign(requested(table, name), attempt, floor=floor, at=2)

    assert [found(table, name).nonce for name in "abcd"] == [0, 1, 7, 8]


def test_what_is_entered_is_stored_and_signed_at_once(table: OutboxTable) -> None:
    entered = table.enter(request("a"), attempt, floor=7, at=2)
    after = table.enter(request("b"), attempt, floor=0, at=2)

    assert entered == found(table, "a")
    assert after == found(table, "b")
    assert [found(table, name).nonce for name in "ab"] == [7, 8]


def test_what_is_there_already_is_not_entered(table: OutboxTable) -> None:
    first = requested(table)

    entered = table.enter(request(), lambda _nonce: pytest.fail("signed what waits"), floor=0, at=3)

    assert entered is None
    assert found(table) == first


def test_what_another_writer_s_key_would_sign_is_not_entered(table: OutboxTable) -> None:
    ours, other = owned_by(table, "process 1 on north"), owned_by(table, "process 2 on south")
    ours.sign(requested(table, "a"), attempt, floor=0, at=2)

    with pytest.raises(WriterBusyError):
        other.enter(request("b"), attempt, floor=0, at=2)

    assert table.find(request("b").id) is None


def test_what_is_signed_is_not_signed_again(table: OutboxTable) -> None:
    first = requested(table)
    table.sign(first, attempt, floor=0, at=2)

    table.sign(first, lambda _nonce: pytest.fail("signed again"), floor=0, at=3)

    assert found(table).attempts == (attempt(0),)


def test_attempts_are_kept_in_the_order_of_their_offers(table: OutboxTable) -> None:
    table.sign(requested(table), attempt, floor=0, at=2)

    table.replace(found(table), attempt(0, max_fee=9), at=2)
    table.replace(found(table), attempt(0, max_fee=10), at=2)

    assert [one.max_fee for one in found(table).attempts] == [1, 9, 10]
    assert found(table).state is State.SIGNED


@pytest.mark.parametrize("state", [State.INCLUDED, State.FINAL, State.FAILED])
def test_what_landed_is_not_replaced(table: OutboxTable, state: State) -> None:
    table.sign(requested(table), attempt, floor=0, at=2)
    table.apply([Change(number=1, seen=State.SIGNED, values={"state": state.value})], at=3)

    table.replace(found(table), attempt(0, max_fee=9), at=4)

    assert [one.max_fee for one in found(table).attempts] == [1]


def test_a_change_from_another_state_changes_nothing(table: OutboxTable) -> None:
    requested(table)

    table.apply([Change(number=1, seen=State.SENT, values={"state": "final"})], at=3)
    table.apply([], at=4)

    assert (found(table).state, found(table).changed) == (State.REQUESTED, 1)


def test_a_gap_is_filled_once(table: OutboxTable) -> None:
    gap = Request.empty(request(), 4, gas=21_000)

    table.fill(gap, attempt(4), at=1)
    table.fill(gap, attempt(4), at=2)

    (outgoing,) = table.open(PIN.chain_id, 10)
    assert (outgoing.state, outgoing.nonce, outgoing.changed) == (State.SIGNED, 4, 1)
    assert (outgoing.request.target, outgoing.request.data) == (SENDER, b"")


def test_old_attempts_of_a_nonce_that_was_given_up_are_left_out(table: OutboxTable) -> None:
    table.sign(requested(table), attempt, floor=0, at=2)
    given_up = {"state": "requested", "nonce": None, "hash": None}
    table.apply([Change(number=1, seen=State.SIGNED, values=given_up)], at=3)
    between = found(table)

    table.sign(between, attempt, floor=5, at=4)

    assert between.attempts == ()
    assert found(table).attempts == (attempt(5),)


def test_only_open_transactions_of_the_chain_are_open(table: OutboxTable) -> None:
    for number, state in enumerate(State, start=1):
        requested(table, state.value)
        table.apply(
            [Change(number=number, seen=State.REQUESTED, values={"state": state.value})], at=2
        )

    opened = table.open(PIN.chain_id, 10)

    assert [one.state for one in opened] == ["requested", "signed", "sent", "included"]
    assert len(table.open(PIN.chain_id, 2)) == 2
    assert table.open(ChainId(1), 10) == []


def test_the_newest_are_listed_first_and_settled_ones_too(table: OutboxTable) -> None:
    for name in ("a", "b", "c"):
        requested(table, name)
    table.apply([Change(number=2, seen=State.REQUESTED, values={"state": "final"})], at=2)

    assert [one.request.idempotency for one in table.newest(2)] == ["c", "b"]
    assert [one.state for one in table.newest(9)] == ["requested", "final", "requested"]


def owned_by(table: OutboxTable, owner: str) -> OutboxTable:
    return OutboxTable(table.engine, owner=lambda: owner)


@pytest.mark.parametrize("at", [2, 2 + LEASE_SECONDS - 1])
def test_a_key_has_one_writer_and_the_other_says_who(table: OutboxTable, at: int) -> None:
    ours, other = owned_by(table, "process 1 on north"), owned_by(table, "process 2 on south")
    ours.sign(requested(table, "a"), attempt, floor=0, at=2)

    with pytest.raises(WriterBusyError, match="process 1 on north signs with the key") as caught:
        other.sign(requested(table, "b"), attempt, floor=0, at=at)
    with pytest.raises(WriterBusyError):
        other.replace(found(table, "a"), attempt(0, max_fee=9), at=at)
    with pytest.raises(WriterBusyError):
        other.fill(Request.empty(request(), 4, gas=21_000), attempt(4), at=at)

    assert caught.value.detail == {"key": "key", "owner": "process 1 on north", "token": 1}
    assert found(table, "b").state is State.REQUESTED
    assert len(table.newest(9)) == 2


@pytest.mark.parametrize("at", [2 + LEASE_SECONDS, 10**9, 1, -(10**9)])
def test_a_silent_writer_is_followed_by_another_whatever_the_clock_does(
    table: OutboxTable, at: int
) -> None:
    ours, other = owned_by(table, "process 1 on north"), owned_by(table, "process 2 on south")
    ours.sign(requested(table, "a"), attempt, floor=0, at=2)

    other.sign(requested(table, "b"), attempt, floor=0, at=at)

    assert found(table, "b").nonce == 1
    with pytest.raises(WriterBusyError) as caught:
        ours.sign(requested(table, "c"), attempt, floor=0, at=at)
    assert caught.value.detail["token"] == 2


def test_a_key_is_let_go_with_the_last_that_is_open(table: OutboxTable) -> None:
    ours, other = owned_by(table, "process 1 on north"), owned_by(table, "process 2 on south")
    for name in ("a", "b"):
        ours.sign(requested(table, name), attempt, floor=0, at=2)

    ours.apply([Change(number=1, seen=State.SIGNED, values={"state": "final"})], at=2)
    with pytest.raises(WriterBusyError):
        other.sign(requested(table, "c"), attempt, floor=0, at=2)
    ours.apply([Change(number=2, seen=State.SIGNED, values={"state": "failed"})], at=2)
    other.sign(requested(table, "c"), attempt, floor=0, at=2)

    assert found(table, "c").nonce == 2


def test_a_writer_that_died_here_is_followed_at_once(table: OutboxTable) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    gone = owned_by(table, f"process {child} on {socket.gethostname()}")
    gone.sign(requested(table, "a"), attempt, floor=0, at=2)

    table.sign(requested(table, "b"), attempt, floor=0, at=2)

    assert found(table, "b").nonce == 1


@pytest.mark.parametrize(
    "owner",
    [
        pytest.param(this_process(), id="this process"),
        pytest.param(f"process 1 on {socket.gethostname()}", id="another one of this machine"),
    ],
)
def test_a_writer_that_lives_here_keeps_its_key(table: OutboxTable, owner: str) -> None:
    owned_by(table, owner).sign(requested(table, "a"), attempt, floor=0, at=2)

    with pytest.raises(WriterBusyError):
        owned_by(table, "process 2 on south").sign(requested(table, "b"), attempt, floor=0, at=2)


def test_the_oldest_open_transaction_is_known_by_its_first_attempt(table: OutboxTable) -> None:
    before = table.oldest(PIN.chain_id)
    table.request(request("late"), at=9)
    requested_only = table.oldest(PIN.chain_id)
    table.request(request("first"), at=1)
    table.sign(found(table, "first"), attempt, floor=0, at=4)
    table.replace(found(table, "first"), attempt(0, max_fee=2), at=8)

    assert (before, requested_only) == (None, 9)
    assert table.oldest(PIN.chain_id) == 4
    assert table.oldest(ChainId(1)) is None


def test_what_a_node_and_the_outbox_tell_are_the_vitals(table: OutboxTable) -> None:
    answers: dict[str, object] = {
        "eth_getBalance": "0x64",
        "eth_getBlockByNumber": {"baseFeePerGas": "0x5"},
        "eth_maxPriorityFeePerGas": "0x1",
    }

    def handle(calls: Any) -> Any:
        return [{"id": one["id"], "result": answers[one["method"]]} for one in calls]

    rpc = Rpc(url="http://node", carrier=Answering(handle))
    vitals = ChainVitals(rpc=rpc, table=table, chain_id=PIN.chain_id)
    table.request(request(), at=7)

    purse = vitals.purse(SENDER)
    answers["eth_getBlockByNumber"] = None
    with pytest.raises(LedgerAnswerError):
        vitals.purse(SENDER)

    assert (purse.balance, purse.price) == (100, 11)
    assert vitals.oldest() == 7
