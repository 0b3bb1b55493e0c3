"""While many events are read, cycles are looked for more seldom; after that as before.

Other threads of the tests' process may read events: thresholds of the tests' own stand for its.
"""

import gc
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from guildmark.services.index.collecting import OBJECTS, Seldom, Thresholds, collecting_seldom

BEFORE = (700, 10, 11)


class Collector:
    def __init__(self) -> None:
        self.thresholds: Thresholds = BEFORE

    def get(self) -> Thresholds:
        return self.thresholds

    def change(self, first: int, second: int, third: int) -> None:
        self.thresholds = (first, second, third)


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture
def seldom(collector: Collector) -> Seldom:
    return Seldom(collector.get, collector.change)


def test_cycles_are_looked_for_more_seldom_inside_only(
    collector: Collector, seldom: Seldom
) -> None:
    with seldom.inside():
        assert collector.thresholds == (OBJECTS, 10, 11)

    assert collector.thresholds == BEFORE


def test_error_changes_nothing_of_it(collector: Collector, seldom: Seldom) -> None:
    with pytest.raises(KeyError), seldom.inside():
        raise KeyError

    assert collector.thresholds == BEFORE


def test_first_of_two_threads_that_leaves_changes_nothing_for_the_other(
    collector: Collector, seldom: Seldom
) -> None:
    both_in, one_out = Barrier(2, timeout=10), Barrier(2, timeout=10)

    def first() -> None:
        with seldom.inside():
            both_in.wait()
        one_out.wait()

    def second() -> Thresholds:
        with seldom.inside():
            both_in.wait()
            one_out.wait()
            return collector.thresholds

    with ThreadPoolExecutor(max_workers=2) as threads:
        leaving, staying = threads.submit(first), threads.submit(second)
        leaving.result()
        assert staying.result() == (OBJECTS, 10, 11)

    assert collector.thresholds == BEFORE


def test_it_is_the_collector_of_this_process() -> None:
    with collecting_seldom():
        assert gc.get_threshold()[0] == OBJECTS
