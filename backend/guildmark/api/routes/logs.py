"""Logs: records as the chain holds them, and the opaque leaves of each batch."""

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from guildmark.api.caching import FOREVER, tagged
from guildmark.api.description import content, refusals
from guildmark.api.parameters import LogPath, SeqPath
from guildmark.api.serving import Node
from guildmark.domain.chain.facts import RecordFact
from guildmark.domain.chain.refusals import RecordUnknownError
from guildmark.domain.identifiers import LogNumber, Seq, to_hex

router = APIRouter(prefix="/v1/logs", tags=["logs"], responses=refusals(400, 404, 503))

_OCTETS = "application/octet-stream"


class GrantAnswer(BaseModel):
    """What a draw got; firstUnit is 0 where it was refused."""

    lane: int
    n: int
    firstUnit: int  # noqa: N815 - the name in JSON


class RecordAnswer(BaseModel):
    """A batch on record, and the block that holds it."""

    log: int
    seq: int
    firstIndex: int  # noqa: N815 - the name in JSON
    count: int
    time: int
    parent: str
    root: str
    grants: list[GrantAnswer]
    digest: str
    block: int


@router.get("/{log}/records/{seq}", summary="A record")
def record(log: LogPath, seq: SeqPath, node: Node) -> RecordAnswer:
    """Return a record; its digest is what the chain keeps."""
    with node.store.reading() as view:
        fact = view.facts.get(RecordFact, log, seq)
    if fact is None:
        message = f"Log {log} has no final record {seq}."
        raise RecordUnknownError(message, log=log, seq=seq)
    one = fact.record
    return RecordAnswer(
        log=one.log,
        seq=one.seq,
        firstIndex=one.first_index,
        count=one.count,
        time=one.time,
        parent=to_hex(one.parent),
        root=to_hex(one.root),
        grants=[
            GrantAnswer(lane=grant.lane, n=grant.n, firstUnit=grant.first_unit)
            for grant in one.grants
        ],
        digest=to_hex(one.digest()),
        block=fact.block,
    )


@router.get(
    "/{log}/records/{seq}/leaves",
    summary="The leaves of a batch",
    response_class=Response,
    responses=content(_OCTETS, "Leaf data, 32 bytes each, in order.") | refusals(304),
)
def leaves(log: LogPath, seq: SeqPath, request: Request, node: Node) -> Response:
    """Return the leaf data of a batch, which say nothing to whom no entry was shown."""
    with node.store.reading() as view:
        data = view.log.leaves(LogNumber(log), Seq(seq))
    if not data:
        message = f"This node does not hold the leaves of record {seq} of log {log}."
        raise RecordUnknownError(message, log=log, seq=seq)
    # A final batch never changes.
    return tagged(request, b"".join(data), media_type=_OCTETS, keep=FOREVER)
