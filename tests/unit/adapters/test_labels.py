"""A label's picture holds what it should, read back by another library."""

import io

import zxingcpp
from PIL import Image

from guildmark.adapters import labels

LABEL = "https://id.example.org/id/detroit-additive/L1-000017"


def test_the_png_reads_back() -> None:
    picture = Image.open(io.BytesIO(labels.png(LABEL)))

    (found,) = zxingcpp.read_barcodes(picture)

    assert found.text == LABEL


def test_the_svg_shows_the_caption_escaped() -> None:
    picture = labels.svg(LABEL, caption="<b>&L1").decode()

    assert "&lt;b&gt;&amp;L1</text>" in picture
    assert "<b>" not in picture


def test_a_link_of_60_bytes_stays_at_version_4() -> None:
    text = "https://id.example.org/" + "a" * 37

    assert len(text) == 60
    assert (
        labels.svg(text, caption="a")
        .decode()
        .startswith('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 41 45"')
    )
