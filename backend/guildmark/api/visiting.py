"""Who opens the page behind a label: people count as scans, programs that look ahead do not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from guildmark.api.frame import is_head
from guildmark.domain.identifiers import Index, LogNumber, parse_hint
from guildmark.services.labels.scanning import Scanning, Visitor

_PART = "Guildmark-Part"
"""Names the entry that a label led to."""

_NAMED = _PART.lower().encode()

# What browsers send with pages that nobody looks at yet (Fetch, "Sec-Purpose").
_AHEAD = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_LOOKS_AHEAD = re.compile(r"prefetch|prerender|preview", re.ASCII | re.IGNORECASE)

# Robots and link previews name themselves; the name is looked at and not kept.
_ROBOTS = re.compile(
    r"bot\b|crawl|spider|slurp|preview|facebookexternalhit|whatsapp|embedly|quora link"
    r"|curl/|wget/|python-|okhttp|go-http-client|headless|monitor|lighthouse",
    re.ASCII | re.IGNORECASE,
)


def visitor_of(request: Request, country_header: str) -> Visitor | None:
    """Return who scanned, as far as a scan tells; None for what is no scan by a person.

    Args:
        request: The request for the page.
        country_header: The header in which a proxy states the country; empty: none does.
    """
    headers = request.headers
    is_ahead = any(_LOOKS_AHEAD.search(headers.get(name, "")) for name in _AHEAD)
    name = headers.get("user-agent", "")
    if is_head(request.scope) or is_ahead or not name or _ROBOTS.search(name):
        return None
    return Visitor(
        address="" if request.client is None else request.client.host,
        country=headers.get(country_header, "") if country_header else "",
    )


def led_to(log: LogNumber, index: Index) -> Mapping[str, str]:
    """Return the header of a page that a part's own label leads to."""
    return MappingProxyType({_PART: f"{log}.{index}"})


@dataclass(frozen=True, slots=True)
class CountedScans:
    """Stands around the kept pages, so that each who is shown one counts.

    Args:
        app: What it stands around.
        scanning: Counts; None: nobody does.
        country_header: The header in which a proxy states the country; empty: none does.
    """

    app: ASGIApp
    scanning: Scanning | None
    country_header: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count it where a label led to a part."""

        async def passed(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == HTTPStatus.OK:
                part = next((value for name, value in message["headers"] if name == _NAMED), b"")
                if part:
                    self._count(scope, part.decode("ascii"))
            await send(message)

        is_counted = scope["type"] == "http" and self.scanning is not None
        await self.app(scope, receive, passed if is_counted else send)

    def _count(self, scope: Scope, part: str) -> None:
        visitor = visitor_of(Request(scope), self.country_header)
        if visitor is not None and self.scanning is not None:
            self.scanning.note(*parse_hint(part), visitor)
