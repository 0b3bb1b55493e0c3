"""Results that are published: only what the chain names, and nothing that was not published."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fakes.plans import Story, compute
from fakes.world import ISSUER
from guildmark.domain.chain.refusals import PlanUnknownError
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.blinded import BlindData
from guildmark.domain.equivalence.dataset import Dataset
from guildmark.domain.equivalence.plan import EquivalencePlan
from guildmark.domain.equivalence.registration import Outcome
from guildmark.domain.equivalence.verdict import EquivalenceResult
from guildmark.domain.identifiers import Bytes32, EquivalencePlanId, to_hex
from guildmark.ports.store import DocumentKind
from guildmark.services.equivalence.results import (
    NotPublishedError,
    PublicationMismatchError,
    is_published,
)

OTHER = sha256(b"another")


class Certified(Story):
    """The story of a plan whose result a certificate names."""

    def __init__(self) -> None:
        super().__init__()
        self.id = self.plan(b"plan")
        self.join(self.id)
        self.commit(self.id)
        self.reveal(self.id)
        self.result = self.world.tools.evaluation.run(self.id, compute)
        self.certify(self.id, self.result.digest())

    def send(self, kind: DocumentKind, key: bytes, body: bytes) -> None:
        self.world.tools.disclosing.receive(kind, key, body)

    def publish(self, *, with_data: bool = True) -> None:
        results = self.world.tools.results
        for sent in results.documents(self.id, self.result, with_data=with_data):
            self.send(*sent)

    def is_published(self) -> bool:
        with self.world.tools.store.reading() as view:
            return is_published(self.id, view)


@pytest.fixture
def story() -> Certified:
    return Certified()


def test_what_is_published_is_read_and_comes_to_equal_digests(story: Certified) -> None:
    results = story.world.tools.results

    story.publish()

    found = results.publication(story.id)
    data = BlindData.parse(results.data(story.id, story.world.site))
    rerun = results.again(story.id, compute)
    assert story.is_published()
    assert found.missing == ()
    assert found.reported.report.result == story.result
    assert [one.root() for one in found.reported.data] == [data.root()]
    assert sha256(results.result(story.result.digest())) == story.result.digest()
    assert (rerun.is_equal, rerun.differences) == (True, ())
    assert rerun.found == story.result.digest()


def test_what_a_home_only_holds_is_not_published(story: Certified) -> None:
    results = story.world.tools.results

    refused: list[Callable[[], object]] = [
        lambda: results.publication(story.id),
        lambda: results.result(story.result.digest()),
        lambda: results.data(story.id, story.world.site),
        lambda: results.again(story.id, compute),
    ]

    assert not story.is_published()
    for act in refused:
        with pytest.raises(NotPublishedError) as caught:
            act()
        assert caught.value.code == "equivalence.notPublished"


def test_a_result_without_its_plan_is_not_published(story: Certified) -> None:
    story.send(DocumentKind.PUBLISHED_RESULT, story.id, story.result.encode())

    assert not story.is_published()
    with pytest.raises(NotPublishedError):
        story.world.tools.results.publication(story.id)


def test_a_plan_without_a_result_is_not_published(story: Certified) -> None:
    ((kind, key, body), *_) = story.world.tools.results.documents(
        story.id, story.result, with_data=False
    )
    story.send(kind, key, body)

    assert not story.is_published()


def test_a_result_without_its_readings_is_shown_and_not_run_again(story: Certified) -> None:
    story.publish(with_data=False)

    found = story.world.tools.results.publication(story.id)
    with pytest.raises(NotPublishedError) as caught:
        story.world.tools.results.again(story.id, compute)

    rows = {one.site: one for one in found.reported.report.sites}
    assert found.missing == (story.world.site,)
    assert rows[story.world.site].failed is None
    assert rows[story.world.site].sample.readings == 0
    assert rows[story.second].failed == "it did not commit to data in time"
    assert to_hex(story.world.site) in caught.value.message


def test_a_counter_result_is_published_like_a_certified_one(story: Certified) -> None:
    other = replace(story.result, engine=OTHER)
    plan = story.plan(b"second")
    for act in (story.join, story.commit, story.reveal):
        act(plan)
    service, site = story.world.tools.equivalence(ISSUER), story.world.site
    service.certify(plan, site, Outcome.EQUIVALENT, story.result.digest())
    service.challenge(plan, site, story.world.issuer, other.digest())
    story.follow()

    story.send(DocumentKind.PUBLISHED_RESULT, plan, other.encode())

    assert story.world.tools.results.result(other.digest()) == other.encode()


def test_a_lying_result_is_told_by_what_differs(story: Certified) -> None:
    def honest(plan: EquivalencePlan, dataset: Dataset) -> EquivalenceResult:
        return replace(compute(plan, dataset), engine=OTHER)

    story.publish()

    rerun = story.world.tools.results.again(story.id, honest)

    assert not rerun.is_equal
    (said,) = rerun.differences
    assert said == (
        f"Engine: the result says {to_hex(story.result.engine)}; run again it is {to_hex(OTHER)}."
    )


def test_only_what_the_chain_names_is_published(story: Certified) -> None:
    plan, result, data = story.world.tools.results.documents(story.id, story.result, with_data=True)
    shown = BlindData.parse(data[2])
    resalted = replace(shown, secret=Bytes32(OTHER))
    document = EquivalencePlan.parse(plan[2])
    silent = story.plan(b"silent")
    absent = replace(shown, plan=silent)
    refused = [
        (plan[0], plan[1], replace(document, salt=Bytes32(OTHER)).encode()),
        (result[0], result[1], replace(story.result, engine=OTHER).encode()),
        (data[0], data[1], resalted.encode()),
        (data[0], resalted.root(), resalted.encode()),
        (data[0], OTHER, data[2]),
        (data[0], data[1], absent.encode()),
    ]

    for kind, key, body in refused:
        with pytest.raises(PublicationMismatchError) as caught:
            story.send(kind, key, body)
        assert caught.value.code == "equivalence.publicationMismatch"


def test_nothing_is_published_of_a_plan_that_is_not_on_record(story: Certified) -> None:
    documents = story.world.tools.results.documents(story.id, story.result, with_data=True)
    nowhere = EquivalencePlanId(OTHER)
    shown = replace(BlindData.parse(documents[2][2]), plan=nowhere)

    for kind, key, body in (
        (documents[0][0], nowhere, documents[0][2]),
        (documents[1][0], nowhere, documents[1][2]),
        (documents[2][0], documents[2][1], shown.encode()),
    ):
        with pytest.raises(PlanUnknownError):
            story.send(kind, key, body)


def test_a_site_that_committed_and_never_revealed_publishes_nothing(story: Certified) -> None:
    plan = story.plan(b"unrevealed")
    story.join(plan)
    story.commit(plan)

    sent = story.world.tools.results.documents(plan, story.result, with_data=True)

    assert [kind for kind, _, _ in sent] == [
        DocumentKind.PUBLISHED_PLAN,
        DocumentKind.PUBLISHED_RESULT,
    ]
    assert sent[0][1] == plan
