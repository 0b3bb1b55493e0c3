"""Lets a page be made once for all who ask for it in its moment; what may not be kept, for each."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from guildmark.api.frame import Header, framed
from guildmark.api.kept_pages import KeptPages, Key, Page, key_of
from guildmark.domain.labels.digital_link import OWN_KEY, RESOLVABLE
from guildmark.services.evidence.linking import PAGES

_PREFIXES = ("/parts/", f"{PAGES}/", *(f"/{key}/" for key in (OWN_KEY, *RESOLVABLE)))
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MARK = b"cdn-cache-control"
_PAGE_MAX = 2**20


@dataclass(slots=True)
class _Copy:
    """What went out, as long as it may be kept."""

    send: Send
    headers: Sequence[Header] | None = None
    body: bytearray = field(default_factory=bytearray)
    is_whole: bool = False

    async def pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _may_be_kept(message):
            # Whoever passes it on adds headers of its own.
            self.headers = tuple(message["headers"])
        elif self.headers is not None:
            self.body += message.get("body", b"")
            self.is_whole = not message.get("more_body", False)
            if len(self.body) > _PAGE_MAX:
                self.headers = None
        await self.send(message)


@dataclass(frozen=True, slots=True)
class MakingPages:
    """Stands between frame and routes.

    Args:
        app: What makes the pages.
        kept: Where those that were made stay.
    """

    app: ASGIApp
    kept: KeptPages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by a page that is kept, or let it be made."""
        if scope["type"] != "http" or not self.kept.seconds:
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
            self.kept.drop()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = key_of(scope)
        page, making = self.kept.shown(key), self.kept.making(key)
        if page is None and making is None:
            await self._make(key, scope, receive, send)
            return
        if page is None and making is not None:
            # Whoever goes away while he waits stops nobody else.
            page = await asyncio.shield(making)
        # What cannot be kept is made for each.
        await (_show(page, scope, send) if page else self.app(scope, receive, send))

    async def _make(self, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        kept = self.kept
        making, began, changes, page = kept.begin(key), kept.monotonic(), kept.changes, None
        copy = _Copy(send)
        try:
            await self.app(scope, receive, copy.pass_on)
            if copy.headers is not None and copy.is_whole and changes == kept.changes:
                own, lacking = framed(copy.headers)
                page = Page(
                    own=own,
                    lacking=lacking,
                    body=bytes(copy.body),
                    route=scope.get("route"),
                    began=began,
                )
        finally:
            kept.end(key, making, page)


async def _show(page: Page, scope: Scope, send: Send) -> None:
    scope["route"] = page.route
    headers = list(page.own)
    await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": headers})
    await send({"type": "http.response.body", "body": page.body})


def _may_be_kept(start: Message) -> bool:
    marked = any(name.lower() == _MARK for name, _ in start["headers"])
    return marked and start["status"] == HTTPStatus.OK
