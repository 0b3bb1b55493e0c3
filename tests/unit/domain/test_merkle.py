"""RFC 9162 trees against a literal reading of the RFC, pymerkle, and forged proofs."""

import hashlib
from itertools import combinations

import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guildmark.domain.identifiers import Digest
from guildmark.domain.log import merkle as mk

SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 127, 128, 129, 255, 256, 257)


def leaves(count: int) -> list[bytes]:
    return [hashlib.sha256(number.to_bytes(8, "big")).digest() for number in range(count)]


def split(count: int) -> int:
    """The largest power of two below ``count``."""
    return 1 << (count - 1).bit_length() - 1


def rfc_root(data: list[bytes]) -> bytes:
    """Section 2.1.1, word for word."""
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = split(len(data))
    return hashlib.sha256(b"\x01" + rfc_root(data[:k]) + rfc_root(data[k:])).digest()


def rfc_path(index: int, data: list[bytes]) -> list[bytes]:
    """Section 2.1.3.1, word for word."""
    if len(data) == 1:
        return []
    k = split(len(data))
    if index < k:
        return [*rfc_path(index, data[:k]), rfc_root(data[k:])]
    return [*rfc_path(index - k, data[k:]), rfc_root(data[:k])]


def rfc_consistency(old: int, data: list[bytes], known: bool = True) -> list[bytes]:
    """Section 2.1.4.1, word for word."""
    if old == len(data):
        return [] if known else [rfc_root(data)]
    k = split(len(data))
    if old <= k:
        return [*rfc_consistency(old, data[:k], known), rfc_root(data[k:])]
    return [*rfc_consistency(old - k, data[k:], False), rfc_root(data[:k])]


@pytest.mark.parametrize("count", SIZES)
def test_root_and_every_path_are_those_of_the_rfc(count: int) -> None:
    data = leaves(count)

    tree = mk.MerkleTree(data)

    assert tree.root() == rfc_root(data)
    for index in range(count):
        path = tree.inclusion_path(index)
        assert list(path) == rfc_path(index, data)
        mk.verify_inclusion(data=data[index], index=index, count=count, path=path, root=tree.root())


@pytest.mark.parametrize("count", SIZES)
def test_every_consistency_proof_is_that_of_the_rfc(count: int) -> None:
    data = leaves(count)
    tree = mk.MerkleTree(data)

    for old in range(1, count + 1):
        proof = tree.consistency_proof(old)
        assert list(proof) == rfc_consistency(old, data)
        mk.verify_consistency(
            old=old, new=count, proof=proof, old_root=tree.root(old), new_root=tree.root()
        )


def test_growing_tree_proves_all_its_past_sizes() -> None:
    data = leaves(70)
    tree = mk.MerkleTree()
    for leaf in data:
        tree.append(leaf)

    for size in range(1, 71):
        fresh = mk.MerkleTree(data[:size])
        assert tree.root(size) == fresh.root()
        assert tree.inclusion_path(size // 2, size) == fresh.inclusion_path(size // 2)
        assert tree.consistency_proof((size + 1) // 2, size) == fresh.consistency_proof(
            (size + 1) // 2
        )
    assert len(tree) == 70


@pytest.mark.parametrize("count", [1, 2, 7, 64, 100])
def test_roots_and_paths_agree_with_pymerkle(count: int) -> None:
    data = leaves(count)
    peer = pymerkle.InmemoryTree(algorithm="sha256")
    for leaf in data:
        peer.append_entry(leaf)

    tree = mk.MerkleTree(data)

    assert peer.get_root() == tree.root()
    for index in range(count):
        theirs = peer.prove_inclusion(index + 1, count).serialize()["path"]
        ours = [*tree.inclusion_path(index), mk.leaf_hash(data[index])]
        assert sorted(theirs) == sorted(value.hex() for value in ours)


@pytest.mark.parametrize("count", range(1, 9))
def test_multiproof_of_every_subset_verifies(count: int) -> None:
    data = leaves(count)
    tree = mk.MerkleTree(data)

    for chosen in range(1, count + 1):
        for indices in combinations(range(count), chosen):
            opened = {index: data[index] for index in indices}
            proof = tree.multiproof(indices)
            mk.verify_multiproof(leaves=opened, count=count, proof=proof, root=tree.root())


@given(st.data())
def test_multiproof_of_one_leaf_is_its_path(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 300))
    index = data.draw(st.integers(0, count - 1))
    tree = mk.MerkleTree(leaves(count))

    assert tree.multiproof([index]) == tree.inclusion_path(index)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_path_proves_what_is_not_a_member(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 257))
    index = data.draw(st.integers(0, count - 1))
    members = leaves(count)
    tree = mk.MerkleTree(members)
    path = tree.inclusion_path(index)
    # Inner nodes and the children of a node, given as if they were leaves, too.
    strangers = {b"", bytes(32), tree.root(), *path, *(a + b for a in path for b in path)}
    strangers.update(member for at, member in enumerate(members) if at != index)

    for stranger in strangers - {members[index]}:
        with pytest.raises(mk.ProofMismatchError):
            mk.verify_inclusion(
                data=stranger, index=index, count=count, path=path, root=tree.root()
            )


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_path_holds_at_its_own_position_and_size_only(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 257))
    index = data.draw(st.integers(0, count - 1))
    other_count = data.draw(st.integers(1, 600))
    other = data.draw(st.integers(0, other_count - 1))
    members = leaves(count)
    tree = mk.MerkleTree(members)
    path = tree.inclusion_path(index)

    same_way = mk._siblings(index, count) == mk._siblings(other, other_count)
    # Sizes that give a position the same way to the root differ only in what is right of it.
    if not same_way or [at & 1 for at in _way(index, count)] != [
        at & 1 for at in _way(other, other_count)
    ]:
        with pytest.raises(mk.ProofError):
            mk.verify_inclusion(
                data=members[index], index=other, count=other_count, path=path, root=tree.root()
            )


def _way(index: int, count: int) -> list[int]:
    way, last = [index], count - 1
    while last:
        index, last = index >> 1, last >> 1
        way.append(index)
    return way


def test_a_repeated_last_leaf_changes_the_root() -> None:
    three = leaves(3)

    assert mk.MerkleTree(three).root() != mk.MerkleTree([*three, three[2]]).root()


def test_one_leaf_is_its_own_root_and_needs_no_path() -> None:
    tree = mk.MerkleTree([b"only"])

    assert tree.root() == mk.leaf_hash(b"only")
    mk.verify_inclusion(data=b"only", index=0, count=1, path=(), root=tree.root())


@pytest.mark.parametrize(("index", "count"), [(0, 0), (-1, 3), (3, 3), (0, -1)])
def test_positions_out_of_bounds_are_refused(index: int, count: int) -> None:
    with pytest.raises(mk.ProofPositionError) as caught:
        mk.verify_inclusion(data=b"", index=index, count=count, path=(), root=bytes(32))

    assert caught.value.detail == {"index": index, "count": count}


def test_trees_prove_nothing_beyond_their_leaves() -> None:
    tree = mk.MerkleTree(leaves(5))

    for ask in (
        lambda: mk.MerkleTree().root(),
        lambda: tree.root(0),
        lambda: tree.root(6),
        lambda: tree.inclusion_path(5),
        lambda: tree.inclusion_path(-1),
        lambda: tree.inclusion_path(3, 3),
        lambda: tree.inclusion_path(3, 6),
        lambda: tree.consistency_proof(0),
        lambda: tree.consistency_proof(6),
        lambda: tree.consistency_proof(4, 3),
        lambda: tree.multiproof([]),
        lambda: tree.multiproof([5]),
        lambda: tree.multiproof([-1, 2]),
        lambda: tree.multiproof([2, 2]),
        lambda: tree.multiproof([2, 1]),
    ):
        with pytest.raises(mk.ProofPositionError):
            ask()


def test_paths_of_the_wrong_length_are_refused() -> None:
    data = leaves(6)
    tree = mk.MerkleTree(data)
    path = tree.inclusion_path(2)

    for wrong in (path[:-1], (*path, path[0]), (), (path[0][:31], *path[1:])):
        with pytest.raises(mk.ProofLengthError):
            mk.verify_inclusion(data=data[2], index=2, count=6, path=wrong, root=tree.root())


def test_forged_consistency_is_refused() -> None:
    data = leaves(7)
    tree = mk.MerkleTree(data)
    other = mk.MerkleTree([*data[:2], b"rewritten", *data[3:]])

    def verify(old: int, proof: tuple[bytes, ...], old_root: bytes) -> None:
        mk.verify_consistency(old=old, new=7, proof=proof, old_root=old_root, new_root=tree.root())

    for old in range(1, 7):
        proof = tree.consistency_proof(old)
        with pytest.raises(mk.ProofLengthError):
            verify(old, (*proof, proof[0]), tree.root(old))
        with pytest.raises(mk.ProofLengthError):
            verify(old, proof[:-1], tree.root(old))
    for old in range(3, 7):
        with pytest.raises(mk.ProofMismatchError):
            verify(old, tree.consistency_proof(old), other.root(old))
        with pytest.raises(mk.ProofMismatchError):
            verify(old, other.consistency_proof(old), other.root(old))


@pytest.mark.parametrize(("old", "count"), [(1, 2), (3, 7), (64, 100), (99, 100), (128, 257)])
def test_consistency_agrees_with_pymerkle(old: int, count: int) -> None:
    data = leaves(count)
    peer = pymerkle.InmemoryTree(algorithm="sha256")
    for leaf in data:
        peer.append_entry(leaf)
    tree = mk.MerkleTree(data)

    # Its proofs have a form of their own; it takes our roots for those of one history, as we do.
    pymerkle.verify_consistency(tree.root(old), tree.root(), peer.prove_consistency(old, count))
    mk.verify_consistency(
        old=old,
        new=count,
        proof=tree.consistency_proof(old),
        old_root=peer.get_root(old),
        new_root=peer.get_root(count),
    )


@given(st.data())
def test_no_changed_consistency_proof_is_accepted(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 257))
    old = data.draw(st.integers(1, count - 1))
    tree = mk.MerkleTree(leaves(count))
    proof = list(tree.consistency_proof(old))
    at = data.draw(st.integers(0, len(proof) - 1))
    change = data.draw(st.sampled_from(["flip", "drop", "repeat", "swap"]))
    if change == "flip":
        proof[at] = Digest(bytes((proof[at][0] ^ 1,)) + proof[at][1:])
    elif change == "drop":
        proof.pop(at)
    elif change == "repeat":
        proof.insert(at, proof[at])
    else:
        proof[at] = tree.root(old)

    with pytest.raises(mk.ProofError):
        mk.verify_consistency(
            old=old, new=count, proof=proof, old_root=tree.root(old), new_root=tree.root()
        )


def test_equal_trees_are_consistent_without_a_proof() -> None:
    root = mk.MerkleTree(leaves(6)).root()

    mk.verify_consistency(old=6, new=6, proof=(), old_root=root, new_root=root)
    with pytest.raises(mk.ProofLengthError):
        mk.verify_consistency(old=6, new=6, proof=(root,), old_root=root, new_root=root)
    with pytest.raises(mk.ProofMismatchError):
        mk.verify_consistency(old=6, new=6, proof=(), old_root=root, new_root=bytes(32))


@pytest.mark.parametrize(("old", "new"), [(0, 5), (6, 5), (-1, 5), (1, 0)])
def test_consistency_of_impossible_sizes_is_refused(old: int, new: int) -> None:
    with pytest.raises(mk.ProofPositionError):
        mk.verify_consistency(old=old, new=new, proof=(), old_root=b"", new_root=b"")


def test_forged_multiproofs_are_refused() -> None:
    data = leaves(6)
    tree = mk.MerkleTree(data)
    proof = tree.multiproof([1, 4])
    opened = {1: data[1], 4: data[4]}

    def verify(leaves: dict[int, bytes], hashes: tuple[bytes, ...]) -> None:
        mk.verify_multiproof(leaves=leaves, count=6, proof=hashes, root=tree.root())

    with pytest.raises(mk.ProofMismatchError):
        verify({1: data[1], 4: data[5]}, proof)
    with pytest.raises(mk.ProofMismatchError):
        verify(opened, (proof[1], proof[0], *proof[2:]))
    with pytest.raises(mk.ProofLengthError):
        verify(opened, proof[:-1])
    with pytest.raises(mk.ProofPositionError):
        verify({4: data[4], 1: data[1]}, proof)
    with pytest.raises(mk.ProofPositionError):
        verify({}, proof)


def test_nodes_side_by_side_are_those_of_the_tree() -> None:
    tree = mk.MerkleTree(leaves(6))
    hashes = [mk.leaf_hash(data) for data in leaves(6)]

    assert tree.nodes(0, 2, 3) == b"".join(hashes[2:5])
    assert tree.nodes(1, 1, 2) == mk.node_hash(*hashes[2:4]) + mk.node_hash(*hashes[4:6])


@pytest.mark.parametrize(("level", "first", "count"), [(0, 6, 1), (1, 2, 2), (2, 1, 1), (0, 0, 0)])
def test_nodes_that_no_leaves_complete_are_refused(level: int, first: int, count: int) -> None:
    with pytest.raises(mk.ProofPositionError):
        mk.MerkleTree(leaves(6)).nodes(level, first, count)
