"""What commands print: one result on stdout, as lines for people or as JSON for programs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

import click

Value: TypeAlias = (
    "str | int | bool | Mapping[str, Value] | Sequence[Mapping[str, Value]] | Sequence[str] | None"
)
Answer: TypeAlias = Mapping[str, Value]

_INDENT = "  "


class Moment(int):
    """Block seconds; people read them as UTC, 0 as never."""


def say(answer: Answer, *, as_json: bool, brief: object = None) -> None:
    """Print a result.

    Args:
        answer: The whole of it.
        as_json: Whether programs read it.
        brief: What people want of it, where that is one value; else they get all lines.
    """
    if as_json:
        click.echo(json.dumps(answer, indent=2))
    elif brief is not None:
        click.echo(str(brief))
    else:
        for line in _lines(answer):
            click.echo(line)


def note(text: str) -> None:
    """Print what is no result."""
    click.echo(text, err=True)


def _lines(answer: Answer, indent: str = "") -> Iterator[str]:
    width = max((len(name) for name in answer), default=0)
    for name, value in answer.items():
        if isinstance(value, Mapping):
            yield f"{indent}{name}"
            yield from _lines(value, indent + _INDENT)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield f"{indent}{name}" if value else f"{indent}{name:{width}}  -"
            yield from (indent + _INDENT + row for row in _rows(value))
        else:
            yield f"{indent}{name:{width}}  {_shown(value)}"


def _rows(values: Sequence[Mapping[str, Value]] | Sequence[str]) -> Iterator[str]:
    """Yield a table, its columns named after the members of its first row."""
    rows = [value for value in values if isinstance(value, Mapping)]
    if not rows:
        yield from (str(value) for value in values)
        return
    table = [list(rows[0]), *([_cell(row[name]) for name in rows[0]] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        yield _INDENT.join(cells).rstrip()


def _cell(value: Value) -> str:
    """Return what stands in one line of a table, also where the value has several."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_cell(each)}" for name, each in value.items()) or "-"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_cell(each) for each in value) or "-"
    return " | ".join(_shown(value).splitlines())


def _shown(value: Value) -> str:
    if isinstance(value, Moment):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
