"""After the certificate: what the log says of later builds, held against the certified data."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from fakes.samples import BORE, Shop, make_shop
from fakes.world import World, make_world
from guildmark.domain.chain.facts import CertificateFact
from guildmark.domain.chain.refusals import CertificateUnknownError
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.blinded import BlindData
from guildmark.domain.equivalence.dataset import Dataset
from guildmark.domain.equivalence.plan import EquivalencePlan
from guildmark.domain.equivalence.registration import Outcome
from guildmark.domain.identifiers import Bytes32, to_hex
from guildmark.domain.recipes.clause import ClausePath
from guildmark.ports.store import DocumentKind
from guildmark.services.equivalence.protocol import DataUnknownError
from guildmark.services.equivalence.sampling import PlanDocumentUnknownError
from guildmark.services.equivalence.watching import Watching

CERTIFIED, ALL = 8, 12


class Seen:
    """A chart that says what a test wants, and keeps what it was shown."""

    def __init__(self, reason: str | None) -> None:
        self.reason = reason
        self.later: Mapping[ClausePath, Sequence[float]] = {}
        self.sites: set[str] = set()

    def __call__(
        self,
        plan: EquivalencePlan,
        dataset: Dataset,
        site: str,
        later: Mapping[ClausePath, Sequence[float]],
    ) -> str | None:
        assert plan.characteristics[0].path in later
        self.later = later
        self.sites = {one.site for one in dataset.readings} | {site}
        return self.reason


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("fakes.world.UNITS", ALL)
    made = make_world()
    made.disclose()
    return made


@pytest.fixture
def shop(world: World) -> Shop:
    """Return a shop that was certified after its eighth part, and then built two more."""
    made = make_shop(world)
    made.log(*(made.state(number) for number in range(1, CERTIFIED + 1)))
    made.tick(2)
    made.judged(made.collected())
    certify(made)
    made.log(made.state(CERTIFIED + 1), made.state(CERTIFIED + 2))
    made.tick()
    return made


def certify(shop: Shop, verdict: Outcome = Outcome.EQUIVALENT) -> None:
    tools = shop.world.tools
    now = tools.chain.head(final=True).time
    given = CertificateFact(
        plan=shop.id, site=shop.site, verdict=verdict, result=sha256(b"result"), since=now
    )
    with tools.store.writing() as work:
        work.facts.put(given)


def watching(shop: Shop) -> Watching:
    return Watching(store=shop.world.tools.store)


@pytest.mark.parametrize("reason", [None, "It drifts."])
def test_what_was_logged_since_the_certificate_is_watched(shop: Shop, reason: str | None) -> None:
    seen = Seen(reason)
    readings = watching(shop).logged(shop.id, shop.site)

    found = watching(shop).watch(shop.id, shop.site, readings, seen)

    assert [str(one.value) for one in readings] == ["22.10", "22.09"]
    assert (found.counts, found.reason) == ({BORE: 2}, reason)
    assert seen.later == {BORE: [22.1, 22.09]}
    assert seen.sites == {to_hex(shop.site)}


def test_what_the_plan_would_pass_over_is_not_watched(shop: Shop) -> None:
    late = shop.state(CERTIFIED + 3, is_late_report=True)
    shop.log(late)
    shop.tick()

    assert len(watching(shop).logged(shop.id, shop.site)) == 2


@pytest.mark.parametrize("is_given", [True, False])
def test_only_an_equivalent_site_is_watched(shop: Shop, *, is_given: bool) -> None:
    certify(shop, Outcome.INCONCLUSIVE)
    site = shop.site if is_given else shop.world.machine

    with pytest.raises(CertificateUnknownError):
        watching(shop).logged(shop.id, site)
    with pytest.raises(CertificateUnknownError):
        watching(shop).watch(shop.id, site, [], Seen(None))


def test_without_the_certified_data_nothing_is_said(shop: Shop) -> None:
    readings = watching(shop).logged(shop.id, shop.site)
    with shop.world.tools.store.writing() as work:
        kind, place = DocumentKind.EQUIVALENCE_DATA, shop.id + shop.site
        body = work.documents.get(kind, place)
        assert body is not None
        other = replace(BlindData.parse(body), secret=Bytes32(sha256(b"other")))
        work.documents.put(kind, place, other.encode())

    with pytest.raises(DataUnknownError):
        watching(shop).watch(shop.id, shop.site, readings, Seen(None))


def test_without_the_plan_nothing_is_said(world: World, shop: Shop) -> None:
    other = make_world()

    with pytest.raises(PlanDocumentUnknownError):
        Watching(store=other.tools.store).logged(shop.id, shop.site)
