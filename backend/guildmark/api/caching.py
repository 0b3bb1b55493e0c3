"""Answers that need not be sent twice: each has a tag, and says for how long it stays true."""

from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

FOREVER = "public, max-age=31536000, immutable"
"""For what can never be another thing under the same address."""
ASK_AGAIN = "no-cache"
"""For what may change: the tag is compared each time."""

_TAG_LENGTH = 32


def tag_of(body: bytes) -> str:
    """Return the entity tag of an answer (RFC 9110, 8.8.3)."""
    return f'"{sha256(body).hexdigest()[:_TAG_LENGTH]}"'


def is_known(request: Request, tag: str) -> bool:
    """Return whether the client says that it has the answer with this tag (RFC 9110, 13.1.2)."""
    given = request.headers.get("if-none-match", "")
    known = {each.strip().removeprefix("W/") for each in given.split(",")}
    return tag in known or "*" in known


def unchanged(tag: str, *, keep: str) -> Response:
    """Return the answer that says: you have it already."""
    return Response(
        status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag, "Cache-Control": keep}
    )


def tagged(
    request: Request,
    body: bytes,
    *,
    media_type: str,
    keep: str,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """Return a body with its tag, or that it is unchanged.

    Args:
        request: The request, which may name a tag.
        body: The answer's bytes.
        media_type: Their media type.
        keep: For how long they stay true: ``FOREVER`` or ``ASK_AGAIN``.
        headers: Further headers.
    """
    tag = tag_of(body)
    if is_known(request, tag):
        return unchanged(tag, keep=keep)
    return Response(
        body, media_type=media_type, headers={"ETag": tag, "Cache-Control": keep, **headers}
    )
