"""Whether a plan asks for what its recipe says, by the same paths and units."""

from collections.abc import Sequence

from guildmark.domain.equivalence.plan import EquivalencePlan, Kind
from guildmark.domain.errors import UsageError
from guildmark.domain.recipes.clause import Clause, ClauseType


class PlanOffRecipeError(UsageError):
    """A plan that asks for a characteristic that no part of its recipe could show."""

    code = "equivalence.planOffRecipe"
    hint = "Write path and unit as `guildmark recipe show` shows them."


def check_follows(plan: EquivalencePlan, clauses: Sequence[Clause]) -> None:
    """Check that each characteristic of parts is a quantity of the recipe, in its unit.

    Characteristics of processes may belong to a channel of the machine, which no clause names.

    Raises:
        PlanOffRecipeError: One is not.
    """
    units = {one.path: one.unit for one in clauses if one.type is ClauseType.QUANTITY}
    for asked in plan.characteristics:
        if asked.kind is Kind.PROCESS:
            continue
        if asked.path not in units:
            message = f"The recipe has no quantity {asked.path}."
            raise PlanOffRecipeError(message, path=asked.path)
        if asked.unit != units[asked.path]:
            message = (
                f"The plan asks for {asked.path} in {asked.unit}, "
                f"the recipe in {units[asked.path]}."
            )
            raise PlanOffRecipeError(message, path=asked.path)
