"""Photos of labels: the code is read, and each kind of hostile picture refused."""

import io
import struct
import zlib

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from guildmark.adapters.labels import decoding, photos, pictures, refusals
from guildmark.adapters.shapes import confined
from guildmark.adapters.shapes.confinement import Bounds
from guildmark.domain.errors import GuildmarkError

LABEL = "https://id.example.org/id/detroit-additive/L1-000017"


def label(text: str = LABEL) -> Image.Image:
    return Image.open(io.BytesIO(pictures.png(text)))


def saved(image: Image.Image, kind: str = "PNG", **options: int) -> bytes:
    sink = io.BytesIO()
    image.save(sink, kind, **options)
    return sink.getvalue()


def on_table(*labels: Image.Image, mode: str = "RGB") -> Image.Image:
    """Return labels beside each other on something dark."""
    step = 400
    table = Image.new(mode, (step * len(labels) + 100, 500), "saddlebrown")
    for at, each in enumerate(labels):
        table.paste(each.convert(mode).resize((300, 300)), (step * at + 80, 90))
    return table


def refused(data: bytes) -> str:
    with pytest.raises(GuildmarkError) as caught:
        decoding.code_in(data)
    return caught.value.code


def header(width: int, height: int, *, body: bytes = b"") -> bytes:
    """Return a PNG that says how large it is, whatever is in it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", body or zlib.compress(bytes(1_000))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("turned", [0, 33, 180])
def test_a_photo_is_read(kind: str, turned: int) -> None:
    assert decoding.code_in(saved(on_table(label()).rotate(turned, expand=True), kind)) == LABEL


def test_a_large_photo_is_read() -> None:
    photo = on_table(label()).resize((6_000, 6_000))

    assert decoding.code_in(saved(photo, "JPEG", quality=60)) == LABEL


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "I;16"])
def test_pictures_of_every_mode_are_read(mode: str) -> None:
    wide = label().convert("L").resize((400, 400))

    assert decoding.code_in(saved(wide.convert(mode))) == LABEL


def test_what_is_transparent_is_paper() -> None:
    ink = label().convert("L").resize((400, 400)).point(lambda shade: 255 - shade)
    picture = Image.new("RGBA", ink.size, (0, 0, 0, 0))
    picture.putalpha(ink)

    assert decoding.code_in(saved(picture)) == LABEL


def test_the_same_code_twice_is_one_code() -> None:
    assert decoding.code_in(saved(on_table(label(), label()))) == LABEL


def test_two_codes_are_refused() -> None:
    assert refused(saved(on_table(label(), label(f"{LABEL}8")))) == "picture.severalCodes"


def test_a_picture_without_a_code_is_refused() -> None:
    assert refused(saved(Image.new("L", (50, 50), 255))) == "picture.noCode"


def test_another_kind_of_code_is_none() -> None:
    made = zxingcpp.create_barcode(LABEL, zxingcpp.BarcodeFormat.DataMatrix)
    picture = Image.fromarray(made.to_image(scale=6))

    assert refused(saved(picture)) == "picture.noCode"


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "WEBP"])
def test_other_pictures_are_refused(kind: str) -> None:
    assert refused(saved(label().convert("L"), kind)) == "picture.unreadable"


@pytest.mark.parametrize("data", [b"", b"x", b"\x89PNG\r\n\x1a\n", b"%PDF-1.4", b"<svg/>"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    assert refused(data) == "picture.unreadable"


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_picture_cut_short_is_refused(kind: str, share: float) -> None:
    whole = saved(on_table(label()), kind)

    assert refused(whole[: int(len(whole) * share)]) == "picture.unreadable"


@given(st.data())
def test_a_damaged_picture_is_read_rightly_or_refused(data: st.DataObject) -> None:
    whole = bytearray(saved(label()))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= 1 << data.draw(st.integers(0, 7))

    try:
        assert decoding.code_in(bytes(whole)) == LABEL
    except GuildmarkError as error:
        assert error.code.startswith("picture.")  # noqa: PT017 - either is right


def test_a_bomb_is_refused_by_what_it_announces() -> None:
    side = 8_000

    assert side * side == decoding.PIXELS_MAX
    assert refused(header(side, side + 1)) == "picture.tooLarge"
    assert refused(header(10_000, 10_000)) == "picture.tooLarge"
    assert refused(header(60_000, 60_000)) == "picture.tooLarge"
    # As many as are looked at; only that they are not there is wrong.
    assert refused(header(side, side)) == "picture.unreadable"


def test_a_child_reads_it() -> None:
    assert photos.is_installed()
    assert photos.code_in(io.BytesIO(saved(label()))) == LABEL


def test_a_child_s_refusals_come_back() -> None:
    for data, kind in (
        (b"x", refusals.CodePictureUnreadableError),
        (bytes(decoding.SIZE_MAX + 1), refusals.CodePictureTooLargeError),
        (saved(Image.new("L", (9, 9))), refusals.CodeMissingError),
        (saved(on_table(label(), label("x"))), refusals.CodesSeveralError),
    ):
        with pytest.raises(kind):
            photos.code_in(io.BytesIO(data))


def test_a_picture_of_the_greatest_size_is_read() -> None:
    whole = saved(label())

    assert photos.code_in(io.BytesIO(whole.ljust(decoding.SIZE_MAX, b"\0"))) == LABEL


def test_what_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "_BOUNDS", Bounds(memory=1 << 20))

    with pytest.raises(refusals.CodePictureTooCostlyError):
        photos.code_in(io.BytesIO(saved(label())))


def test_without_its_packages_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined, "find_spec", lambda _: None)
    monkeypatch.setattr(photos, "find_spec", lambda _: None)

    assert not photos.is_installed()
    with pytest.raises(refusals.CodeReaderMissingError):
        photos.code_in(io.BytesIO(b""))


@pytest.mark.parametrize("said", [b"", b"{}", b'{"text":7}', b'{"text":"' + b"a" * 5_000 + b'"}'])
def test_a_child_s_answer_is_not_trusted(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "run", lambda *_: said)

    with pytest.raises(refusals.CodePictureUnreadableError):
        photos.code_in(io.BytesIO(b""))
