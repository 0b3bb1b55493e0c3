"""The index: what the registries say, projected from the chain's final events."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from guildmark.domain.contracts import ChainClass
from guildmark.domain.errors import NetworkError, UntrustedError
from guildmark.domain.identifiers import LogNumber
from guildmark.ports import Block, BlockUnknownError, Event, Ledger, NodeStore
from guildmark.services.disclosing import note_number, note_profile
from guildmark.services.naming import Naming
from guildmark.services.projection import project, record_of
from guildmark.services.settling import settle

_logger = logging.getLogger(__name__)

_BLOCKS_A_STEP = 1000
_CLAIMED = frozenset({"ClaimMade", "ClaimShown"})
_NAMED = frozenset({"IdentityRegistered", "ProfileChanged"})


class HistoryRewrittenError(UntrustedError):
    """The chain shows another block where a final one was read."""

    code = "chain.historyRewritten"
    hint = "Stop and compare the chain with another node: a final block must never change."


class HistoryLostError(UntrustedError):
    """A local chain is shorter than it was: its keeper lost final blocks."""

    code = "chain.historyLost"
    hint = "Have the chain's keeper restore its folder from a backup, then start again."


class NodeBehindError(NetworkError):
    """The chain's node does not know a final block that was read already."""

    code = "chain.nodeBehind"
    hint = "Wait until the node has caught up, or use another node of the same chain."


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexing:
    """Use cases around the index.

    Args:
        naming: Lets identities be found by their names.
        own_log: The log whose batches this node closes, None for a home that runs none.
    """

    ledger: Ledger
    store: NodeStore
    naming: Naming
    own_log: LogNumber | None = None

    def check(self) -> Block | None:
        """Check that the chain still has the block that was read last, and return it.

        Raises:
            HistoryRewrittenError: It is not the chain's any more.
            HistoryLostError: A local chain ends before it.
            NodeBehindError: The node of another chain does not know it.
        """
        with self.store.reading() as view:
            cursor = view.facts.cursor()
        if cursor is not None:
            self._compare(cursor)
        return cursor

    def follow(self, until: Block | None = None) -> Block:
        """Read all events up to the newest final block and return that block.

        Args:
            until: The final block to read up to, where that is not the newest one.

        Raises:
            HistoryRewrittenError: The block that was read last is not the chain's any more.
            HistoryLostError: A local chain ends before it.
            NodeBehindError: The node of another chain does not know it.
            FactMissingError: An event changes a thing that no event made.
        """
        head = until or self.ledger.head(final=True)
        cursor = self.check()
        while cursor is None or cursor.number < head.number:
            first = 0 if cursor is None else cursor.number + 1
            last = min(first + _BLOCKS_A_STEP - 1, head.number)
            cursor = self._take(first, head if last == head.number else self.ledger.block(last))
        return head

    def rebuild(self) -> Block:
        """Forget all facts, read all events again, and return the newest final block.

        What this home accepted, sent and keeps of documents is no part of the index.

        Raises:
            FactMissingError: An event changes a thing that no event made.
        """
        with self.store.writing() as work:
            work.facts.forget()
        return self.follow()

    def _compare(self, cursor: Block) -> None:
        try:
            present = self.ledger.block(cursor.number)
        except BlockUnknownError as exc:
            message = f"Block {cursor.number} was final, and the chain has no such block now."
            is_local = self.ledger.pin().chain_class is ChainClass.LOCAL
            lost = HistoryLostError if is_local else NodeBehindError
            raise lost(message, block=cursor.number) from exc
        if present.hash != cursor.hash:
            message = f"Block {cursor.number} was final and is another one now."
            raise HistoryRewrittenError(message, block=cursor.number)

    def _take(self, first: int, last: Block) -> Block:
        """Read blocks first..last, unless another process did, and return the cursor."""
        events = self.ledger.events(first, last.number)
        times = self._times(events)
        with self.store.writing() as work:
            cursor = work.facts.cursor()
            if cursor is not None and cursor.number >= first:
                return cursor
            for event in events:
                project(event, times[event.block_number], work.facts)
                if event.name in _CLAIMED:
                    note_number(event.args["claim"], work)
                if event.name == "ProfileChanged":
                    note_profile(event.args["id"], event.args["profile"], work)
                if event.name in _NAMED:
                    self.naming.note(event.args["id"], work)
                if event.name == "RecordAppended" and event.args["log"] == self.own_log:
                    settle(record_of(event), work)
            work.facts.move(last)
        _logger.debug("read %d events up to block %d", len(events), last.number)
        return last

    def _times(self, events: Sequence[Event]) -> Mapping[int, int]:
        numbers: Iterable[int] = (
            number for number, _ in groupby(event.block_number for event in events)
        )
        return {number: self.ledger.block(number).time for number in numbers}
