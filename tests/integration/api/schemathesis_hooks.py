"""What schemathesis must be told: lines of JSON are text."""

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
