"""The recall keys that only a maker knows, committed to one by one under a salted root."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import ZERO32, Bytes32, Digest
from guildmark.domain.log.merkle import MerkleTree

NO_DEPENDENCIES = Digest(ZERO32)

_DEPENDENCY_TAG = b"guildmark/dependency/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """A recall key that only the maker knows, for example a material lot, and its salt."""

    key: Bytes32
    salt: Bytes32 = field(repr=False)

    def leaf_data(self) -> Digest:
        """Return SHA-256("guildmark/dependency/v1" || salt || key)."""
        return sha256(_DEPENDENCY_TAG + self.salt + self.key)


def dependencies_root(dependencies: Sequence[Dependency]) -> Digest:
    """Return the root that commits to the dependencies in their order; 0 where there are none."""
    if not dependencies:
        return NO_DEPENDENCIES
    return MerkleTree(one.leaf_data() for one in dependencies).root()
