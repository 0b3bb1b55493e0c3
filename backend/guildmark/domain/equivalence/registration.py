"""What the chain keeps of an equivalence: plans, who joined, blind data, certificates.

Source: `IEquivalenceRegistry`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from guildmark.domain.encoding import abi
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.equivalence.verdict import Verdict
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import (
    Bytes32,
    Digest,
    EquivalencePlanId,
    IdentityId,
    RecipeId,
)
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath
from guildmark.domain.recipes.recipe import LESSER, Recipe

PLAN_DOMAIN = keccak256(b"guildmark/equivalence-plan/v1")
DATA_DOMAIN = keccak256(b"guildmark/equivalence-data/v1")

SITES_MAX = 64

ASKED = ClausePath("/qa/equivalence")
"""The clause by which a recipe asks that the maker's site is certified."""
REQUIRED = "required"


class RegistrationError(MalformedError):
    """A registration that no contract takes."""

    code = "equivalence.registrationMalformed"
    hint = "Name 1 to 64 sites and a reveal deadline behind the commit deadline."


class Outcome(IntEnum):
    """What a certificate says, numbered as in `IEquivalenceRegistry`."""

    EQUIVALENT = 1
    NOT_EQUIVALENT = 2
    INCONCLUSIVE = 3
    INVALID = 4

    @classmethod
    def of(cls, verdict: Verdict) -> "Outcome":
        """Return how the chain numbers an engine's verdict."""
        return cls[verdict.name]


class Lapse(IntEnum):
    """Why a certificate holds no more, numbered as in `IEquivalenceRegistry`."""

    MACHINE_MOVED = 1
    FIRMWARE_CHANGED = 2
    RECIPE_CHANGED = 3
    KEY_UNDER_NOTICE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A plan as the chain knows it: `IEquivalenceRegistry.Plan`.

    Args:
        recipe: The recipe whose equivalence is asked.
        sponsor: Who asks.
        evaluator: The authority that computes and certifies.
        document: The plan's digest, a root over salted leaves.
        commit_by: Until when, exclusive, sites join and commit.
        reveal_by: Until when, exclusive, they reveal.
        sites: Who may join.
    """

    recipe: RecipeId
    sponsor: IdentityId
    evaluator: IdentityId
    document: Digest
    commit_by: int
    reveal_by: int
    sites: tuple[IdentityId, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.sites) <= SITES_MAX or not 0 < self.commit_by < self.reveal_by:
            message = f"{len(self.sites)} sites and deadlines {self.commit_by}, {self.reveal_by}."
            raise RegistrationError(message, sites=len(self.sites))
        self.id()

    def id(self) -> EquivalencePlanId:
        """Return keccak256(abi.encode(domain, Plan)).

        Raises:
            AbiRangeError: A value does not fit its field.
        """
        words = (
            abi.bytes32(self.recipe),
            abi.bytes32(self.sponsor),
            abi.bytes32(self.evaluator),
            abi.bytes32(self.document),
            abi.uint(self.commit_by, 40),
            abi.uint(self.reveal_by, 40),
        )
        sites = abi.array([abi.bytes32(site) for site in self.sites])
        encoded = PLAN_DOMAIN + abi.uint(2 * abi.WORD) + abi.arguments(words, sites)
        return EquivalencePlanId(keccak256(encoded))


def blind(plan: EquivalencePlanId, site: IdentityId, root: Digest, salt: Bytes32) -> Digest:
    """Return what a site commits to: nobody learns even the root of its data before it opens."""
    return keccak256(b"".join((DATA_DOMAIN, *map(abi.bytes32, (plan, site, root, salt)))))


def is_asked(clauses: Iterable[Clause]) -> bool | None:
    """Return whether clauses ask for equivalence, None where they ask in an unknown form."""
    found = [one for one in clauses if one.path == ASKED or one.path.startswith(f"{ASKED}/")]
    if not found:
        return False
    (first, *others) = found
    is_plain = first.path == ASKED and first.klass is ClauseClass.CORE and not others
    return True if is_plain and first.value == REQUIRED else None


def covered_by(recipe: Recipe) -> tuple[RecipeId, ...]:
    """Return the recipes whose certificates speak for one: itself, and what it changes little."""
    if recipe.change in LESSER:
        return (recipe.id(), recipe.supersedes)
    return (recipe.id(),)
