"""Designs on chain: revisions, and the commitment that fixes their priority."""

from dataclasses import dataclass, field

from guildmark.domain.encoding import abi
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Address, Bytes32, ChainId, DesignId, Digest

DESIGN_DOMAIN = keccak256(b"guildmark/design/v1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One revision of a design: `IDesignRegistry.Revision`.

    Args:
        design: The design.
        number: From 1.
        root: Salted root over the file set.
        ciphertext: RFC 9162 root over the SHA-256 digests of the encrypted files.
        manifest: SHA-256 of the manifest document.
        at: The block time of its publication.
        derived_from: Digests of the revisions that it builds on.
    """

    design: DesignId
    number: int
    root: Digest
    ciphertext: Digest
    manifest: Digest
    at: int
    derived_from: tuple[Digest, ...] = ()

    def digest(self) -> Digest:
        """Return what the chain keeps: keccak256(abi.encode(Revision)).

        Raises:
            AbiRangeError: A value does not fit its field.
        """
        words = (
            abi.bytes32(self.design),
            abi.uint(self.number, 40),
            abi.bytes32(self.root),
            abi.bytes32(self.ciphertext),
            abi.bytes32(self.manifest),
            abi.uint(self.at, 40),
        )
        return keccak256(abi.dynamic_struct(words, abi.array(self.derived_from)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """What a designer commits to before the reveal; its digest becomes the design's id."""

    chain_id: ChainId
    registry: Address
    owner: Address
    root: Digest
    salt: Bytes32 = field(repr=False)

    def design_id(self) -> DesignId:
        """Return keccak256(abi.encode(domain, chain id, registry, owner, root, salt)).

        Raises:
            AbiRangeError: A value does not fit its field.
        """
        words = (
            DESIGN_DOMAIN,
            abi.uint(self.chain_id),
            abi.address(self.registry),
            abi.address(self.owner),
            abi.bytes32(self.root),
            abi.bytes32(self.salt),
        )
        return DesignId(keccak256(b"".join(words)))
