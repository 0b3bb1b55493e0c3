"""Request bodies: of the right kind, counted while they arrive, waited for only so long."""

from collections.abc import AsyncIterator
from time import monotonic

from anyio import move_on_after
from starlette.requests import Request

from guildmark.api.errors import BodyTooLargeError, BodyTooSlowError, MediaTypeError

_PATIENCE = 30.0
_LEAST_RATE = 16 << 10
"""Seconds for which nothing need come, and bytes a second on average after that."""


def check_media_type(request: Request, expected: str) -> None:
    """Refuse a body of another media type than the route takes.

    Raises:
        MediaTypeError: It is another one, or none is named.
    """
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found != expected:
        message = f"The body is {found[:80] or 'of no named type'!a}, expected {expected}."
        raise MediaTypeError(message, expected=expected)


async def chunks(
    request: Request, limit: int, *, patience: float = _PATIENCE
) -> AsyncIterator[bytes]:
    """Yield a body's bytes as they arrive.

    Args:
        request: The request.
        limit: How many bytes there may be.
        patience: Seconds for which nothing need come.

    Raises:
        BodyTooLargeError: More than ``limit`` bytes are announced, or arrive.
        BodyTooSlowError: It takes too long.
    """
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > limit:
        _refuse(limit)
    seen, began, stream = 0, monotonic(), request.stream()
    while True:
        with move_on_after(patience + seen / _LEAST_RATE - (monotonic() - began)) as wait:
            chunk = await anext(stream, None)
        if wait.cancelled_caught:
            message = f"Of the body, {seen} bytes arrived in {monotonic() - began:.0f} s."
            raise BodyTooSlowError(message, seen=seen)
        if chunk is None:
            return
        seen += len(chunk)
        if seen > limit:
            _refuse(limit)
        yield chunk


async def whole(request: Request, limit: int, *, patience: float = _PATIENCE) -> bytes:
    """Return a whole body.

    Raises:
        BodyTooLargeError: More than ``limit`` bytes are announced, or arrive.
        BodyTooSlowError: It takes too long.
    """
    return b"".join([chunk async for chunk in chunks(request, limit, patience=patience)])


def _refuse(limit: int) -> None:
    message = f"The body is longer than {limit} bytes."
    raise BodyTooLargeError(message, limit=limit)
