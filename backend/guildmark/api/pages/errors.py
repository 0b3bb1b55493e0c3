"""The page that explains every code which this node can answer: why it comes, how to solve it."""

import inspect
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from guildmark.api.problems import status_of_kind
from guildmark.domain.errors import GuildmarkError, all_errors
from guildmark.domain.verification.report import Cause
from guildmark.domain.verification.verdict import CHECKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A code, why it comes and how to solve it."""

    code: str
    why: str
    solve: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Codes that begin with one word."""

    name: str
    codes: tuple[Explained, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorsPage:
    """Everything that the template shows."""

    groups: tuple[Group, ...]


def errors_page() -> ErrorsPage:
    """Return the page of all codes that this process knows."""
    groups: dict[str, dict[str, Explained]] = defaultdict(dict)
    for explained in (*_errors(), *_causes()):
        groups[explained.code.partition(".")[0]].setdefault(explained.code, explained)
    return ErrorsPage(
        groups=tuple(
            Group(name=name, codes=tuple(groups[name][code] for code in sorted(groups[name])))
            for name in sorted(groups)
        )
    )


def _errors() -> Iterator[Explained]:
    for kind in all_errors():
        why = (inspect.getdoc(kind) or "").partition("\n\n")[0].replace("\n", " ")
        leaves = f"HTTP {int(status_of_kind(kind))}, exit code {kind.exit_code}."
        yield Explained(code=kind.code, why=f"{why} {leaves}", solve=_plain(kind))


def _plain(kind: type[GuildmarkError]) -> str:
    return kind.hint.replace("`", "")


def _causes() -> Iterator[Explained]:
    for check in CHECKS:
        for cause in check.causes:
            yield _of_cause(check.number, cause)


def _of_cause(number: int, cause: Cause) -> Explained:
    return Explained(
        code=cause.code,
        why=f"{cause.meaning} Check ({number}) is then {cause.state.value}.",
        solve="Look at the check's reason in the report, and at the evidence that it names.",
    )
