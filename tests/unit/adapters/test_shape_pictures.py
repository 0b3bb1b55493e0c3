"""Pictures of shapes: drawn, or made anew from a package's own one; never passed on."""

import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from fakes.meshes import RELATIONSHIPS, binary_stl, threemf
from guildmark.adapters.shapes import confined, pictures
from guildmark.adapters.shapes.limits import LIMITS
from guildmark.adapters.shapes.refusals import PictureRefusedError
from guildmark.domain.errors import ContentError

EXAMPLES = Path(__file__).parents[3] / "examples"
RELATION = (
    '<Relationship Id="r1" Target="/Metadata/thumbnail.png" Type="http://schemas.openxmlformats.org'
    '/package/2006/relationships/metadata/thumbnail"/>'
)


def with_picture(data: bytes) -> bytes:
    root = RELATIONSHIPS.format(more=RELATION).encode()
    return threemf(more={"_rels/.rels": root, "Metadata/thumbnail.png": data})


def encoded(width: int, height: int, kind: str = "PNG") -> bytes:
    sink, notes = io.BytesIO(), PngImagePlugin.PngInfo()
    notes.add_text("Comment", "who drew it")
    image = Image.new("RGB", (width, height), (200, 30, 30))
    image.save(sink, kind, **({"pnginfo": notes} if kind == "PNG" else {}))
    return sink.getvalue()


def opened(data: bytes) -> Image.Image:
    found = Image.open(io.BytesIO(data), formats=["PNG"])
    found.load()
    return found


@pytest.mark.parametrize(("data", "kind"), [(binary_stl(), "stl"), (threemf(), "3mf")])
def test_a_mesh_is_drawn(data: bytes, kind: str) -> None:
    found = opened(pictures.picture(data, kind, LIMITS))

    assert found.size == (256, 256)
    assert found.getpixel((0, 0)) == (255, 255, 255)
    centre = found.getpixel((128, 128))
    assert isinstance(centre, tuple)
    assert max(centre) < 200
    # Three faces of a cube are seen, each in another light.
    colors = found.getcolors(1 << 16) or []
    assert len([count for count, _ in colors if count > 2_000]) == 4


def test_a_flat_mesh_is_drawn() -> None:
    flat = binary_stl()[:84] + b"".join(struct.pack("<12fH", *([0.0] * 12), 0) for _ in range(12))

    assert opened(pictures.picture(flat, "stl", LIMITS)).size == (256, 256)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize(
    ("size", "made"), [((512, 256), (256, 128)), ((256, 256), (256, 256)), ((3, 2), (3, 2))]
)
def test_a_package_s_own_picture_is_made_anew(
    kind: str, size: tuple[int, int], made: tuple[int, int]
) -> None:
    own = encoded(*size, kind)

    found = pictures.picture(with_picture(own + b"trailing"), "3mf", LIMITS)

    assert opened(found).size == made
    assert b"who drew it" not in found
    assert b"trailing" not in found
    red = opened(found).getpixel((0, 0))
    assert isinstance(red, tuple)
    assert red[0] > 180
    assert red[1] < 60


def test_a_picture_has_as_many_pixels_as_are_allowed() -> None:
    data, limits = with_picture(encoded(20, 10)), replace(LIMITS, pixels=200)

    assert pictures.picture(data, "3mf", limits)
    with pytest.raises(PictureRefusedError):
        pictures.picture(data, "3mf", replace(limits, pixels=199))


def huge_png() -> bytes:
    """Return a PNG whose header announces 4 gigapixels."""
    head = struct.pack(">II5B", 65_535, 65_535, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + bytes(40),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        encoded(64, 64)[:-30],
        encoded(64, 64, "JPEG")[:200],
        huge_png(),
    ],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(PictureRefusedError):
        pictures.picture(with_picture(data), "3mf", LIMITS)


@given(st.data())
def test_any_picture_is_made_anew_or_refused(data: st.DataObject) -> None:
    own = bytearray(encoded(16, 16))
    for at in data.draw(st.lists(st.integers(0, len(own) - 1), max_size=6)):
        own[at] ^= data.draw(st.integers(1, 255))

    try:
        found = pictures.picture(with_picture(bytes(own)), "3mf", LIMITS)
    except ContentError:
        return
    assert max(opened(found).size) <= 256


@pytest.mark.parametrize("kind", ["step", "", "gcode"])
def test_what_has_no_mesh_is_not_drawn(kind: str) -> None:
    with pytest.raises(PictureRefusedError):
        pictures.picture(b"", kind, LIMITS)


def test_a_child_draws_the_example() -> None:
    with (EXAMPLES / "part.stl").open("rb") as file:
        found = confined.picture(file, "stl")

    assert opened(found).size == (256, 256)
    assert len(found) < 64 * 1024


@pytest.mark.parametrize("found", [b"", b"<html>", encoded(257, 1), encoded(1, 257)])
def test_what_a_child_says_is_looked_at(found: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined, "run", lambda *_: found)

    with pytest.raises(PictureRefusedError):
        confined.picture(io.BytesIO(), "stl")


@pytest.mark.parametrize(("kind", "name"), [("PNG", "png"), ("JPEG", "jpg"), ("JPEG", "jpeg")])
def test_an_image_is_made_anew(kind: str, name: str) -> None:
    found = pictures.picture(encoded(512, 128, kind), name, LIMITS)

    assert opened(found).size == (256, 64)
    assert b"who drew it" not in found


@pytest.mark.parametrize(
    ("name", "is_pictured", "is_mesh"),
    [
        ("part.STL", True, True),
        ("part.3mf", True, True),
        ("photo.JPG", True, False),
        ("photo.jpeg", True, False),
        ("photo.png", True, False),
        ("part.step", False, False),
        ("png", False, False),
    ],
)
def test_a_name_says_whether_a_picture_is_made_of_it(
    name: str, is_pictured: bool, is_mesh: bool
) -> None:
    path = Path(name)

    assert (confined.is_pictured(path), confined.is_mesh(path)) == (is_pictured, is_mesh)
