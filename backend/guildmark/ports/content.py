"""Files by their addresses: stores, uploads, and the vault over them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from io import BufferedIOBase
from typing import Protocol

from guildmark.domain.errors import (
    ConflictError,
    ContentError,
    NetworkError,
    NotFoundError,
)
from guildmark.domain.identifiers import (
    Cid,
    Digest,
)


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


class ContentMissingError(NotFoundError):
    """A block of the content is not in the store."""

    code = "content.missing"
    hint = "Fetch the content from a node that has it."


class ContentMismatchError(ContentError):
    """Bytes are not what their address promises."""

    code = "content.hashMismatch"


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
