"""A node as an auditor asks it: for what it holds itself, chosen by the auditor's own list."""

from dataclasses import dataclass
from http import HTTPStatus

from guildmark.adapters.peers.client import NodeClient, PeerRefusedError
from guildmark.domain.identifiers import Cid, Index, LogNumber
from guildmark.domain.verification.choice import ANYBODY, Choice
from guildmark_ipfs.cid import Cid as Address
from guildmark_ipfs.errors import ContentError
from guildmark_ipfs.memory import AddressOnly
from guildmark_ipfs.unixfs import Builder

HELD_MAX = 65 << 20
"""Bytes of a file that is asked for: no encrypted chunk is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceNode:
    """Fulfils ``EvidenceSource``.

    Args:
        choice: Whom the auditor lists.
    """

    client: NodeClient
    choice: Choice = ANYBODY

    def bundle(self, log: LogNumber, index: Index) -> bytes | None:
        """Return the bundle of a part, None where the node shows none.

        Raises:
            PeerUnavailableError: It does not answer.
            PeerRefusedError: It refuses to.
        """
        return self.client.bundle(log, index, choice=self.choice)

    def log_checkpoint(self, log: LogNumber) -> bytes | None:
        """Return the newest checkpoint of a log, None where the node has none.

        Raises:
            PeerUnavailableError: It does not answer.
            PeerRefusedError: It refuses to.
        """
        try:
            return self.client.log_checkpoint(log)
        except PeerRefusedError as error:
            if error.detail.get("status") == HTTPStatus.NOT_FOUND:
                return None
            raise

    def holds(self, cid: Cid) -> bool:
        """Return whether the node sends the bytes of an address, which are hashed as they come.

        Raises:
            PeerUnavailableError: It does not answer.
            PeerRefusedError: It refuses to.
        """
        builder = Builder(AddressOnly(), limit=HELD_MAX)
        try:
            address = Address.parse(cid)
            for piece in self.client.get_content(Cid(str(address))):
                builder.write(piece)
            return builder.finish().cid == address
        except ContentError:
            # No address, or more than a chunk has.
            return False
        except PeerRefusedError as error:
            if error.detail.get("status") == HTTPStatus.NOT_FOUND:
                return False
            raise
