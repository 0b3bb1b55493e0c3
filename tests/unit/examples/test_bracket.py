"""The generator's own parts: outline, mesh, drawing, profiles, and what the slicers make again."""

import math
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from example_design.bracket import Arc, Bracket
from example_design.drawing import drawing
from example_design.mesh import Mesh, stl, three_mf
from example_design.slicing import SlicingError, read_profile, slice_part
from unit.examples.places import EXAMPLES, SITES, site
from unit.examples.readers import read_3mf, read_stl

TETRAHEDRON = Mesh(
    vertices=((0, 0, 0), (6, 0, 0), (0, 6, 0), (0, 0, 6)),
    triangles=((0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2)),
)


@pytest.mark.parametrize("bracket", [Bracket(), Bracket(bore=28.2, axis_height=30, mouth=23)])
def test_the_outline_is_closed_and_symmetric(bracket: Bracket) -> None:
    pieces = list(bracket.outline())

    for piece, following in zip(pieces, [*pieces[1:], pieces[0]], strict=True):
        assert piece.end == pytest.approx(following.start)
    ends = {(round(x, 9), round(y, 9)) for x, y in (piece.start for piece in pieces)}
    assert {(-x, y) for x, y in ends} == ends


def test_the_roots_arc_is_round() -> None:
    bracket = Bracket()
    root = next(piece for piece in bracket.outline() if isinstance(piece, Arc))
    centre = (root.start[0], bracket.plate_thickness + bracket.root_radius)

    for point in (root.start, root.through, root.end):
        assert math.dist(point, centre) == pytest.approx(bracket.root_radius)


def test_a_lip_ends_at_half_the_mouth() -> None:
    bracket = Bracket()
    middle = bracket.inner_radius + bracket.wall / 2

    assert middle * math.sin(bracket.lip_angle) - bracket.wall / 2 == pytest.approx(9.0)


def test_a_tetrahedron_is_measured() -> None:
    assert TETRAHEDRON.volume() == pytest.approx(36)
    assert TETRAHEDRON.box() == ((0, 0, 0), (6, 6, 6))
    assert TETRAHEDRON.is_watertight()


def test_a_mesh_with_a_hole_is_not_watertight() -> None:
    open_mesh = Mesh(vertices=TETRAHEDRON.vertices, triangles=TETRAHEDRON.triangles[:3])

    assert not open_mesh.is_watertight()


def test_a_mesh_with_a_turned_triangle_is_not_watertight() -> None:
    turned = Mesh(vertices=TETRAHEDRON.vertices, triangles=((0, 1, 2), *TETRAHEDRON.triangles[1:]))

    assert not turned.is_watertight()


def test_files_of_a_mesh_read_back(tmp_path: Path) -> None:
    (tmp_path / "t.stl").write_bytes(stl(TETRAHEDRON, title="t"))
    (tmp_path / "t.3mf").write_bytes(three_mf(TETRAHEDRON, name="t", metadata=[("Title", "t")]))

    assert read_stl(tmp_path / "t.stl").volume() == pytest.approx(36)
    assert read_3mf(tmp_path / "t.3mf").mesh == Mesh(
        vertices=list(TETRAHEDRON.vertices), triangles=list(TETRAHEDRON.triangles)
    )


def test_the_committed_drawing_follows_from_the_measures() -> None:
    text = drawing(Bracket())

    assert (EXAMPLES / "drawing.svg").read_text() == text
    assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    assert re.findall(r">(\w+) ([\d.]+)</text>", text) == [
        ("mouth", "18.00"),
        ("hole_spacing", "44.00"),
        ("axis_height", "24.00"),
        ("bore", "22.20"),
        ("width", "16.00"),
    ]


def test_a_profile_is_read_without_its_comments(tmp_path: Path) -> None:
    profile = tmp_path / "p.ini"
    profile.write_text("# a = b\n\nlayer_height = 0.4\nstart =\nend = G1 X=1\n")

    assert read_profile(profile) == {"layer_height": "0.4", "start": "", "end": "G1 X=1"}


@pytest.mark.parametrize("name", SITES)
def test_a_missing_slicer_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SlicingError, match=r"is not installed: run `make system`\.$"):
        make_again(name)


@pytest.mark.needs("slic3r")
@pytest.mark.parametrize("name", ["site-a", "site-c"])
def test_slic3r_makes_the_same_job_again(name: str) -> None:
    assert make_again(name) == (EXAMPLES / site(name)["job"]).read_bytes()


@pytest.mark.needs("cura-engine")
def test_cura_makes_the_same_job_again() -> None:
    assert make_again("site-b") == (EXAMPLES / site("site-b")["job"]).read_bytes()


@pytest.mark.needs("cura-engine")
def test_a_slicer_that_fails_is_quoted(tmp_path: Path) -> None:
    for profile in ("site-b.ini", "cura-idle.ini"):
        shutil.copy(EXAMPLES / "profiles" / profile, tmp_path)
    short = (tmp_path / "site-b.ini").read_text().replace("\nlayer_height = 0.36\n", "\n")
    (tmp_path / "site-b.ini").write_text(short)

    with pytest.raises(SlicingError, match=r"(?s)CuraEngine failed: .*layer_height"):
        slice_part(EXAMPLES / "part.stl", tmp_path / "site-b.ini", slicer="CuraEngine")


def make_again(name: str) -> bytes:
    profile = EXAMPLES / site(name)["profile"]
    return slice_part(EXAMPLES / "part.stl", profile, slicer=site(name)["slicer"])
