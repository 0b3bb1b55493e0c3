"""Reports: what a home knows of a plan, computed and put together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from guildmark.domain.chain.facts import (
    CertificateFact,
    CounterFact,
    PlanEntryFact,
    PlanFact,
    SitePlanFact,
)
from guildmark.domain.equivalence.blinded import BlindData
from guildmark.domain.equivalence.dataset import Dataset
from guildmark.domain.equivalence.logged import Passed
from guildmark.domain.equivalence.plan import EquivalencePlan
from guildmark.domain.equivalence.registration import Outcome, Registration
from guildmark.domain.equivalence.reporting.report import (
    Certified,
    CounterResult,
    EarlierPlan,
    EquivalenceReport,
    Sample,
    SiteReport,
)
from guildmark.domain.equivalence.verdict import EquivalenceResult
from guildmark.domain.errors import ContentError
from guildmark.domain.identifiers import Digest, EquivalencePlanId, IdentityId, RecipeId, to_hex
from guildmark.domain.measurement.readings import Reading
from guildmark.ports.store import NodeStore, View
from guildmark.services.equivalence.protocol import (
    Compute,
    dataset_of,
    opened,
    registered,
)
from guildmark.services.equivalence.sampling import passed_over, plan_document
from guildmark.services.identity.naming import name_of
from guildmark.services.index.projection import known


class ResultDiffersError(ContentError):
    """Data and plan of a report lead to another result than it says."""

    code = "equivalence.resultDiffers"
    hint = "Do not rely on the report; an authority can challenge its certificates."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A report with what it was made from.

    Args:
        data: What the sites revealed, where it counts.
    """

    report: EquivalenceReport
    plan: EquivalencePlan
    dataset: Dataset
    data: Sequence[BlindData]

    @property
    def names(self) -> dict[str, str]:
        """Return what people call the sites."""
        return {to_hex(one.site): one.name for one in self.report.sites if one.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """Use cases around reports."""

    store: NodeStore

    def report(self, plan: EquivalencePlanId, compute: Compute) -> Reported:
        """Return the report of a plan over all data of it that this home holds.

        Raises:
            PlanUnknownError: No final block holds the plan.
            PlanDocumentUnknownError: The plan's document is not here.
            OtherEngineError: The plan names another engine.
        """
        with self.store.reading() as view:
            found = gather(plan, view)
        return found.reported(compute(found.plan, found.dataset))


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a report is made from, but for the result."""

    fact: PlanFact
    plan: EquivalencePlan
    dataset: Dataset
    data: Sequence[BlindData]
    sites: tuple[SiteReport, ...]

    def reported(self, result: EquivalenceResult) -> Reported:
        """Return the report of a result."""
        report = EquivalenceReport(
            id=self.fact.id,
            sponsor=self.fact.plan.sponsor,
            registered_at=self.fact.at,
            plan=self.plan,
            plan_digest=self.plan.digest(),
            sites=self.sites,
            instruments=tuple(sorted(self.dataset.instruments)),
            result=result,
            result_digest=result.digest(),
            again=_again(self.fact.id, self.fact),
        )
        return Reported(report=report, plan=self.plan, dataset=self.dataset, data=self.data)


def gather(plan: EquivalencePlanId, view: View) -> Material:
    """Return what a report of a plan is made from.

    Raises:
        PlanUnknownError: No final block holds the plan.
        PlanDocumentUnknownError: The plan's document is not here.
    """
    fact, document = registered(plan, view), plan_document(plan, view)
    found = dict(opened(plan, fact.plan, view))
    dataset = dataset_of(found, view)
    counted = [data for data in found.values() if isinstance(data, BlindData)]
    passed = {one.site: passed_over(document, one, view) for one in counted}
    return Material(
        fact=fact,
        plan=document,
        dataset=dataset,
        data=counted,
        sites=tuple(
            _site(plan, site, dataset, passed.get(site, {}), view) for site in fact.plan.sites
        ),
    )


def recompute(report: EquivalenceReport, data: Sequence[BlindData], compute: Compute) -> Digest:
    """Run a report again from the data that came with it; return the digest of its result.

    Raises:
        OpeningMismatchError: The data are not those that were revealed.
        ResultDiffersError: They lead to another result.
        OtherEngineError: The plan names another engine.
    """
    found = compute(report.plan, report.dataset(data)).digest()
    said = {report.result_digest, report.result.digest()}
    if said != {found} or report.plan.digest() != report.plan_digest:
        reported = to_hex(report.result_digest)
        message = f"The report says {reported}; run again it is {to_hex(found)}."
        raise ResultDiffersError(message, said=reported, found=to_hex(found))
    return found


def ended(entry: PlanEntryFact, given: CertificateFact | None, made: Registration, now: int) -> str:
    """Return how a plan ended for a site that joined it, in the words of check (9)."""
    if given is not None:
        return Outcome(given.verdict).name
    if entry.revealed_at:
        return "revealed, not certified"
    due = made.reveal_by if entry.committed_at else made.commit_by
    if now < due:
        return "running"
    return "FAIL, not revealed" if entry.committed_at else "FAIL, no data"


def _site(
    plan: EquivalencePlanId,
    site: IdentityId,
    dataset: Dataset,
    passed: Mapping[Passed, int],
    view: View,
) -> SiteReport:
    key = to_hex(site)
    name = name_of(site, view.documents)
    own = Sample.of(_of_site(key, dataset), passed)
    failed = dataset.failed.get(key)
    entry = view.facts.get(PlanEntryFact, plan, site)
    if entry is None:
        return SiteReport(site=site, name=name, sample=own, failed=failed)
    given = view.facts.get(CertificateFact, plan, site)
    made = registered(plan, view).plan
    return SiteReport(
        site=site,
        name=name,
        number=entry.number,
        joined_at=entry.joined_at,
        committed_at=entry.committed_at,
        revealed_at=entry.revealed_at,
        blind=entry.blind if entry.committed_at else None,
        root=entry.root if entry.revealed_at else None,
        failed=failed,
        sample=own,
        earlier=tuple(_earlier(made.recipe, entry, view)),
        certificate=None if given is None else Certified.of(given),
        counter_results=tuple(
            CounterResult(authority=one.challenger, result=one.result)
            for one in view.facts.each(CounterFact, plan, site)
        ),
    )


def _of_site(site: str, dataset: Dataset) -> Iterator[Reading]:
    return (one for one in dataset.readings if one.site == site)


def _earlier(recipe: RecipeId, entry: PlanEntryFact, view: View) -> Iterator[EarlierPlan]:
    cursor = view.facts.cursor()
    now = 0 if cursor is None else cursor.time
    for one in view.facts.each(SitePlanFact, recipe, entry.site):
        if one.number < entry.number:
            joined = known(view.facts, PlanEntryFact, one.plan, entry.site)
            given = view.facts.get(CertificateFact, one.plan, entry.site)
            made = registered(one.plan, view).plan
            told = ended(joined, given, made, now)
            yield EarlierPlan(number=one.number, plan=one.plan, ended=told)


def _again(plan: EquivalencePlanId, fact: PlanFact) -> tuple[str, ...]:
    """Return the commands that come to the same digest."""
    name = to_hex(plan)
    site = to_hex(fact.plan.sites[0])
    return (
        "guildmark equivalence again FOLDER",
        f"guildmark equivalence receive {name} plan.json",
        f"guildmark equivalence unseal {name} {site} SEALED --key KEY",
        f"guildmark equivalence run {name} --out result.json",
    )
