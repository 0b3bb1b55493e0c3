"""The part of docs/performance.md that the last run writes."""

import os
import platform
from collections.abc import Sequence

from bench import table
from bench.rows import Row
from environments import ROOT

_PAGE = ROOT / "docs" / "performance.md"
_BEGIN = "<!-- written by `scripts/bench --page` from here to the end mark -->\n"
_END = "<!-- end -->\n"


class MarksMissingError(Exception):
    """The page does not say where the figures go."""


def write(rows: Sequence[Row]) -> None:
    """Put the figures of a run between the page's marks."""
    before, begin, rest = _PAGE.read_text().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        message = f"{_PAGE.name} lacks the marks between which the figures go."
        raise MarksMissingError(message)
    _PAGE.write_text(f"{before}{_BEGIN}\n{_machine(rows)}\n\n{table.markdown(rows)}\n{_END}{after}")


def _machine(rows: Sequence[Row]) -> str:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    rounds = min(len(row.rounds) for row in rows)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    return f"Last run: {machine}, {python}; {rounds} rounds."
