"""What stands behind a recipe on chain: who approved it."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from guildmark.api.description import refusals
from guildmark.api.parameters import Hex32
from guildmark.api.serving import Node
from guildmark.domain.identifiers import RecipeId, bytes32_from_hex, to_hex
from guildmark.services.recipes.approvals import Approvals, Judged, Override

router = APIRouter(prefix="/v1/recipes", tags=["registries"])


class ApprovalAnswer(BaseModel):
    """An approval as it was signed, and what it is worth by this node's list."""

    approver: str | None = Field(description="The organization, null for the design's owner.")
    name: str
    standard: str | None = Field(description="What the organization is accredited for.")
    approvedOn: int = Field(description="Block seconds.")  # noqa: N815 - the name in JSON
    agreesTo: str = Field(description="The class of change.")  # noqa: N815 - the name in JSON
    reason: str
    lack: str | None = Field(description="Why it does not count, null where it does.")


class OverrideAnswer(BaseModel):
    """A change that is stated as less than the rules make of it."""

    stated: str
    ruled: str
    lack: str | None = Field(description="Whose signature lacks, null where both agreed.")


class ApprovalsAnswer(BaseModel):
    """Who approved a recipe, and whether two signatures allow it to state less."""

    recipe: str
    approvals: list[ApprovalAnswer]
    override: OverrideAnswer | None = Field(
        description="Null where the rules agree, or the recipe before it is not known in full."
    )


@router.get("/{recipe}/approvals", summary="Who approved", responses=refusals(400, 404, 503))
def approvals(recipe: Hex32, node: Node) -> ApprovalsAnswer:
    """Return who approved a recipe, judged anew by this node's list."""
    wanted, judge = RecipeId(bytes32_from_hex(recipe)), Approvals(trust=node.judging.trust)
    with node.store.reading() as view:
        judged, found = judge.judged(wanted, view), judge.override(wanted, view)
    return ApprovalsAnswer(
        recipe=recipe,
        approvals=[_answer(one) for one in judged],
        override=None if found is None else _override(found),
    )


def _answer(one: Judged) -> ApprovalAnswer:
    said = one.approval
    return ApprovalAnswer(
        approver=None if said.is_designers else to_hex(said.approver),
        name=one.name,
        standard=said.standard or None,
        approvedOn=said.approved_on,
        agreesTo=said.ruled.name.lower(),
        reason=said.reason,
        lack=one.lack or None,
    )


def _override(found: Override) -> OverrideAnswer:
    return OverrideAnswer(
        stated=found.stated.name.lower(), ruled=found.ruled.name.lower(), lack=found.lack or None
    )
