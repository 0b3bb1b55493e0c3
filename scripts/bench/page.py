"""The part of docs/performance.md that runs write, each the families that it measured."""

import os
import platform
import re
from collections.abc import Sequence

from bench import table
from bench.rows import Row
from environments import ROOT

_PAGE = ROOT / "docs" / "performance.md"
_BEGIN = "<!-- written by `scripts/bench --page` from here to the end mark -->\n"
_END = "<!-- end -->\n"
_ROW = re.compile(r"\| P(\d+)[ .].*\n", re.ASCII)


class MarksMissingError(Exception):
    """The page does not say where the figures go."""


def write(rows: Sequence[Row]) -> None:
    """Put the figures of a run between the page's marks; families it did not measure stay."""
    before, begin, rest = _PAGE.read_text().partition(_BEGIN)
    written, end, after = rest.partition(_END)
    if not (begin and end):
        message = f"{_PAGE.name} lacks the marks between which the figures go."
        raise MarksMissingError(message)
    lines = _joined(table.markdown(rows), written)
    _PAGE.write_text(f"{before}{_BEGIN}\n{_machine(rows)}\n\n{lines}\n{_END}{after}")


def _joined(measured: str, written: str) -> str:
    """Return a table with those of the rows written earlier whose family was not measured."""
    families = {found[1] for found in _ROW.finditer(measured)}
    kept = [found for found in _ROW.finditer(written) if found[1] not in families]
    rows = [*kept, *_ROW.finditer(measured)]
    head = measured[: measured.index("| P")]
    return head + "".join(row[0] for row in sorted(rows, key=lambda row: int(row[1])))


def _machine(rows: Sequence[Row]) -> str:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    rounds = min(len(row.rounds) for row in rows)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    families = sorted({int(row.metric.id[1:].partition(".")[0]) for row in rows})
    names = ", ".join(f"P{number}" for number in families)
    run = f"Last run, of {names}: {machine}, {python}; {rounds} rounds."
    return f"{run} Other rows are from earlier runs."
