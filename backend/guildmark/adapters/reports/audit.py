"""An audit as JSON and as tables, written piece by piece from its book."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from io import StringIO

from guildmark.domain.audit.accounts import Accounts
from guildmark.domain.audit.findings import CONSEQUENCES, Finding
from guildmark.domain.audit.schema import FORMAT
from guildmark.domain.audit.units import UnitRow, moment_text
from guildmark.domain.chain.facts import NoticeFact, RecallFact
from guildmark.domain.encoding.strictjson import JsonObject, JsonValue
from guildmark.domain.identifiers import to_hex
from guildmark.services.audit.auditing import AuditResult

UNIT_HEADS = tuple(one.name for one in fields(UnitRow))
FINDING_HEADS = ("flaw", "places", "reason", "nextStep")


def pieces(result: AuditResult, scope: Mapping[str, JsonValue]) -> Iterator[bytes]:
    """Yield an audit as JSON: equal bytes for equal chain and evidence.

    Args:
        result: What was found.
        scope: What it is about, in words of the command line.
    """
    head = json.dumps(summary(result, scope), indent=2).removesuffix("\n}")
    yield head.encode()
    yield from _array("findings", map(finding_json, result.book.findings()))
    yield from _array("units", map(asdict, result.book.units()))
    yield b"\n}\n"


def summary(result: AuditResult, scope: Mapping[str, JsonValue]) -> JsonObject:
    """Return an audit without its units and findings: what it is about, and its sums."""
    block, accounts = result.block, result.accounts
    return {
        "format": FORMAT,
        "scope": dict(scope),
        "block": 0 if block is None else block.number,
        "blockHash": "" if block is None else to_hex(block.hash),
        "exit": result.exit,
        "states": dict(sorted(accounts.states.items())),
        "flaws": {flaw.value: count for flaw, count in accounts.counted().items()},
        **_parts(accounts),
    }


def _parts(accounts: Accounts) -> JsonObject:
    machines: list[JsonValue] = [
        {
            "machine": to_hex(machine),
            "first": one.first,
            "last": one.last,
            "shown": one.shown,
            "missing": max(0, one.last - one.first + 1 - one.shown),
        }
        for machine, one in sorted(accounts.machines.items())
    ]
    gaps: list[JsonValue] = [
        {
            "flaw": flaw.value,
            "site": to_hex(site),
            "code": code,
            "parts": one.parts,
            "first": moment_text(one.first),
            "last": moment_text(one.last),
        }
        for (flaw, site, code), one in sorted(accounts.gaps.items())
    ]
    logs: list[JsonValue] = [
        {
            "log": one.number,
            "operator": to_hex(one.operator),
            "records": one.records,
            "entries": one.size,
            "withoutUnit": one.unitless,
            "isWhole": one.is_whole,
            "checkpoint": one.checkpoint,
            "isSigned": one.is_signed,
            "witnesses": one.witnesses,
        }
        for one in accounts.logs
    ]
    lanes: list[JsonValue] = [
        {
            "lane": one.number,
            "license": to_hex(one.license),
            "site": to_hex(one.site),
            "units": one.units,
            "drawn": one.drawn,
            "refused": one.refused,
        }
        for one in accounts.lanes
    ]
    return {
        "logs": logs,
        "lanes": lanes,
        "telemetry": _telemetry(accounts),
        "machines": machines,
        "gaps": gaps,
        "recalls": [_recall(one, parts) for _, (one, parts) in sorted(accounts.recalls.items())],
        "notices": [_notice(one) for one in accounts.notices],
    }


def _telemetry(accounts: Accounts) -> JsonObject:
    drawing = accounts.drawing
    states = sorted(accounts.telemetry.items())
    return {
        "nonce": "" if drawing is None else to_hex(drawing.nonce),
        "chunks": 0 if drawing is None else drawing.most,
        "states": {state.value: count for state, count in states},
    }


def _recall(one: RecallFact, parts: int) -> JsonObject:
    return {
        "cause": one.thing.cause.name.lower(),
        "thing": one.thing.text(),
        "by": "owner" if one.is_owners else to_hex(one.by),
        "number": one.number,
        "severity": one.severity,
        "at": moment_text(one.at),
        "reason": to_hex(one.reason),
        "closed": moment_text(one.closed_at) if one.closed_at else "",
        "parts": parts,
    }


def _notice(one: NoticeFact) -> JsonObject:
    return {
        "identity": to_hex(one.identity),
        "target": to_hex(one.target),
        "by": to_hex(one.by) if one.is_by_authority else "controller or guardians",
        "at": moment_text(one.notice_at),
        "suspectedFrom": moment_text(one.suspected_from),
        "evidence": to_hex(one.evidence),
    }


def finding_json(one: Finding) -> JsonObject:
    """Return a finding as JSON."""
    return dict(zip(FINDING_HEADS, finding_row(one), strict=True))


def finding_row(one: Finding) -> Sequence[str]:
    """Return a finding under ``FINDING_HEADS``."""
    places = " ".join(f"{log}.{index}" for log, index in one.places)
    return (one.flaw.value, places, one.reason, CONSEQUENCES[one.flaw].next_step)


def unit_row(one: UnitRow) -> Sequence[str | int]:
    """Return a unit under ``UNIT_HEADS``."""
    return tuple(asdict(one).values())


def table(heads: Sequence[str], rows: Iterable[Sequence[str | int]]) -> Iterator[bytes]:
    """Yield rows as CSV (RFC 4180), line by line.

    What a spreadsheet would take for a formula is written as text.
    """
    yield _line(heads)
    yield from (_line([_plain(cell) for cell in row]) for row in rows)


def _line(cells: Sequence[str | int]) -> bytes:
    out = StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue().encode()


def _plain(cell: str | int) -> str | int:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@"} else cell


def _array(name: str, values: Iterable[Mapping[str, JsonValue]]) -> Iterator[bytes]:
    """Yield a member that is an array, a line a value."""
    yield f",\n  {json.dumps(name)}: [".encode()
    before, end = "\n    ", ""
    for value in values:
        yield f"{before}{json.dumps(value)}".encode()
        before, end = ",\n    ", "\n  "
    yield f"{end}]".encode()
