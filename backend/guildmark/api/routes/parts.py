"""Parts: where a label's entry is, its evidence, its label as a picture."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from starlette.responses import Response

from guildmark.adapters import labels
from guildmark.api.serving import Node, ServedNode
from guildmark.domain.contracts import ContractName
from guildmark.domain.errors import UnknownPartError
from guildmark.domain.identifiers import Index, LogNumber, PartId, parse_hint
from guildmark.domain.qr import link_text

router = APIRouter(prefix="/v1/parts", tags=["parts"])

_Hint = Annotated[str, Path(pattern=r"^(0|[1-9][0-9]{0,12})\.(0|[1-9][0-9]{0,19})$")]
_ZIP = "application/zip"


class LabelUnknownError(UnknownPartError):
    """No entry of this node's log carries the label."""

    code = "part.labelUnknown"


class EntryUnknownError(UnknownPartError):
    """No final entry of this node's log stands at the position."""

    code = "part.entryUnknown"


class Position(BaseModel):
    """Where an entry is."""

    log: int
    index: int


@router.get("", summary="Where a label's entry is")
def find(label: Annotated[str, Query(min_length=1, max_length=512)], node: Node) -> Position:
    """Return the position of the entry that carries a label."""
    found = node.bundles.locate(label)
    if found is None:
        message = "No entry of this node's log carries this label."
        raise LabelUnknownError(message)
    return Position(log=found[0], index=found[1])


@router.get(
    "/{part}/bundle",
    summary="A part's evidence",
    response_class=Response,
    responses={200: {"description": "The canonical bundle.", "content": {_ZIP: {}}}},
)
def bundle(
    part: _Hint,
    node: Node,
    block: Annotated[int | None, Query(ge=0, le=2**53 - 1)] = None,
    peers: Annotated[bool, Query(description="Whether other nodes may be asked.")] = True,
) -> Response:
    """Return a part's bundle, with proofs at a block or at the newest final one."""
    log, index = parse_hint(part)
    data = node.bundles.bundle(log, index, block=block, ask_peers=peers)
    name = f"guildmark-{log}-{index}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=_ZIP, headers=headers)


@router.get(
    "/{part}/label.svg",
    summary="A part's label as SVG",
    response_class=Response,
    responses={200: {"description": "The label.", "content": {"image/svg+xml": {}}}},
)
def label_svg(part: _Hint, node: Node) -> Response:
    """Return a part's QR code with the serial below it."""
    label, text = _link(part, node)
    picture = labels.svg(text, caption=label.rsplit("/", 1)[-1])
    return Response(picture, media_type="image/svg+xml")


@router.get(
    "/{part}/label.png",
    summary="A part's QR code as PNG",
    response_class=Response,
    responses={200: {"description": "The QR code.", "content": {"image/png": {}}}},
)
def label_png(part: _Hint, node: Node) -> Response:
    """Return a part's QR code."""
    return Response(labels.png(_link(part, node)[1]), media_type="image/png")


def _link(part: str, node: ServedNode) -> tuple[str, str]:
    """Return a part's label and what its QR code holds: the page at this node."""
    log, index = parse_hint(part)
    with node.store.reading() as view:
        logged = view.log.logged(log, index)
    if logged is None:
        message = f"This node's log has no final entry {part}."
        raise EntryUnknownError(message, part=part)
    position = part_id(node, log, index)
    label = logged.queued.label
    return label, link_text(label, position, base=node.settings.public_url)


def part_id(node: ServedNode, log: LogNumber, index: Index) -> PartId:
    """Return the id of a position on this node's chain."""
    pin = node.ledger.pin()
    contract = pin.contracts[ContractName.LOG].address
    return PartId(chain_id=pin.chain_id, build_log=contract, log=log, index=index)
