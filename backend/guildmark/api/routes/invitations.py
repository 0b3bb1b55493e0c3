"""Invitations: a shop joins by one, gets coin and units, and reaches the chain by this node."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from guildmark.api.bodies import check_media_type, whole
from guildmark.api.description import content, refusals
from guildmark.api.parameters import Hex32
from guildmark.api.serving import Node, ServedNode
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.identifiers import IdentityId, address_from_hex, bytes32_from_hex, to_hex
from guildmark.services.shops.inviting import Invitation, NotJoinedError

router = APIRouter(prefix="/v1/invitations", tags=["invitations"])

_JSON = "application/json"
_CALLS_MAX = 1 << 20
_NO_STORE = {"Cache-Control": "no-store"}

TokenPath = Annotated[
    str,
    Path(pattern="^[0-9a-f]{32}$", description="The token of the address."),
]
AccountPath = Annotated[
    str, Path(pattern="^0x[0-9a-f]{40}$", description="The account of who joins.")
]


class ShareAnswer(BaseModel):
    """What who joins gets to build."""

    units: int
    recipe: str
    host: str = Field(description="The host of the labels.")


class InvitationAnswer(BaseModel):
    """The chain and the log that the invitation leads to; nothing here is to be believed."""

    chainId: int  # noqa: N815 - the name in JSON
    genesis: str
    chainClass: str  # noqa: N815 - the name in JSON
    directory: str
    operator: str
    log: int
    until: int = Field(description="Until when somebody may begin with it, in seconds.")
    account: str | None = Field(description="The account that joined.")
    share: ShareAnswer | None
    lane: int | None = Field(description="The site's own lane, once the units are cut off.")
    published: dict[str, Any] | None = Field(
        description="What the recipe's id on chain is made of, its clauses' root among it."
    )
    recipe: dict[str, Any] | None = Field(description="The recipe in full; to who joined only.")


_CALLS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "JSON-RPC 2.0: a call, or several in an array.",
        "content": {_JSON: {"schema": {"anyOf": [{"type": "object"}, {"type": "array"}]}}},
    }
}


@router.get("/{token}", summary="An invitation", responses=refusals(400, 404, 422, 503))
def show_invitation(token: TokenPath, node: Node, response: Response) -> InvitationAnswer:
    """Return where an invitation leads, and how far it is used."""
    response.headers.update(_NO_STORE)
    return _answer(node, node.inviting().look(token))


@router.put(
    "/{token}/accounts/{account}",
    summary="Join",
    responses=refusals(400, 403, 404, 409, 422, 503),
)
def join(
    token: TokenPath, account: AccountPath, node: Node, response: Response
) -> InvitationAnswer:
    """Let an account join and send it coin; the first one takes the invitation, once for all."""
    response.headers.update(_NO_STORE)
    return _answer(node, node.inviting().admit(token, address_from_hex(account)))


@router.put(
    "/{token}/sites/{site}",
    summary="Get the promised units",
    responses=refusals(400, 403, 404, 409, 422, 503),
)
def hand_out(token: TokenPath, site: Hex32, node: Node, response: Response) -> InvitationAnswer:
    """Cut the units off for a site of who joined; repeating it gives the same lane."""
    response.headers.update(_NO_STORE)
    found = node.inviting().hand_out(token, IdentityId(bytes32_from_hex(site)))
    return _answer(node, found)


@router.post(
    "/{token}/chain",
    summary="Call the chain",
    response_class=Response,
    openapi_extra=_CALLS,
    responses=content(_JSON, "The answers of JSON-RPC.")
    | refusals(400, 404, 408, 409, 413, 415, 422, 503),
)
async def call_chain(token: TokenPath, request: Request, node: Node) -> Response:
    """Pass calls of who joined on to the chain: it reads, and sends what it signed itself."""
    check_media_type(request, _JSON)
    body = await whole(request, _CALLS_MAX)
    answers = await run_in_threadpool(_called, node, token, body)
    return Response(answers, media_type=_JSON, headers=_NO_STORE)


def _called(node: ServedNode, token: str, body: bytes) -> bytes:
    account = node.inviting().look(token).account
    if account is None:
        message = "Nobody joined with this invitation yet."
        raise NotJoinedError(message)
    return node.gateway.answer(body, account)


def _answer(node: ServedNode, found: Invitation) -> InvitationAnswer:
    pin, share = node.ledger.pin(), found.share
    handed = node.inviting().recipe(found)
    return InvitationAnswer(
        chainId=pin.chain_id,
        genesis=to_hex(pin.genesis),
        chainClass=pin.chain_class.value,
        directory=to_hex(pin.contracts[ContractName.DIRECTORY].address),
        operator=to_hex(node.settings.operator),
        log=node.settings.log,
        until=found.until,
        account=None if found.account is None else to_hex(found.account),
        share=None
        if share is None
        else ShareAnswer(units=share.units, recipe=to_hex(share.recipe), host=share.host),
        lane=found.lane,
        published=None if handed is None else _members(canonical(codec.dump(handed[0]))),
        recipe=None if handed is None else _members(handed[1].encode()),
    )


def _members(document: bytes) -> dict[str, Any]:
    return dict(parse_object(document))
