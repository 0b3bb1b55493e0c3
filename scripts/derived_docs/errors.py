"""docs/errors.md: every code, why it comes and how to solve it."""

import inspect
import re
from collections import defaultdict
from collections.abc import Iterator

from derived_docs.checks import causes
from environments import ROOT
from guildmark.domain.errors import all_errors
from guildmark.domain.verification.report import Cause
from guildmark_ipfs.errors import ContentError

_INTRODUCTION = """\
# Errors

Every error has one code, the same on the command line, over HTTP, in pages and here. This page is
written from the code by `make docs`.

"""
_LITERAL = re.compile(r"""\bcode ?= ?"([a-z][A-Za-z0-9]*(?:\.[A-Za-z0-9]+)+)\"""")


def page() -> str:
    """Return the page, grouped by the first word of the codes."""
    groups: dict[str, list[str]] = defaultdict(list)
    for code, paragraphs in sorted(_entries().items()):
        entry = "\n\n".join([f"### `{code}`", *dict.fromkeys(paragraphs)])
        groups[code.partition(".")[0]].append(entry)
    sections = (f"## {group}\n\n" + "\n\n".join(entries) for group, entries in groups.items())
    return _INTRODUCTION + "\n\n".join(sections) + "\n"


def unexplained() -> list[str]:
    """Return the codes that a source names as a literal and the page does not explain."""
    sources = [*(ROOT / "backend").rglob("*.py"), *(ROOT / "ipfs").rglob("*.py")]
    named = {code for source in sources for code in _LITERAL.findall(source.read_text())}
    return sorted(named - set(_entries()))


def _entries() -> dict[str, list[str]]:
    """Return, by code, what it means and how to solve it."""
    entries: dict[str, list[str]] = defaultdict(list)
    for error in all_errors():
        entries[error.code] += _entry(error, error.hint, f" Exit code {error.exit_code}.")
    for kind in _family(ContentError):
        entries[kind.code] += _entry(kind, kind.hint, "")
    for number, cause in causes():
        entries[cause.code] += _of_cause(number, cause)
    return entries


def _entry(kind: type, hint: str, leaves: str) -> list[str]:
    why = (inspect.getdoc(kind) or "").partition("\n\n")[0].replace("\n", " ")
    return [f"{why}{leaves}", f"*How to solve:* {hint}"]


def _of_cause(number: int | None, cause: Cause) -> list[str]:
    which = "A check" if number is None else f"Check ({number})"
    return [
        f"{cause.meaning} {which} is then *{cause.state}*.",
        "*How to solve:* see [verification](verification.md).",
    ]


def _family(kind: type[ContentError]) -> Iterator[type[ContentError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)
