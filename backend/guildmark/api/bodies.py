"""Request bodies: counted while they arrive, refused before they fill the memory."""

from collections.abc import AsyncIterator

from starlette.requests import Request

from guildmark.api.problems import BodyTooLargeError


async def chunks(request: Request, limit: int) -> AsyncIterator[bytes]:
    """Yield a body's bytes as they arrive.

    Raises:
        BodyTooLargeError: More than ``limit`` bytes are announced, or arrive.
    """
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > limit:
        _refuse(limit)
    seen = 0
    async for chunk in request.stream():
        seen += len(chunk)
        if seen > limit:
            _refuse(limit)
        yield chunk


async def whole(request: Request, limit: int) -> bytes:
    """Return a whole body.

    Raises:
        BodyTooLargeError: More than ``limit`` bytes are announced, or arrive.
    """
    return b"".join([chunk async for chunk in chunks(request, limit)])


def _refuse(limit: int) -> None:
    message = f"The body is longer than {limit} bytes."
    raise BodyTooLargeError(message, limit=limit)
