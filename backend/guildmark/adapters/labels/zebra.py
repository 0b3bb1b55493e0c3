"""Labels for printers that speak ZPL II (Zebra Programming Language).

The code is sent as a picture: what is printed is what was drawn here, whatever the printer makes of
its own bar code commands.
"""

from collections.abc import Sequence

from guildmark.adapters.labels.pictures import modules

_DOTS_A_MILLIMETRE = {"203": 8, "300": 12, "600": 24}
"""By the printer's resolution in dots an inch, as printers name it."""

RESOLUTIONS = tuple(_DOTS_A_MILLIMETRE)

# Modules of half a millimetre are read by phones, and kept by thermal printers.
_MODULES_A_MILLIMETRE = 2
_LETTERS_MM = 3
_ORIGIN_MM = 1
# What starts a command, and what escapes.
_ESCAPED = "^~_\\"


def zpl(text: str, *, caption: str, resolution: str = RESOLUTIONS[0]) -> bytes:
    """Return a label as ZPL: the QR code of ``text``, and ``caption`` in letters below it.

    Args:
        text: What the code holds.
        caption: The serial, printable ASCII.
        resolution: Of the printer, in dots an inch.
    """
    dots = _DOTS_A_MILLIMETRE[resolution]
    rows = modules(text)
    scale, origin = dots // _MODULES_A_MILLIMETRE, _ORIGIN_MM * dots
    picture = [_bits(row, scale) for row in rows for _ in range(scale)]
    size, width = sum(map(len, picture)), len(picture[0])
    below = origin + len(picture)
    lines = [
        "^XA",
        f"^FO{origin},{origin}^GFA,{size},{size},{width},{b''.join(picture).hex().upper()}^FS",
        f"^FO{origin},{below}^A0N,{_LETTERS_MM * dots}^FH^FD{_escaped(caption)}^FS",
        "^XZ",
    ]
    return "\n".join(lines).encode("ascii") + b"\n"


def _bits(row: Sequence[bool], scale: int) -> bytes:
    """Return a row of dots, eight a byte, dark ones set, padded with light ones."""
    dots = "".join("1" if dark else "0" for dark in row for _ in range(scale))
    padded = dots.ljust(-(-len(dots) // 8) * 8, "0")
    return int(padded, 2).to_bytes(len(padded) // 8, "big")


def _escaped(text: str) -> str:
    return "".join(f"_{ord(each):02X}" if each in _ESCAPED else each for each in text)
