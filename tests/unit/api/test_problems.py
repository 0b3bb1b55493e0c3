"""Errors over HTTP: one status a family, one document for every error."""

import orjson
import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException

from asgi import Client
from guildmark.api.answering import answer_errors
from guildmark.api.errors import BodyTooLargeError, BodyTooSlowError, MediaTypeError
from guildmark.api.problems import PROBLEM_TYPE, problem
from guildmark.domain.encoding.strictjson import JsonTooLargeError
from guildmark.domain.errors import (
    ConflictError,
    ForbiddenError,
    GuildmarkError,
    MalformedError,
    NotFinalError,
    NotFoundError,
    SignatureError,
    UncheckableError,
    UnknownPartError,
    UsageError,
)
from guildmark.ports.chain import LedgerUnavailableError


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (UsageError, 400),
        (MalformedError, 400),
        (ForbiddenError, 403),
        (NotFoundError, 404),
        (UnknownPartError, 404),
        (BodyTooSlowError, 408),
        (ConflictError, 409),
        (NotFinalError, 409),
        (BodyTooLargeError, 413),
        (JsonTooLargeError, 413),
        (MediaTypeError, 415),
        (SignatureError, 422),
        (UncheckableError, 503),
        (LedgerUnavailableError, 503),
    ],
)
def test_a_family_has_one_status(kind: type[GuildmarkError], status: int) -> None:
    response = problem(kind("It failed."))

    assert response.status_code == status
    assert response.media_type == PROBLEM_TYPE


def test_a_problem_says_what_failed_and_what_to_do() -> None:
    document = orjson.loads(problem(LedgerUnavailableError("No answer.")).body)

    assert document == {
        "type": f"/errors#{LedgerUnavailableError.code}",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "No answer.",
        "code": LedgerUnavailableError.code,
        "nextStep": LedgerUnavailableError.hint,
    }


def test_what_may_answer_later_says_when_to_try_again() -> None:
    assert problem(LedgerUnavailableError("No answer.")).headers["Retry-After"] == "5"
    assert "Retry-After" not in problem(ConflictError("No.")).headers


def test_who_sends_too_much_is_cut_off() -> None:
    assert problem(BodyTooLargeError("Long.")).headers["Connection"] == "close"


def _client() -> Client:
    app = FastAPI()
    app.state.host = "node.example"
    answer_errors(app)

    @app.get("/number")
    def number(value: int) -> int:
        return value

    @app.get("/refused")
    def refused() -> None:
        message = "Nobody <may>."
        raise ForbiddenError(message)

    @app.get("/teapot")
    def teapot() -> None:
        raise HTTPException(418)

    @app.get("/broken")
    def broken() -> None:
        raise ZeroDivisionError

    @app.get("/starved")
    def starved() -> None:
        raise MemoryError

    return Client(app)


def test_the_framework_s_own_errors_are_problems_too() -> None:
    client = _client()
    calls = ["GET /nowhere", "POST /number", "GET /number?value=x", "GET /teapot"]

    answers = [client.request(*call.split()) for call in calls]

    assert [answer.status_code for answer in answers] == [404, 405, 400, 418]
    assert [answer.json()["code"] for answer in answers] == [
        "http.notFound",
        "http.methodNotAllowed",
        "http.parameterInvalid",
        "http.refused",
    ]
    assert {answer.headers["content-type"] for answer in answers} == {PROBLEM_TYPE}
    assert client.get("/number?value=3").json() == 3


def test_a_method_that_is_not_taken_names_those_that_are() -> None:
    assert _client().post("/number").headers["allow"] == "GET, HEAD"


def test_a_malformed_value_is_named_and_not_repeated() -> None:
    answer = _client().get("/number?value=secret")

    assert "query value" in answer.json()["detail"]
    assert "secret" not in answer.text


def test_an_error_of_a_route_is_a_problem() -> None:
    answer = _client().get("/refused")

    assert answer.status_code == 403
    assert answer.json()["detail"] == "Nobody <may>."


def test_a_person_gets_a_page() -> None:
    answer = _client().get("/refused", headers={"Accept": "text/html,*/*"})

    assert answer.status_code == 403
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Nobody &lt;may&gt;." in answer.text


def test_what_nobody_foresaw_is_a_problem_without_a_trace() -> None:
    answer = _client().get("/broken", raises=False)

    assert answer.status_code == 500
    assert answer.json()["code"] == "node.fault"
    assert "ZeroDivision" not in answer.text


def test_a_node_without_memory_is_to_be_asked_later() -> None:
    answer = _client().get("/starved")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["code"] == "node.memoryShort"
