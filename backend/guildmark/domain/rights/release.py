"""Key release: what an asker signs, what the releaser signs and logs, and the proof of that."""

from dataclasses import dataclass, field
from typing import Self

from guildmark.domain.builds.dependencies import NO_DEPENDENCIES
from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.builds.in_toto import StatementForm
from guildmark.domain.builds.statement import PAYLOAD_TYPE
from guildmark.domain.encoding import abi, codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.document import Document
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import Limits, parse_object
from guildmark.domain.errors import MalformedError, NotLoggedError
from guildmark.domain.identifiers import (
    BLOCK_MAX,
    UINT40_MAX,
    ZERO32,
    Address,
    Bytes32,
    ChainId,
    DesignId,
    Digest,
    IdentityId,
    LaneNumber,
    LicenseId,
    LogNumber,
    RecipeId,
    SiteRecipeId,
)
from guildmark.domain.log.entry import Entry, EntryKind
from guildmark.domain.log.merkle import verify_inclusion
from guildmark.domain.log.record import Record

REQUEST_PAYLOAD_TYPE = "application/vnd.guildmark.release-request+json"
RECEIPT_PREDICATE_TYPE = "https://guildmark.org/release/v1"
REQUEST_LIMITS = Limits(size=1 << 14, depth=2, values=64)
RELEASED_LIMITS = Limits(size=1 << 18, depth=3, values=2_000)

RECIPIENT_MAX = 2048
"""A hybrid key (ML-KEM-768 and X25519) has 1,216 bytes."""

PROOF_LIMITS = Limits(size=1 << 18, depth=6, values=2_000)

NO_MACHINE = IdentityId(ZERO32)
"""Where the site itself asked, in the name of its controller."""

_KEYS_TAG = b"guildmark/release/v1"
_SUBJECT_TAG = b"guildmark/receipt/v1"
_FORM = StatementForm(
    predicate_type=RECEIPT_PREDICATE_TYPE,
    subject_name="release",
    limits=Limits(size=1 << 14, depth=6, values=64),
)


class ReceiptTypeError(MalformedError):
    """An envelope that holds something else than the receipt of a release."""

    code = "receipt.payloadType"
    hint = "Name the envelope that the releaser's node signed."


class ReceiptElsewhereError(NotLoggedError):
    """A receipt stands in another log than the one that it names."""

    code = "receipt.otherLog"
    hint = "Ask the releaser for the proof again; do not count this receipt."


class RequestMalformedError(MalformedError):
    """A request with a number that nothing has."""

    code = "release.requestMalformed"
    hint = "Let the program make the request again."


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRequest(Document):
    """What a machine or a site signs to get the keys of a design's files.

    Chain and registry bind it to one deployment, the releaser to one log, the block to an hour,
    the nonce to one release.

    Args:
        registry: The license registry.
        releaser: The operator of the node that is asked.
        machine: The machine that asks; 32 zero bytes where the site does.
        recipient: The public key that the answer is sealed to.
        block: A final block that is not older than the releaser allows.
        nonce: 32 random bytes.
    """

    LIMITS = REQUEST_LIMITS

    chain_id: ChainId
    registry: Address
    releaser: IdentityId
    license: LicenseId
    lane: LaneNumber
    recipe: RecipeId
    design: DesignId
    revision: int
    site: IdentityId
    machine: IdentityId = NO_MACHINE
    recipient: bytes
    block: int
    block_hash: Digest
    nonce: Bytes32

    def __post_init__(self) -> None:
        small = (self.lane, self.revision)
        large = (self.chain_id, self.block)
        if not (
            all(0 < number <= UINT40_MAX for number in small)
            and all(0 <= number <= BLOCK_MAX for number in large)
            and len(self.recipient) <= RECIPIENT_MAX
        ):
            message = "A number of the request, or its key, is out of range."
            raise RequestMalformedError(message)

    def keys_context(self) -> bytes:
        """Return the context under which the answer is sealed: it opens for this request alone."""
        digest = sha256(self.encode())
        return _KEYS_TAG + abi.uint(self.chain_id) + self.license + self.site + digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePlace:
    """A node that releases the keys of a package's files.

    Args:
        operator: Its operator, who signs the receipts.
        url: Its address, without a last slash.
    """

    operator: IdentityId
    url: str


def request_id(payload: bytes) -> Digest:
    """Return the id of a request: SHA-256 of its payload, whoever signed and however often."""
    return sha256(payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentKeys:
    """The keys of a design's files, in the manifest's order: nothing that is ever printed."""

    keys: tuple[Bytes32, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseReceipt:
    """What a releaser says about one release; the log of his node holds it.

    Args:
        releaser: Who released: the operator of the log.
        log: The log that the receipt is in.
        maker: The organization of the site.
        machine: The machine that asked; 32 zero bytes where the site did.
        recipient: SHA-256 of the public key that the answer was sealed to.
        request: Id of the request.
        block: The newest block that the releaser looked at.
        at: The time of that block.
        files: How many files' keys were released.
        salt: 32 random bytes that salt the subject.
    """

    releaser: IdentityId
    log: LogNumber
    license: LicenseId
    lane: LaneNumber
    recipe: RecipeId
    design: DesignId
    revision: int
    site: IdentityId
    maker: IdentityId
    machine: IdentityId = NO_MACHINE
    recipient: Digest
    request: Digest
    block: int
    block_hash: Digest
    at: int
    files: int
    salt: Bytes32 = field(repr=False)

    @property
    def subject(self) -> Digest:
        """Return SHA-256("guildmark/receipt/v1" || salt || request)."""
        return sha256(_SUBJECT_TAG + self.salt + self.request)

    def entry(self, envelope: Digest) -> Entry:
        """Return the log entry of the receipt, given its envelope's digest."""
        return Entry(
            kind=EntryKind.RECEIPT,
            subject=self.subject,
            envelope=envelope,
            site_recipe=SiteRecipeId(ZERO32),
            machine=self.machine,
            maker=self.maker,
            dependencies=NO_DEPENDENCIES,
        )

    def encode(self) -> bytes:
        """Return the receipt as an in-toto statement: the payload of its envelope."""
        return _FORM.write(self)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the receipt that a payload holds.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            SubjectMismatchError: The subject is not the salted digest of the request.
        """
        return _FORM.read(cls, data)


def receipt_in(envelope: bytes) -> ReleaseReceipt:
    """Return the receipt in an envelope; its signatures are not looked at.

    Raises:
        MalformedError: The envelope or the receipt does not follow its format.
        ReceiptTypeError: The envelope holds something else.
    """
    opened = Envelope.parse(envelope)
    opened.check_type(PAYLOAD_TYPE, "receipt", ReceiptTypeError)
    return ReleaseReceipt.parse(opened.payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Released(Document):
    """What a releaser answers: the keys, sealed to the asker, and his signed receipt.

    Args:
        request: Id of the request.
        sealed: The content keys, sealed to the recipient that the request names.
        receipt: The receipt's envelope.
    """

    LIMITS = RELEASED_LIMITS

    request: Digest
    sealed: bytes = field(repr=False)
    receipt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptProof:
    """That a receipt stands in its releaser's log.

    Args:
        envelope: The receipt's envelope.
        salt: The salt of its log entry.
        record: The record that holds the entry; its digest is on chain.
        position: The entry's place in the record.
        path: The way from the entry to the record's root.
    """

    envelope: bytes
    salt: Bytes32 = field(repr=False)
    record: Record
    position: int
    path: tuple[Digest, ...]

    def encode(self) -> bytes:
        """Return the proof's canonical bytes."""
        return canonical(codec.dump(self))

    def verify(self) -> ReleaseReceipt:
        """Return the receipt, checked to be the entry at its place of its record.

        Whether the record is on chain is for the caller to see: its digest must be there.

        Raises:
            MalformedError: The envelope holds no receipt.
            NotLoggedError: The entry is not there, or the receipt names another log.
        """
        receipt = receipt_in(self.envelope)
        entry = receipt.entry(envelope_digest(self.envelope))
        verify_inclusion(
            data=entry.leaf_data(self.salt),
            index=self.position,
            count=self.record.count,
            path=self.path,
            root=self.record.root,
        )
        if receipt.log != self.record.log:
            message = f"The receipt is of log {receipt.log}, the record of log {self.record.log}."
            raise ReceiptElsewhereError(message, expected=receipt.log, found=self.record.log)
        return receipt


def read_proof(data: bytes) -> ReceiptProof:
    """Return the proof that a document holds.

    Raises:
        JsonError: The bytes are outside the input profile.
        DocumentError: A member is missing, unknown or of another type.
        MalformedRecordError: Its record cannot be one.
    """
    return codec.load(ReceiptProof, parse_object(data, PROOF_LIMITS))
