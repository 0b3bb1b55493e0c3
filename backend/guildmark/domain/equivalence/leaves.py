"""Salted lists: one root commits to all items, each can be shown alone.

Item n's salt is SHA-256(tag || secret || n in eight bytes), its leaf SHA-256(tag || salt || item).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import ContentError
from guildmark.domain.identifiers import Bytes32, Digest, to_hex
from guildmark.domain.log.merkle import MerkleTree

_SALT_TAG = b"guildmark/equivalence/salt/v1"
_LEAF_TAG = b"guildmark/equivalence/leaf/v1"


class OpeningMismatchError(ContentError):
    """Shown items are not what the registered root commits to."""

    code = "equivalence.openingMismatch"
    hint = "Ask for the data that the registered root commits to; do not compute from these."


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownItem:
    """One item that is shown, its place, and the salt that opens no other."""

    number: int
    salt: Bytes32
    item: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """All leaves of a salted list, and the items that somebody shows. Unchecked."""

    leaves: tuple[Digest, ...]
    shown: tuple[ShownItem, ...]

    def verify(self, root: Digest) -> Mapping[int, bytes]:
        """Return the shown items by their places, where ``root`` commits to them.

        Raises:
            OpeningMismatchError: The leaves lead elsewhere, or an item is not its leaf.
        """
        if not self.leaves or MerkleTree(self.leaves).root() != root:
            message = f"The leaves that are shown do not lead to {to_hex(root)}."
            raise OpeningMismatchError(message, root=to_hex(root))
        for one in self.shown:
            is_placed = 0 <= one.number < len(self.leaves)
            if not is_placed or _leaf(one.salt, one.item) != self.leaves[one.number]:
                message = f"The item that is shown is not number {one.number} of the list."
                raise OpeningMismatchError(message, root=to_hex(root), number=one.number)
        return {one.number: one.item for one in self.shown}


@dataclass(frozen=True, slots=True, kw_only=True)
class SaltedList:
    """Items in their order, blinded by a secret of their owner.

    Args:
        secret: 32 random bytes; who has them can try items out on all leaves.
    """

    secret: Bytes32 = field(repr=False)
    items: tuple[bytes, ...] = field(repr=False)

    def root(self) -> Digest:
        """Return the root that commits to all items and their order."""
        return MerkleTree(self._leaves()).root()

    def open(self, numbers: Sequence[int]) -> Opening:
        """Return what shows some items and tells nothing of the others."""
        shown = tuple(
            ShownItem(number=number, salt=self._salt(number), item=self.items[number])
            for number in numbers
        )
        return Opening(leaves=self._leaves(), shown=shown)

    def _leaves(self) -> tuple[Digest, ...]:
        return tuple(_leaf(self._salt(number), item) for number, item in enumerate(self.items))

    def _salt(self, number: int) -> Bytes32:
        return Bytes32(sha256(_SALT_TAG + self.secret + number.to_bytes(8, "big")))


def _leaf(salt: Bytes32, item: bytes) -> Digest:
    return sha256(_LEAF_TAG + salt + item)
