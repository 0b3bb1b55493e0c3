"""Errors over HTTP: every answer that is no success is a problem document (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from guildmark.domain.errors import (
    ConflictError,
    ForbiddenError,
    GuildmarkError,
    MalformedError,
    NetworkError,
    NotFinalError,
    NotFoundError,
    UncheckableError,
    UnknownPartError,
    UsageError,
)
from guildmark.domain.strictjson import JsonTooLargeError

MEDIA_TYPE = "application/problem+json"

_STATUSES: Sequence[tuple[type[GuildmarkError], HTTPStatus]] = (
    (JsonTooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (UnknownPartError, HTTPStatus.NOT_FOUND),
    (ForbiddenError, HTTPStatus.FORBIDDEN),
    (ConflictError, HTTPStatus.CONFLICT),
    (NotFinalError, HTTPStatus.CONFLICT),
    (NetworkError, HTTPStatus.SERVICE_UNAVAILABLE),
    (UncheckableError, HTTPStatus.SERVICE_UNAVAILABLE),
    (MalformedError, HTTPStatus.BAD_REQUEST),
    (UsageError, HTTPStatus.BAD_REQUEST),
    (GuildmarkError, HTTPStatus.UNPROCESSABLE_ENTITY),
)
"""The first family that fits decides."""

_RETRY_AFTER = "5"


class BodyTooLargeError(UsageError):
    """A request's body is longer than the route takes."""

    code = "http.bodyTooLarge"
    hint = "Send it in smaller parts."


class Problem(BaseModel):
    """What an error says (RFC 9457), with the code that CLI, API, pages and docs share."""

    type: str = Field(description="The page that explains the code.")
    title: str = Field(description="The HTTP status in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What failed, what was expected, what was found.")
    code: str = Field(description="The error's code.")
    nextStep: str = Field(description="What to do next.")  # noqa: N815 - the name in JSON


PROBLEM_RESPONSES: Mapping[int | str, dict[str, Any]] = MappingProxyType(
    {
        "4XX": {"description": "The request was refused.", "model": Problem},
        "5XX": {"description": "The node could not answer now.", "model": Problem},
    }
)


def status_of(error: GuildmarkError) -> HTTPStatus:
    """Return the HTTP status of an error's family."""
    if isinstance(error, BodyTooLargeError):
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return next(status for family, status in _STATUSES if isinstance(error, family))


def problem(
    status: HTTPStatus, *, code: str, detail: str, next_step: str, extra: Mapping[str, str]
) -> Response:
    """Return a problem document."""
    document = {
        "type": f"/errors#{code.lower()}",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        "code": code,
        "nextStep": next_step,
    }
    return Response(
        orjson.dumps(document), status_code=status, media_type=MEDIA_TYPE, headers=dict(extra)
    )


def from_error(error: GuildmarkError) -> Response:
    """Return the problem document of an error."""
    status = status_of(error)
    unavailable = status is HTTPStatus.SERVICE_UNAVAILABLE
    return problem(
        status,
        code=error.code,
        detail=error.message,
        next_step=error.next_step,
        extra={"Retry-After": _RETRY_AFTER} if unavailable else {},
    )


async def _on_guildmark_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, GuildmarkError):
        raise error
    return from_error(error)


async def _on_http_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    return problem(
        status,
        code=f"http.{_camel(status.phrase)}",
        detail=f"{status.phrase}.",
        next_step="Look the path and method up in /openapi.json.",
        extra=error.headers or {},
    )


async def _on_validation_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return problem(
        HTTPStatus.BAD_REQUEST,
        code="http.parameterInvalid",
        detail=f"{where}: {first['msg']}.",
        next_step="Correct the parameter that is named.",
        extra={},
    )


def _camel(phrase: str) -> str:
    first, *rest = phrase.replace("-", " ").split()
    return first.lower() + "".join(word.capitalize() for word in rest)


def answer_with_problems(app: FastAPI) -> None:
    """Turn every error of an application into a problem document."""
    app.add_exception_handler(GuildmarkError, _on_guildmark_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
