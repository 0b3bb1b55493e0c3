"""A plan of three sites of which one takes part, through all that may become of it."""

from decimal import Decimal

from fakes.world import DESIGNER, ISSUER, MAKER, OPERATOR, SITE, World, make_world
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.blinded import SiteData
from guildmark.domain.equivalence.dataset import Dataset
from guildmark.domain.equivalence.plan import CharacteristicPlan, EquivalencePlan, engine_digest
from guildmark.domain.equivalence.registration import Outcome
from guildmark.domain.equivalence.verdict import EquivalenceResult
from guildmark.domain.identifiers import Bytes32, Digest, EquivalencePlanId, IdentityId, to_hex
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.measurement.readings import Reading
from guildmark.domain.recipes.clause import ClausePath

BORE = ClausePath("/tolerance/bore")


def compute(plan: EquivalencePlan, dataset: Dataset) -> EquivalenceResult:
    """Return a result that says nothing but what it is about."""
    return EquivalenceResult(
        plan=plan.digest(), engine=plan.engine, data=dataset.roots, verdicts=(), gates=()
    )


class Story:
    """A maker's site that takes part, and another that does not."""

    def __init__(self) -> None:
        self.world: World = make_world()
        tools = self.world.tools
        self.second = tools.identities(OPERATOR).register(IdentityKind.SITE, {"name": "second"})
        self.third = tools.identities(DESIGNER).register(IdentityKind.SITE, {"name": "third"})
        self.follow()

    def follow(self) -> None:
        self.world.tools.indexing().follow()

    def plan(self, salt: bytes) -> EquivalencePlanId:
        others = sorted((to_hex(self.second), to_hex(self.third)))
        plan = EquivalencePlan(
            recipe=self.world.recipe.id(),
            reference=to_hex(self.world.site),
            sites=tuple(others),
            characteristics=(CharacteristicPlan(path=BORE, unit="mm", margin="0.1"),),
            evaluator=to_hex(self.world.issuer),
            engine=engine_digest(),
            units=3,
            replicates=3,
            commit_by=2_000_000_000,
            reveal_by=2_000_000_001,
            salt=Bytes32(sha256(salt)),
        )
        made = self.world.tools.equivalence(MAKER).plan(plan, sponsor=self.world.maker)
        self.follow()
        return made

    def join(self, plan: EquivalencePlanId) -> None:
        self.world.tools.equivalence(SITE).join(plan, self.world.site, sha256(b"model"))
        self.follow()

    def commit(self, plan: EquivalencePlanId) -> None:
        rows = (reading(self.world.site, number, self.world.instrument) for number in range(3))
        service = self.world.tools.equivalence(SITE)
        service.commit(plan, self.world.site, SiteData(readings=tuple(rows)), recipient=b"key")
        self.follow()

    def reveal(self, plan: EquivalencePlanId) -> None:
        self.world.tools.equivalence(SITE).reveal(plan, self.world.site)
        self.follow()

    def certify(self, plan: EquivalencePlanId, result: Digest | None = None) -> None:
        service = self.world.tools.equivalence(ISSUER)
        named = result or sha256(b"result")
        service.certify(plan, self.world.site, Outcome.EQUIVALENT, named)
        service.challenge(plan, self.world.site, self.world.issuer, sha256(b"counter"))
        self.follow()


def reading(site: IdentityId, number: int, instrument: IdentityId) -> Reading:
    return Reading(
        part=f"p{number}",
        build=f"b{number}",
        site=to_hex(site),
        characteristic=BORE,
        value=Decimal("22.20"),
        unit="mm",
        instrument=to_hex(instrument),
    )
