"""Ciphertext by its address."""

import logging
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from typing import Any

from anyio import CapacityLimiter, from_thread, to_thread
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from guildmark.api.bodies import check_media_type, chunks
from guildmark.api.caching import FOREVER, is_known, unchanged
from guildmark.api.description import content, leads_to, refusals
from guildmark.api.parameters import CidPath, IdempotencyKey
from guildmark.api.problems import problem
from guildmark.api.serving import Node
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Cid
from guildmark.ports.content import ContentMismatchError, ContentMissingError

_logger = logging.getLogger(__name__)

router = APIRouter(prefix="/v1", tags=["content"])

CONTENT_MAX = 1 << 30
OCTETS = "application/octet-stream"
# Each upload holds a thread while its bytes come: others must find one, however slow these are.
UPLOADS = CapacityLimiter(8)

_UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}},
    }
}


class Stored(BaseModel):
    """Where content is."""

    cid: str


class _Download(StreamingResponse):
    """A file that is sent while it is read; where a block is damaged, the connection breaks."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except GuildmarkError as error:
            # Without a last chunk the client knows that the file is not whole.
            _logger.warning("a download ended early: %s: %s", error.code, error.message)


@router.post(
    "/content",
    summary="Store ciphertext",
    status_code=HTTPStatus.CREATED,
    openapi_extra=_UPLOAD,
    responses=refusals(400, 408, 409, 413, 415, 503) | leads_to(201, "load_content", cid="cid"),
)
async def store_content(
    request: Request, node: Node, idempotency_key: IdempotencyKey = None
) -> Stored:
    """Store a file durably and return its CID; equal bytes get one address."""
    check_media_type(request, OCTETS)
    body = chunks(request, CONTENT_MAX)
    cid = await to_thread.run_sync(node.content.put, pulled(body), limiter=UPLOADS)
    if idempotency_key is not None:
        await to_thread.run_sync(node.requests.claim, f"content:{idempotency_key}", cid.encode())
    return Stored(cid=cid)


@router.get(
    "/content/{cid}",
    summary="Ciphertext by its address",
    response_class=StreamingResponse,
    responses=content(OCTETS, "The bytes, hashed again.") | refusals(304, 400, 404, 503),
)
def load_content(cid: CidPath, request: Request, node: Node) -> Response:
    """Return a file's bytes; each block was hashed again before it was sent."""
    address, tag = Cid(cid), f'"{cid}"'
    try:
        if not node.content.has(address):
            message = f"This node does not hold {cid}."
            raise ContentMissingError(message, cid=cid)
        if is_known(request, tag):
            return unchanged(tag, keep=FOREVER)
        body = node.content.get(address)
        first = next(body, b"")
    except ContentMismatchError as error:
        # The node's own disk is damaged: that is no fault of who asks.
        return problem(error, status=HTTPStatus.SERVICE_UNAVAILABLE)
    headers = {"ETag": tag, "Cache-Control": FOREVER}
    parts = iterate_in_threadpool(_after(first, body))
    return _Download(parts, media_type=OCTETS, headers=headers)


def _after(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def pulled(body: AsyncIterator[bytes]) -> Iterator[bytes]:
    """Yield in a worker thread what arrives in the event loop, so that nothing piles up."""

    async def following() -> bytes | None:
        return await anext(body, None)

    while (chunk := from_thread.run(following)) is not None:
        yield chunk
