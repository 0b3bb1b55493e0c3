"""The committed solid, meshes and facts are one part, closed, in millimetres."""

import hashlib
import math
import re
import struct

import pytest

from example_design.bracket import Bracket
from example_design.mesh import Mesh
from unit.examples.places import EXAMPLES, document
from unit.examples.readers import read_3mf, read_stl

MIB = 1 << 20


@pytest.fixture(scope="module")
def surface() -> Mesh:
    return read_stl(EXAMPLES / "part.stl")


def exact_volume() -> float:
    return float(document("facts.json")["volume"]["value"])


def test_the_stl_is_watertight(surface: Mesh) -> None:
    assert surface.is_watertight()
    assert len(surface.triangles) == document("facts.json")["mesh"]["triangles"]


def test_the_stl_encloses_the_solids_volume(surface: Mesh) -> None:
    assert surface.volume() == pytest.approx(exact_volume(), rel=0.01)


def test_the_stl_is_binary_and_says_its_unit() -> None:
    data = (EXAMPLES / "part.stl").read_bytes()

    assert not data.startswith(b"solid")
    assert b"in millimetres" in data[:80]


def test_the_stls_normals_follow_its_corners() -> None:
    data = (EXAMPLES / "part.stl").read_bytes()

    for normal, *corners in struct.iter_unpack("<12s12s12s12s2x", data[84:]):
        (nx, ny, nz), a, b, c = (struct.unpack("<3f", one) for one in (normal, *corners))
        u, v = ([q - p for p, q in zip(a, end, strict=True)] for end in (b, c))
        cross = (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])
        along = nx * cross[0] + ny * cross[1] + nz * cross[2]
        assert along == pytest.approx(math.hypot(*cross), rel=1e-2)


def test_the_3mf_is_the_stls_part(surface: Mesh) -> None:
    package = read_3mf(EXAMPLES / "part.3mf")

    assert package.mesh.is_watertight()
    assert package.mesh.volume() == pytest.approx(surface.volume(), rel=1e-6)
    assert package.mesh.volume() == pytest.approx(exact_volume(), rel=0.01)
    for ours, theirs in zip(package.mesh.box(), surface.box(), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-4)


def test_the_3mf_follows_the_core_specification() -> None:
    package = read_3mf(EXAMPLES / "part.3mf")

    assert package.names == ["[Content_Types].xml", "_rels/.rels", "3D/3dmodel.model"]
    assert package.unit == "millimeter"
    assert package.metadata["Title"] == "Pipe bracket 22"
    assert package.metadata["LicenseTerms"] == "Apache-2.0"
    assert "<!DOCTYPE" not in package.text
    assert "<!ENTITY" not in package.text


def test_the_step_file_is_one_solid_in_millimetres() -> None:
    text = (EXAMPLES / "part.step").read_text("ascii")

    assert text.startswith("ISO-10303-21;")
    assert text.rstrip().endswith("END-ISO-10303-21;")
    assert "AP242_MANAGED_MODEL_BASED_3D_ENGINEERING" in text
    assert text.count("MANIFOLD_SOLID_BREP(") == 1
    assert "SI_UNIT(.MILLI.,.METRE.)" in text


def test_the_step_file_has_the_brackets_round_faces() -> None:
    text = (EXAMPLES / "part.step").read_text("ascii")

    found = re.findall(r"CYLINDRICAL_SURFACE\('',#\d+,([\d.]+)\)", text)

    radii = {round(float(radius), 6) for radius in found}
    bracket = Bracket()
    assert {bracket.bore / 2, bracket.outer_radius, bracket.hole / 2, 5.0, 1.7} == radii


@pytest.mark.parametrize("name", ["part.step", "part.3mf", "part.stl"])
def test_no_file_says_a_day(name: str) -> None:
    data = (EXAMPLES / name).read_bytes()

    assert set(re.findall(rb"\b20\d\d-\d\d-\d\d", data)) == set()


def test_the_box_is_the_brackets(surface: Mesh) -> None:
    bracket = Bracket()

    least, greatest = surface.box()

    half = bracket.plate_length / 2
    assert least == pytest.approx((-half, 0, 0), abs=1e-4)
    assert greatest[0] == pytest.approx(half)
    assert greatest[2] == pytest.approx(bracket.width)


def test_the_mesh_has_the_bore_and_the_mouth(surface: Mesh) -> None:
    bracket = Bracket()
    middle = [(x, y) for x, y, z in surface.vertices if 0.5 < z < bracket.width - 0.5]
    high = [(x, y) for x, y, z in surface.vertices if y > bracket.axis_height]

    nearest = min(math.dist(point, (0, bracket.axis_height)) for point in middle)
    gap = 2 * min(abs(x) for x, _ in high)

    assert nearest == pytest.approx(bracket.bore / 2, abs=0.01)
    assert gap == pytest.approx(bracket.mouth, abs=0.02)


def test_the_facts_name_every_file_by_its_digest() -> None:
    listed = {fact["path"]: fact for fact in document("facts.json")["files"]}
    kept = [path for path in EXAMPLES.rglob("*") if path.suffix in {".step", ".stl", ".3mf"}]
    kept += EXAMPLES.glob("gcode/*")

    assert sorted(listed) == sorted(path.relative_to(EXAMPLES).as_posix() for path in kept)
    for path, fact in listed.items():
        data = (EXAMPLES / path).read_bytes()
        assert (fact["size"], fact["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


def test_the_example_stays_small() -> None:
    sizes = [path.stat().st_size for path in EXAMPLES.rglob("*") if path.is_file()]

    assert max(sizes) < MIB
    assert sum(sizes) < 3 * MIB
