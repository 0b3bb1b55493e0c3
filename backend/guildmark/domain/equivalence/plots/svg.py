"""A small writer of SVG: axes, marks and words, with coordinates of two digits behind the point."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH = 720
_LEFT_LEAST = 64
_STYLE = """
.gm-plot{--gm-paper:#ffffff;--gm-ink:#1b2430;--gm-soft:#566172;--gm-line:#cfd6de;--gm-band:#e3f1e6;\
--gm-good:#14703a;--gm-open:#8a5300;--gm-bad:#b3202a;--gm-mark:#0b5cad}
@media (prefers-color-scheme:dark){.gm-plot{--gm-paper:#12171d;--gm-ink:#e8edf3;--gm-soft:#a4afbc;\
--gm-line:#3a4552;--gm-band:#17321f;--gm-good:#5fd08a;--gm-open:#f0b45a;--gm-bad:#ff8087;\
--gm-mark:#6db6ff}}
.gm-plot text{font:13px system-ui,sans-serif;fill:var(--gm-ink)}
.gm-plot .soft{fill:var(--gm-soft)}.gm-plot .title{font-size:15px;font-weight:600}
.gm-plot .paper{fill:var(--gm-paper)}.gm-plot .band{fill:var(--gm-band)}
.gm-plot .grid{stroke:var(--gm-line)}.gm-plot .axis{stroke:var(--gm-soft)}
.gm-plot .limit{stroke:var(--gm-bad);stroke-dasharray:6 4;stroke-width:1.5}
.gm-plot .center{stroke:var(--gm-soft);stroke-dasharray:2 3}
.gm-plot .path{fill:none;stroke:var(--gm-mark);stroke-width:1.75}
.gm-plot .bar{fill:var(--gm-mark);fill-opacity:.75}
.gm-plot .dot{fill:var(--gm-mark)}
.gm-plot .good{stroke:var(--gm-good);fill:var(--gm-good);stroke-width:2}
.gm-plot .open{stroke:var(--gm-open);fill:var(--gm-paper);stroke-width:2}
.gm-plot .bad{stroke:var(--gm-bad);fill:none;stroke-width:2.5}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A stretch of numbers on a stretch of the picture.

    Args:
        low: The number at ``start``.
        high: The number at ``end``.
    """

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return where a number is, numbers beyond the ends a little beyond them."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(max(share, -0.02), 1.02) * (self.end - self.start)

    def ticks(self, most: int = 7) -> Sequence[tuple[float, str]]:
        """Return round numbers along the axis, all written with as many places."""
        rough = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * one for one in (1, 2, 5, 10) if power * one >= rough * (1 - 1e-9))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        places = max(0, -math.floor(math.log10(step) + 1e-9))
        return [
            (count * step, format(count * step + 0.0, f".{places}f"))
            for count in range(first, last + 1)
        ]


@dataclass(slots=True)
class Drawing:
    """A picture in the making.

    Args:
        title: What it shows, in a few words.
        told: The same for people who do not see it.
        height: Its height; the width is always the same.
    """

    title: str
    told: str
    height: float
    _pieces: list[str] = field(default_factory=list)

    def line(self, start: tuple[float, float], end: tuple[float, float], kind: str) -> None:
        """Draw a straight line."""
        (x1, y1), (x2, y2) = start, end
        self._pieces.append(
            f'<line class="{kind}" x1="{_at(x1)}" y1="{_at(y1)}" x2="{_at(x2)}" y2="{_at(y2)}"/>'
        )

    def path(self, points: Sequence[tuple[float, float]]) -> None:
        """Draw a line through points."""
        listed = " ".join(f"{_at(x)},{_at(y)}" for x, y in points)
        self._pieces.append(f'<polyline class="path" points="{listed}"/>')

    def box(self, corner: tuple[float, float], size: tuple[float, float], kind: str) -> None:
        """Fill a rectangle."""
        (x, y), (width, height) = corner, size
        self._pieces.append(
            f'<rect class="{kind}" x="{_at(x)}" y="{_at(y)}" '
            f'width="{_at(width)}" height="{_at(height)}"/>'
        )

    def dot(self, place: tuple[float, float], kind: str = "dot") -> None:
        """Draw a small disk; marks of outcomes differ in shape, too."""
        x, y = place
        if kind == "bad":
            self.line((x - 5, y - 5), (x + 5, y + 5), kind)
            self.line((x - 5, y + 5), (x + 5, y - 5), kind)
            return
        radius = 3 if kind == "dot" else 5
        self._pieces.append(f'<circle class="{kind}" cx="{_at(x)}" cy="{_at(y)}" r="{radius}"/>')

    def words(
        self, place: tuple[float, float], text: str, kind: str = "", at: str = "start"
    ) -> None:
        """Write text that begins, ends or is centred at a place."""
        x, y = place
        named = f' class="{kind}"' if kind else ""
        anchor = "" if at == "start" else f' text-anchor="{at}"'
        self._pieces.append(f'<text{named} x="{_at(x)}" y="{_at(y)}"{anchor}>{escape(text)}</text>')

    def horizontal(self, axis: Axis, y: float, top: float, name: str) -> None:
        """Draw an axis below, with its grid and its name."""
        for tick, label in axis.ticks():
            x = axis.at(tick)
            self.line((x, top), (x, y), "grid")
            self.words((x, y + 18), label, "soft", "middle")
        self.line((axis.start, y), (axis.end, y), "axis")
        self.words(((axis.start + axis.end) / 2, y + 38), name, "soft", "middle")

    def vertical(self, axis: Axis, x: float, right: float, name: str) -> None:
        """Draw an axis on the left, with its grid and its name above."""
        for tick, label in axis.ticks(6):
            y = axis.at(tick)
            self.line((x, y), (right, y), "grid")
            self.words((x - 8, y + 4), label, "soft", "end")
        self.words((8, min(axis.start, axis.end) - 12), name, "soft")

    def encode(self) -> bytes:
        """Return the picture as a file of its own, that a page may hold, too."""
        return "\n".join(self._lines()).encode()

    def _lines(self) -> Iterator[str]:
        size = f'viewBox="0 0 {WIDTH} {_at(self.height)}"'
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="gm-plot" {size} role="img" '
            f'aria-label="{escape(self.told)}">'
        )
        yield f"<style>{_STYLE}</style>"
        yield f'<rect class="paper" width="{WIDTH}" height="{_at(self.height)}"/>'
        yield f'<text class="title" x="8" y="24">{escape(self.title)}</text>'
        yield from self._pieces
        yield "</svg>\n"


def number(value: float) -> str:
    """Return a number as axes show it."""
    return format(round(value, 12) + 0.0, ".6g")


def left_of(labels: Sequence[str]) -> float:
    """Return how much room labels need on the left."""
    return min(300.0, max(_LEFT_LEAST, 7.2 * max(map(len, labels), default=0) + 16))


def _at(value: float) -> str:
    return format(round(value, 2) + 0.0, ".6g")
