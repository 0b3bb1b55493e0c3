"""Recalls on record: which there are, whom they reach here, and why they were issued."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from guildmark.api.description import refusals
from guildmark.api.parameters import (
    AfterQuery,
    CauseQuery,
    LimitQuery,
    ReachedQuery,
    RecallerQuery,
    RecallPath,
    SinceQuery,
    StateQuery,
    ThingQuery,
)
from guildmark.api.serving import Node, ServedNode
from guildmark.domain.chain.facts import RecallFact
from guildmark.domain.identifiers import Bytes32, from_hex, parse_hint, to_hex
from guildmark.domain.recall import RecallCause, RecallId, Severity, Thing, issuer_text
from guildmark.services.recalls.reaching import reach
from guildmark.services.recalls.reading import Asked, listed, recall_of, shown_reason

router = APIRouter(prefix="/v1/recalls", tags=["recalls"])

_LIMIT = 50


class RecallAnswer(BaseModel):
    """A recall that a final block holds; what did not happen has time 0, an open end too."""

    id: str
    cause: str
    thing: str
    role: str = Field(description="Owner of the thing, or authority.")
    by: str = Field(description="Whose list it is in: owner, or the authority.")
    number: int
    issuer: str = Field(description="The identity that recalls, or its account.")
    listed: bool = Field(description="Whether it counts by this node's list; yours may differ.")
    severity: str
    at: int = Field(description="Block seconds, as all times.")
    since: int = Field(description="Parts recorded from then on; 0 for the first.")
    until: int = Field(description="Parts recorded before; 0 without end.")
    reason: str = Field(description="SHA-256 of the text that says why.")
    closedAt: int  # noqa: N815 - the name in JSON
    closing: str | None = Field(description="SHA-256 of the text that says why it is closed.")


class ReachAnswer(BaseModel):
    """Parts of this node's log that a recall reaches."""

    parts: int | None = Field(description="Null where only makers know it: lots are salted.")
    isUpperBound: bool = Field(description="Whether it may be fewer.")  # noqa: N815 - the name in JSON


class RecallDetail(RecallAnswer):
    """A recall, whom it reaches, and the texts that were published here on purpose."""

    reaches: ReachAnswer
    reasonText: str | None  # noqa: N815 - the name in JSON
    closingText: str | None  # noqa: N815 - the name in JSON


class RecallsAnswer(BaseModel):
    """A page of recalls, the newest first."""

    recalls: list[RecallAnswer]
    next: str | None = Field(description="The address of the next page; also in `Link`.")


def _asked(
    cause: CauseQuery = None,
    thing: ThingQuery = None,
    part: ReachedQuery = None,
    issuer: RecallerQuery = None,
    state: StateQuery = None,
    since: SinceQuery = 0,
) -> Asked:
    return Asked(
        cause=None if cause is None else RecallCause.of_word(cause),
        thing=None if thing is None else Thing.named(thing),
        part=None if part is None else parse_hint(part),
        issuer=None if issuer is None else Bytes32(from_hex(issuer).rjust(32, b"\0")),
        is_open=None if state is None else state == "open",
        since=since,
    )


@router.get("", summary="Recalls on record", responses=refusals(400, 404, 503))
def recalls(
    asked: Annotated[Asked, Depends(_asked)],
    request: Request,
    response: Response,
    node: Node,
    after: AfterQuery = None,
    limit: LimitQuery = _LIMIT,
) -> RecallsAnswer:
    """Return recalls of final blocks, the newest first; closed ones stay on record."""
    before = None if after is None else RecallId.parse(after)
    with node.store.reading() as view:
        page = listed(asked, view, most=limit, after=before)
    following = None
    if page.after is not None:
        query = {**request.query_params, "after": page.after.text()}
        following = f"/v1/recalls?{urlencode(query)}"
        response.headers["Link"] = f'<{following}>; rel="next"'
    return RecallsAnswer(recalls=[_answer(fact, node) for fact in page.recalls], next=following)


@router.get("/{recall}", summary="A recall", responses=refusals(400, 404, 503))
def recall(recall: RecallPath, node: Node) -> RecallDetail:
    """Return a recall, whom it reaches in this node's log, and its texts where they are here."""
    with node.store.reading() as view:
        fact = recall_of(RecallId.parse(recall), view.facts)
        reached = reach(fact, node.settings.log, view)
        reason = shown_reason(fact.reason, view.documents)
        closing = shown_reason(fact.closing, view.documents) if fact.closed_at else None
    return RecallDetail(
        **_answer(fact, node).model_dump(),
        reaches=ReachAnswer(parts=reached.parts, isUpperBound=reached.is_most),
        reasonText=reason,
        closingText=closing,
    )


def _answer(fact: RecallFact, node: ServedNode) -> RecallAnswer:
    is_owners = fact.is_owners
    return RecallAnswer(
        id=fact.id.text(),
        cause=fact.thing.cause.word,
        thing=fact.thing.text(),
        role="owner" if is_owners else "authority",
        by="owner" if is_owners else to_hex(fact.by),
        number=fact.number,
        issuer=issuer_text(fact.issuer),
        listed=is_owners or node.judging.trust.lists_authority(fact.by, fact.at),
        severity=Severity(fact.severity).word,
        at=fact.at,
        since=fact.since,
        until=fact.until,
        reason=to_hex(fact.reason),
        closedAt=fact.closed_at,
        closing=to_hex(fact.closing) if fact.closed_at else None,
    )
