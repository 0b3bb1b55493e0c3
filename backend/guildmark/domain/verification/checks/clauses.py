"""What is shown of a recipe and of a site's own one; several checks rest on it."""

from guildmark.domain.identifiers import Digest
from guildmark.domain.recipes.clauses import DisclosedClauses, Disclosure, DisclosureMismatchError
from guildmark.domain.verification.case import (
    CLAUSES_INVALID,
    RECIPE_MISSING,
    SITE_RECIPE_MISSING,
    Case,
    UndecidedError,
)
from guildmark.domain.verification.evidence import (
    FormerRecipeDisclosure,
    RecipeDisclosure,
    SiteRecipeDisclosure,
)

SHOWN_RECIPE = "disclosed/recipe.json"
SHOWN_SITE_RECIPE = "disclosed/site-recipe.json"
SHOWN_FORMER_RECIPE = "disclosed/former-recipe.json"


def master_clauses(case: Case) -> DisclosedClauses:
    """Return what is shown of the recipe's clauses.

    Raises:
        UndecidedError: Nothing is shown, or other clauses than the recipe commits to.
    """
    shown = shown_recipe(case)
    return _verified(shown.clauses, shown.recipe.root, SHOWN_RECIPE)


def site_clauses(case: Case) -> DisclosedClauses:
    """Return what is shown of the site recipe's clauses.

    Raises:
        UndecidedError: Nothing is shown, or other clauses than the site recipe commits to.
    """
    shown = shown_site_recipe(case)
    return _verified(shown.clauses, shown.recipe.root, SHOWN_SITE_RECIPE)


def former_clauses(shown: FormerRecipeDisclosure) -> DisclosedClauses:
    """Return what is shown of the clauses of the recipe before.

    Raises:
        UndecidedError: Other clauses are shown than it commits to.
    """
    return _verified(shown.clauses, shown.recipe.root, SHOWN_FORMER_RECIPE)


def _verified(clauses: Disclosure, root: Digest, evidence: str) -> DisclosedClauses:
    try:
        return clauses.verify(root)
    except DisclosureMismatchError as error:
        raise UndecidedError(CLAUSES_INVALID.found(error.message, evidence)) from error


def shown_recipe(case: Case) -> RecipeDisclosure:
    """Return the recipe that is shown.

    Raises:
        UndecidedError: None is.
    """
    if case.disclosed.recipe is None:
        raise UndecidedError(RECIPE_MISSING.found("The recipe is not shown.", "disclosed"))
    return case.disclosed.recipe


def shown_site_recipe(case: Case) -> SiteRecipeDisclosure:
    """Return the site recipe that is shown.

    Raises:
        UndecidedError: None is.
    """
    if case.disclosed.site_recipe is None:
        reason = "The site recipe is not shown."
        raise UndecidedError(SITE_RECIPE_MISSING.found(reason, "disclosed"))
    return case.disclosed.site_recipe
