"""While many events are read, cycles are looked for more seldom; after that as before."""

import gc
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from guildmark.services.index.collecting import collecting_seldom


def test_cycles_are_looked_for_more_seldom_inside_only() -> None:
    before = gc.get_threshold()

    with collecting_seldom():
        inside = gc.get_threshold()

    assert inside[0] > before[0]
    assert inside[1:] == before[1:]
    assert gc.get_threshold() == before


def test_error_changes_nothing_of_it() -> None:
    before = gc.get_threshold()

    with pytest.raises(KeyError), collecting_seldom():
        raise KeyError

    assert gc.get_threshold() == before


def test_first_of_two_threads_that_leaves_changes_nothing_for_the_other() -> None:
    before, both_in, one_out = gc.get_threshold(), Barrier(2, timeout=10), Barrier(2, timeout=10)

    def first() -> None:
        with collecting_seldom():
            both_in.wait()
        one_out.wait()

    def second() -> int:
        with collecting_seldom():
            both_in.wait()
            one_out.wait()
            return gc.get_threshold()[0]

    with ThreadPoolExecutor(max_workers=2) as threads:
        leaving, staying = threads.submit(first), threads.submit(second)
        leaving.result()
        assert staying.result() > before[0]

    assert gc.get_threshold() == before
