"""The page of a recipe's sites: which are qualified, until when, and why others are not."""

from collections.abc import Iterator
from dataclasses import dataclass

from guildmark.api.pages.certificate import path_of as certificate_path
from guildmark.api.pages.equivalence import path_of as plan_path
from guildmark.api.pages.verdict import in_words, shortened
from guildmark.api.serving import ServedNode
from guildmark.domain.identifiers import IdentityId, RecipeId, to_hex
from guildmark.ports.store import View
from guildmark.services.equivalence.qualified import Attempt, SiteStanding, standings
from guildmark.services.equivalence.results import is_published
from guildmark.services.identity.naming import name_of
from guildmark.services.recipes.approvals import Approvals, Judged, Override


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """A site in words.

    Args:
        plans: What became of each plan that it joined.
    """

    name: str
    href: str
    standing: str
    tone: str
    reason: str
    until: str
    plans: tuple["PlanRow", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """A plan in words, its page where its result was published here, and its certificate's."""

    number: int
    told: str
    href: str
    certificate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRow:
    """An approval in words."""

    name: str
    tone: str
    standing: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QualifiedPage:
    """Everything that the template shows."""

    name: str
    headline: str
    sites: tuple[SiteRow, ...]
    approvals: tuple[ApprovalRow, ...] = ()
    warning: str = ""


def path_of(recipe: str) -> str:
    """Return the path of the page of a recipe's sites."""
    return f"/recipes/{recipe}/sites"


def qualified_page(recipe: RecipeId, node: ServedNode) -> QualifiedPage:
    """Return which sites are qualified for a recipe.

    Raises:
        RecipeUnknownError: No final block holds it.
    """
    with node.store.reading() as view:
        found = standings(recipe, view, node.judging.clock.now(), node.judging.trust)
        rows = tuple(_row(one, view) for one in found)
        judge = Approvals(trust=node.judging.trust)
        approvals = tuple(map(_approval, judge.judged(recipe, view)))
        override = judge.override(recipe, view)
    count = sum(one.is_qualified for one in found)
    told = f"{count} of {len(found)} compared sites {'is' if count == 1 else 'are'} qualified"
    return QualifiedPage(
        name=f"Recipe {shortened(to_hex(recipe))}",
        headline=told if found else "No site was compared for this recipe yet",
        sites=rows,
        approvals=approvals,
        warning="" if override is None else _warning(override),
    )


def _approval(one: Judged) -> ApprovalRow:
    said = one.approval
    standard = f", accredited for {said.standard}" if said.standard else ""
    told = f"{in_words(said.approved_on)}{standard}: {said.reason.rstrip('.')}."
    return ApprovalRow(
        name=one.name,
        tone="none" if one.lack else "good",
        standing="does not count" if one.lack else "approves",
        reason=f"{told} {one.lack}".rstrip(),
    )


def _warning(override: Override) -> str:
    if override.lack:
        return override.lack
    stated, ruled = (one.name.lower() for one in (override.stated, override.ruled))
    return (
        f"By the rules the change from the recipe before is {ruled}; the designer and an accredited"
        f" organization signed that it is {stated}."
    )


def _row(one: SiteStanding, view: View) -> SiteRow:
    until = f"Until {in_words(one.until)}." if one.until else "No end is set."
    return SiteRow(
        name=_named(one.site, view),
        href=f"/orgs/{to_hex(one.site)}",
        standing="qualified" if one.is_qualified else "not qualified",
        tone="good" if one.is_qualified else "none",
        reason=one.reason,
        until=until if one.is_qualified else "",
        plans=tuple(_plan_row(each, one.site, view) for each in one.attempts),
    )


def _plan_row(one: Attempt, site: IdentityId, view: View) -> PlanRow:
    return PlanRow(
        number=one.number,
        told=" ".join(_plan(one, view)),
        href=plan_path(one.plan) if is_published(one.plan, view) else "",
        certificate="" if one.certificate is None else certificate_path(one.plan, site),
    )


def _plan(one: Attempt, view: View) -> Iterator[str]:
    yield f"Plan {one.number}: {one.ended.replace('_', ' ')}"
    if one.certificate is not None:
        yield f"by {_named(one.evaluator, view)} on {in_words(one.certificate.since)}"
        if one.certificate.suspended_at:
            yield f"(suspended on {in_words(one.certificate.suspended_at)})"
        if one.certificate.lapsed_at:
            yield f"(lapsed on {in_words(one.certificate.lapsed_at)})"
    if one.doubt:
        yield f"({one.doubt})"
    for other in one.counter_results:
        yield f"({_named(other.authority, view)} found another result)"


def _named(identity: IdentityId, view: View) -> str:
    return name_of(identity, view.documents) or shortened(to_hex(identity))
