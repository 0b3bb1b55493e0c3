"""What accounts sign: typed data of EIP-712, bound to a chain and a contract."""

from dataclasses import dataclass

from guildmark.domain.encoding import abi
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Address, ChainId, Digest, Index, PartId

VOID_TYPE = keccak256(b"Void(uint256 part)")
SUPERSEDE_TYPE = keccak256(b"Supersede(uint256 part,uint64 byIndex)")
DOMAIN_TYPE = keccak256(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedDataDomain:
    """Where a signature counts: one name and version, on one chain, at one contract."""

    name: str
    version: str
    chain_id: ChainId
    contract: Address

    def separator(self) -> Digest:
        """Return the domain separator."""
        words = (
            DOMAIN_TYPE,
            keccak256(self.name.encode()),
            keccak256(self.version.encode()),
            abi.uint(self.chain_id),
            abi.address(self.contract),
        )
        return keccak256(b"".join(words))

    def digest(self, struct_hash: Digest) -> Digest:
        """Return what is signed: keccak256(0x1901 || separator || struct hash)."""
        return keccak256(b"\x19\x01" + self.separator() + struct_hash)


def licenses_domain(*, chain_id: ChainId, contract: Address) -> TypedDataDomain:
    """Return the domain of the license registry: the digest of terms is the license's id."""
    return TypedDataDomain(
        name="Guildmark Licenses", version="1", chain_id=chain_id, contract=contract
    )


def recipes_domain(*, chain_id: ChainId, contract: Address) -> TypedDataDomain:
    """Return the domain of the recipe registry, for approvals."""
    return TypedDataDomain(
        name="Guildmark Recipes", version="1", chain_id=chain_id, contract=contract
    )


def parts_domain(*, chain_id: ChainId, contract: Address) -> TypedDataDomain:
    """Return the domain of the part registry."""
    return TypedDataDomain(
        name="Guildmark Parts", version="1", chain_id=chain_id, contract=contract
    )


def void_hash(part: PartId) -> Digest:
    """Return the struct hash by which a token's owner agrees that the part is void."""
    return keccak256(VOID_TYPE + abi.uint(part.token_id))


def supersede_hash(part: PartId, by_index: Index) -> Digest:
    """Return the struct hash by which writer and owner agree that another entry replaces a part.

    Raises:
        AbiRangeError: The index does not fit its field.
    """
    return keccak256(SUPERSEDE_TYPE + abi.uint(part.token_id) + abi.uint(by_index, 64))
