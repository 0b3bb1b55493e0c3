"""The protocol of equivalence, from a plan to what ends a certificate."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fakes.world import ISSUER, MAKER, OPERATOR, SITE, World, make_world
from guildmark.domain.chain.facts import CertificateFact, CounterFact, PlanEntryFact, PlanFact
from guildmark.domain.chain.refusals import (
    BlindOpeningError,
    CallerRefusedError,
    EquivalenceDoneError,
    PlanUnknownError,
)
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.blinded import BlindData, ForeignReadingError, SiteData
from guildmark.domain.equivalence.dataset import Dataset
from guildmark.domain.equivalence.following import PlanOffRecipeError
from guildmark.domain.equivalence.plan import (
    CharacteristicPlan,
    EquivalencePlan,
    Kind,
    engine_digest,
)
from guildmark.domain.equivalence.registration import Lapse, Outcome
from guildmark.domain.equivalence.verdict import EquivalenceResult
from guildmark.domain.identifiers import (
    Bytes32,
    EquivalencePlanId,
    IdentityId,
    MalformedHexError,
    to_hex,
)
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.measurement.readings import Reading
from guildmark.domain.recipes.clause import ClausePath
from guildmark.ports.keys import KeyName, SealBrokenError
from guildmark.ports.store import DocumentKind
from guildmark.services.equivalence.protocol import (
    Committed,
    DataUnknownError,
    OtherPlanDocumentError,
    PlanWithoutPartsError,
    RevealedDataMissingError,
)
from guildmark.services.equivalence.sampling import PlanDocumentUnknownError
from guildmark.services.index.projection import known

BORE = ClausePath("/tolerance/bore")
MODEL = sha256(b"model")
KEY = KeyName("MACHINE")
NOWHERE = EquivalencePlanId(sha256(b"nowhere"))


@pytest.fixture
def world() -> World:
    return make_world()


def planned(world: World) -> EquivalencePlan:
    second = world.tools.identities(OPERATOR).register(IdentityKind.SITE, {"name": "second"})
    return EquivalencePlan(
        recipe=world.recipe.id(),
        reference=to_hex(world.site),
        sites=(to_hex(second),),
        characteristics=(CharacteristicPlan(path=BORE, unit="mm", margin="0.1"),),
        evaluator=to_hex(world.issuer),
        engine=engine_digest(),
        units=3,
        replicates=3,
        commit_by=2_000_000_000,
        reveal_by=2_000_000_001,
        salt=Bytes32(sha256(b"salt")),
    )


def reading(site: IdentityId, number: int, instrument: str) -> Reading:
    return Reading(
        part=f"p{number}",
        build=f"b{number}",
        site=to_hex(site),
        characteristic=BORE,
        value=Decimal("22.20"),
        unit="mm",
        instrument=instrument,
    )


def follow(world: World) -> None:
    world.tools.indexing().follow()


def registered(world: World) -> tuple[EquivalencePlan, EquivalencePlanId, IdentityId]:
    plan = planned(world)
    plan_id = world.tools.equivalence(MAKER).plan(plan, sponsor=world.maker)
    follow(world)
    return plan, plan_id, IdentityId(bytes.fromhex(plan.sites[0][2:]))


def joined(world: World, plan: EquivalencePlanId, site: IdentityId, name: str) -> None:
    world.tools.equivalence(name).join(plan, site, MODEL)
    follow(world)


def committed(world: World, plan: EquivalencePlanId, site: IdentityId, name: str) -> bytes:
    """Let a site join and commit; return what it sealed to the evaluator."""
    joined(world, plan, site, name)
    instruments = (to_hex(world.instrument), "a gauge without key", to_hex(world.site))
    readings = [reading(site, number, instruments[number]) for number in range(3)]
    done = world.tools.equivalence(name).commit(
        plan, site, SiteData(readings=tuple(readings)), recipient=b"key"
    )
    follow(world)
    return done.sealed


def test_a_plan_is_on_record_with_its_document(world: World) -> None:
    plan, plan_id, second = registered(world)

    with world.tools.store.reading() as view:
        fact = known(view.facts, PlanFact, plan_id)
        document = view.documents.get(DocumentKind.EQUIVALENCE_PLAN, plan_id)
    assert fact.plan.document == plan.digest()
    assert fact.plan.sites == (world.site, second)
    assert document == plan.encode()


def test_only_the_sponsor_registers_a_plan(world: World) -> None:
    with pytest.raises(CallerRefusedError):
        world.tools.equivalence(SITE).plan(planned(world), sponsor=world.maker)


def test_a_plan_of_processes_alone_is_refused_before_anything_is_sent(world: World) -> None:
    window = CharacteristicPlan(
        path=ClausePath("/process/nozzle"), unit="Cel", margin="2", kind=Kind.PROCESS
    )
    plan = planned(world)
    service = world.tools.equivalence(MAKER)

    with pytest.raises(PlanWithoutPartsError):
        service.plan(replace(plan, characteristics=(window,)), sponsor=world.maker)

    both = replace(plan, characteristics=(window, *plan.characteristics))
    service.plan(both, sponsor=world.maker)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"path": ClausePath("/tolerance/boar")}, "The recipe has no quantity /tolerance/boar."),
        ({"path": ClausePath("/tolerance/note")}, "The recipe has no quantity /tolerance/note."),
        ({"unit": "um"}, "The plan asks for /tolerance/bore in um, the recipe in mm."),
    ],
)
def test_a_plan_that_leaves_its_recipe_is_refused_where_the_recipe_is_known(
    world: World, changes: dict[str, Any], said: str
) -> None:
    plan = planned(world)
    wrong = replace(plan, characteristics=(replace(plan.characteristics[0], **changes),))
    service = world.tools.equivalence(MAKER)

    with pytest.raises(PlanOffRecipeError) as refused:
        service.plan(wrong, sponsor=world.maker)

    assert refused.value.message == said
    with world.tools.store.writing() as work:
        work.documents.drop(DocumentKind.RECIPE_DOCUMENT, plan.recipe)
    service.plan(wrong, sponsor=world.maker)


def test_sites_are_named_by_their_ids(world: World) -> None:
    plan = replace(planned(world), reference="the old shop")

    with pytest.raises(MalformedHexError):
        world.tools.equivalence(MAKER).plan(plan, sponsor=world.maker)


def test_a_plans_document_is_kept_where_the_chain_commits_to_it(world: World) -> None:
    plan, plan_id, _ = registered(world)
    other = replace(plan, salt=Bytes32(sha256(b"other salt")))

    assert world.tools.evaluation.receive(plan_id, plan.encode()) == plan
    with pytest.raises(OtherPlanDocumentError):
        world.tools.evaluation.receive(plan_id, other.encode())
    with pytest.raises(PlanUnknownError):
        world.tools.evaluation.receive(NOWHERE, plan.encode())


def test_nobody_joins_a_plan_that_is_not_on_record(world: World) -> None:
    with pytest.raises(PlanUnknownError):
        world.tools.equivalence(SITE).join(NOWHERE, world.site, MODEL)


def test_a_sites_data_are_blind_until_it_reveals_them(world: World) -> None:
    _, plan_id, _ = registered(world)
    sealed = committed(world, plan_id, world.site, SITE)

    with world.tools.store.reading() as view:
        before = known(view.facts, PlanEntryFact, plan_id, world.site)
    data = world.tools.evaluation.unseal(sealed, plan_id, world.site, key=KEY)
    root = world.tools.equivalence(ISSUER).reveal(plan_id, world.site)
    follow(world)

    with world.tools.store.reading() as view:
        after = known(view.facts, PlanEntryFact, plan_id, world.site)
    assert before.blind == data.blind()
    assert not any(before.root)
    assert after.root == root == data.root()
    assert [one.part for one in data.readings] == ["p0", "p1", "p2"]


def test_data_that_were_not_committed_to_are_refused(world: World) -> None:
    _, plan_id, _ = registered(world)
    joined(world, plan_id, world.site, SITE)
    changed = BlindData(
        plan=plan_id,
        site=world.site,
        secret=Bytes32(sha256(b"secret")),
        salt=Bytes32(sha256(b"salt")),
        shown=SiteData(readings=(reading(world.site, 1, "gauge"),)),
    )
    info = b"guildmark/equivalence-data/v1" + plan_id + world.site
    sealed = world.tools.vault.seal(changed.encode(), b"key", info=info)
    evaluator = world.tools.evaluation

    with pytest.raises(BlindOpeningError):
        evaluator.unseal(sealed, plan_id, world.site, key=KEY)
    with pytest.raises(SealBrokenError):
        evaluator.unseal(sealed, NOWHERE, world.site, key=KEY)
    nowhere = replace(changed, plan=NOWHERE)
    info = b"guildmark/equivalence-data/v1" + NOWHERE + world.site
    sealed = world.tools.vault.seal(nowhere.encode(), b"key", info=info)
    with pytest.raises(BlindOpeningError):
        evaluator.unseal(sealed, NOWHERE, world.site, key=KEY)


def test_a_site_commits_to_its_own_readings_alone(world: World) -> None:
    _, plan_id, second = registered(world)
    mine, theirs = reading(world.site, 1, "gauge"), reading(second, 2, "gauge")

    for readings in ((), (mine, theirs)):
        with pytest.raises(ForeignReadingError):
            world.tools.equivalence(SITE).commit(
                plan_id, world.site, SiteData(readings=readings), recipient=b"key"
            )


def commit_to(world: World, plan: EquivalencePlanId, *numbers: int, by: str = SITE) -> Committed:
    """Commit to so many readings of one site."""
    readings = tuple(reading(world.site, number, "a gauge without key") for number in numbers)
    service = world.tools.equivalence(by)
    return service.commit(plan, world.site, SiteData(readings=readings), recipient=b"key")


def test_the_same_data_are_committed_to_once_and_sealed_again(world: World) -> None:
    _, plan_id, _ = registered(world)
    joined(world, plan_id, world.site, SITE)

    first, unread = commit_to(world, plan_id, 0, 1), commit_to(world, plan_id, 0, 1)
    follow(world)
    again = commit_to(world, plan_id, 0, 1)

    assert first.blind == unread.blind == again.blind
    data = world.tools.evaluation.unseal(again.sealed, plan_id, world.site, key=KEY)
    assert [one.part for one in data.readings] == ["p0", "p1"]


@pytest.mark.parametrize("is_read", [True, False], ids=["read", "not read yet"])
def test_a_second_commitment_is_refused_and_the_first_can_be_revealed(
    is_read: bool, world: World
) -> None:
    _, plan_id, _ = registered(world)
    joined(world, plan_id, world.site, SITE)
    first = commit_to(world, plan_id, 0, 1)
    if is_read:
        follow(world)

    with pytest.raises(EquivalenceDoneError):
        commit_to(world, plan_id, 0, 1, 2)

    follow(world)
    assert world.tools.equivalence(SITE).reveal(plan_id, world.site) == first.root


def test_another_home_cannot_commit_a_second_time_either(world: World) -> None:
    _, plan_id, _ = registered(world)
    joined(world, plan_id, world.site, SITE)
    commit_to(world, plan_id, 0, 1)
    with world.tools.store.writing() as work:
        work.documents.drop(DocumentKind.EQUIVALENCE_DATA, plan_id + world.site)

    with pytest.raises(EquivalenceDoneError):
        commit_to(world, plan_id, 0, 1, 2)


def test_data_that_could_not_be_committed_give_way_to_others(world: World) -> None:
    _, plan_id, _ = registered(world)
    joined(world, plan_id, world.site, SITE)
    with pytest.raises(CallerRefusedError):
        commit_to(world, plan_id, 0, 1, by=OPERATOR)

    done = commit_to(world, plan_id, 0, 1, 2)

    assert world.tools.equivalence(SITE).reveal(plan_id, world.site) == done.root


def test_data_that_were_revealed_and_are_not_here_are_asked_for(world: World) -> None:
    _, plan_id, _ = registered(world)
    committed(world, plan_id, world.site, SITE)
    world.tools.equivalence(SITE).reveal(plan_id, world.site)
    follow(world)
    with world.tools.store.writing() as work:
        work.documents.drop(DocumentKind.EQUIVALENCE_DATA, plan_id + world.site)
    seen: list[Dataset] = []

    def compute(given: EquivalencePlan, dataset: Dataset) -> EquivalenceResult:
        seen.append(dataset)
        return EquivalenceResult(
            plan=given.digest(), engine=given.engine, data={}, verdicts=(), gates=()
        )

    with pytest.raises(RevealedDataMissingError):
        world.tools.evaluation.run(plan_id, compute)
    world.tools.evaluation.run(plan_id, compute, without=[world.site])

    (dataset,) = seen
    assert dataset.failed[to_hex(world.site)] == "it did not hand over its data"


def test_a_home_without_the_plans_document_commits_unchecked(world: World) -> None:
    shown = SiteData(readings=(reading(world.site, 1, "gauge"),))

    service = world.tools.equivalence(SITE)
    done = service.commit(NOWHERE, world.site, shown, recipient=b"key")

    assert any(done.blind)


def test_data_that_are_elsewhere_are_not_revealed_here(world: World) -> None:
    with pytest.raises(DataUnknownError):
        world.tools.equivalence(SITE).reveal(NOWHERE, world.site)


def test_what_counts_is_computed_and_what_does_not_is_named(world: World) -> None:
    plan, plan_id, second = registered(world)
    seen: list[Dataset] = []

    def compute(given: EquivalencePlan, dataset: Dataset) -> EquivalenceResult:
        seen.append(dataset)
        return EquivalenceResult(
            plan=given.digest(), engine=given.engine, data=dataset.roots, verdicts=(), gates=()
        )

    service = world.tools.equivalence(ISSUER)
    world.tools.evaluation.run(plan_id, compute)
    joined(world, plan_id, second, OPERATOR)
    world.tools.evaluation.run(plan_id, compute)
    committed(world, plan_id, world.site, SITE)
    world.tools.evaluation.run(plan_id, compute)
    root = service.reveal(plan_id, world.site)
    follow(world)
    result = world.tools.evaluation.run(plan_id, compute)

    late, silent = "it did not commit to data in time", "it did not reveal its data"
    sites = (to_hex(world.site), to_hex(second))
    assert [one.failed for one in seen[:3]] == [
        dict.fromkeys(sites, late),
        dict.fromkeys(sites, late),
        {sites[0]: silent, sites[1]: late},
    ]
    assert seen[3].failed == {sites[1]: late}
    assert seen[3].instruments == {to_hex(world.instrument)}
    assert result.data == {sites[0]: root}
    assert result.plan == plan.digest()


def test_data_that_differ_from_what_was_revealed_do_not_count(world: World) -> None:
    _, plan_id, _ = registered(world)
    committed(world, plan_id, world.site, SITE)
    service = world.tools.equivalence(ISSUER)
    service.reveal(plan_id, world.site)
    follow(world)
    other = BlindData(
        plan=plan_id,
        site=world.site,
        secret=Bytes32(sha256(b"secret")),
        salt=Bytes32(sha256(b"salt")),
        shown=SiteData(readings=(reading(world.site, 1, "gauge"),)),
    )
    with world.tools.store.writing() as work:
        work.documents.put(DocumentKind.EQUIVALENCE_DATA, plan_id + world.site, other.encode())
    seen: list[Dataset] = []

    def compute(given: EquivalencePlan, dataset: Dataset) -> EquivalenceResult:
        seen.append(dataset)
        return EquivalenceResult(
            plan=given.digest(), engine=given.engine, data={}, verdicts=(), gates=()
        )

    world.tools.evaluation.run(plan_id, compute)

    (dataset,) = seen
    assert dataset.failed[to_hex(world.site)] == "its data are not those that it revealed"
    assert dataset.readings == ()


def test_without_the_plans_document_nothing_is_computed(world: World) -> None:
    def compute(_: EquivalencePlan, __: Dataset) -> EquivalenceResult:
        raise AssertionError

    with pytest.raises(PlanDocumentUnknownError):
        world.tools.evaluation.run(NOWHERE, compute)


def test_a_certificate_is_given_challenged_suspended_and_lapses(world: World) -> None:
    _, plan_id, _ = registered(world)
    committed(world, plan_id, world.site, SITE)
    service = world.tools.equivalence(ISSUER)
    service.reveal(plan_id, world.site)
    result = sha256(b"result")
    service.certify(plan_id, world.site, Outcome.EQUIVALENT, result, until=9)
    service.challenge(plan_id, world.site, world.issuer, sha256(b"counter"))
    service.suspend(plan_id, world.site, sha256(b"drift"))
    service.lapse(plan_id, world.site, Lapse.MACHINE_MOVED)
    follow(world)

    with world.tools.store.reading() as view:
        given = known(view.facts, CertificateFact, plan_id, world.site)
        counters = view.facts.each(CounterFact, plan_id, world.site)
    assert (given.verdict, given.result, given.until) == (1, result, 9)
    assert (given.reason, given.cause) == (sha256(b"drift"), 1)
    assert given.since < given.suspended_at < given.lapsed_at
    assert [one.result for one in counters] == [sha256(b"counter")]
