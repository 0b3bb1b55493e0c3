"""Revisions and design ids against eth_abi."""

from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Address, Bytes32, ChainId, DesignId, Digest
from guildmark.domain.rights import design as de

WORDS = st.binary(min_size=32, max_size=32)


@given(WORDS, st.integers(1, 2**40 - 1), st.lists(WORDS, max_size=16))
def test_revision_digest_is_keccak_of_the_struct(
    word: bytes, number: int, derived_from: list[bytes]
) -> None:
    revision = de.Revision(
        design=DesignId(word),
        number=number,
        root=Digest(b"\x01" * 32),
        ciphertext=Digest(b"\x02" * 32),
        manifest=Digest(b"\x03" * 32),
        at=1_800_000_000,
        derived_from=tuple(map(Digest, derived_from)),
    )

    layout = "(bytes32,uint40,bytes32,bytes32,bytes32,uint40,bytes32[])"
    roots = (b"\x01" * 32, b"\x02" * 32, b"\x03" * 32)
    theirs = encode([layout], [(word, number, *roots, 1_800_000_000, derived_from)])
    assert revision.digest() == keccak256(theirs)


def test_design_id_binds_chain_contract_owner_root_and_salt() -> None:
    commitment = de.Commitment(
        chain_id=ChainId(5_000_000_000),
        registry=Address(b"\x0a" * 20),
        owner=Address(b"\x0b" * 20),
        root=Digest(b"\x0c" * 32),
        salt=Bytes32(b"\x0d" * 32),
    )

    theirs = encode(
        ["bytes32", "uint256", "address", "address", "bytes32", "bytes32"],
        [
            keccak256(b"guildmark/design/v1"),
            5_000_000_000,
            b"\x0a" * 20,
            b"\x0b" * 20,
            b"\x0c" * 32,
            b"\x0d" * 32,
        ],
    )
    assert bytes(commitment.design_id()) == keccak256(theirs)
