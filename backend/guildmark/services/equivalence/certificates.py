"""What became of one certificate, as chain and list say."""

from guildmark.domain.chain.facts import (
    CertificateFact,
    CounterFact,
    IdentityFact,
    PlanEntryFact,
    SitePlanFact,
)
from guildmark.domain.chain.refusals import CertificateUnknownError
from guildmark.domain.equivalence.registration import Registration
from guildmark.domain.equivalence.reporting.report import Certified, CounterResult, EarlierPlan
from guildmark.domain.equivalence.reporting.standing import CertificateState, standing_of
from guildmark.domain.identifiers import EquivalencePlanId, IdentityId, to_hex
from guildmark.domain.trust import Trust
from guildmark.ports.store import View
from guildmark.services.equivalence.protocol import registered
from guildmark.services.equivalence.qualified import evaluator_doubt
from guildmark.services.index.projection import known


def certificate_state(
    plan: EquivalencePlanId, site: IdentityId, view: View, trust: Trust | None = None
) -> CertificateState:
    """Return what a certificate says and whether it holds at the last final block.

    Args:
        plan: The plan.
        site: The site.
        view: The index.
        trust: Whose word counts; without a list every authority's does.

    Raises:
        PlanUnknownError: No final block holds the plan.
        CertificateUnknownError: Nothing is certified.
    """
    made = registered(plan, view).plan
    fact = view.facts.get(CertificateFact, plan, site)
    if fact is None:
        message = f"Nothing is certified of {to_hex(site)} under {to_hex(plan)}."
        raise CertificateUnknownError(message, plan=to_hex(plan), site=to_hex(site))
    given, cursor = Certified.of(fact), view.facts.cursor()
    now = 0 if cursor is None else cursor.time
    counters = list(view.facts.each(CounterFact, plan, site))
    later = _later(made, fact, view, trust)
    return CertificateState(
        plan=plan,
        site=site,
        recipe=made.recipe,
        number=known(view.facts, PlanEntryFact, plan, site).number,
        evaluator=made.evaluator,
        account=known(view.facts, IdentityFact, made.evaluator).controller,
        at=now,
        standing=standing_of(
            given,
            now,
            is_challenged=any(_challenges(one, trust) for one in counters),
            is_replaced=later is not None,
        ),
        given=given,
        doubt="" if trust is None else evaluator_doubt(made.evaluator, given.since, view, trust),
        counter_results=tuple(
            CounterResult(authority=one.challenger, result=one.result) for one in counters
        ),
        later=later,
    )


def _challenges(counter: CounterFact, trust: Trust | None) -> bool:
    return trust is None or counter.challenger in {one.id for one in trust.authorities}


def _later(
    made: Registration, own: CertificateFact, view: View, trust: Trust | None
) -> EarlierPlan | None:
    """Return the last later certificate of the site for the recipe, None where there is none.

    A stranger's replaces none: a site could get one from an evaluator of its own.
    """
    found = [
        (given.since, one.number, one.plan, Certified.of(given).verdict)
        for one in view.facts.each(SitePlanFact, made.recipe, own.site)
        if (given := view.facts.get(CertificateFact, one.plan, own.site)) is not None
        and _counts(registered(one.plan, view).plan.evaluator, made, given.since, trust)
    ]
    number = known(view.facts, PlanEntryFact, own.plan, own.site).number
    since, last, plan, verdict = max(found, default=(0, 0, own.plan, ""))
    if (since, last) <= (own.since, number):
        return None
    return EarlierPlan(number=last, plan=plan, ended=verdict)


def _counts(evaluator: IdentityId, made: Registration, since: int, trust: Trust | None) -> bool:
    return evaluator == made.evaluator or trust is None or trust.lists_authority(evaluator, since)
