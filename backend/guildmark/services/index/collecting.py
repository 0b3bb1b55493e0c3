"""The collector of garbage, which has nothing to find while many events are read."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TypeAlias

OBJECTS = 50_000
"""After how many new objects cycles are looked for, instead of some hundred."""

Thresholds: TypeAlias = tuple[int, int, int]


class Seldom:
    """Lets cycles be looked for more seldom, until the last thread that is inside leaves.

    Answers of nodes, events and facts are many objects, no cycle is among them, and they are let go
    of step by step.

    Args:
        get: Returns after how many new objects, and so on, cycles are looked for.
        change: Changes that, for all threads of the process.
    """

    def __init__(self, get: Callable[[], Thresholds], change: Callable[..., None]) -> None:
        self._get = get
        self._change = change
        self._lock = Lock()
        self._before: list[Thresholds] = []

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Look for cycles more seldom."""
        with self._lock:
            self._before.append(self._get())
            self._change(OBJECTS, *self._before[0][1:])
        try:
            yield
        finally:
            with self._lock:
                before = self._before[0]
                self._before.pop()
                if not self._before:
                    self._change(*before)


_OF_THIS_PROCESS = Seldom(gc.get_threshold, gc.set_threshold)

collecting_seldom = _OF_THIS_PROCESS.inside
"""Let cycles be looked for more seldom in this process."""
