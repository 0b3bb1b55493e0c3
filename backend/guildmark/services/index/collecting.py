"""The collector of garbage, which has nothing to find while many events are read."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_OBJECTS = 50_000
"""After how many new objects cycles are looked for, instead of some hundred."""

_lock = Lock()
_before: list[tuple[int, int, int]] = []


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Let cycles be looked for more seldom, until the last thread that is inside leaves.

    Answers of nodes, events and facts are many objects, no cycle is among them, and they are let go
    of step by step.
    """
    with _lock:
        _before.append(gc.get_threshold())
        gc.set_threshold(_OBJECTS, *_before[0][1:])
    try:
        yield
    finally:
        with _lock:
            before = _before[0]
            _before.pop()
            if not _before:
                gc.set_threshold(*before)
