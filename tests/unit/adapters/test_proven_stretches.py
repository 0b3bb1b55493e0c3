"""Blocks whose headers can be hashed: their receipts give the root, or nothing is read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
import pytest
import rlp as oracle
from trie.hexary import HexaryTrie

from fakes.carrier import Answering
from guildmark.adapters.chain.rpc import Rpc
from guildmark.adapters.chain.stretches import Reader, bloom_of, raw_log
from guildmark.domain.chain.ethproof.header import HEADER_FIELDS, encode_header
from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.identifiers import Address, from_hex, to_hex
from guildmark.ports.chain import LedgerAnswerError, LogsIncompleteError

OURS, OTHER = Address(b"\x0a" * 20), Address(b"\x0b" * 20)
HIDDEN, DEPOSIT = "0x9", "0x7e"
Receipts = list[dict[str, Any]]


class ChainNode:
    """A node whose headers hash: a block for each list of receipts, the first one empty.

    Args:
        blocks: For each transaction of a block its receipt.
    """

    def __init__(
        self, blocks: Sequence[Receipts], *, missing: frozenset[str] = frozenset()
    ) -> None:
        self.receipts = dict(enumerate(blocks))
        self.missing = missing
        self.asked: list[tuple[str, Any]] = []
        self.lies: dict[str, Callable[[Any], Any]] = {}
        self.blocks: dict[int, dict[str, Any]] = {}
        parent = "0x" + "00" * 32
        for number, block in self.receipts.items():
            self.blocks[number] = _header(number, parent, block)
            parent = str(self.blocks[number]["hash"])

    def reader(self, *, hashes: bool = True) -> Reader:
        rpc = Rpc(url="http://127.0.0.1", carrier=Answering(self._respond))
        return Reader(rpc=rpc, addresses=[OURS], hashes=hashes)

    def count(self, method: str) -> int:
        return sum(name == method for name, _ in self.asked)

    def _respond(self, calls: Any) -> Any:
        self.requests = getattr(self, "requests", 0) + 1
        return [self._one(call) for call in calls] if isinstance(calls, list) else self._one(calls)

    def _one(self, call: Mapping[str, Any]) -> Mapping[str, Any]:
        name, params = call["method"], call["params"]
        self.asked.append((name, params))
        if name in self.missing:
            error = {"code": -32601, "message": "the method does not exist"}
            return {"jsonrpc": "2.0", "id": call["id"], "error": error}
        found = getattr(self, name)(params)
        told = self.lies[name](found) if name in self.lies else found
        return {"jsonrpc": "2.0", "id": call["id"], "result": told}

    def eth_getBlockByNumber(self, params: Sequence[Any]) -> Any:  # noqa: N802
        return self.blocks.get(int(params[0], 16))

    def eth_getBlockReceipts(self, params: Sequence[Any]) -> Any:  # noqa: N802
        return self.receipts[int(params[0], 16)]

    def eth_getTransactionReceipt(self, params: Sequence[Any]) -> Any:  # noqa: N802
        every = (one for block in self.receipts.values() for one in block)
        return next(one for one in every if one["transactionHash"] == params[0])

    def eth_getLogs(self, _params: Sequence[Any]) -> Any:  # noqa: N802
        every = (one for block in self.receipts.values() for one in block)
        return [log for one in every for log in one["logs"] if log["address"] == to_hex(OURS)]


def receipt(
    number: int, place: int, *senders: Address, first: int = 0, **changes: Any
) -> dict[str, Any]:
    """Return the receipt of a transaction with a log of each sender."""
    transaction = to_hex(sha256(b"%d.%d" % (number, place)))
    logs = [
        {
            "address": to_hex(sender),
            "topics": [to_hex(sha256(b"topic")), to_hex(sha256(b"%d" % at))],
            "data": to_hex(b"data %d" % at),
            "blockNumber": hex(number),
            "logIndex": hex(at),
            "transactionHash": transaction,
        }
        for at, sender in enumerate(senders, first)
    ]
    return {
        "type": "0x2",
        "status": "0x1",
        "cumulativeGasUsed": hex(21_000 * (place + 1)),
        "logsBloom": to_hex(bloom_of([raw_log(log) for log in logs])),
        "logs": logs,
        "transactionHash": transaction,
        **changes,
    }


def _header(number: int, parent: str, receipts: Receipts) -> dict[str, Any]:
    table = HexaryTrie({})
    for place, one in enumerate(receipts):
        table[oracle.encode(place)] = _written(one)
    bloom = bloom_of([raw_log(log) for one in receipts for log in one["logs"]])
    fields = {
        **dict.fromkeys((name for name, is_number in HEADER_FIELDS[:15] if is_number), "0x0"),
        **dict.fromkeys((name for name, is_number in HEADER_FIELDS[:15] if not is_number), "0x"),
        "parentHash": parent,
        "receiptsRoot": to_hex(table.root_hash),
        "logsBloom": to_hex(bloom),
        "number": hex(number),
        "timestamp": hex(1_000 + number),
    }
    numbers = {name for name, is_number in HEADER_FIELDS if is_number}
    read = {
        name: int(value, 16) if name in numbers else from_hex(value)
        for name, value in fields.items()
    }
    found = to_hex(keccak256(encode_header(read)))
    for one in receipts:
        for log in one["logs"]:
            log["blockHash"] = found
    return {**fields, "hash": found, "transactions": [one["transactionHash"] for one in receipts]}


def _written(one: Mapping[str, Any]) -> bytes:
    """Return a receipt as the trie holds it, by the library."""
    logs = [
        [
            from_hex(log["address"]),
            [from_hex(topic) for topic in log["topics"]],
            from_hex(log["data"]),
        ]
        for log in one["logs"]
    ]
    outcome = int(one["status"], 16) if "status" in one else from_hex(one["root"])
    gas, bloom = int(one["cumulativeGasUsed"], 16), from_hex(one["logsBloom"])
    kind = int(one.get("type", "0x0"), 16)
    return (bytes([kind]) if kind else b"") + bytes(oracle.encode([outcome, gas, bloom, logs]))


def filled() -> ChainNode:
    """Return a node with ten blocks, of which two hold logs of ours."""
    blocks: list[Receipts] = [[] for _ in range(10)]
    blocks[2] = [receipt(2, 0, OTHER), receipt(2, 1, OURS, OTHER, OURS, first=1)]
    blocks[3] = [receipt(3, 0, OTHER)]
    blocks[4] = [receipt(4, 0, OURS, type="0x0")]
    return ChainNode(blocks)


def test_what_the_headers_prove_is_read_without_asking_for_logs() -> None:
    node = filled()

    read = node.reader().read(1, 9)

    places = [(one.block_number, one.log_index, one.data) for one in read.logs]
    assert places == [(2, 1, b"data 1"), (2, 3, b"data 3"), (4, 0, b"data 0")]
    assert [to_hex(one.transaction) for one in read.logs[::2]] == [
        node.receipts[2][1]["transactionHash"],
        node.receipts[4][0]["transactionHash"],
    ]
    assert node.count("eth_getLogs") == 0
    # Block 3 speaks of others only.
    assert node.count("eth_getBlockReceipts") == 2


def test_without_receipts_of_blocks_they_are_proven_one_by_one() -> None:
    node = filled()
    node.missing = frozenset({"eth_getBlockReceipts"})

    assert node.reader().read(1, 9) == filled().reader().read(1, 9)
    assert node.count("eth_getTransactionReceipt") == 3


@pytest.mark.parametrize("changes", [{"status": "0x0"}, {"type": "0x4"}, {"type": "0x1"}], ids=str)
def test_receipts_of_every_known_kind_are_proven(changes: Mapping[str, Any]) -> None:
    node = ChainNode([[], [receipt(1, 0, OURS, **changes)]])

    assert len(node.reader().read(0, 1).logs) == 1
    assert node.count("eth_getLogs") == 0


def test_a_receipt_from_before_byzantium_names_a_state_and_no_kind() -> None:
    old = receipt(1, 0, OURS, root=to_hex(sha256(b"state")))
    del old["status"], old["type"]
    node = ChainNode([[], [old]])

    assert len(node.reader().read(0, 1).logs) == 1
    assert node.count("eth_getLogs") == 0


@pytest.mark.parametrize("hashes", [True, False])
def test_what_cannot_be_proven_is_compared(hashes: bool) -> None:
    node = ChainNode([[], [receipt(1, 0, OTHER, type=DEPOSIT), receipt(1, 1, OURS, first=1)]])

    assert [one.log_index for one in node.reader(hashes=hashes).read(0, 1).logs] == [1]
    assert node.count("eth_getLogs") == 1

    node.lies["eth_getLogs"] = lambda _logs: []
    with pytest.raises(LogsIncompleteError, match="are not those of its receipts"):
        node.reader(hashes=hashes).read(0, 1)


def _first(change: Callable[[dict[str, Any]], Any]) -> Callable[[Any], Any]:
    def lie(receipts: Receipts) -> Any:
        copied = orjson.loads(orjson.dumps(receipts))
        change(copied[-1])
        return copied

    return lie


@pytest.mark.parametrize(
    "lie",
    [
        lambda _receipts: None,
        lambda _receipts: [],
        lambda receipts: receipts[:-1],
        lambda receipts: [*receipts, receipts[-1]],
        lambda receipts: receipts[::-1],
        lambda receipts: [*receipts[:-1], None],
        _first(lambda one: one.update(logs=[])),
        _first(lambda one: one["logs"].reverse()),
        _first(lambda one: one["logs"][0].update(data="0x77")),
        _first(lambda one: one["logs"][0].update(address=to_hex(OTHER))),
        _first(lambda one: one.update(status="0x0")),
        _first(lambda one: one.update(cumulativeGasUsed="0x1")),
        _first(lambda one: one.update(logsBloom="0x" + "00" * 256)),
        _first(lambda one: one.update(transactionHash="0x" + "77" * 32)),
        _first(lambda one: one.update(type=HIDDEN, logs=[])),
    ],
)
def test_receipts_that_the_header_does_not_name_are_not_read(lie: Callable[[Any], Any]) -> None:
    node = filled()
    node.lies["eth_getBlockReceipts"] = lambda found: lie(found) if len(found) > 1 else found

    with pytest.raises(LogsIncompleteError):
        node.reader().read(1, 9)


@pytest.mark.parametrize("name", ["receiptsRoot", "logsBloom"])
def test_a_header_that_says_something_else_does_not_hash(name: str) -> None:
    node = filled()
    size = len(node.blocks[4][name]) - 2
    node.lies["eth_getBlockByNumber"] = lambda block: {**block, name: "0x" + "0" * size}

    with pytest.raises(LedgerAnswerError, match="does not hash"):
        node.reader().read(1, 9)


def test_a_block_that_tells_no_transactions_has_no_receipts() -> None:
    node = filled()
    node.lies["eth_getBlockByNumber"] = lambda block: {**block, "transactions": None}

    with pytest.raises(LogsIncompleteError, match="are not those that its header names"):
        node.reader().read(1, 9)


def test_a_log_that_is_none_is_refused() -> None:
    node = filled()
    node.lies["eth_getBlockReceipts"] = _first(lambda one: one["logs"][0].update(topics=None))

    with pytest.raises(LedgerAnswerError, match="log is not what the standard says"):
        node.reader().read(1, 9)


@pytest.mark.parametrize(
    ("enough", "last"), [(None, 9), (1, 2), (2, 2), (3, 9), (4, 9), (1_000, 9)]
)
def test_a_stretch_ends_where_it_has_enough_and_more_would_come(
    enough: int | None, last: int
) -> None:
    node = filled()

    read = node.reader().read(1, 9, enough)

    assert [block.number for block in read.blocks] == list(range(1, last + 1))
    assert {log.block_number for log in read.logs} == {2, 4} & set(range(last + 1))


def test_an_answer_holds_the_receipts_of_about_as_many_transactions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("guildmark.adapters.chain.stretches._TRANSACTIONS_A_REQUEST", 2)
    node = filled()
    read = node.reader().read(1, 9)

    # One request for blocks, one for the two transactions of block 2, one for what is left.
    assert node.requests == 3
    assert read == filled().reader().read(1, 9)
