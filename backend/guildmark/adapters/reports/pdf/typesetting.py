"""Paper, letters and tables of every report as PDF; the letters are embedded, as PDF/A asks."""

from collections.abc import Iterable, Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

import reportlab
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table, TableStyle

from guildmark.adapters.reports.page import Row

PLAIN, BOLD = "GuildmarkPlain", "GuildmarkBold"
MARGIN = 18 * mm
WIDTH = A4[0] - 2 * MARGIN

_FILES = {PLAIN: "Vera.ttf", BOLD: "VeraBd.ttf"}
_INKS = {"good": "#12653a", "care": "#7a4a00", "bad": "#9c1c1c"}
_INK, _SOFT, _LINE = "#16202e", "#4a5a6e", "#cfd6de"
_CELL = 7.0
_NAME_SHARE = 0.27


def paragraph(text: str, *, size: float = 9, font: str = PLAIN, ink: str = _INK) -> Paragraph:
    """Return text that wraps anywhere, long digests too."""
    style = ParagraphStyle(
        font, fontName=font, fontSize=size, leading=size * 1.35, textColor=HexColor(ink)
    )
    style.splitLongWords = 1
    return Paragraph(escape(shown(text)), style)


def heading(text: str, *, size: float = 12) -> Paragraph:
    """Return a heading, which stays with what follows it."""
    style = ParagraphStyle(
        "heading",
        fontName=BOLD,
        fontSize=size,
        leading=size * 1.35,
        spaceBefore=size,
        spaceAfter=4,
        keepWithNext=1,
    )
    return Paragraph(escape(shown(text)), style)


def note(text: str) -> Paragraph:
    """Return what stands beside the facts."""
    return paragraph(text, size=8, ink=_SOFT)


def subtitle(text: str) -> Paragraph:
    """Return what stands below a heading, and stays with what follows both."""
    found = note(text)
    found.keepWithNext = 1
    return found


def rows(found: Iterable[Row]) -> Table | Paragraph:
    """Return names with what stands behind them."""
    cells = [
        [
            paragraph(one.name, size=8, font=BOLD),
            paragraph(one.value, size=8, ink=_INKS.get(one.tone, _INK)),
        ]
        for one in found
    ]
    if not cells:
        return note("none")
    widths = [WIDTH * _NAME_SHARE, WIDTH * (1 - _NAME_SHARE)]
    # A row may be longer than a page: a site has as many instruments as it likes.
    return _ruled(Table(cells, colWidths=widths, splitInRow=1))


def table(heads: Sequence[str], lines: Iterable[Sequence[str]], shares: Sequence[float]) -> Table:
    """Return a table whose heads are repeated on each page.

    Args:
        heads: What stands above.
        lines: The cells.
        shares: How much of the width each column gets.
    """
    cells = [[paragraph(head, size=_CELL, font=BOLD) for head in heads]]
    cells += [[paragraph(cell, size=_CELL) for cell in line] for line in lines]
    widths = [WIDTH * share / sum(shares) for share in shares]
    return _ruled(Table(cells, colWidths=widths, repeatRows=1, splitInRow=1))


def shown(text: str) -> str:
    """Return text whose every letter the embedded letters have; others stand as their numbers."""
    _letters()
    known = pdfmetrics.getFont(PLAIN).face.charToGlyph
    return "".join(letter if ord(letter) in known else f"[U+{ord(letter):04X}]" for letter in text)


def written(story: list[Any], *, title: str, foot: str) -> bytes:
    """Return a document: A4, page numbers, neither time nor chance in its bytes.

    Args:
        story: What is on its pages.
        title: What it is called.
        foot: What stands at the foot of each page.
    """
    _letters()
    target = BytesIO()
    document = SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=shown(title),
        author="Guildmark",
        creator="Guildmark",
        lang="en",
        invariant=1,
    )

    def footed(canvas: Any, made: Any) -> None:
        canvas.setFont(PLAIN, 7)
        canvas.setFillColor(HexColor(_SOFT))
        canvas.drawString(MARGIN, MARGIN / 2, shown(foot))
        canvas.drawRightString(A4[0] - MARGIN, MARGIN / 2, f"page {made.page}")

    document.build(story, onFirstPage=footed, onLaterPages=footed)
    return target.getvalue()


def _ruled(found: Table) -> Table:
    line: Color = HexColor(_LINE)
    found.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, line),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 4),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    found.hAlign = "LEFT"
    return found


def _letters() -> None:
    """Let the letters that come with the writer be known to it."""
    folder = Path(reportlab.__file__).parent / "fonts"
    for name, file in _FILES.items():
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, str(folder / file)))
