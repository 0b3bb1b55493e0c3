"""The log's queue, batches and entries, as a home keeps them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from guildmark.domain.identifiers import (
    Digest,
    IdentityId,
    Index,
    LaneNumber,
    LogNumber,
    Seq,
)
from guildmark.domain.log.queue import Batch, Build, Logged, Outcome, Queued, Standing, Waiting

MADE_BY = ("machine", "maker", "site_recipe", "lane")
"""By what parts are counted."""


class LogReader(Protocol):
    """A node's own log: what it accepted and what became of it."""

    def build(self, envelope: Digest) -> Build | None:
        """Return what became of an envelope; of several times, the last one."""
        ...

    def builds(self, envelopes: Sequence[Digest]) -> Mapping[Digest, Build]:
        """Return what became of each envelope that is known; of several times, the last one."""
        ...

    def logged(self, log: LogNumber, index: Index) -> Logged | None:
        """Return the entry at a final position, None for an erased one, too."""
        ...

    def payload(self, digest: Digest) -> Build | None:
        """Return the build with a statement, or the receipt of a request, unless refused."""
        ...

    def labelled(self, label: str) -> Sequence[Build]:
        """Return the builds that carry a label and were not refused."""
        ...

    def newest_below(self, prefix: str) -> Logged | None:
        """Return the newest final build whose label begins with this text, None for none."""
        ...

    def leaves(self, log: LogNumber, seq: Seq) -> Sequence[Digest]:
        """Return the leaf data of a batch, in order; none where the batch is unknown."""
        ...

    def entries(self, log: LogNumber, seq: Seq) -> Sequence[Logged]:
        """Return the entries of a final batch, in order; none where the batch is unknown.

        Erased ones are left out.
        """
        ...

    def erased(self, log: LogNumber, seq: Seq) -> Sequence[int]:
        """Return the positions of the entries of a final batch that were erased, in order."""
        ...

    def made(
        self, log: LogNumber, wanted: Mapping[str, Sequence[bytes | int]], seqs: range | None = None
    ) -> int:
        """Return how many final parts of a log there are, scrap and what was refused left out.

        Args:
            log: The log.
            wanted: Of what machines, makers, site recipes and lanes, each by ``MADE_BY``; a part
                fits where it has one of the values under every name.
            seqs: The records that they are in; None for all.
        """
        ...

    def settled(self, log: LogNumber) -> Sequence[Seq]:
        """Return which records of a log are final batches of this node, in order."""
        ...

    def waiting(self, limit: int) -> Sequence[Waiting]:
        """Return accepted entries that are in no batch, in order of acceptance."""
        ...

    def waiting_count(self) -> int:
        """Return how many accepted entries are in no batch."""
        ...

    def open_batch(self) -> Batch | None:
        """Return the batch that is closed and not final."""
        ...

    def claimed_units(self, lane: LaneNumber) -> int:
        """Return how many accepted entries of a lane have not drawn yet."""
        ...

    def last_counter(self, machine: IdentityId) -> int:
        """Return the greatest counter of a machine's builds that stand, 0 where it has none."""
        ...


class LogWriter(LogReader, Protocol):
    """A node's own log inside one transaction."""

    def standing(self, entries: Sequence[Queued]) -> Standing:
        """Return what stands in the way of entries by statement, counter or label.

        What was refused stands in nobody's way; receipts have no counters.
        """
        ...

    def accept(self, *entries: Queued) -> None:
        """Queue entries behind the others, in their order."""
        ...

    def close_batch(self, batch: Batch) -> None:
        """Fix the entries, order and place of a batch."""
        ...

    def include_batch(self, batch: Batch) -> None:
        """Say that the batch stands in a block that is not final yet."""
        ...

    def reopen_batch(self, batch: Batch) -> None:
        """Drop a batch that can never land; its entries wait again, in their order."""
        ...

    def settle_batch(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        """Write what a final record says of each entry of a batch, in its order."""
        ...

    def erase(self, entry: Logged) -> None:
        """Let nothing of a final entry stay but its leaf, its place, and its machine's counter."""
        ...
