"""Entries: their layout and salted leaf against eth_abi."""

import hashlib

from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Bytes32, Digest, IdentityId, SiteRecipeId
from guildmark.domain.log import entry as en

WORDS = st.binary(min_size=32, max_size=32)
LAYOUT = ["uint8", *["bytes32"] * 6, "uint64"]


@given(
    st.sampled_from(en.EntryKind),
    st.tuples(*[WORDS] * 6),
    st.integers(0, 2**64 - 1),
    WORDS,
)
def test_leaf_data_is_sha256_over_the_abi_of_domain_salt_and_entry(
    kind: en.EntryKind, ids: tuple[bytes, ...], previous: int, salt: bytes
) -> None:
    entry = en.Entry(
        kind=kind,
        subject=Digest(ids[0]),
        envelope=Digest(ids[1]),
        site_recipe=SiteRecipeId(ids[2]),
        machine=IdentityId(ids[3]),
        maker=IdentityId(ids[4]),
        dependencies=Digest(ids[5]),
        previous=previous,
    )

    theirs = encode(["bytes32", "bytes32", *LAYOUT], [en.ENTRY_DOMAIN, salt, kind, *ids, previous])

    assert entry.encode() == theirs[64:]
    assert entry.leaf_data(Bytes32(salt)) == hashlib.sha256(theirs).digest()


def test_domain_is_keccak_of_its_versioned_name() -> None:
    assert keccak256(b"guildmark/entry/v1") == en.ENTRY_DOMAIN
