"""Errors over HTTP: one status a family, one document for every error."""

from collections.abc import AsyncIterator

import orjson
import pytest
from fastapi import FastAPI
from starlette.requests import Request

from asgi import Client
from guildmark.api import bodies
from guildmark.api.problems import MEDIA_TYPE, answer_with_problems, from_error
from guildmark.domain.errors import (
    ConflictError,
    ForbiddenError,
    GuildmarkError,
    NotFoundError,
    SignatureError,
    UncheckableError,
    UnknownPartError,
    UsageError,
)
from guildmark.domain.strictjson import JsonTooLargeError
from guildmark.ports import LedgerUnavailableError


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (UsageError, 400),
        (ForbiddenError, 403),
        (NotFoundError, 404),
        (UnknownPartError, 404),
        (ConflictError, 409),
        (JsonTooLargeError, 413),
        (SignatureError, 422),
        (UncheckableError, 503),
        (LedgerUnavailableError, 503),
    ],
)
def test_a_family_has_one_status(kind: type[GuildmarkError], status: int) -> None:
    response = from_error(kind("It failed."))

    assert response.status_code == status
    assert response.media_type == MEDIA_TYPE


def test_a_problem_says_what_failed_and_what_to_do() -> None:
    document = orjson.loads(from_error(LedgerUnavailableError("No answer.")).body)

    assert document == {
        "type": f"/errors#{LedgerUnavailableError.code.lower()}",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "No answer.",
        "code": LedgerUnavailableError.code,
        "nextStep": LedgerUnavailableError.hint,
    }


def test_what_may_answer_later_says_when_to_try_again() -> None:
    assert from_error(LedgerUnavailableError("No answer.")).headers["Retry-After"] == "5"
    assert "Retry-After" not in from_error(ConflictError("No.")).headers


def _client() -> Client:
    app = FastAPI()
    answer_with_problems(app)

    @app.get("/number")
    def number(value: int) -> int:
        return value

    @app.get("/refused")
    def refused() -> None:
        message = "Nobody may."
        raise ForbiddenError(message)

    @app.post("/body")
    async def body(request: Request) -> int:
        return len(await bodies.whole(request, 10))

    return Client(app)


def test_the_framework_s_own_errors_are_problems_too() -> None:
    client = _client()

    answers = [client.get("/nowhere"), client.post("/number"), client.get("/number?value=x")]

    assert [answer.status_code for answer in answers] == [404, 405, 400]
    assert [answer.json()["code"] for answer in answers] == [
        "http.notFound",
        "http.methodNotAllowed",
        "http.parameterInvalid",
    ]
    assert {answer.headers["content-type"] for answer in answers} == {MEDIA_TYPE}
    assert client.get("/number?value=3").json() == 3


def test_an_error_of_a_route_is_a_problem() -> None:
    answer = _client().get("/refused")

    assert answer.status_code == 403
    assert answer.json()["detail"] == "Nobody may."


def test_a_body_may_be_as_long_as_the_limit_and_no_longer() -> None:
    client = _client()

    assert client.post("/body", content=b"0123456789").json() == 10
    refused = client.post("/body", content=b"0123456789a")
    assert refused.status_code == 413
    assert refused.json()["code"] == "http.bodyTooLarge"


def test_a_body_without_a_length_is_counted_as_it_comes() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"012345"
        yield b"6789a"

    assert _client().post("/body", content=parts()).status_code == 413
