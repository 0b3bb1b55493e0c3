"""Canonical JSON (RFC 8785): one text for one value, for what is hashed and has no bytes yet."""

import rfc8785

from guildmark.domain.encoding.strictjson import JsonValue
from guildmark.domain.errors import MalformedError


class NotCanonicalError(MalformedError):
    """A value that RFC 8785 cannot write."""

    code = "json.notCanonical"
    hint = "Use strings, whole numbers within 2^53 - 1, booleans, null, arrays and objects."


def canonical(value: JsonValue) -> bytes:
    """Return the RFC 8785 text of ``value``.

    Raises:
        NotCanonicalError: An integer beyond 2^53 - 1, a lone surrogate, or no JSON value.
    """
    try:
        return rfc8785.dumps(value)
    except ValueError as error:
        message = "The value has no canonical JSON text."
        raise NotCanonicalError(message) from error
