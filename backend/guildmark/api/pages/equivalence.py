"""The page of a plan whose result was published: gates, pictures, and the result run again."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from itertools import groupby

from guildmark.adapters.reports.page import GateRow, ReportPage, Row, report_page
from guildmark.adapters.statistics import is_installed
from guildmark.api.pages.verdict import shortened
from guildmark.api.serving import ServedNode
from guildmark.domain.equivalence.reporting.report import Certified, EquivalenceReport
from guildmark.domain.errors import NotFoundError
from guildmark.domain.identifiers import EquivalencePlanId, to_hex
from guildmark.services.equivalence.results import Publication, Rerun

# As our own writer writes it: the same in words, then the title.
_WORDS = re.compile('<svg [^>]*aria-label="([^"]*)">.*<text class="title"[^>]*>([^<]*)<', re.DOTALL)
_WORST_FIRST = ("bad", "care", "good")


class PictureUnknownError(NotFoundError):
    """A result has no such picture."""

    code = "equivalence.pictureUnknown"
    hint = "Take the pictures' names from the plan's page."


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture, and the same in words."""

    href: str
    title: str
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateGroup:
    """All outcomes of one gate.

    Args:
        told: How many ended how.
    """

    name: str
    told: str
    tone: str
    rows: tuple[GateRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RerunRow:
    """What came out when the result was run again just now."""

    published: str
    found: str
    is_equal: bool
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EquivalencePage:
    """Everything that the template shows.

    Args:
        report: The report in words.
        recipe: The page of the recipe's sites.
        named: What certificates say of the result, by site.
        obstacle: Why the result cannot be run again here, empty where it can.
    """

    name: str
    headline: str
    tone: str
    path: str
    recipe: str
    report: ReportPage
    named: tuple[Row, ...]
    gates: tuple[GateGroup, ...]
    pictures: tuple[Picture, ...]
    obstacle: str
    data: tuple[Row, ...]
    rerun: RerunRow | None


def path_of(plan: EquivalencePlanId) -> str:
    """Return the path of the page of a plan."""
    return f"/equivalence/{to_hex(plan)}"


def equivalence_page(plan: EquivalencePlanId, node: ServedNode) -> EquivalencePage:
    """Return what was published of a plan.

    Raises:
        PlanUnknownError: No final block holds it.
        NotPublishedError: Its result was not published here.
    """
    return _page(plan, node, None)


def rerun_page(plan: EquivalencePlanId, node: ServedNode) -> EquivalencePage:
    """Return the same, with the result computed again now.

    Raises:
        PlanUnknownError: No final block holds it.
        NotPublishedError: The result, or data of a site, were not published here.
        EngineBusyError: Others are computing all the time.
        StatisticsSupportError: The extra `equivalence` is not installed.
        OtherEngineError: The plan names another engine.
    """
    return _page(plan, node, node.results.again(plan, node.computing.evaluate))


def plot(plan: EquivalencePlanId, name: str, node: ServedNode) -> bytes:
    """Return a picture of a plan's page as SVG.

    Raises:
        NotPublishedError: The result was not published here.
        PictureUnknownError: There is none of this name.
    """
    found = _album(node.results.publication(plan), node).get(name)
    if found is None:
        message = f"The result has no picture {name[:80]!a}."
        raise PictureUnknownError(message, plan=to_hex(plan))
    return found


def _page(plan: EquivalencePlanId, node: ServedNode, rerun: Rerun | None) -> EquivalencePage:
    found = node.results.publication(plan)
    report = found.reported.report
    told = report_page(report, {})
    named = tuple(_named(report, told))
    verdicts = {one.verdict.replace("_", " ") for one in report.result.verdicts}
    return EquivalencePage(
        name=f"Plan {shortened(to_hex(plan))}",
        headline=" and ".join(sorted(verdicts)),
        tone=_tone(told, named),
        path=path_of(plan),
        recipe=f"/recipes/{to_hex(report.plan.recipe)}/sites",
        report=told,
        named=named,
        gates=tuple(_groups(told)),
        pictures=tuple(_pictures(plan, _album(found, node))),
        obstacle=_obstacle(found, told),
        data=tuple(_data(found, told)),
        rerun=None if rerun is None else _rerun(rerun),
    )


def _album(found: Publication, node: ServedNode) -> Mapping[str, bytes]:
    """Return the pictures; control charts and the like need the readings."""
    return node.computing.album(found) if is_installed() and not found.missing else {}


def _pictures(plan: EquivalencePlanId, album: Mapping[str, bytes]) -> Iterator[Picture]:
    for name, body in album.items():
        words = _WORDS.match(body.decode())
        told, title = (name, name) if words is None else map(unescape, words.groups())
        yield Picture(href=f"{path_of(plan)}/pictures/{name}", title=title, told=told)


def _named(report: EquivalenceReport, told: ReportPage) -> Iterator[Row]:
    for one, row in zip(report.sites, told.sites, strict=True):
        given = one.certificate
        if given is None:
            yield Row(name=row.name, value="nothing is certified")
        elif given.result == report.result_digest:
            words = ["the certificate names this result", *_ends(given)]
            tone = "good" if len(words) == 1 else "care"
            yield Row(name=row.name, value="; ".join(words), tone=tone)
        else:
            other = f"the certificate names another result, {to_hex(given.result)}"
            yield Row(name=row.name, value=other, tone="bad")


def _ends(given: Certified) -> Iterator[str]:
    """Yield what evaluator or site did to a certificate since."""
    if given.suspended_at:
        yield "it is suspended"
    if given.lapsed_at:
        yield "it lapsed"


def _tone(told: ReportPage, named: Iterable[Row]) -> str:
    """Return the page's tone: nothing is green whose certificates ended or name another."""
    decided = [one.tone for one in told.decisions]
    tone = next((tone for tone in _WORST_FIRST if tone in decided), "none")
    doubted = any(row.tone in {"care", "bad"} for row in named)
    return "care" if tone == "good" and doubted else tone


def _groups(told: ReportPage) -> Iterator[GateGroup]:
    for (number, gate), rows in groupby(told.gates, key=lambda row: (row.number, row.gate)):
        found = tuple(rows)
        tones = [row.tone for row in found]
        outcomes = [row.outcome for row in found]
        counted = {outcome: outcomes.count(outcome) for outcome in outcomes}
        yield GateGroup(
            name=f"Gate {number}, {gate}",
            told=", ".join(f"{count} {outcome}" for outcome, count in counted.items()),
            tone=next(tone for tone in _WORST_FIRST if tone in tones),
            rows=found,
        )


def _obstacle(found: Publication, told: ReportPage) -> str:
    if found.missing:
        names = [row.name for row in told.sites if row.id in set(map(to_hex, found.missing))]
        return f"The readings of {', '.join(names)} were not published."
    return "" if is_installed() else "This node computes nothing."


def _data(found: Publication, told: ReportPage) -> Iterator[Row]:
    names = {row.id: row.name for row in told.sites}
    plan = to_hex(found.material.fact.id)
    for one in found.reported.data:
        site = to_hex(one.site)
        yield Row(name=names[site], value=f"/v1/equivalence/plans/{plan}/sites/{site}/data")


def _rerun(found: Rerun) -> RerunRow:
    return RerunRow(
        published=to_hex(found.published),
        found=to_hex(found.found),
        is_equal=found.is_equal,
        differences=found.differences or ("What differs is not in what a result says.",),
    )
