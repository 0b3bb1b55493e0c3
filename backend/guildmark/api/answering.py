"""Every error becomes an answer: a page for people, a problem document for programs."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response

from guildmark.api.errors import (
    MemoryShortError,
    MethodRefusedError,
    NodeFaultError,
    ParameterInvalidError,
    PathUnknownError,
    RequestRefusedError,
)
from guildmark.api.frame import FRAME_HEADERS, request_id
from guildmark.api.pages.problem import problem_page
from guildmark.api.pages.rendering import render
from guildmark.api.problems import problem, status_of
from guildmark.domain.errors import GuildmarkError

_logger = logging.getLogger(__name__)

_PROGRAMS = ("/v1/", "/log/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/.well-known/")


def answer_errors(app: FastAPI) -> None:
    """Turn every error of an application into an answer."""
    app.add_exception_handler(GuildmarkError, _on_guildmark_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(MemoryError, _on_memory_short)
    app.add_exception_handler(Exception, _on_fault)


def refused(
    request: Request,
    error: GuildmarkError,
    *,
    status: HTTPStatus | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """Return the answer that says an error, in the form that the asker reads."""
    if not _is_a_person(request):
        return problem(error, status=status, headers=headers)
    html = render("problem.html", problem_page(error), host=request.app.state.host)
    return HTMLResponse(html, status_code=status or status_of(error), headers=dict(headers))


def _is_a_person(request: Request) -> bool:
    accepts_html = "text/html" in request.headers.get("accept", "")
    return accepts_html and not request.url.path.startswith(_PROGRAMS)


# Starlette declares handlers over Exception; each is called with its own kind only.
async def _on_guildmark_error(request: Request, error: Any) -> Response:
    return refused(request, error)


async def _on_http_error(request: Request, error: Any) -> Response:
    status = HTTPStatus(error.status_code)
    headers = dict(error.headers or {})
    if status is HTTPStatus.NOT_FOUND:
        return refused(request, PathUnknownError("Nothing is served at this path."))
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        message = f"This path does not take {request.method}."
        return refused(request, MethodRefusedError(message), headers=_with_head(headers))
    message = f"The request is refused: {status.phrase}."
    return refused(request, RequestRefusedError(message), status=status, headers=headers)


def _with_head(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return the Allow header with HEAD, which is answered wherever GET is."""
    methods = {method.strip() for method in headers.get("Allow", "").split(",") if method.strip()}
    if "GET" in methods:
        methods.add("HEAD")
    return {**headers, "Allow": ", ".join(sorted(methods))}


async def _on_validation_error(request: Request, error: Any) -> Response:
    first = error.errors()[0]
    where = " ".join(str(part) for part in first["loc"])
    # Pydantic's sentence; the value itself is not repeated.
    message = f"The parameter {where} cannot be read: {first['msg']}."
    return refused(request, ParameterInvalidError(message))


async def _on_disconnect(_request: Request, _error: Any) -> Response:
    _logger.info("the client went away in the middle of a body")
    # Nobody is there to read it.
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def _on_memory_short(request: Request, _error: Any) -> Response:
    _logger.warning("no memory was left for a request")
    return refused(request, MemoryShortError.of_request())


async def _on_fault(request: Request, _error: Any) -> Response:
    """Answer what nobody foresaw; the server logs it after this, outside of the frame."""
    message = "The node failed at something that nobody foresaw."
    headers = {**FRAME_HEADERS, "X-Request-ID": request_id(request.scope)}
    return refused(request, NodeFaultError(message), headers=headers)
