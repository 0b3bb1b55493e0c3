"""Sheets of labels as PDF, for paper that is cut already."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType

from guildmark.adapters.reports.pdf import check_installed


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the labels of a sheet are, in millimetres from its upper left corner.

    Args:
        paper: The sheet's width and height.
        label: A label's width and height.
        first: Where the first label begins.
        pitch: From the beginning of one label to that of the next.
        columns: Labels in a row.
        rows: Rows.
    """

    paper: tuple[float, float]
    label: tuple[float, float]
    first: tuple[float, float]
    pitch: tuple[float, float]
    columns: int
    rows: int

    @property
    def places(self) -> Sequence[tuple[float, float]]:
        """Return where each label begins, row by row."""
        return [
            (self.first[0] + column * self.pitch[0], self.first[1] + row * self.pitch[1])
            for row in range(self.rows)
            for column in range(self.columns)
        ]


_A4, _LETTER = (210.0, 297.0), (215.9, 279.4)

LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        "L7160": Layout(
            paper=_A4,
            label=(63.5, 38.1),
            first=(7.21, 15.15),
            pitch=(66.04, 38.1),
            columns=3,
            rows=7,
        ),
        "L7163": Layout(
            paper=_A4,
            label=(99.1, 38.1),
            first=(4.67, 15.15),
            pitch=(101.57, 38.1),
            columns=2,
            rows=7,
        ),
        "5160": Layout(
            paper=_LETTER,
            label=(66.675, 25.4),
            first=(4.76, 12.7),
            pitch=(69.85, 25.4),
            columns=3,
            rows=10,
        ),
    }
)
"""Avery's sheets by their numbers, as its templates measure them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One label.

    Args:
        text: What its code holds.
        caption: The serial.
        code: What a scratch field is to cover, empty where there is none.
    """

    text: str
    caption: str
    code: str = field(default="", repr=False)


def sheets(labels: Sequence[Label], layout: Layout, *, skip: int = 0) -> bytes:
    """Return sheets of labels as PDF, as many as are needed, in equal bytes each time.

    Args:
        labels: In the order of the places.
        layout: Where the places are.
        skip: How many places of the first sheet are used up.

    Raises:
        PdfSupportError: The extra `pdf` is not installed.
    """
    check_installed()
    found: bytes = import_module("guildmark.adapters.labels.paper").printed(
        list(_pages(labels, layout, skip)), layout
    )
    return found


def _pages(labels: Sequence[Label], layout: Layout, skip: int) -> Iterator[Sequence[Label | None]]:
    placed, size = [*[None] * skip, *labels], layout.columns * layout.rows
    for begin in range(0, len(placed), size):
        yield placed[begin : begin + size]
