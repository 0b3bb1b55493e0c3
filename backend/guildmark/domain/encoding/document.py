"""Values that are documents of their own: one canonical form, read within limits."""

from typing import ClassVar, Self

from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.strictjson import Limits, parse_object


class Document:
    """What a frozen dataclass gets that is a document: its bytes, and the way back.

    Attributes:
        LIMITS: How large a document may be, held before it is parsed.
    """

    __slots__ = ()

    LIMITS: ClassVar[Limits]

    def encode(self) -> bytes:
        """Return the document's canonical bytes (RFC 8785)."""
        return canonical(codec.dump(self))

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the value that a document holds.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown, of another type or refused.
        """
        return codec.load(cls, parse_object(data, cls.LIMITS))
