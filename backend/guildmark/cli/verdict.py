"""A report as people read it in a terminal: headline, part, parties, checks, what is not proven."""

import sys
from collections.abc import Iterator

import click

from guildmark.domain.verification.headline import is_unclaimed
from guildmark.domain.verification.report import (
    CheckResult,
    PartSummary,
    Party,
    Report,
    State,
    Verdict,
)
from guildmark.domain.verification.times import as_time

_COLOURS = {
    State.OK: "green",
    State.FAIL: "red",
    State.UNKNOWN: "yellow",
    State.WITHHELD: "yellow",
    State.NOT_CLAIMED: "yellow",
}
_MARKS = {
    Verdict.VERIFIED: ("[ok]", "green"),
    Verdict.UNTRUSTED: ("[!]", "yellow"),
    Verdict.PROBLEM: ("[x]", "red"),
    Verdict.NOT_FOUND: ("[?]", "red"),
    Verdict.UNCHECKABLE: ("[?]", "yellow"),
}
_ROLES = {"operator": "operator", "maker": "maker", "designOwner": "designer"}
_HOLDERS = {"file": "key file", "pkcs11": "PKCS #11 token", "tpm": "TPM"}
_WIDTH = 10
_ID_SHOWN = 10


def show(report: Report, *, offline: bool, plain: bool) -> None:
    """Print a report.

    Args:
        report: What to print.
        offline: Whether the reader asked for no connection.
        plain: Whether the reader wants no colour.
    """
    # A terminal that lacks a character of a name shows a mark, not a traceback.
    encoding = sys.stdout.encoding or "utf-8"
    for line in _lines(report, offline=offline):
        shown = line.encode(encoding, "replace").decode(encoding)
        click.echo(shown, color=False if plain else None)


def _lines(report: Report, *, offline: bool) -> Iterator[str]:
    mark, colour = _MARKS[report.verdict]
    yield click.style(f"{mark} {_safe(report.headline)}", fg=colour, bold=True)
    if report.part is not None:
        yield from _part(report.part)
    for party in report.parties:
        yield from _party(party)
    if report.checks:
        yield ""
    for check in report.checks:
        yield from _check(check)
    yield from _tail(report, offline=offline)


def _part(part: PartSummary) -> Iterator[str]:
    unit = "no unit" if part.unit is None else f"unit {part.unit}"
    total = "" if part.unit is None or part.units is None else f" of {part.units}"
    yield _row("part", f"{part.log}.{part.index}, {unit}{total}")
    if part.label is not None:
        yield _row("label", part.label)
    if part.key_algorithm is not None:
        said = f" in a {_HOLDERS[part.key_holder]}" if part.key_holder else ""
        yield _row("key", f"{part.key_algorithm}{said}{' (by its own word)' if said else ''}")


def _party(party: Party) -> Iterator[str]:
    name = party.name or (f"{party.id[:_ID_SHOWN]}..." if party.id else "not proven")
    unlisted = "no claim was shown" if is_unclaimed(party) else "not on your list"
    listed = "on your list" if party.is_listed else unlisted
    claims = [f"{claim.scheme} {claim.value}" for claim in party.claims]
    yield _row(_ROLES[party.role], f"{', '.join([name, *claims])} ({listed})")


def _check(check: CheckResult) -> Iterator[str]:
    state = click.style(f"{check.state.value:11}", fg=_COLOURS[check.state])
    yield f"  ({check.number}) {state} {check.name:26} {_safe(check.reason)}"
    for finding in check.findings:
        yield f"{'':44} {finding.cause.code}  {finding.evidence}"


def _tail(report: Report, *, offline: bool) -> Iterator[str]:
    if report.checks:
        numbers = " ".join(f"({number})" for number in report.not_checked)
        yield f"  {numbers} not checked by this version"
        yield ""
    for each in report.notes:
        yield _row("note", each)
    if report.fault is not None:
        yield _row("reason", report.fault.reason)
        yield _row("code", report.fault.code)
        yield _row("next", report.fault.next_step)
    if report.as_of is not None:
        fresh = "fresh as of" if offline else "as of"
        block = f"{fresh} block {report.as_of.block} ({as_time(report.as_of.time)})"
        yield _row("state", block)
    if report.newest is not None:
        newest = f"bad news looked for up to block {report.newest.block}"
        yield _row("newest", f"{newest} ({as_time(report.newest.time)})")


def _row(name: str, text: str) -> str:
    return f"  {name:{_WIDTH}}{_safe(text)}"


def _safe(text: str) -> str:
    """Return text without what could steer a terminal or turn the reading order."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
