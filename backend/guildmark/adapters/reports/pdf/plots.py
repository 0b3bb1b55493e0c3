"""The pictures of `guildmark.domain.equivalence.plots` on paper: lines, boxes, disks and words.

It reads what our own writer writes, and nothing else: strangers' SVG never comes here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from reportlab.graphics.shapes import Circle, Drawing, Group, Line, PolyLine, Rect, Shape, String
from reportlab.lib.colors import HexColor

from guildmark.adapters.reports.pdf.typesetting import BOLD, PLAIN, WIDTH, shown

_NAMESPACE = "{http://www.w3.org/2000/svg}"
_INK, _SOFT = "#1b2430", "#566172"
# The colours of the light scheme: paper is light.
_INKS: Mapping[str, str] = {
    "soft": _SOFT,
    "band": "#e3f1e6",
    "grid": "#cfd6de",
    "axis": _SOFT,
    "limit": "#b3202a",
    "center": _SOFT,
    "path": "#0b5cad",
    "bar": "#0b5cad",
    "dot": "#0b5cad",
    "good": "#14703a",
    "open": "#8a5300",
    "bad": "#b3202a",
    "paper": "#ffffff",
}
_DASHES: Mapping[str, Sequence[int]] = {"limit": (6, 4), "center": (2, 3)}
_WIDTHS: Mapping[str, float] = {"good": 2, "open": 2, "bad": 2.5, "limit": 1.5, "path": 1.75}
_SIZE, _TITLE_SIZE = 13, 15
_Piece = ElementTree.Element


def plot(svg: bytes) -> Drawing:
    """Return a picture, as wide as the text."""
    # Our own writer wrote it, see above.
    root = ElementTree.fromstring(svg)  # noqa: S314
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    group = Group()
    for piece in root:
        draw = _DRAWN.get(piece.tag.removeprefix(_NAMESPACE))
        if draw is not None:
            group.add(draw(piece, height))
    scale = WIDTH / width
    group.scale(scale, scale)
    return Drawing(WIDTH, height * scale, group)


def _line(piece: _Piece, height: float) -> Shape:
    at = _numbers(piece, "x1", "y1", "x2", "y2")
    return Line(at[0], height - at[1], at[2], height - at[3], **_stroke(piece))


def _polyline(piece: _Piece, height: float) -> Shape:
    points: list[float] = []
    for pair in piece.attrib["points"].split():
        x, y = map(float, pair.split(","))
        points += [x, height - y]
    return PolyLine(points, **_stroke(piece))


def _box(piece: _Piece, height: float) -> Shape:
    wide, high = _numbers(piece, "width", "height")
    x, y = float(piece.get("x", "0")), float(piece.get("y", "0"))
    return Rect(x, height - y - high, wide, high, strokeColor=None, fillColor=_ink(piece))


def _disk(piece: _Piece, height: float) -> Shape:
    x, y, radius = _numbers(piece, "cx", "cy", "r")
    is_open = piece.get("class") == "open"
    return Circle(
        x,
        height - y,
        radius,
        fillColor=HexColor("#ffffff") if is_open else _ink(piece),
        strokeColor=_ink(piece),
        strokeWidth=2 if is_open else 0,
    )


def _words(piece: _Piece, height: float) -> Shape:
    x, y = _numbers(piece, "x", "y")
    is_title = piece.get("class") == "title"
    return String(
        x,
        height - y,
        shown(piece.text or ""),
        fontName=BOLD if is_title else PLAIN,
        fontSize=_TITLE_SIZE if is_title else _SIZE,
        fillColor=_ink(piece),
        textAnchor=piece.get("text-anchor", "start"),
    )


_DRAWN: Mapping[str, Callable[[_Piece, float], Shape]] = {
    "line": _line,
    "polyline": _polyline,
    "rect": _box,
    "circle": _disk,
    "text": _words,
}


def _stroke(piece: _Piece) -> dict[str, Any]:
    kind = piece.get("class", "")
    return {
        "strokeColor": _ink(piece),
        "strokeWidth": _WIDTHS.get(kind, 1),
        "strokeDashArray": _DASHES.get(kind),
    }


def _ink(piece: _Piece) -> Any:
    return HexColor(_INKS.get(piece.get("class", ""), _INK))


def _numbers(piece: _Piece, *names: str) -> list[float]:
    return [float(piece.attrib[name]) for name in names]
