"""The bracket as an exact solid: its STEP file, its volume and its mesh.

Open CASCADE (PyPI ``cadquery-ocp-novtk``) is imported here and nowhere else.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from OCP.BRep import BRep_Tool
from OCP.BRepAdaptor import BRepAdaptor_Curve
from OCP.BRepAlgoAPI import BRepAlgoAPI_Cut
from OCP.BRepBuilderAPI import (
    BRepBuilderAPI_MakeEdge,
    BRepBuilderAPI_MakeFace,
    BRepBuilderAPI_MakeWire,
)
from OCP.BRepCheck import BRepCheck_Analyzer
from OCP.BRepFilletAPI import BRepFilletAPI_MakeChamfer
from OCP.BRepGProp import BRepGProp
from OCP.BRepMesh import BRepMesh_IncrementalMesh
from OCP.BRepPrimAPI import (
    BRepPrimAPI_MakeBox,
    BRepPrimAPI_MakeCone,
    BRepPrimAPI_MakeCylinder,
    BRepPrimAPI_MakePrism,
)
from OCP.GC import GC_MakeArcOfCircle
from OCP.gp import gp_Ax2, gp_Dir, gp_Pnt, gp_Vec
from OCP.GProp import GProp_GProps
from OCP.Interface import Interface_Static
from OCP.Message import Message
from OCP.STEPControl import STEPControl_AsIs, STEPControl_Controller, STEPControl_Writer
from OCP.TopAbs import TopAbs_EDGE, TopAbs_FACE, TopAbs_REVERSED, TopAbs_SOLID
from OCP.TopExp import TopExp_Explorer
from OCP.TopLoc import TopLoc_Location
from OCP.TopoDS import TopoDS, TopoDS_Edge, TopoDS_Face, TopoDS_Shape

from example_design.bracket import Arc, Bracket, Segment
from example_design.mesh import Mesh, Vertex

Shape: TypeAlias = TopoDS_Shape

_STRAY = 0.02  # how far a triangle may lie from the true surface, in millimetres
_TURN = 0.15  # how far two neighbouring triangles may turn on a round face, in radians
_NOUGHT = 1e-6  # what counts as no distance, in millimetres
_NO_DAY = "1980-01-01T00:00:00"  # the files say no day of making: they stay the same bytes


def solid(bracket: Bracket) -> Shape:
    """Return the bracket as one solid that stands as it is printed: the pipe's axis upright."""
    body = _prism(bracket)
    for cutter in (*_corners(bracket), *_holes(bracket), _tie_slot(bracket)):
        body = BRepAlgoAPI_Cut(body, cutter).Shape()
    return _bevelled(body, bracket)


def _prism(bracket: Bracket) -> Shape:
    wire = BRepBuilderAPI_MakeWire()
    for segment in bracket.outline():
        wire.Add(_edge(segment))
    face = BRepBuilderAPI_MakeFace(wire.Wire()).Face()
    return BRepPrimAPI_MakePrism(face, gp_Vec(0, 0, bracket.width)).Shape()


def _edge(segment: Segment) -> TopoDS_Edge:
    start, end = gp_Pnt(*segment.start, 0), gp_Pnt(*segment.end, 0)
    if isinstance(segment, Arc):
        curve = GC_MakeArcOfCircle(start, gp_Pnt(*segment.through, 0), end).Value()
        return BRepBuilderAPI_MakeEdge(curve).Edge()
    return BRepBuilderAPI_MakeEdge(start, end).Edge()


def _corners(bracket: Bracket) -> Iterator[Shape]:
    # Cut at 45 degrees, so that the plate prints upright without support.
    for side in (-1, 1):
        for base, up in ((0.0, 1), (bracket.width, -1)):
            yield _wedge(bracket, x=side * bracket.plate_length / 2, z=base, turn=(-side, up))


def _wedge(bracket: Bracket, *, x: float, z: float, turn: tuple[int, int]) -> Shape:
    ends = (
        gp_Pnt(x, 0, z),
        gp_Pnt(x + turn[0] * bracket.corner, 0, z),
        gp_Pnt(x, 0, z + turn[1] * bracket.corner),
    )
    wire = BRepBuilderAPI_MakeWire()
    for start, end in zip(ends, (*ends[1:], ends[0]), strict=True):
        wire.Add(BRepBuilderAPI_MakeEdge(start, end).Edge())
    face = BRepBuilderAPI_MakeFace(wire.Wire()).Face()
    return BRepPrimAPI_MakePrism(face, gp_Vec(0, bracket.plate_thickness, 0)).Shape()


def _holes(bracket: Bracket) -> Iterator[Shape]:
    depth = (bracket.countersink - bracket.hole) / 2  # a countersunk head of 90 degrees
    for x in (-bracket.hole_spacing / 2, bracket.hole_spacing / 2):
        shank = _along_y(x, 0, bracket.width / 2)
        head = _along_y(x, bracket.plate_thickness - depth, bracket.width / 2)
        yield BRepPrimAPI_MakeCylinder(shank, bracket.hole / 2, bracket.plate_thickness).Shape()
        yield BRepPrimAPI_MakeCone(head, bracket.hole / 2, bracket.countersink / 2, depth).Shape()


def _along_y(x: float, y: float, z: float) -> gp_Ax2:
    return gp_Ax2(gp_Pnt(x, y, z), gp_Dir(0, 1, 0))


def _tie_slot(bracket: Bracket) -> Shape:
    reach = bracket.outer_radius
    corner = gp_Pnt(-reach, bracket.tie_base, (bracket.width - bracket.tie_width) / 2)
    return BRepPrimAPI_MakeBox(corner, 2 * reach, bracket.tie_height, bracket.tie_width).Shape()


def _bevelled(body: Shape, bracket: Bracket) -> Shape:
    chamfer = BRepFilletAPI_MakeChamfer(body)
    for edge in _edges(body):
        low, high = _heights(edge)
        if high < _NOUGHT or low > bracket.width - _NOUGHT:
            chamfer.Add(bracket.edge, edge)
    solids = TopExp_Explorer(chamfer.Shape(), TopAbs_SOLID)
    return TopoDS.Solid(solids.Current())


def _edges(shape: Shape) -> Iterator[TopoDS_Edge]:
    explorer = TopExp_Explorer(shape, TopAbs_EDGE)
    while explorer.More():
        yield TopoDS.Edge(explorer.Current())
        explorer.Next()


def _heights(edge: TopoDS_Edge) -> tuple[float, float]:
    curve = BRepAdaptor_Curve(edge)
    steps = (curve.FirstParameter(), curve.LastParameter())
    heights = [curve.Value(step).Z() for step in (*steps, sum(steps) / 2)]
    return min(heights), max(heights)


def volume(shape: Shape) -> float:
    """Return the exact volume in cubic millimetres."""
    properties = GProp_GProps()
    BRepGProp.VolumeProperties_s(shape, properties)
    return float(properties.Mass())


def is_valid(shape: Shape) -> bool:
    """Return whether the kernel finds no fault in topology and geometry."""
    return bool(BRepCheck_Analyzer(shape).IsValid())


def step(shape: Shape, *, name: str, folder: Path) -> bytes:
    """Return ``shape`` as a STEP file (ISO 10303-242) without date; ``folder`` is for scratch."""
    Message.DefaultMessenger_s().ChangePrinters().Clear()
    STEPControl_Controller.Init_s()
    Interface_Static.SetCVal_s("write.step.schema", "AP242DIS")
    Interface_Static.SetIVal_s("write.surfacecurve.mode", 0)
    writer = STEPControl_Writer()
    writer.Transfer(shape, STEPControl_AsIs)
    file = folder / "part.step"
    writer.Write(str(file))
    return _signed(file.read_text("ascii"), name=name).encode("ascii")


def _signed(text: str, *, name: str) -> str:
    # The kernel writes the time of day and its own name where ours belong.
    head = (
        f"FILE_DESCRIPTION(('{name}'),'2;1');\n"
        f"FILE_NAME('part.step','{_NO_DAY}',('Guildmark'),('Guildmark'),'Open CASCADE','','');"
    )
    text = re.sub(r"FILE_DESCRIPTION.*?;1'\);\s*FILE_NAME\(.*?\);", head, text, flags=re.DOTALL)
    return re.sub(r"PRODUCT\('[^']*',\s*'[^']*'", f"PRODUCT('{name}','{name}'", text)


def mesh(shape: Shape) -> Mesh:
    """Return the surface as triangles that stray at most 0.02 mm from it."""
    BRepMesh_IncrementalMesh(shape, _STRAY, False, _TURN, False)
    vertices: dict[Vertex, int] = {}
    triangles = [
        (numbers[0], numbers[1], numbers[2])
        for corners in _triangles(shape)
        for numbers in [[vertices.setdefault(corner, len(vertices)) for corner in corners]]
    ]
    return Mesh(vertices=tuple(vertices), triangles=triangles)


def _triangles(shape: Shape) -> Iterator[tuple[Vertex, ...]]:
    explorer = TopExp_Explorer(shape, TopAbs_FACE)
    while explorer.More():
        yield from _face_triangles(TopoDS.Face(explorer.Current()))
        explorer.Next()


def _face_triangles(face: TopoDS_Face) -> Iterator[tuple[Vertex, ...]]:
    place = TopLoc_Location()
    facets = BRep_Tool.Triangulation_s(face, place)
    for number in range(1, facets.NbTriangles() + 1):
        corners = tuple(
            _rounded(facets.Node(node).Transformed(place.Transformation()))
            for node in facets.Triangle(number).Get()
        )
        yield corners[::-1] if face.Orientation() == TopAbs_REVERSED else corners


def _rounded(point: gp_Pnt) -> Vertex:
    # Neighbouring faces meet in equal numbers; adding zero turns -0.0 into 0.0.
    return round(point.X(), 4) + 0.0, round(point.Y(), 4) + 0.0, round(point.Z(), 4) + 0.0
