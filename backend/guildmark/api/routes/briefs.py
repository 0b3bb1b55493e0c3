"""What agents ask before their machines begin, and while they work."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from guildmark.api.description import Responses, refusals
from guildmark.api.parameters import Hex32, Number
from guildmark.api.serving import Node
from guildmark.domain.identifiers import (
    UINT40_MAX,
    IdentityId,
    KeyId,
    LaneNumber,
    SiteRecipeId,
    bytes32_from_hex,
)
from guildmark.services.builds.briefing import Briefing, Question

router = APIRouter(prefix="/v1", tags=["builds"])

_JSON = "application/json"
_HEX = "^0x[0-9a-f]{64}$"

_ANSWER: Responses = {
    200: {
        "description": "What is to be signed, and whether it would count.",
        "content": {_JSON: {"schema": {"type": "object"}}},
    }
}

KeyQuery = Annotated[str, Query(pattern=_HEX, description="The id of the key that is to sign.")]
LaneQuery = Annotated[
    int, Query(ge=1, le=UINT40_MAX, description="The lane that units come from."), Number
]
RecipeQuery = Annotated[
    str, Query(alias="siteRecipe", pattern=_HEX, description="The id of the site's recipe.")
]


@router.get(
    "/machines/{machine}/brief",
    summary="What a machine's agent must know",
    response_class=Response,
    responses=_ANSWER | refusals(400, 404, 409, 422, 503),
)
def brief(
    machine: Hex32, key: KeyQuery, lane: LaneQuery, site_recipe: RecipeQuery, node: Node
) -> Response:
    """Return what the final facts and this node's own log say of a machine and a lane."""
    question = Question(
        machine=IdentityId(bytes32_from_hex(machine)),
        key=KeyId(bytes32_from_hex(key)),
        lane=LaneNumber(lane),
        site_recipe=SiteRecipeId(bytes32_from_hex(site_recipe)),
    )
    found = Briefing(store=node.store).brief(question)
    return Response(found.encode(), media_type=_JSON)
