"""An audit on paper."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from guildmark.adapters.reports import audit
from guildmark.adapters.reports.page import Row
from guildmark.adapters.reports.pdf import typesetting as type_
from guildmark.services.audit.auditing import AuditResult

_UNITS = ("log", "index", "recorded", "unit", "state", "failed", "label")
_UNIT_SHARES = (0.5, 0.7, 1.8, 0.6, 1.1, 2.2, 3.6)
_FINDING_SHARES = (1.1, 2, 5)


def written(result: AuditResult, scope: Mapping[str, str | int]) -> bytes:
    """Return an audit as PDF.

    Args:
        result: What was found.
        scope: What it is about.
    """
    foot = f"Audit at block {result.block}"
    return type_.written(list(_story(result, scope)), title="Audit", foot=foot)


def _story(result: AuditResult, scope: Mapping[str, str | int]) -> Iterator[Any]:
    yield type_.heading("Audit", size=16)
    yield type_.note(
        "Made from the chain, as the auditor's own node told it, and from the evidence that was "
        "shown; nothing that a node sent was believed."
    )
    yield type_.heading("About")
    yield type_.rows([Row(name=name, value=str(value)) for name, value in scope.items()])
    yield type_.heading("Units")
    counts = audit.states(result).items()
    yield type_.rows([Row(name=state, value=str(count)) for state, count in counts])
    yield type_.heading("Findings")
    yield _findings(result)
    yield type_.heading("Every unit")
    yield type_.table(_UNITS, _units(result), _UNIT_SHARES)


def _findings(result: AuditResult) -> Any:
    if not result.findings:
        return type_.note("none: everything adds up")
    return type_.table(audit.FINDING_HEADS, audit.finding_rows(result), _FINDING_SHARES)


def _units(result: AuditResult) -> Iterator[Sequence[str]]:
    places = [audit.UNIT_HEADS.index(name) for name in _UNITS]
    for row in audit.unit_rows(result):
        yield [str(row[place]) for place in places]
