"""When scans are too many for one part: on each side of every bound."""

import math

import pytest

from guildmark.domain.labels.scans import (
    DAY,
    HOUR,
    Habits,
    Reason,
    Scan,
    ScanHistory,
    at_least,
    suspicions,
)

NOW = 1_000 * DAY


def history(*scans: Scan) -> ScanHistory:
    return ScanHistory(first=scans[0].hour if scans else 0, count=len(scans), scans=scans)


def visits(count: int, *, days: int) -> list[Scan]:
    """Return visits from one network each, spread over days that end now."""
    return [
        Scan(hour=NOW - (number % days) * DAY, network=f"{number:016x}") for number in range(count)
    ]


def reasons(scans: list[Scan], habits: Habits | None = None) -> dict[Reason, int]:
    found = suspicions(history(*scans), NOW, *([] if habits is None else [habits]))
    return {each.reason: each.count for each in found}


def test_what_was_not_scanned_is_not_suspect() -> None:
    assert suspicions(history(), NOW) == ()


def test_one_network_may_scan_all_day() -> None:
    scans = [Scan(hour=NOW - each * HOUR, network="a", count=9) for each in range(20)]

    assert reasons(scans) == {}


@pytest.mark.parametrize(("count", "is_suspect"), [(9, False), (10, True)])
def test_too_many_networks_on_one_day(count: int, is_suspect: bool) -> None:
    # With mean 1 and shape 1 the chance of n or more is 2^-n: below 1 in 1,000 from ten on.
    assert reasons(visits(count, days=1)) == ({Reason.BURST: count} if is_suspect else {})


@pytest.mark.parametrize(("count", "is_suspect"), [(25, False), (26, True)])
def test_too_many_visits_since_the_first(count: int, is_suspect: bool) -> None:
    # In twelve days mean 3.22: (3.22 / 4.22)^n falls below 1 in 1,000 at n = 26.
    assert math.ceil(math.log(0.001) / math.log(3.22 / 4.22)) == 26
    assert reasons(visits(count, days=12)) == ({Reason.MANY: count} if is_suspect else {})


def test_the_longer_a_part_is_out_the_more_visits_it_may_have() -> None:
    old = Scan(hour=NOW - 300 * DAY, network="first")

    assert reasons([*visits(26, days=12), old]) == {}


@pytest.mark.parametrize(
    ("hours", "countries", "count"),
    [((0, 0), ("PT", "BR"), 2), ((0, 1), ("PT", "BR"), 0), ((0, 0), ("PT", ""), 0)],
)
def test_one_part_is_not_in_two_countries_in_one_hour(
    hours: tuple[int, int], countries: tuple[str, str], count: int
) -> None:
    scans = [
        Scan(hour=NOW - hour * HOUR, country=country, network=str(number))
        for number, (hour, country) in enumerate(zip(hours, countries, strict=True))
    ]

    assert reasons(scans) == ({Reason.APART: count} if count else {})


@pytest.mark.parametrize(("countries", "is_suspect"), [("ABC", False), ("ABCD", True)])
def test_one_part_is_not_in_many_countries(countries: str, is_suspect: bool) -> None:
    # At most 0.03 of 3.06 visits from abroad: (0.0918 / 1.0918)^n falls below 1 in 1,000 at n = 3.
    scans = [
        Scan(hour=NOW - day * DAY, country=2 * name, network="a")
        for day, name in enumerate(countries)
    ]

    assert reasons(scans) == ({Reason.SPREAD: len(countries)} if is_suspect else {})


def test_who_knows_his_parts_better_states_other_habits() -> None:
    few = Habits(early=0.1, per_day=0, on_a_day=0.1, chance=0.05)

    assert reasons(visits(2, days=2), few) == {Reason.MANY: 2}


def test_the_tail_is_that_of_the_distribution() -> None:
    # Of shape 1 it is geometric; of a great shape it is Poisson's.
    assert at_least(0, 3, 1) == 1
    assert at_least(7, 3, 1) == pytest.approx((3 / 4) ** 7)
    poisson = 1 - math.exp(-3) * sum(3**i / math.factorial(i) for i in range(7))
    assert at_least(7, 3, 1e6) == pytest.approx(poisson, rel=1e-4)
    assert at_least(2_000, 3, 1) == pytest.approx(0, abs=1e-12)
