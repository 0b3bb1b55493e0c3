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
        began, given, method = self.monotonic(), id_of(scope), scope["method"]
        is_head = method == "HEAD"
        headers = [*page.own, id_header(given), *page.lacking]
        if not is_head:
            self.visits.note(scope, page.own)
        try:
            await send({"type": "http.response.start", "status": _OK, "headers": headers})
            await send({"type": "http.response.body", "body": b"" if is_head else page.body})
        finally:
            tell(
                given,
                method=method,
                route=page.route,
                status=_OK,
                size=len(page.body),
                seconds=self.monotonic() - began,
            )
