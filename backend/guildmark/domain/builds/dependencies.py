"""What only a maker knows that a part could be recalled by, committed to one by one."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from guildmark.domain.encoding import strictjson
from guildmark.domain.encoding.document import Document
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import ZERO32, Bytes32, Digest
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.recall import Thing

NO_DEPENDENCIES = Digest(ZERO32)

DEPENDENCIES_MAX = 32
"""How many things a maker declares of one part: what a bundle can prove the recalls of."""

DECLARATION_LIMITS = strictjson.Limits(size=1 << 15, depth=5, values=512)

_DEPENDENCY_TAG = b"guildmark/dependency/v1"


class DeclarationSizeError(MalformedError):
    """Nothing is declared of a part, or more than a bundle can prove the recalls of."""

    code = "build.declarationSize"
    hint = f"Name up to {DEPENDENCIES_MAX} lots of a part; name one lot once."


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration(Document):
    """All that a maker declares of one part, in the order that statement and entry commit to."""

    LIMITS = DECLARATION_LIMITS

    dependencies: tuple[Dependency, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.dependencies) <= DEPENDENCIES_MAX:
            message = f"A maker declares 1 to {DEPENDENCIES_MAX} things of a part."
            raise DeclarationSizeError(message, found=len(self.dependencies))

    def root(self) -> Digest:
        """Return what statement and entry hold."""
        return dependencies_root(self.dependencies)


def dependencies_root(dependencies: Sequence[Dependency]) -> Digest:
    """Return the root that commits to the dependencies in their order; 0 where there are none."""
    if not dependencies:
        return NO_DEPENDENCIES
    return MerkleTree(one.leaf_data() for one in dependencies).root()
