"""What arrives before it is a request: refused in the same form as everything else.

The server's protocol answers bytes that are no HTTP by itself, in plain text, and puts no bound to
a request's head. Here its refusals are problem documents, and a head has a length and a time. A
page that is kept is written at once, without a task.
"""

import sys
from asyncio import TimerHandle, Transport
from http import HTTPStatus
from secrets import token_hex
from typing import Any, cast

from starlette.responses import Response
from starlette.types import Scope
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from guildmark.api.door import Door
from guildmark.api.errors import (
    HeadTooLargeError,
    HeadTooSlowError,
    MemoryShortError,
    RequestMalformedError,
    VersionUnsupportedError,
)
from guildmark.api.frame import FRAME_HEADERS
from guildmark.api.problems import problem
from guildmark.domain.errors import GuildmarkError

HEAD_MAX = 64 << 10
"""Bytes of address and header fields together."""
HEAD_SECONDS = 30.0
_BY_PROXY = b"x-forwarded-"


class Wire(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_head = True
        self._counted = 0
        self._uncounted = 0
        self._head_until = 0.0
        self._door: Door | None = getattr(self.config.app, "door", None)
        self._head_timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # uvicorn's
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._is_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; those of a field that has not ended are counted here."""
        was_head = self._is_head
        super().data_received(data)
        if was_head and self._is_head and not self.transport.is_closing():
            self._uncounted += len(data)
            if self._uncounted > HEAD_MAX:
                self._refuse(_too_large())

    def on_message_begin(self) -> None:
        """Begin to count a head."""
        super().on_message_begin()
        if not self._is_head:
            self._begin_head()

    def on_url(self, url: bytes) -> None:
        """Count an address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a field."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Pass the request on."""
        self._is_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; the server calls this while it handles the parser's error."""
        fault = sys.exception()
        reason = str(fault or msg)
        if fault is not None and isinstance(fault.__context__, HeadTooLargeError):
            self._refuse(_too_large())
        elif fault is not None and isinstance(fault.__context__, MemoryError):
            # The request may be a good one: whoever sent it must not take this for its end.
            self._refuse(MemoryShortError.of_request())
        elif "version" in reason:
            self._refuse(VersionUnsupportedError("The request is not of HTTP/1.0 or HTTP/1.1."))
        else:
            self._refuse(RequestMalformedError("What was sent is no HTTP request."))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Write a page that is kept, else let the application answer."""
        # Armed where the answer to what came before in the same bytes was written at once.
        self._unset_keepalive_if_required()
        door, scope = self._door, cast("Scope", cycle.scope)
        page = door.page(scope) if door and self._may_write(scope, app) else None
        if door is None or page is None or not page.is_of_known_length:
            super()._start_asgi_task(cycle, app)
            return
        first = b"".join([b"%s: %s\r\n" % header for header in cycle.default_headers])
        last = b"" if cycle.keep_alive else b"connection: close\r\n"
        cycle.response_started = cycle.response_complete = True
        self.transport.write(door.written(page, scope, first=first, last=last))
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _may_write(self, scope: Scope, app: ASGI3Application) -> bool:
        """Return whether no answer is before this one, and none but the application gives it."""
        if self.pipeline or self.flow.write_paused or self.transport.is_closing():
            return False
        # The server says who comes by a proxy before the application is asked.
        return app is self.app and not any(
            name.startswith(_BY_PROXY) for name, _ in scope["headers"]
        )

    def _count(self, size: int) -> None:
        self._counted += size
        if self._counted > HEAD_MAX:
            raise _too_large()

    def _begin_head(self) -> None:
        self._is_head, self._counted, self._uncounted = True, 0, 0
        self._head_until = self.loop.time() + HEAD_SECONDS
        # One timer waits for all heads of a connection, one after the other.
        if self._head_timer is None:
            self._head_timer = self.loop.call_at(self._head_until, self._look)

    def _look(self) -> None:
        """Give up on a head whose time is over; wait on for one that began later."""
        self._head_timer = None
        if not self._is_head:
            return
        if self.loop.time() < self._head_until:
            self._head_timer = self.loop.call_at(self._head_until, self._look)
            return
        message = f"No whole request came within {HEAD_SECONDS:.0f} s."
        self._refuse(HeadTooSlowError(message))

    def _refuse(self, error: GuildmarkError) -> None:
        # In the middle of an answer nothing can be said any more.
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is None or not cycle.response_started or cycle.response_complete:
            self.transport.write(_written(problem(error)))
        self.transport.close()


def _too_large() -> HeadTooLargeError:
    message = f"Address and header fields are longer than {HEAD_MAX} bytes together."
    return HeadTooLargeError(message, limit=HEAD_MAX)


def _written(answer: Response) -> bytes:
    """Return an answer in HTTP/1.1, after which the connection ends."""
    status = HTTPStatus(answer.status_code)
    fields = {
        **FRAME_HEADERS,
        **dict(answer.headers),
        "X-Request-ID": token_hex(8),
        "Connection": "close",
    }
    lines = [f"HTTP/1.1 {status} {status.phrase}", *(f"{k}: {v}" for k, v in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + bytes(answer.body)
