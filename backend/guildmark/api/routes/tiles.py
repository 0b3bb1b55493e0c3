"""The tree of a log's records as static files: what stock tools and witnesses read.

Paths and bytes are those of c2sp.org/tlog-tiles; tiles never change, a checkpoint does.
"""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from guildmark.api.caching import ASK_AGAIN, FOREVER, tagged
from guildmark.api.description import content, refusals
from guildmark.api.parameters import LogPath, Number, SeqPath
from guildmark.api.serving import Node
from guildmark.domain.identifiers import UINT40_MAX, LogNumber, to_hex
from guildmark.domain.log.checkpoint import LEVEL_MAX, Tile

router = APIRouter(tags=["trees"], responses=refusals(400, 404, 503))

_OCTETS = "application/octet-stream"
_TEXT = "text/plain; charset=utf-8"

_LevelPath = Annotated[
    int, Path(ge=0, le=LEVEL_MAX, description="The level of the tile, 0 for leaves."), Number
]
_TilePath = Annotated[
    str,
    Path(
        # One spelling a tile: no leading zeros, no width that is none or full.
        pattern=r"^(x(00[1-9]|0[1-9][0-9]|[1-9][0-9]{2})/(x[0-9]{3}/){0,4})?[0-9]{3}"
        r"(\.p/(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9][0-9]?))?$",
        description="The tile: 000, x001/234, or 000.p/5 where it has 5 hashes only.",
    ),
]
_SizePath = Annotated[
    int, Path(ge=1, le=UINT40_MAX, description="How many records the tree has."), Number
]


class ConsistencyAnswer(BaseModel):
    """That a log's first records begin a later state of it (RFC 9162, 2.1.4)."""

    log: int
    old: int
    new: int
    proof: list[str]


@router.get(
    "/log/{log}/checkpoint",
    summary="The checkpoint of a log",
    response_class=Response,
    responses=content("text/plain", "A signed note: origin, number of records, root.")
    | refusals(304),
)
def checkpoint(log: LogPath, request: Request, node: Node) -> Response:
    """Return the newest signed checkpoint, with the cosignatures of witnesses."""
    body = node.publishing.checkpoint(LogNumber(log))
    return tagged(request, body, media_type=_TEXT, keep=ASK_AGAIN)


@router.get(
    "/log/{log}/key",
    summary="The key that signs a log's checkpoints",
    response_class=Response,
    responses=content("text/plain", "A key of notes: name+id+key.") | refusals(304),
)
def log_key(log: LogPath, request: Request, node: Node) -> Response:
    """Return the key of this node's own log; who trusts it should have it from elsewhere, too."""
    body = f"{node.publishing.key(LogNumber(log)).encode()}\n".encode()
    return tagged(request, body, media_type=_TEXT, keep=ASK_AGAIN)


@router.get(
    "/log/{log}/tile/entries/{tile:path}",
    summary="The data of up to 256 leaves",
    response_class=Response,
    responses=content(_OCTETS, "Digests of records, each behind its length in two bytes.")
    | refusals(304),
)
def tile_entries(log: LogPath, tile: _TilePath, request: Request, node: Node) -> Response:
    """Return the digests of records: the leaves of the tree."""
    body = node.publishing.entries(LogNumber(log), Tile.parse(0, tile))
    return tagged(request, body, media_type=_OCTETS, keep=FOREVER)


@router.get(
    "/log/{log}/tile/{level}/{tile:path}",
    summary="Up to 256 hashes of the tree",
    response_class=Response,
    responses=content(_OCTETS, "Hashes of 32 bytes, side by side.") | refusals(304),
)
def tile(
    log: LogPath, level: _LevelPath, tile: _TilePath, request: Request, node: Node
) -> Response:
    """Return a tile of the tree over a log's records."""
    body = node.publishing.tile(LogNumber(log), Tile.parse(level, tile))
    return tagged(request, body, media_type=_OCTETS, keep=FOREVER)


@router.get(
    "/v1/logs/{log}/records/{seq}/proof",
    summary="The proof that a record is in its log",
    response_class=Response,
    responses=content("text/plain", "A proof as text (c2sp.org/tlog-proof), with its checkpoint.")
    | refusals(304),
)
def record_proof(log: LogPath, seq: SeqPath, request: Request, node: Node) -> Response:
    """Return the path of a record to the newest checkpoint, and the checkpoint."""
    body = node.publishing.prove(LogNumber(log), seq).encode()
    return tagged(request, body, media_type=_TEXT, keep=ASK_AGAIN)


@router.get("/v1/logs/{log}/consistency/{old}/{new}", summary="The proof that a log only grew")
def consistency(log: LogPath, old: _SizePath, new: _SizePath, node: Node) -> ConsistencyAnswer:
    """Return the hashes that show that the tree of the first records begins the later one."""
    found = node.publishing.consistency(LogNumber(log), old, new)
    return ConsistencyAnswer(log=log, old=old, new=new, proof=[to_hex(one) for one in found])
