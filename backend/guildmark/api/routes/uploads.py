"""Content in parts: what arrived stays, and an upload goes on from there."""

from http import HTTPStatus
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from starlette.requests import Request

from guildmark.api.bodies import check_media_type, chunks
from guildmark.api.description import leads_to, refusals
from guildmark.api.parameters import Number
from guildmark.api.routes.content import OCTETS, UPLOADS, Stored, pulled
from guildmark.api.serving import Node
from guildmark.ports.content import UploadState
from guildmark.services.neighbours.contents import FILE_MAX

router = APIRouter(prefix="/v1", tags=["content"])

UPLOAD_MAX = FILE_MAX

UploadPath = Annotated[
    str, Path(pattern="^[0-9a-f]{32}$", description="The upload, as its beginning named it.")
]
SizeQuery = Annotated[
    int, Query(ge=0, le=UPLOAD_MAX, description="The bytes of the whole file."), Number
]
OffsetQuery = Annotated[
    int, Query(ge=0, le=UPLOAD_MAX, description="Where the part begins: how far it is."), Number
]
_PART: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}},
    }
}


class UploadAnswer(BaseModel):
    """How far an upload is: the bytes before `offset` are stored durably."""

    upload: str
    size: int
    offset: int


@router.post(
    "/uploads",
    summary="Begin an upload",
    status_code=HTTPStatus.CREATED,
    responses=refusals(400, 503) | leads_to(201, "show_upload", upload="upload"),
)
def begin_upload(size: SizeQuery, node: Node) -> UploadAnswer:
    """Begin the upload of at most 5 GiB; after a week in which nothing came it is forgotten."""
    return _answer(node.uploads.begin(size))


@router.get("/uploads/{upload}", summary="How far an upload is", responses=refusals(400, 404, 503))
def show_upload(upload: UploadPath, node: Node) -> UploadAnswer:
    """Return how many bytes are stored durably; the next part begins there."""
    return _answer(node.uploads.status(upload))


@router.post(
    "/uploads/{upload}/parts",
    summary="Send what follows",
    openapi_extra=_PART,
    responses=refusals(400, 404, 408, 409, 413, 415, 503),
)
async def append_upload(
    upload: UploadPath, offset: OffsetQuery, request: Request, node: Node
) -> UploadAnswer:
    """Take the bytes from `offset` on, however many; full mebibytes stay where it breaks off."""
    check_media_type(request, OCTETS)
    body = chunks(request, UPLOAD_MAX)
    state = await to_thread.run_sync(
        node.uploads.append, upload, offset, pulled(body), limiter=UPLOADS
    )
    return _answer(state)


@router.post(
    "/uploads/{upload}/file",
    summary="Finish an upload",
    status_code=HTTPStatus.CREATED,
    responses=refusals(400, 404, 409, 503) | leads_to(201, "load_content", cid="cid"),
)
def finish_upload(upload: UploadPath, node: Node) -> Stored:
    """Store the file and return its CID; repeating it gives the same answer."""
    return Stored(cid=node.uploads.finish(upload))


def _answer(state: UploadState) -> UploadAnswer:
    return UploadAnswer(upload=state.name, size=state.size, offset=state.offset)
