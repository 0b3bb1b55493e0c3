"""The page of one certificate: what it says, and whether it holds."""

from collections.abc import Iterator
from dataclasses import dataclass

from guildmark.adapters.reports.page import Row
from guildmark.api.pages.equivalence import path_of as plan_path
from guildmark.api.pages.verdict import in_words, shortened
from guildmark.api.serving import ServedNode
from guildmark.domain.equivalence.reporting.standing import CertificateState, Standing
from guildmark.domain.identifiers import EquivalencePlanId, IdentityId, to_hex
from guildmark.ports.store import View
from guildmark.services.equivalence.certificates import certificate_state
from guildmark.services.equivalence.results import is_published
from guildmark.services.identity.naming import name_of

_GOOD = "EQUIVALENT"
_REASONS = {
    Standing.IN_FORCE: "Nothing on chain ends it.",
    Standing.CHALLENGED: "An authority on this node's list found another result from the data.",
    Standing.REPLACED: "The site was certified again under a later plan of the recipe.",
    Standing.ENDED: "Its time is over.",
    Standing.SUSPENDED: "Its evaluator or its site suspended it, for ever.",
    Standing.LAPSED: "Its evaluator or its site said that it lapsed.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePage:
    """Everything that the template shows.

    Args:
        status: Where the same stands as JSON.
        plan: The page of the plan, empty where its result was not published here.
    """

    headline: str
    tone: str
    name: str
    site: str
    reason: str
    doubt: str
    facts: tuple[Row, ...]
    status: str
    plan: str
    recipe: str


def path_of(plan: EquivalencePlanId, site: IdentityId) -> str:
    """Return the path of the page of a certificate."""
    return f"{plan_path(plan)}/sites/{to_hex(site)}"


def certificate_page(
    plan: EquivalencePlanId, site: IdentityId, node: ServedNode
) -> CertificatePage:
    """Return what became of a certificate, by this node's list.

    Raises:
        PlanUnknownError: No final block holds the plan.
        CertificateUnknownError: Nothing is certified.
    """
    with node.store.reading() as view:
        found = certificate_state(plan, site, view, node.judging.trust)
        facts = tuple(_facts(found, view))
        published = is_published(plan, view)
        name = _named(site, view)
    return CertificatePage(
        headline=found.told.replace("_", " "),
        tone=_tone(found),
        name=name,
        site=f"/orgs/{to_hex(site)}",
        reason=_REASONS[found.standing],
        doubt=f"Yet {found.doubt}." if found.doubt else "",
        facts=facts,
        status=f"/v1/equivalence/plans/{to_hex(plan)}/sites/{to_hex(site)}/certificate",
        plan=plan_path(plan) if published else "",
        recipe=f"/recipes/{to_hex(found.recipe)}/sites",
    )


def _tone(found: CertificateState) -> str:
    if found.standing is not Standing.IN_FORCE or found.doubt:
        return "care"
    return "good" if found.given.verdict == _GOOD else "care"


def _facts(found: CertificateState, view: View) -> Iterator[Row]:
    given = found.given
    yield Row(name="Plan", value=f"number {found.number} of this recipe that the site joined")
    yield Row(name="Certified by", value=_named(found.evaluator, view))
    yield Row(name="Since", value=in_words(given.since))
    yield Row(name="Until", value=in_words(given.until) if given.until else "no end is set")
    if given.suspended_at:
        yield Row(name="Suspended", value=in_words(given.suspended_at))
    if given.lapsed_at:
        cause = str(given.cause).lower().replace("_", " ")
        yield Row(name="Lapsed", value=f"{in_words(given.lapsed_at)}: {cause}")
    for one in found.counter_results:
        yield Row(name="Another result", value=f"found by {_named(one.authority, view)}")
    if found.later is not None:
        ended = found.later.ended.replace("_", " ")
        yield Row(name="Later", value=f"plan {found.later.number} ended with {ended}")
    yield Row(name="Result", value=to_hex(given.result))
    yield Row(name="As of", value=in_words(found.at))


def _named(identity: IdentityId, view: View) -> str:
    return name_of(identity, view.documents) or shortened(to_hex(identity))
