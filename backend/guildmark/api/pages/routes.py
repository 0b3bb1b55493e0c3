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
from guildmark.api.pages.verdict import NO_DETAILS, verdict_page
from guildmark.api.problems import status_of
from guildmark.api.serving import Node, ServedNode
from guildmark.domain import trust
from guildmark.domain.errors import GuildmarkError, UnknownPartError
from guildmark.domain.identifiers import Index, LogNumber, parse_hint
from guildmark.domain.qr import HINT_PARAMETER, read_link
from guildmark.domain.verification.report import Report

router = APIRouter()

_Hint = Annotated[str | None, Query(alias=HINT_PARAMETER, max_length=40)]
_Segment = Annotated[str, Path(max_length=200)]


class LabelElsewhereError(UnknownPartError):
    """The entry that the link hints at carries another label."""

    code = "part.labelElsewhere"
    hint = "Do not rely on this label; ask the maker for the part's own link."


@router.get("/")
def home(node: Node) -> Response:
    """Return what this node is, and its newest entries."""
    return _page("home.html", home_page(node), node)


@router.get("/id/{rest:path}")
@router.get("/01/{rest:path}")
def label(node: Node, request: Request, hint: _Hint = None) -> Response:
    """Return the page behind a label: a GS1 Digital Link, or a maker's own."""
    path = request.scope["raw_path"].decode("ascii")
    return _shown(node, lambda: _by_label(node, path, hint))


@router.get("/parts/{part}")
def part(part: _Segment, node: Node) -> Response:
    """Return the page of the part at a log position."""
    return _shown(node, lambda: _verdict(node, *parse_hint(part), path=None))


@router.get("/search")
def search(q: Annotated[str, Query(max_length=512)], node: Node) -> Response:
    """Go to the page of what was typed: a label, or log.index."""
    return _shown(node, lambda: RedirectResponse(f"/parts/{_searched(node, q.strip())}"))


@router.get("/.well-known/guildmark-trust.json")
def published_trust(node: Node) -> Response:
    """Return the list by which this node's pages judge; readers decide whether to take it."""
    return Response(trust.serialise(node.trust()), media_type="application/json")


def _shown(node: ServedNode, answer: Callable[[], Response]) -> Response:
    try:
        return answer()
    except GuildmarkError as error:
        return _page("problem.html", problem_page(error), node, status=status_of(error))


def _by_label(node: ServedNode, path: str, hint: str | None) -> Response:
    log, index = _located(node, path) if hint is None else parse_hint(hint)
    return _verdict(node, log, index, path=path)


def _located(node: ServedNode, path: str) -> tuple[LogNumber, Index]:
    host = urlsplit(node.settings.public_url).netloc
    found = node.bundles.locate(f"https://{host}{path}")
    if found is None:
        message = "No entry of this node's log carries this label."
        raise UnknownPartError(message)
    return found


def _searched(node: ServedNode, text: str) -> str:
    if not text.startswith("http"):
        return "{}.{}".format(*parse_hint(text))
    label, hint = read_link(text)
    found = hint or node.bundles.locate(label)
    if found is None:
        message = "No entry of this node's log carries this label."
        raise UnknownPartError(message)
    return f"{found[0]}.{found[1]}"


def _verdict(node: ServedNode, log: LogNumber, index: Index, *, path: str | None) -> Response:
    judged = node.judge(node.bundles.bundle(log, index, block=None))
    _check_label(judged.report, path)
    base = f"/v1/parts/{log}.{index}"
    details = NO_DETAILS
    if judged.evidence is not None:
        details = part_details(judged.evidence, base=base)
    page = verdict_page(
        judged.report,
        list_of=urlsplit(node.settings.public_url).netloc,
        chain_class=node.ledger.pin().chain_class,
        details=details,
    )
    return _page("verdict.html", page, node)


def _check_label(report: Report, path: str | None) -> None:
    """Refuse a link whose entry is another part's: the hint is checked, never trusted."""
    carried = None if report.part is None else report.part.label
    if path is not None and (carried is None or urlsplit(carried).path != path):
        message = "The entry that this link names carries another label."
        raise LabelElsewhereError(message)


def _page(
    template: str, page: object, node: ServedNode, *, status: HTTPStatus = HTTPStatus.OK
) -> Response:
    host = urlsplit(node.settings.public_url).netloc
    return HTMLResponse(render(template, page, host=host), status_code=status)
