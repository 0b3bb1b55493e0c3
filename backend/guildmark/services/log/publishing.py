"""The tree of a log's records, published: signed checkpoints, tiles, proofs.

The leaves are the digests of the log's final records, which every node knows from the chain: any
node can serve any log's tiles. A checkpoint is signed by the log's operator.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from guildmark.domain.chain.facts import RecordFact
from guildmark.domain.chain.refusals import RecordUnknownError
from guildmark.domain.errors import NotFoundError
from guildmark.domain.identifiers import Digest, LogNumber
from guildmark.domain.log.checkpoint import (
    Checkpoint,
    LogProof,
    Tile,
    entries,
    open_checkpoint,
    origin_of,
    tiles_of,
)
from guildmark.domain.log.merkle import MerkleTree, ProofMismatchError
from guildmark.domain.log.note import Note, NoteKey, NoteSignature, sign
from guildmark.ports.chain import Ledger
from guildmark.ports.facts import Facts
from guildmark.ports.keys import KeyAlgorithm, KeyName, KeyStore
from guildmark.ports.store import DocumentKind, NodeStore

NOTE_KEY = KeyName("note")
"""The name of the key that signs an operator's checkpoints."""

CHECKPOINT_FILE = "checkpoint"
"""The path of a log's checkpoint below its address."""

_NUMBER_SIZE = 8


class CheckpointMissingError(NotFoundError):
    """No checkpoint of this log is here."""

    code = "checkpoint.missing"
    hint = "Ask the node of the log's operator, or wait until its first record is final."


class TileUnknownError(NotFoundError):
    """The tree of this log does not have this tile (yet)."""

    code = "tile.unknown"
    hint = "Read the checkpoint first: it says how large the tree is."


def make_note_key(keys: KeyStore) -> None:
    """Make the key that signs checkpoints, unless it is there."""
    if NOTE_KEY not in keys.names():
        keys.create(NOTE_KEY, KeyAlgorithm.ED25519)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """Use cases around the trees of logs' records.

    Args:
        own_log: The log whose checkpoints this home signs, None for a home that runs none.
    """

    ledger: Ledger
    store: NodeStore
    keys: KeyStore
    own_log: LogNumber | None = None
    _trees: dict[LogNumber, MerkleTree] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def origin(self, log: LogNumber) -> str:
        """Return the name of a log's checkpoints."""
        return origin_of(self.ledger.pin(), log)

    def key(self, log: LogNumber) -> NoteKey:
        """Return the key that signs the checkpoints of this home's own log.

        Raises:
            CheckpointMissingError: The log is not this home's.
        """
        if log != self.own_log:
            message = f"This node does not sign the checkpoints of log {log}."
            raise CheckpointMissingError(message, log=log)
        return NoteKey(name=self.origin(log), public=self.keys.public_key(NOTE_KEY).value)

    def advance(self) -> Note | None:
        """Sign a checkpoint of the own log where it grew; return the newest one, None for none.

        Only final records count, so that no two checkpoints ever contradict each other.
        """
        if self.own_log is None:
            return None
        size = self.size(self.own_log)
        latest = self._kept(self.own_log)
        if size == 0 or (latest is not None and Checkpoint.parse(latest.text).size >= size):
            return latest
        made = self._signed(self.own_log, size)
        with self.store.writing() as work:
            work.documents.put(DocumentKind.CHECKPOINT, _number(self.own_log), made.encode())
        return made

    def newest(self, log: LogNumber) -> Note | None:
        """Return the newest checkpoint of a log with its signatures, None for none."""
        return self._kept(log)

    def add(self, log: LogNumber, text: str, *signatures: NoteSignature) -> None:
        """Put signatures of witnesses under the checkpoint of a log, unless it moved on."""
        with self.store.writing() as work:
            body = work.documents.get(DocumentKind.CHECKPOINT, _number(log))
            note = None if body is None else Note.parse(body)
            if note is not None and note.text == text:
                signed = note.signed(*signatures).encode()
                work.documents.put(DocumentKind.CHECKPOINT, _number(log), signed)

    def keep(self, log: LogNumber, checkpoint: bytes, key: NoteKey) -> None:
        """Keep the checkpoint of another operator's log, if it is true and no older than ours.

        Raises:
            CheckpointMalformedError: It is none of this log.
            NoteSignatureError: The key did not sign it.
            ProofError: The chain says otherwise.
        """
        signed = Note.parse(checkpoint)
        head = open_checkpoint(signed, origin=self.origin(log), keys=[key])
        with self._tree(log) as tree:
            if head.size > len(tree):
                # This node has not read the newest blocks yet; the next look finds them.
                return
            if tree.root(head.size) != head.root:
                message = f"The checkpoint of log {log} is not what the chain says."
                raise ProofMismatchError(message, log=log, size=head.size)
        known = self._kept(log)
        if known is None or Checkpoint.parse(known.text).size <= head.size:
            with self.store.writing() as work:
                work.documents.put(DocumentKind.CHECKPOINT, _number(log), checkpoint)

    def checkpoint(self, log: LogNumber) -> bytes:
        """Return the newest checkpoint of a log, a signed note.

        Raises:
            CheckpointMissingError: None is here.
        """
        found = self._kept(log)
        if found is None:
            message = f"No checkpoint of log {log} is here."
            raise CheckpointMissingError(message, log=log)
        return found.encode()

    def size(self, log: LogNumber) -> int:
        """Return how many final records a log has."""
        with self._tree(log) as tree:
            return len(tree)

    def tile(self, log: LogNumber, tile: Tile) -> bytes:
        """Return the hashes of a tile.

        Raises:
            TileUnknownError: The tree is smaller.
        """
        with self._tree(log) as tree:
            if not tile.is_in(len(tree)):
                raise _unknown(log, tile.path)
            return tile.of(tree)

    def entries(self, log: LogNumber, tile: Tile) -> bytes:
        """Return the leaves' data below a tile of level 0.

        Raises:
            TileUnknownError: The tree is smaller.
        """
        if not tile.is_in(self.size(log)):
            raise _unknown(log, tile.entries_path)
        seqs = range(tile.first, tile.first + tile.width)
        with self.store.reading() as view:
            return entries([_leaf(view.facts, log, seq) for seq in seqs])

    def prove(self, log: LogNumber, seq: int) -> LogProof:
        """Return the proof that a record stands in the tree of the newest checkpoint.

        Raises:
            CheckpointMissingError: No checkpoint of the log is here.
            RecordUnknownError: The record is not in it.
        """
        checkpoint = self.checkpoint(log)
        size = Checkpoint.parse(Note.parse(checkpoint).text).size
        if not 0 <= seq < size:
            message = f"The checkpoint of log {log} has {size} records, and no record {seq}."
            raise RecordUnknownError(message, log=log, seq=seq)
        with self._tree(log) as tree:
            path = tree.inclusion_path(seq, size)
        return LogProof(index=seq, path=path, checkpoint=checkpoint)

    def consistency(self, log: LogNumber, old: int, new: int) -> tuple[Digest, ...]:
        """Return the proof that a log's first ``old`` records begin its first ``new`` ones.

        Raises:
            RecordUnknownError: Not 1 <= old <= new <= the log's size.
        """
        with self._tree(log) as tree:
            if not 1 <= old <= new <= len(tree):
                message = f"Log {log} has {len(tree)} records: no tree of {old} grew to {new}."
                raise RecordUnknownError(message, log=log, old=old, new=new)
            return tree.consistency_proof(old, new)

    def files(self, log: LogNumber, *, since: int = 0) -> Iterator[tuple[str, bytes]]:
        """Yield path and bytes of all that is published of a log, its checkpoint last.

        Args:
            log: The log.
            since: The size of the tree whose files are there already.

        Raises:
            CheckpointMissingError: No checkpoint of the log is here.
        """
        checkpoint = self.checkpoint(log)
        size = Checkpoint.parse(Note.parse(checkpoint).text).size
        for tile in tiles_of(size, since=since):
            yield tile.path, self.tile(log, tile)
            if tile.level == 0:
                yield tile.entries_path, self.entries(log, tile)
        yield CHECKPOINT_FILE, checkpoint

    def _kept(self, log: LogNumber) -> Note | None:
        with self.store.reading() as view:
            body = view.documents.get(DocumentKind.CHECKPOINT, _number(log))
        return None if body is None else Note.parse(body)

    def _signed(self, log: LogNumber, size: int) -> Note:
        with self._tree(log) as tree:
            root = tree.root(size)
        head = Checkpoint(origin=self.origin(log), size=size, root=root)
        return Note(text=head.text(), signatures=(self._signature(head.text(), self.key(log)),))

    def _signature(self, text: str, key: NoteKey) -> NoteSignature:
        return sign(text, key, lambda data: self.keys.sign_payload(NOTE_KEY, data))

    @contextmanager
    def _tree(self, log: LogNumber) -> Iterator[MerkleTree]:
        """Hold the tree of all records that are final by now; one thread at a time grows it."""
        with self._lock:
            tree = self._trees.get(log, MerkleTree())
            with self.store.reading() as view:
                tree.extend(_leaves(view.facts, log, len(tree)))
            # Logs that nobody opened leave nothing behind.
            if len(tree):
                self._trees[log] = tree
            yield tree


def _leaves(facts: Facts, log: LogNumber, known: int) -> Sequence[bytes]:
    """Return the digests of a log's records from number ``known`` on."""
    if known == 0:
        return [fact.record.digest() for fact in facts.each(RecordFact, log)]
    found: list[bytes] = []
    while (fact := facts.get(RecordFact, log, known + len(found))) is not None:
        found.append(fact.record.digest())
    return found


def _leaf(facts: Facts, log: LogNumber, seq: int) -> bytes:
    fact = facts.get(RecordFact, log, seq)
    if fact is None:
        message = f"Log {log} has no final record {seq}."
        raise RecordUnknownError(message, log=log, seq=seq)
    return fact.record.digest()


def _number(log: LogNumber) -> bytes:
    return log.to_bytes(_NUMBER_SIZE, "big")


def _unknown(log: LogNumber, path: str) -> TileUnknownError:
    message = f"The tree of log {log} has no {path}."
    return TileUnknownError(message, log=log, tile=path)
