"""docs/http.md and docs/openapi.json: every call that a node answers."""

from typing import Any

from guildmark.api.app import described

_INTRODUCTION = """\
# HTTP

Every call of a node; the whole description is [openapi.json](openapi.json). Both are written from
the code by `make docs`. Every error is a problem document (RFC 9457) with a [code](errors.md).

| call | does |
|---|---|
"""

Json = dict[str, Any]


def openapi() -> Json:
    """Return the description, which depends on no node's data."""
    return described().openapi()


def page() -> str:
    """Return the table of all calls."""
    rows = [
        f"| `{method.upper()} {path}` | {operation.get('summary', '')} |\n"
        for path, operations in openapi()["paths"].items()
        for method, operation in operations.items()
    ]
    return _INTRODUCTION + "".join(rows)
