"""Part of (7): a recipe that says that it changes less than its clauses do needs two signatures.

By the rules that the published schema shows, from the clauses of both recipes. That two did not
agree cannot be shown: what lacks is unknown, never failed.
"""

from collections.abc import Iterator, Sequence

from guildmark.domain.recipes.approval import SignedApproval
from guildmark.domain.recipes.differing import Ruled, ruled
from guildmark.domain.recipes.recipe import LESSER, Change, Recipe
from guildmark.domain.verification.case import Case, UndecidedError
from guildmark.domain.verification.checks.approved import APPROVAL_MISSING, lacks
from guildmark.domain.verification.checks.clauses import (
    SHOWN_FORMER_RECIPE,
    SHOWN_RECIPE,
    former_clauses,
    master_clauses,
    shown_recipe,
)
from guildmark.domain.verification.naming import display_name
from guildmark.domain.verification.report import Cause, Finding, State

_SHOWN = "disclosed/approvals.json"
_UNSEEN = Ruled(least=Change.EDITORIAL, is_known=False)

OVERRIDE_UNSIGNED = Cause(
    code="verify.overrideUnsigned",
    state=State.UNKNOWN,
    meaning="The recipe states a smaller change than its clauses make by the rules, and no shown "
    "approvals of both the designer and an accredited organization agree to that.",
)
FORMER_RECIPE_MISSING = Cause(
    code="verify.formerRecipeMissing",
    state=State.UNKNOWN,
    meaning="The recipe states that it changes little, and the recipe before it is not shown.",
)
FORMER_RECIPE_MISMATCH = Cause(
    code="verify.formerRecipeMismatch",
    state=State.FAIL,
    meaning="The recipe that is shown as the one before is not the one that the recipe supersedes.",
)
CHANGE_WITHHELD = Cause(
    code="verify.changeWithheld",
    state=State.WITHHELD,
    meaning="The recipe states that it changes little, and a clause that may change more is not "
    "shown.",
)

OVERRIDDEN_CAUSES = (
    OVERRIDE_UNSIGNED,
    FORMER_RECIPE_MISSING,
    FORMER_RECIPE_MISMATCH,
    CHANGE_WITHHELD,
)


def overridden(case: Case) -> Iterator[Finding]:
    """Yield why the recipe may not say that it changes as little as it does.

    Nothing where its clauses show that it may, or where two agreed to whatever it changes.
    """
    recipe = shown_recipe(case).recipe
    if recipe.change not in LESSER:
        return
    found = _ruled(case, recipe)
    if found.least > recipe.change:
        unsigned = tuple(_unsigned(case, recipe, found.least))
        if unsigned:
            yield from unsigned
            return
    if not found.is_known and any(_unsigned(case, recipe, Change.REQUALIFY)):
        yield _unseen(case, recipe)


def overridden_notes(case: Case) -> Iterator[str]:
    """Yield that two agreed to a smaller change than the rules make, where both count."""
    try:
        recipe = shown_recipe(case).recipe
        least = _ruled(case, recipe).least if recipe.change in LESSER else Change.NONE
    except UndecidedError:
        # The check says why.
        return
    if least <= recipe.change or any(_unsigned(case, recipe, least)):
        return
    for one in _agreeing(case, least):
        if not one.approval.is_designers and not lacks(case, one):
            who = display_name(case, one.approval.approver)
            yield f"{_stated(recipe, least)} The designer and {who} agreed to that."


def _ruled(case: Case, recipe: Recipe) -> Ruled:
    former = case.disclosed.former_recipe
    if former is None:
        return _UNSEEN
    if former.recipe.id() != recipe.supersedes:
        reason = "The recipe that is shown as the one before is not the one that is superseded."
        raise UndecidedError(FORMER_RECIPE_MISMATCH.found(reason, SHOWN_FORMER_RECIPE))
    return ruled(former_clauses(former), master_clauses(case))


def _unsigned(case: Case, recipe: Recipe, least: Change) -> Iterator[Finding]:
    """Yield why designer and approver did not both agree that a change is smaller than it is."""
    agreeing = _agreeing(case, least)
    for who, is_designers in (("the designer", True), ("an accredited organization", False)):
        theirs = [one for one in agreeing if one.approval.is_designers is is_designers]
        judged = [lacks(case, one) for one in theirs]
        if not judged:
            reason = f"{_stated(recipe, least)} No shown approval of {who} agrees to that."
            yield OVERRIDE_UNSIGNED.found(reason, SHOWN_RECIPE)
        elif all(judged):
            yield from (_told(found[0], recipe, least) for found in judged)


def _agreeing(case: Case, least: Change) -> Sequence[SignedApproval]:
    return [one for one in case.disclosed.approvals if one.approval.ruled >= least]


def _told(found: Finding, recipe: Recipe, least: Change) -> Finding:
    """Return why one approval does not count, as a reason why the recipe may not say so."""
    if found.cause is not APPROVAL_MISSING:
        return found
    return OVERRIDE_UNSIGNED.found(f"{_stated(recipe, least)} {found.reason}", _SHOWN)


def _stated(recipe: Recipe, least: Change) -> str:
    stated = recipe.change.name.lower()
    return f"The recipe states its change as {stated}, by the rules it is {least.name.lower()}."


def _unseen(case: Case, recipe: Recipe) -> Finding:
    stated = f"The recipe states its change as {recipe.change.name.lower()}"
    if case.disclosed.former_recipe is None:
        reason = f"{stated}; the recipe before is not shown."
        return FORMER_RECIPE_MISSING.found(reason, "disclosed")
    reason = f"{stated}; clauses that may change more are not shown."
    return CHANGE_WITHHELD.found(reason, SHOWN_FORMER_RECIPE)
