"""Draws sheets of labels; imported only where the extra `pdf` is installed."""

from collections.abc import Sequence
from io import BytesIO

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from guildmark.adapters.labels.pictures import modules
from guildmark.adapters.labels.sheets import Label, Layout

_FONT, _SIZE, _LEADING = "Courier-Bold", 8, 9.5
_CODE_SIZE, _CODE_LEADING, _FRAME = 6, 6.5, 0.3
# Four letters and a hyphen are not parted.
_GROUP = 5
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
    if label.code:
        _draw_code_field(canvas, label.code, (beside, top - height + _MARGIN_MM * mm), letters)


def _draw_code_field(canvas: Canvas, code: str, corner: tuple[float, float], letters: int) -> None:
    """Draw a hidden code in a frame for a scratch sticker, its lower left corner given."""
    lines = _lines(code, max(_GROUP, letters // _GROUP * _GROUP))
    left, bottom = corner
    width = max(canvas.stringWidth(line, _FONT, _CODE_SIZE) for line in lines)
    canvas.setFont(_FONT, _CODE_SIZE)
    canvas.setLineWidth(_FRAME)
    canvas.rect(left, bottom, width + 2, len(lines) * _CODE_LEADING + 2)
    for number, line in enumerate(reversed(lines)):
        canvas.drawString(left + 1, bottom + 2 + number * _CODE_LEADING, line)


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
