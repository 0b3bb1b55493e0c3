"""A log entry and its salted leaf, the same bytes as in Solidity."""

from dataclasses import dataclass
from enum import IntEnum

from guildmark.domain.encoding import abi
from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.identifiers import Bytes32, Digest, IdentityId, SiteRecipeId

ENTRY_DOMAIN = keccak256(b"guildmark/entry/v1")
NO_PREVIOUS = 0


class EntryKind(IntEnum):
    """What an entry says."""

    BUILD = 1
    SCRAP = 2
    """A unit that became no part: it failed, or its number was lost."""
    CORRECTION = 3
    RECEIPT = 4
    INSPECTION = 5

    @property
    def is_of_a_part(self) -> bool:
        """Return whether the entry tells of a part, with a page and a bundle of its own."""
        return self not in {EntryKind.RECEIPT, EntryKind.INSPECTION}

    @property
    def is_counted(self) -> bool:
        """Return whether the entry takes a counter of its machine, a unit and a label."""
        return self in {EntryKind.BUILD, EntryKind.SCRAP}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry as its leaf commits to it: `IPartRegistry.Entry`.

    Args:
        kind: What it says; only builds and scrap have a unit.
        subject: Salted digest of the part's label.
        envelope: SHA-256 of the DSSE envelope, bytes as received.
        site_recipe: Id of the site's recipe.
        machine: The machine.
        maker: The organization of the machine's site.
        dependencies: Root over the recall keys that only the maker knows.
        previous: 1 + index of an earlier entry of the same subject, 0 = none; navigation, no proof.
    """

    kind: EntryKind
    subject: Digest
    envelope: Digest
    site_recipe: SiteRecipeId
    machine: IdentityId
    maker: IdentityId
    dependencies: Digest
    previous: int = NO_PREVIOUS

    def encode(self) -> bytes:
        """Return `abi.encode(Entry)`: eight words.

        Raises:
            AbiRangeError: A value does not fit its field.
        """
        ids = (
            self.subject,
            self.envelope,
            self.site_recipe,
            self.machine,
            self.maker,
            self.dependencies,
        )
        words = (abi.uint(self.kind, 8), *map(abi.bytes32, ids), abi.uint(self.previous, 64))
        return b"".join(words)

    def leaf_data(self, salt: Bytes32) -> Digest:
        """Return the 32 opaque bytes that the log publishes for this entry.

        SHA-256(abi.encode(domain, salt, entry)); its leaf in the batch's tree is
        `merkle.leaf_hash` of it.

        Raises:
            AbiRangeError: A value does not fit its field.
        """
        return sha256(ENTRY_DOMAIN + abi.bytes32(salt) + self.encode())
