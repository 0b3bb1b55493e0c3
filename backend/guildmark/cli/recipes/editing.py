"""``guildmark recipe edit``: a recipe by form, in this machine's browser."""

import signal
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from guildmark.cli.answers import note, say
from guildmark.cli.arguments import AsJson
from guildmark.cli.homes import OutputExistsError
from guildmark.cli.recipes.authoring import TemplateName
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.errors import UsageError
from guildmark.domain.recipes.drafts import read_either, write_draft
from guildmark.domain.recipes.recipe import DOCUMENT_LIMITS
from guildmark.domain.recipes.templates import template

# A string, so that commands and pages stay independent rooms.
_SERVING = "guildmark.agent.editing.serving"


class FormSourceError(UsageError):
    """There is neither a file nor a template to begin with."""

    code = "cli.formSource"
    hint = "Name a file that is there, or a --template."


class SaltsLostError(UsageError):
    """The file holds salts, which a form would not save."""

    code = "cli.saltsLost"
    hint = "Name a new file with --out: what is published opens by the salts of the old one."


def edit(
    file: Annotated[
        Path, typer.Argument(metavar="[FILE]", dir_okay=False, help="The recipe in JSON.")
    ] = Path("recipe.json"),
    kind: Annotated[
        TemplateName | None,
        typer.Option("--template", help="The process to begin from, where there is no file yet."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="OLDER", exists=True, dir_okay=False, help="The version to compare with."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save to this new file instead.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Edit a recipe in this machine's browser; until Ctrl-C. Print the address, which works once.

    No key is used. Only this machine can open the address.
    """
    before = None if against is None else read_either(against.read_bytes()).clauses
    data, target = _begun(file, kind, out)

    def announce(url: str) -> None:
        say({"url": url, "file": str(target)}, as_json=as_json, brief=url)
        note("Open it in your browser. Ctrl-C ends the form; what is not saved is lost.")

    # The server raises the signal again when all is done.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    import_module(_SERVING).edit(data, target.resolve(), before, announce=announce)


def _begun(file: Path, kind: TemplateName | None, out: Path | None) -> tuple[bytes, Path]:
    """Return what to begin with, and where to save it."""
    taken = file if kind is not None and file.exists() else out
    if taken is not None and taken.exists():
        message = f"{taken} exists already."
        raise OutputExistsError(message, path=str(taken))
    if kind is not None:
        return write_draft(*template(str(kind.value))).encode(), out or file
    if not file.exists():
        message = f"{file} is not there."
        raise FormSourceError(message, path=str(file))
    data = file.read_bytes()
    if out is None and "type" in parse_object(data, DOCUMENT_LIMITS):
        message = f"{file} holds the salts of a recipe."
        raise SaltsLostError(message, path=str(file))
    return data, out or file
