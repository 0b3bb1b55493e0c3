"""The tree of errors of content addressing: each has a code, a sentence and a next step.

ContentError
├── BadCidError           content.badCid, text or bytes are no identifier that is accepted here
├── MalformedError        content.malformed, bytes do not follow their format
├── UnsafeNameError       content.unsafeName, a name that must not reach the disk
├── TooLargeError         content.tooLarge, more bytes than the limit
├── NotFoundError         content.notFound, the store does not hold it
├── UnavailableError      content.unavailable, the store could not be asked
├── RefusedError          content.refused, the service does not do what it was asked
├── NotReplicatedError    content.notReplicated, too few stores gave the file back
├── WrongOffsetError      content.wrongOffset, an upload stands elsewhere
├── BusyError             content.busy, something else is at work there
├── HashMismatchError     content.hashMismatch, a source sent other bytes than were asked for
├── BlockCorruptError     content.blockCorrupt, the own disk holds other bytes than were written
├── StoreFullError        content.storeFull, nothing more can be written
├── StoreFailedError      content.storeFailed, the disk refuses
├── TruncatedError        content.truncated, the end is missing
├── TamperedError         content.tampered, encrypted bytes were changed
├── WrongKeyError         content.wrongKey, the key does not open it
└── BadKeyError           content.badKey, bytes are no usable key
"""

from collections.abc import Mapping
from typing import ClassVar


class ContentError(Exception):
    """The base of every error that this library raises on purpose.

    Args:
        message: One sentence: what failed, what was expected, what was found.
        next_step: What to do next, where the class does not already name it.
        detail: The offending values, ready for JSON. Never a key.
    """

    code: ClassVar[str] = "content.failure"
    hint: ClassVar[str] = "Report the error with the file's CID."

    def __init__(self, message: str, /, *, next_step: str | None = None, **detail: object) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step or self.hint
        self.detail: Mapping[str, object] = detail


class BadCidError(ContentError):
    """Text or bytes are no content identifier, or one of a kind that is refused."""

    code = "content.badCid"
    hint = "Give a CIDv1 in base32 with codec raw or dag-pb and hash sha2-256."


class MalformedError(ContentError):
    """Bytes do not follow the format that they claim."""

    code = "content.malformed"
    hint = "Make the file again under the profile unixfs-v1-2025, or fetch it from its owner."


class UnsafeNameError(ContentError):
    """A file name came from outside and must not reach the disk."""

    code = "content.unsafeName"
    hint = "Rename the file: no folders, control characters, or names that systems reserve."


class TooLargeError(ContentError):
    """There are more bytes than the limit allows."""

    code = "content.tooLarge"
    hint = "Split the content, or raise the limit if you expected this size."


class NotFoundError(ContentError):
    """The store does not hold the block."""

    code = "content.notFound"
    hint = "Fetch the content from another store that keeps it."


class UnavailableError(ContentError):
    """The store could not be asked, so nothing is known about the content."""

    code = "content.unavailable"
    hint = "Check that the store's address answers, then try again."


class RefusedError(ContentError):
    """The service does not do what it was asked: token, credit or request are not right."""

    code = "content.refused"
    hint = "Check the account's token and credit at the service."


class NotReplicatedError(ContentError):
    """Fewer stores than wanted gave a file back, so it does not count as stored."""

    code = "content.notReplicated"
    hint = "Check the stores that are named, then put the file again; nothing was lost."


class WrongOffsetError(ContentError):
    """A part of an upload does not follow what is stored of it."""

    code = "content.wrongOffset"
    hint = "Ask how far the upload is, then send what follows."


class BusyError(ContentError):
    """Something else is at work there, or too much."""

    code = "content.busy"
    hint = "Wait a moment, then try again."


class HashMismatchError(ContentError):
    """A source sent other bytes than the identifier promises."""

    code = "content.hashMismatch"
    hint = "Fetch the content again from another source."


class BlockCorruptError(ContentError):
    """A stored block is no longer what was written."""

    code = "content.blockCorrupt"
    hint = "Put the file again or copy the block from another store, then check the disk."


class StoreFullError(ContentError):
    """The store cannot take more bytes: disk full, quota used up, or read-only."""

    code = "content.storeFull"
    hint = "Free space or make the folder writable, then try again; nothing was half-written."


class StoreFailedError(ContentError):
    """The disk or the folder refuses to read or write."""

    code = "content.storeFailed"
    hint = "Check the folder's permissions and the disk."


class TruncatedError(ContentError):
    """The content ends too early."""

    code = "content.truncated"
    hint = "Fetch the file again, whole; discard what was written so far."


class TamperedError(ContentError):
    """Encrypted content was changed after it was made."""

    code = "content.tampered"
    hint = "Fetch the file again from another source; discard what was written so far."


class WrongKeyError(ContentError):
    """The key does not open this content, or not in this context."""

    code = "content.wrongKey"
    hint = "Use the key that was made for this file, license and recipient."


class BadKeyError(ContentError):
    """Bytes are no usable key."""

    code = "content.badKey"
    hint = "Ask the owner for the key again."
