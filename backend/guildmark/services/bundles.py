"""Bundles of parts: of this node's own log, of what it kept, of what its peers have."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from guildmark.domain import bundle
from guildmark.domain.dsse import envelope_digest
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.facts import RecordFact, RecordStartFact
from guildmark.domain.hashing import sha256
from guildmark.domain.identifiers import Index, LogNumber, parse_hint
from guildmark.domain.merkle import ProofError, verify_inclusion
from guildmark.domain.verification.evidence import (
    RIVALS_MAX,
    Core,
    Evidence,
    statement_of,
)
from guildmark.ports import DocumentKind, NodeStore, Peer
from guildmark.services.evidence import Exporter, PartUnknownError

_logger = logging.getLogger(__name__)
_PLACE_SIZE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundles:
    """Use cases around evidence for anybody who asks.

    Args:
        own_log: The log that this node runs.
        peers: Other operators' nodes.
    """

    exporter: Exporter
    store: NodeStore
    own_log: LogNumber
    peers: Sequence[Peer] = ()

    def bundle(
        self, log: LogNumber, index: Index, *, block: int | None = None, ask_peers: bool = True
    ) -> bytes:
        """Return the bundle of a part, its chain proofs at ``block`` or at the newest final one.

        Args:
            log: The log.
            index: The entry's index in it.
            block: The block of the proofs.
            ask_peers: Whether peers are asked for what this node does not hold; a node that asks
                another one says no, so that no question goes in circles.

        Raises:
            PartUnknownError: Neither this node nor a peer has the entry.
            RecordTooYoungError: The block is older than the record.
            EvidenceNotFinalError: The block is not final.
            LedgerUnavailableError: The chain cannot be reached.
        """
        found = self._held(log, index)
        if found is None and ask_peers:
            found = self._fetched(log, index)
        if found is None:
            message = f"Neither this node nor a peer knows the entry {log}.{index}."
            raise PartUnknownError(message, log=log, index=index)
        return bundle.write(self.exporter.prove(self._with_rivals(found), block=block))

    def positions(self, label: str) -> Sequence[tuple[LogNumber, Index]]:
        """Return where entries of a label are: those of this node's log, then those it kept."""
        with self.store.reading() as view:
            own = [(build.log, build.index) for build in view.log.labelled(label)]
            kept = view.documents.get(DocumentKind.LABEL, sha256(label.encode()))
        others = [] if kept is None else [parse_hint(line) for line in kept.decode().split()]
        return [
            (log, index) for log, index in own if log is not None and index is not None
        ] + others

    def locate(self, label: str) -> tuple[LogNumber, Index] | None:
        """Return where a label's first known entry is."""
        return next(iter(self.positions(label)), None)

    def _held(self, log: LogNumber, index: Index) -> Evidence | None:
        """Return what this node knows of an entry of its own log, or of one that it kept.

        Raises:
            PartUnknownError: This node's own log has no final entry there.
        """
        if log == self.own_log:
            return self.exporter.gather(log, index)
        return self._kept(log, index)

    def _with_rivals(self, found: Evidence) -> Evidence:
        """Return the evidence with the other entries of its label that this node knows."""
        statement = statement_of(found.core)
        places = () if statement is None else self.positions(statement.label)
        others = (self._held(*place) for place in places if place != found.place)
        return found.beside(other for other in others if other is not None)

    def _kept(self, log: LogNumber, index: Index) -> Evidence | None:
        with self.store.reading() as view:
            body = view.documents.get(DocumentKind.PART, _place(log, index))
        return None if body is None else replace(bundle.read(body), rivals=())

    def _fetched(self, log: LogNumber, index: Index) -> Evidence | None:
        for peer in self.peers:
            try:
                body = peer.bundle(log, index)
                evidence = None if body is None else bundle.read(body)
            except GuildmarkError as error:
                _logger.warning("a peer has no usable bundle of %s.%s: %s", log, index, error)
                continue
            if body is not None and evidence is not None and self._stands(evidence, log, index):
                self._keep(body, evidence.core)
                self._fetch_rivals(evidence)
                return replace(evidence, rivals=())
        return None

    def _fetch_rivals(self, evidence: Evidence) -> None:
        """Keep what peers know of other entries of the same label."""
        statement = statement_of(evidence.core)
        if statement is None:
            return
        for peer in self.peers:
            try:
                for place in list(peer.positions(statement.label))[:RIVALS_MAX]:
                    self._fetch_rival(peer, *place)
            except GuildmarkError as error:
                _logger.warning("a peer has no usable entries of a label: %s", error)

    def _fetch_rival(self, peer: Peer, log: LogNumber, index: Index) -> None:
        if log == self.own_log or self._kept(log, index) is not None:
            return
        body = peer.bundle(log, index)
        if body is not None:
            evidence = bundle.read(body)
            if self._stands(evidence, log, index):
                self._keep(body, evidence.core)

    def _stands(self, evidence: Evidence, log: LogNumber, index: Index) -> bool:
        """Return whether the entry is at that position of a record that this node's index knows.

        All else is for the reader's checks; here only what would take another part's place counts.
        """
        core = evidence.core
        with self.store.reading() as view:
            start = view.facts.floor(RecordStartFact, log, index)
            fact = None if start is None else view.facts.get(RecordFact, log, start.seq)
        if fact is None or core.record != fact.record or core.index != index:
            return False
        return envelope_digest(core.envelope) == core.entry.envelope and _is_in_log(core)

    def _keep(self, body: bytes, core: Core) -> None:
        place, label = _place(core.record.log, core.index), _label(core)
        with self.store.writing() as work:
            work.documents.put(DocumentKind.PART, place, body)
            # Of two entries with one label one stands: (3) says which. The first to be asked for
            # is only the way to a page, which shows the position.
            if label is not None:
                known = (work.documents.get(DocumentKind.LABEL, label) or b"").split()
                hint = f"{core.record.log}.{core.index}".encode()
                hints = b"\n".join(dict.fromkeys([*known, hint]))
                work.documents.put(DocumentKind.LABEL, label, hints)


def _is_in_log(core: Core) -> bool:
    try:
        verify_inclusion(
            data=core.entry.leaf_data(core.salt),
            index=core.position,
            count=core.record.count,
            path=core.path,
            root=core.record.root,
        )
    except ProofError:
        return False
    return True


def _label(core: Core) -> bytes | None:
    """Return the digest of the statement's label, None where it cannot be read."""
    statement = statement_of(core)
    return None if statement is None else sha256(statement.label.encode())


def _place(log: LogNumber, index: Index) -> bytes:
    return log.to_bytes(_PLACE_SIZE, "big") + index.to_bytes(_PLACE_SIZE, "big")
