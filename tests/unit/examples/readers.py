"""Small readers of the committed files, written apart from what writes them."""

import re
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from example_design.mesh import Mesh, Vertex

_CORE = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"
_WORD = re.compile(r"([A-Z])(-?(?:\d+\.?\d*|\.\d+))")


def read_stl(path: Path) -> Mesh:
    """Return the mesh of a binary STL file; equal corners become one vertex."""
    data = path.read_bytes()
    (count,) = struct.unpack_from("<I", data, 80)
    if len(data) != 84 + 50 * count:
        message = f"{path} says {count} triangles and has {len(data)} bytes."
        raise ValueError(message)
    numbers: dict[Vertex, int] = {}
    triangles = []
    for at in range(84, len(data), 50):
        values = struct.unpack_from("<9f", data, at + 12)
        corners = [values[0:3], values[3:6], values[6:9]]
        a, b, c = (numbers.setdefault((x, y, z), len(numbers)) for x, y, z in corners)
        triangles.append((a, b, c))
    return Mesh(vertices=tuple(numbers), triangles=triangles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What a 3MF file holds."""

    names: list[str]
    text: str
    unit: str
    metadata: dict[str, str]
    mesh: Mesh


def read_3mf(path: Path) -> Package:
    """Return the only object of a 3MF file."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        text = archive.read("3D/3dmodel.model").decode()
    model = ElementTree.fromstring(text)
    (item,) = model.findall(f"{_CORE}build/{_CORE}item")
    (found,) = model.findall(f"{_CORE}resources/{_CORE}object")
    if item.attrib["objectid"] != found.attrib["id"]:
        message = f"{path} builds another object than it holds."
        raise ValueError(message)
    metadata = {one.attrib["name"]: one.text or "" for one in model.findall(f"{_CORE}metadata")}
    return Package(
        names=names,
        text=text,
        unit=model.attrib["unit"],
        metadata=metadata,
        mesh=Mesh(vertices=_vertices(found), triangles=_triangles(found)),
    )


def _vertices(found: ElementTree.Element) -> list[Vertex]:
    return [
        (float(one.attrib["x"]), float(one.attrib["y"]), float(one.attrib["z"]))
        for one in found.iter(f"{_CORE}vertex")
    ]


def _triangles(found: ElementTree.Element) -> list[tuple[int, int, int]]:
    return [
        (int(one.attrib["v1"]), int(one.attrib["v2"]), int(one.attrib["v3"]))
        for one in found.iter(f"{_CORE}triangle")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command of a G-code file, with where the machine stands after it.

    Args:
        name: The command, for example G1.
        words: Its parameters.
        x: Place across, after it.
        y: Place along, after it.
        z: Height, after it.
        feed: Speed in mm/min, after it.
    """

    name: str
    words: dict[str, float]
    x: float
    y: float
    z: float
    feed: float

    @property
    def lays(self) -> bool:
        """Return whether it lays down material on its way."""
        return self.words.get("E", 0) > 0 and ("X" in self.words or "Y" in self.words)


def read_gcode(path: Path) -> Iterator[Step]:
    """Yield the commands of a file whose extruder moves are relative."""
    place = {"X": 0.0, "Y": 0.0, "Z": 0.0, "F": 0.0}
    for line in path.read_text("ascii").splitlines():
        name, *words = _WORD.findall(line.partition(";")[0]) or [("", "")]
        command = "".join(name)
        values = {letter: float(number) for letter, number in words}
        if command in {"G0", "G1"}:
            place |= {letter: values[letter] for letter in place if letter in values}
        x, y, z, feed = place.values()
        yield Step(name=command, words=values, x=x, y=y, z=z, feed=feed)
