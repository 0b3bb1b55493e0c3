"""The ``Ledger`` port over JSON-RPC: reads, events, headers and proofs of one pinned deployment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from guildmark.adapters.chain.codec import Function, codec, function
from guildmark.adapters.chain.errors import translated
from guildmark.adapters.chain.headers import header
from guildmark.adapters.chain.rpc import Request, Rpc, RpcRefusedError, data, quantity
from guildmark.adapters.chain.stretches import Reader, raw_log
from guildmark.domain.chain.contracts import (
    AccountProof,
    ChainPin,
    Coin,
    ContractName,
    Payee,
    SlotProof,
)
from guildmark.domain.chain.finality import FinalityRule
from guildmark.domain.identifiers import Address, Digest, to_hex
from guildmark.ports.chain import (
    Block,
    BlockUnknownError,
    Call,
    Capability,
    CapabilityMissingError,
    Event,
    LedgerAnswerError,
    ProofRefusedError,
    RawLog,
    Stretch,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcLedger:
    """One deployment on one chain, whose pin was checked when it was opened."""

    rpc: Rpc
    chain: ChainPin
    finality: FinalityRule
    capabilities: frozenset[Capability]

    def pin(self) -> ChainPin:
        """Return the pin; it was checked against the node."""
        return self.chain

    def head(self, *, final: bool) -> Block:
        """Return the newest block, or the newest that nothing can undo."""
        return final_head(self.rpc, self.finality) if final else _newest(self.rpc, "latest")

    def block(self, number: int) -> Block:
        """Return a block of the canonical chain."""
        return plain_block(self._raw_block(number))

    def header(self, number: int) -> bytes:
        """Return a block's header in RLP, hashed again."""
        self._need(Capability.HEADERS)
        return header(self._raw_block(number))

    def read(self, call: Call, *, block: int | None = None) -> Any:
        """Return what a view function answers."""
        return self.read_all([call], block=block)[0]

    def read_all(self, calls: Sequence[Call], *, block: int | None = None) -> Sequence[Any]:
        """Return the answers of several view functions, asked in one request."""
        functions = [function(call) for call in calls]
        requests = [
            self._eth_call(call, called, block)
            for call, called in zip(calls, functions, strict=True)
        ]
        answers = self.rpc.attempt(requests)
        return [_answer(called, answer) for called, answer in zip(functions, answers, strict=True)]

    def has_code(self, account: Address) -> bool:
        """Return whether an account is a contract at the newest block."""
        return data(self.rpc.call("eth_getCode", to_hex(account), "latest")) != b""

    def stretch(self, first: int, last: int, *, enough: int | None = None) -> Stretch:
        """Return blocks first..last with their logs, checked against each other."""
        reader = Reader(
            rpc=self.rpc,
            addresses=[pin.address for pin in self.chain.contracts.values()],
            hashes=Capability.HEADERS in self.capabilities,
        )
        return reader.read(first, last, enough)

    def event(self, log: RawLog, block: Block) -> Event | None:
        """Return a log of a block as an event, None where no pinned contract declares it."""
        return _event(self.chain, log, block.hash)

    def events(self, first: int, last: int) -> Sequence[Event]:
        """Return all events of the pinned contracts in blocks first..last, in order."""
        addresses = [to_hex(pin.address) for pin in self.chain.contracts.values()]
        filtered = {"fromBlock": hex(first), "toBlock": hex(last), "address": addresses}
        logs = self.rpc.call("eth_getLogs", filtered)
        if not isinstance(logs, list):
            raise _malformed("eth_getLogs")
        found = [event for log in logs if (event := decoded_event(self.chain, log)) is not None]
        return sorted(found, key=lambda event: (event.block_number, event.log_index))

    def proof(
        self, block: int, slots: Mapping[ContractName, Sequence[bytes]]
    ) -> Mapping[ContractName, AccountProof]:
        """Return one account proof a contract, with a storage proof for each slot."""
        self._need(Capability.PROOFS)
        requests: list[Request] = [
            ("eth_getProof", [self._address(name), [to_hex(slot) for slot in wanted], hex(block)])
            for name, wanted in slots.items()
        ]
        answers = self.rpc.attempt(requests)
        for answer in answers:
            if isinstance(answer, RpcRefusedError):
                message = f"Nothing of block {block} is proven: {answer.message}"
                raise ProofRefusedError(message, block=block) from answer
        return {
            name: _account_proof(answer, wanted)
            for (name, wanted), answer in zip(slots.items(), answers, strict=True)
        }

    def _raw_block(self, number: int) -> Mapping[str, Any]:
        answer = self.rpc.call("eth_getBlockByNumber", hex(number), False)
        if answer is None:
            message = f"The chain has no block {number}."
            raise BlockUnknownError(message, block=number)
        if not isinstance(answer, dict) or quantity(answer.get("number")) != number:
            raise _malformed("eth_getBlockByNumber")
        return answer

    def _eth_call(self, call: Call, called: Function, block: int | None) -> Request:
        message = {
            "to": self._address(call.contract),
            "data": to_hex(called.encode(call.args)),
        }
        return "eth_call", [message, "latest" if block is None else hex(block)]

    def _address(self, name: ContractName | Coin | Payee) -> str:
        place = self.chain.contracts[name] if isinstance(name, ContractName) else name
        return to_hex(place.address)

    def _need(self, capability: Capability) -> None:
        if capability not in self.capabilities:
            message = f"The chain's node at {self.rpc.place} cannot give {capability}."
            raise CapabilityMissingError(message, capability=capability.value)


def final_head(rpc: Rpc, rule: FinalityRule) -> Block:
    """Return the newest block that nothing can undo.

    Raises:
        LedgerUnavailableError: The node cannot be reached in time.
        LedgerAnswerError: The node does not know the tag ``finalized``.
    """
    if rule.depth is None:
        return _newest(rpc, "finalized")
    head = _newest(rpc, "latest")
    if rule.depth == 0:
        return head
    number = max(0, head.number - rule.depth)
    return plain_block(rpc.call("eth_getBlockByNumber", hex(number), False))


def plain_block(answer: Any) -> Block:
    """Return place and time of a block in JSON.

    Raises:
        LedgerAnswerError: It is no block.
    """
    if not isinstance(answer, dict):
        raise _malformed("eth_getBlockByNumber")
    return Block(
        number=quantity(answer.get("number")),
        hash=Digest(data(answer.get("hash"), 32)),
        time=quantity(answer.get("timestamp")),
    )


def decoded_event(chain: ChainPin, log: Any) -> Event | None:
    """Return a log as an event, None where no pinned contract declares it.

    Raises:
        LedgerAnswerError: It is no log, or not what the contract's ABI says.
    """
    raw = raw_log(log)
    return _event(chain, raw, Digest(data(log.get("blockHash"), 32)))


def _event(chain: ChainPin, log: RawLog, block: Digest) -> Event | None:
    contract = _contract_at(chain, log.address)
    if contract is None or not log.topics or log.topics[0] not in codec(contract).events:
        return None
    event = codec(contract).events[log.topics[0]]
    return Event(
        contract=contract,
        name=event.name,
        args=event.decode(log.topics, log.data),
        block_number=log.block_number,
        block_hash=block,
        log_index=log.log_index,
        transaction=log.transaction,
    )


def _contract_at(chain: ChainPin, address: Address) -> ContractName | None:
    for name, pin in chain.contracts.items():
        if pin.address == address:
            return name
    return None


def _newest(rpc: Rpc, tag: str) -> Block:
    return plain_block(rpc.call("eth_getBlockByNumber", tag, False))


def _answer(function: Function, answer: Any) -> Any:
    if isinstance(answer, RpcRefusedError):
        raise translated(answer)
    return function.decode(data(answer))


def _account_proof(answer: Any, slots: Sequence[bytes]) -> AccountProof:
    proofs = answer.get("storageProof") if isinstance(answer, dict) else None
    if not isinstance(proofs, list) or len(proofs) != len(slots):
        raise _malformed("eth_getProof")
    return AccountProof(
        address=Address(data(answer.get("address"), 20)),
        nonce=quantity(answer.get("nonce")),
        balance=quantity(answer.get("balance")),
        storage_root=Digest(data(answer.get("storageHash"), 32)),
        code_hash=Digest(data(answer.get("codeHash"), 32)),
        nodes=_nodes(answer.get("accountProof")),
        slots=tuple(
            SlotProof(
                slot=slot, value=quantity(found.get("value")), nodes=_nodes(found.get("proof"))
            )
            for slot, found in zip(slots, proofs, strict=True)
        ),
    )


def _nodes(answer: Any) -> tuple[bytes, ...]:
    if not isinstance(answer, list):
        raise _malformed("eth_getProof")
    # anvil writes the empty trie as one node, 0x80; a proof of nothing has no nodes.
    nodes = tuple(data(node) for node in answer)
    return () if nodes == (b"\x80",) else nodes


def _malformed(method: str) -> LedgerAnswerError:
    message = f"The node's answer to {method} is not what the standard says."
    return LedgerAnswerError(message, method=method)
