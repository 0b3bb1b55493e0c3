"""Blocks and logs of a node, checked against each other, so that none is missing unnoticed.

The logs that `eth_getLogs` gives are compared with the receipts of every block whose bloom filter
speaks of a pinned contract; the receipts' logs must give that filter; the filter is in the header,
which gives the block's hash; and each block names its parent.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from guildmark.adapters.chain.headers import header
from guildmark.adapters.chain.rpc import Request, Rpc, RpcRefusedError, data, quantity
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Address, Digest, to_hex
from guildmark.ports.chain import (
    Block,
    BlockUnknownError,
    LedgerAnswerError,
    LogsIncompleteError,
    RawLog,
    Stretch,
)

_BLOCKS_A_REQUEST = 250
_BLOOM_SIZE = 256
_BLOOM_BITS = 2048
_BLOOM_WORDS = (0, 2, 4)


@dataclass(frozen=True, slots=True)
class _Told:
    """What `eth_getLogs` gave of a block: each log as its JSON, and as its bytes."""

    raw: list[Any] = field(default_factory=list)
    logs: list[RawLog] = field(default_factory=list)


_NOTHING = _Told()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads stretches of one chain.

    Args:
        hashes: Whether the node's headers can be hashed again.
    """

    rpc: Rpc
    addresses: Sequence[Address]
    hashes: bool

    def read(self, first: int, last: int) -> Stretch:
        """Return blocks first..last with their logs.

        Raises:
            LogsIncompleteError: Blocks, logs and receipts contradict each other.
            BlockUnknownError: The chain has no such block.
        """
        raw = self._blocks(first, last)
        logs = self._logs(first, last)
        touched = [block for block in raw if self._speaks_of_us(block) or _number(block) in logs]
        self._compare(touched, logs)
        return Stretch(
            parent=Digest(data(raw[0].get("parentHash"), 32)),
            blocks=tuple(_block(block) for block in raw),
            logs=tuple(log for block in touched for log in _told(logs, block).logs),
        )

    def _blocks(self, first: int, last: int) -> Sequence[Mapping[str, Any]]:
        """Return the blocks, each the parent of the next."""
        found: list[Any] = []
        for low in range(first, last + 1, _BLOCKS_A_REQUEST):
            numbers = range(low, min(low + _BLOCKS_A_REQUEST, last + 1))
            requests: list[Request] = [("eth_getBlockByNumber", [hex(n), False]) for n in numbers]
            found += self.rpc.batch(requests)
        for number, block in enumerate(found, first):
            if block is None:
                message = f"The chain has no block {number}."
                raise BlockUnknownError(message, block=number)
            if not isinstance(block, dict) or _number(block) != number:
                message = f"The node gave another block than {number}."
                raise LogsIncompleteError(message, block=number)
            if self.hashes:
                # Of every block: a filter that is blank may be a lie as well.
                header(block)
        for above, below in zip(found[1:], found, strict=False):
            if above.get("parentHash") != below.get("hash"):
                message = f"Block {_number(above)} is not the child of the one before."
                raise LogsIncompleteError(message, block=_number(above))
        return found

    def _logs(self, first: int, last: int) -> Mapping[int, _Told]:
        """Return the node's logs by block, each once, in order."""
        filtered = {
            "fromBlock": hex(first),
            "toBlock": hex(last),
            "address": [to_hex(address) for address in self.addresses],
        }
        answer = self.rpc.call("eth_getLogs", filtered)
        if not isinstance(answer, list):
            message = "The node's answer to eth_getLogs is not what the standard says."
            raise LedgerAnswerError(message, method="eth_getLogs")
        told: dict[int, _Told] = {}
        for log, raw in sorted(((raw_log(raw), raw) for raw in answer), key=_place):
            if not first <= log.block_number <= last:
                message = f"A log of block {log.block_number} was not asked for."
                raise LogsIncompleteError(message, block=log.block_number)
            of_block = told.setdefault(log.block_number, _Told())
            of_block.raw.append(raw)
            of_block.logs.append(log)
        return told

    def _speaks_of_us(self, block: Mapping[str, Any]) -> bool:
        bloom = data(block.get("logsBloom"), _BLOOM_SIZE)
        return any(_holds(bloom, address) for address in self.addresses)

    def _compare(self, touched: Sequence[Mapping[str, Any]], logs: Mapping[int, _Told]) -> None:
        """Compare logs with receipts, receipts with the header's filter, header with the hash."""
        for block, receipts in zip(touched, self._receipts(touched), strict=True):
            told, found = _told(logs, block), [raw for one in receipts for raw in _logs_of(one)]
            every = _decoded(found, told)
            ours = [log for log in every if log.address in self.addresses]
            place = block.get("hash")
            is_of_block = all(raw.get("blockHash") == place for raw in found)
            is_whole = bloom_of(every) == data(block.get("logsBloom"), _BLOOM_SIZE)
            if not (is_of_block and is_whole and ours == told.logs):
                message = f"The logs of block {_number(block)} are not those of its receipts."
                raise LogsIncompleteError(message, block=_number(block))

    def _receipts(self, touched: Sequence[Mapping[str, Any]]) -> Sequence[Sequence[Any]]:
        answers: list[Any] = []
        for low in range(0, len(touched), _BLOCKS_A_REQUEST):
            some = touched[low : low + _BLOCKS_A_REQUEST]
            requests: list[Request] = [
                ("eth_getBlockReceipts", [hex(_number(block))]) for block in some
            ]
            answers += self.rpc.attempt(requests)
        if any(isinstance(answer, RpcRefusedError) for answer in answers):
            # Not every node offers it; one by one they are offered everywhere.
            return [self._one_by_one(block) for block in touched]
        return [answer if isinstance(answer, list) else [] for answer in answers]

    def _one_by_one(self, block: Mapping[str, Any]) -> Sequence[Any]:
        hashes = block.get("transactions", ())
        return self.rpc.batch([("eth_getTransactionReceipt", [found]) for found in hashes])


def raw_log(log: Any) -> RawLog:
    """Return a log in JSON as its bytes.

    Raises:
        LedgerAnswerError: It is none.
    """
    if not isinstance(log, dict) or not isinstance(log.get("topics"), list):
        message = "The node's log is not what the standard says."
        raise LedgerAnswerError(message)
    return RawLog(
        block_number=quantity(log.get("blockNumber")),
        log_index=quantity(log.get("logIndex")),
        address=Address(data(log.get("address"), 20)),
        topics=tuple([Digest(data(topic, 32)) for topic in log["topics"]]),
        data=data(log.get("data")),
        transaction=Digest(data(log.get("transactionHash"), 32)),
    )


def bloom_of(logs: Iterable[RawLog]) -> bytes:
    """Return the filter that a header has for these logs (yellow paper, 4.4.3)."""
    bits = 0
    for log in logs:
        for part in (log.address, *log.topics):
            bits |= _bits(part)
    return bits.to_bytes(_BLOOM_SIZE, "big")


def _holds(bloom: bytes, part: bytes) -> bool:
    bits = _bits(part)
    return int.from_bytes(bloom, "big") & bits == bits


@lru_cache(maxsize=4096)
def _bits(part: bytes) -> int:
    hashed, bits = keccak256(part), 0
    for at in _BLOOM_WORDS:
        bits |= 1 << (int.from_bytes(hashed[at : at + 2], "big") % _BLOOM_BITS)
    return bits


def _logs_of(receipt: Any) -> Sequence[Any]:
    logs = receipt.get("logs") if isinstance(receipt, dict) else None
    return [log for log in logs if isinstance(log, dict)] if isinstance(logs, list) else []


def _decoded(found: Iterable[Any], told: _Told) -> Sequence[RawLog]:
    """Return logs as their bytes; what is in JSON what was told before has its bytes already."""
    every: list[RawLog] = []
    known = zip(told.raw, told.logs, strict=True)
    raw, log = next(known, (None, None))
    for one in found:
        if log is not None and one == raw:
            every.append(log)
            raw, log = next(known, (None, None))
        else:
            every.append(raw_log(one))
    return every


def _told(logs: Mapping[int, _Told], block: Mapping[str, Any]) -> _Told:
    return logs.get(_number(block), _NOTHING)


def _place(told: tuple[RawLog, Any]) -> tuple[int, int]:
    log, _ = told
    return log.block_number, log.log_index


def _number(block: Mapping[str, Any]) -> int:
    return quantity(block.get("number"))


def _block(block: Mapping[str, Any]) -> Block:
    return Block(
        number=_number(block),
        hash=Digest(data(block.get("hash"), 32)),
        time=quantity(block.get("timestamp")),
    )
