"""A drawing of the bracket with the lengths that are measured on each part, as SVG."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from example_design.bracket import Bracket, Line, Point, Segment

_SCALE = 12.0  # units of the sheet a millimetre
_SLANT = math.radians(20)  # of the line across the bore
_WIDTH, _HEIGHT = 1100, 860
_STYLE = (
    "path{fill:none;stroke:#1c2733;stroke-width:2.4;stroke-linejoin:round}"
    ".face{fill:#f9dcc6}.hole{fill:#fff}.hidden{stroke-width:1.5;stroke-dasharray:9 6}"
    ".axis{stroke:#6b7a8a;stroke-width:1.2;stroke-dasharray:20 5 4 5}"
    ".size{stroke:#0b5cad;stroke-width:1.4}.tip{fill:#0b5cad;stroke:none}"
    "text{font:24px sans-serif;fill:#0b5cad;text-anchor:middle}"
)


def drawing(bracket: Bracket) -> str:
    """Return the front view and below it the view from the pipe's side."""
    front, above = _View(x=460.0, y=510.0), _View(x=460.0, y=820.0)
    shapes = [*_front(front, bracket), *_above(above, bracket)]
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}">',
            "<title>Pipe bracket 22: the lengths that are measured, in mm</title>",
            f"<style>{_STYLE}</style>",
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
            *shapes,
            "</svg>\n",
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """One view of the part, placed on the sheet by its origin."""

    x: float
    y: float

    def at(self, point: Point) -> str:
        return f"{self.x + point[0] * _SCALE:.1f} {self.y - point[1] * _SCALE:.1f}"

    def line(self, start: Point, end: Point, kind: str) -> str:
        return f'<path class="{kind}" d="M{self.at(start)}L{self.at(end)}"/>'

    def polygon(self, points: list[Point], kind: str) -> str:
        return f'<path class="{kind}" d="M{"L".join(map(self.at, points))}Z"/>'

    def outline(self, segments: list[Segment]) -> str:
        steps = "".join(map(self._step, segments))
        return f'<path class="face" d="M{self.at(segments[0].start)}{steps}Z"/>'

    def _step(self, segment: Segment) -> str:
        if isinstance(segment, Line):
            return f"L{self.at(segment.end)}"
        a, b, c = segment.start, segment.through, segment.end
        back, on = (a[0] - b[0], a[1] - b[1]), (c[0] - b[0], c[1] - b[1])
        cross = back[0] * on[1] - back[1] * on[0]
        dot = back[0] * on[0] + back[1] * on[1]
        # The chord's inscribed angle gives the radius; where it is acute, the arc is the long one.
        radius = math.dist(a, c) * math.hypot(cross, dot) / abs(2 * cross) * _SCALE
        return f"A{radius:.2f} {radius:.2f} 0 {int(dot > 0)} {int(cross > 0)} {self.at(c)}"

    def circle(self, centre: Point, diameter: float, kind: str) -> str:
        left, right = (self.at((centre[0] + side * diameter / 2, centre[1])) for side in (-1, 1))
        arc = f"A{diameter / 2 * _SCALE:.1f} {diameter / 2 * _SCALE:.1f} 0 0 0"
        return f'<path class="{kind}" d="M{left}{arc} {right}{arc} {left}"/>'

    def size(self, start: Point, end: Point, text: str, *, beside: Point) -> Iterator[str]:
        """Yield a line with an arrow at each end and its text, moved ``beside`` its middle."""
        yield self.line(start, end, "size")
        angle = math.atan2(end[1] - start[1], end[0] - start[0])
        for tip, way in ((start, angle), (end, angle + math.pi)):
            wings = [
                (tip[0] + 1.4 * math.cos(way + turn), tip[1] + 1.4 * math.sin(way + turn))
                for turn in (-0.22, 0.22)
            ]
            yield self.polygon([tip, *wings], "tip")
        x = self.x + ((start[0] + end[0]) / 2 + beside[0]) * _SCALE
        y = self.y - ((start[1] + end[1]) / 2 + beside[1]) * _SCALE
        yield f'<text x="{x:.0f}" y="{y:.0f}">{text}</text>'


def _front(view: _View, bracket: Bracket) -> Iterator[str]:
    axis, half, spread = bracket.axis_height, bracket.mouth / 2, bracket.hole_spacing / 2
    yield view.outline(list(bracket.outline()))
    yield from _hidden(view, bracket)
    yield view.line((-16.5, axis), (36, axis), "axis")
    yield view.line((0, -1.5), (0, axis + 12.5), "axis")
    top = axis + bracket.outer_radius
    for x in (-half, half):
        yield view.line((x, top - 7), (x, top + 1), "size")
    yield from view.size((-half, top), (half, top), f"mouth {bracket.mouth:.2f}", beside=(0, 0.8))
    yield from view.size(
        (-spread, -4), (spread, -4), f"hole_spacing {bracket.hole_spacing:.2f}", beside=(0, 0.8)
    )
    yield view.line((31, 0), (36, 0), "size")
    yield from view.size((35, 0), (35, axis), f"axis_height {axis:.2f}", beside=(9, -0.6))
    across, up = (bracket.inner_radius * part for part in (math.cos(_SLANT), math.sin(_SLANT)))
    low, high = (-across, axis - up), (across, axis + up)
    yield from view.size(low, high, f"bore {bracket.bore:.2f}", beside=(-0.5, -3.4))


def _hidden(view: _View, bracket: Bracket) -> Iterator[str]:
    """Yield what the front hides: the screws' holes and the slot for a cable tie."""
    depth = (bracket.countersink - bracket.hole) / 2
    for middle in (-bracket.hole_spacing / 2, bracket.hole_spacing / 2):
        yield view.line((middle, -5), (middle, bracket.plate_thickness + 2), "axis")
        for side in (-1, 1):
            neck = middle + side * bracket.hole / 2
            rim = middle + side * bracket.countersink / 2
            shoulder = (neck, bracket.plate_thickness - depth)
            yield view.line((neck, 0), shoulder, "hidden")
            yield view.line(shoulder, (rim, bracket.plate_thickness), "hidden")
    for y in (bracket.tie_base, bracket.tie_base + bracket.tie_height):
        yield view.line((-9.5, y), (9.5, y), "hidden")


def _above(view: _View, bracket: Bracket) -> Iterator[str]:
    half, width, cut = bracket.plate_length / 2, bracket.width, bracket.corner
    right = [(half - cut, 0.0), (half, cut), (half, width - cut), (half - cut, width)]
    yield view.polygon([*right, *((-x, y) for x, y in reversed(right))], "face")
    for middle in (-bracket.hole_spacing / 2, bracket.hole_spacing / 2):
        yield view.circle((middle, width / 2), bracket.countersink, "hole")
        yield view.circle((middle, width / 2), bracket.hole, "hole")
        yield view.line((middle, -1), (middle, width + 3.5), "axis")
    for x in (bracket.mouth / 2, bracket.outer_radius):
        yield view.line((x, 0), (x, width), "face")
        yield view.line((-x, 0), (-x, width), "face")
    for y in (0.0, width):
        yield view.line((half - cut + 1, y), (half + 6, y), "size")
    yield from view.size((half + 5, 0), (half + 5, width), f"width {width:.2f}", beside=(6.5, -0.6))
