"""The part of docs/verification.md that lists the numbered checks and all their causes."""

from collections.abc import Iterator
from pathlib import Path

from guildmark.domain.verification import case
from guildmark.domain.verification.checks.check import Check
from guildmark.domain.verification.proof_code import NOT_IN_PROOF
from guildmark.domain.verification.report import (
    EXIT_FINALITY,
    EXIT_NOT_CLAIMED,
    EXIT_OF_CHECK,
    EXIT_SOURCE,
    EXIT_UNCHECKABLE,
    EXIT_UNTRUSTED,
    NOT_CHECKED,
    Cause,
    Lack,
    State,
)
from guildmark.domain.verification.verdict import CHECKS

_BEGIN = "<!-- written by `make docs` from here to the end mark -->\n"
_END = "<!-- end -->\n"
_TABLE = "| code | state | exit | meaning |\n|---|---|---|---|\n"
_EXIT_OF_LACK = {
    Lack.FINALITY: EXIT_FINALITY,
    Lack.SOURCE: EXIT_SOURCE,
    Lack.TRUST: EXIT_UNTRUSTED,
    Lack.ISSUER: EXIT_UNTRUSTED,
    Lack.EVIDENCE: EXIT_UNCHECKABLE,
}


def page(file: Path) -> str:
    """Return the page as it is, with the written part between its marks made anew."""
    before, begin, rest = file.read_text().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise SystemExit(f"{file.name} lacks the marks of the part that follows from the code")
    return f"{before}{_BEGIN}\n{_block()}\n{_END}{after}"


def causes() -> Iterator[tuple[int | None, Cause]]:
    """Yield every cause with its check's number, or none where any check may find it."""
    yield from ((None, cause) for cause in _shared())
    yield from ((check.number, cause) for check in CHECKS for cause in check.causes)
    yield None, NOT_IN_PROOF


def _block() -> str:
    sections = "\n".join(_section(check) for check in CHECKS)
    shared = "\n".join(_row(cause, None) for cause in _shared())
    later = ", ".join(f"({number})" for number in NOT_CHECKED)
    return (
        f"{sections}\n### In any check\n\n{_TABLE}{shared}\n\n"
        f"### Not checked yet\n\n{later}: under `notChecked` in every report, never *ok*.\n"
    )


def _section(check: Check) -> str:
    rows = "\n".join(_row(cause, check.number) for cause in check.causes)
    return f"### ({check.number}) {check.name}\n\n{check.asks}\n\n{_TABLE}{rows}\n"


def _row(cause: Cause, number: int | None) -> str:
    return f"| `{cause.code}` | {cause.state} | {_exit(cause, number)} | {cause.meaning} |"


def _exit(cause: Cause, number: int | None) -> str:
    """Return the exit code of a verdict that this cause decides."""
    if cause.is_exempt:
        return "-"
    if cause.state is State.FAIL:
        return "the check's" if number is None else str(EXIT_OF_CHECK[number])
    if cause.state is State.NOT_CLAIMED:
        return str(EXIT_NOT_CLAIMED)
    return str(_EXIT_OF_LACK[cause.lack])


def _shared() -> tuple[Cause, ...]:
    return tuple(value for value in vars(case).values() if isinstance(value, Cause))
