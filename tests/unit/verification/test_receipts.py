"""Receipts and the trie of a list: held equal to the libraries."""

from dataclasses import dataclass

import rlp as oracle
from hypothesis import given
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from guildmark.domain.chain.ethproof.receipts import KINDS, encode_receipt, list_root
from guildmark.domain.chain.ethproof.trie import EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class Written:
    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


TOPICS = st.lists(st.binary(min_size=32, max_size=32), max_size=4).map(tuple)
LOGS = st.lists(
    st.builds(
        Written,
        address=st.binary(min_size=20, max_size=20),
        topics=TOPICS,
        data=st.binary(max_size=400),
    ),
    max_size=3,
)
BLOOM = bytes(range(256))


def library_root(values: list[bytes]) -> bytes:
    table = HexaryTrie({})
    for place, value in enumerate(values):
        table[oracle.encode(place)] = value
    return bytes(table.root_hash)


# Short values stand in their parents themselves.
@given(st.lists(st.binary(min_size=1, max_size=60), max_size=40))
def test_the_root_of_a_list_is_the_librarys(values: list[bytes]) -> None:
    assert list_root(values) == library_root(values)


def test_places_of_more_than_one_byte_have_their_keys() -> None:
    values = [b"%d" % place * 20 for place in range(300)]

    assert list_root(values) == library_root(values)
    assert list_root([]) == EMPTY_ROOT


@given(st.sampled_from(sorted(KINDS)), st.sampled_from([b"", b"\x01", b"\x07" * 32]), LOGS)
def test_a_receipt_is_written_as_the_standard_says(
    kind: int, outcome: bytes, logs: list[Written]
) -> None:
    written = [[log.address, list(log.topics), log.data] for log in logs]
    encoded = oracle.encode([outcome, 54_321, BLOOM, written])

    found = encode_receipt(kind, outcome, 54_321, BLOOM, logs)

    assert found == (bytes([kind]) if kind else b"") + encoded
