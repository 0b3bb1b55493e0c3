"""QR codes in a stranger's picture; runs in a child process that gave up all it does not need."""

import io
import json
import warnings
from collections.abc import Mapping
from typing import Any, BinaryIO

import zxingcpp
from PIL import Image

from guildmark.adapters.labels.refusals import (
    CodeMissingError,
    CodePictureTooLargeError,
    CodePictureUnreadableError,
    CodesSeveralError,
)

SIZE_MAX = 16 << 20
PIXELS_MAX = 64_000_000
"""More than what telephones' cameras save unless told otherwise."""

# A code that fills a tenth of a picture this wide still has several pixels a cell.
_EDGE = 3_000
_FORMATS = ("PNG", "JPEG")
_CODES = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


def run(_operation: str, file: BinaryIO, _arguments: Mapping[str, Any]) -> bytes:
    """Return what the one QR code of a picture says, as a JSON text.

    Raises:
        UsageError: One of the errors of ``refusals``.
    """
    file.seek(0)
    data = file.read(SIZE_MAX + 1)
    if len(data) > SIZE_MAX:
        message = f"The picture has more than {SIZE_MAX} bytes."
        raise CodePictureTooLargeError(message, limit=SIZE_MAX)
    return json.dumps({"text": code_in(data)}).encode()


def code_in(data: bytes) -> str:
    """Return the text of the one QR code in a PNG or JPEG; the same code twice counts once.

    Raises:
        CodePictureUnreadableError: It is no PNG or JPEG, or a damaged one.
        CodePictureTooLargeError: It has too many pixels.
        CodeMissingError: No code can be read.
        CodesSeveralError: There are several codes.
    """
    shades = _shades(data)
    codes = zxingcpp.read_barcodes(shades, formats=_CODES)
    texts = sorted({str(each.text) for each in codes})
    if not texts:
        message = "There is no QR code in the picture that can be read."
        raise CodeMissingError(message)
    if len(texts) > 1:
        message = f"There are {len(texts)} different QR codes in the picture."
        raise CodesSeveralError(message, codes=len(texts))
    return texts[0]


def _shades(data: bytes) -> Image.Image:
    try:
        found = _opened(data)
        # A JPEG is unpacked to no more than is looked at.
        found.draft("L", (_EDGE, _EDGE))
        shades = _on_white(found)
    except (OSError, SyntaxError, ValueError) as exc:
        message = "The picture is no PNG or JPEG, or is damaged."
        raise CodePictureUnreadableError(message) from exc
    shades.thumbnail((_EDGE, _EDGE))
    return shades


def _opened(data: bytes) -> Image.Image:
    """Return a picture of which nothing is unpacked yet."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            found = Image.open(io.BytesIO(data), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        message = "The picture has too many pixels."
        raise CodePictureTooLargeError(message, limit=PIXELS_MAX) from exc
    if found.width * found.height > PIXELS_MAX:
        message = f"The picture has {found.width} x {found.height} pixels."
        raise CodePictureTooLargeError(message, limit=PIXELS_MAX)
    return found


def _on_white(found: Image.Image) -> Image.Image:
    """Return a picture in shades of grey: what is transparent is paper."""
    if not found.has_transparency_data:
        return found.convert("L")
    layers = found.convert("LA")
    paper = Image.new("L", found.size, 255)
    paper.paste(layers.getchannel("L"), mask=layers.getchannel("A"))
    return paper
