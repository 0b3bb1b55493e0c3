"""Errors over HTTP: one table from error to status, one document for all of them (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from guildmark.api.errors import (
    BodyTooLargeError,
    BodyTooSlowError,
    HeadTooLargeError,
    HeadTooSlowError,
    MediaTypeError,
    MethodRefusedError,
    NodeFaultError,
)
from guildmark.domain.chain.refusals import RecordUnknownError
from guildmark.domain.encoding.strictjson import JsonTooLargeError
from guildmark.domain.errors import (
    ConflictError,
    ForbiddenError,
    GuildmarkError,
    MalformedError,
    NetworkError,
    NotFinalError,
    NotFoundError,
    PossibleCopyError,
    UncheckableError,
    UnknownPartError,
    UsageError,
)
from guildmark.domain.labels.activation import TriedTooOftenError
from guildmark.services.labels.claiming import TRIES_SECONDS
from guildmark.services.log.erased import PartErasedError

PROBLEM_TYPE = "application/problem+json"

_STATUSES: Sequence[tuple[type[GuildmarkError], HTTPStatus]] = (
    (BodyTooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (JsonTooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (BodyTooSlowError, HTTPStatus.REQUEST_TIMEOUT),
    (HeadTooSlowError, HTTPStatus.REQUEST_TIMEOUT),
    (HeadTooLargeError, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    (MediaTypeError, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    (MethodRefusedError, HTTPStatus.METHOD_NOT_ALLOWED),
    (NodeFaultError, HTTPStatus.INTERNAL_SERVER_ERROR),
    (PartErasedError, HTTPStatus.GONE),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (UnknownPartError, HTTPStatus.NOT_FOUND),
    (RecordUnknownError, HTTPStatus.NOT_FOUND),
    (ForbiddenError, HTTPStatus.FORBIDDEN),
    (TriedTooOftenError, HTTPStatus.TOO_MANY_REQUESTS),
    (PossibleCopyError, HTTPStatus.CONFLICT),
    (ConflictError, HTTPStatus.CONFLICT),
    (NotFinalError, HTTPStatus.CONFLICT),
    (NetworkError, HTTPStatus.SERVICE_UNAVAILABLE),
    (UncheckableError, HTTPStatus.SERVICE_UNAVAILABLE),
    (MalformedError, HTTPStatus.BAD_REQUEST),
    (UsageError, HTTPStatus.BAD_REQUEST),
    (GuildmarkError, HTTPStatus.UNPROCESSABLE_ENTITY),
)
"""The first family that fits decides."""

# Whoever sends too much goes on sending: the connection ends with the answer.
HEADERS_OF_STATUS: Mapping[HTTPStatus, Mapping[str, str]] = MappingProxyType(
    {
        HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "5"},
        HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": str(TRIES_SECONDS)},
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: {"Connection": "close"},
        HTTPStatus.REQUEST_TIMEOUT: {"Connection": "close"},
    }
)


class Problem(BaseModel):
    """What an error says (RFC 9457), with the code that CLI, API, pages and docs share."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="The page that explains the code.")
    title: str = Field(description="The HTTP status in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What failed, what was expected, what was found.")
    code: str = Field(description="The error's code.")
    nextStep: str = Field(description="What to do next.")  # noqa: N815 - the name in JSON


def status_of(error: GuildmarkError) -> HTTPStatus:
    """Return the HTTP status of an error's family."""
    return status_of_kind(type(error))


def status_of_kind(kind: type[GuildmarkError]) -> HTTPStatus:
    """Return the HTTP status of a family."""
    return next(status for family, status in _STATUSES if issubclass(kind, family))


def problem(
    error: GuildmarkError,
    *,
    status: HTTPStatus | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """Return the problem document of an error.

    Args:
        error: What failed.
        status: Another status than its family's.
        headers: Further headers.
    """
    status = status_of(error) if status is None else status
    document = Problem(
        type=f"/errors#{error.code}",
        title=status.phrase,
        status=status,
        detail=error.message,
        code=error.code,
        nextStep=error.next_step,
    )
    return Response(
        orjson.dumps(document.model_dump()),
        status_code=status,
        media_type=PROBLEM_TYPE,
        headers={**HEADERS_OF_STATUS.get(status, {}), **headers},
    )
