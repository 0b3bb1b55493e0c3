"""What a node counts about itself, for Prometheus."""

from fastapi import APIRouter
from starlette.responses import Response

from guildmark.api.description import content, refusals
from guildmark.api.metrics import Reading
from guildmark.api.serving import Node, ServedNode
from guildmark.domain.errors import NetworkError

router = APIRouter(tags=["run time"])

_TEXT = "text/plain; version=0.0.4; charset=utf-8"


@router.get(
    "/metrics",
    summary="Counters for Prometheus",
    response_class=Response,
    responses=content(_TEXT, "Prometheus' text format.") | refusals(400, 503),
)
def metrics(node: Node) -> Response:
    """Return what was accepted and refused, what waits, and how far the index has read."""
    with node.store.reading() as view:
        waiting, cursor = view.log.waiting_count(), view.facts.cursor()
    indexed = None if cursor is None else cursor.number
    reading = Reading(
        waiting=waiting,
        indexed=indexed,
        head=_head(node),
        challenged=node.challenged(),
        watched=node.watched(),
    )
    return Response(node.metrics.text(reading), headers={"Content-Type": _TEXT})


def _head(node: ServedNode) -> int | None:
    try:
        return node.ledger.head(final=True).number
    except NetworkError:
        # That the chain is away is one of the things that are measured.
        return None
