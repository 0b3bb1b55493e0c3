"""Cases for check (9): equivalence of the maker's site."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fakes import simulator as sim
from fakes.cases.draft import Draft, breaks, other
from fakes.cases.notices import doubt, on_controller
from fakes.simulator import (
    AUTHORITY,
    BEGUN,
    LOGGED,
    LOOKED,
    MACHINE,
    MAKER,
    PUBLISHED,
    REGISTERED,
    SITE,
)
from guildmark.domain.chain import storage
from guildmark.domain.equivalence.registration import Outcome, Registration
from guildmark.domain.identifiers import IdentityId, RecipeId
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.recipes import clauses
from guildmark.domain.recipes.clause import ClauseClass
from guildmark.domain.recipes.recipe import Change
from guildmark.domain.trust import Listed
from guildmark.domain.verification.evidence import LinkDisclosure, PlanDisclosure

EVALUATOR = sim.identity("evaluator")
COMMIT_BY, REVEAL_BY, CERTIFIED = 1_300, 1_400, 1_410
LISTED = (Listed(id=EVALUATOR, name="Evaluator"), Listed(id=AUTHORITY, name="Court"))


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A plan that the site joined and what came of it; times are 0 where it did not happen."""

    verdict: int = Outcome.EQUIVALENT
    evaluator: IdentityId = EVALUATOR
    committed: int = 1_200
    revealed: int = 1_310
    since: int = CERTIFIED
    until: int = 0
    suspended: int = 0
    lapsed: int = 0
    cause: int = 0
    commit_by: int = COMMIT_BY
    reveal_by: int = REVEAL_BY
    scope: bytes | None = None
    counters: Mapping[IdentityId, int] = field(default_factory=dict)


GOOD = Tried()
SILENT = Tried(verdict=0, since=0, revealed=0)


def ask(draft: Draft, value: str = "required", path: str = "/qa/equivalence") -> None:
    """Let recipe and site recipe ask for equivalence; the license names that recipe."""
    asked = sim.text(path, ClauseClass.CORE, value)
    for name in ("master", "own"):
        leaves = (*getattr(draft.simulator, name), asked)
        setattr(draft.simulator, name, tuple(sorted(leaves, key=lambda leaf: leaf.path)))
    draft.simulator.terms_members = sim.members_of_recipe(draft.simulator)


def attempt(draft: Draft, *tried: Tried, recipe: RecipeId | None = None) -> list[PlanDisclosure]:
    """Let the chain hold the site's plans of a recipe, and the bundle show them."""
    simulator = draft.simulator
    of = recipe or simulator.make_recipe().id()
    simulator.words[storage.PLAN_COUNTS.at(of, SITE)] = len(tried)
    shown = []
    for number, one in enumerate(tried, start=1):
        plan = Registration(
            recipe=of,
            sponsor=MAKER,
            evaluator=one.evaluator,
            document=other(f"plan {number}"),
            commit_by=one.commit_by,
            reveal_by=one.reveal_by,
            sites=(SITE, sim.identity("reference")),
        )
        simulator.words |= _words(draft, number, plan, one)
        shown.append(PlanDisclosure(number=number, plan=plan))
    known = simulator.disclosed.get("equivalence", ())
    simulator.disclosed["equivalence"] = (*known, *shown)
    simulator.disclosed["authorities"] = (EVALUATOR, AUTHORITY)
    draft.trust["authorities"] = LISTED
    place = storage.IDENTITIES.at(EVALUATOR)
    simulator.words[place] = sim.identity_word(IdentityKind.AUTHORITY)
    return shown


def _words(
    draft: Draft, number: int, plan: Registration, one: Tried
) -> dict[storage.Location, int]:
    plan_id = plan.id()
    model = draft.simulator.make_site_recipe().model
    counters = {storage.COUNTERS.at(plan_id, SITE, by): value for by, value in one.counters.items()}
    pack = sim.pack
    return {
        storage.PLANS.at(plan.recipe, SITE, number): sim.as_int(plan_id),
        storage.SCHEDULES.at(plan_id): pack(
            (PUBLISHED + 10, 40), (one.commit_by, 40), (one.reveal_by, 40), (2, 16), (2, 16)
        ),
        storage.PLAN_ENTRIES.at(plan_id, SITE): pack(
            (number, 40), (PUBLISHED + 20, 40), (one.committed, 40), (one.revealed, 40)
        ),
        storage.SCOPES.at(plan_id, SITE): sim.as_int(one.scope or model),
        storage.CERTIFICATES.at(plan_id, SITE): pack(
            (one.verdict, 8),
            *((time, 40) for time in (one.since, one.until, one.suspended, one.lapsed)),
            (one.cause, 8),
        ),
        **counters,
    }


def certified(draft: Draft, *tried: Tried) -> list[PlanDisclosure]:
    """Let the recipe ask, and the site have tried."""
    ask(draft)
    return attempt(draft, *(tried or (GOOD,)))


def supersede(draft: Draft, change: Change) -> None:
    """Let the site be certified for the recipe before the part's."""
    ask(draft)
    before = sim.supersede(draft.simulator, change)
    attempt(draft)
    attempt(draft, GOOD, recipe=before)


@breaks(9, "equivalenceNotAsked", 0)
def recipe_that_does_not_ask_for_equivalence(draft: Draft) -> None:
    draft.simulator.disclosed["authorities"] = (EVALUATOR,)


@breaks(9, "equivalenceNotCertified", 10)
def site_that_joined_no_plan(draft: Draft) -> None:
    ask(draft)


@breaks(9, "equivalenceNotCertified", 10)
def site_that_never_revealed(draft: Draft) -> None:
    certified(draft, SILENT)


@breaks(9, "equivalenceNotCertified", 10)
def site_with_too_few_builds(draft: Draft) -> None:
    certified(draft, replace(GOOD, verdict=Outcome.INCONCLUSIVE))


@breaks(9, "equivalenceNotCertified", 10)
def certificate_of_another_machine_model(draft: Draft) -> None:
    certified(draft, replace(GOOD, scope=other("model")))


@breaks(9, "equivalenceNotCertified", 10)
def certificate_of_the_recipe_before_a_requalification(draft: Draft) -> None:
    supersede(draft, Change.REQUALIFY)
    # Nobody needs to show what does not count.
    draft.simulator.disclosed["equivalence"] = ()


@breaks(9, "equivalenceRefuted", 15)
def site_that_is_not_equivalent(draft: Draft) -> None:
    certified(draft, replace(GOOD, verdict=Outcome.NOT_EQUIVALENT))


@breaks(9, "equivalenceRefuted", 15)
def site_that_is_not_equivalent_any_more(draft: Draft) -> None:
    bad = replace(GOOD, verdict=Outcome.NOT_EQUIVALENT, since=LOOKED - 1)
    certified(draft, GOOD, bad)


@breaks(9, "equivalenceRefuted", 15)
def bad_end_that_a_stranger_takes_back(draft: Draft) -> None:
    bad = replace(GOOD, verdict=Outcome.NOT_EQUIVALENT, since=LOGGED + 1)
    certified(draft, GOOD, bad, replace(GOOD, evaluator=AUTHORITY, since=LOGGED + 2))
    draft.trust["authorities"] = LISTED[:1]


@breaks(9, "equivalenceRefuted", 15)
def bad_end_that_a_challenged_certificate_takes_back(draft: Draft) -> None:
    bad = replace(GOOD, verdict=Outcome.NOT_EQUIVALENT, since=LOGGED + 1)
    certified(draft, GOOD, bad, replace(GOOD, since=LOGGED + 2, counters={AUTHORITY: 7}))


@breaks(9, "equivalenceNotInForce", 15)
def certificate_given_after_the_record(draft: Draft) -> None:
    certified(draft, replace(GOOD, since=LOGGED + 1))


@breaks(9, "equivalenceNotInForce", 15)
def certificate_that_ended_at_the_beacon(draft: Draft) -> None:
    certified(draft, replace(GOOD, until=BEGUN))


@breaks(9, "equivalenceNotInForce", 15)
def site_that_drifted_and_was_suspended(draft: Draft) -> None:
    certified(draft, replace(GOOD, suspended=BEGUN))


@breaks(9, "equivalenceNotInForce", 15)
def certificate_that_lapsed_when_a_machine_moved(draft: Draft) -> None:
    certified(draft, replace(GOOD, lapsed=BEGUN, cause=1))


def stay(draft: Draft, *since: int) -> None:
    """Let the machine be at the site since each of some times, the last stay being open."""
    simulator = draft.simulator
    simulator.words[storage.LINK_COUNTS.at(MACHINE, SITE)] = len(since)
    ends = (*(one - 1 for one in since[1:]), 0)
    for number, (begin, end) in enumerate(zip(since, ends, strict=True), start=1):
        simulator.words[storage.LINKS.at(MACHINE, SITE, number)] = sim.interval_word(begin, end)
    shown = LinkDisclosure(child=MACHINE, parent=SITE, count=len(since))
    simulator.disclosed["site_link"] = shown


def run_firmware(
    draft: Draft, certified_with: str, ran: str | None, *, published: int = PUBLISHED
) -> None:
    """Let a certified site name the firmware that it was certified with, and run one."""
    simulator = draft.simulator
    named = sim.text("/qa/firmware", ClauseClass.SITE, certified_with)
    for name, clause in (("master", replace(named, value=None)), ("own", named)):
        leaves = (*getattr(simulator, name), clause)
        setattr(simulator, name, tuple(sorted(leaves, key=lambda leaf: leaf.path)))
    certified(draft)
    simulator.statement["firmware"] = ran
    place = storage.SITE_RECIPES.at(simulator.make_site_recipe().id())
    simulator.words[place] = published


@breaks(9, "equivalenceMachineMoved", 15)
def machine_that_came_after_the_certificate(draft: Draft) -> None:
    certified(draft)
    stay(draft, CERTIFIED + 1)


@breaks(9, "equivalenceMachineMoved", 15)
def machine_that_left_and_came_back(draft: Draft) -> None:
    certified(draft)
    stay(draft, REGISTERED, CERTIFIED + 100)


@breaks(9, "equivalenceFirmwareChanged", 15)
def firmware_of_another_major_version(draft: Draft) -> None:
    run_firmware(draft, "Marlin 2.1.2", "Marlin 3.0.0")


@breaks(9, "equivalenceFirmwareUnproven", 23)
def firmware_that_nobody_states(draft: Draft) -> None:
    run_firmware(draft, "Marlin 2.1.2", None)


@breaks(9, "equivalenceFirmwareUnproven", 23)
def firmware_named_after_the_certificate(draft: Draft) -> None:
    run_firmware(draft, "Marlin 2.1.2", "Marlin 2.1.2", published=CERTIFIED + 1)


@breaks(9, "equivalenceInForcePartly", 23)
def certificate_given_between_beacon_and_record(draft: Draft) -> None:
    certified(draft, replace(GOOD, since=BEGUN + 1))


@breaks(9, "equivalenceInForcePartly", 23)
def site_suspended_in_the_second_of_the_record(draft: Draft) -> None:
    certified(draft, replace(GOOD, suspended=LOGGED, until=LOGGED + 1))


@breaks(9, "equivalenceChallenged", 23)
def certificate_of_a_lying_evaluator(draft: Draft) -> None:
    certified(draft, replace(GOOD, counters={AUTHORITY: 7}))


@breaks(9, "authorityMissing", 23)
def counter_result_that_the_bundle_does_not_prove(draft: Draft) -> None:
    (shown,) = certified(draft, replace(GOOD, counters={AUTHORITY: 7}))
    draft.simulator.unproven.add(storage.COUNTERS.at(shown.plan.id(), SITE, AUTHORITY))


@breaks(9, "equivalenceUnlisted", 16)
def evaluator_who_is_not_on_the_list(draft: Draft) -> None:
    certified(draft)
    draft.trust["authorities"] = LISTED[1:]


@breaks(9, "equivalencePlanMissing", 23)
def failed_plan_that_is_left_out(draft: Draft) -> None:
    _, second = certified(draft, SILENT, GOOD)
    draft.simulator.disclosed["equivalence"] = (second,)


@breaks(9, "equivalencePlanMissing", 23)
def other_plan_than_the_one_joined(draft: Draft) -> None:
    (shown,) = certified(draft)
    milder = replace(shown.plan, document=other("milder margins"))
    draft.simulator.disclosed["equivalence"] = (replace(shown, plan=milder),)


@breaks(9, "equivalenceUnread", 23)
def equivalence_asked_for_in_another_form(draft: Draft) -> None:
    ask(draft, value="level 3")


@breaks(9, "equivalenceUnread", 23)
def equivalence_asked_for_below_the_clause(draft: Draft) -> None:
    ask(draft, path="/qa/equivalence/part")


@breaks(9, "equivalenceWithheld", 23, decides=False)
def equivalence_clause_withheld(draft: Draft) -> None:
    ask(draft)
    leaves = draft.simulator.master
    opened = [leaf.path for leaf in leaves if leaf.path != "/qa/equivalence"]
    recipe = draft.simulator.make_disclosures().recipe
    assert recipe is not None
    shown = replace(recipe, clauses=clauses.disclose(leaves, opened))
    draft.simulator.disclosed["recipe"] = shown


@breaks(9, "proofMissing", 23)
def certificate_that_is_not_proven(draft: Draft) -> None:
    (shown,) = certified(draft)
    draft.simulator.unproven.add(storage.CERTIFICATES.at(shown.plan.id(), SITE))


@breaks(9, "controllerInDoubt", 23)
def certificate_by_a_doubted_evaluator(draft: Draft) -> None:
    certified(draft)
    doubt(draft, on_controller(EVALUATOR), LOGGED + 50, REGISTERED)


@breaks(9, "controllerUnderNotice", 15)
def certificate_by_an_evaluator_under_notice(draft: Draft) -> None:
    certified(draft)
    doubt(draft, on_controller(EVALUATOR), CERTIFIED, CERTIFIED)
