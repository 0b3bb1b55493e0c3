"""Files of shapes: what is measured of honest ones, and each kind of hostile one refused."""

import io
import json
import os
import platform
import struct
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fakes.meshes import (
    CUBE_FACES,
    RELATIONSHIPS,
    binary_stl,
    mesh_xml,
    model_xml,
    packed,
    text_stl,
    threemf,
)
from guildmark.adapters.shapes import confined, confinement, refusals
from guildmark.adapters.shapes.archive import open_archive
from guildmark.adapters.shapes.confinement import Bounds
from guildmark.adapters.shapes.limits import LIMITS
from guildmark.adapters.shapes.markup import Reader
from guildmark.adapters.shapes.measuring import measure
from guildmark.domain.errors import ContentError, GuildmarkError
from guildmark.domain.rights.geometry import Geometry

EXAMPLES = Path(__file__).parents[3] / "examples"
CUBE = {"box": ["1", "1", "1"], "triangles": 12, "watertight": True, "volume": "1"}


def measured(data: bytes, kind: str = "3mf", **limits: int) -> Geometry:
    return measure(data, kind, replace(LIMITS, **limits))


def refused(data: bytes, kind: str = "3mf", **limits: int) -> str:
    with pytest.raises(GuildmarkError) as caught:
        measured(data, kind, **limits)
    assert isinstance(caught.value, ContentError)
    return caught.value.code


# What is measured


@pytest.mark.parametrize("data", [binary_stl(), text_stl()])
def test_an_stl_is_measured_and_names_no_unit(data: bytes) -> None:
    assert measured(data, "stl").to_json() == {"unit": "unstated", **CUBE}


@pytest.mark.parametrize(
    ("unit", "edge", "volume"),
    [("millimeter", "1", "1"), ("inch", "25.4", "16387.1"), ("micron", "0.001", "0.000000001")],
)
def test_a_3mf_is_measured_in_millimetres(unit: str, edge: str, volume: str) -> None:
    found = measured(threemf(model_xml(unit=unit))).mesh

    assert found is not None
    assert (found.box, found.volume) == ((edge,) * 3, volume)


def test_a_mesh_with_a_hole_has_no_volume() -> None:
    objects = f'<object id="1">{mesh_xml(CUBE_FACES[1:])}</object>'

    found = measured(threemf(model_xml(objects))).mesh

    assert found is not None
    assert (found.is_watertight, found.volume, found.triangles) == (False, None, 11)


def test_copies_are_placed_and_counted() -> None:
    turned = "0 2 0 -2 0 0 0 0 2 10 0 0"
    objects = (
        f'<object id="1">{mesh_xml()}</object><object id="2"><components>'
        f'<component objectid="1"/><component objectid="1" transform="{turned}"/>'
        "</components></object>"
    )

    found = measured(threemf(model_xml(objects, '<item objectid="2"/>'))).mesh

    assert found is not None
    assert (found.box, found.triangles, found.volume) == (("10", "2", "2"), 24, "9")


def test_a_component_may_be_in_another_part() -> None:
    other = model_xml(items="")
    root = model_xml(
        '<object id="7"><components><component objectid="1" p:path="/3D/other.model"/>'
        "</components></object>",
        '<item objectid="7"/>',
    )

    found = measured(threemf(root, {"3D/other.model": other})).mesh

    assert found is not None
    assert found.volume == "1"


def test_the_example_s_facts_are_those_that_a_cad_kernel_wrote() -> None:
    facts = json.loads((EXAMPLES / "facts.json").read_bytes())["mesh"]

    for name in ("part.stl", "part.3mf"):
        with (EXAMPLES / name).open("rb") as file:
            found = confined.measure(file, name.rpartition(".")[2]).mesh
        assert found is not None
        assert found.volume == facts["volume"]["value"]
        assert found.triangles == facts["triangles"]
        assert found.is_watertight is facts["watertight"]


STEP = (
    "ISO-10303-21;\nHEADER;\nFILE_SCHEMA(('AUTOMOTIVE_DESIGN { 1 0 10303 }'));\nENDSEC;\nDATA;\n"
    "#1=(LENGTH_UNIT() NAMED_UNIT(*) SI_UNIT({prefix},.METRE.));\n{more}ENDSEC;\n"
    "END-ISO-10303-21;\n"
)


@pytest.mark.parametrize(
    ("prefix", "more", "unit"),
    [
        (".MILLI.", "", "mm"),
        ("$", "", "m"),
        (".KILO.", "", "unstated"),
        (".MILLI.", "#2=SI_UNIT($,.METRE.);", "unstated"),
        (".MILLI.", "#2=CONVERSION_BASED_UNIT('INCH',#3);", "unstated"),
    ],
)
def test_a_step_file_says_its_schema_and_its_one_unit(prefix: str, more: str, unit: str) -> None:
    data = STEP.replace("{prefix}", prefix).replace("{more}", more).encode()

    assert measured(data, "step").to_json() == {"unit": unit, "schema": "AUTOMOTIVE_DESIGN"}


@pytest.mark.parametrize("part", ["ISO-10303-21;\nHEADER", "FILE_SCHEMA", "END-ISO-10303-21;"])
def test_a_step_file_without_its_frame_is_none(part: str) -> None:
    assert refused(STEP.replace(part, "").encode(), "stp") == "shape.malformed"


# STL


@pytest.mark.parametrize("count", [11, 13, 2**32 - 1])
def test_a_header_must_announce_the_triangles_that_are_there(count: int) -> None:
    assert refused(binary_stl(count).replace(b"solid", b"parts"), "stl") == "shape.triangleCount"


@pytest.mark.parametrize("corner", ["nan", "inf", "-inf", "1e9999", "100001", "0x1", "zero"])
def test_a_corner_is_a_finite_number(corner: str) -> None:
    assert refused(text_stl(corner), "stl") == "shape.coordinate"
    if corner in {"nan", "inf", "-inf", "100001"}:
        assert refused(binary_stl(corner=float(corner)), "stl") == "shape.coordinate"


def test_a_corner_may_be_as_far_away_as_is_allowed() -> None:
    assert measured(binary_stl(corner=100_000.0), "stl").mesh is not None
    assert measured(text_stl("-100000"), "stl").mesh is not None


def test_as_many_triangles_are_read_as_are_allowed() -> None:
    for data, kind in ((binary_stl(), "stl"), (text_stl(), "stl"), (threemf(), "3mf")):
        assert measured(data, kind, triangles=12).mesh is not None
        assert refused(data, kind, triangles=11) == "shape.tooManyTriangles"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x" * 83,
        b"x" * 80 + bytes(4),
        b"solid nothing\nendsolid nothing\n",
        text_stl().replace(b"endloop", b"endpool", 1),
        text_stl().replace(b"endfacet", b"", 1),
    ],
)
def test_what_is_no_stl_is_refused(data: bytes) -> None:
    assert refused(data, "stl") == "shape.malformed"


# Archives


def test_an_archive_has_as_many_entries_as_are_allowed() -> None:
    assert measured(threemf(), entries=3).mesh is not None
    assert refused(threemf(), entries=2) == "shape.archiveEntries"


def test_an_entry_unpacks_to_as_much_as_is_allowed() -> None:
    data = threemf(more={"bomb": bytes(100_000)})
    packed_size = zipfile.ZipFile(io.BytesIO(data)).getinfo("bomb").compress_size
    ratio = -(-100_000 // packed_size)

    assert measured(data, free=10_000, ratio=ratio).mesh is not None
    assert measured(data, free=100_000, ratio=1).mesh is not None
    assert refused(data, free=99_999, ratio=ratio - 1) == "shape.archiveBomb"


def test_an_archive_unpacks_to_as_much_as_is_allowed() -> None:
    total = sum(info.file_size for info in zipfile.ZipFile(io.BytesIO(threemf())).infolist())

    assert measured(threemf(), total=total).mesh is not None
    assert refused(threemf(), total=total - 1) == "shape.archiveBomb"


def test_two_hundred_mebibytes_of_nothing_are_refused_unread() -> None:
    assert refused(threemf(more={"zeros": bytes(200 << 20)})) == "shape.archiveBomb"


def directory_at(data: bytes) -> int:
    return int.from_bytes(data[(end := data.rindex(b"PK\x05\x06")) + 16 : end + 20], "little")


@pytest.mark.parametrize("offset", [0, 1, 10_000])
def test_entries_that_share_bytes_are_refused(offset: int) -> None:
    data = bytearray(threemf())
    second = data.index(b"PK\x01\x02", directory_at(bytes(data)) + 4)
    # Where the second entry begins, by the directory.
    data[second + 42 : second + 46] = struct.pack("<I", offset)

    assert refused(bytes(data)) == "shape.archiveOverlap"


def test_an_entry_that_reaches_into_the_next_one_is_refused() -> None:
    data = bytearray(threemf())
    first = directory_at(bytes(data))
    size = struct.unpack_from("<I", data, first + 20)[0]
    data[first + 20 : first + 24] = struct.pack("<I", size + 1)

    assert refused(bytes(data)) == "shape.archiveOverlap"


@pytest.mark.parametrize(
    "name",
    [
        *("../evil", "a/../../evil", "/etc/passwd", "a//b", "a/./b", "C:/evil", "a\\b", "a\nb"),
        *("x" * 256, "a?", "\u202egnp.exe", "3d/3DMODEL.model"),
    ],
)
def test_a_name_that_leads_out_or_deceives_is_refused(name: str) -> None:
    assert refused(threemf(more={name: b""})) == "shape.archiveName"


def test_a_name_may_be_as_long_as_is_allowed() -> None:
    assert measured(threemf(more={"x" * 255: b"", "folder/": b""})).mesh is not None


@pytest.mark.parametrize("flag", [1, 64, 8192])
def test_an_encrypted_entry_is_refused(flag: int) -> None:
    data = bytearray(threemf())
    data[directory_at(bytes(data)) + 8 : directory_at(bytes(data)) + 10] = struct.pack("<H", flag)

    assert refused(bytes(data)) == "shape.archiveEncrypted"


def test_an_entry_that_only_its_own_header_calls_encrypted_is_refused() -> None:
    data = bytearray(threemf())
    data[6] |= 1

    assert refused(bytes(data)) == "shape.archiveOverlap"


def test_an_unknown_way_of_packing_is_refused() -> None:
    sink = io.BytesIO(threemf())
    with zipfile.ZipFile(sink, "a", zipfile.ZIP_LZMA) as file:
        file.writestr("packed", b"otherwise")

    assert refused(sink.getvalue()) == "shape.archiveEncrypted"


def test_a_damaged_entry_is_refused() -> None:
    data = bytearray(threemf())
    data[data.index(b"3D/3dmodel.model") + 30] ^= 0xFF

    assert refused(bytes(data)) == "shape.malformed"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        b"#!/bin/sh\n" + threemf(),
        threemf()[:-30],
        packed({"a": b"no relationships"}),
        packed({"_rels/.rels": b"<none/>"}),
        packed({"_rels/.rels": RELATIONSHIPS.format(more="").encode()}),
        packed({"_rels/.rels": RELATIONSHIPS.replace("/3D/", "/../").format(more="").encode()}),
    ],
)
def test_what_is_no_3mf_is_refused(data: bytes) -> None:
    assert refused(data) == "shape.malformed"


# XML

LAUGHS = b'<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><model>&b;</model>'


@pytest.mark.parametrize(
    "xml",
    [
        LAUGHS,
        b"<!DOCTYPE model><model/>",
        b'<!DOCTYPE model SYSTEM "http://example.org/model.dtd"><model/>',
        b'<!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]><m>&x;</m>',
        b'<!DOCTYPE m [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]><m/>',
    ],
)
def test_a_document_type_is_refused(xml: bytes) -> None:
    assert refused(threemf(xml)) == "shape.markupForbidden"


def test_elements_stand_as_deep_as_is_allowed() -> None:
    def nested(depth: int) -> None:
        Reader(lambda *_: None).read(b"<a>" * depth + b"</a>" * depth)

    nested(LIMITS.depth)
    with pytest.raises(refusals.NestingTooDeepError):
        nested(LIMITS.depth + 1)


@pytest.mark.parametrize("xml", [b"<model>", b"\xff", b"<a/><b/>", b"<a>&unknown;</a>"])
def test_what_is_no_xml_is_refused(xml: bytes) -> None:
    assert refused(threemf(xml)) == "shape.malformed"


# 3MF


@pytest.mark.parametrize("corner", ["nan", "INF", "1e999", "1_0", "", "100001", "\u0663"])
def test_a_coordinate_is_a_finite_number(corner: str) -> None:
    objects = f'<object id="1">{mesh_xml(corner=corner)}</object>'

    assert refused(threemf(model_xml(objects))) == "shape.coordinate"


@pytest.mark.parametrize("index", ["8", "-1", "4294967296", "1.0", "one"])
def test_a_triangle_names_corners_that_are_there(index: str) -> None:
    objects = f'<object id="1">{mesh_xml([(0, 1, index)])}</object>'

    assert refused(threemf(model_xml(objects))) == "shape.indexRange"


def test_a_copy_that_is_moved_too_far_is_refused() -> None:
    far = '<item objectid="1" transform="1 0 0 0 1 0 0 0 1 {} 0 0"/>'

    assert measured(threemf(model_xml(items=far.format(99_999)))).mesh is not None
    assert refused(threemf(model_xml(items=far.format(100_000)))) == "shape.coordinate"
    assert refused(threemf(model_xml(items=far.format("nan")))) == "shape.coordinate"


def chain_of(length: int, copies: int = 1, mesh: str | None = None) -> bytes:
    objects = [f'<object id="1">{mesh_xml() if mesh is None else mesh}</object>']
    objects += [
        f'<object id="{at}"><components>'
        + f'<component objectid="{at - 1}"/>' * copies
        + "</components></object>"
        for at in range(2, length + 1)
    ]
    return threemf(model_xml("".join(objects), f'<item objectid="{length}"/>'))


def test_components_stand_as_deep_as_is_allowed() -> None:
    assert measured(chain_of(LIMITS.depth)).mesh is not None
    assert refused(chain_of(LIMITS.depth + 1)) == "shape.nestingTooDeep"


def test_copies_of_copies_are_counted_before_one_is_made() -> None:
    assert refused(chain_of(30, copies=10)) == "shape.tooManyTriangles"
    assert refused(chain_of(30, copies=10, mesh="")) == "shape.tooManyTriangles"
    assert refused(chain_of(3, copies=10, mesh="")) == "shape.malformed"


@pytest.mark.parametrize("over", [1, 2, 3])
def test_an_object_that_is_a_part_of_itself_is_refused(over: int) -> None:
    objects = "".join(
        f'<object id="{at}"><components><component objectid="{at % over + 1}"/>'
        "</components></object>"
        for at in range(1, over + 1)
    )

    assert refused(threemf(model_xml(objects))) == "shape.componentCycle"


@pytest.mark.parametrize(
    ("model", "code"),
    [
        (model_xml(items='<item objectid="2"/>'), "shape.indexRange"),
        (model_xml(items='<item objectid="1" p:path="/3D/none.model"/>'), "shape.malformed"),
        (model_xml(items='<item objectid="1" p:path="../../x"/>'), "shape.malformed"),
        (model_xml(items='<item objectid="1" transform="1 0 0"/>'), "shape.malformed"),
        (model_xml(items=""), "shape.malformed"),
        (model_xml(unit="parsec"), "shape.malformed"),
        (model_xml('<object id="1"/>' * 2), "shape.malformed"),
        (b"<model/>", "shape.malformed"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(model: bytes, code: str) -> None:
    assert refused(threemf(model)) == code


# Anything


def mutated(whole: bytes) -> st.SearchStrategy[bytes]:
    changes = st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255))

    def apply(found: list[tuple[int, int]]) -> bytes:
        data = bytearray(whole)
        for at, value in found:
            data[at] = value
        return bytes(data)

    return st.lists(changes, min_size=1, max_size=8).map(apply)


def is_answered(data: bytes, kind: str) -> bool:
    try:
        measured(data, kind)
    except ContentError as exc:
        return exc.code.startswith("shape.")
    return True


@given(st.one_of(mutated(threemf()), mutated(model_xml()).map(threemf), st.binary(max_size=200)))
@example(threemf()[: len(threemf()) // 2])
def test_any_3mf_is_measured_or_refused(data: bytes) -> None:
    assert is_answered(data, "3mf")


@given(st.one_of(mutated(binary_stl()), mutated(text_stl()), st.binary(max_size=200)))
def test_any_stl_is_measured_or_refused(data: bytes) -> None:
    assert is_answered(data, "stl")


@given(st.one_of(mutated(STEP.encode()), st.binary(max_size=200)))
def test_any_step_file_is_read_or_refused(data: bytes) -> None:
    assert is_answered(data, "step")


# The child


def in_child(data: bytes, **bounds: int) -> bytes:
    return confined.run("measure", io.BytesIO(data), {"kind": "3mf"}, Bounds(**bounds))


def test_a_child_answers_or_refuses_with_its_own_code() -> None:
    assert json.loads(in_child(threemf())) == {"unit": "mm", **CUBE}
    with pytest.raises(refusals.ComponentCycleError) as caught:
        in_child(
            threemf(
                model_xml(
                    '<object id="1"><components><component objectid="1"/></components></object>'
                )
            )
        )
    assert caught.value.detail == {"object": 1}


@pytest.mark.parametrize("bounds", [{"memory": 64 << 20}, {"output": 10}, {"seconds": 0}])
def test_a_child_that_needs_more_than_it_may_is_ended(bounds: dict[str, int]) -> None:
    with pytest.raises(refusals.ShapeTooCostlyError):
        in_child(threemf(), **bounds)


def test_a_file_larger_than_what_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.stl"
    with path.open("wb") as file:
        file.truncate(LIMITS.size + 1)

    with path.open("rb") as file, pytest.raises(refusals.ShapeTooLargeError):
        confined.measure(file, "stl")
    assert confined.is_read(LIMITS.size)
    assert not confined.is_read(LIMITS.size + 1)


def forked(attempt: Callable[[], object]) -> int:
    """Return what ended a child that gave everything up and then attempts something."""
    child = os.fork()
    if child == 0:
        os._exit(_attempted(attempt))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _attempted(attempt: Callable[[], object]) -> int:
    try:
        confinement.confine(Bounds(memory=8 << 30))
        confinement.isolate()
        attempt()
    except PermissionError:
        return 13
    except BaseException:  # noqa: BLE001 - a fork must never come back into the runner
        return 1
    return 0


def test_a_child_reaches_neither_network_programs_nor_files(tmp_path: Path) -> None:
    import socket  # noqa: PLC0415 - what is refused below
    import subprocess  # noqa: PLC0415

    assert forked((EXAMPLES / "facts.json").read_bytes) == 0
    assert forked(socket.socketpair) == 13
    assert forked(lambda: subprocess.run([sys.executable, "-c", ""], check=True)) == 13
    assert forked(lambda: (tmp_path / "written").write_bytes(b"")) == 13
    assert not (tmp_path / "written").exists()


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in confinement._MACHINES,
    reason="the filter is Linux's, for processors that are named",
)
def test_the_kernel_refuses_sockets_where_the_interpreter_is_not_asked() -> None:
    import ctypes  # noqa: PLC0415

    library = ctypes.CDLL(None, use_errno=True)

    def attempt() -> None:
        if library.socket(2, 1, 0) == -1 and ctypes.get_errno() == 1:
            raise PermissionError

    assert forked(attempt) == 13


def test_without_its_packages_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined, "find_spec", lambda _: None)

    with pytest.raises(refusals.ShapeSupportError):
        in_child(threemf())


@pytest.mark.parametrize(
    ("name", "kind"),
    [("Part.STL", "stl"), ("a.3mf", "3mf"), ("a.stp", "stp"), ("a.gcode", None), ("stl", None)],
)
def test_a_kind_is_known_by_the_file_s_ending(name: str, kind: str | None) -> None:
    assert confined.kind_of(name) == kind


def test_an_entry_that_is_not_there_is_no_entry() -> None:
    archive = open_archive(threemf(), LIMITS)

    assert not archive.has("nothing")
    assert archive.names()[0] == "[Content_Types].xml"
