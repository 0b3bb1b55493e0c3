"""Every command that documentation or an error's hint names is one that exists."""

import importlib
import pkgutil
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

import guildmark
from guildmark import cli
from guildmark.domain.errors import all_errors

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted(
    page
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md"))
    if page.name not in {"cli.md", "errors.md"}
)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SHELLS = {"", "console", "sh", "bash"}
_CALL = re.compile(r"(?:^\$ |^|\$\()(?:[A-Z]+=\$\()?guildmark((?: [^\n)]*)?)")
_BRACKETS = str.maketrans("", "", "[]")
_INLINE = re.compile(r"`guildmark ([a-z][^`]*)`")


@dataclass(frozen=True)
class Named:
    """A command as a page names it."""

    where: str
    words: tuple[str, ...]
    is_whole: bool

    def __str__(self) -> str:
        return f"{self.where}: guildmark {' '.join(self.words)}"


def in_blocks(page: Path) -> Iterator[Named]:
    blocks = _BLOCK.findall(page.read_text())
    for block in (text for language, text in blocks if language in _SHELLS):
        for line in block.replace("\\\n", " ").splitlines():
            for call in _CALL.findall(line):
                words = tuple(shlex.split(call.rstrip(" &"), comments=True))
                yield Named(page.name, words, is_whole=True)


def in_text(where: str, text: str) -> Iterator[Named]:
    for call in _INLINE.findall(text):
        # Brackets hold what may be left out.
        words = shlex.split(call.translate(_BRACKETS))
        yield Named(where, tuple(words), is_whole=False)


def in_hints() -> Iterator[Named]:
    for module in pkgutil.walk_packages(guildmark.__path__, "guildmark."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for error in all_errors():
        yield from in_text(f"{error.__module__}.{error.__name__}", error.hint)


def all_named() -> list[Named]:
    pages = [named for page in PAGES for named in in_blocks(page)]
    inline = [named for page in PAGES for named in in_text(page.name, page.read_text())]
    return [*pages, *inline, *in_hints()]


NAMED = all_named()


@pytest.mark.parametrize("named", NAMED, ids=str)
def test_a_documented_command_exists(named: Named) -> None:
    command, rest = resolved(named)
    options = {name: one for one in command.params for name in (*one.opts, *one.secondary_opts)}
    given, arguments = split(rest, options)

    unknown = [word for word in given if word not in {*options, "--help", "-h"}]
    assert not unknown, f"{named} has no option {unknown[0]}"
    if named.is_whole:
        check_complete(named, command, given, arguments)
    else:
        check_not_too_many(named, command, arguments)


def resolved(named: Named) -> tuple[click.Command, list[str]]:
    """Return the command that the first words call, and the words behind them."""
    command, rest = cli.root(), list(named.words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        child = command.get_command(click.Context(command), rest[0])
        assert child is not None, f"{named}: there is no {rest[0]!r}"
        command, rest = child, rest[1:]
    return command, rest


def split(words: list[str], options: dict[str, click.Parameter]) -> tuple[list[str], list[str]]:
    """Return the options that are given, and the arguments."""
    given, arguments, left = [], [], list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("--"):
            arguments.append(word)
            continue
        given.append(word)
        option = options.get(word)
        if isinstance(option, click.Option) and not option.is_flag and left:
            left.pop(0)
    return given, arguments


def check_complete(
    named: Named, command: click.Command, given: list[str], arguments: list[str]
) -> None:
    """Check that nothing is missing and nothing is too much."""
    if isinstance(command, click.Group):
        assert not named.words or named.words[-1].startswith("-"), f"{named} calls no command"
        return
    for one in command.params:
        if isinstance(one, click.Option) and one.required:
            assert set(one.opts) & set(given), f"{named} lacks {one.opts[0]}"
    slots = [one for one in command.params if isinstance(one, click.Argument)]
    needed = sum(1 for one in slots if one.required)
    assert needed <= len(arguments), f"{named}: {arguments}"
    check_not_too_many(named, command, arguments)


def check_not_too_many(named: Named, command: click.Command, arguments: list[str]) -> None:
    """Check that a command takes all arguments that are named; a text may leave some out."""
    slots = [one for one in command.params if isinstance(one, click.Argument)]
    most = float("inf") if any(one.nargs == -1 for one in slots) else len(slots)
    assert len(arguments) <= most, f"{named}: {arguments}"


def test_pages_name_commands_at_all() -> None:
    found = {named.where for named in NAMED if named.is_whole}

    assert {path.name for path in (ROOT / "docs" / "how-to").glob("*.md")} <= found
