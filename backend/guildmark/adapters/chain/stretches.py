"""Blocks and logs of a node, checked against each other, so that none is missing unnoticed.

Each block names its parent. Where a header's filter speaks of a pinned contract, the receipts of
its block must give the root that the header names, and the header gives the block's hash: what the
logs say is then proven, and that none is missing. Where a header cannot be hashed again, or a
receipt is of a kind that is not written here, the receipts' logs must give the header's filter, and
must be those that `eth_getLogs` gives.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import Any, TypeAlias

from guildmark.adapters.chain.headers import header
from guildmark.adapters.chain.rpc import Request, Rpc, RpcRefusedError, data, quantity
from guildmark.domain.chain.ethproof.receipts import KINDS, encode_receipt, list_root
from guildmark.domain.chain.ethproof.rlp import encode_integer
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
_TRANSACTIONS_A_REQUEST = 1000
_BLOOM_SIZE = 256
_BLOOM_BITS = 2048
_BLOOM_WORDS = (0, 2, 4)

_Raw: TypeAlias = Mapping[str, Any]
"""A block in JSON."""


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

    def read(self, first: int, last: int, enough: int | None = None) -> Stretch:
        """Return blocks first..last with their logs.

        Args:
            first: The first block's number.
            last: The last one's.
            enough: How many transactions suffice, of blocks whose filter speaks of us: the stretch
                ends with the block that brings as many, where more such blocks follow.

        Raises:
            LogsIncompleteError: Blocks, logs and receipts contradict each other.
            BlockUnknownError: The chain has no such block.
        """
        raw = self._blocks(first, last)
        touched = [block for block in raw if self._speaks_of_us(block)]
        some = _bringing(touched, enough)
        if len(some) < len(touched):
            raw = raw[: _number(some[-1]) - first + 1]
        logs = self._proven(some) if self.hashes else None
        return Stretch(
            parent=Digest(data(raw[0].get("parentHash"), 32)),
            blocks=tuple(_block(block) for block in raw),
            logs=tuple(self._compared(raw, some) if logs is None else logs),
        )

    def _blocks(self, first: int, last: int) -> Sequence[_Raw]:
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

    def _speaks_of_us(self, block: _Raw) -> bool:
        bloom = int.from_bytes(data(block.get("logsBloom"), _BLOOM_SIZE), "big")
        return any(bloom & bits == bits for bits in map(_bits, self.addresses))

    def _proven(self, touched: Sequence[_Raw]) -> Sequence[RawLog] | None:
        """Return the logs that the headers prove, None where a receipt is of an unknown kind."""
        logs: list[RawLog] = []
        for block, receipts in self._receipts(touched):
            if any(_kind(receipt) not in KINDS for receipt in receipts):
                return None
            logs += self._ours(_of_block(block, receipts))
        return logs

    def _compared(self, raw: Sequence[_Raw], touched: Sequence[_Raw]) -> Iterator[RawLog]:
        """Yield the logs that `eth_getLogs` gives, compared with receipts, and those with filters.

        Raises:
            LogsIncompleteError: They contradict each other.
        """
        told = self._told(_number(raw[0]), _number(raw[-1]))
        for block, receipts in self._receipts(touched):
            ours = told.pop(_number(block), _NOTHING)
            self._compare(block, [log for one in receipts for log in _logs_of(one)], ours)
            yield from ours.logs
        for number in told:
            message = f"The filter of block {number} does not speak of its logs."
            raise LogsIncompleteError(message, block=number)

    def _told(self, first: int, last: int) -> dict[int, _Told]:
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

    def _compare(self, block: _Raw, found: Sequence[Any], told: _Told) -> None:
        """Compare logs with receipts, and receipts with the header's filter."""
        every, place = _decoded(found, told), block.get("hash")
        is_of_block = all(raw.get("blockHash") == place for raw in found)
        is_whole = bloom_of(every) == data(block.get("logsBloom"), _BLOOM_SIZE)
        if not (is_of_block and is_whole and told.logs == self._ours(every)):
            message = f"The logs of block {_number(block)} are not those of its receipts."
            raise LogsIncompleteError(message, block=_number(block))

    def _ours(self, logs: Iterable[RawLog]) -> Sequence[RawLog]:
        return [log for log in logs if log.address in self.addresses]

    def _receipts(self, touched: Sequence[_Raw]) -> Iterator[tuple[_Raw, Sequence[Any]]]:
        """Yield blocks with their receipts, asked for so that no answer grows too large."""
        for some in _batches(touched):
            requests: list[Request] = [
                ("eth_getBlockReceipts", [hex(_number(block))]) for block in some
            ]
            answers = self.rpc.attempt(requests)
            for block, answer in zip(some, answers, strict=True):
                if isinstance(answer, RpcRefusedError):
                    # Not every node offers it; one by one they are offered everywhere.
                    yield block, self._one_by_one(block)
                else:
                    yield block, answer if isinstance(answer, list) else []

    def _one_by_one(self, block: _Raw) -> Sequence[Any]:
        asked: list[Request] = [("eth_getTransactionReceipt", [one]) for one in _hashes(block)]
        return self.rpc.batch(asked)


def raw_log(log: Any) -> RawLog:
    """Return a log in JSON as its bytes.

    Raises:
        LedgerAnswerError: It is none.
    """
    if not isinstance(log, dict):
        raise _no_log()
    number, index = quantity(log.get("blockNumber")), quantity(log.get("logIndex"))
    return _log(log, number, index, Digest(data(log.get("transactionHash"), 32)))


def _log(log: _Raw, number: int, index: int, transaction: Digest) -> RawLog:
    """Return a log, of which is known where it stands, as its bytes."""
    topics = log.get("topics")
    if not isinstance(topics, list):
        raise _no_log()
    return RawLog(
        block_number=number,
        log_index=index,
        address=Address(data(log.get("address"), 20)),
        topics=tuple([Digest(data(topic, 32)) for topic in topics]),
        data=data(log.get("data")),
        transaction=transaction,
    )


def _no_log() -> LedgerAnswerError:
    return LedgerAnswerError("The node's log is not what the standard says.")


def bloom_of(logs: Iterable[RawLog]) -> bytes:
    """Return the filter that a header has for these logs (yellow paper, 4.4.3)."""
    bits = 0
    for log in logs:
        for part in (log.address, *log.topics):
            bits |= _bits(part)
    return bits.to_bytes(_BLOOM_SIZE, "big")


@lru_cache(maxsize=4096)
def _bits(part: bytes) -> int:
    hashed, bits = keccak256(part), 0
    for at in _BLOOM_WORDS:
        bits |= 1 << (int.from_bytes(hashed[at : at + 2], "big") % _BLOOM_BITS)
    return bits


def _bringing(touched: Sequence[_Raw], enough: int | None) -> Sequence[_Raw]:
    """Return the first blocks, up to the one that brings enough transactions."""
    sizes = accumulate(len(_hashes(block)) for block in touched)
    ends = (end for end, size in enumerate(sizes, 1) if enough is not None and size >= enough)
    return touched[: next(ends, None)]


def _batches(touched: Sequence[_Raw]) -> Iterator[Sequence[_Raw]]:
    """Yield blocks in their order, so many as one answer may hold the receipts of."""
    while touched:
        some = _bringing(touched[:_BLOCKS_A_REQUEST], _TRANSACTIONS_A_REQUEST)
        yield some
        touched = touched[len(some) :]


def _of_block(block: _Raw, receipts: Sequence[_Raw]) -> Sequence[RawLog]:
    """Return all logs of a block, whose receipts give the root that its header names.

    Raises:
        LogsIncompleteError: They do not.
    """
    number, transactions = _number(block), [one.get("transactionHash") for one in receipts]
    logs: list[RawLog] = []
    encoded: list[bytes] = []
    for receipt in receipts:
        begin = len(logs)
        transaction = Digest(data(receipt.get("transactionHash"), 32))
        for raw in _logs_of(receipt):
            logs.append(_log(raw, number, len(logs), transaction))
        encoded.append(_encoded(receipt, logs[begin:]))
    is_whole = list_root(encoded) == data(block.get("receiptsRoot"), 32)
    if not is_whole or transactions != block.get("transactions"):
        message = f"The receipts of block {number} are not those that its header names."
        raise LogsIncompleteError(message, block=number)
    return logs


def _encoded(receipt: _Raw, logs: Sequence[RawLog]) -> bytes:
    status = receipt.get("status")
    # Before Byzantium a receipt named the state that its transaction left.
    outcome = data(receipt.get("root"), 32) if status is None else encode_integer(quantity(status))
    gas = quantity(receipt.get("cumulativeGasUsed"))
    bloom = data(receipt.get("logsBloom"), _BLOOM_SIZE)
    return encode_receipt(_kind(receipt) or 0, outcome, gas, bloom, logs)


def _kind(receipt: Any) -> int | None:
    """Return of what kind the transaction of a receipt is, None where it is no receipt."""
    # Nodes from before kinds were told name none.
    return quantity(receipt.get("type", "0x0")) if isinstance(receipt, dict) else None


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


def _place(told: tuple[RawLog, Any]) -> tuple[int, int]:
    log, _ = told
    return log.block_number, log.log_index


def _hashes(block: _Raw) -> Sequence[Any]:
    """Return the hashes of a block's transactions, none where it tells none."""
    told = block.get("transactions")
    return told if isinstance(told, list) else ()


def _number(block: _Raw) -> int:
    return quantity(block.get("number"))


def _block(block: _Raw) -> Block:
    return Block(
        number=_number(block),
        hash=Digest(data(block.get("hash"), 32)),
        time=quantity(block.get("timestamp")),
    )
