"""What stands around every request: its id, its line in the log, its page's safety headers.

HEAD is answered wherever GET is (RFC 9110), and no body may be longer than the longest that any
route takes.
"""

import logging
import random
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from guildmark.api.errors import BodyTooLargeError
from guildmark.api.problems import problem

_logger = logging.getLogger(__name__)

Header: TypeAlias = tuple[bytes, bytes]

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

CHECKING_HEADERS: Mapping[str, str] = MappingProxyType(
    {"Content-Security-Policy": f"{_POLICY}; script-src 'self'; connect-src 'self'"}
)
"""Of the page that brings its own verifier: files of this host may run, and ask this host alone."""

ASKING_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; connect-src https: http://localhost:* http://127.0.0.1:*"
        )
    }
)
"""Of the one program, a worker without page or storage, that may ask a visitor's own node."""

FRAME_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": _POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
)

_WRITTEN = tuple((name.lower().encode(), value.encode()) for name, value in FRAME_HEADERS.items())
_ID_HEADER = b"x-request-id"
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_KEY = "guildmark.request_id"
_HEAD = "guildmark.is_head"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def request_id(scope: Scope) -> str:
    """Return the id of a request that went through the frame."""
    return str(scope.get(_KEY, ""))


def is_head(scope: Scope) -> bool:
    """Return whether a request that went through the frame asks for no body."""
    return bool(scope.get(_HEAD, False))


@dataclass(slots=True, kw_only=True)
class _Exchange:
    """One request and what is seen of its answer."""

    scope: Scope
    send: Send
    is_head: bool
    began: float
    status: int = 500
    size: int = 0
    ended: bool = field(default=False)

    async def answer(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            before, after = framed(message["headers"])
            message["headers"] = [*before, id_header(request_id(self.scope)), *after]
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
            if self.is_head:
                message = {**message, "body": b""}
        await self.send(message)


@dataclass(frozen=True, slots=True)
class Frame:
    """The outermost part of the application.

    Args:
        app: What it stands around.
        body_max: The longest body that any route takes.
        monotonic: Seconds, for how long an answer takes.
    """

    app: ASGIApp
    body_max: int
    monotonic: Callable[[], float] = time.monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass on what is none."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope[_KEY] = id_of(scope)
        asks_head = scope["method"] == "HEAD"
        inner = {**scope, "method": "GET", _HEAD: True} if asks_head else scope
        exchange = _Exchange(scope=inner, send=send, is_head=asks_head, began=self.monotonic())
        try:
            await self._pass_on(exchange, receive)
        finally:
            self._log(exchange, str(scope["method"]))

    async def _pass_on(self, exchange: _Exchange, receive: Receive) -> None:
        if exchange.scope["method"] in _WITH_BODY and self._is_too_long(exchange.scope):
            message = f"The body is longer than {self.body_max} bytes."
            refusal = problem(BodyTooLargeError(message, limit=self.body_max))
            await refusal(exchange.scope, receive, exchange.answer)
            return
        await self.app(exchange.scope, receive, exchange.answer)

    def _is_too_long(self, scope: Scope) -> bool:
        announced = _header(scope, b"content-length")
        return announced.isdecimal() and int(announced) > self.body_max

    def _log(self, exchange: _Exchange, method: str) -> None:
        tell(
            request_id(exchange.scope),
            method=method,
            route=exchange.scope.get("route"),
            status=exchange.status,
            size=exchange.size,
            seconds=self.monotonic() - exchange.began,
        )


def tell(
    request: str, *, method: str, route: object, status: int, size: int, seconds: float
) -> None:
    """Write the line of an answered request to the log.

    Args:
        request: Its id.
        method: Its method.
        route: What answered it.
        status: The status of the answer.
        size: The bytes of the answer's body, also where only its head was asked for.
        seconds: How long it took.
    """
    # The route, not the path: who scanned which part is nobody's business.
    fields = {
        "request": request,
        "method": method,
        "route": getattr(route, "path", None),
        "status": status,
        "bytes": size,
        "milliseconds": round(seconds * 1000, 1),
    }
    _logger.info("answered", extra={"fields": fields})


def framed(headers: Iterable[Header]) -> tuple[Sequence[Header], Sequence[Header]]:
    """Return an answer's own headers, and those of every answer that it lacks.

    The id of the request stands between them; one that an answer brings is not its own.
    """
    own = [header for header in headers if header[0] != _ID_HEADER]
    return own, _lacking(tuple([name for name, _ in own]))


def id_header(given: str) -> Header:
    """Return the header that says a request's id."""
    return _ID_HEADER, given.encode()


@lru_cache(maxsize=64)
def _lacking(names: tuple[bytes, ...]) -> tuple[Header, ...]:
    """Return which of the headers of every answer are not among an answer's own."""
    return tuple(header for header in _WRITTEN if header[0] not in names)


def id_of(scope: Scope) -> str:
    """Return the id of a request: the client's where it is a plain one, else a new one."""
    given = _header(scope, _ID_HEADER)
    if given and _REQUEST_ID.fullmatch(given):
        return given
    # It is no secret, and the system's randomness would let other threads have the interpreter.
    return f"{random.getrandbits(64):016x}"


def _header(scope: Scope, name: bytes) -> str:
    """Return the first header of a name, empty where there is none."""
    return next((value.decode("latin-1") for one, value in scope["headers"] if one == name), "")
