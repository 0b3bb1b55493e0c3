"""The ledger over a node that answers oddly: everything has its error, nothing passes unseen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from eth_abi.abi import encode

from fakes.carrier import Answering
from guildmark.adapters.chain.codec import codec
from guildmark.adapters.chain.deployment import identify
from guildmark.adapters.chain.ledger import RpcLedger
from guildmark.adapters.chain.look import Looker
from guildmark.adapters.chain.rpc import Rpc, RpcRefusedError
from guildmark.adapters.store.outbox import Attempt, Outgoing, Request, State
from guildmark.domain.chain.contracts import ChainClass, ChainPin, ContractName, ContractPin
from guildmark.domain.chain.finality import FinalityRule
from guildmark.domain.identifiers import Address, ChainId, Digest, to_hex
from guildmark.ports.chain import (
    BlockUnknownError,
    Call,
    Capability,
    CapabilityMissingError,
    GenesisMismatchError,
    LedgerAnswerError,
    ProofRefusedError,
    TransactionId,
    WrongChainError,
)
from guildmark.ports.keys import KeyName

GENESIS = Digest(b"\x01" * 32)
HASH = "0x" + "02" * 32
IDENTITIES = Address(b"\x03" * 20)
PIN = ChainPin(
    chain_id=ChainId(7),
    genesis=GENESIS,
    chain_class=ChainClass.LOCAL,
    contracts={
        name: ContractPin(address=Address(bytes([3 + n]) * 20), code_hash=Digest(bytes(32)))
        for n, name in enumerate(ContractName)
    },
)
REGISTERED = next(
    event
    for event in codec(ContractName.IDENTITIES).events.values()
    if event.name == "ProfileChanged"
)

Answers = Mapping[str, Any]


def block(number: int, found: str = HASH) -> dict[str, Any]:
    return {
        "number": hex(number),
        "hash": found,
        "timestamp": hex(1_000 + number),
        "baseFeePerGas": "0x5",
    }


def log(**changes: Any) -> dict[str, Any]:
    return {
        "address": to_hex(IDENTITIES),
        "topics": [to_hex(REGISTERED.topic), "0x" + "09" * 32],
        "data": "0x" + "08" * 32,
        "blockNumber": "0x4",
        "blockHash": HASH,
        "logIndex": "0x0",
        "transactionHash": HASH,
        **changes,
    }


def rpc(answers: Answers) -> Rpc:
    """Return a client of a node that answers each method by the table: a value or a function."""

    def answer(call: dict[str, Any]) -> dict[str, Any]:
        found = answers[call["method"]]
        value = found(*call["params"]) if callable(found) else found
        key = "error" if isinstance(value, dict) and "code" in value else "result"
        return {"jsonrpc": "2.0", "id": call["id"], key: value}

    def handle(body: Any) -> Any:
        return [answer(call) for call in body] if isinstance(body, list) else answer(body)

    return Rpc(url="http://node", carrier=Answering(handle))


def ledger(answers: Answers, depth: int | None = None) -> RpcLedger:
    return RpcLedger(
        rpc=rpc(answers),
        chain=PIN,
        finality=FinalityRule(depth=depth),
        capabilities=frozenset(Capability),
    )


def by_tag(tag: str, _full: object) -> dict[str, Any] | None:
    numbers = {"latest": 10, "finalized": 4}
    return block(numbers[tag] if tag in numbers else int(tag, 16))


@pytest.mark.parametrize(("depth", "number"), [(None, 4), (0, 10), (3, 7), (10, 0), (11, 0)])
def test_the_final_head_follows_the_rule(depth: int | None, number: int) -> None:
    found = ledger({"eth_getBlockByNumber": by_tag}, depth)

    assert found.head(final=True).number == number
    assert found.head(final=False).number == 10


def test_the_pin_is_the_one_that_was_checked() -> None:
    assert ledger({}).pin() is PIN


@pytest.mark.parametrize(
    "answer",
    [1, "0x", [], {}, {**block(3), "number": None}, {**block(3), "hash": "0x00"}, block(4)],
)
def test_a_block_that_is_none_is_refused(answer: Any) -> None:
    with pytest.raises(LedgerAnswerError):
        ledger({"eth_getBlockByNumber": answer}).block(3)


def test_a_head_that_is_none_is_refused() -> None:
    with pytest.raises(LedgerAnswerError):
        ledger({"eth_getBlockByNumber": None}).head(final=False)


def test_a_block_that_is_not_there_is_named() -> None:
    with pytest.raises(BlockUnknownError) as caught:
        ledger({"eth_getBlockByNumber": None}).block(3)

    assert caught.value.detail == {"block": 3}


def test_a_header_that_does_not_hash_to_its_block_is_refused() -> None:
    with pytest.raises(LedgerAnswerError):
        ledger({"eth_getBlockByNumber": {**block(3), "parentHash": HASH}}).header(3)


@pytest.mark.parametrize(
    "use",
    [
        lambda found: found.header(1),
        lambda found: found.proof(1, {}),
    ],
)
def test_what_the_node_cannot_is_said_before_it_is_asked(use: Callable[[RpcLedger], Any]) -> None:
    found = replace(ledger({}), capabilities=frozenset[Capability]())

    with pytest.raises(CapabilityMissingError):
        use(found)


def test_an_event_is_decoded_with_its_place() -> None:
    (event,) = ledger({"eth_getLogs": [log()]}).events(0, 9)

    assert (event.contract, event.name) == (ContractName.IDENTITIES, "ProfileChanged")
    assert event.args == {"id": b"\x09" * 32, "profile": b"\x08" * 32}
    assert (event.block_number, event.log_index) == (4, 0)


def test_events_are_sorted_and_foreign_ones_left_out() -> None:
    logs = [
        log(logIndex="0x3"),
        log(logIndex="0x1"),
        log(blockNumber="0x2", logIndex="0x9"),
        log(address="0x" + "ff" * 20),
        log(topics=["0x" + "ff" * 32]),
        log(topics=[]),
    ]

    events = ledger({"eth_getLogs": logs}).events(0, 9)

    assert [(event.block_number, event.log_index) for event in events] == [(2, 9), (4, 1), (4, 3)]


def test_the_range_and_the_contracts_are_asked_for() -> None:
    asked: list[Any] = []

    def answer(filtered: Any) -> list[Any]:
        asked.append(filtered)
        return []

    ledger({"eth_getLogs": answer}).events(3, 300)

    addresses = [to_hex(pin.address) for pin in PIN.contracts.values()]
    assert asked == [{"fromBlock": "0x3", "toBlock": "0x12c", "address": addresses}]


@pytest.mark.parametrize(
    "logs",
    [
        None,
        {},
        [1],
        [{}],
        [log(topics=None)],
        [log(topics=["0x00"])],
        [log(data="0x")],
        [log(blockNumber=4)],
        [log(blockHash=None)],
    ],
)
def test_logs_that_are_none_are_refused(logs: Any) -> None:
    with pytest.raises(LedgerAnswerError):
        ledger({"eth_getLogs": logs}).events(0, 9)


def test_reads_name_their_block() -> None:
    asked: list[Any] = []

    def answer(call: Any, tag: str) -> str:
        asked.append((call["to"], tag))
        return to_hex(encode(["uint8"], [2]))

    found = ledger({"eth_call": answer})
    call = Call(contract=ContractName.IDENTITIES, function="kindOf", args=(bytes(32),))

    assert (found.read(call), found.read(call, block=18)) == (2, 2)
    assert asked == [(to_hex(IDENTITIES), "latest"), (to_hex(IDENTITIES), "0x12")]


@pytest.mark.parametrize(("code", "expected"), [("0x", False), ("0x6001", True)])
def test_an_account_with_code_is_a_contract(code: str, expected: bool) -> None:
    assert ledger({"eth_getCode": code}).has_code(IDENTITIES) is expected


PROOF = {
    "address": to_hex(IDENTITIES),
    "nonce": "0x1",
    "balance": "0x0",
    "storageHash": HASH,
    "codeHash": HASH,
    "accountProof": ["0x01", "0x02"],
    "storageProof": [{"key": "0x0", "value": "0x7", "proof": ["0x80"]}],
}


def test_a_proof_keeps_the_order_of_its_slots() -> None:
    found = ledger({"eth_getProof": PROOF}).proof(5, {ContractName.IDENTITIES: [b"\x05" * 32]})

    proof = found[ContractName.IDENTITIES]
    assert (proof.address, proof.nodes) == (IDENTITIES, (b"\1", b"\2"))
    assert (proof.slots[0].slot, proof.slots[0].value) == (b"\x05" * 32, 7)
    # An empty trie has no nodes, however the node writes it.
    assert proof.slots[0].nodes == ()


@pytest.mark.parametrize(
    "change",
    [
        {"storageProof": []},
        {"storageProof": None},
        {"accountProof": None},
        {"accountProof": ["zz"]},
        {"nonce": 1},
        {"storageHash": "0x00"},
    ],
)
def test_a_proof_that_is_none_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(LedgerAnswerError):
        ledger({"eth_getProof": {**PROOF, **change}}).proof(
            5, {ContractName.IDENTITIES: [bytes(32)]}
        )


def test_no_answer_is_no_proof() -> None:
    with pytest.raises(LedgerAnswerError):
        ledger({"eth_getProof": None}).proof(5, {ContractName.IDENTITIES: [bytes(32)]})


def test_a_block_of_which_a_node_has_no_state_is_named() -> None:
    found = ledger({"eth_getProof": {"code": -32000, "message": "missing trie node"}})

    with pytest.raises(ProofRefusedError, match=r"Nothing of block 5 .*: missing trie node"):
        found.proof(5, {ContractName.IDENTITIES: [bytes(32)]})


def test_a_chain_is_identified_by_its_id_and_first_block() -> None:
    node = {"eth_chainId": "0x7", "eth_getBlockByNumber": block(0, to_hex(GENESIS))}

    assert identify(rpc(node)) == (7, GENESIS)
    with pytest.raises(LedgerAnswerError):
        identify(rpc({**node, "eth_getBlockByNumber": None}))


# Looking after transactions.


def outgoing(*hashes: bytes) -> Outgoing:
    return Outgoing(
        number=1,
        request=Request(
            id=TransactionId("0x01"),
            idempotency="one",
            chain_id=PIN.chain_id,
            digest=Digest(bytes(32)),
            key=KeyName("key"),
            sender=Address(b"\x0a" * 20),
            contract="identities",
            function="register",
            target=IDENTITIES,
            data=b"",
            gas=1,
        ),
        state=State.SENT,
        changed=0,
        nonce=3,
        attempts=tuple(
            Attempt(hash=Digest(found), raw=b"\1", nonce=3, gas=1, max_fee=1, priority=1)
            for found in hashes
        ),
        hash=None,
        block_number=None,
        block_hash=None,
        block_time=None,
        gas_used=None,
        logs=None,
        code=None,
        reason=None,
    )


def receipt(number: int, block_hash: str = HASH, **changes: Any) -> dict[str, Any]:
    return {
        "transactionHash": "0x" + "0b" * 32,
        "blockNumber": hex(number),
        "blockHash": block_hash,
        "status": "0x1",
        "gasUsed": "0x9",
        "logs": [],
        **changes,
    }


NODE: dict[str, Any] = {
    "eth_chainId": "0x7",
    "eth_getBlockByNumber": lambda tag, full: (
        block(0, to_hex(GENESIS)) if tag == "0x0" else by_tag(tag, full)
    ),
    "eth_maxPriorityFeePerGas": "0x2",
    "eth_getTransactionReceipt": None,
    "eth_sendRawTransaction": HASH,
    "eth_getTransactionCount": "0x4",
}
WATCHED = outgoing(b"\x0b" * 32)


def looker(depth: int | None = None, **changes: Any) -> Looker:
    return Looker(rpc=rpc({**NODE, **changes}), chain=PIN, finality=FinalityRule(depth=depth))


def test_a_view_tells_fees_finality_and_what_the_node_took() -> None:
    view = looker().exchange(WATCHED.attempts, [WATCHED])

    assert (view.final, view.fees.max_fee, view.fees.priority) == (4, 12, 2)
    assert view.sent == {b"\x0b" * 32: None}
    assert (view.receipts, view.spent) == ({}, {})
    assert looker(depth=3).exchange([], []).final == 7


@pytest.mark.parametrize("number", [10, 6])
def test_a_receipt_counts_where_its_block_is_canonical(number: int) -> None:
    view = looker(eth_getTransactionReceipt=receipt(number)).exchange([], [WATCHED])

    assert view.receipts[Digest(b"\x0b" * 32)].block.number == number


@pytest.mark.parametrize("number", [10, 6])
def test_a_receipt_of_another_branch_counts_for_nothing(number: int) -> None:
    other = receipt(number, "0x" + "0c" * 32)

    assert looker(eth_getTransactionReceipt=other).exchange([], [WATCHED]).receipts == {}


def test_a_refused_nonce_asks_how_many_are_used_up_for_good() -> None:
    refused = {"code": -32000, "message": "nonce too low"}

    view = looker(eth_sendRawTransaction=refused).exchange(WATCHED.attempts, [WATCHED])

    assert view.spent == {WATCHED.request.sender: 4}
    assert isinstance(view.sent[Digest(b"\x0b" * 32)], RpcRefusedError)


PRUNED = {"code": -32000, "message": "missing trie node"}
TOO_LOW = {"code": -32000, "message": "nonce too low"}


@dataclass
class PrunedNode:
    """A node whose newest block moves on; it has the newest block's state alone.

    Args:
        forgets: What it answers where it has no state.
        undone: Numbers of blocks that others took the place of.
    """

    newest: int = 10
    final: int = 4
    counts: dict[int, int] = field(default_factory=dict)
    forgets: Any = None
    undone: set[int] = field(default_factory=set)

    def looker(self) -> Looker:
        return looker(
            eth_sendRawTransaction=TOO_LOW,
            eth_getBlockByNumber=self.block,
            eth_getTransactionCount=self.count,
        )

    def block(self, tag: str, _full: object) -> dict[str, Any]:
        if tag == "0x0":
            return block(0, to_hex(GENESIS))
        numbers = {"latest": self.newest, "finalized": self.final}
        number = numbers[tag] if tag in numbers else int(tag, 16)
        return block(number, self.hash(number))

    def count(self, _account: str, at: Any) -> Any:
        if at == {"blockHash": self.hash(self.newest)} and self.newest in self.counts:
            return hex(self.counts[self.newest])
        return self.forgets

    def hash(self, number: int) -> str:
        return to_hex(bytes([number in self.undone]) + number.to_bytes(31, "big"))


def spent(found: Looker) -> int:
    (count,) = found.exchange(WATCHED.attempts, [WATCHED]).spent.values()
    return count


@pytest.mark.parametrize("forgets", [PRUNED, None, "0x0"])
def test_nonces_are_spent_once_the_block_that_showed_them_is_final(forgets: Any) -> None:
    node = PrunedNode(counts={10: 6, 20: 7, 21: 8}, forgets=forgets)
    found = node.looker()

    at_first = spent(found)
    node.newest, node.final = 20, 9
    before = spent(found)
    node.newest, node.final = 21, 10

    assert (at_first, before, spent(found)) == (0, 0, 6)


def test_nonces_of_an_undone_block_are_not_spent() -> None:
    node = PrunedNode(counts={10: 6, 20: 3, 30: 3}, forgets=PRUNED)
    found = node.looker()

    spent(found)
    node.undone = {10}
    node.newest, node.final = 20, 15
    undone = spent(found)
    node.newest, node.final = 30, 20

    assert (undone, spent(found)) == (0, 3)


def test_a_node_without_the_newest_state_shows_no_spent_nonce_and_ends_no_round() -> None:
    node = PrunedNode(forgets=PRUNED)
    found = node.looker()

    spent(found)
    node.newest, node.final = 20, 15

    assert spent(found) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"eth_getBlockByNumber": None},
        {"eth_maxPriorityFeePerGas": {"code": 1, "message": "no"}},
        {"eth_getTransactionReceipt": 5},
        {"eth_getTransactionReceipt": receipt(10, logs=None)},
        {"eth_getTransactionReceipt": receipt(10, status=None)},
        {"eth_getTransactionReceipt": {"code": 1, "message": "no"}},
    ],
)
def test_a_view_of_a_node_that_answers_oddly_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(LedgerAnswerError):
        looker(**changes).exchange([], [WATCHED])


def test_another_chain_is_noticed_in_the_same_exchange() -> None:
    with pytest.raises(WrongChainError):
        looker(eth_chainId="0x8").exchange(WATCHED.attempts, [WATCHED])
    with pytest.raises(GenesisMismatchError):
        looker(eth_getBlockByNumber=by_tag).exchange(WATCHED.attempts, [WATCHED])


def test_the_reason_of_a_failure_is_asked_at_the_block_before() -> None:
    asked: list[Any] = []

    def answer(call: Any, tag: str) -> Any:
        asked.append((call, tag))
        return {"code": 3, "message": "execution reverted"}

    view = looker(eth_getTransactionReceipt=receipt(10, status="0x0")).exchange([], [WATCHED])
    found = looker(eth_call=answer).reason(WATCHED, view.receipts[Digest(b"\x0b" * 32)])

    assert isinstance(found, RpcRefusedError)
    assert asked[0][1] == "0x9"
    assert looker(eth_call="0x").reason(WATCHED, view.receipts[Digest(b"\x0b" * 32)]) is None
