"""The paths that people open: a part's page behind its QR code, the search, the node's home."""

import json
import re
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from guildmark.api.bodies import check_media_type, whole
from guildmark.api.caching import ASK_AGAIN, tagged
from guildmark.api.frame import CHECKING_HEADERS
from guildmark.api.hosts import located
from guildmark.api.kept_pages import keep_for
from guildmark.api.pages.card import card_page
from guildmark.api.pages.certificate import certificate_page
from guildmark.api.pages.claimed import (
    FORM_MAX,
    FORM_TYPE,
    Hidden,
    claim_file,
    claimed_page,
    hidden,
    offered_page,
    read_form,
    refused_page,
)
from guildmark.api.pages.compared import compared
from guildmark.api.pages.design import design_page, design_picture, path_of
from guildmark.api.pages.details import part_details
from guildmark.api.pages.equivalence import equivalence_page, plot, rerun_page
from guildmark.api.pages.errors import errors_page
from guildmark.api.pages.finding import path_of_typed
from guildmark.api.pages.home import home_page
from guildmark.api.pages.names import names_page
from guildmark.api.pages.problem import problem_page
from guildmark.api.pages.qualified import path_of as qualified_path
from guildmark.api.pages.qualified import qualified_page
from guildmark.api.pages.recalls import recalls_page
from guildmark.api.pages.reconciliation import reconciliation_page
from guildmark.api.pages.reference import reference_page
from guildmark.api.pages.rendering import render
from guildmark.api.pages.scanned import Scanned, scanned
from guildmark.api.pages.verdict import Judge, own, verdict_page
from guildmark.api.parameters import Hex32
from guildmark.api.problems import HEADERS_OF_STATUS, status_of
from guildmark.api.routes.reconciliations import page_of
from guildmark.api.serving import Node, ServedNode
from guildmark.api.visiting import led_to
from guildmark.domain import trust
from guildmark.domain.chain.facts import DesignFact, IdentityFact, RecipeFact
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import (
    DesignId,
    EquivalencePlanId,
    IdentityId,
    Index,
    LicenseId,
    LogNumber,
    RecipeId,
    bytes32_from_hex,
    parse_hint,
    to_hex,
)
from guildmark.domain.identity.identity import NAME_MAX
from guildmark.domain.labels.digital_link import DigitalLink
from guildmark.domain.labels.qr import read_link
from guildmark.domain.verification.case import Case
from guildmark.services.evidence.linking import PAGES
from guildmark.services.identity.cards import holders
from guildmark.services.identity.dids import Document
from guildmark.services.labels.scanning import network_of

router = APIRouter()

_ENTRY = 3
_IDENTITY = re.compile(r"0x[0-9a-f]{64}", re.ASCII)
_SCHEME = re.compile(r"[!-~]{1,32}", re.ASCII)

# Our own writer's pictures carry their colours in a style of their own, and load nothing.
_DRAWN = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}

_Shown = Annotated[str, Query(max_length=10)]
_Segment = Annotated[str, Path(max_length=200)]


@router.get("/")
def home(node: Node) -> Response:
    """Return what this node is, and its newest entries."""
    return _page("home.html", home_page(node), node)


def label(node: ServedNode, request: Request) -> Response:
    """Return the page behind a label: a GS1 Digital Link, or a maker's own."""
    try:
        label, hint = read_link(f"https://{node.judging.host}{written(request)}")
        link = DigitalLink.parse(label)
        log, index = hint or located(node, link.path, request)
        return _verdict(node, log, index, link=link)
    except GuildmarkError as error:
        return _problem(error, node)


@router.get("/parts/{part}")
def part(part: _Segment, node: Node) -> Response:
    """Return the page of the part at a log position."""
    try:
        return _verdict(node, *parse_hint(part))
    except GuildmarkError as error:
        return _problem(error, node)


@router.get("/parts/{part}/claim")
def claim_again(part: _Segment, node: Node) -> Response:
    """Go to the part: whoever reloads the address of a claim sends no code."""
    try:
        log, index = parse_hint(part)
        return RedirectResponse(f"/parts/{log}.{index}", HTTPStatus.SEE_OTHER)
    except GuildmarkError as error:
        return _problem(error, node)


@router.post("/parts/{part}/claim")
async def claim(part: _Segment, request: Request, node: Node) -> Response:
    """Hold a hidden code against a part, then claim it by a token that the first answer gave."""
    try:
        place = parse_hint(part)
        check_media_type(request, FORM_TYPE)
        body = await whole(request, FORM_MAX)
    except GuildmarkError as error:
        return _private(_problem(error, node))
    network = network_of("" if request.client is None else request.client.host)
    return _private(await run_in_threadpool(_claimed, node, place, body, network))


@router.get("/orgs/{identity}")
def card(identity: _Segment, node: Node) -> Response:
    """Return the card of an organization, or of another identity."""
    try:
        key = IdentityId(bytes32_from_hex(identity))
        return _page("card.html", card_page(key, node), node)
    except GuildmarkError as error:
        return _problem(error, node)


@router.get("/licenses/{license_}/reconciliation")
def reconciliation(
    license_: _Segment, node: Node, ticket: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """Return what was released under a license against what was drawn, to its licensor alone."""
    try:
        key = LicenseId(bytes32_from_hex(license_))
        node.tickets.check(page_of(license_), ticket)
        return _private(_page("reconciliation.html", reconciliation_page(key, node), node))
    except GuildmarkError as error:
        return _problem(error, node)


@router.get("/designs/{design}")
def design(
    design: _Segment,
    node: Node,
    ticket: Annotated[str, Query(max_length=100)] = "",
    on: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Return a design: public facts, and more to its owner, who comes with a ticket."""
    try:
        key = DesignId(bytes32_from_hex(design))
        if not ticket:
            return _page("design.html", design_page(key, node), node)
        node.tickets.check(path_of(design), ticket)
        shown = design_page(key, node, ticket=ticket, asked_on=on)
        return _private(_page("design.html", shown, node))
    except GuildmarkError as error:
        return _problem(error, node)


@router.get("/designs/{design}/picture.png")
def picture(design: _Segment, request: Request, node: Node) -> Response:
    """Return the picture that a design's owner shows of it."""
    try:
        image = design_picture(DesignId(bytes32_from_hex(design)), node)
        return tagged(request, image, media_type="image/png", keep=ASK_AGAIN)
    except GuildmarkError as error:
        return _problem(error, node)


@router.get("/recalls")
def recalls(
    node: Node, after: Annotated[str, Query(max_length=200)] = "", show: _Shown = ""
) -> Response:
    """Return what is recalled, and by whom; closed recalls stay on record."""
    try:
        return _page("recalls.html", recalls_page(node, show=show, after=after), node)
    except GuildmarkError as error:
        return _problem(error, node)


@router.get("/recipes/{recipe}/sites")
def qualified(recipe: _Segment, node: Node) -> Response:
    """Return which sites are qualified for a recipe, until when, and why others are not."""
    try:
        key = RecipeId(bytes32_from_hex(recipe))
        return _page("qualified.html", qualified_page(key, node), node)
    except GuildmarkError as error:
        return _problem(error, node)


@router.get("/equivalence/{plan}")
def equivalence(plan: _Segment, node: Node) -> Response:
    """Return what was published of a plan: gates with reasons, pictures, certificates."""
    try:
        return _page("equivalence.html", equivalence_page(_plan(plan), node), node)
    except GuildmarkError as error:
        return _problem(error, node)


@router.get("/equivalence/{plan}/sites/{site}")
def certificate(plan: _Segment, site: _Segment, node: Node) -> Response:
    """Return what a site's certificate says, and whether it holds."""
    try:
        page = certificate_page(_plan(plan), IdentityId(bytes32_from_hex(site)), node)
        return _page("certificate.html", page, node)
    except GuildmarkError as error:
        return _problem(error, node)


@router.post("/equivalence/{plan}/again")
def again(plan: _Segment, node: Node) -> Response:
    """Compute a published result again, and return the page with both digests."""
    try:
        return _private(_page("equivalence.html", rerun_page(_plan(plan), node), node))
    except GuildmarkError as error:
        return _problem(error, node)


@router.get("/equivalence/{plan}/pictures/{name}")
def equivalence_picture(plan: _Segment, name: _Segment, node: Node) -> Response:
    """Return a picture of a published result."""
    try:
        body = plot(_plan(plan), name, node)
    except GuildmarkError as error:
        return _problem(error, node)
    return Response(body, media_type="image/svg+xml", headers=_DRAWN)


@router.get("/search")
def search(q: Annotated[str, Query(max_length=512)], node: Node, request: Request) -> Response:
    """Go to the page of what was typed: a label, a serial of this operator, log.index, who."""
    try:
        return RedirectResponse(_searched(node, q.strip(), request), HTTPStatus.SEE_OTHER)
    except GuildmarkError as error:
        return _problem(error, node)


@router.get("/names")
def names(q: Annotated[str, Query(max_length=NAME_MAX)], node: Node) -> Response:
    """Return who has a name, or one that looks like it."""
    return _page("names.html", names_page(q.strip(), node), node)


@router.get("/errors")
def errors(node: Node) -> Response:
    """Return what every code means."""
    return _page("errors.html", errors_page(), node)


@router.get("/docs")
def reference(request: Request, node: Node) -> Response:
    """Return the description of the HTTP interface."""
    return _page("docs.html", reference_page(request.app.openapi()), node)


@router.get("/.well-known/guildmark-trust.json")
def published_trust(node: Node) -> Response:
    """Return the list by which this node's pages judge; readers decide whether to take it."""
    return Response(trust.serialise(node.judging.trust), media_type="application/json")


@router.get("/.well-known/did.json")
def host_did(node: Node) -> Response:
    """Return the DID document of this host: of its operator."""
    with node.store.reading() as view:
        return _did(node.dids.of_host(node.settings.operator, view))


@router.get("/orgs/{identity}/did.json")
def did(identity: Hex32, node: Node) -> Response:
    """Return the DID document of an identity, below the path that its did:web names."""
    with node.store.reading() as view:
        return _did(node.dids.of_identity(IdentityId(bytes32_from_hex(identity)), view))


def _did(document: Document) -> Response:
    # Resolvers in browsers ask from pages of any host.
    everybody = {"Access-Control-Allow-Origin": "*"}
    return Response(
        json.dumps(document, indent=2), media_type="application/did+ld+json", headers=everybody
    )


def _plan(text: str) -> EquivalencePlanId:
    return EquivalencePlanId(bytes32_from_hex(text))


def written(request: Request) -> str:
    """Return a link's path and query as they came: labels are compared by their letters."""
    # What no link may hold is refused when the link is read.
    path: bytes = request.scope["raw_path"].removeprefix(PAGES.encode())
    query: bytes = request.scope["query_string"]
    return (path + (b"?" + query if query else b"")).decode("latin-1")


def _searched(node: ServedNode, text: str, request: Request) -> str:
    """Return the path of the page of what was typed."""
    holder = _holder(node, text)
    if holder is not None:
        return f"/orgs/{to_hex(holder)}"
    known = _document_path(node, text)
    if known is not None:
        return known
    try:
        return path_of_typed(node, text, request)
    except GuildmarkError:
        # Last of all, lest somebody take a serial for his name.
        named = _names_path(node, text)
        if named is None:
            raise
        return named


def _names_path(node: ServedNode, text: str) -> str | None:
    """Return the path to who has a name, None where nobody has."""
    with node.store.reading() as view:
        found = node.naming.find(text, view)
    if len(found) == 1:
        return f"/orgs/{to_hex(found[0].id)}"
    return f"/names?q={quote(text, safe='')}" if found else None


def _holder(node: ServedNode, text: str) -> IdentityId | None:
    """Return the identity that was typed, or who is first said to hold an identifier."""
    with node.store.reading() as view:
        if _IDENTITY.fullmatch(text):
            found = view.facts.get(IdentityFact, bytes32_from_hex(text))
            return None if found is None else found.id
        scheme, _, value = text.partition(" ")
        if not (value and _SCHEME.fullmatch(scheme)):
            return None
        held = holders(scheme.upper(), value.strip(), view.facts)
        return held[0].subject if held else None


def _document_path(node: ServedNode, text: str) -> str | None:
    """Return the path of the page of a design or a recipe, None where the text names neither."""
    if not _IDENTITY.fullmatch(text):
        return None
    with node.store.reading() as view:
        if view.facts.get(DesignFact, bytes32_from_hex(text)) is not None:
            return path_of(text)
        is_recipe = view.facts.get(RecipeFact, bytes32_from_hex(text)) is not None
    return qualified_path(text) if is_recipe else None


def _verdict(
    node: ServedNode, log: LogNumber, index: Index, *, link: DigitalLink | None = None
) -> Response:
    found = node.bundles.gathered(log, index)
    judged = node.judging.judge(found.bundle, hint=(log, index), link=link, beside=found.beside)
    with node.store.reading() as view:
        told = compared(judged.report, judged.case, view)
    base = f"/v1/parts/{log}.{index}"
    details = part_details(judged.case, base=base)
    # A serial that is not the part's was made up: nothing of it is the part's label.
    is_label = not any(one.number == _ENTRY for one in judged.report.failed)
    page = verdict_page(
        judged.report,
        judge=Judge(host=node.judging.host, chain_class=node.ledger.pin().chain_class),
        details=replace(
            details,
            compared=told,
            own=own(found.bundle, judged.report, base=base),
            scanned=_scanned(node, log, index),
            hidden=_hidden(node, judged.case, log, index) if is_label else None,
        ),
    )
    answer = _page("verdict.html", page, node)
    answer.headers.update(CHECKING_HEADERS)
    answer.headers.update(keep_for(node.settings.page_seconds))
    if link is not None and is_label:
        answer.headers.update(led_to(log, index))
    return answer


def _scanned(node: ServedNode, log: LogNumber, index: Index) -> Scanned | None:
    if not node.settings.scan_days:
        return None
    return scanned(node.scanning.history(log, index), node.judging.clock.now())


def _claimed(
    node: ServedNode, place: tuple[LogNumber, Index], body: bytes, network: str
) -> Response:
    part = f"{place[0]}.{place[1]}"
    try:
        sent = read_form(body)
        if sent.token is None:
            token = node.claiming.offer(place, sent.code, network=network)
            return _page("claim.html", offered_page(part, sent, token), node)
        receipt = node.claiming.claim(place, sent.code, sent.token, network=network)
    except GuildmarkError as error:
        status = status_of(error)
        answer = _page("claim.html", refused_page(part, error), node, status=status)
        answer.headers.update(HEADERS_OF_STATUS.get(status, {}))
        return answer
    if sent.wants_file:
        name = f'attachment; filename="claim-{place[0]}-{place[1]}.json"'
        return Response(
            claim_file(sent, receipt),
            media_type="application/json",
            headers={"Content-Disposition": name},
        )
    return _page("claim.html", claimed_page(part, sent, receipt), node)


def _hidden(node: ServedNode, case: Case, log: LogNumber, index: Index) -> Hidden | None:
    is_here = log == node.publishing.own_log
    first = node.claiming.first((log, index)) if is_here else None
    return hidden(case.parsed_statement, (log, index), is_here=is_here, first=first)


def _problem(error: GuildmarkError, node: ServedNode) -> Response:
    status = status_of(error)
    page = _page("problem.html", problem_page(error), node, status=status)
    page.headers.update(HEADERS_OF_STATUS.get(status, {}))
    return page


def _private(page: Response) -> Response:
    """Return a page that no cache keeps."""
    page.headers["Cache-Control"] = "no-store"
    return page


def _page(
    template: str, page: object, node: ServedNode, *, status: HTTPStatus = HTTPStatus.OK
) -> Response:
    html = render(template, page, host=node.judging.host)
    return HTMLResponse(html, status_code=status)
