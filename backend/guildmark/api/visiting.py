"""Who opens the page behind a label: people count as scans, programs that look ahead do not."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from guildmark.api.frame import Header, is_head
from guildmark.domain.identifiers import Index, LogNumber, parse_hint
from guildmark.services.labels.scanning import Scanning, Visitor

_PART = "Guildmark-Part"
"""Names the entry that a label led to."""

_NAMED = _PART.lower().encode()

# What browsers send with pages that nobody looks at yet (Fetch, "Sec-Purpose").
_AHEAD = (b"sec-purpose", b"purpose", b"x-purpose", b"x-moz")
_LOOKS_AHEAD = re.compile(rb"prefetch|prerender|preview", re.IGNORECASE)

# Robots and link previews name themselves; the name is looked at and not kept.
_ROBOTS = re.compile(
    rb"bot\b|crawl|spider|slurp|preview|facebookexternalhit|whatsapp|embedly|quora link"
    rb"|curl/|wget/|python-|okhttp|go-http-client|headless|monitor|lighthouse",
    re.IGNORECASE,
)


def visitor_of(scope: Scope, country_header: str) -> Visitor | None:
    """Return who scanned, as far as a scan tells; None for what is no scan by a person.

    Args:
        scope: The request for the page.
        country_header: The header in which a proxy states the country; empty: none does.
    """
    # The first of a name counts.
    headers: Mapping[bytes, bytes] = dict(reversed(scope["headers"]))
    name = headers.get(b"user-agent", b"")
    if not name or is_head(scope) or _ROBOTS.search(name) or _is_ahead(headers):
        return None
    client = scope.get("client")
    return Visitor(
        address="" if client is None else client[0],
        country=headers.get(country_header.lower().encode(), b"").decode("latin-1"),
    )


def _is_ahead(headers: Mapping[bytes, bytes]) -> bool:
    return any(name in headers and _LOOKS_AHEAD.search(headers[name]) for name in _AHEAD)


def led_to(log: LogNumber, index: Index) -> Mapping[str, str]:
    """Return the header of a page that a part's own label leads to."""
    return MappingProxyType({_PART: f"{log}.{index}"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """Counts who is shown a page that a label led to.

    Args:
        scanning: Counts; None: nobody does.
        country_header: The header in which a proxy states the country; empty: none does.
    """

    scanning: Scanning | None = None
    country_header: str = ""

    def note(self, scope: Scope, headers: Iterable[Header]) -> None:
        """Count a request by the headers of its good answer."""
        part = dict(headers).get(_NAMED)
        if not part or self.scanning is None:
            return
        visitor = visitor_of(scope, self.country_header)
        if visitor is not None:
            self.scanning.note(*parse_hint(part.decode("ascii")), visitor)


@dataclass(frozen=True, slots=True)
class CountedScans:
    """Stands around the pages that are made, so that each who is shown one counts.

    Args:
        app: What it stands around.
        visits: Counts them.
    """

    app: ASGIApp
    visits: Visits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count it where a label led to a part."""

        async def passed(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == HTTPStatus.OK:
                self.visits.note(scope, message["headers"])
            await send(message)

        is_counted = scope["type"] == "http" and self.visits.scanning is not None
        await self.app(scope, receive, passed if is_counted else send)
