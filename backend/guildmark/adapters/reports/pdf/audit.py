"""An audit on paper."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from guildmark.adapters.reports import audit
from guildmark.adapters.reports.page import Row
from guildmark.adapters.reports.pdf import typesetting as type_
from guildmark.domain.audit.accounts import Accounts
from guildmark.domain.audit.findings import CONSEQUENCES
from guildmark.domain.audit.telemetry import TelemetryState
from guildmark.domain.audit.units import UnitRow, moment_text
from guildmark.domain.encoding.strictjson import JsonValue
from guildmark.domain.identifiers import to_hex
from guildmark.services.audit.auditing import AuditResult

LINES_MAX = 1_000
"""How many units, and findings, are printed; the tables have them all."""

_UNITS = ("log", "index", "recorded", "unit", "state", "failed", "label")
_UNIT_SHARES = (0.5, 0.7, 2.2, 0.6, 1.2, 2.1, 3.6)
_FINDINGS = audit.FINDING_HEADS[:-1]
_FINDING_SHARES = (1.5, 1.3, 6)
_SHORT = 12
_TONES = {
    TelemetryState.OPENED: "good",
    **dict.fromkeys((TelemetryState.WRONG, TelemetryState.MISSING), "bad"),
}
_SIGNED = {None: "no key named", True: "signed by the log", False: "not signed by the log"}


def written(result: AuditResult, scope: Mapping[str, JsonValue]) -> bytes:
    """Return an audit as PDF.

    Args:
        result: What was found.
        scope: What it is about.
    """
    block = 0 if result.block is None else result.block.number
    return type_.written(list(_story(result, scope)), title="Audit", foot=f"Audit at block {block}")


def _story(result: AuditResult, scope: Mapping[str, JsonValue]) -> Iterator[Any]:
    accounts = result.accounts
    yield type_.heading("Audit", size=16)
    yield type_.note(
        "Made from the chain, as the auditor's own node told it, and from the evidence that was "
        "shown; nothing that a node sent was believed."
    )
    yield type_.heading("About")
    yield type_.rows([Row(name=name, value=str(value)) for name, value in scope.items()])
    yield type_.heading("Units")
    yield type_.rows(_states(accounts))
    yield type_.heading("Findings")
    yield from _findings(result)
    yield type_.heading("Logs and lanes")
    yield type_.rows(_logs(accounts))
    yield type_.heading("Machines")
    yield type_.rows(_machines(accounts))
    yield type_.heading("Telemetry")
    yield type_.rows(_telemetry(accounts))
    yield type_.heading("Notices, recalls, gaps")
    yield type_.rows(_news(accounts))
    yield type_.heading("Every unit")
    units = accounts.units
    yield type_.table(_UNITS, _units(islice(result.book.units(), LINES_MAX)), _UNIT_SHARES)
    yield from _beyond(units, "units.csv")


def _states(accounts: Accounts) -> Iterator[Row]:
    yield Row(name="all", value=str(accounts.units))
    for state, count in sorted(accounts.states.items()):
        yield Row(name=state, value=str(count), tone="good" if state == "verified" else "")


def _findings(result: AuditResult) -> Iterator[Any]:
    counted = result.accounts.counted()
    if not counted:
        yield type_.note("none: everything adds up")
        return
    yield type_.rows(
        Row(name=f"{count} {flaw.value}", value=CONSEQUENCES[flaw].next_step, tone="bad")
        for flaw, count in counted.items()
    )
    found = islice(result.book.findings(), LINES_MAX)
    lines = (audit.finding_row(one)[: len(_FINDINGS)] for one in found)
    yield type_.table(_FINDINGS, lines, _FINDING_SHARES)
    yield from _beyond(sum(counted.values()), "findings.csv")


def _beyond(count: int, file: str) -> Iterator[Any]:
    if count > LINES_MAX:
        yield type_.note(f"{count - LINES_MAX} more stand in {file}.")


def _logs(accounts: Accounts) -> Iterator[Row]:
    for one in accounts.logs:
        whole = "whole" if one.is_whole else "broken"
        words = (
            f"{one.records} records, {one.size} entries, {one.unitless} of them without a unit; "
            f"{whole}; checkpoint over {one.checkpoint} records, {_SIGNED[one.is_signed]}, "
            f"cosigned by {one.witnesses} listed witnesses"
        )
        yield Row(name=f"log {one.number}", value=words, tone="" if one.is_whole else "bad")
    for lane in accounts.lanes:
        words = f"{lane.drawn} of {lane.units} units drawn, {lane.refused} refused"
        yield Row(name=f"lane {lane.number}", value=words)


def _machines(accounts: Accounts) -> Iterator[Row]:
    for machine, one in sorted(accounts.machines.items()):
        words = f"{one.shown} parts, counters {one.first} to {one.last}"
        yield Row(name=to_hex(machine)[:_SHORT], value=words)


def _telemetry(accounts: Accounts) -> Iterator[Row]:
    drawing = accounts.drawing
    if drawing is not None:
        yield Row(name="drawn", value=f"{drawing.most} chunks a part by {to_hex(drawing.nonce)}")
    for state, count in sorted(accounts.telemetry.items()):
        yield Row(name=state.value, value=str(count), tone=_TONES.get(state, ""))


def _news(accounts: Accounts) -> Iterator[Row]:
    for notice in accounts.notices:
        words = f"at {moment_text(notice.notice_at)}, from {moment_text(notice.suspected_from)}"
        yield Row(name=f"notice on {to_hex(notice.target)[:_SHORT]}", value=words, tone="bad")
    for _, (recall, parts) in sorted(accounts.recalls.items()):
        closed = f", closed {moment_text(recall.closed_at)}" if recall.closed_at else ""
        words = f"{recall.thing.text()} at {moment_text(recall.at)}{closed}: {parts} parts"
        tone = "" if recall.closed_at else "bad"
        cause = recall.thing.cause.name.lower().replace("_", " ")
        yield Row(name=f"recall by {cause}", value=words, tone=tone)
    for (flaw, site, code), gap in sorted(accounts.gaps.items()):
        words = (
            f"{code} at site {to_hex(site)[:_SHORT]}: {gap.parts} parts, "
            f"{moment_text(gap.first)} to {moment_text(gap.last)}"
        )
        yield Row(name=flaw.value, value=words, tone="bad")


def _units(rows: Iterable[UnitRow]) -> Iterator[Sequence[str]]:
    places = [audit.UNIT_HEADS.index(name) for name in _UNITS]
    for row in rows:
        cells = audit.unit_row(row)
        yield [str(cells[place]) for place in places]
