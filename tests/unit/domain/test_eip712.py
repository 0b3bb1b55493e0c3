"""Typed data of parts against eth_account."""

from typing import Any

import pytest
from eth_account.messages import encode_typed_data

from guildmark.domain.chain import eip712
from guildmark.domain.encoding.abi import AbiRangeError
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Address, ChainId, Digest, Index, LogNumber, PartId

CONTRACT = Address(b"\x5a" * 20)
DOMAIN = eip712.parts_domain(chain_id=ChainId(7), contract=CONTRACT)
PART = PartId(
    chain_id=ChainId(7), build_log=Address(bytes(20)), log=LogNumber(3), index=Index(1042)
)


def peer_digest(primary: str, fields: dict[str, str], message: dict[str, Any]) -> Digest:
    signable = encode_typed_data(
        domain_data={
            "name": "Guildmark Parts",
            "version": "1",
            "chainId": 7,
            "verifyingContract": "0x" + CONTRACT.hex(),
        },
        message_types={primary: [{"name": name, "type": kind} for name, kind in fields.items()]},
        message_data=message,
    )
    return keccak256(b"\x19" + signable.version + signable.header + signable.body)


def test_void_is_the_typed_data_of_eth_account() -> None:
    theirs = peer_digest("Void", {"part": "uint256"}, {"part": PART.token_id})

    assert DOMAIN.digest(eip712.void_hash(PART)) == theirs


def test_supersede_is_the_typed_data_of_eth_account() -> None:
    theirs = peer_digest(
        "Supersede",
        {"part": "uint256", "byIndex": "uint64"},
        {"part": PART.token_id, "byIndex": 2**64 - 1},
    )

    assert DOMAIN.digest(eip712.supersede_hash(PART, Index(2**64 - 1))) == theirs


def test_an_index_beyond_its_field_is_refused() -> None:
    with pytest.raises(AbiRangeError):
        eip712.supersede_hash(PART, Index(2**64))
