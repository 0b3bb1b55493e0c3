"""Digital Links resolved: to the page of a part, to another link, or to all links behind them.

GS1-Conformant Resolver Standard 1.2; RFC 9264. A link of the own form is resolved as a GS1 one is,
but that its page is at its own address.
"""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from guildmark.api.pages.routes import label, written
from guildmark.api.problems import problem
from guildmark.api.routes import parts
from guildmark.api.routes.parts import LabelUnknownError
from guildmark.api.serving import Node, ServedNode
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.labels import linkset
from guildmark.domain.labels.digital_link import OWN_KEY, RESOLVABLE, DigitalLink
from guildmark.domain.labels.linkset import Form, Item
from guildmark.domain.verification.choice import ANYBODY
from guildmark.services.evidence.linking import PAGES, Linking

router = APIRouter()

DESCRIPTION = "/.well-known/gs1resolver"

_LINK_TYPE = "linkType"
_CONTEXT_RELATION = "http://www.w3.org/ns/json-ld#context"
_METHODS = "GET, HEAD, OPTIONS"
# Whoever holds a label may ask, from a page of any host.
_EVERYBODY: Mapping[str, str] = MappingProxyType(
    {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": "Accept, Accept-Language",
        "Access-Control-Expose-Headers": "Link, Location",
        "Vary": "Accept",
    }
)


def resolve(node: Node, request: Request) -> Response:
    """Answer for a Digital Link: by its page, by a redirection, or by its links."""
    wanted = request.query_params.get(_LINK_TYPE)
    form = linkset.form_asked_for(request.headers.get("accept", ""))
    if wanted is None and form is None:
        return _open(_plain(node, request))
    try:
        link, items = _behind(node, request)
        if wanted is None or linkset.is_linkset(wanted):
            return _all(link, items, form or Form.LINKSET_JSON)
        return _to(linkset.chosen(wanted, items).href, link, request)
    except GuildmarkError as error:
        return _open(problem(error))


def options() -> Response:
    """Answer a browser that asks before it asks (CORS)."""
    return _open(Response(status_code=HTTPStatus.NO_CONTENT, headers={"Allow": _METHODS}))


for _key in (OWN_KEY, *RESOLVABLE):
    router.add_api_route(f"/{_key}/{{rest:path}}", resolve, methods=["GET"])
    router.add_api_route(f"/{_key}/{{rest:path}}", options, methods=["OPTIONS"])


@router.get(PAGES + "/{rest:path}")
def page(node: Node, request: Request) -> Response:
    """Return the page behind a label."""
    return label(node, request)


@router.get("/evidence/{part}")
def evidence(part: str, request: Request, node: Node) -> Response:
    """Return a part's evidence to who came by a link, whatever else the link asked."""
    return _open(parts.bundle(part, request, node, ANYBODY))


@router.get(DESCRIPTION)
def description(node: Node) -> Response:
    """Return what this resolver resolves (section 3 of the standard)."""
    document = {
        "name": f"Guildmark at {node.judging.host}",
        "resolverRoot": node.settings.public_url,
        "supportedPrimaryKeys": list(RESOLVABLE),
        "supportedLinkType": [{"namespace": linkset.VOCABULARY, "prefix": linkset.PREFIX}],
        "linkTypeDefaultCanBeLinkset": False,
        "jsonLdContextLocation": linkset.CONTEXT,
    }
    return _open(JSONResponse(document))


def _plain(node: ServedNode, request: Request) -> Response:
    """Return a page, or the way to the default link of a thing with a GS1 key (section 2.6.1)."""
    if request.scope["path"].startswith(f"/{OWN_KEY}/"):
        return label(node, request)
    try:
        link, items = _behind(node, request)
    except GuildmarkError:
        # The page says what is wrong, or asks those who may know of the part.
        return label(node, request)
    first = items[0]
    if link.is_of_one and first.anchor == link.kind.label:
        # A serial that is not on record is not found, and never sent to what its kind shows.
        return _to(PAGES + link.path, link, request)
    return _to(first.default.href, link, request)


def _behind(node: ServedNode, request: Request) -> tuple[DigitalLink, Sequence[Item]]:
    """Return the link that was asked for and what it names.

    Raises:
        MalformedError: It is no link of a known key.
        LabelUnknownError: Nothing on record is named so.
    """
    asked = DigitalLink.parse(f"https://{node.judging.host}{written(request)}")
    base = node.settings.public_url
    linking = Linking(store=node.store, locate=node.bundles.locate, base=base)
    for link in _on_hosts(asked, request):
        items = linking.items(link)
        if items:
            return link, items
    message = "No entry of this node's log carries this label, or one of its kind."
    raise LabelUnknownError(message)


def _on_hosts(link: DigitalLink, request: Request) -> Iterator[DigitalLink]:
    """Yield a link as of this node's own host, and as of the host that was asked for."""
    yield link
    yield DigitalLink.parse(f"https://{request.headers.get('host', '')}{written(request)}")


def _to(href: str, link: DigitalLink, request: Request) -> Response:
    """Send to a link, with all that was asked (section 2.12)."""
    query = request.scope["query_string"].decode("latin-1")
    answer = RedirectResponse(f"{href}?{query}" if query else href, HTTPStatus.TEMPORARY_REDIRECT)
    return _open(answer, link)


def _all(link: DigitalLink, items: Sequence[Item], form: Form) -> Response:
    if form is Form.TEXT:
        return _open(Response(linkset.as_text(items), media_type=form.value), link)
    answer = Response(orjson.dumps(linkset.as_json(items)), media_type=form.value)
    answer.headers.append("Link", f'<{linkset.CONTEXT}>; rel="{_CONTEXT_RELATION}"')
    return _open(answer, link)


def _open(answer: Response, link: DigitalLink | None = None) -> Response:
    """Let pages of any host read an answer; where a link was resolved, name the way to all."""
    answer.headers.update(_EVERYBODY)
    if link is not None:
        address = f"{link.path}?{_LINK_TYPE}=linkset"
        answer.headers.append("Link", f'<{address}>; rel="linkset"; type="{Form.LINKSET_JSON}"')
    return answer
