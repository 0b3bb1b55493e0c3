"""The line: what a node does again and again, each step safe to repeat after a crash."""

from dataclasses import dataclass

from guildmark.domain.errors import GuildmarkError
from guildmark.ports.chain import Block, GenesisMismatchError, Transactions, WrongChainError
from guildmark.services.index.indexing import HistoryLostError, HistoryRewrittenError, Indexing
from guildmark.services.log.anchoring import Anchoring
from guildmark.services.log.publishing import Publishing

OTHER_CHAIN: tuple[type[GuildmarkError], ...] = (
    WrongChainError,
    GenesisMismatchError,
    HistoryRewrittenError,
    HistoryLostError,
)
"""After one of these no step may follow: the chain is not the one that was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """From accepted entries to final records.

    Args:
        anchoring: None for a home that runs no log.
        publishing: None for a home that publishes none.
    """

    transactions: Transactions
    indexing: Indexing
    anchoring: Anchoring | None = None
    publishing: Publishing | None = None

    def step(self) -> Block:
        """Send what is open, read what is final, close and send the next batch.

        Raises:
            GuildmarkError: A step failed; the next call tries it again, unless ``OTHER_CHAIN``
                names it.
        """
        # Nothing is sent to a chain that lost what was final.
        self.indexing.check()
        self.transactions.advance()
        head = self.indexing.follow()
        if self.anchoring is not None:
            self.anchoring.advance()
        if self.publishing is not None:
            self.publishing.advance()
        return head
