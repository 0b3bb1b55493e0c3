"""Pages kept for a moment, for the many who ask for the same one.

A verdict is as of a block, which the page says. Whoever asks within its moment for what somebody
else asked for gets the same bytes. The first to ask later has it made anew; until it is there the
others get the old one for one moment more (RFC 5861), and then wait. The handler says by
``CDN-Cache-Control`` (RFC 9213) which answer may be kept, so that any cache in front of the node
may do the same.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, TypeAlias

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from guildmark.domain.labels.digital_link import OWN_KEY, RESOLVABLE
from guildmark.services.evidence.linking import PAGES

_PREFIXES = ("/parts/", f"{PAGES}/", *(f"/{key}/" for key in (OWN_KEY, *RESOLVABLE)))
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MARK = b"cdn-cache-control"
_TOLD_APART = frozenset({b"host", b"accept"})
_BYTES_MAX = 32 * 2**20
_PAGE_MAX = 2**20

_Key: TypeAlias = tuple[bytes, ...]


def keep_for(seconds: int) -> Mapping[str, str]:
    """Return the header that lets caches keep an answer for some seconds, none for 0."""
    moment = f"max-age={seconds}, stale-while-revalidate={seconds}"
    return MappingProxyType({"CDN-Cache-Control": moment} if seconds else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """An answer, and when it was begun."""

    start: Message
    body: bytes
    route: Any
    began: float

    async def send(self, scope: Scope, send: Send) -> None:
        scope["route"] = self.route
        # Whoever passes it on adds headers of its own.
        await send({**self.start, "headers": list(self.start["headers"])})
        await send({"type": "http.response.body", "body": self.body})


@dataclass(slots=True)
class _Copy:
    """What went out, as long as it may be kept."""

    send: Send
    start: Message | None = None
    body: bytearray = field(default_factory=bytearray)
    is_whole: bool = False

    async def pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _may_be_kept(message):
            self.start = {**message, "headers": list(message["headers"])}
        elif self.start is not None:
            self.body += message.get("body", b"")
            self.is_whole = not message.get("more_body", False)
            if len(self.body) > _PAGE_MAX:
                self.start = None
        await self.send(message)


@dataclass(slots=True)
class KeptPages:
    """Stands between frame and routes.

    Args:
        app: What makes the pages.
        seconds: How old a page may be, from when it was begun, before it is made anew; 0: nothing
            is kept.
        monotonic: Seconds, for the age of pages.
    """

    app: ASGIApp
    seconds: int
    monotonic: Callable[[], float] = time.monotonic
    _pages: OrderedDict[_Key, _Page] = field(default_factory=OrderedDict)
    _making: dict[_Key, asyncio.Future[_Page | None]] = field(default_factory=dict)
    _changes: int = 0
    _size: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by a page that is kept, or let it be made."""
        if scope["type"] != "http" or not self.seconds:
            await self.app(scope, receive, send)
        elif scope["method"] not in _SAFE:
            await self._change(scope, receive, send)
        elif scope["method"] == "GET" and scope["path"].startswith(_PREFIXES):
            await self._answer(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _change(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let something be changed; who changed it sees it at once."""
        try:
            await self.app(scope, receive, send)
        finally:
            self._changes += 1
            self._pages.clear()
            self._making.clear()
            self._size = 0

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = _key(scope)
        page, making = self._young(key), self._making.get(key)
        if page is not None and (making is not None or self._age(page) < self.seconds):
            await page.send(scope, send)
        elif making is None:
            await self._make(key, scope, receive, send)
        else:
            # Whoever goes away while he waits stops nobody else.
            made = await asyncio.shield(making)
            # What cannot be kept is made for each.
            await (made.send(scope, send) if made else self.app(scope, receive, send))

    async def _make(self, key: _Key, scope: Scope, receive: Receive, send: Send) -> None:
        self._making[key] = making = asyncio.get_running_loop().create_future()
        began, changes, page = self.monotonic(), self._changes, None
        copy = _Copy(send)
        try:
            await self.app(scope, receive, copy.pass_on)
            if copy.start is not None and copy.is_whole and changes == self._changes:
                page = _Page(
                    start=copy.start,
                    body=bytes(copy.body),
                    route=scope.get("route"),
                    began=began,
                )
                self._keep(key, page)
        finally:
            if self._making.get(key) is making:
                del self._making[key]
            making.set_result(page)

    def _age(self, page: _Page) -> float:
        return self.monotonic() - page.began

    def _young(self, key: _Key) -> _Page | None:
        """Return the page that is kept, None where it is too old even while a newer is made."""
        page = self._pages.get(key)
        return page if page is not None and self._age(page) < 2 * self.seconds else None

    def _keep(self, key: _Key, page: _Page) -> None:
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


def _key(scope: Scope) -> _Key:
    told = [each for each in scope["headers"] if each[0] in _TOLD_APART]
    return (scope["raw_path"], scope["query_string"], *(part for each in told for part in each))


def _may_be_kept(start: Message) -> bool:
    marked = any(name.lower() == _MARK for name, _ in start["headers"])
    return marked and start["status"] == HTTPStatus.OK
