"""Ciphertext by its address, and documents behind digests on chain."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from anyio import from_thread
from fastapi import APIRouter, Path
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from guildmark.api.bodies import chunks, whole
from guildmark.api.serving import Node
from guildmark.domain.identifiers import Cid, bytes32_from_hex
from guildmark.ports import ContentMissingError, DocumentKind
from guildmark.services.disclosing import DISCLOSURE_LIMITS

router = APIRouter(prefix="/v1", tags=["content"])

CONTENT_MAX = 1 << 30
_OCTETS = "application/octet-stream"
_CID = "^b[a-z2-7]{58}$"
_HEX32 = "^0x[0-9a-f]{64}$"

_UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {_OCTETS: {"schema": {"type": "string", "format": "binary"}}},
    }
}
_DOCUMENT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


class Stored(BaseModel):
    """Where content is."""

    cid: str


@router.post("/content", summary="Store ciphertext", status_code=201, openapi_extra=_UPLOAD)
async def store(request: Request, node: Node) -> Stored:
    """Store a file durably and return its CID; equal bytes get one address."""
    body = chunks(request, CONTENT_MAX)
    cid = await run_in_threadpool(node.content.put, _pulled(body))
    return Stored(cid=cid)


@router.get(
    "/content/{cid}",
    summary="Ciphertext by its address",
    response_class=StreamingResponse,
    responses={200: {"content": {_OCTETS: {}}, "description": "The bytes, hashed again."}},
)
def fetch(cid: Annotated[str, Path(pattern=_CID)], node: Node) -> StreamingResponse:
    """Return a file's bytes; each block was hashed again before it was sent."""
    address = Cid(cid)
    if not node.content.has(address):
        message = f"This node does not hold {cid}."
        raise ContentMissingError(message, cid=cid)
    body: Iterator[bytes] = node.content.get(address)
    return StreamingResponse(body, media_type=_OCTETS)


@router.put(
    "/disclosures/{kind}/{key}",
    summary="Disclose a document",
    status_code=204,
    response_class=Response,
    openapi_extra=_DOCUMENT,
)
async def disclose(
    kind: DocumentKind, key: Annotated[str, Path(pattern=_HEX32)], request: Request, node: Node
) -> Response:
    """Keep a document after checking it against the digest on chain."""
    body = await whole(request, DISCLOSURE_LIMITS.size)
    await run_in_threadpool(node.disclosing.receive, kind, bytes32_from_hex(key), body)
    return Response(status_code=204)


def _pulled(body: AsyncIterator[bytes]) -> Iterator[bytes]:
    """Yield in a worker thread what arrives in the event loop, so that nothing piles up."""

    async def following() -> bytes | None:
        return await anext(body, None)

    while (chunk := from_thread.run(following)) is not None:
        yield chunk
