"""A Merkle-Patricia trie in memory that proves its keys (yellow paper, appendix D)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from guildmark.domain.chain.ethproof import rlp
from guildmark.domain.chain.ethproof.trie import EMPTY_ROOT
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Digest

Path = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Trie:
    """A finished trie: its root node and every node that is linked by hash.

    Args:
        root_node: The encoded root node.
        by_hash: Encoded nodes of 32 bytes and more.
    """

    root_node: bytes = b"\x80"
    by_hash: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def root(self) -> Digest:
        return keccak256(self.root_node)

    @classmethod
    def of(cls, values: Mapping[bytes, bytes]) -> Self:
        """Build the trie of keys of one length and their values."""
        if not values:
            return cls()
        nodes: dict[bytes, bytes] = {}
        node = _build({_nibbles(key): value for key, value in values.items()}, nodes)
        return cls(root_node=rlp.encode(node), by_hash=nodes)

    def prove(self, key: bytes) -> tuple[bytes, ...]:
        """Return the nodes from the root to the key, or to where it would have to be."""
        if self.root == EMPTY_ROOT:
            return ()
        proof, path = [self.root_node], _nibbles(key)
        node: rlp.Item = rlp.decode(self.root_node)
        while True:
            link, path = _step(node, path)
            if isinstance(link, bytes):
                if link not in self.by_hash:
                    return tuple(proof)
                proof.append(self.by_hash[link])
                link = rlp.decode(self.by_hash[link])
            node = link


def secure(values: Mapping[bytes, bytes]) -> Trie:
    """Return the trie of the values under the Keccak-256 of their keys."""
    return Trie.of({keccak256(key): value for key, value in values.items()})


def compact(path: Path, *, leaf: bool) -> bytes:
    """Return the hex-prefix encoding of a path (appendix C)."""
    flag = 2 if leaf else 0
    nibbles = (flag + 1, *path) if len(path) & 1 else (flag, 0, *path)
    return bytes(high << 4 | low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True))


def _build(values: Mapping[Path, bytes], nodes: dict[bytes, bytes]) -> rlp.Item:
    if len(values) == 1:
        ((path, value),) = values.items()
        return [compact(path, leaf=True), value]
    shared = _shared(list(values))
    if shared:
        rest = {path[len(shared) :]: value for path, value in values.items()}
        return [compact(shared, leaf=False), _link(_build(rest, nodes), nodes)]
    branch: list[rlp.Item] = []
    for nibble in range(16):
        below = {path[1:]: value for path, value in values.items() if path[0] == nibble}
        branch.append(_link(_build(below, nodes), nodes) if below else b"")
    return [*branch, b""]


def _shared(paths: list[Path]) -> Path:
    low, high = min(paths), max(paths)
    size = next(at for at in range(len(low)) if low[at] != high[at])
    return low[:size]


def _link(node: rlp.Item, nodes: dict[bytes, bytes]) -> rlp.Item:
    encoded = rlp.encode(node)
    if len(encoded) < 32:
        return node
    nodes[keccak256(encoded)] = encoded
    return keccak256(encoded)


def _step(node: rlp.Item, path: Path) -> tuple[rlp.Item, Path]:
    """Return the link that leads on, b"" where nothing does, and what is left of the path."""
    assert isinstance(node, list)
    if len(node) == 17:
        return node[path[0]], path[1:]
    assert isinstance(node[0], bytes)
    part = _nibbles(node[0])
    part = part[1:] if part[0] & 1 else part[2:]
    is_extension = not node[0][0] & 0x20
    follows = is_extension and path[: len(part)] == part
    return (node[1] if follows else b""), path[len(part) :]


def _nibbles(data: bytes) -> Path:
    return tuple(nibble for byte in data for nibble in (byte >> 4, byte & 15))
