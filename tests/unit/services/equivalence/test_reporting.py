"""Reports over what a home knows: sites that joined, did not, committed and were certified."""

from dataclasses import replace

import pytest

from fakes.plans import Story, compute
from guildmark.domain.chain.facts import CertificateFact, PlanEntryFact
from guildmark.domain.chain.refusals import PlanUnknownError
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.registration import Registration
from guildmark.domain.identifiers import EquivalencePlanId, IdentityId, RecipeId, to_hex
from guildmark.ports.store import DocumentKind
from guildmark.services.equivalence.reporting import ResultDiffersError, ended, recompute


def test_a_report_tells_of_each_site_and_of_its_earlier_plans() -> None:
    story = Story()
    silent, unopened, good = (story.plan(name) for name in (b"1", b"2", b"3"))
    for plan in (silent, unopened, good):
        story.join(plan)
    for plan in (unopened, good):
        story.commit(plan)
    story.reveal(good)
    story.certify(good)
    later = story.plan(b"4")
    story.join(later)

    made = story.world.tools.reporting.report(good, compute)

    rows = {one.site: one for one in made.report.sites}
    own = rows[story.world.site]
    assert [(one.number, one.plan, one.ended) for one in own.earlier] == [
        (1, silent, "running"),
        (2, unopened, "running"),
    ]
    assert (own.number, own.sample.parts, own.failed) == (3, 3, None)
    assert own.certificate is not None
    assert own.certificate.verdict == "EQUIVALENT"
    assert [one.result for one in own.counter_results] == [sha256(b"counter")]
    assert rows[story.second].number == 0
    assert rows[story.second].failed == "it did not commit to data in time"
    assert made.report.instruments == (to_hex(story.world.instrument),)
    assert made.names[to_hex(story.second)] == "second"
    assert recompute(made.report, made.data, compute) == made.report.result_digest


def test_a_site_without_certificate_has_none_in_its_report() -> None:
    story = Story()
    plan = story.plan(b"1")
    story.join(plan)

    (own,) = [
        one
        for one in story.world.tools.reporting.report(plan, compute).report.sites
        if one.site == story.world.site
    ]

    assert (own.blind, own.root, own.certificate) == (None, None, None)


def test_a_report_whose_figures_were_changed_is_found_out() -> None:
    story = Story()
    plan = story.plan(b"1")
    made = story.world.tools.reporting.report(plan, compute)
    changed = [
        replace(made.report, result_digest=sha256(b"other")),
        replace(made.report, plan_digest=sha256(b"other")),
        replace(made.report, result=replace(made.report.result, engine=sha256(b"other"))),
    ]

    for report in changed:
        with pytest.raises(ResultDiffersError):
            recompute(report, made.data, compute)


def test_a_plan_that_is_not_on_record_has_no_report() -> None:
    story = Story()
    plan = story.plan(b"1")
    nowhere = EquivalencePlanId(sha256(b"nowhere"))
    with story.world.tools.store.writing() as work:
        body = work.documents.get(DocumentKind.EQUIVALENCE_PLAN, plan)
        assert body is not None
        work.documents.put(DocumentKind.EQUIVALENCE_PLAN, nowhere, body)

    with pytest.raises(PlanUnknownError):
        story.world.tools.reporting.report(nowhere, compute)


MADE = Registration(
    recipe=RecipeId(bytes(32)),
    sponsor=IdentityId(bytes(32)),
    evaluator=IdentityId(bytes(32)),
    document=sha256(b"plan"),
    commit_by=10,
    reveal_by=20,
    sites=(IdentityId(bytes(32)),),
)
ENTRY = PlanEntryFact(
    plan=MADE.id(), site=MADE.sites[0], number=1, scope=sha256(b"model"), joined_at=1
)
COMMITTED = replace(ENTRY, committed_at=5)
GIVEN = CertificateFact(
    plan=MADE.id(), site=MADE.sites[0], verdict=2, result=sha256(b"result"), since=1
)


@pytest.mark.parametrize(
    ("entry", "given", "now", "words"),
    [
        (ENTRY, None, 9, "running"),
        (ENTRY, None, 10, "FAIL, no data"),
        (COMMITTED, None, 19, "running"),
        (COMMITTED, None, 20, "FAIL, not revealed"),
        (replace(COMMITTED, revealed_at=6), None, 99, "revealed, not certified"),
        (ENTRY, GIVEN, 99, "NOT_EQUIVALENT"),
    ],
)
def test_what_became_of_a_plan_is_said_as_far_as_it_is_known(
    entry: PlanEntryFact, given: CertificateFact | None, now: int, words: str
) -> None:
    assert ended(entry, given, MADE, now) == words
