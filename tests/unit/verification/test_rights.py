"""Windows: a right covers all of one, a part of it, or none, to the second."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.chain.storage import IntervalWord
from guildmark.domain.verification.rights import Cover, Window, cover

WINDOW = Window(begin=100, end=200)


def interval(since: int, until: int = 0) -> IntervalWord:
    return IntervalWord(since=since, until=until)


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ([], Cover.NONE),
        ([(100, 0)], Cover.FULL),
        ([(101, 0)], Cover.PART),
        ([(100, 201)], Cover.FULL),
        ([(100, 200)], Cover.PART),
        ([(200, 0)], Cover.PART),
        ([(201, 0)], Cover.NONE),
        ([(0, 100)], Cover.NONE),
        ([(0, 101)], Cover.PART),
        ([(0, 150), (150, 0)], Cover.FULL),
        ([(150, 0), (0, 150)], Cover.FULL),
        ([(0, 150), (151, 0)], Cover.PART),
        ([(0, 50), (60, 0)], Cover.FULL),
        ([(0, 180), (20, 120), (170, 201)], Cover.FULL),
    ],
)
def test_covers_to_the_second(intervals: list[tuple[int, int]], expected: Cover) -> None:
    assert cover([interval(*bounds) for bounds in intervals], WINDOW) is expected


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=4),
    st.integers(0, 10),
    st.integers(0, 10),
)
def test_covers_like_a_set_of_seconds(
    bounds: list[tuple[int, int]], begin: int, length: int
) -> None:
    window = Window(begin=begin, end=begin + length)
    wanted = set(range(begin, begin + length + 1))
    held = {
        second
        for since, until in bounds
        for second in wanted
        if since <= second and (until == 0 or second < until)
    }

    found = cover([interval(*pair) for pair in bounds], window)

    expected = Cover.FULL if held == wanted else Cover.PART if held else Cover.NONE
    assert found is expected
