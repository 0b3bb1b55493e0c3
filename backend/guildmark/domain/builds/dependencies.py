"""What only a maker knows that a part could be recalled by, committed to one by one."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import ZERO32, Bytes32, Digest
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.recall import Thing

NO_DEPENDENCIES = Digest(ZERO32)

DEPENDENCIES_MAX = 32
"""How many things a maker declares of one part: what a bundle can prove the recalls of."""

_DEPENDENCY_TAG = b"guildmark/dependency/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """Something that only the maker knows to be in a part, for example a material lot.

    Args:
        thing: What the part could be recalled by.
        salt: 32 random bytes, so that nobody finds it by trying.
    """

    thing: Thing
    salt: Bytes32 = field(repr=False)

    def leaf_data(self) -> Digest:
        """Return SHA-256("guildmark/dependency/v1" || salt || recall key)."""
        return sha256(_DEPENDENCY_TAG + self.salt + self.thing.key())


def dependencies_root(dependencies: Sequence[Dependency]) -> Digest:
    """Return the root that commits to the dependencies in their order; 0 where there are none."""
    if not dependencies:
        return NO_DEPENDENCIES
    return MerkleTree(one.leaf_data() for one in dependencies).root()
