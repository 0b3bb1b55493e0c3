"""Runs the families of rows that are asked for, shows them and leaves build/bench.json."""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence

from bench import (
    anchoring,
    asking,
    growing,
    logging_gas,
    materialising,
    page,
    proving,
    rebuilding,
    receiving,
    sealing,
    sites,
    table,
    verifying,
)
from bench.rows import Row
from reports import write_rows

_ROUNDS = 5

_FAMILIES: Mapping[str, Callable[[int], Sequence[Row]]] = {
    "P1": logging_gas.measure,
    "P2": materialising.measure,
    "P3": receiving.measure,
    "P4": asking.measure,
    "P5": rebuilding.measure,
    "P6": proving.measure,
    "P7": sealing.measure,
    "P8": verifying.measure,
    "P10": growing.measure,
    "P11": anchoring.measure,
    "P12": sites.measure,
}


def main() -> int:
    """Measure, and return 1 if an answer differs or a target is missed.

    ONLY names families, parted by commas; ROUNDS says how often each is measured; ``--page`` also
    writes the figures into docs/performance.md.
    """
    wants_page = _parser().parse_args().page
    chosen = _chosen(os.environ.get("ONLY", ""))
    rounds = _rounds(os.environ.get("ROUNDS", ""))
    rows = [row for family in chosen for row in _FAMILIES[family](rounds)]
    write_rows("bench", [dict(row.to_json()) for row in rows])
    print(table.text(rows))
    if wants_page:
        page.write(rows)
    return 0 if all(row.is_ok for row in rows) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        allow_abbrev=False,
        description="Measure beside limits and peers; exit with 1 where a target is missed.",
        epilog=f"Environment: ONLY=P1,P2 of {', '.join(_FAMILIES)}; ROUNDS={_ROUNDS}.",
    )
    parser.add_argument("--page", action="store_true", help="write docs/performance.md, too")
    return parser


def _chosen(text: str) -> Sequence[str]:
    chosen = text.split(",") if text else list(_FAMILIES)
    for family in chosen:
        if family not in _FAMILIES:
            raise SystemExit(f"ONLY: no rows {family!r}; there are {', '.join(_FAMILIES)}.")
    return chosen


def _rounds(text: str) -> int:
    if not text:
        return _ROUNDS
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise SystemExit(f"ROUNDS: {text!r} is no number of rounds.")
    return int(text)
