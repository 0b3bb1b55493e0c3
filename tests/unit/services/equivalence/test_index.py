"""Plans, data and certificates become facts, and go into the evidence of parts that need them."""

from typing import Any

import pytest

from fakes.world import RECIPE, World, clause, make_world
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import (
    CertificateFact,
    CounterFact,
    PlanEntryFact,
    PlanFact,
    SitePlanFact,
)
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.registration import Registration
from guildmark.domain.identifiers import EquivalencePlanId
from guildmark.domain.recipes.clause import Clause, ClauseClass
from guildmark.domain.recipes.clauses import disclose_all
from guildmark.domain.recipes.recipe import Recipe
from guildmark.domain.verification.evidence import PLANS_MAX, PlanDisclosure, RecipeDisclosure
from guildmark.services.evidence.evidence import equivalence_plans
from guildmark.services.index.projection import FactMissingError, known

ASKING = (clause("/qa/equivalence", ClauseClass.CORE, value="required"),)


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


def emit(world: World, name: str, **args: Any) -> int:
    """Let an event happen in a block of its own, and the index read it; return its time."""
    chain = world.tools.chain
    chain.mine()
    chain.emit(ContractName.EQUIVALENCE, name, **args)
    world.tools.indexing().follow()
    return chain.now


def registered(world: World, document: str) -> tuple[Registration, int]:
    plan = Registration(
        recipe=world.recipe.id(),
        sponsor=world.maker,
        evaluator=world.issuer,
        document=sha256(document.encode()),
        commit_by=2_000_000_000,
        reveal_by=2_000_000_001,
        sites=(world.site,),
    )
    struct = {
        "recipe": plan.recipe,
        "sponsor": plan.sponsor,
        "evaluator": plan.evaluator,
        "document": plan.document,
        "commitBy": plan.commit_by,
        "revealBy": plan.reveal_by,
        "sites": list(plan.sites),
    }
    return plan, emit(world, "PlanRegistered", id=plan.id(), recipe=plan.recipe, plan=struct)


def joined(world: World, plan: Registration, number: int) -> int:
    members = {"plan": plan.id(), "site": world.site, "number": number, "scope": sha256(b"m")}
    return emit(world, "PlanJoined", **members)


def test_a_plan_goes_from_registration_to_the_end_of_its_certificate(world: World) -> None:
    plan, at = registered(world, "first")
    place = {"plan": plan.id(), "site": world.site}
    joined_at = joined(world, plan, 1)
    committed_at = emit(world, "DataCommitted", **place, blind=sha256(b"blind"))
    revealed_at = emit(world, "DataRevealed", **place, root=sha256(b"root"))
    result = sha256(b"result")
    since = emit(world, "SiteCertified", **place, verdict=1, result=result, to=9)
    counter = {"challenger": world.issuer, "result": sha256(b"counter")}
    countered_at = emit(world, "CertificateChallenged", **place, **counter)
    suspended_at = emit(world, "CertificateSuspended", **place, reason=sha256(b"drift"))
    lapsed_at = emit(world, "CertificateLapsed", **place, cause=3)

    with world.tools.store.reading() as view:
        assert known(view.facts, PlanFact, plan.id()) == PlanFact(id=plan.id(), plan=plan, at=at)
        entry = known(view.facts, PlanEntryFact, plan.id(), world.site)
        certificate = known(view.facts, CertificateFact, plan.id(), world.site)
        counters = view.facts.each(CounterFact, plan.id(), world.site)
    assert entry == PlanEntryFact(
        plan=plan.id(),
        site=world.site,
        number=1,
        scope=sha256(b"m"),
        joined_at=joined_at,
        blind=sha256(b"blind"),
        committed_at=committed_at,
        root=sha256(b"root"),
        revealed_at=revealed_at,
    )
    assert certificate == CertificateFact(
        plan=plan.id(),
        site=world.site,
        verdict=1,
        result=result,
        since=since,
        until=9,
        suspended_at=suspended_at,
        reason=sha256(b"drift"),
        lapsed_at=lapsed_at,
        cause=3,
    )
    assert counters == [
        CounterFact(plan=plan.id(), site=world.site, at=countered_at, **counter)  # type: ignore[arg-type]  # members by name
    ]


def test_an_event_about_an_unknown_plan_stops_the_index() -> None:
    world = make_world()
    nowhere = EquivalencePlanId(sha256(b"nowhere"))

    with pytest.raises(FactMissingError):
        emit(world, "DataRevealed", plan=nowhere, site=world.site, root=sha256(b"root"))


def asking(recipe: Recipe, *more: Clause) -> RecipeDisclosure:
    clauses = tuple(sorted((*RECIPE.clauses, *more), key=lambda one: one.path))
    return RecipeDisclosure(recipe=recipe, steps=1, clauses=disclose_all(clauses))


def test_evidence_names_the_plans_where_the_recipe_asks() -> None:
    world = make_world()
    plans = [registered(world, str(number))[0] for number in (1, 2)]
    for number, plan in enumerate(plans, start=1):
        joined(world, plan, number)

    with world.tools.store.reading() as view:
        asked = list(equivalence_plans(world.site, asking(world.recipe, *ASKING), view))
        not_asked = list(equivalence_plans(world.site, asking(world.recipe), view))
        unknown = list(equivalence_plans(world.site, None, view))

    shown = [PlanDisclosure(number=number, plan=plan) for number, plan in enumerate(plans, 1)]
    assert (asked, not_asked, unknown) == (shown, [], [])


def test_of_too_many_plans_the_first_are_shown() -> None:
    world = make_world()
    plan, _ = registered(world, "often")
    with world.tools.store.writing() as work:
        for number in range(1, PLANS_MAX + 2):
            fact = SitePlanFact(recipe=plan.recipe, site=world.site, number=number, plan=plan.id())
            work.facts.put(fact)
        shown = list(equivalence_plans(world.site, asking(world.recipe, *ASKING), work))

    assert [one.number for one in shown] == list(range(1, PLANS_MAX + 1))
