"""The page of a published result: what the chain names, and the same computed again."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import cast

import pytest

from fakes.plans import Story
from fakes.world import ISSUER
from filing import GIVEN, report
from guildmark.adapters.reports.page import Row, report_page
from guildmark.adapters.statistics import evaluate
from guildmark.api.computing import Computing, EngineBusyError
from guildmark.api.pages import equivalence
from guildmark.api.pages.equivalence import (
    EquivalencePage,
    PictureUnknownError,
    _named,
    _tone,
    equivalence_page,
    plot,
    rerun_page,
)
from guildmark.api.pages.qualified import qualified_page
from guildmark.api.pages.rendering import render
from guildmark.api.serving import ServedNode
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.dataset import Dataset
from guildmark.domain.equivalence.plan import EquivalencePlan
from guildmark.domain.equivalence.registration import Outcome
from guildmark.domain.equivalence.reporting.report import Certified, SiteReport
from guildmark.domain.equivalence.verdict import EquivalenceResult
from guildmark.domain.identifiers import to_hex
from guildmark.domain.trust import VERSION, Trust
from guildmark.services.equivalence.results import NotPublishedError


def summarised(plan: EquivalencePlan, dataset: Dataset) -> EquivalenceResult:
    """Return what an evaluator says who gives no reasons."""
    found = evaluate(plan, dataset)
    return EquivalenceResult(
        plan=found.plan, engine=found.engine, data=found.data, verdicts=found.verdicts, gates=()
    )


@dataclass
class Site(Story):
    """A node that one site's plan was published on."""

    is_honest: bool = True
    with_data: bool = True
    certified: bytes = b""
    computing: Computing = field(default_factory=Computing)

    def __post_init__(self) -> None:
        Story.__init__(self)
        self.id = self.plan(b"plan")
        self.join(self.id)
        self.commit(self.id)
        self.reveal(self.id)
        compute = evaluate if self.is_honest else summarised
        self.result = self.world.tools.evaluation.run(self.id, compute)
        self.certify(self.id, self.result.digest())
        sent = self.world.tools.results.documents(self.id, self.result, with_data=self.with_data)
        for kind, key, body in sent:
            self.world.tools.disclosing.receive(kind, key, body)

    @property
    def node(self) -> ServedNode:
        tools = self.world.tools
        trust = Trust(version=VERSION, chain=tools.chain.pin())
        judging = SimpleNamespace(clock=SimpleNamespace(now=lambda: 100), trust=trust)
        parts = {"store": tools.store, "results": tools.results, "judging": judging}
        return cast("ServedNode", SimpleNamespace(**parts, computing=self.computing))

    def page(self) -> EquivalencePage:
        return equivalence_page(self.id, self.node)

    def html(self, page: EquivalencePage) -> str:
        return render("equivalence.html", page, host="parts.example.org")


@pytest.fixture(scope="module")
def site() -> Site:
    return Site()


def test_the_page_tells_gates_certificates_and_where_readings_are(site: Site) -> None:
    page = site.page()
    text = site.html(page)

    # Two of the three sites show nothing.
    own = f"/v1/equivalence/plans/{to_hex(site.id)}/sites/{to_hex(site.world.site)}/data"
    assert (page.headline, page.tone) == ("INVALID", "bad")
    first, second, *_ = page.gates
    assert (first.name, first.told, first.tone) == ("Gate 1, gauge", "1 invalid", "bad")
    assert second.name == "Gate 2, integrity"
    assert {row.value for row in page.named} == {
        "nothing is certified",
        "the certificate names this result",
    }
    assert [row.value for row in page.data] == [own]
    assert f'href="{own}"' in text
    assert f'action="/equivalence/{to_hex(site.id)}/again#again"' in text
    assert "digests" not in text.split('<h2 id="again-title">')[1].split("</section>")[0]


def test_a_result_whose_certificate_ended_is_not_green() -> None:
    made = report()
    site = made.sites[1]
    given = replace(GIVEN, result=made.result_digest)
    ended = replace(site, certificate=Certified.of(given))
    alive = Certified.of(replace(given, suspended_at=0, lapsed_at=0))
    good = replace(site, certificate=alive)
    decided = (Row(name="a", value="b", tone="good"),)

    def told(one: SiteReport) -> tuple[Row, str]:
        changed = replace(made, sites=(made.sites[0], one))
        page = replace(report_page(changed, {}), decisions=decided)
        rows = list(_named(changed, page))
        return rows[1], _tone(page, rows)

    row, tone = told(ended)
    assert row.value == "the certificate names this result; it is suspended; it lapsed"
    assert (row.tone, tone) == ("care", "care")
    row, tone = told(good)
    assert (row.value, row.tone, tone) == ("the certificate names this result", "good", "good")


def test_pictures_are_files_that_say_what_they_show(site: Site) -> None:
    page = site.page()

    (first, *_) = page.pictures
    name = first.href.rsplit("/", 1)[-1]
    assert first.title == "Difference from the reference, in margins"
    assert plot(site.id, name, site.node).startswith(b"<svg")
    assert f'<img src="{first.href}" alt="{first.title}. ' in site.html(page)
    with pytest.raises(PictureUnknownError):
        plot(site.id, "nothing.svg", site.node)


def test_an_honest_result_run_again_has_equal_digests(site: Site) -> None:
    page = rerun_page(site.id, site.node)

    assert page.rerun is not None
    assert page.rerun.is_equal
    assert page.rerun.found == page.rerun.published == to_hex(site.result.digest())
    assert "the digests are <strong>equal</strong>" in site.html(page)


def test_a_result_that_says_something_else_is_found_out() -> None:
    site = Site(is_honest=False)

    page = rerun_page(site.id, site.node)

    assert page.rerun is not None
    assert not page.rerun.is_equal
    assert page.rerun.differences[0].startswith("Gate 1 gauge (/tolerance/bore)")
    assert "the digests <strong>differ</strong>" in site.html(page)


def test_without_readings_there_is_no_button_and_no_picture() -> None:
    site = Site(with_data=False)

    page = site.page()
    text = site.html(page)

    assert page.pictures == ()
    assert "were not published. It cannot be run again here." in text
    assert "<button" not in text
    assert "not shown here" in text
    with pytest.raises(NotPublishedError):
        rerun_page(site.id, site.node)


def test_a_node_that_computes_nothing_says_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equivalence, "is_installed", lambda: False)

    page = site.page()

    assert (page.obstacle, page.pictures) == ("This node computes nothing.", ())


def test_a_certificate_that_names_another_result_is_told() -> None:
    site = Site()
    second = site.plan(b"second")
    for act in (site.join, site.commit, site.reveal):
        act(second)
    tools = site.world.tools
    result = tools.evaluation.run(second, evaluate)
    service, other = tools.equivalence(ISSUER), sha256(b"another")
    service.certify(second, site.world.site, Outcome.INVALID, other)
    service.challenge(second, site.world.site, site.world.issuer, result.digest())
    site.follow()
    for kind, key, body in tools.results.documents(second, result, with_data=False):
        tools.disclosing.receive(kind, key, body)

    rows = {row.value: row.tone for row in equivalence_page(second, site.node).named}

    assert rows[f"the certificate names another result, {to_hex(other)}"] == "bad"


def test_the_recipes_sites_lead_to_the_page(site: Site) -> None:
    page = qualified_page(site.world.recipe.id(), site.node)

    hrefs = {plan.href for row in page.sites for plan in row.plans}
    assert f"/equivalence/{to_hex(site.id)}" in hrefs
    text = render("qualified.html", page, host="parts.example.org")
    assert f'<a href="/equivalence/{to_hex(site.id)}">Plan 1: ' in text


def test_who_does_not_get_a_turn_is_told(site: Site) -> None:
    busy = Computing(patience=0)
    assert busy._turn.acquire()
    site_of_busy = SimpleNamespace(results=site.world.tools.results, computing=busy)

    with pytest.raises(EngineBusyError) as caught:
        rerun_page(site.id, cast("ServedNode", site_of_busy))

    assert caught.value.code == "equivalence.engineBusy"
    busy._turn.release()
    assert rerun_page(site.id, cast("ServedNode", site_of_busy)).rerun is not None


def test_pictures_are_drawn_once_and_few_are_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[object] = []

    def draw(*given: object) -> dict[str, bytes]:
        drawn.append(given)
        return {}

    monkeypatch.setattr("guildmark.api.computing.draw", draw)
    computing = Computing()
    found = site.world.tools.results.publication(site.id)

    first = computing.album(found)

    assert computing.album(found) is first
    assert len(drawn) == 1
    for number in range(8):
        key = (sha256(b"album %d" % number),)
        computing._albums[key] = {}
    computing.album(found)
    assert len(computing._albums) == 8
