"""The receipts that a header names: their RLP, and the root of the trie of a list."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Protocol

from guildmark.domain.chain.ethproof import rlp
from guildmark.domain.chain.ethproof.trie import EMPTY_ROOT
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Digest

KINDS = frozenset(range(5))
"""Of what kinds of transactions receipts are written here: EIP-2718's 0 to 4."""

_HASH = 32
_DIGITS = "0123456789abcdef"
_NOTHING = rlp.encode(b"")
_LEAF = 2


class ReceiptLog(Protocol):
    """A log, as far as its receipt holds it."""

    @property
    def address(self) -> bytes:
        """Return the contract that wrote it."""
        ...

    @property
    def topics(self) -> Sequence[bytes]:
        """Return its topics."""
        ...

    @property
    def data(self) -> bytes:
        """Return what it says beside them."""
        ...


def encode_receipt(
    kind: int, outcome: bytes, gas: int, bloom: bytes, logs: Sequence[ReceiptLog]
) -> bytes:
    """Return a receipt as the trie holds it (yellow paper 4.4.1, EIP-2718).

    Args:
        kind: Its transaction's, one of ``KINDS``.
        outcome: The status without leading zeros; before Byzantium the state's root.
        gas: What its block had used up to it.
        bloom: The filter of its logs.
        logs: In their order.
    """
    plain = [rlp.encode(part) for part in (outcome, rlp.encode_integer(gas), bloom)]
    encoded = rlp.listed([*plain, rlp.listed([_log(log) for log in logs])])
    return bytes([kind]) + encoded if kind else encoded


def _log(log: ReceiptLog) -> bytes:
    topics = rlp.listed([rlp.encode(topic) for topic in log.topics])
    return rlp.listed([rlp.encode(log.address), topics, rlp.encode(log.data)])


def list_root(values: Sequence[bytes]) -> Digest:
    """Return the root of the trie that holds values under their places (yellow paper 4.4.3)."""
    if not values:
        return EMPTY_ROOT
    places = map(_place, range(len(values)))
    return keccak256(_node(sorted(zip(places, values, strict=True)), 0))


@lru_cache(maxsize=4096)
def _place(number: int) -> str:
    """Return the key of a place, as digits of hex."""
    return rlp.encode(rlp.encode_integer(number)).hex()


def _node(held: Sequence[tuple[str, bytes]], at: int) -> bytes:
    """Return the node of values under keys, digits of hex in order, that agree up to a digit."""
    (first, value), (last, _) = held[0], held[-1]
    if len(held) == 1:
        return rlp.listed([_compact(first[at:], _LEAF), rlp.encode(value)])
    end = _parting(first, last, at)
    branch = rlp.listed([*_links(held, end), _NOTHING])
    if end == at:
        return branch
    return rlp.listed([_compact(first[at:end], 0), _link(branch)])


def _parting(first: str, last: str, at: int) -> int:
    """Return from which digit on two keys differ; no place's key begins another one."""
    while first[at] == last[at]:
        at += 1
    return at


def _links(held: Sequence[tuple[str, bytes]], at: int) -> Iterator[bytes]:
    below = {digit: list(some) for digit, some in groupby(held, key=lambda one: one[0][at])}
    for digit in _DIGITS:
        some = below.get(digit)
        yield _NOTHING if some is None else _link(_node(some, at + 1))


def _link(node: bytes) -> bytes:
    # A node of less than 32 bytes stands in its parent itself.
    return node if len(node) < _HASH else rlp.encode(keccak256(node))


@lru_cache(maxsize=4096)
def _compact(digits: str, flag: int) -> bytes:
    """Return the hex-prefix encoding of a path (appendix C), in RLP."""
    odd = len(digits) & 1
    return rlp.encode(bytes.fromhex(f"{flag + odd:x}{'' if odd else '0'}{digits}"))
