"""Telling of recalls: bad news as soon as a block has it, good news when it is final.

What a reorganisation takes away is taken back. Whatever is told is written in the transaction that
notes that it was, so that a crash neither loses nor doubles it.
"""

import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import RecallFact
from guildmark.domain.identifiers import ChainId
from guildmark.domain.letters import (
    Letter,
    LetterId,
    Stage,
    Told,
    WatchId,
    closed_body,
    issued_body,
    letter_id,
    retracted_body,
    said_digest,
)
from guildmark.domain.recall import RecallId
from guildmark.ports.chain import Block, Event, Ledger, Stretch
from guildmark.ports.letters import LetterReader
from guildmark.ports.store import NodeStore, Work
from guildmark.services.index.projection import known, recall_of_event
from guildmark.services.recalls.wishing import fits

_logger = logging.getLogger(__name__)

TOLD_OF = frozenset({"RecallIssued", "RecallClosed"})
_BLOCKS_MOST = 1_000


def tell_final(event: Event, work: Work, chain: ChainId) -> None:
    """Tell of a recall whose event is final, and was projected just now.

    What was told before is not told again, whether the index is read anew or not.
    """
    key, by, number = event.args["key"], event.args["by"], event.args["number"]
    fact = known(work.facts, RecallFact, key, by, number)
    place = Block(number=event.block_number, hash=event.block_hash, time=fact.at)
    if event.name == "RecallClosed":
        _tell_closed(fact, place, work, chain)
    else:
        _tell_issued(fact, place, work, chain, Stage.FINAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Use cases around recalls that no final block holds yet."""

    ledger: Ledger
    store: NodeStore

    def look(self) -> None:
        """Tell of recalls that a block has, and take back those that no block has any more.

        Raises:
            LedgerUnavailableError: The chain cannot be asked.
            LogsIncompleteError: The node's logs contradict its blocks; nothing was told.
        """
        with self.store.reading() as view:
            cursor = view.facts.cursor()
        head = self.ledger.head(final=False)
        if cursor is None or head.number - cursor.number > _BLOCKS_MOST:
            # The index is on its way: what it reads it tells by itself.
            return
        read = self._read(cursor, head)
        if read is None:
            return
        included = self._included(read)
        with self.store.reading_letters() as letters:
            is_known = all(_is_known(fact, block, letters) for fact, block in included.values())
            if is_known and not any(_gone(included, cursor, read, letters)):
                # Nothing is new: the database's writers are left alone.
                return
        with self.store.writing() as work:
            if work.facts.cursor() != cursor:
                # Somebody read on meanwhile: what was seen here is of an older state.
                return
            chain = self.ledger.pin().chain_id
            for fact, block in included.values():
                _tell_issued(fact, block, work, chain, Stage.EARLY)
            for told in tuple(_gone(included, cursor, read, work.letters)):
                _take_back(told, work, chain)

    def _read(self, cursor: Block, head: Block) -> Stretch | None:
        """Return the blocks above the index's, None where they do not follow it."""
        if head.number <= cursor.number:
            return Stretch(parent=cursor.hash, blocks=(), logs=())
        read = self.ledger.stretch(cursor.number + 1, head.number)
        return read if read.parent == cursor.hash else None

    def _included(self, read: Stretch) -> Mapping[RecallId, tuple[RecallFact, Block]]:
        blocks = {block.number: block for block in read.blocks}
        found: dict[RecallId, tuple[RecallFact, Block]] = {}
        for log in read.logs:
            block = blocks[log.block_number]
            event = self.ledger.event(log, block)
            is_ours = event is not None and event.contract is ContractName.RECALLS
            if is_ours and event is not None and event.name == "RecallIssued":
                fact = recall_of_event(event, block.time)
                found[fact.id] = (fact, block)
        return found


def _gone(
    included: Collection[RecallId], cursor: Block, read: Stretch, letters: LetterReader
) -> Iterator[Told]:
    """Yield what was told early, and is in no block any more."""
    hashes = {block.number: block.hash for block in read.blocks}
    for told in letters.early():
        is_final = told.block <= cursor.number
        # A node that is behind does not show that a block is gone.
        is_other = hashes.get(told.block, told.hash) != told.hash
        if told.recall not in included and (is_final or is_other):
            yield told


def _is_known(fact: RecallFact, block: Block, letters: LetterReader) -> bool:
    """Return whether telling of a recall in a block would change nothing."""
    before = letters.told(fact.id)
    if before is None or before.stage is Stage.RETRACTED:
        return False
    said = (before.said, before.block, before.hash)
    return before.stage is not Stage.EARLY or said == (said_digest(fact), block.number, block.hash)


def _tell_issued(fact: RecallFact, block: Block, work: Work, chain: ChainId, stage: Stage) -> None:
    before, said = work.letters.told(fact.id), said_digest(fact)
    if before is not None and before.stage in {Stage.FINAL, Stage.CLOSED}:
        return
    if before is not None and before.stage is Stage.EARLY and before.said != said:
        before = _take_back(before, work, chain)
    is_new = before is None or before.stage is Stage.RETRACTED
    told = Told(
        recall=fact.id,
        stage=stage,
        turn=(0 if before is None else before.turn) + is_new,
        said=said,
        block=block.number,
        hash=block.hash,
    )
    work.letters.keep(told)
    # Once more when it is final: who wanted it can be told by what is final alone.
    body = issued_body(fact, chain, is_final=stage is Stage.FINAL)
    _post(told.letter, fact.id, body, _wanting(fact, fact.at, work), work)


def _tell_closed(fact: RecallFact, block: Block, work: Work, chain: ChainId) -> None:
    before = work.letters.told(fact.id)
    if before is None:
        # It was issued before this home told of recalls.
        before = Told(
            recall=fact.id,
            stage=Stage.FINAL,
            turn=1,
            said=said_digest(fact),
            block=block.number,
            hash=block.hash,
        )
    if before.stage is Stage.CLOSED:
        return
    work.letters.keep(replace(before, stage=Stage.CLOSED))
    letter = letter_id("recall.closed", fact.id, before.turn)
    wanting = {*_wanting(fact, fact.closed_at, work), *work.letters.holders(before.letter)}
    _post(letter, fact.id, closed_body(fact, chain), wanting, work)


def _take_back(told: Told, work: Work, chain: ChainId) -> Told:
    """Tell those who heard of a recall that it is gone."""
    gone = replace(told, stage=Stage.RETRACTED)
    work.letters.keep(gone)
    letter = letter_id("recall.retracted", told.recall, told.turn)
    body, holders = retracted_body(told, chain), work.letters.holders(told.letter)
    _post(letter, told.recall, body, holders, work)
    _logger.warning("the chain took the recall %s away again", told.recall.text())
    return gone


def _wanting(fact: RecallFact, at: int, work: Work) -> Collection[WatchId]:
    watches = [watch for watch in work.letters.watches() if watch.since <= at]
    return [watch.id for watch in watches if fits(watch, fact, work)]


def _post(
    letter: LetterId, recall: RecallId, body: bytes, watches: Collection[WatchId], work: Work
) -> None:
    for watch in sorted(watches):
        work.letters.post(Letter(id=letter, watch=watch, recall=recall.text(), body=body, due=0))
