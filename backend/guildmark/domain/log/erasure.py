"""Erasure: what somebody who may do it signs so that the content of an entry goes.

The order is kept in the content's place: which entry, by whom, when and why, by a code. It holds
nothing of what was erased.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.encoding.document import Document
from guildmark.domain.encoding.strictjson import Limits
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import ChainId, IdentityId, Index, LogNumber

ERASURE_PAYLOAD_TYPE = "application/vnd.guildmark.erasure+json"
ERASURE_LIMITS = Limits(size=1 << 12, depth=2, values=16)


class MalformedErasureError(MalformedError):
    """An envelope that holds something else than an order to erase."""

    code = "erasure.malformed"
    hint = "Name what `guildmark erase order` wrote."


class ErasureReason(StrEnum):
    """Why an entry's content goes."""

    REQUEST = "request"
    """Whom it is about asked for it (GDPR, Article 17)."""
    UNLAWFUL = "unlawful"
    """It should never have been recorded."""
    RETENTION = "retention"
    """It was to be kept for a time, which is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureOrder(Document):
    """An order to erase one entry's content.

    Args:
        index: The entry's index in the log.
        by: The identity that orders it.
        at: When it was signed, by the signer's clock.
    """

    LIMITS = ERASURE_LIMITS

    chain_id: ChainId
    log: LogNumber
    index: Index
    by: IdentityId
    at: int
    why: ErasureReason

    @classmethod
    def signed(cls, body: bytes) -> Self:
        """Return the order in an envelope, whoever signed it.

        Raises:
            MalformedEnvelopeError: The bytes are no envelope.
            MalformedErasureError: It holds another payload.
            JsonError: The payload is outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
        """
        envelope = Envelope.parse(body)
        envelope.check_type(ERASURE_PAYLOAD_TYPE, "order to erase", MalformedErasureError)
        return cls.parse(envelope.payload)


def entry_key(log: LogNumber, index: Index) -> bytes:
    """Return the key under which what concerns an entry is kept: 8 bytes each, big-endian."""
    return log.to_bytes(8, "big") + index.to_bytes(8, "big")
