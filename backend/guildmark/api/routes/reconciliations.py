"""Reconciliations: a licensor is shown the receipts of his license."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from guildmark.api.bodies import check_media_type, whole
from guildmark.api.description import refusals
from guildmark.api.serving import Node, ServedNode
from guildmark.domain.builds.dsse import ENVELOPE_LIMITS
from guildmark.domain.identifiers import to_hex

router = APIRouter(prefix="/v1/reconciliations", tags=["releases"])

_JSON = "application/json"


class ReconciliationAnswer(BaseModel):
    """The receipts of a license in this node's log, and where its reconciliation is shown."""

    license: str
    proofs: list[str] = Field(description="Each receipt with its proof: canonical JSON, in hex.")
    waiting: int = Field(description="Receipts that are not on record yet.")
    differences: dict[str, int] = Field(description="Lanes by what does not go together there.")
    page: str = Field(description="The address of the page, good for ten minutes.")


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A DSSE envelope of application/vnd.guildmark.reconciliation-query+json.",
        "content": {_JSON: {"schema": {"type": "object"}}},
    }
}


@router.post(
    "",
    summary="Reconcile a license",
    openapi_extra=_BODY,
    responses=refusals(400, 403, 404, 408, 409, 413, 415, 422, 503),
)
async def reconcile(request: Request, node: Node, response: Response) -> ReconciliationAnswer:
    """Return this node's receipts of a license to its licensor, who signs the query."""
    check_media_type(request, _JSON)
    body = await whole(request, ENVELOPE_LIMITS.size)
    answer = await run_in_threadpool(_reconcile, node, body)
    response.headers["Cache-Control"] = "no-store"
    return answer


def page_of(license_: str) -> str:
    """Return the path of a license's reconciliation page."""
    return f"/licenses/{license_}/reconciliation"


def _reconcile(node: ServedNode, body: bytes) -> ReconciliationAnswer:
    license_id, kept = node.reconciling.answer(body, operator=node.settings.operator)
    found = node.reconciling.of(license_id)
    node.metrics.reconciled(found)
    page = page_of(to_hex(license_id))
    ticket = node.tickets.make(page)
    return ReconciliationAnswer(
        license=to_hex(license_id),
        proofs=[to_hex(proof.encode()) for proof in kept.proofs],
        waiting=node.receipts.waiting(license_id),
        differences={one.value: found.count(one) for one in found.differences},
        page=f"{node.settings.public_url}{page}?ticket={ticket}",
    )
