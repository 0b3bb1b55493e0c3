"""The client for HTTP, without what its own command line would bring.

Where `rich` and `pygments` are installed, `httpx` imports them for a command that nothing here
uses: more than four megabytes, which a small board beside a machine lacks.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_UNUSED = ("pygments", "rich")


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Let imports find no package of these names; one that is imported already stays.

    None in ``sys.modules`` is Python's own way to say so ("The import system", 5.3.1).
    """
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is meant for this
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with without(*_UNUSED):
    import httpx

__all__ = ["httpx", "without"]
