"""Recipes and site recipes on chain: their ids commit to everything that they say."""

from dataclasses import dataclass
from enum import IntEnum

from guildmark.domain import abi
from guildmark.domain.hashing import keccak256
from guildmark.domain.identifiers import (
    ZERO32,
    DesignId,
    Digest,
    IdentityId,
    RecipeId,
    SiteRecipeId,
)

RECIPE_DOMAIN = keccak256(b"guildmark/recipe/v1")
SITE_RECIPE_DOMAIN = keccak256(b"guildmark/site-recipe/v1")

NO_RECIPE = RecipeId(ZERO32)
NO_PLAN = Digest(ZERO32)


class Change(IntEnum):
    """How a recipe changes the one that it supersedes, numbered as in `IRecipeRegistry`."""

    NONE = 0
    EDITORIAL = 1
    MINOR = 2
    REQUALIFY = 3


class Status(IntEnum):
    """A recipe's status, numbered as in `IRecipeRegistry`."""

    DRAFT = 1
    TRIAL = 2
    QUALIFIED = 3
    SUSPENDED = 4
    RETIRED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A recipe: `IRecipeRegistry.Recipe`.

    Args:
        root: Root of the salted clause tree.
        design: The design.
        revision: Number of the design's revision.
        supersedes: The recipe before, 0 = none.
        change: None exactly where it supersedes none.
        plan: Digest of the qualification plan, 0 = none.
    """

    root: Digest
    design: DesignId
    revision: int
    supersedes: RecipeId = NO_RECIPE
    change: Change = Change.NONE
    plan: Digest = NO_PLAN

    def id(self) -> RecipeId:
        """Return keccak256(abi.encode(domain, Recipe)).

        Raises:
            AbiRangeError: A value does not fit its field.
        """
        words = (
            RECIPE_DOMAIN,
            abi.bytes32(self.root),
            abi.bytes32(self.design),
            abi.uint(self.revision, 40),
            abi.bytes32(self.supersedes),
            abi.uint(self.change, 8),
            abi.bytes32(self.plan),
        )
        return RecipeId(keccak256(b"".join(words)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRecipe:
    """A site's own recipe: `IRecipeRegistry.SiteRecipe`.

    Args:
        master: The recipe that it follows.
        site: The site.
        model: Salted digest of the machine model.
        root: Root of the site's clause tree.
    """

    master: RecipeId
    site: IdentityId
    model: Digest
    root: Digest

    def id(self) -> SiteRecipeId:
        """Return keccak256(abi.encode(domain, SiteRecipe)).

        Raises:
            AbiRangeError: A value does not fit its field.
        """
        ids = (self.master, self.site, self.model, self.root)
        return SiteRecipeId(keccak256(SITE_RECIPE_DOMAIN + b"".join(map(abi.bytes32, ids))))
