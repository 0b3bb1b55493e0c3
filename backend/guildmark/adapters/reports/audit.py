"""An audit as JSON and as tables."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from io import StringIO

from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.encoding.strictjson import JsonObject, JsonValue
from guildmark.domain.identifiers import to_hex
from guildmark.services.audit.auditing import AuditedUnit, AuditResult, Finding

UNIT_HEADS = (
    *("log", "index", "record", "recorded", "block", "license", "lane", "unit", "state"),
    *("failed", "label", "maker", "site", "machine", "counter", "recipe"),
)
FINDING_HEADS = ("flaw", "places", "reason")


def document(result: AuditResult, scope: Mapping[str, JsonValue]) -> JsonObject:
    """Return an audit as JSON.

    Args:
        result: What was found.
        scope: What it is about, in words of the command line.
    """
    return {
        "scope": dict(scope),
        "block": result.block,
        "exit": result.exit,
        "states": dict(states(result)),
        "findings": [dict(zip(FINDING_HEADS, row, strict=True)) for row in finding_rows(result)],
        "units": [dict(zip(UNIT_HEADS, row, strict=True)) for row in unit_rows(result)],
    }


def states(result: AuditResult) -> Mapping[str, int]:
    """Return how many units are in each state."""
    found: dict[str, int] = {}
    for one in result.units:
        found[one.state] = found.get(one.state, 0) + 1
    return found


def unit_rows(result: AuditResult) -> Iterator[Sequence[str | int]]:
    """Yield a row for each unit, under ``UNIT_HEADS``."""
    return map(_unit_row, result.units)


def finding_rows(result: AuditResult) -> Iterator[Sequence[str]]:
    """Yield a row for each finding, under ``FINDING_HEADS``."""
    return map(_finding_row, result.findings)


def table(heads: Sequence[str], rows: Iterator[Sequence[str | int]]) -> bytes:
    """Return rows as CSV (RFC 4180).

    What a spreadsheet would take for a formula is written as text.
    """
    out = StringIO()
    written = csv.writer(out)
    written.writerow(heads)
    written.writerows([_plain(cell) for cell in row] for row in rows)
    return out.getvalue().encode()


def _plain(cell: str | int) -> str | int:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@"} else cell


def _unit_row(one: AuditedUnit) -> Sequence[str | int]:
    unit, said = one.unit, one.statement
    failed = [] if one.report is None else [each for each in one.report.checks if each.falls_short]
    return (
        *(unit.record.log, unit.index, unit.record.seq, _moment(unit.record.time), unit.block),
        *(to_hex(unit.license), unit.lane, unit.unit, one.state),
        " ".join(f"{each.number}:{each.code}" for each in failed),
        *(("",) * 6 if said is None else _said(said)),
    )


def _said(said: BuildStatement) -> Sequence[str | int]:
    run = said.run
    who = (to_hex(run.maker), to_hex(run.site), to_hex(run.machine))
    return (said.label, *who, run.counter, to_hex(said.external.recipe))


def _finding_row(one: Finding) -> Sequence[str]:
    places = " ".join(f"{log}.{index}" for log, index in one.places)
    return (one.flaw.value, places, one.reason)


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
