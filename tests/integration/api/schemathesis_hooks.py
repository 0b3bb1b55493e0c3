"""What schemathesis must be told: lines of JSON are text, integers are written as such, and what
letters of a hidden code belong together.
"""

from functools import partialmethod
from typing import Any

import schemathesis
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter

from guildmark.domain.labels.activation import CODE_ENTROPY, ActivationCode

LINES = "application/x-ndjson"

# All calls come from a network of its own: each may try so many claims. Not every session that
# calls is shown to hooks.
_NETWORK = ("127.0.8.1", 0)
HTTPAdapter.init_poolmanager = partialmethod(  # type: ignore[assignment,method-assign]  # the same
    HTTPAdapter.init_poolmanager, source_address=_NETWORK
)

_DRAWN = st.binary(min_size=CODE_ENTROPY, max_size=CODE_ENTROPY)
schemathesis.openapi.format(
    "activation-code", _DRAWN.map(lambda drawn: ActivationCode.drawn(drawn).text())
)


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
