"""Stands before everything: who asks for a page that is kept has it without frame and routes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.types import Scope, Send

from guildmark.api.frame import id_header, id_of, tell
from guildmark.api.kept_pages import KeptPages, Page, key_of
from guildmark.api.visiting import Visits

_OK = int(HTTPStatus.OK)
_STATUS = b"HTTP/1.1 200 OK\r\n"
_ASKING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Answers as frame and routes would, header by header.

    Args:
        kept: The pages.
        visits: Counts who is shown one.
        monotonic: Seconds, for how long an answer takes.
    """

    kept: KeptPages
    visits: Visits
    monotonic: Callable[[], float] = time.monotonic

    def page(self, scope: Scope) -> Page | None:
        """Return the kept page that answers a request, None where it has to go on."""
        if scope["type"] != "http" or scope["method"] not in _ASKING:
            return None
        return self.kept.shown(key_of(scope))

    async def show(self, page: Page, scope: Scope, send: Send) -> None:
        """Answer a request by a page."""
        began, given = self.monotonic(), id_of(scope)
        headers = [*page.own, id_header(given), *page.lacking]
        body = b"" if scope["method"] == "HEAD" else page.body
        self._count(page, scope)
        try:
            await send({"type": "http.response.start", "status": _OK, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        finally:
            self._tell(page, scope, given, began)

    def written(self, page: Page, scope: Scope, *, first: bytes, last: bytes) -> bytes:
        """Return the same answer as the bytes of HTTP/1.1.

        Args:
            page: The page, of known length.
            scope: The request.
            first: Lines that the server writes before those of an answer.
            last: Lines that it writes after them.
        """
        began, given = self.monotonic(), id_of(scope)
        own, lacking = page.written
        told = b"x-request-id: %s\r\n" % given.encode()
        body = b"" if scope["method"] == "HEAD" else page.body
        self._count(page, scope)
        whole = b"".join((_STATUS, first, own, told, lacking, last, b"\r\n", body))
        self._tell(page, scope, given, began)
        return whole

    def _count(self, page: Page, scope: Scope) -> None:
        if scope["method"] != "HEAD":
            self.visits.note(scope, page.own)

    def _tell(self, page: Page, scope: Scope, given: str, began: float) -> None:
        tell(
            given,
            method=scope["method"],
            route=page.route,
            status=_OK,
            size=len(page.body),
            seconds=self.monotonic() - began,
        )
