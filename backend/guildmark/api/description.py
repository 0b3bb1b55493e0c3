"""The description of the API (OpenAPI 3.1): every answer is declared, errors are problems."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from guildmark.api.door import Door
from guildmark.api.problems import PROBLEM_TYPE, Problem

Responses = dict[int | str, dict[str, Any]]

_PROBLEM = "#/components/schemas/Problem"
_FRAMEWORK = "#/components/schemas/HTTPValidationError"

_MEANINGS: Mapping[int, str] = {
    304: "It is unchanged since the answer with the named ETag.",
    400: "A parameter or the body is malformed.",
    403: "Who asks may not.",
    404: "It is not there, or not final yet.",
    408: "The body arrived too slowly.",
    409: "The present state does not allow it: not final yet, or the name stands for another body.",
    410: "It was there; its content was erased.",
    413: "The body is too large.",
    415: "The body is of another media type.",
    422: "The body is well formed, but not what it should be.",
    429: "Too much was tried from one network; Retry-After says when to try again.",
    503: "The chain, the database or the index cannot answer now.",
}


def refusals(*statuses: int) -> Responses:
    """Return the declared answers of a route beside its success."""
    return {status: _described(status) for status in statuses}


def leads_to(status: int, operation: str, **parameters: str) -> Responses:
    """Return the link from an answer to a next call (OpenAPI 3.1, 4.8.20).

    Args:
        status: The answer's status.
        operation: The id of the next operation.
        parameters: Its parameters, each the name of a member of the answer.
    """
    named = {name: f"$response.body#/{member}" for name, member in parameters.items()}
    return {status: {"links": {operation: {"operationId": operation, "parameters": named}}}}


def content(media_type: str, description: str) -> Responses:
    """Return the declared success of a route that answers bytes."""
    schema = {"type": "string", "format": "binary"}
    return {200: {"description": description, "content": {media_type: {"schema": schema}}}}


def _described(status: int) -> dict[str, Any]:
    described: dict[str, Any] = {"description": _MEANINGS[status]}
    if status >= HTTPStatus.BAD_REQUEST:
        described["content"] = {PROBLEM_TYPE: {"schema": {"$ref": _PROBLEM}}}
    return described


def name_of(route: APIRoute) -> str:
    """Return an operation's id: the function's name, which no two routes share."""
    return route.name


class Application(FastAPI):
    """An application whose description holds what it really answers, behind its door."""

    door: Door | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by a page that is kept, else by a route."""
        page = self.door.page(scope) if self.door else None
        if self.door and page:
            await self.door.show(page, scope, send)
        else:
            await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """Return the description."""
        if self.openapi_schema is None:
            self.openapi_schema = _corrected(super().openapi())
        return self.openapi_schema


def _corrected(document: dict[str, Any]) -> dict[str, Any]:
    """Say what the framework does not know: its own error, which no route answers, is replaced."""
    for operations in document["paths"].values():
        for operation in operations.values():
            _correct(operation)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document


def _correct(operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    if _FRAMEWORK in str(answers.get("422")):
        del answers["422"]
    for answer in answers.values():
        if answer["description"] == "Successful Response":
            answer["description"] = "What was asked for."
    for parameter in operation.get("parameters", ()):
        # What may be left out is not null.
        choices = parameter["schema"].pop("anyOf", ())
        for choice in choices:
            parameter["schema"] |= choice if choice != {"type": "null"} else {}
