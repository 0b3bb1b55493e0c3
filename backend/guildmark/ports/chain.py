"""The public record, read and written, and whether an account can go on with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NewType, Protocol

from guildmark.domain.chain.contracts import AccountProof, ChainPin, Coin, ContractName, Payee
from guildmark.domain.errors import (
    ConflictError,
    NetworkError,
    NotFinalError,
    NotFoundError,
    SettingsError,
    UncheckableError,
)
from guildmark.domain.identifiers import (
    Address,
    Digest,
)
from guildmark.ports.keys import KeyName

TransactionId = NewType("TransactionId", str)


class LedgerUnavailableError(NetworkError):
    """The chain's node cannot be reached in time."""

    code = "chain.unavailable"
    hint = "Check the chain's address and that its node runs, then try again."


class LedgerAnswerError(NetworkError):
    """The chain's node gave an answer that the standard does not know."""

    code = "chain.answerMalformed"
    hint = "Use another node of the same chain."


class WrongChainError(SettingsError):
    """The node is on another chain id than the settings; nothing is signed or sent."""

    code = "chain.wrongChain"
    hint = "Correct chain.url, or join that chain with `guildmark init`."


class GenesisMismatchError(SettingsError):
    """The chain has the right id and another beginning; nothing is signed or sent."""

    code = "chain.genesisMismatch"
    hint = "Start the old chain again; on a new one, make a new home with `guildmark init`."


class CodeMissingError(SettingsError):
    """A contract's address has no code."""

    code = "chain.noCode"
    hint = "Check the directory's address; on a new chain run `guildmark chain deploy`."


class CodeMismatchError(SettingsError):
    """A contract's address has another code than the one that is pinned or compiled."""

    code = "chain.codeMismatch"
    hint = "Do not use these contracts: ask the operator for the deployment's addresses."


class LogsIncompleteError(NetworkError):
    """A node's logs contradict its own blocks: some are missing, doubled, or of another block."""

    code = "chain.logsIncomplete"
    hint = "Nothing was read. Where it does not end by itself, use another node of the chain."


class BlockUnknownError(NotFoundError):
    """The chain has no such block (yet)."""

    code = "chain.blockUnknown"
    hint = "Name a block that the chain has reached."


class CapabilityMissingError(UncheckableError):
    """The chain's node cannot do what is asked."""

    code = "chain.capabilityMissing"
    hint = "Use a node that can, for example geth, Besu or anvil."


class ProofRefusedError(LedgerAnswerError):
    """The chain's node proves nothing of a block: mostly it has dropped that block's state."""

    code = "chain.proofRefused"
    hint = (
        "Name a node of the same chain that keeps states until their block is final, and proves "
        "them; `guildmark doctor` tries it."
    )


class TransactionUnknownError(NotFoundError):
    """The outbox holds no such transaction."""

    code = "transaction.unknown"


class TransactionCancelledError(ConflictError):
    """A transaction was taken back before it did anything."""

    code = "transaction.cancelled"
    hint = "Give the command again if it shall be done after all."


class TransactionSettledError(ConflictError):
    """A transaction stands in a block, or failed: nothing can be changed any more."""

    code = "transaction.settled"
    hint = "Look at it with `guildmark tx show`."


class FeeLimitError(ConflictError):
    """The fee limit leaves no room for a dearer offer."""

    code = "transaction.feeLimit"
    hint = "Wait until the chain is cheaper, or take it back with `guildmark tx cancel`."


class WriterBusyError(ConflictError):
    """Another process signs transactions with this key at this moment."""

    code = "transaction.writerBusy"
    hint = "Wait: that process sends what is stored here as well, and lets go of the key then."


class IdempotencyMismatchError(ConflictError):
    """A name for one effect was used again for another one."""

    code = "transaction.idempotencyMismatch"
    hint = "Use a new idempotency key for another request."


class NotFinalInTimeError(NotFinalError):
    """A transaction was sent, and is not as settled as asked in the time given."""

    code = "chain.notFinal"
    hint = "It stays in the outbox and is sent until it lands: ask again later."


class Capability(StrEnum):
    """What a chain's node can do beyond the least; tests read it, nothing is skipped in silence."""

    PROOFS = "proofs"
    """``eth_getProof`` answers with account and storage proofs."""
    HEADERS = "headers"
    """Every header can be rebuilt to the bytes whose Keccak is the block's hash."""
    FINALITY = "finality"
    """The node itself knows the tag ``finalized``."""


class Finality(StrEnum):
    """How settled a transaction is."""

    PENDING = "pending"
    INCLUDED = "included"
    FINAL = "final"


class TransactionState(StrEnum):
    """The finality of a transaction, or that it failed for good."""

    PENDING = "pending"
    INCLUDED = "included"
    FINAL = "final"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of one contract's function.

    Args:
        contract: The contract of the pinned deployment, a coin of others, or who is paid.
        function: Its name, or its full signature where the name is overloaded; empty for a payee.
        args: Plain values in the order of the ABI; a struct is a tuple or a mapping by name.
        gas: A limit that is known to suffice; without it the call is tried out first, which
            finds a revert before anything is signed.
        value: How much native coin goes with it.
    """

    contract: ContractName | Coin | Payee
    function: str
    args: tuple[Any, ...] = ()
    gas: int | None = None
    value: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block's place and time."""

    number: int
    hash: Digest
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event of a pinned contract, decoded: ints, bytes, str, bool; structs as mappings."""

    contract: ContractName
    name: str
    args: Mapping[str, Any]
    block_number: int
    block_hash: Digest
    log_index: int
    transaction: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLog:
    """A log of a pinned contract, as the chain has it."""

    block_number: int
    log_index: int
    address: Address
    topics: tuple[Digest, ...]
    data: bytes
    transaction: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Neighbouring blocks, each the parent of the next, with all logs of the pinned contracts.

    Args:
        parent: The hash of the block before the first one.
        blocks: In order.
        logs: In the chain's order; what they say was compared with the blocks' own digests.
    """

    parent: Digest
    blocks: tuple[Block, ...]
    logs: tuple[RawLog, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionStatus:
    """What became of a submitted transaction so far.

    Args:
        code: The dotted error code, where it failed.
        reason: The sentence of that error.
        events: The transaction's events, from its inclusion on.
    """

    id: TransactionId
    state: TransactionState
    hash: Digest | None = None
    block: Block | None = None
    gas_used: int | None = None
    code: str | None = None
    reason: str | None = None
    events: tuple[Event, ...] = field(default=())

    def event(self, name: str) -> Event:
        """Return the first event called ``name``.

        Raises:
            KeyError: The transaction has no such event (yet).
        """
        for event in self.events:
            if event.name == name:
                return event
        raise KeyError(name)


class Ledger(Protocol):
    """The public record, read-only.

    Every method raises ``LedgerUnavailableError`` where the node cannot be reached in time, and
    ``LedgerAnswerError`` where its answer is not what the standard says.
    """

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Return what this chain's node can do."""
        ...

    def pin(self) -> ChainPin:
        """Return chain id, genesis hash, class, and each contract's address and code hash.

        Raises:
            WrongChainError: The node is on another chain id.
            GenesisMismatchError: The node's chain has another beginning.
            CodeMissingError: An address has no code.
            CodeMismatchError: An address has another code.
        """
        ...

    def head(self, *, final: bool) -> Block:
        """Return the newest block, or the newest that nothing can undo."""
        ...

    def block(self, number: int) -> Block:
        """Return a block of the canonical chain.

        Raises:
            BlockUnknownError: The chain is not that long.
        """
        ...

    def header(self, number: int) -> bytes:
        """Return a block's header in RLP; its Keccak was checked to be the block's hash.

        Raises:
            BlockUnknownError: The chain is not that long.
            CapabilityMissingError: The node cannot give headers.
        """
        ...

    def read(self, call: Call, *, block: int | None = None) -> Any:
        """Return what a view function answers, at the newest block or at ``block``.

        One result is returned bare, several as a tuple, a struct as a mapping by name.

        Raises:
            GuildmarkError: The error that the contract's revert stands for.
        """
        ...

    def read_all(self, calls: Sequence[Call], *, block: int | None = None) -> Sequence[Any]:
        """Return the answers of several view functions, asked in one request.

        Raises:
            GuildmarkError: The error that the first revert stands for.
        """
        ...

    def has_code(self, account: Address) -> bool:
        """Return whether an account is a contract at the newest block."""
        ...

    def stretch(self, first: int, last: int, *, enough: int | None = None) -> Stretch:
        """Return blocks first..last with their logs, checked against each other.

        Args:
            first: The first block's number.
            last: The last one's.
            enough: How many transactions suffice, of blocks that may hold such logs: the stretch
                may end with the block that brings as many.

        Raises:
            LogsIncompleteError: They contradict each other.
            BlockUnknownError: The chain has no such block.
        """
        ...

    def event(self, log: RawLog, block: Block) -> Event | None:
        """Return a log of a block as an event, None where no pinned contract declares it."""
        ...

    def events(self, first: int, last: int) -> Sequence[Event]:
        """Return all events of the pinned contracts in blocks first..last, in order."""
        ...

    def proof(
        self, block: int, slots: Mapping[ContractName, Sequence[bytes]]
    ) -> Mapping[ContractName, AccountProof]:
        """Return one account proof a contract, with a storage proof for each 32-byte slot.

        Raises:
            CapabilityMissingError: The node cannot give proofs.
            ProofRefusedError: It gives none of this block.
        """
        ...


class Transactions(Protocol):
    """The outbox: a signed transaction is stored before its first broadcast and lands once."""

    def submit(
        self, call: Call, *, key: KeyName, idempotency: str, former: str | None = None
    ) -> TransactionId:
        """Sign, store and send a call; the same ``idempotency`` gives the same id.

        A node that cannot be reached is no error here: what is stored is sent again.

        Args:
            call: The call.
            key: The key that signs.
            idempotency: Names the effect.
            former: What an earlier release named the same effect; whose account stands under it
                already is given that transaction.

        Raises:
            IdempotencyMismatchError: A name was used for another call or key.
            GuildmarkError: The error that the call's revert stands for; nothing was stored.
        """
        ...

    def status(self, transaction: TransactionId) -> TransactionStatus:
        """Return what became of a transaction.

        Raises:
            TransactionUnknownError: The outbox holds no such transaction.
        """
        ...

    def wait(
        self, transaction: TransactionId, *, finality: Finality, timeout: float
    ) -> TransactionStatus:
        """Return the status once it is at least that settled.

        Raises:
            TransactionUnknownError: The outbox holds no such transaction.
            NotFinalInTimeError: It is not that settled after ``timeout`` seconds.
            GuildmarkError: The error that its revert stands for.
        """
        ...

    def bump(self, transaction: TransactionId) -> TransactionStatus:
        """Offer more for a transaction that no block has.

        Raises:
            TransactionUnknownError: The outbox holds no such transaction.
            TransactionSettledError: A block has it, or it failed.
            FeeLimitError: The fee limit leaves no room.
            WriterBusyError: Another process signs with its key now.
        """
        ...

    def cancel(self, transaction: TransactionId) -> TransactionStatus:
        """Take a transaction back that no block has; the chain decides which of the two lands.

        Raises:
            TransactionUnknownError: The outbox holds no such transaction.
            TransactionSettledError: A block has it, or it failed.
            FeeLimitError: The limit leaves no room.
            WriterBusyError: Another process signs with its key now.
        """
        ...

    def advance(self) -> int:
        """Send, look and bump whatever is open, once; return how many transactions are open."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """What an account has, and what a unit of gas costs now, in the chain's smallest unit."""

    balance: int
    price: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Handles:
    """How many files and connections a process has open, and how many it may."""

    held: int
    most: int


class Vitals(Protocol):
    """What shows whether a home can go on with its work."""

    def purse(self, account: Address) -> Purse:
        """Return an account's coin, and what a unit of gas costs now.

        Raises:
            LedgerUnavailableError: The chain cannot be reached.
            LedgerAnswerError: It answers something else.
        """
        ...

    def oldest(self) -> int | None:
        """Return since when the oldest open transaction has been open, None without one."""
        ...

    def handles(self) -> Handles:
        """Return how many files and connections this process has open."""
        ...
