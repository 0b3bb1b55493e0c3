"""What schemathesis must be told: lines of JSON are text, and integers are written as such."""

from typing import Any

import schemathesis

LINES = "application/x-ndjson"


@schemathesis.serializer(LINES)
def _lines(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:
    """Leave out bodies of lines that are no text: nothing else can be sent as lines."""
    return case.media_type != LINES or isinstance(case.body, str | bytes)


@schemathesis.hook
def map_body(_context: Any, body: Any) -> Any:
    """Write whole numbers without a fraction: 1.0 is an integer to a schema, not to our profile."""
    if isinstance(body, dict):
        return {name: map_body(_context, value) for name, value in body.items()}
    if isinstance(body, list):
        return [map_body(_context, value) for value in body]
    return int(body) if isinstance(body, float) and body.is_integer() else body
