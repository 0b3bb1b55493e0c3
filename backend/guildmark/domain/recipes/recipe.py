"""Recipes and site recipes: their ids on chain, their documents, and how a site derives its own."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Self

from guildmark.domain.builds.predicate import Setting
from guildmark.domain.encoding import abi
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import Fields, read_document
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.encoding.strictjson import Limits
from guildmark.domain.errors import MalformedError, NonconformingError, UsageError
from guildmark.domain.identifiers import (
    ZERO32,
    DesignId,
    Digest,
    IdentityId,
    RecipeId,
    SiteRecipeId,
)
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, NewSalt
from guildmark.domain.recipes.clauses import ClauseUnknownError, DisclosedClauses, clause_root

RECIPE_DOMAIN = keccak256(b"guildmark/recipe/v1")
SITE_RECIPE_DOMAIN = keccak256(b"guildmark/site-recipe/v1")

NO_RECIPE = RecipeId(ZERO32)
NO_PLAN = Digest(ZERO32)

DOCUMENT_TYPE = "https://guildmark.org/recipe/v1"
DOCUMENT_LIMITS = Limits(size=4 << 20, depth=5, values=50_000)
PROCESS = "/process/"
GROUPS = ("design", "material", "process", "post", "tolerance", "qa", "safety")

_BINDING = frozenset({ClauseClass.CORE, ClauseClass.WINDOW})


class MalformedRecipeError(MalformedError):
    """A recipe document with a clause in no known group."""

    code = "recipe.malformed"
    hint = "Put each clause under one of the groups that docs/formats lists."


class ChoiceForbiddenError(UsageError):
    """A site chose a value for a clause that is not its to choose."""

    code = "recipe.choiceForbidden"
    hint = "Choose values for window and site clauses only."


class WindowExceededError(NonconformingError):
    """A site chose a value outside the window."""

    code = "recipe.windowExceeded"
    hint = "Choose a value inside the window, or ask the designer for a wider one."


class Change(IntEnum):
    """How a recipe changes the one that it supersedes, numbered as in `IRecipeRegistry`."""

    NONE = 0
    EDITORIAL = 1
    MINOR = 2
    REQUALIFY = 3


LESSER = frozenset({Change.EDITORIAL, Change.MINOR})
"""Changes after which the certificates of the recipe before still speak for this one."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeDocument:
    """A recipe in full: what a root commits to, salts included. It is shown clause by clause.

    Args:
        name: What people call it.
        clauses: The clauses, in the order of their paths.
    """

    name: str
    clauses: tuple[Clause, ...]

    def __post_init__(self) -> None:
        clause_root(self.clauses)
        for clause in self.clauses:
            if clause.group not in GROUPS:
                message = f"The clause {clause.path} stands in no known group."
                raise MalformedRecipeError(message, path=clause.path)

    def root(self) -> Digest:
        """Return the root that the chain keeps."""
        return clause_root(self.clauses)

    def encode(self) -> bytes:
        """Return the document's canonical bytes.

        Raises:
            NotCanonicalError: A text holds half of a surrogate pair.
        """
        clauses = [clause.to_json() for clause in self.clauses]
        return canonical({"type": DOCUMENT_TYPE, "name": self.name, "clauses": clauses})

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the recipe that a document holds.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            MalformedError: A clause is malformed, out of order, or in no known group.
        """
        return read_document(data, cls._read, DOCUMENT_LIMITS)

    @classmethod
    def _read(cls, fields: Fields) -> Self:
        fields.constant("type", DOCUMENT_TYPE)
        return cls(name=fields.text("name"), clauses=fields.objects("clauses", Clause.read))

    def derive(self, choices: Mapping[str, str], *, name: str, new_salt: NewSalt) -> Self:
        """Return a site's recipe: windows and site clauses take the chosen values.

        Every other clause stays as it is, salt included, so that its leaf is the master's; for a
        core clause its own value may be named.

        Raises:
            ClauseUnknownError: A choice for a path that no clause has.
            ChoiceForbiddenError: Another value for a core clause, or one for a custom clause.
            WindowExceededError: A choice outside its window.
        """
        unknown = set(choices) - {clause.path for clause in self.clauses}
        if unknown:
            message = f"The recipe has no clause {min(unknown)[:80]!r}."
            raise ClauseUnknownError(message, path=min(unknown)[:80])
        chosen = (
            _choose(clause, choices[clause.path], new_salt) if clause.path in choices else clause
            for clause in self.clauses
        )
        return type(self)(name=name, clauses=tuple(chosen))


def unrecorded(clauses: DisclosedClauses, settings: Iterable[Setting]) -> Iterator[ClausePath]:
    """Yield the paths of the shown process clauses that no setting answers.

    A core clause or a window binds what the machine did; what it did must therefore be said.
    """
    recorded = {setting.path for setting in settings}
    for clause in clauses.below(PROCESS):
        if clause.klass in _BINDING and clause.path not in recorded:
            yield clause.path


def _choose(clause: Clause, value: str, new_salt: NewSalt) -> Clause:
    if clause.klass is ClauseClass.CORE and clause.admits(value, clause.unit):
        # One file holds what a machine is set to and what a site chose.
        return clause
    if clause.klass not in {ClauseClass.WINDOW, ClauseClass.SITE}:
        message = f"The clause {clause.path} is {clause.klass.name.lower()}: no site chooses it."
        raise ChoiceForbiddenError(message, path=clause.path)
    if not clause.admits(value, clause.unit):
        message = f"{value[:40]!r} is outside the window of {clause.path}."
        raise WindowExceededError(
            message, path=clause.path, found=value[:40], min=clause.minimum, max=clause.maximum
        )
    return replace(clause, value=value, minimum=None, maximum=None, salt=new_salt())
