"""Parts: where a label's entry is, its evidence, its label as a picture."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from guildmark.adapters.labels import pictures
from guildmark.api.caching import ASK_AGAIN, tagged
from guildmark.api.description import content, refusals
from guildmark.api.parameters import (
    AuthoritiesQuery,
    BlockQuery,
    InspectorsQuery,
    IssuersQuery,
    LabelQuery,
    PartPath,
    PeersQuery,
)
from guildmark.api.serving import Node, ServedNode
from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.bundle import read as read_bundle
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.errors import UnknownPartError
from guildmark.domain.identifiers import (
    IdentityId,
    Index,
    LogNumber,
    PartId,
    bytes32_from_hex,
    parse_hint,
)
from guildmark.domain.labels.qr import link_text
from guildmark.domain.verification.choice import Choice

router = APIRouter(prefix="/v1/parts", tags=["parts"])

_ZIP = "application/zip"
_SVG = "image/svg+xml"
_PNG = "image/png"


def _choice(
    authorities: AuthoritiesQuery = None,
    issuers: IssuersQuery = None,
    inspectors: InspectorsQuery = None,
) -> Choice:
    return Choice(authorities=_ids(authorities), issuers=_ids(issuers), inspectors=_ids(inspectors))


Asked = Annotated[Choice, Depends(_choice)]
"""Whom the asker lists."""


class LabelUnknownError(UnknownPartError):
    """No entry of this node's log carries the label."""

    code = "part.labelUnknown"


class Position(BaseModel):
    """Where an entry is."""

    log: int
    index: int


class Positions(Position):
    """Where the first known entry of a label is, and the others that claim it."""

    others: list[Position]


@router.get("", summary="Where a label's entries are", responses=refusals(400, 404, 503))
def find_part(label: LabelQuery, node: Node) -> Positions:
    """Return the position of the entry that carries a label, and of others that claim it."""
    places = [Position(log=log, index=index) for log, index in node.bundles.positions(label)]
    if not places:
        message = "No entry of this node's log carries this label."
        raise LabelUnknownError(message)
    first, *others = places
    return Positions(log=first.log, index=first.index, others=others)


@router.get(
    "/{part}/bundle",
    summary="A part's evidence",
    response_class=Response,
    responses=content(_ZIP, "The canonical bundle.") | refusals(304, 400, 404, 409, 410, 503),
)
def bundle(
    part: PartPath,
    request: Request,
    node: Node,
    choice: Asked,
    block: BlockQuery = None,
    peers: PeersQuery = True,
) -> Response:
    """Return a part's bundle, with proofs at a block or at the newest final one."""
    log, index = parse_hint(part)
    data = node.bundles.bundle(log, index, block=block, ask_peers=peers, choice=choice)
    name = f"guildmark-{log}-{index}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    # Even at one block more may be disclosed later.
    return tagged(request, data, media_type=_ZIP, keep=ASK_AGAIN, headers=headers)


@router.get(
    "/{part}/label.svg",
    summary="A part's label as SVG",
    response_class=Response,
    responses=content(_SVG, "The label.") | refusals(304, 400, 404, 410, 503),
)
def label_svg(part: PartPath, request: Request, node: Node) -> Response:
    """Return a part's QR code with the serial below it."""
    label, text = _link(part, node)
    picture = pictures.svg(text, caption=label.rsplit("/", 1)[-1])
    return tagged(request, picture, media_type=_SVG, keep=ASK_AGAIN)


@router.get(
    "/{part}/label.png",
    summary="A part's QR code as PNG",
    response_class=Response,
    responses=content(_PNG, "The QR code.") | refusals(304, 400, 404, 410, 503),
)
def label_png(part: PartPath, request: Request, node: Node) -> Response:
    """Return a part's QR code."""
    picture = pictures.png(_link(part, node)[1])
    return tagged(request, picture, media_type=_PNG, keep=ASK_AGAIN)


def _ids(text: str | None) -> tuple[IdentityId, ...]:
    named = () if text is None else text.split(",")
    return tuple(dict.fromkeys(IdentityId(bytes32_from_hex(each)) for each in named))


def _link(part: str, node: ServedNode) -> tuple[str, str]:
    """Return a part's label and what its QR code holds: the page at this node."""
    log, index = parse_hint(part)
    label = _label(node, log, index)
    pin = node.ledger.pin()
    position = PartId(
        chain_id=pin.chain_id,
        build_log=pin.contracts[ContractName.LOG].address,
        log=log,
        index=index,
    )
    return label, link_text(label, position, base=node.settings.public_url)


def _label(node: ServedNode, log: LogNumber, index: Index) -> str:
    with node.store.reading() as view:
        logged = view.log.logged(log, index)
    if logged is not None and logged.queued.entry.kind.is_of_a_part:
        return logged.queued.label
    # Of another operator's log: what this node kept, or a peer has.
    core = read_bundle(node.bundles.bundle(log, index)).core
    return BuildStatement.parse(Envelope.parse(core.envelope).payload).label
