"""Results that were published on purpose: what anybody may read of a plan, and run again.

What a home holds to compute from is nobody else's; only what was published is served.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from guildmark.domain.chain.facts import CertificateFact, CounterFact, PlanEntryFact, PlanFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.blinded import BlindData
from guildmark.domain.equivalence.plan import EquivalencePlan
from guildmark.domain.equivalence.registration import Outcome
from guildmark.domain.equivalence.reporting.differing import differences
from guildmark.domain.equivalence.verdict import EquivalenceResult
from guildmark.domain.errors import ContentError, NotFoundError
from guildmark.domain.identifiers import Digest, EquivalencePlanId, IdentityId, to_hex
from guildmark.ports.store import DocumentKind, Documents, NodeStore, View
from guildmark.services.equivalence.protocol import Compute, registered
from guildmark.services.equivalence.reporting import Material, Reported, gather
from guildmark.services.equivalence.sampling import plan_document

PUBLISHED = frozenset(
    {
        DocumentKind.PUBLISHED_PLAN,
        DocumentKind.PUBLISHED_RESULT,
        DocumentKind.PUBLISHED_DATA,
    }
)
_PUBLIC: Mapping[DocumentKind, DocumentKind] = MappingProxyType(
    {
        DocumentKind.EQUIVALENCE_PLAN: DocumentKind.PUBLISHED_PLAN,
        DocumentKind.EQUIVALENCE_DATA: DocumentKind.PUBLISHED_DATA,
    }
)


class NotPublishedError(NotFoundError):
    """Nobody published the result of a plan, or the data that it was computed from, here."""

    code = "equivalence.notPublished"
    hint = "Ask the evaluator to publish them: `guildmark equivalence publish`."


class PublicationMismatchError(ContentError):
    """What shall be published is not what the chain names."""

    code = "equivalence.publicationMismatch"
    hint = "Send the plan, the result and the data byte for byte as their makers wrote them."


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What was published of a plan.

    Args:
        material: What a report of it is made from.
        result: The result that was published.
        missing: The sites that revealed data which were not published.
    """

    material: Material
    result: EquivalenceResult
    missing: tuple[IdentityId, ...]

    @property
    def reported(self) -> Reported:
        """Return the report of the result."""
        return self.material.reported(self.result)

    def check_complete(self) -> None:
        """Check that it can be run again.

        Raises:
            NotPublishedError: Data are missing.
        """
        if self.missing:
            named = ", ".join(map(to_hex, self.missing))
            message = f"The data of {named} were not published."
            raise NotPublishedError(message, sites=list(map(to_hex, self.missing)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """What came out when a published result was run again.

    Args:
        published: SHA-256 of what was published.
        found: SHA-256 of what came out.
        differences: What differs, in words; nothing where the digests are equal.
    """

    published: Digest
    found: Digest
    differences: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        """Return whether every byte is the same."""
        return self.published == self.found


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Use cases around what is published of plans.

    Args:
        store: This home's, for who publishes from it; a node's, for who reads.
    """

    store: NodeStore

    def documents(
        self, plan: EquivalencePlanId, result: EquivalenceResult, *, with_data: bool
    ) -> list[tuple[DocumentKind, bytes, bytes]]:
        """Return what is to be sent to a node: the kind, the key and the body of each document.

        Raises:
            PlanUnknownError: No final block holds the plan.
            PlanDocumentUnknownError: The plan's document is not here.
        """
        with self.store.reading() as view:
            made, document = registered(plan, view), plan_document(plan, view)
            # Data that were refused come along, too: without them nobody finds the same.
            held = list(_revealed(made, view)) if with_data else []
        sent: list[tuple[DocumentKind, bytes, bytes]] = [
            (DocumentKind.PUBLISHED_PLAN, plan, document.encode()),
            (DocumentKind.PUBLISHED_RESULT, plan, result.encode()),
        ]
        kind = DocumentKind.PUBLISHED_DATA
        return [*sent, *((kind, entry.root, body) for entry, body in held if body is not None)]

    def publication(self, plan: EquivalencePlanId) -> Publication:
        """Return what was published of a plan.

        Raises:
            PlanUnknownError: No final block holds the plan.
            NotPublishedError: Its result was not published.
        """
        with self.store.reading() as view:
            made = registered(plan, view)
            body = _result_of(made, view)
            if body is None or not _has_plan(plan, view):
                message = f"The result of the plan {to_hex(plan)} was not published here."
                raise NotPublishedError(message, plan=to_hex(plan))
            public = _published(view)
            missing = tuple(one.site for one, body in _revealed(made, public) if body is None)
            material = gather(plan, public)
        # What was not published may be as good as the rest.
        sites = (
            replace(one, failed=None) if one.site in missing else one for one in material.sites
        )
        return Publication(
            material=replace(material, sites=tuple(sites)),
            result=EquivalenceResult.parse(body),
            missing=missing,
        )

    def result(self, digest: Digest) -> bytes:
        """Return a published result by its digest.

        Raises:
            NotPublishedError: It was not published.
        """
        with self.store.reading() as view:
            body = view.documents.get(DocumentKind.PUBLISHED_RESULT, digest)
        if body is None:
            message = f"No result {to_hex(digest)} was published here."
            raise NotPublishedError(message, result=to_hex(digest))
        return body

    def data(self, plan: EquivalencePlanId, site: IdentityId) -> bytes:
        """Return the published data of a site.

        Raises:
            NotPublishedError: They were not published.
        """
        with self.store.reading() as view:
            body = view.documents.get(DocumentKind.PUBLISHED_DATA, plan + site)
        if body is None:
            message = f"No data of {to_hex(site)} under {to_hex(plan)} were published here."
            raise NotPublishedError(message, plan=to_hex(plan), site=to_hex(site))
        return body

    def again(self, plan: EquivalencePlanId, compute: Compute) -> Rerun:
        """Compute a published result again from the published data.

        Raises:
            PlanUnknownError: No final block holds the plan.
            NotPublishedError: The result, or data of a site, were not published.
            OtherEngineError: The plan names another engine.
        """
        found = self.publication(plan)
        found.check_complete()
        result = compute(found.material.plan, found.material.dataset)
        return Rerun(
            published=found.result.digest(),
            found=result.digest(),
            differences=tuple(differences(found.result, result)),
        )


def is_published(plan: EquivalencePlanId, view: View) -> bool:
    """Return whether a plan and its result were published here.

    Raises:
        PlanUnknownError: No final block holds the plan.
    """
    return _has_plan(plan, view) and _result_of(registered(plan, view), view) is not None


def certified(
    plans: Iterable[EquivalencePlanId], site: IdentityId, view: View
) -> tuple[EquivalencePlanId, EquivalenceResult] | None:
    """Return the published result by which a site was certified equivalent last, with its plan.

    Args:
        plans: Those of which it may be.
        site: The site.
        view: What is on chain, and what was published here.
    """
    given = (view.facts.get(CertificateFact, plan, site) for plan in plans)
    good = (one for one in given if one is not None and one.verdict == Outcome.EQUIVALENT)
    for one in sorted(good, key=lambda one: one.since, reverse=True):
        body = view.documents.get(DocumentKind.PUBLISHED_RESULT, one.result)
        if body is not None and _has_plan(one.plan, view):
            return one.plan, EquivalenceResult.parse(body)
    return None


@dataclass(frozen=True, slots=True)
class _PublicDocuments:
    """A home's documents, but of equivalence what was published alone."""

    documents: Documents

    def get(self, kind: DocumentKind, key: bytes) -> bytes | None:
        return self.documents.get(_PUBLIC.get(kind, kind), key)


def _published(view: View) -> View:
    return View(facts=view.facts, log=view.log, documents=_PublicDocuments(view.documents))


def opening(kind: DocumentKind, key: bytes, body: bytes, view: View) -> tuple[bytes, bytes]:
    """Return under which key what is to be published is kept, and its bytes.

    Args:
        kind: Whether it is a plan, a result or data.
        key: The plan's id; of data their root.
        body: The document.
        view: What is on chain.

    Raises:
        JsonError: The bytes are outside the input profile.
        DocumentError: The document does not follow its schema.
        PlanUnknownError: No final block holds the plan.
        PublicationMismatchError: It is not what the chain names.
    """
    if kind is DocumentKind.PUBLISHED_DATA:
        return _data(key, body, view)
    plan = EquivalencePlanId(key)
    made = registered(plan, view)
    if kind is DocumentKind.PUBLISHED_PLAN:
        return plan, _plan(made, body)
    digest = sha256(body)
    EquivalenceResult.parse(body)
    if digest not in set(_named(made, view)):
        message = f"Neither certificate nor counter-result of the plan names {to_hex(digest)}."
        raise PublicationMismatchError(message, plan=to_hex(plan), result=to_hex(digest))
    return digest, body


def _plan(made: PlanFact, body: bytes) -> bytes:
    plan = EquivalencePlan.parse(body)
    if plan.digest() != made.plan.document:
        message = f"The document is not that of the plan {to_hex(made.id)}."
        raise PublicationMismatchError(message, plan=to_hex(made.id))
    return plan.encode()


def _data(root: bytes, body: bytes, view: View) -> tuple[bytes, bytes]:
    data = BlindData.parse(body)
    registered(data.plan, view)
    entry = view.facts.get(PlanEntryFact, data.plan, data.site)
    is_revealed = entry is not None and bool(entry.revealed_at) and entry.root == root
    if not is_revealed or data.root() != root:
        message = f"These are not the data that {to_hex(data.site)} revealed."
        raise PublicationMismatchError(message, plan=to_hex(data.plan), site=to_hex(data.site))
    return data.plan + data.site, data.encode()


def _named(made: PlanFact, view: View) -> Iterator[Digest]:
    """Yield the results that certificates of a plan name, then those set against them."""
    for site in made.plan.sites:
        given = view.facts.get(CertificateFact, made.id, site)
        if given is not None:
            yield given.result
    for site in made.plan.sites:
        yield from (one.result for one in view.facts.each(CounterFact, made.id, site))


def _has_plan(plan: EquivalencePlanId, view: View) -> bool:
    return view.documents.get(DocumentKind.PUBLISHED_PLAN, plan) is not None


def _result_of(made: PlanFact, view: View) -> bytes | None:
    bodies = (view.documents.get(DocumentKind.PUBLISHED_RESULT, one) for one in _named(made, view))
    return next((body for body in bodies if body is not None), None)


def _revealed(made: PlanFact, view: View) -> Iterator[tuple[PlanEntryFact, bytes | None]]:
    """Yield each site that revealed data, with them where they are here."""
    for site in made.plan.sites:
        entry = view.facts.get(PlanEntryFact, made.id, site)
        if entry is not None and entry.revealed_at:
            yield entry, view.documents.get(DocumentKind.EQUIVALENCE_DATA, made.id + site)
