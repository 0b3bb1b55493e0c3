"""A mirror: this node keeps what another one would take along if it went away.

Of each mirrored log it keeps the signed checkpoint, the evidence of every entry that the other
node shows, and the encrypted lists of the files that were built; where it has room for them, the
encrypted files as well. The tree's tiles and the chain's proofs it makes itself, from the chain.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from guildmark.domain.chain.facts import LogFact, RevisionFact
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Index, LogNumber
from guildmark.domain.log.note import NoteKey
from guildmark.domain.verification.evidence import Evidence, statement_of
from guildmark.ports.peers import MirrorPeer
from guildmark.ports.store import NodeStore
from guildmark.services.evidence.bundles import Bundles
from guildmark.services.log.publishing import Publishing
from guildmark.services.neighbours.contents import NO_FILES, FilesState, MirroredContents

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirrored:
    """A log that is mirrored, the key of its checkpoints, and the node that has it.

    Args:
        log: The log.
        key: The key of its checkpoints.
        peer: The node that has it.
        room: How many bytes of encrypted files are kept at most; 0: none.
    """

    log: LogNumber
    key: NoteKey
    peer: MirrorPeer
    room: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorState:
    """How far the mirror of one log is.

    Args:
        entries: How many entries the log has, as the chain says.
        kept: Of how many this node keeps the evidence.
        absent: How many the other node does not show: receipts, and what was erased.
        code: Why the last look at the other node ended early; None where it did not.
        files: How far its encrypted files are kept.
    """

    log: LogNumber
    entries: int
    kept: int
    absent: int = 0
    code: str | None = None
    files: FilesState = NO_FILES


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirroring:
    """Use cases around mirrors of other nodes' logs."""

    bundles: Bundles
    publishing: Publishing
    store: NodeStore
    contents: MirroredContents
    mirrored: Sequence[Mirrored]
    _absent: set[tuple[LogNumber, int]] = field(default_factory=set)

    def round(self) -> Sequence[MirrorState]:
        """Bring every mirror up to date as far as its node answers; repeating is safe."""
        return [self._round(one) for one in self.mirrored]

    def status(self) -> Sequence[MirrorState]:
        """Return how far each mirror is; nobody is asked."""
        return [self._state(one) for one in self.mirrored]

    def _round(self, mirrored: Mirrored) -> MirrorState:
        code = None
        try:
            note = mirrored.peer.log_checkpoint(mirrored.log)
            self.publishing.keep(mirrored.log, note, mirrored.key)
            for index in range(self._size(mirrored.log)):
                self._entry(mirrored, Index(index))
            if mirrored.room:
                code = self.contents.round(mirrored.log, mirrored.peer, room=mirrored.room)
        except GuildmarkError as error:
            _logger.warning("mirror of log %d: %s: %s", mirrored.log, error.code, error.message)
            code = error.code
        return self._state(mirrored, code=code)

    def _entry(self, mirrored: Mirrored, index: Index) -> None:
        place = (mirrored.log, index)
        if place in self._absent or self.bundles.keeps(*place):
            return
        found = self.bundles.fetch(*place, peer=mirrored.peer)
        if found is None:
            self._absent.add(place)
        else:
            self._files(mirrored.peer, found)

    def _files(self, peer: MirrorPeer, found: Evidence) -> None:
        """Keep the encrypted list of the files that a part was built from."""
        statement = statement_of(found.core)
        if statement is None:
            return
        external = statement.external
        with self.store.reading() as view:
            fact = view.facts.get(RevisionFact, external.design, external.revision)
        if fact is not None:
            self.contents.bring_manifest(peer, fact)

    def _state(self, mirrored: Mirrored, *, code: str | None = None) -> MirrorState:
        log = mirrored.log
        files = self.contents.state(log) if mirrored.room else NO_FILES
        size = self._size(log)
        kept = sum(self.bundles.keeps(log, Index(index)) for index in range(size))
        absent = sum(place[0] == log for place in self._absent)
        return MirrorState(log=log, entries=size, kept=kept, absent=absent, code=code, files=files)

    def _size(self, log: LogNumber) -> int:
        with self.store.reading() as view:
            fact = view.facts.get(LogFact, log)
        return 0 if fact is None else fact.size
