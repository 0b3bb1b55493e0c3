"""Trees of final batches are kept for who asks next, up to so many leaves."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import ZERO32, Digest, Index, LogNumber, Seq
from guildmark.domain.log.merkle import MerkleTree, ProofPositionError, leaf_hash, root_of_path
from guildmark.domain.log.record import Record
from guildmark.services.log.proving import KeptTrees

LOG = LogNumber(1)
COUNT = 5


def leaves(seq: int) -> Sequence[Digest]:
    return [sha256(b"%d.%d" % (seq, at)) for at in range(COUNT)]


def record(seq: int) -> Record:
    return Record(
        log=LOG,
        seq=Seq(seq),
        first_index=Index(seq * COUNT),
        count=COUNT,
        time=1,
        parent=ZERO32,
        root=MerkleTree(leaves(seq)).root(),
    )


@dataclass
class Log:
    """A log that counts who reads it."""

    read: list[int] = field(default_factory=list)

    def leaves(self, log: LogNumber, seq: Seq) -> Sequence[Digest]:
        assert log == LOG
        self.read.append(seq)
        return leaves(seq)


def test_each_path_leads_to_the_root_and_the_batch_is_read_once() -> None:
    log, trees = Log(), KeptTrees(COUNT)

    for at, data in enumerate(leaves(0)):
        path = trees.path(record(0), at, log)
        root = root_of_path(leaf=leaf_hash(data), index=at, count=COUNT, path=path)
        assert root == record(0).root

    assert log.read == [0]


def test_the_tree_that_was_asked_for_longest_ago_makes_room() -> None:
    log, trees = Log(), KeptTrees(2 * COUNT)

    for seq in (0, 1, 0, 2, 0, 1):
        trees.path(record(seq), 0, log)

    assert log.read == [0, 1, 2, 1]


@pytest.mark.parametrize(("most", "times"), [(COUNT, 1), (COUNT - 1, 2)])
def test_a_tree_of_more_leaves_than_are_kept_is_made_each_time(most: int, times: int) -> None:
    log, trees = Log(), KeptTrees(most)

    for _ in range(2):
        trees.path(record(0), 0, log)

    assert log.read == [0] * times


def test_leaves_that_are_not_the_records_are_not_kept() -> None:
    log, trees = Log(), KeptTrees(COUNT)
    altered = replace(record(0), root=Digest(ZERO32))

    paths = [trees.path(altered, 2, log) for _ in range(2)]

    assert paths == [MerkleTree(leaves(0)).inclusion_path(2)] * 2
    assert log.read == [0, 0]


def test_a_place_behind_the_last_entry_has_no_path() -> None:
    trees = KeptTrees(COUNT)

    with pytest.raises(ProofPositionError):
        trees.path(record(0), COUNT, Log())
