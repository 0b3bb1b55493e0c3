"""Where a source goes on: a small JSON document that only its own adapter reads."""

import json
from collections.abc import Callable
from typing import TypeVar

from guildmark.domain.encoding.fields import Fields, read_document
from guildmark.domain.encoding.strictjson import JsonObject, Limits
from guildmark.domain.errors import MalformedError
from guildmark.domain.shopfloor.jobs import CURSOR_MAX, MalformedReportError

T = TypeVar("T")

_LIMITS = Limits(size=CURSOR_MAX)


def write_cursor(kind: str, members: JsonObject) -> bytes:
    """Return the cursor that holds ``members``.

    Raises:
        MalformedReportError: There is more to remember than a cursor holds.
    """
    cursor = json.dumps({"kind": kind, **members}, separators=(",", ":")).encode()
    if len(cursor) > CURSOR_MAX:
        message = f"The machine keeps more than a cursor of {CURSOR_MAX} bytes can remember."
        next_step = "Delete on the machine the files that are no longer needed."
        raise MalformedReportError(message, next_step=next_step, size=len(cursor))
    return cursor


def read_cursor(kind: str, cursor: bytes, read: Callable[[Fields], T]) -> T:
    """Return what ``read`` makes of a cursor's members.

    Raises:
        MalformedReportError: It is the cursor of another kind of source, or of a newer version.
    """

    def of_kind(fields: Fields) -> T:
        fields.constant("kind", kind)
        return read(fields)

    try:
        return read_document(cursor, of_kind, _LIMITS)
    except MalformedError as error:
        message = f"The stored cursor is not one of a source of the kind {kind!r}: {error.message}"
        next_step = "Give a source of another kind another name in the agent's configuration."
        raise MalformedReportError(message, next_step=next_step) from error
