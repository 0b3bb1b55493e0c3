"""Whether a home's index and log are what the chain says: the first difference is named."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from guildmark.domain.builds.dsse import envelope_digest
from guildmark.domain.chain.facts import KINDS, Fact, Key, NameFact, NumberFact, RecordFact
from guildmark.domain.errors import GuildmarkError, NotLoggedError, UntrustedError
from guildmark.domain.identifiers import LogNumber, to_hex
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.log.queue import Logged
from guildmark.domain.log.record import Record
from guildmark.ports.chain import Block, Ledger
from guildmark.ports.facts import Facts
from guildmark.ports.log import LogReader
from guildmark.ports.store import Documents, NodeStore, View
from guildmark.services.identity.naming import Naming
from guildmark.services.index.indexing import HistoryLostError, HistoryRewrittenError, Indexing
from guildmark.services.index.projection import FactMissingError
from guildmark.services.log.erased import erasure_of

# They follow from documents that this home holds, and an older document may have been replaced.
_BY_DOCUMENTS = frozenset({NameFact, NumberFact})
_OTHER = (HistoryRewrittenError, HistoryLostError, FactMissingError)


class FactDiffersError(UntrustedError):
    """The index holds another fact than the chain's events give."""

    code = "fsck.factDiffers"
    hint = "Stop the node and run `guildmark index rebuild`; then look for what changed the file."


class RecordMissingError(NotLoggedError):
    """The log holds a final batch whose record is not on chain."""

    code = "fsck.recordMissing"
    hint = "Stop the node; compare the chain with another node, then restore a backup."


class RecordForeignError(NotLoggedError):
    """The chain holds a record of this log whose entries this home does not have."""

    code = "fsck.recordForeign"
    hint = (
        "Restore a newer backup; where nobody else may write this log, give it another writer with "
        "`guildmark log writer`."
    )


class LeafMissingError(NotLoggedError):
    """An entry of a record is not in this home's log."""

    code = "fsck.leafMissing"
    hint = "Stop the node and restore the home from a backup."


class LeafChangedError(NotLoggedError):
    """An entry of this home's log is not the one that the record commits to."""

    code = "fsck.leafChanged"
    hint = "Stop the node and restore the home from a backup."


class ErasureMissingError(NotLoggedError):
    """An entry's content is gone, and no signed order says by whom and why."""

    code = "fsck.erasureMissing"
    hint = "Stop the node and restore the home from a backup; erase the entry again by its order."


class PlaceDiffersError(NotLoggedError):
    """An entry has another index or unit here than its record gives it."""

    code = "fsck.placeDiffers"
    hint = "Stop the node and restore the home from a backup."


@dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    """The comparison of a home with its chain; it changes neither.

    Args:
        scratch: Makes an empty store that shows the given documents.
        own_log: The log that this home writes, None where it writes none.
    """

    ledger: Ledger
    store: NodeStore
    scratch: Callable[[Documents], NodeStore]
    naming: Naming
    own_log: LogNumber | None = None

    def differences(self) -> Iterator[GuildmarkError]:
        """Yield what differs, one state of the home against the chain at the block it read last.

        Raises:
            LedgerUnavailableError: The node cannot be reached in time.
            NodeBehindError: The node does not know the block that was read last.
        """
        with self.store.reading() as view:
            cursor = view.facts.cursor()
            if cursor is None:
                return
            fresh = self.scratch(view.documents)
            try:
                self._read(fresh, cursor)
            except _OTHER as error:
                yield error
                return
            with fresh.reading() as told:
                yield from self._compared(view, told.facts)

    def _read(self, fresh: NodeStore, cursor: Block) -> None:
        kept = Indexing(ledger=self.ledger, store=self.store, naming=self.naming)
        kept.check()
        replace(kept, store=fresh).follow(cursor)

    def _compared(self, view: View, told: Facts) -> Iterator[GuildmarkError]:
        yield from _facts(view.facts, told)
        if self.own_log is not None:
            yield from _log(view, told, self.own_log)


def _facts(kept: Facts, told: Facts) -> Iterator[FactDiffersError]:
    for kind in (kind for kind in KINDS if kind not in _BY_DOCUMENTS):
        ours = {fact.key: fact for fact in kept.each(kind)}
        theirs = {fact.key: fact for fact in told.each(kind)}
        for key in [*theirs, *(key for key in ours if key not in theirs)]:
            if ours.get(key) != theirs.get(key):
                yield _differing(kind, key, is_here=key in ours, is_told=key in theirs)


def _differing(kind: type[Fact], key: Key, *, is_here: bool, is_told: bool) -> FactDiffersError:
    shown = ", ".join(to_hex(part) if isinstance(part, bytes) else str(part) for part in key)
    how = {
        (True, True): "is another one than follows from the chain",
        (True, False): "stands here, and nothing on chain says it",
        (False, True): "follows from the chain and is not here",
    }[is_here, is_told]
    message = f"The fact {kind.__name__} ({shown}) {how}."
    return FactDiffersError(message, kind=kind.__name__, key=shown)


def _log(view: View, told: Facts, number: LogNumber) -> Iterator[NotLoggedError]:
    log = view.log
    records = {fact.record.seq: fact.record for fact in told.each(RecordFact, number)}
    for seq in log.settled(number):
        if seq not in records:
            message = f"Batch {seq} of log {number} is final here and not on chain."
            yield RecordMissingError(message, log=number, seq=seq)
    for record in records.values():
        yield from _record(record, view)


def _record(record: Record, view: View) -> Iterator[NotLoggedError]:
    entries = view.log.entries(record.log, record.seq)
    erased = view.log.erased(record.log, record.seq)
    place = f"record {record.seq} of log {record.log}"
    if not (entries or erased):
        message = f"The chain has {place}, whose entries are not here."
        yield RecordForeignError(message, log=record.log, seq=record.seq)
        return
    missing = sorted(set(range(record.count)) - {*erased, *(entry.position for entry in entries)})
    if missing:
        index = record.index_of(missing[0])
        message = f"Entry {index}, position {missing[0]} in {place}, is not here."
        yield LeafMissingError(message, log=record.log, seq=record.seq, index=index)
        return
    yield from _leaves(record, place, entries, view.log)
    yield from _places(record, place, entries)
    yield from _orders(record, erased, view.documents)


def _leaves(
    record: Record, place: str, entries: Sequence[Logged], log: LogReader
) -> Iterator[NotLoggedError]:
    for entry in entries:
        if envelope_digest(entry.queued.envelope) != entry.queued.digest:
            index = record.index_of(entry.position)
            message = f"The envelope of entry {index}, in {place}, was changed here."
            yield LeafChangedError(message, log=record.log, seq=record.seq, index=index)
    leaves = list(log.leaves(record.log, record.seq))
    for entry in entries:
        leaves[entry.position] = entry.queued.entry.leaf_data(entry.queued.salt)
    if MerkleTree(leaves).root() != record.root:
        message = f"The entries here do not give the root of {place}."
        yield LeafChangedError(message, log=record.log, seq=record.seq)


def _orders(
    record: Record, erased: Sequence[int], documents: Documents
) -> Iterator[NotLoggedError]:
    for position in erased:
        index = record.index_of(position)
        if erasure_of(documents, record.log, index) is None:
            message = f"Entry {index} was erased, and nobody's order to do so is here."
            yield ErasureMissingError(message, log=record.log, seq=record.seq, index=index)


def _places(record: Record, place: str, entries: Sequence[Logged]) -> Iterator[NotLoggedError]:
    for entry in entries:
        index, granted = record.index_of(entry.position), record.unit_at(entry.position)
        unit = None if granted is None else granted.unit
        if (entry.build.index, entry.build.unit) != (index, unit):
            message = f"Entry {index}, in {place}, has another index or unit here."
            yield PlaceDiffersError(message, log=record.log, seq=record.seq, index=index)
