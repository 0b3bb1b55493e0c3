"""Whether the process lives, and whether it can do its work."""

from fastapi import APIRouter
from pydantic import BaseModel

from guildmark.api.description import refusals
from guildmark.api.serving import Node
from guildmark.domain.errors import NetworkError

router = APIRouter(tags=["run time"])


class NodeStartingError(NetworkError):
    """The node has not read the chain yet."""

    code = "node.starting"
    hint = "Wait a moment, then ask again."


class NodeStoppingError(NetworkError):
    """The process is about to end."""

    code = "node.stopping"
    hint = "Ask another process, or this one after its restart."


class Health(BaseModel):
    """The process lives."""

    status: str


class Alarm(BaseModel):
    """What the operator must look at."""

    code: str
    reason: str
    nextStep: str  # noqa: N815 - the name in JSON


class Readiness(BaseModel):
    """The node can answer; it has read the chain up to a block."""

    status: str
    block: int
    alarms: list[Alarm]


@router.get("/healthz", summary="Whether the process lives", responses=refusals(400))
def healthz() -> Health:
    """Answer while the process lives."""
    return Health(status="alive")


@router.get("/readyz", summary="Whether the node can do its work", responses=refusals(400, 503))
def readyz(node: Node) -> Readiness:
    """Answer 200 once the index has read the chain, 503 before and while stopping.

    Alarms do not make a node unready: it answers from what it has, and others fare no better.
    """
    if node.stopping():
        message = "The process is about to end."
        raise NodeStoppingError(message)
    with node.store.reading() as view:
        cursor = view.facts.cursor()
    if cursor is None:
        message = "The node has not read the chain yet."
        raise NodeStartingError(message)
    alarms = [
        Alarm(code=one.code, reason=one.message, nextStep=one.next_step)
        for one in node.watched().alarms
    ]
    return Readiness(status="ready", block=cursor.number, alarms=alarms)
