"""The paths that people open: a part's page behind its QR code, the search, the node's home."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from guildmark.api.pages.details import part_details
from guildmark.api.pages.home import home_page
from guildmark.api.pages.problem import problem_page
from guildmark.api.pages.rendering import render
from guildmark.api.pages.verdict import verdict_page
from guildmark.api.problems import status_of
from guildmark.api.routes.parts import LabelUnknownError
from guildmark.api.serving import Node, ServedNode
from guildmark.domain import trust
from guildmark.domain.digital_link import DigitalLink
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Index, LogNumber, parse_hint
from guildmark.domain.qr import read_link

router = APIRouter()

_Segment = Annotated[str, Path(max_length=200)]


@router.get("/")
def home(node: Node) -> Response:
    """Return what this node is, and its newest entries."""
    return _page("home.html", home_page(node), node)


@router.get("/id/{rest:path}")
@router.get("/01/{rest:path}")
def label(node: Node, request: Request) -> Response:
    """Return the page behind a label: a GS1 Digital Link, or a maker's own."""
    query = request.scope["query_string"].decode("ascii")
    path = request.scope["raw_path"].decode("ascii") + (query and f"?{query}")
    return _shown(node, lambda: _by_label(node, path))


@router.get("/parts/{part}")
def part(part: _Segment, node: Node) -> Response:
    """Return the page of the part at a log position."""
    return _shown(node, lambda: _verdict(node, *parse_hint(part)))


@router.get("/search")
def search(q: Annotated[str, Query(max_length=512)], node: Node) -> Response:
    """Go to the page of what was typed: a label, or log.index."""
    return _shown(node, lambda: RedirectResponse(f"/parts/{_searched(node, q.strip())}"))


@router.get("/.well-known/guildmark-trust.json")
def published_trust(node: Node) -> Response:
    """Return the list by which this node's pages judge; readers decide whether to take it."""
    return Response(trust.serialise(node.judging.trust), media_type="application/json")


def _shown(node: ServedNode, answer: Callable[[], Response]) -> Response:
    try:
        return answer()
    except GuildmarkError as error:
        return _page("problem.html", problem_page(error), node, status=status_of(error))


def _by_label(node: ServedNode, path: str) -> Response:
    label, hint = read_link(f"https://{node.judging.host}{path}")
    log, index = hint or _located(node, label)
    return _verdict(node, log, index, link=DigitalLink.parse(label))


def _located(node: ServedNode, label: str) -> tuple[LogNumber, Index]:
    found = node.bundles.locate(label)
    if found is None:
        message = "No entry of this node's log carries this label."
        raise LabelUnknownError(message)
    return found


def _searched(node: ServedNode, text: str) -> str:
    if not text.startswith("http"):
        return "{}.{}".format(*parse_hint(text))
    label, hint = read_link(text)
    return "{}.{}".format(*(hint or _located(node, label)))


def _verdict(
    node: ServedNode, log: LogNumber, index: Index, *, link: DigitalLink | None = None
) -> Response:
    data = node.bundles.bundle(log, index)
    judged = node.judging.judge(data, link=link)
    page = verdict_page(
        judged.report,
        list_of=node.judging.host,
        chain_class=node.ledger.pin().chain_class,
        details=part_details(judged.evidence, base=f"/v1/parts/{log}.{index}"),
    )
    return _page("verdict.html", page, node)


def _page(
    template: str, page: object, node: ServedNode, *, status: HTTPStatus = HTTPStatus.OK
) -> Response:
    host = urlsplit(node.settings.public_url).netloc
    return HTMLResponse(render(template, page, host=host), status_code=status)
