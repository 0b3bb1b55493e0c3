"""A block's header in RLP, rebuilt from a node's JSON and checked against the block's hash."""

from collections.abc import Mapping
from typing import Any

from guildmark.adapters.chain.rpc import data, quantity
from guildmark.domain.chain.ethproof.header import HEADER_FIELDS, encode_header
from guildmark.domain.encoding.hashing import keccak256
from guildmark.ports.chain import LedgerAnswerError


def header(block: Mapping[str, Any]) -> bytes:
    """Return the header's RLP.

    Raises:
        LedgerAnswerError: The fields do not hash to the block's hash.
    """
    encoded = encode_header(
        {
            name: quantity(block[name]) if is_number else data(block[name])
            for name, is_number in HEADER_FIELDS
            if block.get(name) is not None
        }
    )
    if keccak256(encoded) != data(block.get("hash"), 32):
        message = f"The header of block {block.get('number')} does not hash to its block's hash."
        raise LedgerAnswerError(message, block=str(block.get("number")))
    return encoded
