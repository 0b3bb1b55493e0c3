"""Records: their digest against eth_abi, and the units of their positions."""

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import (
    Bytes32,
    Digest,
    Index,
    LaneNumber,
    LogNumber,
    Seq,
    UnitNumber,
)
from guildmark.domain.log import record as rec

LAYOUT = "(uint40,uint40,uint64,uint40,uint40,bytes32,bytes32,(uint40,uint40,uint40)[])"


def grant(lane: int, n: int, first_unit: int) -> rec.Grant:
    return rec.Grant(lane=LaneNumber(lane), n=n, first_unit=UnitNumber(first_unit))


def record(count: int, *grants: rec.Grant, log: int = 1, first_index: int = 0) -> rec.Record:
    return rec.Record(
        log=LogNumber(log),
        seq=Seq(4),
        first_index=Index(first_index),
        count=count,
        time=1_800_000_000,
        parent=Bytes32(b"\x11" * 32),
        root=Digest(b"\x22" * 32),
        grants=grants,
    )


@given(st.lists(st.tuples(st.integers(1, 2**40 - 1), st.integers(1, 9), st.integers(0, 99))))
def test_digest_is_keccak_of_the_struct_as_eth_abi_encodes_it(
    draws: list[tuple[int, int, int]],
) -> None:
    draws = draws[: rec.DRAWS_MAX]
    ours = record(400, *(grant(*draw) for draw in draws), first_index=2**63)

    theirs = encode(
        [LAYOUT], [(1, 4, 2**63, 400, 1_800_000_000, b"\x11" * 32, b"\x22" * 32, draws)]
    )

    assert ours.encode() == theirs
    assert ours.digest() == keccak256(theirs)


def test_units_follow_from_positions_and_refused_draws_take_room() -> None:
    batch = record(9, grant(1, 2, 41), grant(2, 3, 0), grant(3, 2, 7))

    units = [batch.unit_at(position) for position in range(-1, 10)]

    assert [(found.lane, found.unit) if found else None for found in units] == [
        None,
        (1, 41),
        (1, 42),
        None,
        None,
        None,
        (3, 7),
        (3, 8),
        None,
        None,
        None,
    ]


def test_grant_at_a_position_is_found_even_where_it_was_refused() -> None:
    batch = record(4, grant(1, 1, 41), grant(2, 2, 0))

    assert batch.grant_at(0) == grant(1, 1, 41)
    assert batch.grant_at(2) == grant(2, 2, 0)
    assert batch.grant_at(3) is None


def test_index_counts_on_from_the_first_of_the_record() -> None:
    assert record(4, first_index=1000).index_of(3) == 1003


def test_a_tick_has_no_entry_and_no_grant() -> None:
    assert record(0, log=0).unit_at(0) is None


@pytest.mark.parametrize(
    ("count", "grants"),
    [
        (rec.COUNT_MAX + 1, ()),
        (40, tuple(grant(1, 1, 1) for _ in range(33))),
        (3, (grant(1, 2, 1), grant(2, 2, 1))),
        (0, (grant(1, 1, 1),)),
        (3, (grant(1, 0, 1),)),
        (3, (grant(0, 1, 1),)),
        (3, (grant(1, 4, 1), grant(1, -1, 1))),
    ],
)
def test_records_that_no_contract_writes_are_refused(
    count: int, grants: tuple[rec.Grant, ...]
) -> None:
    with pytest.raises(rec.MalformedRecordError):
        record(count, *grants)


def test_largest_record_is_accepted() -> None:
    batch = record(rec.COUNT_MAX, *(grant(1, 2**15, 1) for _ in range(32)))

    assert batch.unit_at(rec.COUNT_MAX - 1) is not None
