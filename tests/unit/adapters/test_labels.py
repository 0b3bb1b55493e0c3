"""A label's picture holds what it should, read back by another library."""

import io
import re
import subprocess
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image, ImageOps

from guildmark.adapters.labels import pictures, sheets, zebra
from guildmark.adapters.labels.sheets import LAYOUTS, Label

LABEL = "https://id.example.org/id/detroit-additive/L1-000017"


def test_the_png_reads_back() -> None:
    picture = Image.open(io.BytesIO(pictures.png(LABEL)))

    (found,) = zxingcpp.read_barcodes(picture)

    assert found.text == LABEL


def test_the_svg_shows_the_caption_escaped() -> None:
    picture = pictures.svg(LABEL, caption="<b>&L1").decode()

    assert "&lt;b&gt;&amp;L1</text>" in picture
    assert "<b>" not in picture


def test_a_link_of_60_bytes_stays_at_version_4() -> None:
    text = "https://id.example.org/" + "a" * 37

    assert len(text) == 60
    assert (
        pictures.svg(text, caption="a")
        .decode()
        .startswith('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 41 45"')
    )


def printed(zpl: bytes) -> Image.Image:
    """Return what a printer prints of a label's graphic field, on a label with room around it."""
    text = zpl.decode("ascii")
    left, top, size, width, dots = re.search(  # type: ignore[union-attr]  # it is there
        r"\^FO(\d+),(\d+)\^GFA,(\d+),\2?\d+,(\d+),([0-9A-F]+)\^FS", text
    ).groups()
    data = bytes.fromhex(dots)
    assert len(data) == int(size)
    picture = Image.frombytes("1", (int(width) * 8, len(data) // int(width)), data)
    label = Image.new("L", (800, 800), 255)
    label.paste(ImageOps.invert(picture.convert("L")), (int(left), int(top)))
    return label


@pytest.mark.parametrize("resolution", zebra.RESOLUTIONS[:2])
def test_what_a_label_printer_prints_reads_back(resolution: str) -> None:
    label = zebra.zpl(LABEL, caption="L1-000017", resolution=resolution)

    (found,) = zxingcpp.read_barcodes(printed(label))

    assert found.text == LABEL
    assert label.startswith(b"^XA\n")
    assert label.endswith(b"^FH^FDL1-000017^FS\n^XZ\n")


def test_a_serial_is_no_command_to_a_label_printer() -> None:
    label = zebra.zpl(LABEL, caption="^A~B_C\\D")

    assert b"^FH^FD_5EA_7EB_5FC_5CD^FS" in label


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_label_lies_on_its_sheet_and_on_no_other(name: str) -> None:
    layout = LAYOUTS[name]
    places = layout.places

    assert len(set(places)) == layout.columns * layout.rows
    assert all(size <= step for size, step in zip(layout.label, layout.pitch, strict=True))
    for begin, size, paper in zip(places[-1], layout.label, layout.paper, strict=True):
        assert begin + size <= paper


def labels_of(count: int) -> list[Label]:
    return [Label(text=f"{LABEL}?p=1.{at}", caption=f"L1-{at:06d}") for at in range(count)]


@pytest.mark.needs("pdftoppm")
@pytest.mark.parametrize("name", LAYOUTS)
def test_a_sheet_reads_back_from_its_picture(name: str, tmp_path: Path) -> None:
    layout = LAYOUTS[name]
    size = layout.columns * layout.rows
    made = sheets.sheets(labels_of(size), layout, skip=1)

    (tmp_path / "sheet.pdf").write_bytes(made)
    command = ["pdftoppm", "-r", "300", "-gray", "-png", "sheet.pdf", "page"]
    subprocess.run(command, cwd=tmp_path, check=True)

    pages = [Image.open(path) for path in sorted(tmp_path.glob("page*.png"))]
    read = [{found.text for found in zxingcpp.read_barcodes(page)} for page in pages]
    texts = [label.text for label in labels_of(size)]
    assert read == [set(texts[: size - 1]), set(texts[size - 1 :])]


def test_equal_sheets_have_equal_bytes() -> None:
    one, other = (sheets.sheets(labels_of(2), LAYOUTS["5160"]) for _ in range(2))

    assert one == other
    assert one.startswith(b"%PDF-")


def photographed(*, pixels: int, turned: float = 0.0, hidden: float = 0.0) -> Image.Image:
    """Return a label as a camera may see it.

    Args:
        pixels: How wide the code is.
        turned: By how many degrees.
        hidden: Which share of the code's width and height a blot hides, in its middle.
    """
    whole = Image.open(io.BytesIO(pictures.png(LABEL))).convert("L")
    side = int(whole.width * hidden)
    begin = (whole.width - side) // 2
    whole.paste(128, (begin, begin, begin + side, begin + side))
    seen = whole.resize((pixels, pixels), Image.Resampling.BILINEAR)
    return seen.rotate(turned, Image.Resampling.BILINEAR, expand=True, fillcolor=255)


@pytest.mark.parametrize("pixels", [82, 120, 400, 1_600])
@pytest.mark.parametrize("turned", [0, 12, 45, 90, 183])
def test_a_code_is_read_at_any_size_and_angle(pixels: int, turned: float) -> None:
    (found,) = zxingcpp.read_barcodes(photographed(pixels=pixels, turned=turned))

    assert found.text == LABEL


@pytest.mark.parametrize(("hidden", "is_read"), [(0.1, True), (0.2, True), (0.5, False)])
def test_a_code_is_read_with_a_blot_on_it_or_not_at_all(hidden: float, is_read: bool) -> None:
    found = zxingcpp.read_barcodes(photographed(pixels=400, hidden=hidden))

    assert [each.text for each in found] == [LABEL] * is_read
