"""Trie proofs: values and absence, held equal to the library; every mutation is noticed."""

import contextlib
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from fakes.tries import Trie, compact, secure
from guildmark.domain.chain.ethproof import rlp, trie
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Digest

# Keys from a small alphabet share prefixes, so that extensions and inline nodes occur.
KEYS = st.lists(st.sampled_from([0x00, 0x01, 0x10, 0xFF]), min_size=3, max_size=3).map(bytes)
VALUES = st.binary(min_size=1, max_size=40)
TABLES = st.dictionaries(KEYS, VALUES, max_size=20)


def library(values: Mapping[bytes, bytes]) -> HexaryTrie:
    oracle = HexaryTrie({})
    for key, value in values.items():
        oracle[key] = value
    return oracle


@given(TABLES, KEYS)
def test_values_and_absence_are_proven_like_the_library(
    values: dict[bytes, bytes], key: bytes
) -> None:
    oracle = library(values)
    # The library lists nodes that stand in their parents, too; Ethereum's proofs do not.
    # The library gives this one call no type.
    proof = oracle.get_proof(key)  # type: ignore[no-untyped-call]
    encoded = [rlp.encode(node) for node in proof]
    nodes = [node for at, node in enumerate(encoded) if at == 0 or len(node) >= 32]

    assert trie.prove(oracle.root_hash, key, nodes) == values.get(key)


@given(TABLES, KEYS)
def test_the_fake_builds_the_tries_of_the_library(values: dict[bytes, bytes], key: bytes) -> None:
    fake = Trie.of(values)

    assert fake.root == library(values).root_hash
    assert trie.prove(fake.root, key, fake.prove(key)) == values.get(key)


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=20), KEYS, st.data())
def test_a_mutated_proof_never_proves_anything_else(
    values: dict[bytes, bytes], key: bytes, data: st.DataObject
) -> None:
    fake = Trie.of(values)
    nodes = [bytearray(node) for node in fake.prove(key)]
    node = data.draw(st.sampled_from(nodes))
    node[data.draw(st.integers(0, len(node) - 1))] ^= data.draw(st.integers(1, 255))

    with pytest.raises(trie.TrieProofError, match="another hash"):
        trie.prove(fake.root, key, [bytes(node) for node in nodes])


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=20), KEYS)
def test_a_node_more_or_less_is_refused(values: dict[bytes, bytes], key: bytes) -> None:
    fake = Trie.of(values)
    nodes = fake.prove(key)

    with pytest.raises(trie.TrieProofError, match="a node is missing"):
        trie.prove(fake.root, key, nodes[:-1])
    with pytest.raises(trie.TrieProofError, match="nodes that lead nowhere"):
        trie.prove(fake.root, key, (*nodes, nodes[-1]))


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=4), KEYS)
def test_any_bytes_are_refused_without_a_crash(nodes: list[bytes], key: bytes) -> None:
    with contextlib.suppress(trie.TrieProofError):
        trie.prove(keccak256(nodes[0]), key, nodes)


def test_an_empty_trie_proves_absence_without_a_node() -> None:
    assert trie.prove(trie.EMPTY_ROOT, b"\1" * 32, []) is None
    assert trie.prove(trie.EMPTY_ROOT, b"\1" * 32, [b"\x80"]) is None


def malformed(node: rlp.Item) -> tuple[bytes, bytes]:
    encoded = rlp.encode(node)
    return keccak256(encoded), encoded


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (b"bytes", "a node is no list"),
        ([b"", b"", b""], "neither branch, extension nor leaf"),
        ([[], b"value"], "a list stands where bytes must be"),
        ([b"", b"value"], "no valid prefix"),
        ([b"\x40", b"value"], "no valid prefix"),
        ([b"\x2f", b"value"], "no valid prefix"),
        ([b"\x00", b"x" * 32], "an extension extends nothing"),
        ([b"\x20\xab", b""], "a leaf is empty"),
        ([b"\x20\xab", [b"value"]], "a list stands where bytes must be"),
        ([b"\x00\xab", b"x" * 31], "neither a hash nor a node"),
        ([b"\x1a", [b"", b"value"]], "no valid prefix"),
        ([b"x" * 31] * 17, "neither a hash nor a node"),
        ([b"\x00\xab", [b""] * 17], "a branch stands behind the end of the key"),
    ],
)
def test_malformed_nodes_are_refused(node: rlp.Item, reason: str) -> None:
    root, encoded = malformed(node)

    with pytest.raises(trie.TrieProofError, match=reason):
        trie.prove(root, b"\xab", [encoded])


def test_a_node_that_is_not_rlp_is_refused() -> None:
    with pytest.raises(trie.TrieProofError, match="not the shortest form"):
        trie.prove(keccak256(b"\x81\x00"), b"\xab", [b"\x81\x00"])


@pytest.mark.parametrize("nodes", [[b"x"] * 66, [b"x" * 1025]])
def test_a_proof_beyond_the_limits_is_refused(nodes: list[bytes]) -> None:
    with pytest.raises(trie.TrieProofError, match="larger than any real proof"):
        trie.prove(b"\0" * 32, b"\xab", nodes)


ACCOUNT: list[rlp.Item] = [b"\1", b"\2\0", b"s" * 32, b"c" * 32]


def account_proof(leaf: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    fake = secure({b"a" * 20: leaf})
    return fake.root, fake.prove(keccak256(b"a" * 20))


def test_an_account_is_proven() -> None:
    root, nodes = account_proof(rlp.encode(ACCOUNT))

    account = trie.prove_account(root, b"a" * 20, nodes)

    assert account == trie.Account(
        nonce=1, balance=512, storage_root=Digest(b"s" * 32), code_hash=Digest(b"c" * 32)
    )
    assert trie.prove_account(root, b"b" * 20, nodes) is None


@pytest.mark.parametrize(
    ("leaf", "reason"),
    [
        (b"\x81\x00", "The account is malformed"),
        (rlp.encode(b"account"), "its leaf is no account"),
        (rlp.encode(ACCOUNT[:3]), "its leaf is no account"),
        (rlp.encode([b"\0", *ACCOUNT[1:]]), "The account is malformed"),
        (rlp.encode([*ACCOUNT[:3], b"c" * 31]), "a hash has another size"),
        (rlp.encode([*ACCOUNT[:3], []]), "a list stands where bytes must be"),
    ],
)
def test_a_leaf_that_is_no_account_is_refused(leaf: bytes, reason: str) -> None:
    root, nodes = account_proof(leaf)

    with pytest.raises(trie.TrieProofError, match=reason):
        trie.prove_account(root, b"a" * 20, nodes)


def test_a_slot_is_proven_and_absence_is_zero() -> None:
    slot, other = b"\1".rjust(32, b"\0"), b"\2".rjust(32, b"\0")
    fake = secure({slot: rlp.encode(rlp.encode_integer(2**256 - 1))})

    assert trie.prove_slot(fake.root, slot, fake.prove(keccak256(slot))) == 2**256 - 1
    assert trie.prove_slot(fake.root, other, fake.prove(keccak256(other))) == 0


def test_a_zero_that_the_trie_holds_is_zero() -> None:
    slot = b"\1".rjust(32, b"\0")
    fake = secure({slot: rlp.encode(b"")})

    assert trie.prove_slot(fake.root, slot, fake.prove(keccak256(slot))) == 0


@pytest.mark.parametrize(
    ("leaf", "reason"),
    [
        (b"\x81\x00", "The slot's word is malformed"),
        (rlp.encode(b"\0\1"), "The slot's word is malformed"),
        (rlp.encode(b"\1" * 33), "The slot's word is malformed"),
    ],
)
def test_a_leaf_that_is_no_word_is_refused(leaf: bytes, reason: str) -> None:
    fake = secure({b"\1" * 32: leaf})

    with pytest.raises(trie.TrieProofError, match=reason):
        trie.prove_slot(fake.root, b"\1" * 32, fake.prove(keccak256(b"\1" * 32)))


def test_hex_prefixes_follow_the_standard() -> None:
    assert compact((1, 2, 3, 4, 5), leaf=False).hex() == "112345"
    assert compact((0, 1, 2, 3, 4, 5), leaf=False).hex() == "00012345"
    assert compact((0xF, 1, 0xC, 0xB, 8), leaf=True).hex() == "3f1cb8"
    assert compact((0, 0xF, 1, 0xC, 0xB, 8), leaf=True).hex() == "200f1cb8"
