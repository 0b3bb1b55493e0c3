"""A witness's HTTP interface: c2sp.org/tlog-witness, and notes about blocks."""

import os
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from guildmark.adapters.home import default_home
from guildmark.adapters.keys.devices import pin_file
from guildmark.adapters.keys.keystore import password_from
from guildmark.bootstrap import open_home
from guildmark.domain.errors import (
    GuildmarkError,
    MalformedError,
    NetworkError,
    NotFinalError,
    NotFoundError,
    NotLoggedError,
    SignatureError,
)
from guildmark.domain.log.note import NOTE_MAX
from guildmark.domain.log.witness import ForkError, WitnessBehindError
from guildmark.services.neighbours.witnessing import Witnessing
from guildmark.settings import load, with_environment

_BODY_MAX = NOTE_MAX + (64 << 6)
_SIZE = "text/x.tlog.size"
_STATUSES: tuple[tuple[type[GuildmarkError], HTTPStatus], ...] = (
    (SignatureError, HTTPStatus.FORBIDDEN),
    (NotLoggedError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ForkError, HTTPStatus.CONFLICT),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (NotFinalError, HTTPStatus.NOT_FOUND),
    (NetworkError, HTTPStatus.SERVICE_UNAVAILABLE),
    (MalformedError, HTTPStatus.BAD_REQUEST),
)


def from_environment() -> Starlette:
    """Return the application of the witness whose home the environment names.

    Raises:
        GuildmarkError: Settings, keys, database or chain cannot be used.
    """
    settings = with_environment(load(default_home(os.environ)), os.environ)
    password, pin = password_from(settings.keys, os.environ), pin_file(os.environ)
    return witness_app(open_home(settings, password=password, pin=pin).witnessing)


def witness_app(witnessing: Witnessing) -> Starlette:
    """Return the application of a witness."""

    async def add(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _BODY_MAX:
                return PlainTextResponse(
                    "The request is too long.\n", HTTPStatus.REQUEST_ENTITY_TOO_LARGE
                )
        try:
            signature = await run_in_threadpool(witnessing.cosign, body)
        except WitnessBehindError as behind:
            size = f"{behind.detail['size']}\n"
            return Response(size, HTTPStatus.CONFLICT, headers={"Content-Type": _SIZE})
        return PlainTextResponse(signature.line())

    async def block(request: Request) -> Response:
        note = await run_in_threadpool(witnessing.note, request.path_params["number"])
        return Response(note.encode(), media_type="text/plain; charset=utf-8")

    async def key(_request: Request) -> Response:
        return PlainTextResponse(f"{witnessing.key().encode()}\n")

    routes = [
        Route("/add-checkpoint", add, methods=["POST"]),
        Route("/block/{number:int}", block),
        Route("/key", key),
    ]
    return Starlette(routes=routes, exception_handlers={GuildmarkError: _refused})


async def _refused(_request: Request, error: Exception) -> Response:
    """Answer an error with the status that the specification has for it."""
    status = next(
        (status for kind, status in _STATUSES if isinstance(error, kind)),
        HTTPStatus.UNPROCESSABLE_ENTITY,
    )
    code = error.code if isinstance(error, GuildmarkError) else GuildmarkError.code
    return PlainTextResponse(f"{code}: {error}\n", status)
