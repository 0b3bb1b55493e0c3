"""Releases: the keys of a design's files for whom a license allows them, and the receipts."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from guildmark.api.bodies import check_media_type, whole
from guildmark.api.description import content, refusals
from guildmark.api.metrics import ReleaseOutcome
from guildmark.api.parameters import Hex32
from guildmark.api.serving import Node, ServedNode
from guildmark.domain.builds.dsse import ENVELOPE_LIMITS
from guildmark.domain.errors import GuildmarkError, NetworkError
from guildmark.domain.identifiers import digest_from_hex, to_hex
from guildmark.domain.rights.release import Released

router = APIRouter(prefix="/v1/releases", tags=["releases"])

_JSON = "application/json"
_NO_STORE = {"Cache-Control": "no-store"}


class ReleaseAnswer(BaseModel):
    """Keys that only the asker can open, and the receipt that this node's log holds."""

    request: str = Field(description="SHA-256 of the request's payload.")
    sealed: str = Field(description="The content keys, sealed to the request's public key.")
    receipt: str = Field(description="The receipt's DSSE envelope, in hex.")


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A DSSE envelope of application/vnd.guildmark.release-request+json.",
        "content": {_JSON: {"schema": {"type": "object"}}},
    }
}


@router.post(
    "",
    summary="Release keys",
    openapi_extra=_BODY,
    responses=refusals(400, 404, 408, 409, 413, 415, 422, 503),
)
async def release(request: Request, node: Node, response: Response) -> ReleaseAnswer:
    """Answer a signed request with the keys of the design's files, sealed to who asks.

    The license, each license above it, the lane, the links, the signing key and the recipe must be
    final and hold at the newest block. The same request gets the same answer and one receipt.
    """
    check_media_type(request, _JSON)
    body = await whole(request, ENVELOPE_LIMITS.size)
    released = await run_in_threadpool(_release, node, body)
    response.headers.update(_NO_STORE)
    return ReleaseAnswer(
        request=to_hex(released.request),
        sealed=to_hex(released.sealed),
        receipt=to_hex(released.receipt),
    )


@router.get(
    "/{request_digest}/proof",
    summary="The proof of a receipt",
    response_class=Response,
    responses=content(_JSON, "Receipt, salt, record, position and path.")
    | refusals(400, 404, 409, 503),
)
def proof(request_digest: Hex32, node: Node) -> Response:
    """Return what proves that a receipt stands in this node's log, once it is final."""
    found = node.receipts.proof(digest_from_hex(request_digest))
    return Response(found.encode(), media_type=_JSON)


def _release(node: ServedNode, body: bytes) -> Released:
    try:
        answered = node.releasing.release(body)
    except NetworkError:
        raise
    except GuildmarkError:
        node.metrics.count_release(ReleaseOutcome.REFUSED)
        raise
    outcome = ReleaseOutcome.REPEATED if answered.is_repeated else ReleaseOutcome.RELEASED
    node.metrics.count_release(outcome)
    return answered.released
