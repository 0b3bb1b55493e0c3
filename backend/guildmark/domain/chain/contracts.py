"""The contracts of one deployment, and what pins a chain: names, addresses, code, genesis."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from guildmark.domain.identifiers import Address, ChainId, Digest, to_hex


class ContractName(StrEnum):
    """The contracts of a deployment, in the order in which they are deployed."""

    IDENTITIES = "identities"
    DESIGNS = "designs"
    RECIPES = "recipes"
    LICENSES = "licenses"
    LOG = "log"
    PARTS = "parts"
    EQUIVALENCE = "equivalence"
    RECALLS = "recalls"
    DIRECTORY = "directory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """An ERC-20 coin: a contract of others, at an address that terms name."""

    address: Address

    def __str__(self) -> str:
        return f"coin {to_hex(self.address)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payee:
    """An account that gets native coin, without a call of anything."""

    address: Address

    def __str__(self) -> str:
        return f"account {to_hex(self.address)}"


class ChainClass(StrEnum):
    """Who can rewrite the chain: nobody alone, its members, or its one keeper."""

    PUBLIC = "public"
    CONSORTIUM = "consortium"
    LOCAL = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractPin:
    """Where a contract is and which code it has."""

    address: Address
    code_hash: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainPin:
    """What names one chain and one deployment on it."""

    chain_id: ChainId
    genesis: Digest
    chain_class: ChainClass = field(metadata={"json": "class"})
    contracts: Mapping[ContractName, ContractPin]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotProof:
    """A 32-byte storage slot, its value and the trie nodes from the storage root down."""

    slot: bytes
    value: int
    nodes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountProof:
    """An account of a block, the trie nodes from the state root down, and proofs of its slots."""

    address: Address
    nonce: int
    balance: int
    storage_root: Digest
    code_hash: Digest
    nodes: tuple[bytes, ...]
    slots: tuple[SlotProof, ...]
