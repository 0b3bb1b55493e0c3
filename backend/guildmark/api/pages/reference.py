"""The page of the HTTP interface, from its own description: no script, no other host."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What an operation takes."""

    name: str
    place: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an operation may answer."""

    status: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One call."""

    anchor: str
    method: str
    path: str
    summary: str
    text: str
    body: str
    parameters: tuple[Parameter, ...]
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePage:
    """Everything that the template shows."""

    version: str
    operations: tuple[Operation, ...]


def reference_page(document: Mapping[str, Any]) -> ReferencePage:
    """Return the page of an OpenAPI description."""
    return ReferencePage(
        version=document["info"]["version"],
        operations=tuple(
            _operation(method, path, operation)
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        ),
    )


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Operation:
    return Operation(
        anchor=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        text=operation.get("description", ""),
        body=", ".join(operation.get("requestBody", {}).get("content", {})),
        parameters=tuple(_parameters(operation)),
        outcomes=tuple(
            Outcome(status=status, text=answer["description"])
            for status, answer in sorted(operation["responses"].items())
        ),
    )


def _parameters(operation: Mapping[str, Any]) -> Iterator[Parameter]:
    for parameter in operation.get("parameters", ()):
        yield Parameter(
            name=parameter["name"],
            place=parameter["in"],
            text=parameter.get("description", ""),
        )
