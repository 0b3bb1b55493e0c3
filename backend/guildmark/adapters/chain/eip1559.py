"""EIP-1559 transactions: the digest that is signed, and the raw bytes that are sent."""

from dataclasses import dataclass

from guildmark.domain.chain.ethproof import rlp
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Address, ChainId, Digest

_TYPE = b"\x02"
_V_BASE = 27


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """What a transaction offers for a unit of gas, in wei."""

    max_fee: int
    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A transaction before it is signed (EIP-1559, type 2, without an access list).

    Args:
        to: The account that is called; None creates a contract.
    """

    chain_id: ChainId
    nonce: int
    fees: Fees
    gas: int
    to: Address | None
    value: int = 0
    data: bytes = b""

    def digest(self) -> Digest:
        """Return what the sender signs."""
        return keccak256(_TYPE + rlp.encode(self._fields()))

    def signed(self, signature: bytes) -> bytes:
        """Return the raw transaction, with r, s and v (27 or 28) of the sender's signature."""
        r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
        parity = signature[64] - _V_BASE
        end = [rlp.encode_integer(number) for number in (parity, r, s)]
        return _TYPE + rlp.encode([*self._fields(), *end])

    def _fields(self) -> list[rlp.Item]:
        numbers = (
            *(self.chain_id, self.nonce, self.fees.priority, self.fees.max_fee),
            self.gas,
        )
        access_list: list[rlp.Item] = []
        return [
            *(rlp.encode_integer(number) for number in numbers),
            self.to or b"",
            rlp.encode_integer(self.value),
            self.data,
            access_list,
        ]


def transaction_hash(raw: bytes) -> Digest:
    """Return the hash by which the chain knows a raw transaction."""
    return keccak256(raw)


def created_address(sender: Address, nonce: int) -> Address:
    """Return the address of the contract that a creating transaction makes (yellow paper, 7)."""
    return Address(keccak256(rlp.encode([sender, rlp.encode_integer(nonce)]))[12:])
