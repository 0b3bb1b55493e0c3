"""Bundles of parts: of this node's own log, of what it kept, of what its peers have."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from guildmark.domain import bundle
from guildmark.domain.dsse import Envelope, envelope_digest
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.facts import RecordFact, RecordStartFact
from guildmark.domain.hashing import sha256
from guildmark.domain.identifiers import Index, LogNumber, parse_hint
from guildmark.domain.merkle import ProofError, verify_inclusion
from guildmark.domain.statement import BuildStatement
from guildmark.domain.verification.evidence import Core, Evidence
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
            RecordTooYoungError: The block is older than the record, or not final.
            LedgerUnavailableError: The chain cannot be reached.
        """
        if log == self.own_log:
            return bundle.write(self.exporter.evidence(log, index, block=block))
        kept = self._kept(log, index)
        if kept is None and ask_peers:
            kept = self._fetched(log, index)
        if kept is None:
            message = f"Neither this node nor a peer knows the entry {log}.{index}."
            raise PartUnknownError(message, log=log, index=index)
        return bundle.write(self.exporter.prove(kept, block=block))

    def locate(self, label: str) -> tuple[LogNumber, Index] | None:
        """Return where a label's entry is, in this node's log or among what it kept."""
        with self.store.reading() as view:
            for build in view.log.labelled(label):
                if build.log is not None and build.index is not None:
                    return build.log, build.index
            kept = view.documents.get(DocumentKind.LABEL, sha256(label.encode()))
        return None if kept is None else parse_hint(kept.decode())

    def _kept(self, log: LogNumber, index: Index) -> Evidence | None:
        with self.store.reading() as view:
            body = view.documents.get(DocumentKind.PART, _place(log, index))
        return None if body is None else bundle.read(body)

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
                return evidence
        return None

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
            # Of two entries with one label the earlier record stands; the first to be asked for
            # is only the way to a page, which shows the position.
            if label is not None and work.documents.get(DocumentKind.LABEL, label) is None:
                hint = f"{core.record.log}.{core.index}".encode()
                work.documents.put(DocumentKind.LABEL, label, hint)


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
    try:
        return sha256(BuildStatement.parse(Envelope.parse(core.envelope).payload).label.encode())
    except GuildmarkError:
        return None


def _place(log: LogNumber, index: Index) -> bytes:
    return log.to_bytes(_PLACE_SIZE, "big") + index.to_bytes(_PLACE_SIZE, "big")
