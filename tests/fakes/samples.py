"""A site that joined a plan which draws units, and what it does then."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from fakes.world import MAKER, OPERATOR, SITE, World
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.blinded import BlindData, SiteData
from guildmark.domain.equivalence.dataset import Dataset
from guildmark.domain.equivalence.plan import CharacteristicPlan, EquivalencePlan, engine_digest
from guildmark.domain.equivalence.verdict import EquivalenceResult
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import (
    Bytes32,
    Digest,
    EquivalencePlanId,
    IdentityId,
    to_hex,
)
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.recipes.clause import ClausePath
from guildmark.ports.store import DocumentKind

BORE = ClausePath("/tolerance/bore")
LOGGED, DRAWN_FROM, UNITS = 8, 6, 3


@dataclass(frozen=True)
class Shop:
    """A site that joined a plan, and what it does then."""

    world: World
    plan: EquivalencePlan
    id: EquivalencePlanId

    @property
    def site(self) -> IdentityId:
        return self.world.site

    def state(self, number: int, **run: Any) -> BuildStatement:
        """Return what is said of part ``number``, begun after the site joined."""
        said = self.world.statement(number)
        (bore,) = said.measurements
        measured = replace(bore, value=f"22.{number:02d}", raw_data=sha256(b"raw %d" % number))
        started = {"started_on": said.run.started_on - number, **run}
        return replace(said, run=replace(said.run, **started), measurements=(measured,))

    def log(self, *statements: BuildStatement) -> None:
        envelopes = [self.world.sign(one) for one in statements]
        answers = self.world.tools.ingest(self.world.log).receive(envelopes)
        assert [answer.error for answer in answers] == [None] * len(statements)
        line = self.world.tools.line(self.world.log)
        line.step()
        line.step()

    def tick(self, times: int = 1) -> None:
        for _ in range(times):
            self.world.tools.logs(OPERATOR).tick()
        self.world.tools.indexing(self.world.log).follow()

    def collected(self) -> SiteData:
        return self.world.tools.sampling.collect(self.id, self.site)

    def data(self, shown: SiteData) -> BlindData:
        salt = Bytes32(sha256(b"salt"))
        return BlindData(plan=self.id, site=self.site, secret=salt, salt=salt, shown=shown)

    def commit(self, shown: SiteData) -> None:
        service = self.world.tools.equivalence(SITE)
        service.commit(self.id, self.site, shown, recipient=b"key")

    def judged(self, shown: SiteData) -> Dataset:
        """Commit and reveal past this home's own checks; return what the evaluator computes."""
        data, tools = self.data(shown), self.world.tools
        service = tools.equivalence(SITE)
        with tools.store.writing() as work:
            kind, place = DocumentKind.EQUIVALENCE_DATA, self.id + self.site
            work.documents.put(kind, place, data.encode())
        service._call("commit", self.id, self.site, data.blind(), once="commit")
        service.reveal(self.id, self.site)
        tools.indexing(self.world.log).follow()
        seen: list[Dataset] = []

        def compute(plan: EquivalencePlan, dataset: Dataset) -> EquivalenceResult:
            seen.append(dataset)
            return EquivalenceResult(
                plan=plan.digest(), engine=plan.engine, data={}, verdicts=(), gates=()
            )

        tools.evaluation.run(self.id, compute)
        return seen[0]

    def refusal(self, shown: SiteData) -> str:
        """Return what both the site's own home and the evaluator say of data."""
        with pytest.raises(GuildmarkError) as caught:
            self.commit(shown)
        failed = self.judged(shown).failed[to_hex(self.site)]
        assert failed == caught.value.message
        return failed


def make_plan(world: World, **changes: Any) -> EquivalencePlan:
    second = world.tools.identities(OPERATOR).register(IdentityKind.SITE, {"name": "second"})
    members: dict[str, Any] = {
        "recipe": world.recipe.id(),
        "reference": to_hex(world.site),
        "sites": (to_hex(second),),
        "characteristics": (CharacteristicPlan(path=BORE, unit="mm", margin="0.1"),),
        "evaluator": to_hex(world.issuer),
        "engine": engine_digest(),
        "units": UNITS,
        "replicates": UNITS,
        "commit_by": 2_000_000_000,
        "reveal_by": 2_000_000_001,
        "salt": Bytes32(sha256(b"salt")),
        "drawn_from": DRAWN_FROM,
    }
    return EquivalencePlan(**{**members, **changes})


def make_shop(world: World, **changes: Any) -> Shop:
    """Return the shop of a site that joined, with a tick that its builds begin after."""
    plan = make_plan(world, **changes)
    plan_id = world.tools.equivalence(MAKER).plan(plan, sponsor=world.maker)
    world.tools.indexing(world.log).follow()
    world.tools.equivalence(SITE).join(plan_id, world.site, Digest(sha256(b"model")))
    beacon = world.tools.logs(OPERATOR).tick()
    world.tools.indexing(world.log).follow()
    return Shop(replace(world, beacon=beacon), plan, plan_id)
