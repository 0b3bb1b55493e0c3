"""Which units a plan draws: the first ones since a site joined, in an order that nobody chose."""

from collections import Counter

import pytest
from scipy import stats

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.sampling import (
    Population,
    drawn,
    place_name,
    population,
    tick_that_draws,
)
from guildmark.domain.identifiers import (
    Bytes32,
    EquivalencePlanId,
    IdentityId,
    Index,
    LaneNumber,
    LogNumber,
    Seq,
    UnitNumber,
)
from guildmark.domain.log.positions import Place
from guildmark.domain.log.record import Grant, Record

LANE, OTHER = LaneNumber(1), LaneNumber(2)
PLAN = EquivalencePlanId(sha256(b"plan"))
SITE = IdentityId(sha256(b"site"))


def record(time: int, *grants: tuple[LaneNumber, int], log: int = 1, first: int = 0) -> Record:
    """Return a record of units of lanes; a lane 0 stands for a refused draw of `LANE`."""
    given = [
        Grant(lane=lane or LANE, n=n, first_unit=UnitNumber(9 if lane else 0)) for lane, n in grants
    ]
    return Record(
        log=LogNumber(log),
        seq=Seq(time),
        first_index=Index(first),
        count=sum(n for _, n in grants) + 1,
        time=time,
        parent=Bytes32(sha256(str(time).encode())),
        root=sha256(b"root"),
        grants=tuple(given),
    )


def found(size: int, *records: Record, after: int = 10) -> Population | None:
    return population(records, {LANE}, after=after, size=size)


def places(size: int, *records: Record) -> list[Place]:
    one = found(size, *records)
    assert one is not None
    return list(one.places)


def test_units_count_from_the_second_after_a_site_joined() -> None:
    before, after = record(10, (LANE, 2)), record(11, (LANE, 2), first=7)

    assert places(2, before, after) == [(1, 7), (1, 8)]
    assert found(3, before, after) is None


def test_only_granted_units_of_the_lanes_count() -> None:
    mixed = record(11, (OTHER, 2), (LaneNumber(0), 1), (LANE, 2), first=100)

    assert places(2, mixed) == [(1, 103), (1, 104)]
    assert found(3, mixed) is None


def test_the_first_units_close_the_population_however_many_follow() -> None:
    first, second, third = (record(time, (LANE, 2), first=10 * time) for time in (11, 12, 13))

    expected = tuple((LogNumber(1), Index(at)) for at in (110, 111, 120))
    assert found(3, third, second, first) == Population(places=expected, closing=second)


def test_units_of_several_logs_are_in_the_order_of_their_times() -> None:
    later, sooner = record(12, (LANE, 1), log=1), record(11, (LANE, 1), log=2)
    together = record(11, (LANE, 1), log=1, first=5)

    assert places(3, later, sooner, together) == [(1, 5), (2, 0), (1, 0)]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((), None),
        ((20,), None),
        ((19, 20), None),
        ((21,), None),
        ((21, 22), 22),
        ((23, 22, 21), 22),
    ],
)
def test_the_second_tick_after_the_last_unit_draws(
    times: tuple[int, ...], expected: int | None
) -> None:
    tick = tick_that_draws([record(time, log=0) for time in times], record(20, (LANE, 1)))

    assert (None if tick is None else tick.time) == expected


def test_a_draw_is_another_one_for_each_parent_plan_and_site() -> None:
    units = [(LogNumber(1), Index(number)) for number in range(50)]
    first = drawn(units, Bytes32(sha256(b"parent")), PLAN, SITE)

    again = drawn(reversed(units), Bytes32(sha256(b"parent")), PLAN, SITE)
    others = [
        drawn(units, Bytes32(sha256(b"other")), PLAN, SITE),
        drawn(units, Bytes32(sha256(b"parent")), EquivalencePlanId(sha256(b"other")), SITE),
        drawn(units, Bytes32(sha256(b"parent")), PLAN, IdentityId(sha256(b"other"))),
    ]

    assert again == first
    assert all(other != first for other in others)
    assert all(sorted(other) == units for other in others)


def test_a_thousand_draws_favour_no_unit_and_no_place() -> None:
    units = [(LogNumber(1 + number % 2), Index(number)) for number in range(20)]
    draws = [
        drawn(units, Bytes32(sha256(f"draw {number}".encode())), PLAN, SITE)
        for number in range(1_000)
    ]

    for rank in (0, 7, 19):
        counts = Counter(order[rank] for order in draws)
        assert stats.chisquare([counts[unit] for unit in units]).pvalue > 0.01
    firsts = Counter(unit for order in draws for unit in order[:5])
    assert stats.chisquare([firsts[unit] for unit in units]).pvalue > 0.01
    assert set(firsts.values()) != {250}


def test_a_unit_is_called_as_commands_call_parts() -> None:
    assert place_name((LogNumber(3), Index(17))) == "3.17"
