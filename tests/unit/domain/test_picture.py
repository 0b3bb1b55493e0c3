"""A design's picture: pixels alone, signed by whoever owns the design."""

import random
import zlib

import pytest

from fakes.images import MAGIC, chunk, header, pixels, png
from guildmark.domain.rights.picture import (
    IMAGE_MAX,
    PictureMalformedError,
    check_image,
)

END = chunk(b"IEND")


@pytest.mark.parametrize("size", [(1, 1), (256, 256), (256, 1), (1, 256)])
def test_a_small_picture_is_taken(size: tuple[int, int]) -> None:
    check_image(png(*size))


def test_pixels_may_come_in_several_chunks() -> None:
    packed = pixels(4, 3)[8:-4]

    check_image(
        MAGIC + header(4, 3) + chunk(b"IDAT", packed[:5]) + chunk(b"IDAT", packed[5:]) + END
    )


def test_the_largest_picture_of_noise_is_taken() -> None:
    noise = random.Random(3)
    lines = b"".join(b"\4" + noise.randbytes(256 * 3) for _ in range(256))
    data = MAGIC + header(256, 256) + chunk(b"IDAT", zlib.compress(lines)) + END

    check_image(data)

    assert 190_000 < len(data) <= IMAGE_MAX


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a PNG"),
        (png() + bytes(IMAGE_MAX), "a PNG"),
        (png()[:-1], "whole"),
        (png() + b"\0", "whole"),
        (MAGIC, "header"),
        (MAGIC + pixels(4, 3) + END, "header"),
        (MAGIC + header(4, 3) + pixels(4, 3), "header"),
        (MAGIC + header(4, 3) + END, "further"),
        (MAGIC + header(4, 3) + chunk(b"tEXt", b"who") + pixels(4, 3) + END, "further"),
        (MAGIC + header(4, 3) + pixels(4, 3) + chunk(b"IEND", b"x"), "ended by nothing"),
        (MAGIC + chunk(b"IHDR", b"short") + pixels(4, 3) + END, "ended by nothing"),
        (MAGIC + header(0, 3) + pixels(4, 3) + END, "pixels a side"),
        (png(257, 1), "pixels a side"),
        (png(1, 257), "pixels a side"),
        (MAGIC + header(4, 3, 8, 6, 0, 0, 0) + pixels(4, 3) + END, "24 bits"),
        (MAGIC + header(4, 3, 8, 2, 0, 0, 1) + pixels(4, 3) + END, "24 bits"),
        (MAGIC + header(4, 3) + pixels(4, 2) + END, "as large"),
        (MAGIC + header(4, 3) + pixels(4, 4) + END, "as large"),
        (MAGIC + header(4, 3) + pixels(4, 3, filtered=5) + END, "filtered"),
        (MAGIC + header(4, 3) + chunk(b"IDAT", b"not packed") + END, "do not unpack"),
        (MAGIC + header(4, 3) + chunk(b"IDAT", pixels(4, 3)[8:-4] + b"x") + END, "ended with"),
        (png().replace(b"IDAT", b"IDaT"), "undamaged"),
    ],
)
def test_whatever_else_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(PictureMalformedError, match=said):
        check_image(data)


def test_pixels_that_stop_early_are_refused() -> None:
    packed = pixels(4, 3)[8:-4]

    with pytest.raises(PictureMalformedError, match=r"ended with|as large"):
        check_image(MAGIC + header(4, 3) + chunk(b"IDAT", packed[:-1]) + END)


@pytest.mark.parametrize("at", range(len(png())))
def test_no_changed_byte_goes_unseen(at: int) -> None:
    data = bytearray(png())
    data[at] ^= 1

    with pytest.raises(PictureMalformedError):
        check_image(bytes(data))
