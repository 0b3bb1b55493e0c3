"""Bundles of parts: of this node's own log, of what it kept, of what its peers have."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from guildmark.domain import bundle
from guildmark.domain.chain.ethproof.header import decode_header
from guildmark.domain.chain.facts import RecordFact, RecordStartFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Index, LogNumber, parse_hint
from guildmark.domain.log.erasure import entry_key
from guildmark.domain.verification.case import Brought, Unsearched
from guildmark.domain.verification.choice import ANYBODY, Choice
from guildmark.domain.verification.evidence import ENTRIES_MAX, Core, Evidence, statement_of
from guildmark.domain.verification.report import Lack
from guildmark.domain.verification.standing import stands
from guildmark.ports.peers import Peer
from guildmark.ports.store import DocumentKind, NodeStore
from guildmark.services.evidence.evidence import Exporter, PartUnknownError
from guildmark.services.log.erased import erasure_of, refuse_erased

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """A part's bundle, and what this node knows beside it.

    Args:
        bundle: The bundle.
        beside: Other entries of the label that the bundle has no room for, and where not all
            could be looked at.
    """

    bundle: bytes
    beside: tuple[Brought | Unsearched, ...] = ()


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
        self,
        log: LogNumber,
        index: Index,
        *,
        block: int | None = None,
        ask_peers: bool = True,
        choice: Choice = ANYBODY,
    ) -> bytes:
        """Return the bundle of a part, its chain proofs at ``block`` or at the newest final one.

        Args:
            log: The log.
            index: The entry's index in it.
            block: The block of the proofs.
            ask_peers: Whether peers are asked for what this node does not hold; a node that asks
                another one says no, so that no question goes in circles.
            choice: Whom the asker lists: they go before others where not all can be shown.

        Raises:
            PartUnknownError: Neither this node nor a peer has the entry.
            PartErasedError: Its content was erased.
            RecordTooYoungError: The block is older than the record.
            EvidenceNotFinalError: The block is not final.
            LedgerUnavailableError: The chain cannot be reached.
        """
        return self.gathered(log, index, block=block, ask_peers=ask_peers, choice=choice).bundle

    def gathered(
        self,
        log: LogNumber,
        index: Index,
        *,
        block: int | None = None,
        ask_peers: bool = True,
        choice: Choice = ANYBODY,
    ) -> Gathered:
        """Return the bundle of a part, and what this node knows of its label beside it.

        Raises:
            PartUnknownError: Neither this node nor a peer has the entry.
            PartErasedError: Its content was erased.
            RecordTooYoungError: The block is older than the record.
            EvidenceNotFinalError: The block is not final.
            LedgerUnavailableError: The chain cannot be reached.
        """
        self._refuse_erased(log, index)
        found, unasked = self._held(log, index, choice), tuple[Unsearched, ...]()
        if found is None and ask_peers:
            found, unasked = self._fetched(log, index)
        if found is None:
            message = f"Neither this node nor a peer knows the entry {log}.{index}."
            raise PartUnknownError(message, log=log, index=index)
        found = _asked(found, choice)
        others, beyond = self._others(found, choice)
        shown = self.exporter.prove(found.beside(others), block=block)
        return Gathered(
            bundle=bundle.write(shown), beside=(*self._beside(shown, others), *beyond, *unasked)
        )

    def keeps(self, log: LogNumber, index: Index) -> bool:
        """Return whether this node keeps the evidence of another log's entry."""
        with self.store.reading() as view:
            return view.documents.get(DocumentKind.PART, entry_key(log, index)) is not None

    def fetch(self, log: LogNumber, index: Index, *, peer: Peer) -> Evidence | None:
        """Keep the evidence of an entry as a peer shows it, and return it, None for none.

        Raises:
            PeerUnavailableError: The peer does not answer.
        """
        if self._is_erased(log, index):
            return None
        body = peer.bundle(log, index)
        try:
            evidence = None if body is None else bundle.read(body)
        except GuildmarkError as error:
            _logger.warning("a peer has no usable bundle of %s.%s: %s", log, index, error)
            return None
        if body is None or evidence is None or not self._stands(evidence, log, index):
            return None
        self._keep(body, evidence.core)
        return evidence

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

    def _held(self, log: LogNumber, index: Index, choice: Choice) -> Evidence | None:
        """Return what this node knows of an entry of its own log, or of one that it kept.

        Raises:
            PartUnknownError: This node's own log has no final entry there.
        """
        if log == self.own_log:
            return self.exporter.gather(log, index, choice)
        return self._kept(log, index)

    def _others(
        self, found: Evidence, choice: Choice
    ) -> tuple[Sequence[Evidence], tuple[Unsearched, ...]]:
        """Return the label's other entries that this node holds, and whether there are more."""
        statement = statement_of(found.core)
        known = () if statement is None else self.positions(statement.label)
        places = [place for place in known if place != found.place]
        held = (self._held(*place, choice) for place in places[:ENTRIES_MAX])
        beyond = _beyond(places, "This node knows")
        return [_asked(one, choice) for one in held if one is not None], tuple(beyond)

    def _beside(self, shown: Evidence, others: Sequence[Evidence]) -> Iterator[Brought]:
        """Yield the others that are as old as the block, and that the bundle has no room for."""
        block = decode_header(shown.chain.header)
        carried = {rival.place for rival in shown.rivals}
        for other in others:
            if other.place not in carried and other.core.record.time <= block.time:
                name = f"{other.core.record.log}.{other.core.index}"
                yield Brought(name=name, evidence=self.exporter.prove(other, block=block.number))

    def _refuse_erased(self, log: LogNumber, index: Index) -> None:
        with self.store.reading() as view:
            refuse_erased(view.documents, log, index)

    def _is_erased(self, log: LogNumber, index: Index) -> bool:
        """Return whether an entry's content went by an order that this home keeps."""
        with self.store.reading() as view:
            return erasure_of(view.documents, log, index) is not None

    def _kept(self, log: LogNumber, index: Index) -> Evidence | None:
        with self.store.reading() as view:
            body = view.documents.get(DocumentKind.PART, entry_key(log, index))
        return None if body is None else replace(bundle.read(body), rivals=())

    def _fetched(
        self, log: LogNumber, index: Index
    ) -> tuple[Evidence | None, tuple[Unsearched, ...]]:
        for peer in self.peers:
            try:
                body = peer.bundle(log, index)
                evidence = None if body is None else bundle.read(body)
            except GuildmarkError as error:
                _logger.warning("a peer has no usable bundle of %s.%s: %s", log, index, error)
                continue
            if body is not None and evidence is not None and self._stands(evidence, log, index):
                unasked = tuple(self._fetch_rivals(evidence))
                if not unasked:
                    # Else the peers are asked again for the whole.
                    self._keep(body, evidence.core)
                return replace(evidence, rivals=()), unasked
        return None, ()

    def _fetch_rivals(self, evidence: Evidence) -> Iterator[Unsearched]:
        """Keep what peers know of other entries of the same label; yield who did not say it."""
        statement = statement_of(evidence.core)
        if statement is None:
            return
        for peer in self.peers:
            try:
                known = peer.positions(statement.label)
                places = [place for place in known if place != evidence.place]
                for place in places[:ENTRIES_MAX]:
                    self._fetch_rival(peer, *place)
                yield from _beyond(places, "A peer of this node names")
            except GuildmarkError as error:
                _logger.warning("a peer has no usable entries of a label: %s", error)
                reason = (
                    f"A peer of this node did not say who else claims the label. {error.message}"
                )
                yield Unsearched(reason=reason)

    def _fetch_rival(self, peer: Peer, log: LogNumber, index: Index) -> None:
        is_known = log == self.own_log or self._kept(log, index) is not None
        if is_known or self._is_erased(log, index):
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
        return fact is not None and stands(core, fact.record, index)

    def _keep(self, body: bytes, core: Core) -> None:
        place, label = entry_key(core.record.log, core.index), _label(core)
        with self.store.writing() as work:
            work.documents.put(DocumentKind.PART, place, body)
            # Of two entries with one label one stands: (3) says which. The first to be asked for
            # is only the way to a page, which shows the position.
            if label is not None:
                known = (work.documents.get(DocumentKind.LABEL, label) or b"").split()
                hint = f"{core.record.log}.{core.index}".encode()
                hints = b"\n".join(dict.fromkeys([*known, hint]))
                work.documents.put(DocumentKind.LABEL, label, hints)


def _asked(evidence: Evidence, choice: Choice) -> Evidence:
    """Return evidence that proves what the asker's authorities said, whoever gathered it."""
    if not choice.authorities:
        return evidence
    disclosed = replace(evidence.disclosed, authorities=choice.authorities)
    inner = evidence.replacement
    return replace(
        evidence,
        disclosed=disclosed,
        replacement=None if inner is None else _asked(inner, choice),
    )


def _beyond(places: Sequence[tuple[LogNumber, Index]], who: str) -> Iterator[Unsearched]:
    """Yield that there are more entries of a label than are looked at, where it is so."""
    if len(places) > ENTRIES_MAX:
        reason = f"{who} {len(places)} other entries of the label, of which {ENTRIES_MAX} are read."
        yield Unsearched(reason=reason, lack=Lack.EVIDENCE)


def _label(core: Core) -> bytes | None:
    """Return the digest of the statement's label, None where it cannot be read."""
    statement = statement_of(core)
    return None if statement is None else sha256(statement.label.encode())
