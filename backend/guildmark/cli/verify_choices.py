"""What a reader chooses for one verdict: its time, and by whose word the parties are named."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from guildmark.domain.errors import UsageError
from guildmark.domain.identifiers import IdentityId
from guildmark.domain.trust import Listed, Trust

if TYPE_CHECKING:
    from guildmark.adapters.evidence_http import Chain


class IssuerWithoutTrustError(UsageError):
    """An issuer was named without a trust file."""

    code = "verify.issuerWithoutTrust"
    hint = "Name the trust file that pins his chain: --trust FILE."


class BlockNotNamedError(UsageError):
    """A time for which nobody knows a block, or two blocks at once."""

    code = "verify.blockNotNamed"
    hint = "Name your own node of the chain with --rpc, or give --at BLOCK instead."


def with_issuers(trusted: Trust | None, issuers: Sequence[IdentityId]) -> Trust | None:
    """Return the trust with other issuers, where some are named.

    Raises:
        IssuerWithoutTrustError: There is no trust that they could be of.
    """
    if not issuers:
        return trusted
    if trusted is None:
        message = "An issuer is named, and no trust file says on which chain he is."
        raise IssuerWithoutTrustError(message)
    return replace(trusted, issuers=tuple(Listed(id=one) for one in dict.fromkeys(issuers)))


def block_by(time: int, at: int | None, trusted: Trust | None, own: "Chain | None") -> int:
    """Return the newest block by a time, of the reader's own node or else of his list.

    Raises:
        BlockNotNamedError: Nobody knows one, or another block is named as well.
        NetworkError: The node could not be reached.
    """
    if at is not None:
        message = "--at names one block, --as-of another one."
        raise BlockNotNamedError(message)
    blocks = () if trusted is None else trusted.blocks
    known = [one.number for one in blocks if one.time <= time]
    found = max(known, default=None) if own is None else own.block_by(time)
    if found is None:
        message = f"No block by {time} is known."
        raise BlockNotNamedError(message, time=time)
    return found
