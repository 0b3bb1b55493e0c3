"""Recipes: drafted with fresh salts, published by the design's owner, derived by each site."""

from collections.abc import Mapping
from dataclasses import dataclass

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.errors import NotFoundError
from guildmark.domain.identifiers import Bytes32, Digest, IdentityId, RecipeId, SiteRecipeId, to_hex
from guildmark.domain.recipes.differing import check_stated, differences
from guildmark.domain.recipes.drafts import read_draft, with_salts_of
from guildmark.domain.recipes.recipe import (
    Change,
    Recipe,
    RecipeDocument,
    SiteRecipe,
    Status,
)
from guildmark.ports.chain import Call, Ledger
from guildmark.ports.clock import Entropy
from guildmark.ports.store import DocumentKind, NodeStore
from guildmark.services.identity.accounts import Account

_SALT_SIZE = 32


class RecipeDocumentUnknownError(NotFoundError):
    """This home does not hold the recipe in full."""

    code = "recipe.documentUnknown"
    hint = (
        "Use the home that published it, or take it in with the designer's package: "
        "`guildmark package open`."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipes:
    """Use cases around recipes; the account owns the design, or speaks for the site."""

    ledger: Ledger
    account: Account
    store: NodeStore
    entropy: Entropy

    def draft(self, data: bytes, *, supersedes: RecipeId | None = None) -> RecipeDocument:
        """Return the recipe that people wrote without salts, with a fresh salt on each clause.

        Clauses that are as in the recipe that it supersedes keep their salts, where this home
        holds that one.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            MalformedError: A clause is malformed, out of order, or in no known group.
        """
        drafted = read_draft(data, self._salt)
        before = None if supersedes is None else self._held(supersedes)
        return drafted if before is None else with_salts_of(drafted, before)

    def check_change(self, before: RecipeId, document: RecipeDocument, stated: Change) -> bool:
        """Return whether this home knows the recipe that is superseded, and compare with it.

        Raises:
            ChangeUnderstatedError: The clauses change more than is stated.
        """
        old = self._held(before)
        if old is None:
            return False
        check_stated(stated, tuple(differences(old.clauses, document.clauses)))
        return True

    def publish(self, recipe: Recipe, document: RecipeDocument, *, status: Status) -> RecipeId:
        """Publish a recipe, as the design's owner, and return its id.

        Raises:
            CallerRefusedError: The account does not own the design.
            RecipePublishedError: The recipe is on record already.
            DesignUnknownError: The design has no such revision.
            RecipeUnknownError: The recipe that it supersedes is not on record.
            RecipeSupersededError: That one has a successor already.
            RecipeInvalidError: That one is of another design, or the kind of change does not fit.
        """
        recipe_id = recipe.id()
        self._keep(DocumentKind.RECIPE_DOCUMENT, recipe_id, document)
        self.account.call(
            *(ContractName.RECIPES, "publish", recipe_struct(recipe), status),
            once=recipe_id.hex(),
        )
        return recipe_id

    def set_status(self, recipe_id: RecipeId, status: Status) -> None:
        """Give a recipe another status from now on, as the design's owner.

        Raises:
            RecipeUnknownError: The recipe is not on record.
            CallerRefusedError: The account does not own the design.
            RecipeStepError: It has this status, is retired, or moved in the meantime.
        """
        counted = Call(contract=ContractName.RECIPES, function="stepCount", args=(recipe_id,))
        steps: int = self.ledger.read(counted)
        self.account.call(
            *(ContractName.RECIPES, "setStatus", recipe_id, steps, status),
            once=f"{recipe_id.hex()}:{steps}:{status.value}",
        )

    def derive(
        self, master: RecipeDocument, choices: Mapping[str, str], *, name: str
    ) -> RecipeDocument:
        """Return a site's recipe: what the master leaves open takes the chosen values.

        Raises:
            ClauseUnknownError: A choice for a path that no clause has.
            ChoiceForbiddenError: A choice for a core or custom clause.
            WindowExceededError: A choice outside its window.
        """
        return master.derive(choices, name=name, new_salt=self._salt)

    def publish_site_recipe(
        self, master: RecipeId, site: IdentityId, model: Digest, document: RecipeDocument
    ) -> SiteRecipeId:
        """Publish a site's recipe, as the site's controller, and return its id.

        Raises:
            CallerRefusedError: The account does not speak for the site.
            RecipeUnknownError: The master is not on record.
            RecipePublishedError: The site recipe is on record already.
        """
        recipe = SiteRecipe(master=master, site=site, model=model, root=document.root())
        recipe_id = recipe.id()
        self._keep(DocumentKind.RECIPE_DOCUMENT, recipe_id, document)
        struct = site_recipe_struct(recipe)
        self.account.call(ContractName.RECIPES, "publishSiteRecipe", struct, once=recipe_id.hex())
        return recipe_id

    def document(self, recipe_id: RecipeId | SiteRecipeId) -> RecipeDocument:
        """Return a recipe in full, salts included.

        Raises:
            RecipeDocumentUnknownError: It is not in this home.
        """
        found = self._held(recipe_id)
        if found is None:
            message = f"The recipe {to_hex(recipe_id)} is not in this home."
            raise RecipeDocumentUnknownError(message, recipe=to_hex(recipe_id))
        return found

    def _held(self, recipe_id: RecipeId | SiteRecipeId) -> RecipeDocument | None:
        with self.store.reading() as view:
            body = view.documents.get(DocumentKind.RECIPE_DOCUMENT, recipe_id)
        return None if body is None else RecipeDocument.parse(body)

    def _keep(self, kind: DocumentKind, key: bytes, document: RecipeDocument) -> None:
        with self.store.writing() as work:
            work.documents.put(kind, key, document.encode())

    def _salt(self) -> Bytes32:
        return Bytes32(self.entropy.token(_SALT_SIZE))


def recipe_struct(recipe: Recipe) -> tuple[object, ...]:
    """Return a recipe as contracts take it."""
    named = (recipe.root, recipe.design, recipe.revision)
    return (*named, recipe.supersedes, recipe.change, recipe.plan)


def site_recipe_struct(recipe: SiteRecipe) -> tuple[object, ...]:
    """Return a site's recipe as contracts take it."""
    return (recipe.master, recipe.site, recipe.model, recipe.root)
