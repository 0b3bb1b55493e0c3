"""3MF models (core and production extension): objects, components, and what is to be built."""

import math
import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from posixpath import normpath
from typing import NewType

from guildmark.adapters.shapes.archive import Archive
from guildmark.adapters.shapes.limits import Limits
from guildmark.adapters.shapes.markup import Reader
from guildmark.adapters.shapes.refusals import (
    ComponentCycleError,
    CoordinateError,
    IndexRangeError,
    NestingTooDeepError,
    ShapeMalformedError,
    TooManyTrianglesError,
)

CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
PRODUCTION = "http://schemas.microsoft.com/3dmanufacturing/production/2015/06"
MODEL = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"
THUMBNAIL = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/thumbnail"
_RELATIONSHIP = "http://schemas.openxmlformats.org/package/2006/relationships Relationship"

# Part of the core specification, section 3.4.
_MILLIMETRES: Mapping[str, float] = {
    "micron": 0.001,
    "millimeter": 1.0,
    "centimeter": 10.0,
    "inch": 25.4,
    "foot": 304.8,
    "meter": 1000.0,
}
_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?\s*", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,10}", re.ASCII)
_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)

ObjectKey = NewType("ObjectKey", tuple[str, int])
Transform = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A copy of an object: 12 numbers turn and move it (row vectors, core section 3.3)."""

    key: ObjectKey
    transform: Transform


@dataclass(slots=True)
class Solid:
    """An object: its own triangles, or copies of others."""

    corners: "array[float]" = field(default_factory=lambda: array("d"))
    triangles: "array[int]" = field(default_factory=lambda: array("q"))
    components: list[Placed] = field(default_factory=list)


@dataclass(slots=True)
class Scene:
    """What a 3MF file holds.

    Args:
        scale: Millimetres in its unit of length.
        solids: Its objects, by the model part that they are in and their id.
        items: What is to be built.
    """

    scale: float = 1.0
    solids: dict[ObjectKey, Solid] = field(default_factory=dict)
    items: list[Placed] = field(default_factory=list)


def targets(archive: Archive, kind: str, limits: Limits) -> list[str]:
    """Return the parts that the package names for a kind of relationship."""
    found: list[str] = []

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if name == _RELATIONSHIP and attributes.get("Type") == kind:
            found.append(part_name(attributes.get("Target", "")))

    Reader(start, limits=limits).read(archive.read("_rels/.rels"))
    return found


def part_name(target: str) -> str:
    """Return the entry that a part's name stands for.

    Raises:
        ShapeMalformedError: It leads out of the package.
    """
    name = normpath(target.lstrip("/"))
    if name.startswith("..") or name == ".":
        message = f"{target[:80]!r} names no part of the package."
        raise ShapeMalformedError(message, target=ascii(target[:80]))
    return name


def read_threemf(archive: Archive, limits: Limits) -> Scene:
    """Return what a 3MF file holds; each reference leads somewhere, none in a circle.

    Raises:
        ContentError: One of the errors of ``refusals``.
    """
    roots = targets(archive, MODEL, limits)
    if len(roots) != 1:
        message = f"A 3MF file has one root model, this one {len(roots)}."
        raise ShapeMalformedError(message)
    scene = Scene()
    waiting, seen = [roots[0]], {roots[0]}
    while waiting:
        part = waiting.pop()
        _ModelPart(scene, part, is_root=part == roots[0], limits=limits).read(archive.read(part))
        named = {placed.key[0] for solid in scene.solids.values() for placed in solid.components}
        named |= {placed.key[0] for placed in scene.items}
        waiting += sorted(named - seen)
        seen |= named
    _check_references(scene, limits)
    return scene


@dataclass(slots=True)
class _ModelPart:
    """One model part, as its elements come."""

    scene: Scene
    part: str
    is_root: bool
    limits: Limits
    _solid: Solid = field(default_factory=Solid)

    def read(self, data: bytes) -> None:
        Reader(self._start, limits=self.limits).read(data)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        namespace, _, tag = name.rpartition(" ")
        if namespace == CORE and tag in _TAGS:
            _TAGS[tag](self, attributes)

    def model(self, attributes: Mapping[str, str]) -> None:
        unit = attributes.get("unit", "millimeter")
        if unit not in _MILLIMETRES:
            message = f"{unit[:20]!r} is no unit of length."
            raise ShapeMalformedError(message)
        if self.is_root:
            self.scene.scale = _MILLIMETRES[unit]

    def object(self, attributes: Mapping[str, str]) -> None:
        key = ObjectKey((self.part, whole(attributes.get("id"))))
        if key in self.scene.solids:
            message = f"The object {key[1]} is there twice."
            raise ShapeMalformedError(message)
        self._solid = self.scene.solids[key] = Solid()

    def vertex(self, attributes: Mapping[str, str]) -> None:
        self._solid.corners.extend(
            _near(number(attributes.get(axis)), self.limits) for axis in ("x", "y", "z")
        )

    def triangle(self, attributes: Mapping[str, str]) -> None:
        self._solid.triangles.extend(whole(attributes.get(at)) for at in ("v1", "v2", "v3"))

    def component(self, attributes: Mapping[str, str]) -> None:
        self._solid.components.append(self._placed(attributes))

    def item(self, attributes: Mapping[str, str]) -> None:
        if self.is_root:
            self.scene.items.append(self._placed(attributes))

    def _placed(self, attributes: Mapping[str, str]) -> Placed:
        path = attributes.get(f"{PRODUCTION} path")
        part = self.part if path is None else part_name(path)
        key = ObjectKey((part, whole(attributes.get("objectid"))))
        return Placed(key=key, transform=_transform(attributes.get("transform")))


_TAGS = {
    "model": _ModelPart.model,
    "object": _ModelPart.object,
    "vertex": _ModelPart.vertex,
    "triangle": _ModelPart.triangle,
    "component": _ModelPart.component,
    "item": _ModelPart.item,
}


def number(text: str | None) -> float:
    """Return the finite number that a document writes.

    Raises:
        CoordinateError: It writes none.
    """
    if text is None or not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        message = f"{(text or '')[:40]!r} is no finite number."
        raise CoordinateError(message, found=ascii((text or "")[:40]))
    return float(text)


def whole(text: str | None) -> int:
    """Return the whole number that a document writes.

    Raises:
        IndexRangeError: It writes none.
    """
    if text is None or not _WHOLE.fullmatch(text):
        message = f"{(text or '')[:40]!r} is no whole number."
        raise IndexRangeError(message, found=ascii((text or "")[:40]))
    return int(text)


def _near(value: float, limits: Limits) -> float:
    if abs(value) > limits.coordinate:
        message = f"The coordinate {value:g} is beyond {limits.coordinate:g}."
        raise CoordinateError(message)
    return value


def _transform(text: str | None) -> Transform:
    if text is None:
        return _IDENTITY
    found = tuple(number(word) for word in text.split())
    if len(found) != len(_IDENTITY):
        message = f"A transform has {len(_IDENTITY)} numbers, not {len(found)}."
        raise ShapeMalformedError(message)
    return found


def _check_references(scene: Scene, limits: Limits) -> None:
    for solid in scene.solids.values():
        if solid.triangles and max(solid.triangles) >= len(solid.corners) // 3:
            message = f"A triangle names corner {max(solid.triangles)}, which is not there."
            raise IndexRangeError(message)
    count = _Counting(scene, limits)
    total = sum(count.of(placed.key, ()) for placed in scene.items)
    if total > limits.triangles:
        message = f"The shape has {total} triangles, more than {limits.triangles}."
        raise TooManyTrianglesError(message, triangles=total)
    if total == 0:
        message = "The file builds nothing."
        raise ShapeMalformedError(message)


@dataclass(slots=True)
class _Counting:
    """How many triangles an object has with all its copies: known before any copy is made.

    An empty object counts as one, since copies of nothing take time, too.
    """

    scene: Scene
    limits: Limits
    _known: dict[ObjectKey, int] = field(default_factory=dict)

    def of(self, key: ObjectKey, above: tuple[ObjectKey, ...]) -> int:
        if key in above:
            message = f"The object {key[1]} is a part of itself."
            raise ComponentCycleError(message, object=key[1])
        if len(above) >= self.limits.depth:
            message = f"Components stand in each other more than {self.limits.depth} deep."
            raise NestingTooDeepError(message, depth=self.limits.depth)
        if key not in self.scene.solids:
            message = f"There is no object {key[1]} in {key[0][:80]!r}."
            raise IndexRangeError(message, object=key[1])
        if key not in self._known:
            solid = self.scene.solids[key]
            below = sum(self.of(one.key, (*above, key)) for one in solid.components)
            own = len(solid.triangles) // 3
            self._known[key] = below + own or 1
        return self._known[key]
