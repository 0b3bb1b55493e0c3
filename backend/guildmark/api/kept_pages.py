"""Pages kept for a moment, for the many who ask for the same one.

A verdict is as of a block, which the page says. Whoever asks within its moment for what somebody
else asked for gets the same bytes. The first to ask later has it made anew; until it is there the
others get the old one for one moment more (RFC 5861), and then wait. The handler says by
``CDN-Cache-Control`` (RFC 9213) which answer may be kept, so that any cache in front of the node
may do the same.
"""

import time
from asyncio import Future, get_running_loop
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from starlette.types import Scope

from guildmark.api.frame import Header

_TOLD_APART = frozenset({b"host", b"accept"})
_BYTES_MAX = 32 * 2**20

Key: TypeAlias = tuple[bytes, ...]
"""All of a request that its page depends on."""


def keep_for(seconds: int) -> Mapping[str, str]:
    """Return the header that lets caches keep an answer for some seconds, none for 0."""
    moment = f"max-age={seconds}, stale-while-revalidate={seconds}"
    return MappingProxyType({"CDN-Cache-Control": moment} if seconds else {})


def key_of(scope: Scope) -> Key:
    """Return under what the page that a request asks for is kept."""
    told = [part for each in scope["headers"] if each[0] in _TOLD_APART for part in each]
    return (scope["raw_path"], scope["query_string"], *told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A good answer, and when it was begun.

    Args:
        own: Its headers.
        lacking: Those of every answer that it does not say by itself.
        route: What made it, for the log.
        began: In seconds of the clock by which its age is told.
        written: Both kinds of headers as lines of HTTP/1.1.
    """

    own: Sequence[Header]
    lacking: Sequence[Header]
    body: bytes
    route: Any
    began: float
    written: tuple[bytes, bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "written", (_lines(self.own), _lines(self.lacking)))

    @property
    def is_of_known_length(self) -> bool:
        """Return whether its headers say how long it is, so that no server has to."""
        return any(name == b"content-length" for name, _ in self.own)


@dataclass(slots=True, kw_only=True)
class KeptPages:
    """The pages of one process that may be shown again.

    Args:
        seconds: How old a page may be, from when it was begun, before it is made anew; 0: nothing
            is kept.
        monotonic: Seconds, for the age of pages.
    """

    seconds: int
    monotonic: Callable[[], float] = time.monotonic
    changes: int = 0
    _pages: OrderedDict[Key, Page] = field(default_factory=OrderedDict)
    _making: dict[Key, Future[Page | None]] = field(default_factory=dict)
    _size: int = 0

    def shown(self, key: Key) -> Page | None:
        """Return the page that may be shown, None where it has to be made or waited for."""
        page = self._pages.get(key)
        if page is None:
            return None
        # While a newer one is made the old one is shown for one moment more.
        moments = 2 if key in self._making else 1
        return page if self._age(page) < moments * self.seconds else None

    def making(self, key: Key) -> Future[Page | None] | None:
        """Return what is there when a page is made, None where nobody makes it."""
        return self._making.get(key)

    def begin(self, key: Key) -> Future[Page | None]:
        """Note that a page is being made."""
        self._making[key] = making = get_running_loop().create_future()
        return making

    def end(self, key: Key, making: Future[Page | None], page: Page | None) -> None:
        """Give who waits what was made, None where it may not be kept, and keep it."""
        if self._making.get(key) is making:
            del self._making[key]
        if page is not None:
            self._keep(key, page)
        making.set_result(page)

    def drop(self) -> None:
        """Forget every page, also those that are being made: something has changed."""
        self.changes += 1
        self._pages.clear()
        self._making.clear()
        self._size = 0

    def _age(self, page: Page) -> float:
        return self.monotonic() - page.began

    def _keep(self, key: Key, page: Page) -> None:
        old = self._pages.pop(key, None)
        self._size += len(page.body) - (0 if old is None else len(old.body))
        self._pages[key] = page
        # The oldest stand first.
        while self._pages:
            first = next(iter(self._pages.values()))
            if self._age(first) < 2 * self.seconds and self._size <= _BYTES_MAX:
                break
            self._pages.popitem(last=False)
            self._size -= len(first.body)


def _lines(headers: Sequence[Header]) -> bytes:
    return b"".join(b"%s: %s\r\n" % header for header in headers)
