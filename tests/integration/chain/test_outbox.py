"""The outbox under faults: every transaction lands once, nothing that was stored is forgotten."""

import os
import random
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import update

import chains
from fakes.carrier import Told
from guildmark.adapters.chain.carrier import Answer, HttpCarrier, NotCarriedError
from guildmark.adapters.chain.ledger import RpcLedger
from guildmark.adapters.chain.outbox import Outbox, Patience
from guildmark.adapters.chain.rpc import Rpc
from guildmark.adapters.store.engine import writing
from guildmark.adapters.store.outbox import NONCES, OutboxTable, State
from guildmark.domain.chain.contracts import ChainPin, ContractName
from guildmark.domain.chain.finality import FinalityRule
from guildmark.domain.chain.refusals import FundsMissingError, IdentityUnknownError, OutOfGasError
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import ChainId, Digest, to_hex
from guildmark.ports.chain import (
    Call,
    CodeMismatchError,
    FeeLimitError,
    Finality,
    GenesisMismatchError,
    LedgerUnavailableError,
    NotFinalInTimeError,
    TransactionCancelledError,
    TransactionId,
    TransactionSettledError,
    TransactionState,
    WrongChainError,
)
from guildmark.ports.keys import KeyName

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

IMPATIENT = Patience(stuck_seconds=0, again_seconds=0)
STEPS = 6

Open = Callable[..., Outbox]


@pytest.fixture
def key(anvil_deployed: chains.Deployed) -> KeyName:
    """Return a funded key that no other test uses: its nonces begin at 0."""
    name = KeyName(f"key-{secrets.token_hex(6)}")
    anvil_deployed.chain.fund(name)
    return name


@pytest.fixture
def anvil_ledger(anvil_deployed: chains.Deployed) -> Iterator[RpcLedger]:
    found = anvil_deployed.ledger()
    yield found
    found.rpc.close()


@pytest.fixture
def manual(anvil_ledger: RpcLedger) -> Iterator[RpcLedger]:
    """Return a ledger whose blocks are made by ``mine``, and final when two deep."""
    anvil_ledger.rpc.call("evm_setAutomine", False)
    yield replace(anvil_ledger, finality=FinalityRule(depth=2))
    anvil_ledger.rpc.call("evm_setAutomine", True)
    anvil_ledger.rpc.call("anvil_dropAllTransactions")


def register(salt: bytes | None = None, gas: int | None = 200_000) -> Call:
    return Call(
        contract=ContractName.IDENTITIES,
        function="register",
        args=(1, salt or secrets.token_bytes(32), bytes(32)),
        gas=gas,
    )


def submit(outbox: Outbox, key: KeyName, name: str = "one") -> TransactionId:
    idempotency = f"{key}:{name}"
    return outbox.submit(register(sha256(idempotency.encode())), key=key, idempotency=idempotency)


def mine(ledger: RpcLedger, blocks: int = 1) -> None:
    for _ in range(blocks):
        ledger.rpc.call("evm_mine")


def nonce_of(ledger: RpcLedger, outbox: Outbox, key: KeyName) -> int:
    account = to_hex(outbox.keys.address(key))
    return int(ledger.rpc.call("eth_getTransactionCount", account, "latest"), 16)


def landed(ledger: RpcLedger, outbox: Outbox, key: KeyName, first: int = 0) -> list[Any]:
    """Return the identities that the key registered, as the chain tells."""
    newest = ledger.head(final=False).number
    return [
        event.args["id"]
        for event in ledger.events(first, newest)
        if event.name == "IdentityRegistered"
        and event.args["controller"] == outbox.keys.address(key)
    ]


class Faulty(HttpCarrier):
    """The network to one node, with faults at will."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.is_down = False
        self.loses_answers = 0
        self.requests = 0

    def post(self, body: bytes, *, timeout: float) -> Answer:
        self.requests += 1
        if self.is_down:
            raise NotCarriedError("down")
        answer = super().post(body, timeout=timeout)
        if self.loses_answers and b"eth_sendRawTransaction" in body:
            self.loses_answers -= 1
            answer.close()
            raise NotCarriedError("lost")
        return answer


@pytest.fixture
def faulty(anvil_ledger: RpcLedger) -> Iterator[tuple[RpcLedger, Faulty]]:
    network = Faulty(anvil_ledger.rpc.url)
    with Rpc(url=anvil_ledger.rpc.url, carrier=network) as rpc:
        yield replace(anvil_ledger, rpc=rpc), network


def test_a_crash_at_any_step_neither_loses_nor_doubles(
    anvil_deployed: chains.Deployed,
    anvil_ledger: RpcLedger,
    tmp_path: Path,
    volume: Callable[[int, int, int], int],
) -> None:
    seed = 7
    chance = random.Random(seed)

    for case in range(volume(60, 500, 10_000)):
        key = KeyName(f"crash-{case}-{secrets.token_hex(4)}")
        anvil_deployed.chain.fund(key)
        database = tmp_path / f"{case}.db"
        crashes = [chance.randrange(STEPS) for _ in range(chance.randrange(1, 4))]
        before = anvil_ledger.head(final=False).number
        for step in crashes:
            _in_child(lambda key=key, step=step, db=database: _crash(anvil_deployed, db, key, step))  # type: ignore[misc]  # bound now
        outbox = chains.outbox_over(anvil_ledger, database)
        sent = submit(outbox, key)
        outbox.wait(sent, finality=Finality.FINAL, timeout=20)

        assert len(landed(anvil_ledger, outbox, key, before)) == 1, (seed, case, crashes)
        assert nonce_of(anvil_ledger, outbox, key) == 1, (seed, case, crashes)
        assert outbox.advance() == 0
        outbox.table.engine.dispose()


def _crash(deployed: chains.Deployed, database: Path, key: KeyName, step: int) -> None:
    """Submit, or go on where the last crash was, and end at a step."""
    left = step

    def on_step(_name: str) -> None:
        nonlocal left
        if left == 0:
            os._exit(9)
        left -= 1

    outbox = chains.outbox_over(deployed.chain.unchecked_ledger(deployed.pin), database)
    outbox.on_step = on_step
    submit(outbox, key)
    outbox.advance()


def _in_child(work: Callable[[], None]) -> int:
    """Run ``work`` in a fork of this process, which cannot end it otherwise than by its end."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, 9}
    return code


def test_every_step_is_crashed_at(anvil_deployed: chains.Deployed, tmp_path: Path) -> None:
    key = KeyName(f"steps-{secrets.token_hex(4)}")
    anvil_deployed.chain.fund(key)

    codes = [
        _in_child(lambda n=n: _crash(anvil_deployed, tmp_path / f"{n}.db", key, n))  # type: ignore[misc]  # bound now
        for n in range(STEPS - 1)
    ]

    assert codes == [9] * (STEPS - 1)


def test_two_processes_with_one_key_take_each_nonce_once(
    anvil_deployed: chains.Deployed, anvil_ledger: RpcLedger, key: KeyName, tmp_path: Path
) -> None:
    writers, each = 3, 8
    database = tmp_path / "node.db"
    chains.outbox_over(anvil_ledger, database).table.engine.dispose()

    def write(writer: int) -> None:
        outbox = chains.outbox_over(anvil_deployed.ledger(), database)
        for number in range(each):
            submit(outbox, key, f"{writer}.{number}")

    pids = []
    for writer in range(writers):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                write(writer)
                code = 0
            finally:
                os._exit(code)
        pids.append(pid)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    outbox = chains.outbox_over(anvil_ledger, database)
    while outbox.advance():
        pass

    assert codes == [0] * writers
    assert len(landed(anvil_ledger, outbox, key)) == writers * each
    assert nonce_of(anvil_ledger, outbox, key) == writers * each
    outbox.table.engine.dispose()


def test_one_submission_is_one_request(
    faulty: tuple[RpcLedger, Faulty], key: KeyName, open_outbox: Open
) -> None:
    ledger, network = faulty
    outbox = open_outbox(ledger)
    submit(outbox, key, "first")
    before = network.requests

    sent = submit(outbox, key, "second")

    assert network.requests == before + 1
    assert outbox.wait(sent, finality=Finality.FINAL, timeout=10).gas_used


def test_a_node_that_is_away_delays_and_loses_nothing(
    faulty: tuple[RpcLedger, Faulty], key: KeyName, open_outbox: Open
) -> None:
    ledger, network = faulty
    outbox = open_outbox(ledger)
    network.is_down = True

    sent = outbox.submit(register(gas=None), key=key, idempotency=f"{key}:away")
    stored = outbox.status(sent)
    with pytest.raises(LedgerUnavailableError):
        outbox.advance()
    network.is_down = False
    done = outbox.wait(sent, finality=Finality.FINAL, timeout=10)

    assert (stored.state, stored.hash) == (TransactionState.PENDING, None)
    assert done.state is TransactionState.FINAL
    assert len(landed(ledger, outbox, key)) == 1


def test_a_refusal_that_is_found_late_fails_without_a_nonce(
    faulty: tuple[RpcLedger, Faulty], key: KeyName, open_outbox: Open
) -> None:
    ledger, network = faulty
    outbox = open_outbox(ledger)
    network.is_down = True
    unknown = Call(
        contract=ContractName.IDENTITIES, function="setProfile", args=(b"\1" * 32, bytes(32))
    )

    sent = outbox.submit(unknown, key=key, idempotency=f"{key}:late")
    network.is_down = False
    open_after = outbox.advance()

    assert open_after == 0
    assert outbox.status(sent).code == IdentityUnknownError.code
    with pytest.raises(IdentityUnknownError):
        outbox.wait(sent, finality=Finality.FINAL, timeout=1)
    assert nonce_of(ledger, outbox, key) == 0


def test_a_lost_answer_leads_to_the_same_bytes_and_no_second_effect(
    faulty: tuple[RpcLedger, Faulty], key: KeyName, open_outbox: Open
) -> None:
    ledger, network = faulty
    outbox = open_outbox(ledger)
    network.loses_answers = 2

    sent = submit(outbox, key)
    signed = outbox.status(sent)
    with pytest.raises(LedgerUnavailableError):
        outbox.advance()
    done = outbox.wait(sent, finality=Finality.FINAL, timeout=10)

    assert signed.state is TransactionState.PENDING
    assert done.hash == signed.hash
    assert len(landed(ledger, outbox, key)) == 1


def test_a_transaction_that_the_node_forgot_is_sent_again(
    manual: RpcLedger, key: KeyName, open_outbox: Open
) -> None:
    outbox = open_outbox(manual, Patience(again_seconds=0))
    sent = submit(outbox, key)
    found = outbox.status(sent).hash
    manual.rpc.call("anvil_dropTransaction", to_hex(found or b""))

    outbox.advance()
    mine(manual, 3)
    done = outbox.wait(sent, finality=Finality.FINAL, timeout=10)

    assert done.hash == found


def test_a_stuck_transaction_is_offered_more_and_lands_once(
    manual: RpcLedger, key: KeyName, open_outbox: Open
) -> None:
    outbox = open_outbox(manual, IMPATIENT)
    sent = submit(outbox, key)
    first = outbox.status(sent).hash
    manual.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(50 * 10**9))

    mine(manual)
    for _ in range(3):
        outbox.advance()
    mine(manual, 3)
    done = outbox.wait(sent, finality=Finality.FINAL, timeout=10)

    attempts = outbox.table.find(sent).attempts  # type: ignore[union-attr]  # it was submitted
    assert len(attempts) > 1
    assert done.hash in {attempt.hash for attempt in attempts} - {first}
    assert len(landed(manual, outbox, key)) == 1
    assert {attempt.nonce for attempt in attempts} == {0}


def test_the_fee_limit_is_kept(manual: RpcLedger, key: KeyName, open_outbox: Open) -> None:
    outbox = open_outbox(manual, IMPATIENT)
    outbox.signing.fee_limit = 3 * 10**9
    sent = submit(outbox, key)

    for _ in range(20):
        outbox.advance()

    attempts = outbox.table.find(sent).attempts  # type: ignore[union-attr]  # it was submitted
    assert max(attempt.max_fee for attempt in attempts) <= 3 * 10**9
    assert len(attempts) < 20


def test_what_does_not_land_at_the_limit_is_taken_back_and_no_nonce_is_lost(
    manual: RpcLedger, key: KeyName, open_outbox: Open
) -> None:
    outbox = open_outbox(manual, replace(IMPATIENT, cancel_seconds=0))
    outbox.signing.fee_limit = 3 * 10**9
    sent = submit(outbox, key)
    manual.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(4 * 10**9))
    mine(manual)

    for _ in range(6):
        outbox.advance()
    mine(manual)
    with pytest.raises(TransactionCancelledError):
        outbox.wait(sent, finality=Finality.INCLUDED, timeout=10)
    mine(manual, 2)
    while outbox.advance():
        mine(manual)
    following = submit(outbox, key, "following")
    mine(manual, 3)

    attempts = outbox.table.find(sent).attempts  # type: ignore[union-attr]  # it was submitted
    assert outbox.status(sent).code == "transaction.cancelled"
    assert [one.cancels for one in attempts].count(False) > 0
    assert max(one.max_fee for one in attempts if not one.cancels) <= 3 * 10**9
    assert max(one.max_fee for one in attempts) <= 6 * 10**9
    assert outbox.wait(following, finality=Finality.FINAL, timeout=10).hash
    assert len(landed(manual, outbox, key)) == 1
    assert nonce_of(manual, outbox, key) == 2


def test_a_transaction_is_hurried_and_taken_back_by_hand(
    manual: RpcLedger, key: KeyName, open_outbox: Open
) -> None:
    outbox = open_outbox(manual)
    sent = submit(outbox, key)
    first = outbox.status(sent).hash

    bumped = outbox.bump(sent)
    cancelled = outbox.cancel(sent)
    again = outbox.bump(sent)
    mine(manual, 3)
    with pytest.raises(TransactionCancelledError):
        outbox.wait(sent, finality=Finality.FINAL, timeout=10)

    assert len({first, bumped.hash, cancelled.hash, again.hash}) == 4
    assert landed(manual, outbox, key) == []
    assert nonce_of(manual, outbox, key) == 1
    with pytest.raises(TransactionSettledError):
        outbox.bump(sent)
    with pytest.raises(TransactionSettledError):
        outbox.cancel(sent)


def test_limits_of_offers_are_told(manual: RpcLedger, key: KeyName, open_outbox: Open) -> None:
    outbox = open_outbox(manual)
    outbox.signing.fee_limit = 1
    sent = submit(outbox, key)

    with pytest.raises(FeeLimitError, match="at the fee limit"):
        outbox.bump(sent)
    outbox.cancel(sent)
    with pytest.raises(FeeLimitError, match="take"):
        outbox.cancel(sent)


def test_what_was_never_signed_is_taken_back_without_a_nonce(
    faulty: tuple[RpcLedger, Faulty], key: KeyName, open_outbox: Open
) -> None:
    ledger, network = faulty
    outbox = open_outbox(ledger)
    network.is_down = True
    sent = submit(outbox, key)

    cancelled = outbox.cancel(sent)
    network.is_down = False

    assert (cancelled.state, cancelled.code) == (TransactionState.FAILED, "transaction.cancelled")
    assert outbox.advance() == 0
    assert nonce_of(ledger, outbox, key) == 0


def test_another_process_with_the_key_does_the_work_and_is_named(
    manual: RpcLedger, key: KeyName, open_outbox: Open
) -> None:
    owner, other = open_outbox(manual), open_outbox(manual)
    other.signing.table = other.table = OutboxTable(
        other.table.engine, owner=lambda: "process 7 on south"
    )
    submit(owner, key, "first")

    sent = submit(other, key, "second")
    waiting = other.status(sent)
    owner.advance()
    mine(manual, 3)
    done = other.wait(sent, finality=Finality.FINAL, timeout=10)

    assert (waiting.state, waiting.hash) == (TransactionState.PENDING, None)
    assert "signs with the key" in (waiting.reason or "")
    assert done.reason is None
    assert len(landed(manual, owner, key)) == 2


def test_a_key_that_another_process_took_meanwhile_is_waited_for(
    manual: RpcLedger, key: KeyName, open_outbox: Open
) -> None:
    owner, other = open_outbox(manual), open_outbox(manual)
    other.signing.table = other.table = OutboxTable(
        other.table.engine, owner=lambda: "process 7 on south"
    )
    first = submit(other, key, "first")
    mine(manual, 3)
    other.wait(first, finality=Finality.FINAL, timeout=10)
    submit(owner, key, "second")

    waiting = other.status(submit(other, key, "third"))

    assert (waiting.state, waiting.hash) == (TransactionState.PENDING, None)
    assert "signs with the key" in (waiting.reason or "")


def test_what_nothing_must_be_learned_for_is_stored_and_signed_in_one_step(
    anvil_ledger: RpcLedger, key: KeyName, open_outbox: Open
) -> None:
    steps: list[str] = []
    outbox = open_outbox(anvil_ledger)
    outbox.on_step = steps.append

    submit(outbox, key, "first")
    submit(outbox, key, "second")
    submit(outbox, key, "second")

    exchanged = ["sending", "sent", "seen"]
    assert steps == ["requested", "signed", *exchanged, "signed", *exchanged]
    assert nonce_of(anvil_ledger, outbox, key) == 2


def test_contracts_are_compared_before_a_session_s_first_signature(
    anvil_ledger: RpcLedger, key: KeyName, open_outbox: Open
) -> None:
    pin = anvil_ledger.chain
    log = replace(pin.contracts[ContractName.LOG], code_hash=Digest(bytes(32)))
    contracts = {**pin.contracts, ContractName.LOG: log}
    outbox = open_outbox(replace(anvil_ledger, chain=replace(pin, contracts=contracts)))

    with pytest.raises(CodeMismatchError):
        submit(outbox, key)

    assert nonce_of(anvil_ledger, outbox, key) == 0
    assert outbox.table.newest(1)[0].attempts == ()


class Pruned(HttpCarrier):
    """A way to a node that has forgotten the states of all blocks but the newest ones."""

    def post(self, body: bytes, *, timeout: float) -> Answer:
        with closing(super().post(body, timeout=timeout)) as answer:
            calls, answers = orjson.loads(body), orjson.loads(b"".join(answer.pieces()))
        pairs = zip(calls, answers, strict=True) if isinstance(calls, list) else [(calls, answers)]
        found = [_forgotten(*pair) for pair in pairs]
        return Told(orjson.dumps(found if isinstance(calls, list) else found[0]))


def _forgotten(call: Mapping[str, Any], answer: Mapping[str, Any]) -> Mapping[str, Any]:
    if call["method"] != "eth_getTransactionCount" or not str(call["params"][1]).startswith("0x"):
        return answer
    error = {"code": -32000, "message": "missing trie node"}
    return {"jsonrpc": "2.0", "id": call["id"], "error": error}


@pytest.mark.parametrize("carrier", [HttpCarrier, Pruned])
def test_a_nonce_used_elsewhere_is_replaced_once_that_is_final(
    manual: RpcLedger,
    key: KeyName,
    open_outbox: Open,
    tmp_path: Path,
    carrier: Callable[[str], HttpCarrier],
) -> None:
    node = Rpc(url=manual.rpc.url, carrier=carrier(manual.rpc.url))
    ours = open_outbox(replace(manual, rpc=node), IMPATIENT)
    other = chains.outbox_over(manual, tmp_path / "other.db")
    rival = submit(other, key, "rival")
    manual.rpc.call("anvil_dropAllTransactions")
    sent = submit(ours, key)
    manual.rpc.call("anvil_dropAllTransactions")
    _send_raw(manual, other, rival)

    mine(manual)
    ours.advance()
    too_early = ours.table.find(sent)
    mine(manual, 2)
    ours.advance()
    ours.advance()
    mine(manual, 3)
    done = ours.wait(sent, finality=Finality.FINAL, timeout=10)

    assert too_early is not None
    assert (too_early.state is State.REQUESTED, too_early.nonce) == (False, 0)
    assert done.state is TransactionState.FINAL
    assert nonce_of(manual, ours, key) == 2
    assert len(landed(manual, ours, key)) == 2
    other.table.engine.dispose()


def _send_raw(ledger: RpcLedger, outbox: Outbox, sent: TransactionId) -> None:
    found = outbox.table.find(sent)
    assert found is not None
    ledger.rpc.call("eth_sendRawTransaction", to_hex(found.attempts[-1].raw))


def test_nonces_that_were_left_out_are_filled(
    manual: RpcLedger, key: KeyName, open_outbox: Open
) -> None:
    outbox = open_outbox(manual, IMPATIENT)
    sent = submit(outbox, key, "first")
    with writing(outbox.table.engine) as connection:
        connection.execute(update(NONCES).values(next=4))
    second = submit(outbox, key, "second")

    for _ in range(3):
        outbox.advance()
        mine(manual)
    mine(manual, 2)
    outbox.wait(sent, finality=Finality.FINAL, timeout=10)
    outbox.wait(second, finality=Finality.FINAL, timeout=10)

    assert nonce_of(manual, outbox, key) == 5
    assert len(landed(manual, outbox, key)) == 2


def test_an_old_copy_of_the_database_does_nothing_twice(
    anvil_ledger: RpcLedger, key: KeyName, tmp_path: Path
) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    outbox = chains.outbox_over(anvil_ledger, new)
    submit(outbox, key, "first")
    with writing(outbox.table.engine) as connection:
        connection.exec_driver_sql("SELECT 1")
    outbox.table.engine.dispose()
    old.write_bytes(new.read_bytes())
    outbox = chains.outbox_over(anvil_ledger, new)
    submit(outbox, key, "second")
    outbox.table.engine.dispose()

    restored = chains.outbox_over(anvil_ledger, old)
    third = submit(restored, key, "third")
    done = restored.wait(third, finality=Finality.FINAL, timeout=10)

    assert done.state is TransactionState.FINAL
    assert nonce_of(anvil_ledger, restored, key) == 3
    restored.table.engine.dispose()


def test_reorganised_blocks_end_as_if_nothing_had_happened(
    tmp_path: Path, volume: Callable[[int, int, int], int]
) -> None:
    seed = 11
    chance = random.Random(seed)
    with chains.bare_anvil() as chain:
        pin = chain.deploy(tmp_path)
        with chain.rpc() as rpc:
            rpc.call("evm_setAutomine", False)
        ledger = replace(chain.ledger(pin), finality=FinalityRule(depth=8))
        for case in range(volume(12, 300, 500)):
            key = KeyName(f"reorg-{case}")
            chain.fund(key)
            outbox = chains.outbox_over(ledger, tmp_path / f"{case}.db", Patience(again_seconds=0))
            sent = _through_reorgs(ledger, outbox, key, chance)

            done = [outbox.status(found) for found in sent]
            assert {status.state for status in done} == {TransactionState.FINAL}, (seed, case)
            for block in (status.block for status in done):
                assert block is not None
                assert block == ledger.block(block.number), (seed, case)
            assert len(landed(ledger, outbox, key)) == len(sent), (seed, case)
            assert nonce_of(ledger, outbox, key) == len(sent), (seed, case)
            outbox.table.engine.dispose()
        ledger.rpc.close()


def _through_reorgs(
    ledger: RpcLedger, outbox: Outbox, key: KeyName, chance: random.Random
) -> list[TransactionId]:
    """Submit and mine while blocks that are not final are dropped, then let it settle."""
    sent = []
    mine(ledger, 8)
    for number in range(chance.randrange(1, 5)):
        sent.append(submit(outbox, key, str(number)))
        mine(ledger, chance.randrange(3))
        if chance.random() < 0.7:
            outbox.advance()
        if chance.random() < 0.6:
            ledger.rpc.call("anvil_reorg", chance.randrange(1, 7), [])
    for _ in range(4):
        outbox.advance()
        mine(ledger, 3)
    while outbox.advance():
        mine(ledger)
    return sent


def test_an_undone_inclusion_is_told(manual: RpcLedger, key: KeyName, open_outbox: Open) -> None:
    outbox = open_outbox(manual)
    sent = submit(outbox, key)
    mine(manual)
    outbox.advance()
    included = outbox.status(sent)

    manual.rpc.call("anvil_reorg", 1, [])
    outbox.advance()
    undone = outbox.status(sent)
    outbox.advance()
    mine(manual, 3)
    done = outbox.wait(sent, finality=Finality.FINAL, timeout=10)

    assert (included.state, included.event("IdentityRegistered").name) == (
        TransactionState.INCLUDED,
        "IdentityRegistered",
    )
    assert (undone.state, undone.block, undone.events) == (TransactionState.PENDING, None, ())
    assert done.hash == included.hash


def test_waiting_ends_in_time_and_says_where_it_stands(
    manual: RpcLedger, key: KeyName, open_outbox: Open
) -> None:
    outbox = open_outbox(manual)
    sent = submit(outbox, key)

    with pytest.raises(NotFinalInTimeError, match="is pending, not final") as caught:
        outbox.wait(sent, finality=Finality.FINAL, timeout=0.1)
    pending = outbox.wait(sent, finality=Finality.PENDING, timeout=0)
    mine(manual)
    included = outbox.wait(sent, finality=Finality.INCLUDED, timeout=10)

    assert caught.value.detail == {"transaction": sent, "state": "pending"}
    assert (pending.state, included.state) == (
        TransactionState.PENDING,
        TransactionState.INCLUDED,
    )


def test_a_refused_inclusion_is_an_error_for_who_waits_for_inclusion(
    manual: RpcLedger, key: KeyName, open_outbox: Open
) -> None:
    outbox = open_outbox(manual)
    call = Call(
        contract=ContractName.IDENTITIES,
        function="setProfile",
        args=(b"\1" * 32, bytes(32)),
        gas=100_000,
    )
    sent = outbox.submit(call, key=key, idempotency=f"{key}:refused")
    mine(manual)

    with pytest.raises(IdentityUnknownError):
        outbox.wait(sent, finality=Finality.INCLUDED, timeout=10)

    assert outbox.status(sent).state is TransactionState.INCLUDED


def test_too_little_gas_is_named(anvil_ledger: RpcLedger, key: KeyName, open_outbox: Open) -> None:
    outbox = open_outbox(anvil_ledger)

    sent = outbox.submit(register(gas=40_000), key=key, idempotency=f"{key}:gas")

    with pytest.raises(OutOfGasError):
        outbox.wait(sent, finality=Finality.FINAL, timeout=10)


def test_gas_that_no_node_takes_fails_at_once_and_blocks_nothing(
    anvil_ledger: RpcLedger, key: KeyName, open_outbox: Open
) -> None:
    outbox = open_outbox(anvil_ledger, IMPATIENT)

    sent = outbox.submit(register(gas=20_000), key=key, idempotency=f"{key}:tiny")
    status = outbox.status(sent)
    next_one = submit(outbox, key, "next")
    while outbox.advance():
        pass

    assert (status.state, status.code) == (TransactionState.FAILED, "chain.nodeRefused")
    assert outbox.status(next_one).state is TransactionState.FINAL


def test_an_account_without_coin_is_named_and_served_once_it_has_some(
    anvil_deployed: chains.Deployed, anvil_ledger: RpcLedger, open_outbox: Open
) -> None:
    outbox = open_outbox(anvil_ledger, Patience(again_seconds=0))
    poor = KeyName(f"poor-{secrets.token_hex(6)}")

    sent = submit(outbox, poor)
    waiting = outbox.status(sent)
    with pytest.raises(NotFinalInTimeError, match="cannot pay"):
        outbox.wait(sent, finality=Finality.FINAL, timeout=0.1)
    anvil_deployed.chain.fund(poor)
    done = outbox.wait(sent, finality=Finality.FINAL, timeout=10)

    assert (waiting.state, waiting.code) == (TransactionState.PENDING, FundsMissingError.code)
    assert (done.state, done.code) == (TransactionState.FINAL, None)


def test_what_could_not_be_paid_for_goes_out_with_the_sender_s_next_call(
    anvil_deployed: chains.Deployed, anvil_ledger: RpcLedger, open_outbox: Open
) -> None:
    poor = KeyName(f"poor-{secrets.token_hex(6)}")
    first = submit(open_outbox(anvil_ledger), poor, "first")
    anvil_deployed.chain.fund(poor)

    # Another process of the same home, where no node runs.
    later = open_outbox(anvil_ledger)
    done = later.wait(submit(later, poor, "later"), finality=Finality.FINAL, timeout=20)
    served = later.wait(first, finality=Finality.FINAL, timeout=20)

    assert (done.state, served.state) == (TransactionState.FINAL, TransactionState.FINAL)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda pin: replace(pin, chain_id=ChainId(pin.chain_id + 1)), WrongChainError),
        (lambda pin: replace(pin, genesis=Digest(bytes(32))), GenesisMismatchError),
    ],
)
def test_nothing_is_signed_for_another_chain(
    anvil_ledger: RpcLedger,
    key: KeyName,
    open_outbox: Open,
    change: Callable[[ChainPin], ChainPin],
    error: type[Exception],
) -> None:
    outbox = open_outbox(replace(anvil_ledger, chain=change(anvil_ledger.chain)))

    with pytest.raises(error):
        submit(outbox, key)

    (stored,) = outbox.table.open(outbox.chain.chain_id, 10)
    assert (stored.state, stored.attempts) == (State.REQUESTED, ())
    with pytest.raises(error):
        outbox.advance()
    assert nonce_of(anvil_ledger, outbox, key) == 0


def test_a_chain_that_is_swapped_under_way_is_noticed_before_the_next_signature(
    key: KeyName, tmp_path: Path
) -> None:
    with chains.bare_anvil() as chain:
        pin = chain.deploy(tmp_path)
        chain.fund(key)
        ledger = chain.ledger(pin)
        outbox = chains.outbox_over(ledger, tmp_path / "node.db")
        submit(outbox, key, "before")

        ledger.rpc.call("anvil_setChainId", 4711)
        with pytest.raises(WrongChainError):
            submit(outbox, key, "swapped")
        with pytest.raises(WrongChainError):
            submit(outbox, key, "after")
        nonces = [item.nonce for item in outbox.table.open(pin.chain_id, 10)]
        ledger.rpc.call("anvil_setChainId", pin.chain_id)
        while outbox.advance():
            pass

        # The one that was signed when the swap was seen is signed for the right chain only.
        assert nonces[-2:] == [1, None]
        assert len(landed(ledger, outbox, key)) == 3
        outbox.table.engine.dispose()
        ledger.rpc.close()
