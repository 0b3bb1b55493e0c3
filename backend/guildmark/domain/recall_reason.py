"""Why something is recalled, published on purpose: the text behind a digest on chain."""

import unicodedata
from dataclasses import dataclass
from typing import Self

from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import Fields, read_document
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import Limits
from guildmark.domain.errors import ContentError, MalformedError
from guildmark.domain.identifiers import Digest, to_hex

REASON_TEXT_MAX = 16_000
"""Characters of a published reason."""

REASON_LIMITS = Limits(size=128 << 10, depth=2, values=8)

_PLAIN = "\n\r\t"
# Controls, invisible formats such as those that turn the direction, and what no character is.
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cn", "Cs"})


class ReasonUnreadableError(MalformedError):
    """A reason that is no plain text that people can read, or too long a one."""

    code = "recall.reasonUnreadable"
    hint = f"Publish plain text of at most {REASON_TEXT_MAX} characters; send other files by hand."


class ReasonMismatchError(ContentError):
    """A text is not what a recall's digest commits to."""

    code = "recall.reasonMismatch"
    hint = "Send the very file that the recall was issued, or closed, with."


@dataclass(frozen=True, slots=True)
class RecallReason:
    """A reason that anybody may read.

    Raises:
        ReasonUnreadableError: It is empty, too long, or has characters that nobody sees.
    """

    text: str

    def __post_init__(self) -> None:
        hidden = any(
            unicodedata.category(one) in _HIDDEN and one not in _PLAIN for one in self.text
        )
        if not self.text.strip() or len(self.text) > REASON_TEXT_MAX or hidden:
            message = "The reason is no readable text, or a long one."
            raise ReasonUnreadableError(message, length=len(self.text))

    @classmethod
    def of_file(cls, data: bytes) -> Self:
        """Return what stands in the file that a recall was issued with.

        Raises:
            ReasonUnreadableError: It is no readable text.
        """
        try:
            return cls(data.decode())
        except UnicodeDecodeError as exc:
            message = "The file is no text in UTF-8."
            raise ReasonUnreadableError(message) from exc

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Return a reason from its document.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: The document does not follow its schema.
            ReasonUnreadableError: It is no readable text.
        """
        return read_document(body, cls._read, REASON_LIMITS)

    @classmethod
    def _read(cls, fields: Fields) -> Self:
        return cls(fields.text("reason", most=REASON_TEXT_MAX))

    @property
    def digest(self) -> Digest:
        """Return what a recall commits to: SHA-256 of the text in UTF-8."""
        return sha256(self.text.encode())

    def check(self, digest: bytes) -> None:
        """Check that a digest commits to this text.

        Raises:
            ReasonMismatchError: It does not.
        """
        if self.digest != digest:
            message = f"The text is not the one behind {to_hex(digest)}."
            raise ReasonMismatchError(message)

    def encode(self) -> bytes:
        """Return its document."""
        return canonical({"reason": self.text})
