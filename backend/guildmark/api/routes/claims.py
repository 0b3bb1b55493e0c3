"""First claims of parts: by the code under a label's scratch field."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from guildmark.api.bodies import check_media_type, whole
from guildmark.api.description import refusals
from guildmark.api.parameters import PartPath
from guildmark.api.serving import Node
from guildmark.domain.encoding.fields import Fields, read_document
from guildmark.domain.identifiers import Bytes32, parse_hint
from guildmark.domain.labels.activation import CLAIM_LIMITS, ActivationCode
from guildmark.services.labels.scanning import network_of

router = APIRouter(prefix="/v1/parts", tags=["parts"])

_JSON = "application/json"
_NO_STORE = {"Cache-Control": "no-store"}

_CLAIM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The code as it is read under the scratch field, and 32 random bytes that "
        "the claimant keeps: who sends them again gets the same receipt.",
        "content": {
            _JSON: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "code": {"type": "string", "format": "activation-code"},
                        "token": {"type": "string", "pattern": "^0x[0-9a-f]{64}$"},
                    },
                    "required": ["code", "token"],
                    "additionalProperties": False,
                }
            }
        },
    }
}


class ClaimAnswer(BaseModel):
    """That the claim is the first."""

    receipt: str = Field(description="A note with time, signed by the key of the log's checkpoints")


@router.post(
    "/{part}/claims",
    summary="Claim a part by its hidden code",
    openapi_extra=_CLAIM,
    responses=refusals(400, 403, 404, 408, 409, 413, 415, 429, 503),
)
async def claim_part(
    part: PartPath, node: Node, request: Request, response: Response
) -> ClaimAnswer:
    """Take a claim where it is the part's first, and sign that it is."""
    check_media_type(request, _JSON)
    code, token = read_document(await whole(request, CLAIM_LIMITS.size), _read, CLAIM_LIMITS)
    network = network_of("" if request.client is None else request.client.host)
    note = await run_in_threadpool(
        node.claiming.claim, parse_hint(part), code, token, network=network
    )
    response.headers.update(_NO_STORE)
    return ClaimAnswer(receipt=note.encode().decode())


def _read(fields: Fields) -> tuple[ActivationCode, Bytes32]:
    return fields.parsed("code", ActivationCode.parse), fields.bytes32("token")
