"""Merkle trees of RFC 9162, section 2.1, over SHA-256: paths, consistency, multiproofs.

Leaves and nodes are told apart by their first hashed byte; nothing is ever duplicated to fill a
level; an empty tree proves nothing.
"""

import hashlib
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from guildmark.domain.errors import NotLoggedError
from guildmark.domain.identifiers import Digest, to_hex

HASH_SIZE = 32
_PAIR = 2 * HASH_SIZE

# Reads a node at an offset of a level without copying twice.
_node = struct.Struct(f"{HASH_SIZE}s").unpack_from


class ProofError(NotLoggedError):
    """A proof that proves nothing; a subclass says why."""

    code = "proof.invalid"


class ProofPositionError(ProofError):
    """The position or size that a proof is about is out of bounds."""

    code = "proof.positionOutOfRange"


class ProofLengthError(ProofError):
    """A proof with too few or too many hashes for its position and size."""

    code = "proof.lengthWrong"


class ProofMismatchError(ProofError):
    """A proof that leads to another root."""

    code = "proof.rootMismatch"


def leaf_hash(data: bytes) -> Digest:
    """Return the hash of a leaf: SHA-256(0x00 || data)."""
    return Digest(hashlib.sha256(b"\0" + data).digest())


def node_hash(left: bytes, right: bytes) -> Digest:
    """Return the hash of an inner node: SHA-256(0x01 || left || right)."""
    return Digest(hashlib.sha256(b"\x01" + left + right).digest())


def parents(nodes: bytes) -> bytes:
    """Return the hashes of the nodes above neighbours that stand side by side."""
    sha256, pairs = hashlib.sha256, range(0, len(nodes), _PAIR)
    return b"".join([sha256(b"\x01" + nodes[at : at + _PAIR]).digest() for at in pairs])


class Provable(ABC):
    """A tree whose complete nodes can be asked for: roots of any past size, and all proofs."""

    __slots__ = ("_edge", "_edge_size")

    def __init__(self) -> None:
        self._edge: list[Digest] = []
        self._edge_size = 0

    @abstractmethod
    def __len__(self) -> int:
        """Return how many leaves there are."""

    @abstractmethod
    def complete_node(self, level: int, index: int) -> Digest:
        """Return the hash of a node over 2^level leaves, none of which is missing."""

    def root(self, size: int | None = None) -> Digest:
        """Return the root of the first ``size`` leaves, of all by default.

        Raises:
            ProofPositionError: No leaf, or more leaves than there are.
        """
        count = self._known_size(size)
        return self._right_edge(count)[-1]

    def inclusion_path(self, index: int, size: int | None = None) -> tuple[Digest, ...]:
        """Return the path of leaf ``index`` to the root of the first ``size`` leaves.

        RFC 9162, 2.1.3.1.

        Raises:
            ProofPositionError: No such leaf or size.
        """
        count = self._known_size(size)
        _check_position(index, count)
        return self._nodes(_siblings(index, count), count)

    def multiproof(self, indices: Sequence[int], size: int | None = None) -> tuple[Digest, ...]:
        """Return the hashes that, with the leaves at ``indices``, give the root.

        Level by level from the leaves up, in each level from left to right.

        Raises:
            ProofPositionError: Not strictly ascending positions inside the tree.
        """
        count = self._known_size(size)
        _check_ascending(indices, count)
        return self._nodes(_multiproof_nodes(indices, count), count)

    def consistency_proof(self, old: int, size: int | None = None) -> tuple[Digest, ...]:
        """Return the proof that the first ``old`` leaves begin the first ``size`` leaves.

        RFC 9162, 2.1.4.1; empty where both are the same tree.

        Raises:
            ProofPositionError: Not 1 <= old <= size <= number of leaves.
        """
        count = self._known_size(size)
        _check_position(old - 1, count)
        if old == count:
            return ()
        # The old tree's last complete subtree that is a node of the new tree, too.
        level = _trailing_zeros(old)
        index = (old >> level) - 1
        start = [] if index == 0 else [(level, index)]
        return self._nodes(start + _siblings(index, count, level), count)

    def _known_size(self, size: int | None) -> int:
        count = len(self) if size is None else size
        _check_position(count - 1, len(self))
        return count

    def _nodes(self, places: Iterable[tuple[int, int]], count: int) -> tuple[Digest, ...]:
        edge = self._right_edge(count)
        return tuple(
            self.complete_node(level, index) if index < count >> level else edge[level]
            for level, index in places
        )

    def _right_edge(self, count: int) -> list[Digest]:
        """Return for each level the node over the last leaves, which fill no complete node.

        Empty where all leaves are in complete nodes. The entry above the last level is the root.
        """
        if count == self._edge_size:
            return self._edge
        edge = [Digest(b"")]
        for level in range(count.bit_length()):
            complete, rest = count >> level, edge[-1]
            if complete & 1:
                last = self.complete_node(level, complete - 1)
                rest = node_hash(last, rest) if rest else last
            edge.append(rest)
        self._edge, self._edge_size = edge, count
        return edge


class MerkleTree(Provable):
    """A growing tree that keeps every complete node: 64 bytes a leaf, any past size can be proven.

    Args:
        leaves: The data of the first leaves, in order.
    """

    __slots__ = ("_levels",)

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        super().__init__()
        self._levels: list[bytearray] = [bytearray()]
        self.extend(leaves)

    def __len__(self) -> int:
        return len(self._levels[0]) // HASH_SIZE

    def append(self, leaf: bytes) -> None:
        """Add one leaf behind the last."""
        self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaves behind the last, all nodes that they complete included."""
        sha256 = hashlib.sha256
        self._levels[0] += b"".join([sha256(b"\0" + leaf).digest() for leaf in leaves])
        self._complete_parents()

    def nodes(self, level: int, first: int, count: int) -> bytes:
        """Return the hashes of ``count`` complete nodes from ``first`` on, side by side.

        Args:
            level: Each stands over 2^level leaves.
            first: The first one's place in its level.
            count: How many, at least one.

        Raises:
            ProofPositionError: Leaves are missing below one of them.
        """
        _check_position(((first + count) << level) - 1, len(self))
        _check_position(first, first + count)
        return bytes(self._levels[level][first * HASH_SIZE : (first + count) * HASH_SIZE])

    def inclusion_path(self, index: int, size: int | None = None) -> tuple[Digest, ...]:
        """Return the path of leaf ``index`` to the root of the first ``size`` leaves.

        RFC 9162, 2.1.3.1.

        Raises:
            ProofPositionError: No such leaf or size.
        """
        count = self._known_size(size)
        _check_position(index, count)
        levels = self._levels
        inner = (index ^ count - 1).bit_length()
        path = [_node(levels[at], (index >> at ^ 1) * HASH_SIZE)[0] for at in range(inner - 1)]
        if inner:
            # Only this one may be the node that the last leaves do not fill.
            top, beside = inner - 1, index >> inner - 1 ^ 1
            if beside < count >> top:
                path.append(self.complete_node(top, beside))
            else:
                path.append(self._right_edge(count)[top])
        left = [at for at in range(inner, index.bit_length()) if index >> at & 1]
        path += [_node(levels[at], (index >> at ^ 1) * HASH_SIZE)[0] for at in left]
        return tuple(path)

    def _complete_parents(self) -> None:
        levels, level = self._levels, 0
        while len(levels[level]) >= _PAIR:
            below, level = levels[level], level + 1
            if level == len(levels):
                levels.append(bytearray())
            levels[level] += parents(bytes(below[2 * len(levels[level]) : len(below) & -_PAIR]))

    def complete_node(self, level: int, index: int) -> Digest:
        """Return the hash of a node over 2^level leaves, none of which is missing."""
        return Digest(_node(self._levels[level], index * HASH_SIZE)[0])


def root_of_path(*, leaf: Digest, index: int, count: int, path: Sequence[bytes]) -> Digest:
    """Return the root to which a path leads from the hash of leaf ``index`` of ``count``.

    RFC 9162, 2.1.3.2, with the length of the path fixed by index and count.

    Raises:
        ProofPositionError: No such position.
        ProofLengthError: Too few or too many hashes, or one that is not 32 bytes.
    """
    _check_position(index, count)
    # Up to `inner` the way joins that of the last leaf; from there on all siblings are to the left.
    inner = (index ^ count - 1).bit_length()
    _check_hashes((leaf, *path), 1 + inner + (index >> inner).bit_count())
    sha256, node = hashlib.sha256, bytes(leaf)
    for beside in path[:inner]:
        pair = beside + node if index & 1 else node + beside
        node, index = sha256(b"\x01" + pair).digest(), index >> 1
    for beside in path[inner:]:
        node = sha256(b"\x01" + beside + node).digest()
    return Digest(node)


def verify_inclusion(
    *, data: bytes, index: int, count: int, path: Sequence[bytes], root: bytes
) -> None:
    """Check that ``data`` is leaf ``index`` of the ``count`` leaves under ``root``.

    Raises:
        ProofError: It is not proven; the subclass says why.
    """
    _check_root(root_of_path(leaf=leaf_hash(data), index=index, count=count, path=path), root)


def verify_multiproof(
    *, leaves: Mapping[int, bytes], count: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check the data of several leaves, given by ascending index, at once.

    Raises:
        ProofError: It is not proven; the subclass says why.
    """
    _check_ascending(tuple(leaves), count)
    _check_hashes(proof, len(_multiproof_nodes(tuple(leaves), count)))
    nodes = {index: leaf_hash(data) for index, data in leaves.items()}
    hashes, last = iter(proof), count - 1
    while last:
        nodes = _parents(nodes, last, hashes)
        last >>= 1
    _check_root(nodes[0], root)


def verify_consistency(
    *, old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check that the ``old`` leaves under ``old_root`` begin the ``new`` leaves under ``new_root``.

    RFC 9162, 2.1.4.2.

    Raises:
        ProofError: It is not proven; the subclass says why.
    """
    _check_position(old - 1, new)
    if old == new:
        _check_hashes(proof, 0)
        _check_root(new_root, old_root)
        return
    # An old tree of 2^k leaves is itself a node of the new one: its root is not sent again.
    start = (old_root,) if old & old - 1 == 0 else ()
    before, after = _roots_of_consistency(old, new, (*start, *proof))
    _check_root(before, old_root)
    _check_root(after, new_root)


def _roots_of_consistency(old: int, new: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes]:
    level = _trailing_zeros(old)
    index, last = (old >> level) - 1, new - 1 >> level
    _check_hashes(hashes, len(_siblings(index, new, level)) + 1)
    rest = iter(hashes)
    before = after = next(rest)
    while last:
        if index & 1:
            left = next(rest)
            before, after = node_hash(left, before), node_hash(left, after)
        elif index < last:
            after = node_hash(after, next(rest))
        index, last = index >> 1, last >> 1
    return before, after


def _siblings(index: int, count: int, level: int = 0) -> list[tuple[int, int]]:
    """Return level and index of each node beside the way from a node to the root."""
    found: list[tuple[int, int]] = []
    last = count - 1 >> level
    while last:
        if index ^ 1 <= last:
            found.append((level, index ^ 1))
        index, last, level = index >> 1, last >> 1, level + 1
    return found


def _multiproof_nodes(indices: Sequence[int], count: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    level, last, known = 0, count - 1, sorted(indices)
    while last:
        present = set(known)
        beside = [index ^ 1 for index in known if index ^ 1 not in present]
        found += [(level, index) for index in beside if index <= last]
        level, last, known = level + 1, last >> 1, sorted({index >> 1 for index in known})
    return found


def _parents(nodes: Mapping[int, Digest], last: int, hashes: Iterator[bytes]) -> dict[int, Digest]:
    above: dict[int, Digest] = {}
    for left in sorted({index & ~1 for index in nodes}):
        if left == last:
            above[left >> 1] = nodes[left]
        else:
            pair = [nodes[at] if at in nodes else next(hashes) for at in (left, left + 1)]
            above[left >> 1] = node_hash(*pair)
    return above


def _trailing_zeros(number: int) -> int:
    return (number & -number).bit_length() - 1


def _check_position(index: int, count: int) -> None:
    if not 0 <= index < count:
        message = f"There is no leaf {index} among {count}."
        raise ProofPositionError(message, index=index, count=count)


def _check_ascending(indices: Sequence[int], count: int) -> None:
    if not indices or any(later <= earlier for earlier, later in pairwise(indices)):
        message = "The positions of a multiproof must be strictly ascending, and at least one."
        raise ProofPositionError(message, indices=list(indices), count=count)
    _check_position(indices[0], count)
    _check_position(indices[-1], count)


def _check_hashes(hashes: Sequence[bytes], expected: int) -> None:
    if len(hashes) != expected or any(len(value) != HASH_SIZE for value in hashes):
        message = f"Expected {expected} hashes of {HASH_SIZE} bytes, found {len(hashes)}."
        raise ProofLengthError(message, expected=expected, found=len(hashes))


def _check_root(found: bytes, expected: bytes) -> None:
    if found != expected:
        message = f"The proof leads to {to_hex(found)}, not to {to_hex(expected)}."
        raise ProofMismatchError(message, found=to_hex(found), expected=to_hex(expected))
