"""Pages for whoever sits at this machine: served to it alone, under its own name alone.

Another site that a browser has open can neither read them nor send to them.
"""

import hmac
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import TypeAlias

import uvicorn
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from guildmark.domain.errors import NetworkError

Answer: TypeAlias = Callable[[Request], Awaitable[Response]]

_TOKEN_SIZE = 32
# A browser names no origin at all to a form whose page forbids every referrer; to a form of the
# same origin it must, else a form of another site would look alike.
_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_STYLES: Mapping[str, str] = {"style.css": "guildmark.api", "agent.css": "guildmark.agent"}


class PagePortError(NetworkError):
    """The port of the agent's page is taken."""

    code = "agent.portTaken"
    hint = "Set another `port` in agent.toml, or 0 for a free one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Who is let in to local pages.

    Args:
        hosts: The names, with the port, that the pages answer to.
        token: What a form must bring back; drawn anew with each process.
    """

    hosts: frozenset[str]
    token: str = field(default_factory=lambda: secrets.token_hex(_TOKEN_SIZE), repr=False)

    def guarded(self, answer: Answer) -> Answer:
        """Answer only who asks these pages by their own name, and forms only from them."""

        async def guarded(request: Request) -> Response:
            if not self._is_own(request):
                response: Response = refused()
            else:
                response = await answer(request)
            response.headers.update(_HEADERS)
            return response

        return guarded

    def handed_out(self, token: bytes) -> bool:
        """Return whether a form is one of these pages'."""
        return hmac.compare_digest(token, self.token.encode())

    def _is_own(self, request: Request) -> bool:
        origin = request.headers.get("origin")
        is_own_origin = origin in {None, *(f"http://{host}" for host in self.hosts)}
        return request.headers.get("host") in self.hosts and is_own_origin


def refused(text: str = "Not here.") -> Response:
    """Return what those get who are not let in."""
    return PlainTextResponse(text, HTTPStatus.FORBIDDEN)


async def style(request: Request) -> Response:
    """Answer with a style sheet by the name in the path."""
    name = request.path_params["name"]
    if name not in _STYLES:
        return PlainTextResponse("Not here.", HTTPStatus.NOT_FOUND)
    text = files(_STYLES[name]).joinpath("static", name).read_text(encoding="utf-8")
    return Response(text, media_type="text/css")


async def read_body(request: Request, most: int) -> bytes | None:
    """Return a body, None where it is too long."""
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > most:
            return None
    return bytes(found)


def html(template: str, page: Mapping[str, object], status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return a page."""
    return HTMLResponse(_environment().get_template(template).render(page=page), status)


def listen(port: int) -> tuple[socket.socket, frozenset[str]]:
    """Listen on this machine alone; return the names, too, that lead there.

    Raises:
        PagePortError: The port is taken.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as exc:
        listener.close()
        message = f"Nothing can listen at port {port}: {exc.strerror}."
        raise PagePortError(message, port=port) from exc
    found = listener.getsockname()[1]
    return listener, frozenset({f"127.0.0.1:{found}", f"localhost:{found}"})


def server(application: Starlette) -> uvicorn.Server:
    """Return what answers until SIGTERM, Ctrl-C or ``should_exit``.

    Pages for one person need no faster loop or parser, and no sockets that stay open: these are
    not even imported where they are installed, so that the agent fits a small board.
    """
    config = uvicorn.Config(
        application,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        server_header=False,
    )
    return uvicorn.Server(config)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("guildmark.agent"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
