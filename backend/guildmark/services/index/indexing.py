"""The index: what the registries say, projected from the chain's final events."""

import logging
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from guildmark.domain.chain.contracts import ChainClass
from guildmark.domain.errors import NetworkError, UntrustedError
from guildmark.domain.identifiers import LogNumber
from guildmark.ports.chain import Block, BlockUnknownError, Event, Ledger, RawLog, Stretch
from guildmark.ports.store import NodeStore, Work
from guildmark.services.identity.naming import Naming
from guildmark.services.index.collecting import collecting_seldom
from guildmark.services.index.projection import project, record_of
from guildmark.services.log.settling import settle
from guildmark.services.recalls.telling import TOLD_OF, tell_final
from guildmark.services.recipes.disclosing import note_number, note_profile

_logger = logging.getLogger(__name__)

_BLOCKS_A_STEP = 1000
_BLOCKS_AT_FIRST = 64
_LOGS_A_STEP = 1000
_TRANSACTIONS_A_STEP = 1000
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


def _next_size(size: int, logs: int) -> int:
    """Return how many blocks to ask for after so many, which held so many logs."""
    if logs > _LOGS_A_STEP:
        return max(1, size // 2)
    return size if 2 * logs > _LOGS_A_STEP else min(2 * size, _BLOCKS_A_STEP)


def _say_nothing(_read: int, _last: int) -> None:
    """Go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexing:
    """Use cases around the index.

    Args:
        naming: Lets identities be found by their names.
        own_log: The log whose batches this node closes, None for a home that runs none.
        on_progress: Told, after each step, the block up to which was read, and the last one.
    """

    ledger: Ledger
    store: NodeStore
    naming: Naming
    own_log: LogNumber | None = None
    on_progress: Callable[[int, int], None] = _say_nothing

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
            LogsIncompleteError: The node's logs contradict its blocks; nothing was noted.
            FactMissingError: An event changes a thing that no event made.
        """
        head = until or self.ledger.head(final=True)
        cursor = self.check()
        while cursor is None or cursor.number < head.number:
            cursor = self._read_on(cursor, head)
        return head

    def rebuild(self, first: int = 0) -> Block:
        """Forget all facts, make them anew, and return the newest final block.

        What this home accepted, sent and keeps of documents is no part of the index.

        Args:
            first: The block from which on the chain is read again; what was read of the blocks
                below is taken as it was kept.

        Raises:
            FactMissingError: An event changes a thing that no event made.
        """
        with self.store.writing() as work:
            work.facts.forget()
            work.facts.drop(first)
            kept = work.facts.kept(first)
            for block, logs in kept:
                self._note(block, logs, work)
            if kept:
                work.facts.move(kept[-1][0])
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

    def _read_on(self, cursor: Block | None, head: Block) -> Block | None:
        """Note blocks up to the head, or until another process turns out to be ahead."""
        first = 0 if cursor is None else cursor.number + 1
        with collecting_seldom(), closing(self._stretches(first, head.number)) as stretches:
            for read in stretches:
                cursor = self._take(cursor, read, head)
                self.on_progress(cursor.number, head.number)
                if cursor.number != read.blocks[-1].number:
                    break
        return cursor

    def _stretches(self, first: int, head: int) -> Generator[Stretch, None, None]:
        """Yield the blocks from the first one to the head; while some are noted, the next come."""
        with ThreadPoolExecutor(max_workers=1) as ahead:
            size = min(_BLOCKS_AT_FIRST, _BLOCKS_A_STEP)
            read = self._stretch(first, size, head)
            while (last := read.blocks[-1].number) < head:
                size = _next_size(len(read.blocks), len(read.logs))
                coming = ahead.submit(self._stretch, last + 1, size, head)
                yield read
                read = coming.result()
            yield read

    def _stretch(self, first: int, size: int, head: int) -> Stretch:
        """Ask for so many blocks, or for fewer where they are crowded."""
        last = min(first + size - 1, head)
        return self.ledger.stretch(first, last, enough=_TRANSACTIONS_A_STEP)

    def _take(self, cursor: Block | None, read: Stretch, head: Block) -> Block:
        """Note what was read, unless another process did, and return the cursor."""
        last = read.blocks[-1]
        self._compare_ends(cursor, read, head)
        numbers = {log.block_number for log in read.logs} | {last.number}
        blocks = [block for block in read.blocks if block.number in numbers]
        with self.store.writing() as work:
            present = work.facts.cursor()
            if present is not None and present.number >= read.blocks[0].number:
                return present
            work.facts.keep(blocks, read.logs)
            logs = defaultdict[int, list[RawLog]](list)
            for log in read.logs:
                logs[log.block_number].append(log)
            for block in blocks:
                self._note(block, logs[block.number], work)
            work.facts.move(last)
        _logger.debug("read %d logs up to block %d", len(read.logs), last.number)
        return last

    def _compare_ends(self, cursor: Block | None, read: Stretch, head: Block) -> None:
        """Check that what was read follows what was read before, and leads to the head."""
        first, last = read.blocks[0], read.blocks[-1]
        is_child = cursor is None or read.parent == cursor.hash
        if not is_child or (last.number == head.number and last.hash != head.hash):
            message = f"Blocks {first.number} to {last.number} are not of the chain that was final."
            raise HistoryRewrittenError(message, block=first.number)

    def _note(self, block: Block, logs: Sequence[RawLog], work: Work) -> None:
        for log in logs:
            event = self.ledger.event(log, block)
            if event is not None:
                self._project(event, block.time, work)

    def _project(self, event: Event, time: int, work: Work) -> None:
        project(event, time, work.facts)
        if event.name in _CLAIMED:
            note_number(event.args["claim"], work)
        if event.name == "ProfileChanged":
            note_profile(event.args["id"], event.args["profile"], work)
        if event.name in _NAMED:
            self.naming.note(event.args["id"], work)
        if event.name in TOLD_OF:
            tell_final(event, work, self.ledger.pin().chain_id)
        if event.name == "RecordAppended" and event.args["log"] == self.own_log:
            settle(record_of(event), work)
