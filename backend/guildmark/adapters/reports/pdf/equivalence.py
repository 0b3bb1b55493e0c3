"""A report of equivalence on paper, as an auditor files it."""

from collections.abc import Iterator, Mapping
from typing import Any

from reportlab.platypus import KeepTogether, Spacer

from guildmark.adapters.reports.page import ReportPage
from guildmark.adapters.reports.pdf import typesetting as type_
from guildmark.adapters.reports.pdf.plots import plot

_GAP = 10
_HEADS = (
    *("Path", "Unit", "Of", "Margin", "Margin of spread", "Limits", "Possible", "Least Ppk"),
    *("Most of gauge", "Method", "Logarithm"),
)
_SHARES = (2.2, 0.7, 0.9, 1, 1.2, 1.7, 1.5, 1, 1.2, 1.3, 1.3)
_GATES = ("Gate", "About", "Outcome", "Reason", "Figures")
_GATE_SHARES = (1.2, 2, 1.2, 3.2, 3.2)


def written(page: ReportPage, pictures: Mapping[str, bytes]) -> bytes:
    """Return a report as PDF."""
    title = f"Equivalence report {page.id[:12]}"
    return type_.written(list(_story(page, pictures)), title=title, foot=f"Plan {page.id}")


def _story(page: ReportPage, pictures: Mapping[str, bytes]) -> Iterator[Any]:
    yield type_.heading("Equivalence report", size=16)
    yield type_.note(
        "What a plan registered before its data made of them. Times are block times; figures "
        "have ten significant digits."
    )
    yield from _part("Decision", type_.rows(page.decisions))
    yield from _part("Plan", type_.rows(page.plan))
    yield from _part("Characteristics", type_.table(_HEADS, page.characteristics, _SHARES))
    for site in page.sites:
        yield from _part(site.name, type_.subtitle(site.id), type_.rows(site.facts))
    gates = (
        (f"{one.number} {one.gate}", one.about, one.outcome, one.reason, one.figures)
        for one in page.gates
    )
    yield from _part("Gates", type_.table(_GATES, gates, _GATE_SHARES))
    if pictures:
        yield type_.heading("Pictures")
    for body in pictures.values():
        yield KeepTogether([plot(body), Spacer(0, _GAP)])
    yield from _part("How to run it again", type_.rows(page.digests))
    yield Spacer(0, _GAP)
    for command in page.again:
        yield type_.paragraph(command, size=8)


def _part(name: str, *pieces: Any) -> Iterator[Any]:
    yield type_.heading(name)
    yield from pieces
