"""A node as an auditor asks it: for what it holds itself, chosen by the auditor's own list."""

from dataclasses import dataclass
from http import HTTPStatus

from guildmark.adapters.peers.client import NodeClient, PeerRefusedError
from guildmark.domain.identifiers import Index, LogNumber
from guildmark.domain.verification.choice import ANYBODY, Choice


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
