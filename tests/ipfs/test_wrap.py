"""Wrapped content keys: they open for one recipient, in one context."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark_ipfs.cid import Cid, Codec
from guildmark_ipfs.errors import MalformedError, WrongKeyError
from guildmark_ipfs.keys import ContentKey, PrivateKey
from guildmark_ipfs.wrap import WrapContext, unwrap, wrap

WRAPPED_SIZE = 81
SITE = PrivateKey.from_bytes(b"s" * 32)
CONTEXT = WrapContext(
    chain_id=31337,
    license_id=b"l" * 32,
    recipient=b"r" * 32,
    cid=Cid.of(b"a file", Codec.RAW),
)
ids = st.binary(min_size=32, max_size=32)
contexts = st.builds(
    WrapContext,
    chain_id=st.integers(1, 2**256 - 1),
    license_id=ids,
    recipient=ids,
    cid=st.builds(Cid, st.sampled_from(Codec), ids),
)


@given(ids, ids, contexts)
def test_a_wrapped_key_opens(secret: bytes, site: bytes, context: WrapContext) -> None:
    recipient = PrivateKey.from_bytes(site)

    wrapped = wrap(ContentKey.from_bytes(secret), recipient.public_key(), context)

    assert len(wrapped) == WRAPPED_SIZE
    assert unwrap(wrapped, recipient, context) == ContentKey.from_bytes(secret)


def test_two_wrappings_of_one_key_differ() -> None:
    key = ContentKey.from_bytes(bytes(32))

    assert wrap(key, SITE.public_key(), CONTEXT) != wrap(key, SITE.public_key(), CONTEXT)


@pytest.mark.parametrize(
    "other",
    [
        dataclasses.replace(CONTEXT, chain_id=31338),
        dataclasses.replace(CONTEXT, license_id=b"m" * 32),
        dataclasses.replace(CONTEXT, recipient=b"q" * 32),
        dataclasses.replace(CONTEXT, cid=Cid.of(b"another file", Codec.RAW)),
        dataclasses.replace(CONTEXT, cid=Cid(Codec.DAG_PB, CONTEXT.cid.digest)),
    ],
    ids=["chain", "license", "recipient", "file", "codec"],
)
def test_a_wrapped_key_is_bound_to_every_part_of_its_context(other: WrapContext) -> None:
    wrapped = wrap(ContentKey.from_bytes(bytes(32)), SITE.public_key(), CONTEXT)

    with pytest.raises(WrongKeyError):
        unwrap(wrapped, SITE, other)


@given(contexts, contexts)
def test_two_contexts_are_bound_by_two_infos(one: WrapContext, other: WrapContext) -> None:
    assert (one.info() == other.info()) == (one == other)


def test_another_recipient_does_not_open_it() -> None:
    wrapped = wrap(ContentKey.from_bytes(bytes(32)), SITE.public_key(), CONTEXT)

    with pytest.raises(WrongKeyError, match="does not open"):
        unwrap(wrapped, PrivateKey.from_bytes(b"t" * 32), CONTEXT)


@given(st.integers(1, WRAPPED_SIZE - 1), st.integers(1, 255))
def test_a_changed_byte_does_not_open(at: int, flip: int) -> None:
    wrapped = bytearray(wrap(ContentKey.from_bytes(bytes(32)), SITE.public_key(), CONTEXT))
    wrapped[at] ^= flip

    with pytest.raises(WrongKeyError):
        unwrap(bytes(wrapped), SITE, CONTEXT)


def test_other_sizes_and_suites_are_refused() -> None:
    wrapped = wrap(ContentKey.from_bytes(bytes(32)), SITE.public_key(), CONTEXT)

    for bad in (b"", wrapped[:-1], wrapped + b"x", b"\x02" + wrapped[1:]):
        with pytest.raises(MalformedError, match="has 81 bytes, the first 1"):
            unwrap(bad, SITE, CONTEXT)


@pytest.mark.parametrize("chain_id", [-1, 0, 2**256])
def test_a_context_names_a_chain(chain_id: int) -> None:
    with pytest.raises(MalformedError, match="no chain id"):
        dataclasses.replace(CONTEXT, chain_id=chain_id)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_context_names_license_and_recipient_by_32_bytes(size: int) -> None:
    with pytest.raises(MalformedError, match="32 bytes each"):
        dataclasses.replace(CONTEXT, license_id=bytes(size))
    with pytest.raises(MalformedError, match="32 bytes each"):
        dataclasses.replace(CONTEXT, recipient=bytes(size))
