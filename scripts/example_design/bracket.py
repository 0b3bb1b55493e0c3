"""The example part: a wall bracket that holds a pipe, as numbers and as its outline.

The outline lies in the plane across the pipe: x along the wall, y away from it. All lengths are
in millimetres.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A straight piece of the outline."""

    start: Point
    end: Point


@dataclass(frozen=True, slots=True)
class Arc:
    """A round piece of the outline, given by a point on its way."""

    start: Point
    through: Point
    end: Point


Segment = Line | Arc


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """The measures of the bracket; a changed one gives another part of the same family."""

    plate_length: float = 60.0
    plate_thickness: float = 6.0
    width: float = 16.0
    bore: float = 22.2
    wall: float = 3.4
    axis_height: float = 24.0
    mouth: float = 18.0
    root_radius: float = 5.0
    hole_spacing: float = 44.0
    hole: float = 4.5
    countersink: float = 9.2
    corner: float = 3.0
    edge: float = 0.6
    tie_width: float = 6.0
    tie_height: float = 2.6
    tie_base: float = 7.2

    @property
    def inner_radius(self) -> float:
        """Return the radius that the pipe lies in."""
        return self.bore / 2

    @property
    def outer_radius(self) -> float:
        """Return the radius of the clip's outside."""
        return self.inner_radius + self.wall

    @property
    def lip_angle(self) -> float:
        """Return the angle, from the mouth's middle, at which a lip's round end is centred."""
        middle = self.inner_radius + self.wall / 2
        return math.asin((self.mouth / 2 + self.wall / 2) / middle)

    @property
    def lip_top(self) -> float:
        """Return how far the part reaches from the wall."""
        middle = self.inner_radius + self.wall / 2
        return self.axis_height + middle * math.cos(self.lip_angle) + self.wall / 2

    def outline(self) -> Iterator[Segment]:
        """Yield the closed outline, anticlockwise, from the plate's left foot."""
        half = self.plate_length / 2
        right = tuple(self._right_side())
        yield Line((-half, 0.0), (half, 0.0))
        yield from right
        yield self._bore_arc()
        yield from (_mirrored(segment) for segment in reversed(right))

    def _right_side(self) -> Iterator[Segment]:
        half, top = self.plate_length / 2, self.plate_thickness
        foot, waist = (self._root_centre()[0], top), self._waist()
        outside, inside = self._lip(self.outer_radius), self._lip(self.inner_radius)
        yield Line((half, 0.0), (half, top))
        yield Line((half, top), foot)
        yield Arc(foot, self._root_middle(), waist)
        yield Arc(waist, (self.outer_radius, self.axis_height), outside)
        yield Arc(outside, self._lip_end(), inside)

    def _root_centre(self) -> Point:
        # The root's arc touches the plate and the clip: its centre is as far from both.
        rise = self.axis_height - self.plate_thickness - self.root_radius
        reach = self.outer_radius + self.root_radius
        return math.sqrt(reach**2 - rise**2), self.plate_thickness + self.root_radius

    def _waist(self) -> Point:
        x, y = self._root_centre()
        share = self.outer_radius / (self.outer_radius + self.root_radius)
        return x * share, self.axis_height + (y - self.axis_height) * share

    def _root_middle(self) -> Point:
        (x, y), (end_x, end_y) = self._root_centre(), self._waist()
        # Half way between straight down and the direction of the waist.
        angle = (math.atan2(end_y - y, end_x - x) - math.tau - math.pi / 2) / 2
        return x + self.root_radius * math.cos(angle), y + self.root_radius * math.sin(angle)

    def _lip(self, radius: float) -> Point:
        turn = self.lip_angle
        return radius * math.sin(turn), self.axis_height + radius * math.cos(turn)

    def _lip_end(self) -> Point:
        # The lip ends in a half circle: its far point lies half a wall beyond its centre.
        (x, y), reach = self._lip(self.inner_radius + self.wall / 2), self.wall / 2
        return x - reach * math.cos(self.lip_angle), y + reach * math.sin(self.lip_angle)

    def _bore_arc(self) -> Arc:
        x, y = self._lip(self.inner_radius)
        return Arc((x, y), (0.0, self.axis_height - self.inner_radius), (-x, y))


def _mirrored(segment: Segment) -> Segment:
    if isinstance(segment, Line):
        return Line(_flipped(segment.end), _flipped(segment.start))
    return Arc(_flipped(segment.end), _flipped(segment.through), _flipped(segment.start))


def _flipped(point: Point) -> Point:
    return -point[0], point[1]
