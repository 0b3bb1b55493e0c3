"""A report as PDF: equal bytes, every word, letters that are embedded, pictures drawn."""

import subprocess
import sys
from dataclasses import replace

import pytest

from filing import report
from guildmark.adapters.reports import pdf as writer
from guildmark.adapters.reports.page import GateRow, ReportPage, Row, report_page
from guildmark.adapters.reports.pdf import PdfSupportError, pdf
from guildmark.adapters.reports.pdf.plots import plot
from guildmark.adapters.reports.pdf.typesetting import WIDTH, heading, note, shown, subtitle
from guildmark.domain.equivalence.plots.svg import Axis
from guildmark.domain.equivalence.plots.svg import Drawing as Svg

GATE = GateRow(
    number=5,
    gate="location",
    about="all",
    outcome="passed",
    tone="good",
    reason="Inside.",
    figures="low 1",
)
_AGAIN = """
import sys
sys.path[:0] = {path!r}
from unit.adapters.test_report_pdf import page, pictures
from guildmark.adapters.reports.pdf import pdf
sys.stdout.buffer.write(pdf(page(), pictures()))
"""


def page() -> ReportPage:
    return report_page(report(), {})


def pictures() -> dict[str, bytes]:
    """Return a picture of every piece that our writer draws."""
    drawn = Svg("A title", "told", 200)
    axis = Axis(low=0, high=1, start=80, end=600)
    drawn.horizontal(axis, 150, 40, "across")
    drawn.vertical(Axis(low=0, high=1, start=150, end=40), 80, 600, "up")
    drawn.box((100, 50), (40, 20), "band")
    drawn.path([(100, 50), (200, 60), (300, 50)])
    for kind in ("dot", "good", "open", "bad"):
        drawn.dot((300, 90), kind)
    drawn.line((80, 60), (600, 60), "limit")
    return {"one.svg": drawn.encode()}


def test_equal_reports_have_equal_bytes_in_every_process() -> None:
    words = _AGAIN.format(path=sys.path)

    again = subprocess.run([sys.executable, "-c", words], check=True, capture_output=True).stdout

    first = pdf(page(), pictures())
    assert first == again
    assert first.startswith(b"%PDF-1.")
    assert first.rstrip().endswith(b"%%EOF")


def test_another_report_has_other_bytes() -> None:
    other = replace(page(), again=("guildmark equivalence again OTHER",))

    assert pdf(page(), {}) != pdf(other, {})
    assert pdf(page(), {}) != pdf(page(), pictures())


def test_what_stands_below_a_heading_stays_with_what_follows() -> None:
    kept = [one.getKeepWithNext() for one in (heading("Graz"), subtitle("0x01"), note("none"))]

    assert kept == [1, 1, 0]


def test_its_letters_are_embedded() -> None:
    document = pdf(page(), {})

    assert b"BitstreamVeraSans-Roman" in document
    assert b"/FontFile2" in document


def test_a_row_may_be_longer_than_a_page() -> None:
    long = Row(name="Instruments", value=", ".join(f"0x{number:064x}" for number in range(200)))
    gate = replace(GATE, figures=", ".join(f"figure{number} 1" for number in range(3000)))

    document = pdf(replace(page(), decisions=(long,), gates=(gate,)), {})

    assert document.count(b"/Type /Page\n") > pdf(page(), {}).count(b"/Type /Page\n") + 4


def test_letters_that_it_does_not_have_stand_as_their_numbers() -> None:
    assert shown("Žižkov & Coimbra <1>") == "Žižkov & Coimbra <1>"
    assert shown("東 Werk") == "[U+6771] Werk"


def test_a_picture_is_drawn_piece_by_piece_as_wide_as_the_text() -> None:
    (svg,) = pictures().values()

    drawn = plot(svg)

    (group,) = drawn.contents
    kinds = {type(piece).__name__ for piece in group.contents}
    assert kinds == {"Line", "PolyLine", "Rect", "Circle", "String"}
    assert len(group.contents) == svg.count(b"<line") + svg.count(b"<polyline") + svg.count(
        b"<rect"
    ) + svg.count(b"<circle") + svg.count(b"<text")
    assert drawn.width == WIDTH
    assert drawn.height == pytest.approx(200 * WIDTH / 720)


def test_without_the_extra_the_next_step_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "find_spec", lambda _: None)

    with pytest.raises(PdfSupportError) as caught:
        pdf(page(), {})

    assert caught.value.code == "report.pdfSupportMissing"
    assert "guildmark[pdf]" in caught.value.next_step
