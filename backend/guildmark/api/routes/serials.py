"""Serials: where the entry of a part is whose label shows no more than that."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request

from guildmark.api.description import refusals
from guildmark.api.hosts import located
from guildmark.api.routes.parts import LabelUnknownError, Position
from guildmark.api.serving import Node
from guildmark.domain.errors import MalformedError
from guildmark.domain.labels.digital_link import operator_token
from guildmark.domain.labels.typed import TypedSerial

router = APIRouter(prefix="/v1/serials", tags=["parts"])

SerialQuery = Annotated[
    str, Query(pattern="^[!-~]{1,20}$", description="The serial, as it is printed.")
]
GtinQuery = Annotated[
    str | None,
    Query(
        pattern="^[0-9]{14}$",
        description="The GTIN above it with 14 digits; without one, a serial of the operator's.",
    ),
]


@router.get("", summary="Where a serial's entry is", responses=refusals(400, 404, 503))
def find_serial(
    serial: SerialQuery, node: Node, request: Request, gtin: GtinQuery = None
) -> Position:
    """Return the position of the first known entry whose label has a serial.

    What no label can have is on none: a GTIN with a wrong check digit is not found.
    """
    typed = TypedSerial(serial=serial, gtin=gtin)
    try:
        link = typed.link(node.judging.host, operator_token(node.settings.operator))
    except MalformedError as error:
        raise LabelUnknownError(error.message) from error
    log, index = located(node, link.path, request)
    return Position(log=log, index=index)
