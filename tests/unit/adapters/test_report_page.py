"""The page of a report: everything on it escaped, nothing loaded from elsewhere."""

from dataclasses import replace

from fakes.telemetry import window
from filing import report
from guildmark.adapters.reports.page import html
from guildmark.domain.equivalence.logged import Passed
from guildmark.domain.equivalence.plan import Calibration, EquivalencePlan, Kind
from guildmark.domain.equivalence.reporting.report import Sample
from guildmark.domain.equivalence.verdict import PairVerdict, Verdict
from guildmark.domain.identifiers import to_hex


def test_the_page_tells_what_ended_a_certificate_and_who_contradicts() -> None:
    page = html(report(), {}).decode()

    assert "EQUIVALENT since 1970-01-01 00:00:10 UTC, until 1970-01-01 00:00:40 UTC" in page
    assert "suspended on 1970-01-01 00:00:20 UTC" in page
    assert "lapsed on 1970-01-01 00:00:30 UTC (firmware changed)" in page
    assert "Counter-result" in page
    assert "Not counted: it did not reveal its data." in page
    assert "Plan 1" in page


def test_names_are_escaped_and_pictures_are_not() -> None:
    page = html(report(), {"intervals.svg": b"<svg></svg>"}).decode()

    assert "Graz &lt;1&gt;" in page
    assert "<figure><svg></svg></figure>" in page
    assert "http://" not in page
    assert "https://" not in page


def test_a_site_that_did_not_join_says_so() -> None:
    made = report()
    absent = replace(made.sites[1], number=0, certificate=None, sample=Sample.of(()))

    page = html(replace(made, sites=(made.sites[0], absent)), {}).decode()

    assert "The site did not join." in page
    assert "Counter-result" not in page


def test_a_summary_names_sites_as_people_do() -> None:
    made = report()
    site = to_hex(made.sites[0].site)
    said = PairVerdict(
        sites=made.plan.all_sites,
        kind=Kind.PART,
        verdict=Verdict.INVALID,
        summary=f"Gate 2, integrity (at {site}): copied.",
    )

    page = html(replace(made, result=replace(made.result, verdicts=(said,))), {}).decode()

    assert "Gate 2, integrity (at Graz &lt;1&gt;): copied." in page
    assert f"(at {site})" not in page


def test_what_was_drawn_and_passed_over_is_told() -> None:
    made = report()
    first = made.sites[0]
    passed = replace(first.sample, passed={Passed.LATE: 3, Passed.SCRAP: 1})
    drawing = replace(made.plan, drawn_from=60)
    bounded = replace(drawing, max_passed="0.2")
    sites = (replace(first, sample=passed), made.sites[1])

    def page(plan: EquivalencePlan) -> str:
        return html(replace(made, plan=plan, sites=sites), {}).decode()

    units = made.plan.units
    assert "nothing: each site chose its parts" in page(made.plan)
    assert "the first 60 parts that a site logs" in page(drawing)
    assert "no limit" in page(drawing)
    assert "at most 0.2 of those drawn" in page(bounded)
    assert f"4 of {4 + units} drawn: 3 a late report, 1 scrap" in page(bounded)
    assert "nothing: each site chose its parts" not in page(bounded)


def test_whether_calibration_was_judged_is_told() -> None:
    made = report()
    laboratory = "0x" + "12" * 32
    asked = Calibration(standard="ISO/IEC 17025", authorities=(laboratory,))
    judged = replace(made.plan, drawn_from=60, calibration=asked)

    assert "not judged; instruments are registered" in html(made, {}).decode()
    told = html(replace(made, plan=judged), {}).decode()
    assert f"ISO/IEC 17025, under {laboratory}" in told
    assert "not judged" not in told


def test_what_is_said_of_the_process_tells_what_it_rests_on() -> None:
    made = report()
    drawing = replace(made.plan, drawn_from=60, characteristics=(window(),), chunks=4)
    stated = replace(made.plan, characteristics=(replace(window(), trace=None),))

    traced = html(replace(made, plan=drawing), {}).decode()
    told = html(replace(made, plan=stated), {}).decode()

    assert "4 chunks are drawn" in traced
    assert "process by telemetry, nozzle" in traced
    assert "process as sites state it" in told
    assert "chunks are drawn" not in told
