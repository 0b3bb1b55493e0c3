"""Paths from entries to the roots of their batches.

A batch is final, so that its tree is kept for whoever asks next: its leaves are read and hashed
once, not for every page. A tree goes by its root, which is the same in every store.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

from guildmark.domain.identifiers import Digest, LogNumber, Seq
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.log.record import Record

LEAVES_MAX = 2**18
"""How many leaves are kept in all, at 64 bytes each."""


class Leaves(Protocol):
    """Where the leaves of batches are."""

    def leaves(self, log: LogNumber, seq: Seq) -> Sequence[Digest]:
        """Return the leaf data of a final batch, in order."""
        ...


@dataclass(slots=True)
class KeptTrees:
    """The trees that were asked for last; threads may share them.

    Args:
        leaves_max: How many leaves are kept at most; a larger tree is made for each who asks.
    """

    leaves_max: int
    _trees: OrderedDict[Digest, MerkleTree] = field(default_factory=OrderedDict)
    _leaves: int = 0
    _lock: Lock = field(default_factory=Lock)

    def path(self, record: Record, position: int, log: Leaves) -> tuple[Digest, ...]:
        """Return the path of an entry to its record's root.

        Args:
            record: The record of the entry's batch.
            position: The entry's place in it.
            log: Where the batch is.

        Raises:
            ProofPositionError: The batch has no such entry.
        """
        tree = self._kept(record.root)
        if tree is None:
            tree = MerkleTree(log.leaves(record.log, record.seq))
            if tree.root() == record.root:
                self._keep(record.root, tree)
        return tree.inclusion_path(position)

    def _kept(self, root: Digest) -> MerkleTree | None:
        with self._lock:
            tree = self._trees.get(root)
            if tree is not None:
                self._trees.move_to_end(root)
            return tree

    def _keep(self, root: Digest, tree: MerkleTree) -> None:
        with self._lock:
            if root in self._trees or len(tree) > self.leaves_max:
                return
            self._trees[root] = tree
            self._leaves += len(tree)
            while self._leaves > self.leaves_max:
                _, oldest = self._trees.popitem(last=False)
                self._leaves -= len(oldest)


TREES = KeptTrees(LEAVES_MAX)
"""Those of this process."""
