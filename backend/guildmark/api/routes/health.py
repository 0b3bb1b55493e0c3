"""Whether the process lives, and whether it can do its work."""

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import JSONResponse

from guildmark.api.serving import Node

router = APIRouter(tags=["run time"])


class Health(BaseModel):
    """The process lives."""

    status: str


class Readiness(BaseModel):
    """Whether the node can answer, and up to which block it has read the chain."""

    status: str
    block: int | None


@router.get("/healthz", summary="Whether the process lives")
def healthz() -> Health:
    """Answer while the process lives."""
    return Health(status="alive")


@router.get(
    "/readyz",
    summary="Whether the node can do its work",
    responses={503: {"description": "Not yet, or not any more.", "model": Readiness}},
)
def readyz(node: Node) -> Readiness:
    """Answer 200 once the index has read the chain, 503 before and while stopping."""
    with node.store.reading() as view:
        cursor = view.facts.cursor()
    ready = cursor is not None and not node.stopping()
    block = None if cursor is None else cursor.number
    if ready:
        return Readiness(status="ready", block=block)
    body = {"status": "stopping" if node.stopping() else "starting", "block": block}
    return JSONResponse(body, status_code=503)  # type: ignore[return-value]  # the declared 503
