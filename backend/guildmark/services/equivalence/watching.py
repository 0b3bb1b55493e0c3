"""After the certificate: whether what a site builds is still what was certified."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from guildmark.domain.chain.facts import CertificateFact, RecordFact
from guildmark.domain.chain.refusals import CertificateUnknownError
from guildmark.domain.equivalence.dataset import Dataset
from guildmark.domain.equivalence.later import points
from guildmark.domain.equivalence.logged import readings_of
from guildmark.domain.equivalence.plan import EquivalencePlan
from guildmark.domain.equivalence.registration import Outcome
from guildmark.domain.equivalence.sampling import granted
from guildmark.domain.identifiers import EquivalencePlanId, IdentityId, to_hex
from guildmark.domain.measurement.readings import Reading
from guildmark.domain.recipes.clause import ClausePath
from guildmark.ports.store import NodeStore, View
from guildmark.services.equivalence.protocol import DataUnknownError
from guildmark.services.equivalence.reporting import gather
from guildmark.services.equivalence.sampling import (
    entry_of,
    lanes_of,
    logged_unit,
    plan_document,
    planned_of,
    why_passed,
)

Drift: TypeAlias = Callable[
    [EquivalencePlan, Dataset, str, Mapping[ClausePath, Sequence[float]]], str | None
]
"""What looks at the points of a site, and says why its certificate is to be suspended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What was looked at, and what was seen.

    Args:
        counts: How many replicates there were, by characteristic.
        reason: Why the certificate is to be suspended, None where no chart says so.
    """

    counts: Mapping[ClausePath, int]
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """Use cases around certificates that are watched."""

    store: NodeStore

    def logged(self, plan: EquivalencePlanId, site: IdentityId) -> Sequence[Reading]:
        """Return what this home's log says was measured of a site's parts since its certificate.

        Only parts count that the plan could have drawn: scrap, late reports, other recipes, sites
        and machine models do not.

        Raises:
            PlanDocumentUnknownError: The plan's document is not here.
            CertificateUnknownError: Nobody certified the site equivalent.
            DrawnUnitUnknownError: A unit of the site is of another node's log.
        """
        with self.store.reading() as view:
            document = plan_document(plan, view)
            return tuple(_later(document, plan, site, view))

    def watch(
        self,
        plan: EquivalencePlanId,
        site: IdentityId,
        readings: Iterable[Reading],
        drift: Drift,
    ) -> Watched:
        """Hold what was measured since a certificate against the data that it rests on.

        Args:
            plan: The plan.
            site: The site.
            readings: In the order in which it was built.
            drift: What computes the charts.

        Raises:
            PlanUnknownError: No final block holds the plan.
            PlanDocumentUnknownError: The plan's document is not here.
            CertificateUnknownError: Nobody certified the site equivalent.
            DataUnknownError: The data of the site are not here, or do not count.
            LaterReadingError: A reading is none that the plan's charts take.
        """
        with self.store.reading() as view:
            _certificate(plan, site, view)
            material = gather(plan, view)
        if not any(one.site == site for one in material.data):
            message = f"The data that the certificate of {to_hex(site)} rests on are not here."
            raise DataUnknownError(message, plan=to_hex(plan), site=to_hex(site))
        found = points(material.plan, to_hex(site), readings)
        return Watched(
            counts={path: len(means) for path, means in sorted(found.items())},
            reason=drift(material.plan, material.dataset, to_hex(site), found),
        )


def _later(
    document: EquivalencePlan, plan: EquivalencePlanId, site: IdentityId, view: View
) -> Iterator[Reading]:
    """Yield readings in the order in which builds began: a batch of a log may have any other."""
    given, entry = _certificate(plan, site, view), entry_of(plan, site, view)
    planned = planned_of(document)
    lanes = lanes_of(document, entry, view)
    records = (fact.record for log in lanes.logs for fact in view.facts.each(RecordFact, log))
    places = (place for place, _ in granted(records, lanes.numbers, after=given.since))
    stated = [(place, logged_unit(place, planned, view).opened()[1]) for place in places]
    for place, said in sorted(stated, key=lambda one: (one[1].run.started_on, one[0])):
        if why_passed(document, entry, said, view) is None:
            yield from (one for one in readings_of(place, said) if one.characteristic in planned)


def _certificate(plan: EquivalencePlanId, site: IdentityId, view: View) -> CertificateFact:
    given = view.facts.get(CertificateFact, plan, site)
    if given is None or given.verdict != Outcome.EQUIVALENT:
        message = f"Nobody certified {to_hex(site)} equivalent under {to_hex(plan)}."
        raise CertificateUnknownError(message, plan=to_hex(plan), site=to_hex(site))
    return given
