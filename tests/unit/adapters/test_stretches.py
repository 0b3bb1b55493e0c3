"""Blocks and logs that a node gives: whatever contradicts itself is not read."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from fakes.carrier import Answering
from guildmark.adapters.chain.rpc import Rpc
from guildmark.adapters.chain.stretches import Reader, bloom_of, raw_log
from guildmark.domain.identifiers import Address, to_hex
from guildmark.ports.chain import BlockUnknownError, LedgerAnswerError, LogsIncompleteError

OURS, OTHER = Address(b"\x0a" * 20), Address(b"\x0b" * 20)
Answers = dict[str, Callable[[list[Any]], Any]]


def log(number: int, index: int = 0, address: Address = OURS, **changes: Any) -> dict[str, Any]:
    return {
        "address": to_hex(address),
        "topics": ["0x" + "11" * 32],
        "data": "0x" + "22" * 32,
        "blockNumber": hex(number),
        "blockHash": hash_of(number),
        "logIndex": hex(index),
        "transactionHash": "0x" + "33" * 32,
        **changes,
    }


def hash_of(number: int) -> str:
    return "0x" + f"{number:064x}"


def chain(*logs: Mapping[str, Any]) -> Answers:
    """Return the answers of a sound node with ten blocks."""

    def inside(number: int) -> list[Mapping[str, Any]]:
        found = [one for one in logs if one["blockNumber"] == hex(number)]
        return sorted(found, key=lambda one: str(one["logIndex"]))

    def block(params: list[Any]) -> Any:
        number = int(params[0], 16)
        bloom = bloom_of([raw_log(one) for one in inside(number)])
        found = {
            "number": hex(number),
            "hash": hash_of(number),
            "parentHash": hash_of(number - 1) if number else "0x" + "00" * 32,
            "timestamp": hex(1_000 + number),
            "logsBloom": to_hex(bloom),
            "transactions": ["0x" + "33" * 32] if inside(number) else [],
        }
        return found if number < 10 else None

    def ours(_params: list[Any]) -> Any:
        return [one for one in logs if one["address"] == to_hex(OURS)]

    return {
        "eth_getBlockByNumber": block,
        "eth_getLogs": ours,
        "eth_getBlockReceipts": lambda params: [{"logs": inside(int(params[0], 16))}],
        "eth_getTransactionReceipt": lambda _params: {"logs": list(logs)},
    }


def reader(answers: Answers) -> Reader:
    def one(call: Any) -> Any:
        found = answers[call["method"]](call["params"])
        if isinstance(found, LookupError):
            error = {"code": -32601, "message": "the method does not exist"}
            return {"jsonrpc": "2.0", "id": call["id"], "error": error}
        return {"jsonrpc": "2.0", "id": call["id"], "result": found}

    def respond(calls: Any) -> Any:
        return [one(call) for call in calls] if isinstance(calls, list) else one(calls)

    rpc = Rpc(url="http://127.0.0.1", carrier=Answering(respond))
    return Reader(rpc=rpc, addresses=[OURS], hashes=False)


def test_a_sound_stretch_is_read_in_order() -> None:
    answers = chain(log(4), log(2, 1), log(2), log(3, address=OTHER))

    read = reader(answers).read(1, 5)

    assert [(one.block_number, one.log_index) for one in read.logs] == [(2, 0), (2, 1), (4, 0)]
    assert [(one.number, one.time) for one in read.blocks] == [(n, 1_000 + n) for n in range(1, 6)]
    assert to_hex(read.parent) == hash_of(0)


def test_receipts_that_write_the_same_logs_in_another_way_are_taken() -> None:
    answers = chain(log(2), log(2, 1, address=OTHER), log(2, 2))
    answers["eth_getBlockReceipts"] = lambda _params: [
        {"logs": [{**log(2), "removed": False}]},
        {"logs": [log(2, 1, address=OTHER), log(2, 2)]},
    ]

    read = reader(answers).read(2, 2)

    assert [one.log_index for one in read.logs] == [0, 2]


def test_a_node_without_receipts_of_blocks_is_asked_for_each() -> None:
    answers = chain(log(2))
    answers["eth_getBlockReceipts"] = lambda _params: LookupError()

    assert len(reader(answers).read(1, 5).logs) == 1


def test_a_block_that_is_not_there_is_named() -> None:
    with pytest.raises(BlockUnknownError):
        reader(chain()).read(8, 10)


def _block_lie(at: int, **changes: Any) -> Callable[[Answers], None]:
    def change(answers: Answers) -> None:
        truth = answers["eth_getBlockByNumber"]
        answers["eth_getBlockByNumber"] = lambda params: (
            {**truth(params), **changes} if params[0] == hex(at) else truth(params)
        )

    return change


def _answer(method: str, answer: Any) -> Callable[[Answers], None]:
    return lambda answers: answers.update({method: lambda _params: answer})


@pytest.mark.parametrize(
    "lie",
    [
        _block_lie(3, number="0x4"),
        _block_lie(3, parentHash="0x" + "77" * 32),
        _block_lie(2, logsBloom="0x" + "00" * 256),
        _block_lie(5, logsBloom="0x" + "ff" * 256),
        _answer("eth_getLogs", []),
        _answer("eth_getLogs", [log(2)]),
        _answer("eth_getLogs", [log(2), log(2, 1), log(2, 1)]),
        _answer("eth_getLogs", [log(2), log(2, 1), log(4, 0)]),
        _answer("eth_getLogs", [log(2), log(2, 1), log(9)]),
        _answer("eth_getLogs", [log(2), log(2, 1, data="0x")]),
        _answer("eth_getLogs", [log(2), log(2, 1, address=OTHER)]),
        _answer("eth_getBlockReceipts", None),
        _answer("eth_getBlockReceipts", [{"logs": [log(2)]}]),
        _answer("eth_getBlockReceipts", [{"logs": None}, None]),
        _answer("eth_getBlockReceipts", [{"logs": [log(2, blockHash="0x00"), log(2, 1)]}]),
    ],
)
def test_what_contradicts_itself_is_not_read(lie: Callable[[Answers], None]) -> None:
    answers = chain(log(2), log(2, 1))
    assert len(reader(answers).read(1, 5).logs) == 2

    lie(answers)

    with pytest.raises(LogsIncompleteError):
        reader(answers).read(1, 5)


@pytest.mark.parametrize("answer", [None, [None], [{"topics": None}]])
def test_what_are_no_logs_is_refused(answer: Any) -> None:
    answers = chain(log(2))
    answers["eth_getLogs"] = lambda _params: answer

    with pytest.raises(LedgerAnswerError):
        reader(answers).read(1, 5)
