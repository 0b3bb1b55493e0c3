"""Builds: envelopes in, an answer for each; and what became of one."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from guildmark.api.bodies import check_media_type, whole
from guildmark.api.description import refusals
from guildmark.api.parameters import Hex32, IdempotencyKey
from guildmark.api.serving import Node, ServedNode
from guildmark.domain.errors import MalformedError, NotFoundError
from guildmark.domain.identifiers import digest_from_hex, to_hex
from guildmark.domain.log.queue import Build, BuildState
from guildmark.services.log.ingest import BATCH_MAX, Answer, Reception

router = APIRouter(prefix="/v1", tags=["builds"])

BODY_MAX = 16 << 20
_LINES = "application/x-ndjson"


class BatchEmptyError(MalformedError):
    """A request without an envelope."""

    code = "build.batchEmpty"
    hint = "Send DSSE envelopes, one a line."


class BatchTooLongError(MalformedError):
    """A request with more envelopes than one batch takes."""

    code = "build.batchTooLong"
    hint = f"Send at most {BATCH_MAX} envelopes in one request."


class BuildUnknownError(NotFoundError):
    """This node never accepted an envelope with that digest."""

    code = "build.unknown"


class BuildAnswer(BaseModel):
    """What became of an envelope so far."""

    digest: str = Field(description="SHA-256 of the envelope.")
    label: str
    lane: int
    state: BuildState
    log: int | None
    seq: int | None
    index: int | None
    unit: int | None = Field(description="The granted unit, once final.")
    code: str | None = Field(description="Why it got no unit.")


class ItemAnswer(BaseModel):
    """The answer to one envelope."""

    digest: str
    reception: Reception
    code: str | None = None
    reason: str | None = None
    nextStep: str | None = None  # noqa: N815 - the name in JSON
    build: BuildAnswer | None = None


class BatchAnswer(BaseModel):
    """An answer for each envelope, in the order given."""

    answers: list[ItemAnswer]


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": f"DSSE envelopes, one a line, at most {BATCH_MAX}.",
        "content": {_LINES: {"schema": {"type": "string", "pattern": "[^\n]"}}},
    }
}


@router.post(
    "/builds",
    summary="Log builds",
    response_model=BatchAnswer,
    openapi_extra=_BODY,
    responses=refusals(400, 408, 409, 413, 415, 503),
)
async def log_builds(
    request: Request, node: Node, idempotency_key: IdempotencyKey = None
) -> Response:
    """Examine each envelope and answer for it; accepted means durable.

    Sending the same envelope again is answered with what became of it.
    """
    check_media_type(request, _LINES)
    body = await whole(request, BODY_MAX)
    written = await run_in_threadpool(_receive, node, body, idempotency_key)
    return Response(written, media_type="application/json")


@router.get("/builds/{digest}", summary="What became of a build", responses=refusals(400, 404, 503))
def build(digest: Hex32, node: Node) -> BuildAnswer:
    """Return the state of the build with this envelope digest."""
    with node.store.reading() as view:
        found = view.log.build(digest_from_hex(digest))
    if found is None:
        message = f"This node has no build {digest}."
        raise BuildUnknownError(message, digest=digest)
    return BuildAnswer.model_validate(_became(found))


def _receive(node: ServedNode, body: bytes, name: str | None) -> bytes:
    """Return a ``BatchAnswer`` as JSON: to check thousands of our own answers takes its time."""
    envelopes = _lines(body)
    if name is not None:
        node.requests.claim(f"builds:{name}", body)
    answers = node.ingest.receive(envelopes)
    for reception, count in Counter(answer.reception for answer in answers).items():
        node.metrics.count(reception, count)
    return orjson.dumps({"answers": [_item(answer) for answer in answers]})


def _lines(body: bytes) -> list[bytes]:
    lines = [line for line in body.split(b"\n") if line]
    if not lines:
        message = "The body holds no envelope."
        raise BatchEmptyError(message)
    if len(lines) > BATCH_MAX:
        message = f"The body holds {len(lines)} envelopes."
        raise BatchTooLongError(message, found=len(lines), most=BATCH_MAX)
    return lines


def _item(answer: Answer) -> Mapping[str, object]:
    """Return an ``ItemAnswer``'s members."""
    error = answer.error
    return {
        "digest": to_hex(answer.digest),
        "reception": answer.reception,
        "code": None if error is None else error.code,
        "reason": None if error is None else error.message,
        "nextStep": None if error is None else error.next_step,
        "build": None if answer.build is None else _became(answer.build),
    }


def _became(build: Build) -> Mapping[str, object]:
    """Return a ``BuildAnswer``'s members."""
    return {
        "digest": to_hex(build.digest),
        "label": build.label,
        "lane": build.lane,
        "state": build.state,
        "log": build.log,
        "seq": build.seq,
        "index": build.index,
        "unit": build.unit,
        "code": build.code,
    }
