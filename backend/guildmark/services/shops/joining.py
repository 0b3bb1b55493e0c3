"""Joining: a shop's identities, key and recipe by a hub's invitation, the same however often."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import JsonValue
from guildmark.domain.errors import ContentError
from guildmark.domain.identifiers import Digest, IdentityId, RecipeId, SiteRecipeId, to_hex
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.recipes.recipe import Recipe, RecipeDocument
from guildmark.domain.signatures import PublicKey
from guildmark.ports.chain import Call, Ledger
from guildmark.ports.store import DocumentKind, NodeStore
from guildmark.services.identity.accounts import Account
from guildmark.services.identity.identities import Identities
from guildmark.services.recipes.recipes import Recipes

SEED_SIZE = 32


class RecipeForeignError(ContentError):
    """A hub handed out another recipe than the one that it promised, or one that is on no chain."""

    code = "join.recipeForeign"
    hint = "Build nothing by it; ask the recipe's designer what he published, and the hub why."


_MODEL_TAG = b"guildmark/model/v1"
_SEED_TAG = b"guildmark/join/v1"


@dataclass(slots=True, kw_only=True)
class Drawn:
    """Random bytes that a seed gives again: a step done twice is the same step.

    Args:
        seed: Secret and random, drawn once for a home.
        purpose: What they are for; no two steps share them.
    """

    seed: bytes
    purpose: str
    _count: int = field(default=0, init=False)

    def token(self, size: int) -> bytes:
        """Return the next bytes, at most 32."""
        self._count += 1
        named = f"{self.purpose}\0{self._count}".encode()
        return sha256(_SEED_TAG + self.seed + named)[:size]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Who joins, as people call it.

    Args:
        instruments: What measures there.
    """

    name: str
    country: str | None = None
    site: str
    machine: str
    instruments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """The ids that a shop got."""

    organization: IdentityId
    site: IdentityId
    machine: IdentityId
    instruments: tuple[IdentityId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A recipe as a hub hands it out, to be checked: what stands on chain, and all clauses."""

    recipe: Recipe
    document: RecipeDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """Use cases of a shop that joins; its own account signs each step.

    Args:
        seed: What the home drew before the first step.
    """

    ledger: Ledger
    account: Account
    store: NodeStore
    seed: bytes

    def register(self, shop: Shop) -> Joined:
        """Register organization, site, machine and instruments, and link them; each once.

        Raises:
            MalformedNameError: People could not read a name as it is written.
            CountryUnknownError: ISO 3166-1 does not know the country.
            IdempotencyMismatchError: It was begun with other names.
            NotFinalInTimeError: A step is not final in time; call again.
        """
        land = {} if shop.country is None else {"country": shop.country}
        organization = self._register(IdentityKind.ORGANIZATION, {"name": shop.name, **land})
        site = self._register(IdentityKind.SITE, {"name": shop.site, **land})
        machine = self._register(IdentityKind.MACHINE, {"name": shop.machine})
        instruments = tuple(
            self._register(IdentityKind.MACHINE, {"name": name}, number)
            for number, name in enumerate(shop.instruments, start=1)
        )
        for child, parent in ((site, organization), (machine, site)):
            self._link(child, parent)
        return Joined(
            organization=organization, site=site, machine=machine, instruments=instruments
        )

    def add_key(self, machine: IdentityId, key: PublicKey) -> None:
        """Let the machine sign with its key.

        Raises:
            NotFinalInTimeError: It is not final in time; call again.
        """
        self._identities("key").add_key(machine, key)

    def check(self, promised: RecipeId, handed: Handed) -> None:
        """Hold what a hub handed out against the promised recipe's id, and that against the chain.

        Raises:
            RecipeForeignError: The clauses are not those of the recipe, or nobody published it.
        """
        call = Call(contract=ContractName.RECIPES, function="publishedAt", args=(promised,))
        published, root = handed.recipe, handed.document.root()
        if published.id() != promised or published.root != root:
            message = f"The recipe that the hub handed out is not {to_hex(promised)}."
            raise RecipeForeignError(message, recipe=to_hex(promised), root=to_hex(root))
        if self.ledger.read(call) == 0:
            message = f"Nobody published the recipe {to_hex(promised)} on this chain."
            raise RecipeForeignError(message, recipe=to_hex(promised))

    def choose(
        self, handed: Handed, joined: Joined, choices: Mapping[str, str], *, model: str
    ) -> SiteRecipeId:
        """Derive the site's recipe from the hub's and publish it, once; return its id.

        Raises:
            ClauseUnknownError: A choice for a path that no clause has.
            ChoiceForbiddenError: A choice for a core or custom clause.
            WindowExceededError: A choice outside its window.
            NotFinalInTimeError: It is not final in time; call again.
        """
        recipes = Recipes(
            ledger=self.ledger,
            account=self.account,
            store=self.store,
            entropy=Drawn(seed=self.seed, purpose="recipe"),
        )
        master, document = handed.recipe.id(), handed.document
        derived = recipes.derive(document, choices, name=f"{document.name}, {model}")
        salt = Drawn(seed=self.seed, purpose="model").token(32)
        digest = Digest(sha256(_MODEL_TAG + salt + model.encode()))
        with self.store.writing() as work:
            work.documents.put(DocumentKind.RECIPE_DOCUMENT, master, document.encode())
        return recipes.publish_site_recipe(master, joined.site, digest, derived)

    def _register(
        self, kind: IdentityKind, profile: Mapping[str, JsonValue], number: int = 0
    ) -> IdentityId:
        return self._identities(f"{kind.name}\0{number}").register(kind, profile)

    def _link(self, child: IdentityId, parent: IdentityId) -> None:
        found = self.ledger.read(
            Call(contract=ContractName.IDENTITIES, function="parentOf", args=(child,))
        )
        if found == parent:
            return
        identities = self._identities("link")
        identities.request_link(child, parent)
        identities.accept_link(child, parent)

    def _identities(self, purpose: str) -> Identities:
        return Identities(
            ledger=self.ledger,
            account=self.account,
            store=self.store,
            entropy=Drawn(seed=self.seed, purpose=purpose),
        )
