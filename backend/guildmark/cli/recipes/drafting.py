"""Drafts of recipes, read by the commands that publish them."""

from pathlib import Path

from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import RecipeId
from guildmark.domain.recipes.drafts import lint
from guildmark.domain.recipes.recipe import RecipeDocument
from guildmark.services.recipes.recipes import Recipes


def drafted(recipes: Recipes, file: Path, *, supersedes: RecipeId | None) -> RecipeDocument:
    """Return the recipe that people wrote, with its salts; a refusal names the clause.

    Raises:
        JsonError: The bytes are outside the input profile.
        DocumentError: A member is missing, unknown or of another type.
        MalformedError: A clause is malformed, out of order, or in no known group.
    """
    data = file.read_bytes()
    try:
        return recipes.draft(data, supersedes=supersedes)
    except MalformedError as error:
        raise _of_clause(error, data, file) from error


def _of_clause(error: MalformedError, data: bytes, file: Path) -> MalformedError:
    """Return a refusal of a draft with the first clause that blocks it, where lint finds one."""
    found = next((one for one in lint(data) if one.blocks), None)
    if found is None or found.path is None or found.rule == error.code:
        return error
    next_step = f"Write {found.instead}. `guildmark recipe lint {file}` says all that is wrong."
    return type(error)(f"{found.path}: {found.reason}", next_step=next_step, **error.detail)
