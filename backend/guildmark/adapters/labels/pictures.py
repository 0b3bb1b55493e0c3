"""Pictures of labels: the QR code of a part's link, with the serial below it."""

import io
from collections.abc import Sequence
from html import escape

import segno

_ERROR_LEVEL = "m"
_SCALE = 8
_QUIET_ZONE = 4
_CAPTION_HEIGHT = 4


def png(text: str, *, scale: int = _SCALE) -> bytes:
    """Return the QR code of ``text`` (ISO/IEC 18004) as PNG, with its quiet zone.

    Args:
        text: What the code holds.
        scale: Pixels a module.
    """
    out = io.BytesIO()
    _code(text).save(out, kind="png", scale=scale, border=_QUIET_ZONE)
    return out.getvalue()


def svg(text: str, *, caption: str) -> bytes:
    """Return a label as SVG: the QR code of ``text``, and ``caption`` in letters below it.

    Black on white whatever the reader's colours are, since scanners need the contrast.
    """
    code = _code(text)
    width = code.symbol_size(scale=1, border=_QUIET_ZONE)[0]
    height = width + _CAPTION_HEIGHT
    path = code.svg_inline(border=_QUIET_ZONE, omitsize=True)
    size = min(3.0, 1.5 * width / max(1, len(caption)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="QR code of {escape(caption)}">'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        f'<svg width="{width}" height="{width}">{path}</svg>'
        f'<text x="{width / 2}" y="{width + 1}" text-anchor="middle" fill="#000" '
        f'font-family="ui-monospace, monospace" font-size="{size:.2f}">{escape(caption)}</text>'
        "</svg>"
    ).encode()


def modules(text: str) -> Sequence[Sequence[bool]]:
    """Return the rows of a QR code with its quiet zone: whether each module is dark."""
    return [[bool(each) for each in row] for row in _code(text).matrix_iter(border=_QUIET_ZONE)]


def _code(text: str) -> segno.QRCode:
    return segno.make(text, error=_ERROR_LEVEL, micro=False)
