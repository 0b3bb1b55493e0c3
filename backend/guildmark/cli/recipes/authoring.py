"""Commands that need no home: write, check and compare recipes as files."""

import json
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from guildmark.adapters.machines.reports import read_json
from guildmark.adapters.profiles import read_profile_file
from guildmark.cli.answers import Answer, note, say
from guildmark.cli.arguments import AsJson
from guildmark.cli.homes import write_new
from guildmark.domain.errors import UsageError
from guildmark.domain.recipes.differing import Difference, change_of, differences, in_words
from guildmark.domain.recipes.drafts import lint, read_either, write_draft
from guildmark.domain.recipes.gcode import JobDepartsError, Observed, judge, observe
from guildmark.domain.recipes.importing.profiles import Program
from guildmark.domain.recipes.linting import Advice
from guildmark.domain.recipes.recipe import Change
from guildmark.domain.recipes.schema import recipe_schema
from guildmark.domain.recipes.templates import TEMPLATES, template

_BLOCKED = 2


class JobSourceError(UsageError):
    """No job is named, or two."""

    code = "cli.jobSource"
    hint = "Name --gcode or --log, one of them."


ProgramName = StrEnum("ProgramName", {one.name: one.value for one in Program})  # type: ignore[misc]  # of a table
TemplateName = StrEnum("TemplateName", {name.upper(): name for name in TEMPLATES})  # type: ignore[misc]  # of a table

RecipeFile = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A recipe in JSON.")
]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="A new file; else standard output.")
]


def new(
    kind: Annotated[TemplateName, typer.Option("--template", help="The process to begin from.")],
    name: Annotated[str | None, typer.Option(help="What people call the recipe.")] = None,
    out: Out = None,
) -> None:
    """Write a recipe to begin from, with the clauses that a process usually fixes."""
    title, clauses = template(str(kind.value))
    put(write_draft(name or title, clauses), out)


def lint_file(file: RecipeFile, as_json: AsJson = False) -> None:
    """Say what is wrong or unwise in a recipe, why, and what to write instead; 2 if refused."""
    found = lint(file.read_bytes())
    say(
        {"findings": [_advice(one) for one in found], "refused": any(one.blocks for one in found)},
        as_json=as_json,
    )
    if any(one.blocks for one in found):
        raise typer.Exit(_BLOCKED)


def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="A profile (.ini, .cfg, .json), a 3MF with settings, or an OKH manifest.",
        ),
    ],
    program: Annotated[
        ProgramName | None, typer.Option("--from", help="What wrote it, where the name misleads.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What people call the recipe.")] = None,
    out: Out = None,
) -> None:
    """Write a recipe out of a profile: each setting a core clause; what is not read is listed."""
    chosen = None if program is None else Program(program.value)
    imported = read_profile_file(file, chosen)
    for key in imported.unread:
        note(f"not read: {key}")
    note(f"{len(imported.clauses)} settings read, {len(imported.unread)} not.")
    put(write_draft(name or imported.name or file.stem, imported.clauses), out)


def check(
    recipe: RecipeFile,
    gcode: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="What goes to the printer."),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="A machine's report in JSON.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold a job against a recipe: temperatures, layers, speeds, material; 15 if it departs."""
    found = judge(_observed(gcode, log), read_either(recipe.read_bytes()).clauses)
    departures: list[Answer] = [
        {"path": clause.path, "job": value, "recipe": in_words(clause)}
        for clause, value in found.departures
    ]
    say(
        {"kept": list(found.kept), "departures": departures, "notSaid": list(found.silent)},
        as_json=as_json,
    )
    if departures:
        raise typer.Exit(JobDepartsError.exit_code)


def _observed(gcode: Path | None, log: Path | None) -> Iterable[Observed]:
    if gcode is not None and log is None:
        with gcode.open(encoding="utf-8", errors="replace") as lines:
            return observe(lines)
    if log is not None and gcode is None:
        events = read_json(log.read_bytes()).events
        return [Observed.recorded(one) for event in events for one in event.settings]
    message = "A job is held against a recipe by its commands, or by what its machine reported."
    raise JobSourceError(message)


def diff(
    before: RecipeFile,
    after: Annotated[
        Path, typer.Argument(metavar="NEWER", exists=True, dir_okay=False, help="The newer one.")
    ],
    as_json: AsJson = False,
) -> None:
    """Compare two recipes clause by clause, and say what kind of change that is."""
    old, new_one = (read_either(path.read_bytes()).clauses for path in (before, after))
    found = tuple(differences(old, new_one))
    change = change_of(found)
    rows = [_difference(one) for one in found]
    say({"change": change.name.lower(), "differences": rows}, as_json=as_json)


def schema(
    draft: Annotated[bool, typer.Option("--draft", help="Of recipes without salts.")] = False,
) -> None:
    """Print the JSON Schema of recipe documents."""
    typer.echo(json.dumps(recipe_schema(salted=not draft), indent=2))


def put(text: str, out: Path | None) -> None:
    """Write a text to a new file, or to standard output."""
    if out is None:
        typer.echo(text, nl=False)
    else:
        write_new(out, text.encode())
        note(f"Written to {out}. `guildmark recipe lint {out}` says what is left to decide.")


def _advice(one: Advice) -> Answer:
    return {
        "code": one.rule,
        "path": one.path,
        "member": one.member,
        "refuses": one.blocks,
        "reason": one.reason,
        "instead": one.instead,
    }


def _difference(one: Difference) -> Answer:
    return {
        "path": one.path,
        "change": Change(one.change).name.lower(),
        "what": one.kind.value,
        "before": in_words(one.before),
        "after": in_words(one.after),
    }
