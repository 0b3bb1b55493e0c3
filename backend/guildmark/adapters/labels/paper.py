"""Draws sheets of labels; imported only where the extra `pdf` is installed."""

from collections.abc import Sequence
from io import BytesIO

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from guildmark.adapters.labels.pictures import modules
from guildmark.adapters.labels.sheets import Label, Layout

_FONT, _SIZE, _LEADING = "Courier-Bold", 8, 9.5
_MARGIN_MM = 1.0


def printed(pages: Sequence[Sequence[Label | None]], layout: Layout) -> bytes:
    """Return pages of labels, each label at its place."""
    target = BytesIO()
    width, height = (each * mm for each in layout.paper)
    canvas = Canvas(target, pagesize=(width, height), invariant=1)
    for page in pages:
        for label, (left, top) in zip(page, layout.places, strict=False):
            if label is not None:
                _draw(canvas, label, (left * mm, height - top * mm), layout)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def _draw(canvas: Canvas, label: Label, corner: tuple[float, float], layout: Layout) -> None:
    """Draw a label whose upper left corner is given: its code, and its serial beside it."""
    left, top = corner
    width, height = (each * mm for each in layout.label)
    side = height - 2 * _MARGIN_MM * mm
    _draw_code(canvas, label.text, (left + _MARGIN_MM * mm, top - _MARGIN_MM * mm), side)
    canvas.setFont(_FONT, _SIZE)
    beside = left + side + 2 * _MARGIN_MM * mm
    letters = int((left + width - _MARGIN_MM * mm - beside) / canvas.stringWidth("0", _FONT, _SIZE))
    lines = _lines(label.caption, letters)
    first = top - height / 2 + (len(lines) - 2) * _LEADING / 2
    for number, line in enumerate(lines):
        canvas.drawString(beside, first - number * _LEADING, line)


def _draw_code(canvas: Canvas, text: str, corner: tuple[float, float], side: float) -> None:
    rows = modules(text)
    size = side / len(rows)
    path = canvas.beginPath()
    for down, row in enumerate(rows, start=1):
        for across, is_dark in enumerate(row):
            if is_dark:
                path.rect(corner[0] + across * size, corner[1] - down * size, size, size)
    canvas.drawPath(path, stroke=0, fill=1)


def _lines(text: str, letters: int) -> Sequence[str]:
    return [text[at : at + letters] for at in range(0, len(text), letters)]
