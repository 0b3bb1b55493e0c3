"""A block's header in RLP, rebuilt from a node's JSON and checked against the block's hash."""

from collections.abc import Mapping
from typing import Any

from guildmark.adapters.chain.rpc import data, quantity
from guildmark.domain.chain.ethproof import rlp
from guildmark.domain.encoding.hashing import keccak256
from guildmark.ports import LedgerAnswerError

# Yellow paper 4.4.3, then EIP-1559, EIP-4895, EIP-4844 (two), EIP-4788 and EIP-7685.
_FIELDS: tuple[tuple[str, bool], ...] = (
    ("parentHash", False),
    ("sha3Uncles", False),
    ("miner", False),
    ("stateRoot", False),
    ("transactionsRoot", False),
    ("receiptsRoot", False),
    ("logsBloom", False),
    ("difficulty", True),
    ("number", True),
    ("gasLimit", True),
    ("gasUsed", True),
    ("timestamp", True),
    ("extraData", False),
    ("mixHash", False),
    ("nonce", False),
    ("baseFeePerGas", True),
    ("withdrawalsRoot", False),
    ("blobGasUsed", True),
    ("excessBlobGas", True),
    ("parentBeaconBlockRoot", False),
    ("requestsHash", False),
)


def header(block: Mapping[str, Any]) -> bytes:
    """Return the header's RLP.

    Raises:
        LedgerAnswerError: The fields do not hash to the block's hash.
    """
    present = [(name, number) for name, number in _FIELDS if block.get(name) is not None]
    fields: list[rlp.Item] = [
        rlp.encode_integer(quantity(block[name])) if number else data(block[name])
        for name, number in present
    ]
    encoded = rlp.encode(fields)
    if keccak256(encoded) != data(block.get("hash"), 32):
        message = f"The header of block {block.get('number')} does not hash to its block's hash."
        raise LedgerAnswerError(message, block=str(block.get("number")))
    return encoded
