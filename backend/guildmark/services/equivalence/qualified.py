"""Which sites are qualified for a recipe, until when, and why others are not."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from guildmark.domain.chain.facts import (
    CertificateFact,
    CounterFact,
    PlanEntryFact,
    RecipeFact,
    SitePlanFact,
)
from guildmark.domain.chain.refusals import RecipeUnknownError
from guildmark.domain.equivalence.registration import Outcome, covered_by
from guildmark.domain.equivalence.reporting.report import Certified, CounterResult
from guildmark.domain.identifiers import EquivalencePlanId, IdentityId, RecipeId, to_hex
from guildmark.domain.trust import Trust
from guildmark.ports.store import View
from guildmark.services.equivalence.protocol import registered
from guildmark.services.equivalence.reporting import ended
from guildmark.services.identity.naming import name_of
from guildmark.services.identity.notices import is_act_doubted
from guildmark.services.index.projection import known

_UNLISTED = "its evaluator is not on this node's list"
_NOTICED = "a notice doubts its evaluator"
_CHALLENGED = "an authority on this node's list found another result"
_AFTER = {"lapsed": "has lapsed", "suspended": "is suspended", "ended": "has ended"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A plan that a site joined, and how it ended for the site.

    Args:
        recipe: The recipe of the plan: the one that was asked for, or one that it changes little.
        number: The plan's number among those of that recipe that the site joined.
        ended: How it ended, in the words of check (9).
        doubt: Why the certificate does not count by the list, empty where it does.
    """

    recipe: RecipeId
    number: int
    plan: EquivalencePlanId
    evaluator: IdentityId
    ended: str
    certificate: Certified | None
    counter_results: tuple[CounterResult, ...]
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteStanding:
    """Whether a site is qualified at a time, by a list of whose word counts.

    Args:
        until: When that ends, 0 where no end is set or it is not qualified.
        reason: Why, as one sentence.
    """

    site: IdentityId
    name: str
    is_qualified: bool
    until: int
    reason: str
    attempts: tuple[Attempt, ...]


def standings(recipe: RecipeId, view: View, now: int, trust: Trust) -> Sequence[SiteStanding]:
    """Return every site that joined a plan of a recipe, or of one that it changes little.

    Args:
        recipe: The recipe.
        view: The index.
        now: The time that is asked about.
        trust: Whose word counts.

    Raises:
        RecipeUnknownError: No final block holds the recipe.
    """
    fact = view.facts.get(RecipeFact, recipe)
    if fact is None:
        message = f"No final block holds the recipe {to_hex(recipe)}."
        raise RecipeUnknownError(message, recipe=to_hex(recipe))
    found: dict[IdentityId, list[Attempt]] = {}
    for covered in covered_by(fact.recipe):
        for joined in view.facts.each(SitePlanFact, covered):
            found.setdefault(joined.site, []).append(_attempt(joined, view, now, trust))
    return [_standing(site, found[site], view, now) for site in sorted(found)]


def _attempt(joined: SitePlanFact, view: View, now: int, trust: Trust) -> Attempt:
    made = registered(joined.plan, view).plan
    entry = known(view.facts, PlanEntryFact, joined.plan, joined.site)
    given = view.facts.get(CertificateFact, joined.plan, joined.site)
    counters = list(view.facts.each(CounterFact, joined.plan, joined.site))
    return Attempt(
        recipe=joined.recipe,
        number=joined.number,
        plan=joined.plan,
        evaluator=made.evaluator,
        ended=ended(entry, given, made, now),
        certificate=None if given is None else Certified.of(given),
        counter_results=tuple(
            CounterResult(authority=one.challenger, result=one.result) for one in counters
        ),
        doubt="" if given is None else _doubt(made.evaluator, given.since, counters, view, trust),
    )


def evaluator_doubt(evaluator: IdentityId, since: int, view: View, trust: Trust) -> str:
    """Return why an evaluator's word of a time does not count by a list, empty where it does."""
    if not trust.lists_authority(evaluator, since):
        return _UNLISTED
    return _NOTICED if is_act_doubted(evaluator, since, view.facts, trust) else ""


def _doubt(
    evaluator: IdentityId, since: int, counters: Iterable[CounterFact], view: View, trust: Trust
) -> str:
    """Return why a certificate does not count by a list, as check (9) asks."""
    listed = {one.id for one in trust.authorities}
    own = evaluator_doubt(evaluator, since, view, trust)
    if own:
        return own
    return _CHALLENGED if any(one.challenger in listed for one in counters) else ""


def _standing(site: IdentityId, attempts: Sequence[Attempt], view: View, now: int) -> SiteStanding:
    credible = [one for one in attempts if not one.doubt]
    good = list(_given(credible, Outcome.EQUIVALENT))
    holding = [one for one in good if one.standing(now) == "in force"]
    last = max((one.since for one in good), default=0)
    listed = [one for one in attempts if one.doubt != _UNLISTED]
    refuted = any(one.since >= last for one in _given(listed, Outcome.NOT_EQUIVALENT))
    is_qualified = bool(holding) and not refuted
    # Open ends come last: 0 is none.
    ends = [one.until for one in holding]
    until = 0 if not is_qualified or 0 in ends else max(ends)
    return SiteStanding(
        site=site,
        name=name_of(site, view.documents),
        is_qualified=is_qualified,
        until=until,
        reason=_reason(attempts, good, now, is_refuted=refuted, holds=bool(holding)),
        attempts=tuple(attempts),
    )


def _given(attempts: Sequence[Attempt], outcome: Outcome) -> Iterator[Certified]:
    for one in attempts:
        if one.certificate is not None and one.certificate.verdict == outcome.name:
            yield one.certificate


def _reason(
    attempts: Sequence[Attempt],
    good: Sequence[Certified],
    now: int,
    *,
    is_refuted: bool,
    holds: bool,
) -> str:
    if is_refuted:
        return "The last plan found the site not equivalent."
    if holds:
        return "The site was certified equivalent, and the certificate is in force."
    if good:
        newest = max(good, key=lambda one: one.since)
        return f"The site was certified equivalent; it {_AFTER[newest.standing(now)]}."
    doubted = [one for one in attempts if one.doubt and one.ended == Outcome.EQUIVALENT.name]
    if doubted:
        return f"The site was certified equivalent, but {doubted[-1].doubt}."
    return f"Nobody certified the site equivalent: plan {attempts[-1].number} {_told(attempts)}."


def _told(attempts: Sequence[Attempt]) -> str:
    words = attempts[-1].ended
    return "is running" if words == "running" else f"ended with {words}"
