"""What a node asks witnesses: to cosign its log's checkpoints, and to vouch for blocks."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import LogNumber
from guildmark.domain.log.checkpoint import Addition, Checkpoint
from guildmark.domain.log.note import Note, NoteKey, NoteKind, NoteSignature
from guildmark.domain.log.witness import BlockNote, ForkError, WitnessBehindError
from guildmark.ports.chain import Block, Ledger
from guildmark.ports.clock import Clock
from guildmark.ports.peers import WitnessPeer
from guildmark.services.log.publishing import Publishing

_logger = logging.getLogger(__name__)

_AWAY_SECONDS = 30
_NOTES_KEPT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A witness that a node asks: how it is reached, and its key."""

    key: NoteKey
    peer: WitnessPeer


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessState:
    """What came of asking one witness.

    Args:
        name: The witness's name.
        size: How many records of the own log it cosigned last, None for none.
        code: Why it did not cosign the newest checkpoint; None where it did.
    """

    name: str
    size: int | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigning:
    """Use cases around cosignatures under the own log's checkpoints."""

    publishing: Publishing
    witnesses: Sequence[Chosen]
    log: LogNumber
    _sizes: dict[str, int] = field(default_factory=dict)

    def round(self) -> Sequence[WitnessState]:
        """Ask every witness for the newest checkpoint; one that refuses stops no other."""
        note = self.publishing.newest(self.log)
        if note is None:
            return [WitnessState(name=one.key.name) for one in self.witnesses]
        return [self._ask(one, note) for one in self.witnesses]

    def _ask(self, witness: Chosen, note: Note) -> WitnessState:
        name, head = witness.key.name, Checkpoint.parse(note.text)
        try:
            signature = self._cosigned(witness, note, head)
        except GuildmarkError as error:
            self._tell(name, error)
            return WitnessState(name=name, size=self._sizes.get(name), code=error.code)
        self._sizes[name] = head.size
        self.publishing.add(self.log, note.text, signature)
        return WitnessState(name=name, size=head.size)

    def _cosigned(self, witness: Chosen, note: Note, head: Checkpoint) -> NoteSignature:
        own = witness.key.of_kind(NoteKind.COSIGNATURE)
        present = [one for one in note.signatures if one.is_of(own)]
        if present:
            return present[0]
        try:
            found = self._add(witness, note, head, self._sizes.get(own.name, 0))
        except WitnessBehindError as behind:
            size = int(str(behind.detail["size"]))
            if size > head.size:
                # It saw more records than this node has: the log, or this database, went back.
                message = f"The witness saw {size} records, this node has {head.size}."
                raise ForkError(message, seen=size, size=head.size) from behind
            found = self._add(witness, note, head, size)
        found.verify(own, note.text)
        return found

    def _add(self, witness: Chosen, note: Note, head: Checkpoint, old: int) -> NoteSignature:
        proof = self.publishing.consistency(self.log, old, head.size) if old else ()
        addition = Addition(old=old, proof=proof, checkpoint=note.encode())
        return witness.peer.cosign(addition, witness.key.of_kind(NoteKind.COSIGNATURE))

    def _tell(self, name: str, error: GuildmarkError) -> None:
        level = logging.CRITICAL if isinstance(error, ForkError) else logging.WARNING
        _logger.log(level, "witness %s: %s: %s", name, error.code, error.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouching:
    """Use cases around witnesses' notes about blocks; fulfils ``BlockNotes``."""

    ledger: Ledger
    clock: Clock
    witnesses: Sequence[Chosen]
    _notes: dict[int, Note] = field(default_factory=dict)
    _away: dict[str, int] = field(default_factory=dict)

    def note(self, block: Block) -> bytes:
        """Return what the witnesses signed about a final block, nothing where none did."""
        said = BlockNote(
            chain_id=self.ledger.pin().chain_id,
            number=block.number,
            hash=block.hash,
            time=block.time,
        )
        text = said.text()
        note = self._notes.get(block.number, Note(text=text, signatures=()))
        note = note.signed(*self._missing(note, block.number))
        if len(self._notes) >= _NOTES_KEPT:
            self._notes.clear()
        self._notes[block.number] = note
        return note.encode() if note.signatures else b""

    def _missing(self, note: Note, number: int) -> Iterator[NoteSignature]:
        now = self.clock.now()
        for witness in self.witnesses:
            signed = any(one.is_of(witness.key) for one in note.signatures)
            if signed or now - self._away.get(witness.key.name, -_AWAY_SECONDS) < _AWAY_SECONDS:
                continue
            try:
                found = witness.peer.note(number, witness.key)
                found.verify(witness.key, note.text)
            except GuildmarkError as error:
                # A bundle goes without; who waits for it does not wait for this one again.
                self._away[witness.key.name] = now
                _logger.warning("witness %s: %s: %s", witness.key.name, error.code, error.message)
            else:
                yield found
