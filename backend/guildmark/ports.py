"""What the services need from outside, as Protocols that state their errors.

Adapters fulfil them; services and the verifier know nothing else of chain, files and keys.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from io import BufferedIOBase
from typing import Any, NewType, Protocol, TypeVar

from guildmark.domain.audit.findings import Finding, Place
from guildmark.domain.audit.units import UnitRow
from guildmark.domain.builds.predicate import KeyHolder
from guildmark.domain.builds.telemetry import KeptChunk
from guildmark.domain.chain.contracts import AccountProof, ChainPin, Coin, ContractName, Payee
from guildmark.domain.chain.facts import Fact
from guildmark.domain.errors import (
    ConflictError,
    ContentError,
    ForbiddenError,
    MalformedError,
    NetworkError,
    NotFinalError,
    NotFoundError,
    SettingsError,
    UncheckableError,
    UsageError,
)
from guildmark.domain.identifiers import (
    Address,
    Bytes32,
    Cid,
    DesignId,
    Digest,
    IdentityId,
    Index,
    KeyId,
    LaneNumber,
    LogNumber,
    Seq,
    SiteRecipeId,
    UnitNumber,
)
from guildmark.domain.labels.scans import Scan, ScanHistory
from guildmark.domain.letters import (
    Letter,
    LetterId,
    LetterState,
    RecallWatch,
    Told,
    WatchId,
)
from guildmark.domain.log.checkpoint import Addition
from guildmark.domain.log.note import NoteKey, NoteSignature
from guildmark.domain.log.queue import Batch, Build, Logged, Outcome, Queued, Standing
from guildmark.domain.recall import RecallId
from guildmark.domain.rights.fileset import EncryptedList
from guildmark.domain.rights.release import Released
from guildmark.domain.shopfloor.fieldwork import (
    Brief,
    Job,
    JobState,
    LaneBook,
    Signed,
    SignedState,
    Watched,
)
from guildmark.domain.shopfloor.fieldwork import Note as AgentNote
from guildmark.domain.shopfloor.jobs import Observation

FactT = TypeVar("FactT", bound=Fact)

KeyName = NewType("KeyName", str)
TransactionId = NewType("TransactionId", str)


class PeerUnavailableError(NetworkError):
    """Another node does not answer as a node does."""

    code = "peer.unavailable"


class StoreUnavailableError(NetworkError):
    """The home's database does not answer."""

    code = "store.unavailable"
    hint = "Look at the disk's free space, and whether another process holds the database."


class UploadUnknownError(NotFoundError):
    """There is no upload of that name, or it stood still for too long."""

    code = "upload.unknown"
    hint = "Begin a new upload."


class UploadOffsetError(ConflictError):
    """A part does not follow what is stored of the upload."""

    code = "upload.wrongOffset"
    hint = "Ask how far the upload is, then send what follows."


class UploadBusyError(ConflictError):
    """A part of the same upload is arriving already."""

    code = "upload.busy"
    hint = "Wait until the other part has ended, then ask how far the upload is."


class UploadIncompleteError(ConflictError):
    """An upload is to be finished whose bytes are not all there."""

    code = "upload.incomplete"
    hint = "Ask how far the upload is, send what is missing, then finish it."


class UploadTooLongError(ConflictError):
    """More bytes came than were announced."""

    code = "upload.tooLong"
    hint = "Begin a new upload with the right size."


class UploadsFullError(NetworkError):
    """There are as many open uploads as the node takes."""

    code = "upload.full"
    hint = "Try again later."


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


class RequestMismatchError(ConflictError):
    """A client's name for one request was used again for another body."""

    code = "request.idempotencyMismatch"
    hint = "Use a new Idempotency-Key for another body."


class NotFinalInTimeError(NotFinalError):
    """A transaction was sent, and is not as settled as asked in the time given."""

    code = "chain.notFinal"
    hint = "It stays in the outbox and is sent until it lands: ask again later."


class MachineUnavailableError(NetworkError):
    """A machine, or what speaks for it, does not answer."""

    code = "machine.unavailable"
    hint = "Look at the machine's power and network; the agent tries again by itself."


class MachineAnswerError(NetworkError):
    """A machine answers otherwise than its protocol says."""

    code = "machine.badAnswer"
    hint = "Look at the machine's address, its kind and its version."


class UndeliveredError(NetworkError):
    """A letter was not taken: nobody answers, in time or at all, or the answer is no 2xx."""

    code = "letter.undelivered"
    hint = "Look at the receiver; the node tries again for three days."


class WatchAddressError(MalformedError):
    """Letters cannot be sent to an address."""

    code = "recall.watchAddress"
    hint = "Give an https address without a user in it; http is for this machine alone."


class AddressForbiddenError(UndeliveredError):
    """The receiver's name leads to an address of a private network, or to none."""

    code = "letter.addressForbidden"
    hint = "Name a public host, or add the watch again with --private."


class AddressGoneError(UndeliveredError):
    """The receiver answers 410: it wants no more letters."""

    code = "letter.addressGone"
    hint = "Remove the watch, or add it again with the new address."


class CounterSpentError(ConflictError):
    """Another envelope of the machine has the counter already."""

    code = "agent.counterSpent"
    hint = "Run one agent for a machine; `guildmark agent adopt` takes the counter up again."


class KeyMissingError(NotFoundError):
    """The key store holds no key of that name."""

    code = "key.missing"
    hint = "List the keys with `guildmark keys list`, or make one with `guildmark keys new`."


class KeyExistsError(ConflictError):
    """The name of a key is taken."""

    code = "key.exists"
    hint = "Choose another name: a key is never overwritten."


class KeyPurposeError(UsageError):
    """A key of that algorithm cannot do what is asked."""

    code = "key.wrongPurpose"
    hint = "Use a key of the algorithm that is named."


class PasswordWrongError(ForbiddenError):
    """The password does not open the key's file."""

    code = "key.passwordWrong"
    hint = "Put the right password into the file that GUILDMARK_PASSWORD_FILE names."


class SealBrokenError(ContentError):
    """What was sealed does not open: another key or context, or changed bytes."""

    code = "key.sealBroken"
    hint = "Ask the sender to seal it again to this site's present key."


class ContentMissingError(NotFoundError):
    """A block of the content is not in the store."""

    code = "content.missing"
    hint = "Fetch the content from a node that has it."


class ContentMismatchError(ContentError):
    """Bytes are not what their address promises."""

    code = "content.hashMismatch"


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


class KeyAlgorithm(StrEnum):
    """What a key can do: the first three sign, the others open what is sealed to them."""

    SECP256K1 = "secp256k1"
    P256 = "p256"
    ED25519 = "ed25519"
    X25519 = "x25519"
    HYBRID = "x25519-mlkem768"
    """X25519 and ML-KEM-768 together: who breaks one of them still reads nothing."""
    RSA = "rsa"
    """Opens content keys of 3MF Secure Content, as printers have it; a value is X.509's DER."""


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

    def stretch(self, first: int, last: int) -> Stretch:
        """Return blocks first..last with their logs, checked against each other.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public key: 33 bytes compressed, 32 (Ed25519, X25519), 1,216 (hybrid), or DER (RSA)."""

    algorithm: KeyAlgorithm
    value: bytes


class KeyStore(Protocol):
    """Private keys by name; they never leave the store.

    Every method raises ``KeyMissingError`` where there is no such key, ``PasswordWrongError``
    where its file does not open and ``KeyPurposeError`` where it cannot do what is asked.
    """

    def names(self) -> Sequence[KeyName]:
        """Return all names, sorted."""
        ...

    def create(self, name: KeyName, algorithm: KeyAlgorithm) -> PublicKey:
        """Make a new key and store it durably.

        Raises:
            KeyExistsError: The name is taken.
        """
        ...

    def public_key(self, name: KeyName) -> PublicKey:
        """Return the public key."""
        ...

    def address(self, name: KeyName) -> Address:
        """Return the account that a secp256k1 key controls."""
        ...

    def holder(self, name: KeyName) -> KeyHolder:
        """Return what holds a key, so that a machine can say it."""
        ...

    def sign_digest(self, name: KeyName, digest: bytes) -> bytes:
        """Return r, s and v (27 or 28) over 32 bytes, s low: what ecrecover takes."""
        ...

    def sign_payload(self, name: KeyName, payload: bytes) -> bytes:
        """Return a machine's signature over ``payload``.

        secp256k1 and P-256: r and s over SHA-256, s low; Ed25519: the plain signature.
        """
        ...

    def unseal(self, name: KeyName, sealed: bytes, *, info: bytes) -> bytes:
        """Return what was sealed (HPKE, RFC 9180) to a key under the context ``info``.

        Raises:
            SealBrokenError: It was sealed to another key or context, or was changed.
        """
        ...


class ContentStore(Protocol):
    """Bytes by their address; what is read was hashed again."""

    def put(self, chunks: Iterable[bytes]) -> Cid:
        """Store a file durably and return its CID."""
        ...

    def get(self, cid: Cid) -> Iterator[bytes]:
        """Yield a file's bytes.

        Raises:
            ContentMissingError: A block of it is not here.
            ContentMismatchError: A block's bytes are not what its address promises.
        """
        ...

    def has(self, cid: Cid) -> bool:
        """Return whether the file is here, whole."""
        ...

    def write_car(self, cid: Cid) -> Iterator[bytes]:
        """Yield the file as a CAR (version 1), for programs that speak IPFS.

        Raises:
            ContentMissingError: A block of it is not here.
            ContentMismatchError: A block's bytes are not what its address promises.
        """
        ...

    def load_car(self, chunks: Iterable[bytes], cid: Cid) -> None:
        """Store the file of a CAR durably; every block is hashed.

        Raises:
            ContentMismatchError: It is no CAR of exactly this file.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadState:
    """How far an upload is.

    Args:
        name: Nobody can guess it: who knows it may go on with the upload.
        size: The bytes that were announced.
        offset: The bytes that are stored durably.
    """

    name: str
    size: int
    offset: int


class Uploads(Protocol):
    """Files that arrive in parts; what was taken survives a crash."""

    def begin(self, size: int) -> UploadState:
        """Begin an upload.

        Raises:
            UploadsFullError: There are as many as may be.
        """
        ...

    def status(self, name: str) -> UploadState:
        """Return how far an upload is.

        Raises:
            UploadUnknownError: There is none of that name.
        """
        ...

    def append(self, name: str, offset: int, chunks: Iterable[bytes]) -> UploadState:
        """Take what follows ``offset``; where ``chunks`` breaks off, most of it is kept.

        Raises:
            UploadUnknownError: There is none of that name.
            UploadOffsetError: It stands elsewhere.
            UploadBusyError: Another part of it is arriving.
            UploadTooLongError: More bytes came than were announced.
        """
        ...

    def finish(self, name: str) -> Cid:
        """Return the address of the file, stored; repeating is safe.

        Raises:
            UploadUnknownError: There is none of that name.
            UploadIncompleteError: Bytes are missing.
            UploadBusyError: A part of it is arriving.
        """
        ...


class Availability(StrEnum):
    """What a content store answered to a challenge: the right bytes, none, or others."""

    OK = "ok"
    UNAVAILABLE = "unavailable"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAnswer:
    """What one content store answered for one file.

    Args:
        store: What the operator calls the store.
        state: The answer; after a mend, what holds now.
        code: The error's code, None where the bytes were right.
        mended: Whether the file was brought back to the store.
    """

    store: str
    cid: Cid
    state: Availability
    code: str | None = None
    mended: bool = False


class ContentStores(Protocol):
    """The stores that keep the same files, challenged one by one."""

    def round(self) -> Iterator[StoreAnswer]:
        """Ask every store for a part of every file that nobody could foresee; mend what failed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainFile:
    """A file as it is used: its size and SHA-256."""

    size: int
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptedFile:
    """A file in the vault: where it is, SHA-256 of its encrypted bytes, and what is in it."""

    cid: Cid
    ciphertext: Digest
    plain: PlainFile


class Vault(Protocol):
    """Files encrypted each under a key of its own, over a content store."""

    def put(self, source: BufferedIOBase, key: bytes) -> EncryptedFile:
        """Encrypt a file under a new key of 32 bytes and store the result durably."""
        ...

    def get(self, cid: Cid, key: bytes, sink: BufferedIOBase) -> PlainFile:
        """Write a file's plain bytes; what was written before an error is worth nothing.

        Raises:
            ContentMissingError: A block of it is not here.
            ContentMismatchError: It was changed, cut, or the key does not open it.
        """
        ...

    def seal(self, document: bytes, recipient: bytes, *, info: bytes) -> bytes:
        """Seal a document (HPKE, RFC 9180) to an X25519 public key under the context ``info``.

        Raises:
            MalformedError: No such public key.
        """
        ...


class Peer(Protocol):
    """Another operator's node; nothing that it sends is believed."""

    def bundle(self, log: LogNumber, index: Index) -> bytes | None:
        """Return the bundle of a part, None where the peer has none.

        Raises:
            PeerUnavailableError: It does not answer in time, or not as a node does.
        """
        ...

    def positions(self, label: str) -> Sequence[tuple[LogNumber, Index]]:
        """Return where the peer knows entries of a label.

        Raises:
            PeerUnavailableError: It does not answer in time, or not as a node does.
        """
        ...


class EvidenceSource(Protocol):
    """A node that an auditor asks; nothing that it sends is believed."""

    def bundle(self, log: LogNumber, index: Index) -> bytes | None:
        """Return the bundle of a part, None where the node shows none.

        Raises:
            GuildmarkError: It does not answer, or refuses to.
        """
        ...

    def log_checkpoint(self, log: LogNumber) -> bytes | None:
        """Return the newest checkpoint of a log, a signed note; None where the node has none.

        Raises:
            GuildmarkError: It does not answer, or refuses to.
        """
        ...

    def holds(self, cid: Cid) -> bool:
        """Return whether the node sends the bytes of an address; what comes is hashed here.

        An address that is none is held by nobody.

        Raises:
            GuildmarkError: It does not answer, or refuses to.
        """
        ...


class AuditBook(Protocol):
    """What an audit writes down from unit to unit, so that it need not be held in memory."""

    def add_unit(self, row: UnitRow) -> None:
        """Write down a unit."""
        ...

    def add_finding(self, found: Finding) -> None:
        """Write down a finding."""
        ...

    def add_use(self, what: str, of: bytes, place: Place) -> None:
        """Write down that something is used at a place; the same place counts once."""
        ...

    def units(self) -> Iterator[UnitRow]:
        """Yield the units in the order in which they were written down."""
        ...

    def findings(self) -> Iterator[Finding]:
        """Yield the findings, the worst first, each kind by its places."""
        ...

    def doubles(self, what: str) -> Iterator[Sequence[Place]]:
        """Yield the places of whatever of a kind is used at several, each time in order."""
        ...

    def uses(self, what: str) -> Iterator[bytes]:
        """Yield what of a kind is used, each once, in the order of its bytes."""
        ...


class MirrorPeer(Peer, Protocol):
    """Another operator's node whose log is mirrored; nothing that it sends is believed."""

    def log_checkpoint(self, log: LogNumber) -> bytes:
        """Return the newest checkpoint of a log, a signed note.

        Raises:
            PeerUnavailableError: It does not answer in time, or not as a node does.
        """
        ...

    def get_content(self, cid: Cid) -> Iterator[bytes]:
        """Yield a file's bytes; whoever stores them computes the address again.

        Raises:
            PeerUnavailableError: It does not answer in time, or not as a node does.
        """
        ...

    def encrypted_files(self, design: DesignId, revision: int) -> EncryptedList | None:
        """Return the list of a revision's encrypted files, None where the peer shows none.

        Raises:
            PeerUnavailableError: It does not answer in time, or not as a node does.
        """
        ...


class WitnessPeer(Protocol):
    """A witness as a node reaches it; its signatures are checked by who asks."""

    def cosign(self, addition: Addition, key: NoteKey) -> NoteSignature:
        """Return the witness's signature over a checkpoint.

        Raises:
            WitnessBehindError: It saw another size last; the detail ``size`` says which.
            ForkError: It saw another history.
            PeerUnavailableError: It does not answer in time, or not as a witness does.
        """
        ...

    def note(self, number: int, key: NoteKey) -> NoteSignature:
        """Return the witness's signature over the note about a block.

        Raises:
            PeerUnavailableError: It does not answer in time, or not as a witness does.
        """
        ...


class BlockNotes(Protocol):
    """Who may have notes of witnesses about blocks."""

    def note(self, block: Block) -> bytes:
        """Return the signed note about a final block, nothing where nobody signed one."""
        ...


class RecallHook(Protocol):
    """What is asked before keys are released: is anything called back?"""

    def reason(self, *things: bytes) -> str | None:
        """Return why one of these designs, recipes or machines is held back, None for none."""
        ...


class Releaser(Protocol):
    """A node that may release the keys of a design's files."""

    def release(self, envelope: bytes) -> Released:
        """Send a signed request and return what comes back; nothing of it is believed yet.

        Raises:
            PeerUnavailableError: The node does not answer in time, or not as a node does.
            GuildmarkError: The node refuses.
        """
        ...


class Machine(Protocol):
    """What a machine on the shop floor tells of its jobs; asked again and again by one thread."""

    def poll(self, cursor: bytes) -> Observation:
        """Return all that happened since a cursor; b"" is the beginning.

        The same cursor gives the same events again until a newer one was handed in: whoever asks
        stores observation and cursor in one step, and what was lost before that is told again.

        Raises:
            MachineUnavailableError: It does not answer.
            MachineAnswerError: It answers otherwise than its protocol says.
            MalformedReportError: What it wrote contradicts itself.
        """
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...


class AgentReader(Protocol):
    """One state of what an agent keeps."""

    def machine(self, name: str) -> Watched:
        """Return what is remembered of a machine; a new one has nothing."""
        ...

    def machines(self) -> Sequence[Watched]:
        """Return what is remembered of each machine, by name."""
        ...

    def lane(self, number: LaneNumber) -> LaneBook:
        """Return what is remembered of a lane; a new one has nothing."""
        ...

    def job(self, machine: str, job: str) -> Job | None:
        """Return a job, None where the agent never heard of it."""
        ...

    def jobs(
        self, *states: JobState, machine: str | None = None, most: int | None = None
    ) -> Sequence[Job]:
        """Return jobs in the order in which the agent saw them; all where no state is named."""
        ...

    def unstored(self) -> Job | None:
        """Return the first signed job whose files the node does not keep yet, None after all."""
        ...

    def signed(
        self, *states: SignedState, most: int | None = None, without: Sequence[str] = ()
    ) -> Sequence[Signed]:
        """Return envelopes in the order of signing; all where no state is named.

        Args:
            states: The states.
            most: How many at most.
            without: The machines to leave out.
        """
        ...

    def oldest(self, machine: str, *states: SignedState) -> Signed | None:
        """Return the envelope of a machine that was signed first, None where there is none."""
        ...

    def of_units(self, lane: LaneNumber, units: range, *states: SignedState) -> Sequence[Signed]:
        """Return the envelopes that name units of a lane, in the order of signing."""
        ...

    def amiss(
        self, lane: LaneNumber, log: LogNumber, code: str, *, most: int
    ) -> Sequence[tuple[Signed, int]]:
        """Return what waits for a lane and cannot be logged as it is, in the order of its units.

        That is what a node refused because of its unit, and what names another log than the lane.

        Args:
            lane: The lane.
            log: The log that it draws into now.
            code: The code by which a node refuses a unit.
            most: How many at most.

        Returns:
            Each with how many that wait for the lane name a unit before its own.
        """
        ...

    def signed_of(self, machine: str, job: str) -> Sequence[Signed]:
        """Return the envelopes about a job, replaced ones too, in the order of signing."""
        ...

    def counts(self) -> Mapping[tuple[str, SignedState], int]:
        """Return how many envelopes of each machine are in each state."""
        ...

    def units(self, lane: LaneNumber, *states: SignedState) -> Sequence[UnitNumber]:
        """Return the units of a lane that envelopes in these states name, or got."""
        ...

    def last_unit(self, lane: LaneNumber, *states: SignedState) -> UnitNumber | None:
        """Return the greatest of those units, None where there is none."""
        ...

    def waiting_for(self, lane: LaneNumber) -> int:
        """Return how many envelopes of a lane no node took yet."""
        ...

    def first_unnamed(self, lane: LaneNumber, units: range) -> UnitNumber | None:
        """Return the first of these units of a lane that no envelope ever named, None: all were."""
        ...

    def envelope(self, digest: Digest) -> bytes:
        """Return the bytes of an envelope that was signed here."""
        ...

    def chunks(self, machine: str, job: str) -> Sequence[KeptChunk]:
        """Return the telemetry of a job, in order."""
        ...

    def ciphertext(self, digest: Digest) -> bytes:
        """Return an encrypted file that is kept here."""
        ...

    def notes(self, most: int) -> Sequence[AgentNote]:
        """Return the newest lines of the journal, the newest first."""
        ...


class AgentWriter(AgentReader, Protocol):
    """What an agent keeps, inside one transaction."""

    def keep_machine(self, watched: Watched) -> None:
        """Keep what is remembered of a machine."""
        ...

    def keep_lane(self, book: LaneBook) -> None:
        """Keep what is remembered of a lane."""
        ...

    def keep_job(self, job: Job) -> None:
        """Keep a job, instead of the one of its name."""
        ...

    def keep_signed(self, signed: Signed, envelope: bytes) -> None:
        """Keep a new envelope; no two that stand share machine and counter.

        Raises:
            CounterSpentError: Another envelope of the machine has the counter.
        """
        ...

    def change_signed(self, signed: Signed) -> None:
        """Keep how far an envelope is."""
        ...

    def keep_chunk(self, chunk: KeptChunk) -> None:
        """Keep a chunk of telemetry, instead of the one at its place."""
        ...

    def keep_ciphertext(self, digest: Digest, data: bytes) -> None:
        """Keep an encrypted file."""
        ...

    def note(self, note: AgentNote) -> None:
        """Write a line into the journal."""
        ...


class AgentStore(Protocol):
    """An agent's database; what it acknowledged survives a loss of power.

    Every method raises ``StoreUnavailableError`` where the database does not answer in time.
    """

    def reading(self) -> AbstractContextManager[AgentReader]:
        """Return one state, the last commit; it holds up nobody."""
        ...

    def writing(self) -> AbstractContextManager[AgentWriter]:
        """Return one exclusive transaction; leaving it commits durably, an error undoes it all."""
        ...


class Sealer(Protocol):
    """Encrypts small files before they leave the machine's side."""

    def seal(self, data: bytes, key: Bytes32) -> bytes:
        """Return a file encrypted under a key that encrypts nothing else."""
        ...


class BuildNode(Protocol):
    """A node as agents ask it.

    Every method raises ``PeerUnavailableError`` where the node does not answer as a node does, and
    another ``GuildmarkError`` where it refuses.
    """

    def brief(
        self, machine: IdentityId, *, key: KeyId, lane: LaneNumber, site_recipe: SiteRecipeId
    ) -> Brief:
        """Return what a machine's agent must know."""
        ...

    def submit(self, envelopes: Sequence[bytes]) -> Sequence[Mapping[str, Any]]:
        """Send envelopes and return an answer for each."""
        ...

    def build(self, digest: Digest) -> Mapping[str, Any]:
        """Return what became of an envelope."""
        ...

    def put_content(self, chunks: Iterable[bytes]) -> Cid:
        """Send a file and return its CID as the node computed it."""
        ...


class Clock(Protocol):
    """Seconds since 1970; for deadlines and display, never for what the chain decides."""

    def now(self) -> int:
        """Return whole seconds since 1970 (UTC)."""
        ...


class Entropy(Protocol):
    """Unpredictable bytes for salts and keys."""

    def token(self, size: int) -> bytes:
        """Return ``size`` random bytes."""
        ...


class Names(Protocol):
    """How texts look to people, whatever letters they are written with."""

    def skeleton(self, text: str) -> str:
        """Return what a text has in common with all that look like it (UTS 39, section 4)."""
        ...

    def scripts(self, text: str) -> frozenset[str]:
        """Return the scripts of a text's letters, as Unicode names them in capitals."""
        ...


class Facts(Protocol):
    """What the registries say, at the block up to which the index has read."""

    def cursor(self) -> Block | None:
        """Return the block up to which all events were read."""
        ...

    def get(self, kind: type[FactT], *key: bytes | int) -> FactT | None:
        """Return the fact under a key."""
        ...

    def floor(self, kind: type[FactT], *key: bytes | int) -> FactT | None:
        """Return the fact with the greatest key up to ``key`` that shares all but its last part."""
        ...

    def each(self, kind: type[FactT], *prefix: bytes | int) -> Sequence[FactT]:
        """Return the facts whose keys begin with ``prefix``, in order."""
        ...


class FactWriter(Facts, Protocol):
    """The index inside one transaction."""

    def put(self, *facts: Fact) -> None:
        """Keep facts, each instead of the one under its key."""
        ...

    def move(self, cursor: Block) -> None:
        """Say up to which block all events were read."""
        ...

    def forget(self) -> None:
        """Drop every fact, and up to which block events were read; logs are kept."""
        ...


class IndexWriter(FactWriter, Protocol):
    """The index inside one transaction, with the logs that its facts follow from."""

    def keep(self, blocks: Sequence[Block], logs: Sequence[RawLog]) -> None:
        """Keep blocks and their logs as they were read."""
        ...

    def kept(self, before: int) -> Sequence[tuple[Block, Sequence[RawLog]]]:
        """Return the blocks below a number that were kept, in order, with their logs."""
        ...

    def drop(self, first: int) -> None:
        """Drop the blocks from a number on, and their logs."""
        ...


MADE_BY = ("machine", "maker", "site_recipe", "lane")
"""By what parts are counted."""


class LogReader(Protocol):
    """A node's own log: what it accepted and what became of it."""

    def build(self, envelope: Digest) -> Build | None:
        """Return what became of an envelope; of several times, the last one."""
        ...

    def builds(self, envelopes: Sequence[Digest]) -> Mapping[Digest, Build]:
        """Return what became of each envelope that is known; of several times, the last one."""
        ...

    def logged(self, log: LogNumber, index: Index) -> Logged | None:
        """Return the entry at a final position, None for an erased one, too."""
        ...

    def payload(self, digest: Digest) -> Build | None:
        """Return the build with a statement, or the receipt of a request, unless refused."""
        ...

    def labelled(self, label: str) -> Sequence[Build]:
        """Return the builds that carry a label and were not refused."""
        ...

    def newest_below(self, prefix: str) -> Logged | None:
        """Return the newest final build whose label begins with this text, None for none."""
        ...

    def leaves(self, log: LogNumber, seq: Seq) -> Sequence[Digest]:
        """Return the leaf data of a batch, in order; none where the batch is unknown."""
        ...

    def entries(self, log: LogNumber, seq: Seq) -> Sequence[Logged]:
        """Return the entries of a final batch, in order; none where the batch is unknown.

        Erased ones are left out.
        """
        ...

    def erased(self, log: LogNumber, seq: Seq) -> Sequence[int]:
        """Return the positions of the entries of a final batch that were erased, in order."""
        ...

    def made(
        self, log: LogNumber, wanted: Mapping[str, Sequence[bytes | int]], seqs: range | None = None
    ) -> int:
        """Return how many final parts of a log there are, scrap and what was refused left out.

        Args:
            log: The log.
            wanted: Of what machines, makers, site recipes and lanes, each by ``MADE_BY``; a part
                fits where it has one of the values under every name.
            seqs: The records that they are in; None for all.
        """
        ...

    def settled(self, log: LogNumber) -> Sequence[Seq]:
        """Return which records of a log are final batches of this node, in order."""
        ...

    def waiting(self, limit: int) -> Sequence[Queued]:
        """Return accepted entries that are in no batch, in order of acceptance."""
        ...

    def waiting_count(self) -> int:
        """Return how many accepted entries are in no batch."""
        ...

    def open_batch(self) -> Batch | None:
        """Return the batch that is closed and not final."""
        ...

    def claimed_units(self, lane: LaneNumber) -> int:
        """Return how many accepted entries of a lane have not drawn yet."""
        ...

    def last_counter(self, machine: IdentityId) -> int:
        """Return the greatest counter of a machine's builds that stand, 0 where it has none."""
        ...


class LogWriter(LogReader, Protocol):
    """A node's own log inside one transaction."""

    def standing(self, entries: Sequence[Queued]) -> Standing:
        """Return what stands in the way of entries by statement, counter or label.

        What was refused stands in nobody's way; receipts have no counters.
        """
        ...

    def accept(self, *entries: Queued) -> None:
        """Queue entries behind the others, in their order."""
        ...

    def close_batch(self, batch: Batch) -> None:
        """Fix the entries, order and place of a batch."""
        ...

    def include_batch(self, batch: Batch) -> None:
        """Say that the batch stands in a block that is not final yet."""
        ...

    def reopen_batch(self, batch: Batch) -> None:
        """Drop a batch that can never land; its entries wait again, in their order."""
        ...

    def settle_batch(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        """Write what a final record says of each entry of a batch, in its order."""
        ...

    def erase(self, entry: Logged) -> None:
        """Let nothing of a final entry stay but its leaf, its place, and its machine's counter."""
        ...


class LetterReader(Protocol):
    """What was told of recalls, as of one state: to whom, what, and what waits to go out."""

    def watches(self) -> Sequence[RecallWatch]:
        """Return who wants to hear of recalls."""
        ...

    def told(self, recall: RecallId) -> Told | None:
        """Return what was last told of a recall."""
        ...

    def early(self) -> Sequence[Told]:
        """Return what was told before it was final."""
        ...

    def holders(self, letter: LetterId) -> Collection[WatchId]:
        """Return the watches that have, or will get, a letter."""
        ...

    def due(self, now: int) -> Sequence[WatchId]:
        """Return whose letters can be claimed, the longest waiting first."""
        ...

    def letters(self, state: LetterState | None, most: int) -> Sequence[Letter]:
        """Return the newest letters, the newest first; all where no state is named."""
        ...

    def dead_count(self) -> int:
        """Return how many letters are not sent again."""
        ...


class Letters(LetterReader, Protocol):
    """The same inside one transaction."""

    def watch(self, watch: RecallWatch) -> None:
        """Keep a new watch."""
        ...

    def unwatch(self, watch: WatchId) -> bool:
        """Forget a watch and its letters; return whether there was one."""
        ...

    def keep(self, told: Told) -> None:
        """Keep what was told of a recall, instead of what was told before."""
        ...

    def post(self, letter: Letter) -> None:
        """Let a letter wait to be sent, unless its watch has that event already."""
        ...

    def claim(self, watch: WatchId, now: int, until: int) -> Letter | None:
        """Return the next letter of a watch that is due, and keep others from it for a while.

        A letter waits until all earlier ones of its watch and recall were sent, or are dead.

        Args:
            watch: Whose letter.
            now: The present.
            until: How long nobody else shall send it.
        """
        ...

    def settle(self, letter: Letter) -> None:
        """Keep what a try led to."""
        ...

    def revive(self, watch: WatchId) -> int:
        """Let the dead letters of a watch be sent as if they were new; return how many."""
        ...

    def prune(self, before: int) -> int:
        """Forget the letters that were delivered before a time; return how many."""
        ...


class Courier(Protocol):
    """What brings letters to their addresses."""

    def check(self, url: str) -> None:
        """Check that letters can be sent to an address.

        Raises:
            WatchAddressError: They cannot.
        """
        ...

    def deliver(
        self, url: str, body: bytes, headers: Mapping[str, str], *, allows_private: bool
    ) -> None:
        """Send a letter; it was taken where this returns.

        Raises:
            UndeliveredError: Nobody took it; another try may succeed.
            AddressGoneError: The receiver wants no more letters.
        """
        ...


class DocumentKind(StrEnum):
    """What a kept document is; its key is the id of the thing that it opens."""

    TERMS = "terms"
    RECIPE = "recipe"
    SITE_RECIPE = "siteRecipe"
    CLAIM = "claim"
    PROFILE = "profile"
    ACCREDITATION = "accreditation"
    PART = "part"
    PACKAGE = "package"
    FILES = "files"
    RECIPE_DOCUMENT = "recipeDocument"
    LABEL = "label"
    DEPOSIT = "deposit"
    RELEASE = "release"
    BLOCK = "block"
    RECEIPTS = "receipts"
    CHECKPOINT = "checkpoint"
    INSPECTION = "inspection"
    WITNESS = "witness"
    INVITATION = "invitation"
    RAW_DATA = "rawData"
    VALUES = "values"
    EQUIVALENCE_PLAN = "equivalencePlan"
    EQUIVALENCE_DATA = "equivalenceData"
    DESIGN_PICTURE = "designPicture"
    PUBLISHED_PLAN = "publishedPlan"
    PUBLISHED_RESULT = "publishedResult"
    PUBLISHED_DATA = "publishedData"
    APPROVALS = "approvals"
    ENCRYPTED_FILES = "encryptedFiles"
    MIRRORED = "mirrored"
    DEPENDENCIES = "dependencies"
    LOT = "lot"
    RECALL_REASON = "recallReason"
    ERASURE = "erasure"
    WATCH_SECRET = "watchSecret"  # noqa: S105 - a kind


class Documents(Protocol):
    """Documents that stand behind digests on chain: disclosed by others, or this home's own."""

    def get(self, kind: DocumentKind, key: bytes) -> bytes | None:
        """Return a document's bytes as they were kept."""
        ...


class DocumentWriter(Documents, Protocol):
    """The documents inside one transaction."""

    def put(self, kind: DocumentKind, key: bytes, body: bytes) -> None:
        """Keep a document instead of the one under its key."""
        ...

    def drop(self, kind: DocumentKind, key: bytes) -> None:
        """Keep a document no longer; one that is not there stays away."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One state of everything that a home keeps."""

    facts: Facts
    log: LogReader
    documents: Documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Work(View):
    """One transaction over everything that a home keeps."""

    facts: IndexWriter
    log: LogWriter
    documents: DocumentWriter
    letters: Letters


class NodeStore(Protocol):
    """A home's database.

    Every method raises ``StoreUnavailableError`` where the database does not answer in time.
    """

    def reading(self) -> AbstractContextManager[View]:
        """Return one state, the last commit; it holds up nobody."""
        ...

    def reading_letters(self) -> AbstractContextManager[LetterReader]:
        """Return what was told of recalls, as of the last commit; it holds up nobody."""
        ...

    def writing(self) -> AbstractContextManager[Work]:
        """Return one exclusive transaction; leaving it commits durably, an error undoes it all."""
        ...


class ErasableStore(NodeStore, Protocol):
    """A home's database that lets go of what is erased."""

    def forget_deleted(self) -> None:
        """Write what was erased out of the database, which is written anew: it takes a while."""
        ...


class Requests(Protocol):
    """The names that clients give their requests, so that each stands for one body."""

    def claim(self, name: str, body: bytes) -> None:
        """Note durably that ``name`` stands for ``body``; both are kept as digests, for a day.

        Raises:
            RequestMismatchError: The name stands for another body.
            StoreUnavailableError: The database does not answer in time.
        """
        ...


class Scans(Protocol):
    """How often labels were scanned; who scanned is nowhere.

    Every method raises ``StoreUnavailableError`` where the database does not answer in time.
    """

    def add(self, found: Mapping[tuple[LogNumber, Index], Sequence[Scan]], *, since: int) -> None:
        """Add the scans of some parts, and forget all that were before ``since``."""
        ...

    def history(self, log: LogNumber, index: Index) -> ScanHistory | None:
        """Return what was counted of a part, None where nothing was."""
        ...

    def erase(self, log: LogNumber, index: Index) -> bool:
        """Forget all scans of a part; return whether there were any."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptClaim:
    """A claim of a part: the digest of the claimant's token, and when."""

    claimant: Digest
    time: int


class Claims(Protocol):
    """The first claims that a node took; none is ever changed or forgotten."""

    def kept(self, log: LogNumber, index: Index) -> KeptClaim | None:
        """Return a part's first claim, None where there is none.

        Raises:
            StoreUnavailableError: The database does not answer in time.
        """
        ...

    def first(self, log: LogNumber, index: Index, claim: KeptClaim) -> KeptClaim:
        """Keep a claim durably where it is the part's first; return the first one.

        Raises:
            StoreUnavailableError: The database does not answer in time.
        """
        ...
