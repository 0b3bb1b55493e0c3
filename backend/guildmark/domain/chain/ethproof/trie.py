"""Merkle-Patricia proofs (yellow paper, appendix D): a value under a key, or proven absence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from guildmark.domain.chain.ethproof import rlp
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.errors import NotLoggedError
from guildmark.domain.identifiers import Digest

EMPTY_ROOT = keccak256(b"\x80")

# Nodes differ in whether they show the empty root node.
_EMPTY_PROOFS = ((), (b"\x80",))
_NODES_MAX = 65
_NODE_SIZE_MAX = 1024
_BRANCH = 17
_SHORT = 2
_ACCOUNT = 4
_HASH = 32
_LEAF_FLAG = 2
_FLAGS_MAX = 3


class TrieProofError(NotLoggedError):
    """A trie proof that proves neither a value nor its absence."""

    code = "trie.proofInvalid"
    hint = "Fetch the proof again from another node; do not use this one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the state holds of an account."""

    nonce: int
    balance: int
    storage_root: Digest
    code_hash: Digest


def prove(root: bytes, key: bytes, nodes: Sequence[bytes]) -> bytes | None:
    """Return the value that the trie under ``root`` holds at ``key``, or None where it holds none.

    Args:
        root: Hash of the trie's root node.
        key: The trie's key: for state and storage, Keccak-256 of address or slot.
        nodes: The nodes on the way, root first; every one is needed.

    Raises:
        TrieProofError: A node is missing, of another hash, malformed, or one too many.
    """
    _check_limits(nodes)
    if root == EMPTY_ROOT and tuple(nodes) in _EMPTY_PROOFS:
        return None
    walk = _Walk(nodes=list(reversed(nodes)), path=_nibbles(key))
    try:
        value = walk.follow(root)
    except rlp.RlpError as error:
        message = f"A node of the proof is malformed. {error.message}"
        raise TrieProofError(message) from error
    if walk.nodes:
        _refuse("it has nodes that lead nowhere")
    return value


def prove_account(root: bytes, address: bytes, nodes: Sequence[bytes]) -> Account | None:
    """Return the account that the state under ``root`` holds, or None where it holds none.

    Raises:
        TrieProofError: The nodes prove neither.
    """
    value = prove(root, keccak256(address), nodes)
    return None if value is None else _account(value)


def prove_slot(root: bytes, slot: bytes, nodes: Sequence[bytes]) -> int:
    """Return the word that the storage under ``root`` holds at ``slot``; absence proves 0.

    Raises:
        TrieProofError: The nodes prove neither.
    """
    value = prove(root, keccak256(slot), nodes)
    return 0 if value is None else _slot_word(value)


def _account(value: bytes) -> Account:
    try:
        items = rlp.decode(value)
        if not isinstance(items, list) or len(items) != _ACCOUNT:
            _refuse("its leaf is no account")
        nonce, balance = rlp.integer(items[0], 8), rlp.integer(items[1])
    except rlp.RlpError as error:
        message = f"The account is malformed. {error.message}"
        raise TrieProofError(message) from error
    return Account(
        nonce=nonce,
        balance=balance,
        storage_root=Digest(_hash(items[2])),
        code_hash=Digest(_hash(items[3])),
    )


def _slot_word(value: bytes) -> int:
    try:
        # Development nodes keep zeros that were read once: such a zero is a proven zero, too.
        return rlp.integer(rlp.decode(value))
    except rlp.RlpError as error:
        message = f"The slot's word is malformed. {error.message}"
        raise TrieProofError(message) from error


@dataclass(slots=True)
class _Walk:
    """The nodes that are left, the next one last, and the nibbles that are left of the key."""

    nodes: list[bytes]
    path: list[int]

    def follow(self, link: rlp.Item) -> bytes | None:
        """Walk from a link to a value, or to the place where it would have to be."""
        while link:
            node = self._open(link)
            if len(node) == _BRANCH:
                link = self._branch(node)
                continue
            is_leaf, part = _decompact(node)
            if is_leaf:
                return _value(node[1]) if self.path == part else None
            link = self._extension(part, node[1])
        return None

    def _open(self, link: rlp.Item) -> list[rlp.Item]:
        # A node of less than 32 bytes stands in its parent itself.
        node = link if isinstance(link, list) else rlp.decode(self._take(link))
        if not isinstance(node, list):
            _refuse("a node is no list")
        return node

    def _take(self, expected: bytes) -> bytes:
        if not self.nodes:
            _refuse("a node is missing")
        node = self.nodes.pop()
        if keccak256(node) != expected:
            _refuse("a node has another hash than its parent says")
        return node

    def _branch(self, node: list[rlp.Item]) -> rlp.Item:
        if not self.path:
            _refuse("a branch stands behind the end of the key")
        return _link(node[self.path.pop(0)])

    def _extension(self, part: list[int], link: rlp.Item) -> rlp.Item:
        if not part:
            _refuse("an extension extends nothing")
        found, self.path = self.path[: len(part)], self.path[len(part) :]
        return _link(link) if found == part else b""


def _nibbles(data: bytes) -> list[int]:
    return [nibble for byte in data for nibble in (byte >> 4, byte & 15)]


def _decompact(node: list[rlp.Item]) -> tuple[bool, list[int]]:
    """Return whether a node of two items is a leaf, and the nibbles of its path (appendix C)."""
    if len(node) != _SHORT:
        _refuse("a node is neither branch, extension nor leaf")
    nibbles = _nibbles(_bytes(node[0]))
    if not nibbles or nibbles[0] > _FLAGS_MAX:
        _refuse("a path has no valid prefix")
    odd = nibbles[0] & 1
    if not odd and nibbles[1] != 0:
        _refuse("a path has no valid prefix")
    return nibbles[0] >= _LEAF_FLAG, nibbles[1 if odd else 2 :]


def _link(item: rlp.Item) -> rlp.Item:
    if isinstance(item, bytes) and len(item) not in {0, _HASH}:
        _refuse("a link is neither a hash nor a node")
    return item


def _value(item: rlp.Item) -> bytes:
    value = _bytes(item)
    if not value:
        _refuse("a leaf is empty")
    return value


def _hash(item: rlp.Item) -> bytes:
    value = _bytes(item)
    if len(value) != _HASH:
        _refuse("a hash has another size")
    return value


def _bytes(item: rlp.Item) -> bytes:
    if isinstance(item, list):
        _refuse("a list stands where bytes must be")
    return item


def _check_limits(nodes: Sequence[bytes]) -> None:
    if len(nodes) > _NODES_MAX or any(len(node) > _NODE_SIZE_MAX for node in nodes):
        _refuse("it is larger than any real proof")


def _refuse(reason: str) -> NoReturn:
    message = f"The proof is wrong: {reason}."
    raise TrieProofError(message, reason=reason)
