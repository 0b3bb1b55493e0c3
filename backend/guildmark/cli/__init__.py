"""Commands: parse, call a service, print.

A command's module is imported when the command is called, so that the verifier starts with its
own few packages.
"""

import json
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

import click
import typer
from click.shell_completion import CompletionItem, shell_complete
from typer.core import TyperGroup

from guildmark.domain.errors import GuildmarkError, UsageError

PROGRAM = "guildmark"
COMPLETE_VARIABLE = "_GUILDMARK_COMPLETE"
"""In it a shell asks for completions, in click's words."""

_INTERRUPTED = 130
_OWN_PACKAGES = frozenset({"", "guildmark", "guildmark_ipfs"})
_JSON = "--json"

_COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "accreditation": "Accredit others; tell who was accredited, and when.",
        "agent": "Run what stands beside machines, and tell it things.",
        "audit": "Open and verify every unit that was drawn; name what does not add up.",
        "authority": "Register and show authorities, who vouch for others.",
        "backup": "Copy a whole home, check the copy, put it back.",
        "build": "Sign builds, send them to a log, follow them.",
        "bundle": "Export evidence that verifies without us.",
        "certificate": "Let phones in your own network reach the node by https.",
        "chain": "Run, fund and deploy the local chain.",
        "claim": "State which identifier somebody holds.",
        "completions": "Print what makes a shell complete commands.",
        "content": "Store bytes by their address, send and fetch them.",
        "design": "Register and show designs.",
        "disclose": "Show what stands behind a digest on chain.",
        "doctor": "Check whether this home can work.",
        "erase": "Let the content of entries go, by signed orders.",
        "equivalence": "Plan, commit, compute and certify that sites make equivalent parts.",
        "fsck": "Compare this home with itself and its chain.",
        "guardian": "Name who may give an identity another controller, and let them.",
        "index": "Look at this home's index of the chain, or make it anew.",
        "init": "Make a home.",
        "invite": "Let shops join: make, list and take back invitations.",
        "join": "Join a hub's chain and log as a shop, by its invitation.",
        "keys": "Make and list the keys of this home.",
        "label": "Write and draw the labels of parts.",
        "license": "License a counted number of parts, hand the units out.",
        "link": "Link a machine to its site, or a site to its organization.",
        "log": "Open a log, choose its writer, close it.",
        "machine": "Register and show machines, and their keys.",
        "measure": "Read files of measured values, and judge them by a recipe.",
        "notice": "Say that a key, or a controller's account, may be in other hands.",
        "mirror": "Mirror other operators' logs, so that their parts outlive their nodes.",
        "org": "Register and show organizations.",
        "package": "Hand a site what a license covers.",
        "part": "Show parts, make them tokens, declare them void.",
        "recall": "Recall parts by what they have in common.",
        "receive": "Keep what somebody disclosed to this home.",
        "recipe": "Publish recipes, and what each site chooses in them.",
        "release": "Let nodes release the keys of a design's files, and see what they released.",
        "site": "Register and show sites.",
        "tx": "Follow what this home sent to the chain; hurry it, take it back.",
        "trust": "Say whom you trust: chain, operators, issuers, blocks.",
        "up": "Run a node.",
        "value": "Open single values of a part, grant them, read them.",
        "verify": "Check a part's bundle.",
        "version": "Print the version.",
        "witness": "Run a witness over logs and blocks; have a node ask one.",
    }
)


class ExtraMissingError(UsageError):
    """A command needs packages that are not installed."""

    code = "cli.extraMissing"
    hint = "Install them: pip install 'guildmark[node]'."


class CommandLineError(UsageError):
    """A command, argument or option is unknown, missing or not of its kind."""

    code = "cli.usage"
    hint = "Look at the command's --help."


class FileAccessError(UsageError):
    """The system does not let a file be read or written."""

    code = "cli.fileAccess"
    hint = "Check the path, its permissions and the disk."


class _Commands(TyperGroup):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(_COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        return _load(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # The table's lines, not the modules': help must not need every extra.
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name]) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        # From the table, too: a shell waits for this.
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        return [CompletionItem(name, help=_COMMANDS[name]) for name in names]


def _load(name: str) -> click.Command:
    try:
        module = import_module(f"guildmark.cli.{name}")
    except ModuleNotFoundError as exc:
        raise _explained(exc, f"`guildmark {name}`") from exc
    return _plain(module.app, name)


def _plain(app: typer.Typer, name: str) -> click.Command:
    """Return an app as a command whose help is the same wherever it is printed."""
    holder = typer.Typer(add_completion=False, rich_markup_mode=None)
    if app.registered_callback or app.registered_groups or len(app.registered_commands) > 1:
        holder.callback()(lambda: None)
        holder.add_typer(app, name=name)
        return typer.main.get_group(holder).commands[name]
    holder.registered_commands.extend(app.registered_commands)
    return typer.main.get_command(holder)


def root() -> click.Command:
    """Return the command that holds all others."""
    app = typer.Typer(
        cls=_Commands,
        name=PROGRAM,
        help="Who made which part, from which design, provably.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    # Typer builds a group only around a callback; this one has nothing to do.
    app.callback()(lambda: None)
    return typer.main.get_command(app)


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code; no error shows a traceback."""
    words = list(sys.argv[1:] if args is None else args)
    asked = os.environ.get(COMPLETE_VARIABLE)
    if asked:
        sys.exit(_complete(asked))
    try:
        code = root().main(words, prog_name=PROGRAM, standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(_INTERRUPTED)
    except click.ClickException as error:
        sys.exit(_fail_usage(error, as_json=_JSON in words))
    except Exception as error:  # noqa: BLE001 - the outermost frame: users get no traceback
        known = _known(error)
        render(known, as_json=_JSON in words)
        sys.exit(known.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def _complete(asked: str) -> int:
    """Answer a shell; where a command needs packages that are missing, it has no words to offer."""
    try:
        return shell_complete(root(), {}, PROGRAM, COMPLETE_VARIABLE, asked)
    except ExtraMissingError as error:
        return error.exit_code


def _fail_usage(error: click.ClickException, *, as_json: bool) -> int:
    if as_json:
        render(CommandLineError(error.format_message()), as_json=True)
    else:
        error.show()
    return CommandLineError.exit_code


def _known(error: Exception) -> GuildmarkError:
    """Return an error as it is shown: what nobody foresaw says where it came from."""
    if isinstance(error, ModuleNotFoundError):
        error = _explained(error, "This command")
    if isinstance(error, GuildmarkError):
        return error
    if isinstance(error, OSError) and error.filename is not None:
        message = f"{error.filename}: {error.strerror}."
        return FileAccessError(message, path=str(error.filename))
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    return GuildmarkError(f"{type(error).__name__} at {place}: {error}")


def _explained(error: ModuleNotFoundError, who: str) -> Exception:
    """Return what to install; a module of our own that is not there is a fault that none mends."""
    package, _, _ = (error.name or "").partition(".")
    if package in _OWN_PACKAGES:
        return error
    message = f"{who} needs the package {package}, which is not installed."
    return ExtraMissingError(message, package=package)


def render(error: GuildmarkError, *, as_json: bool) -> None:
    """Print what failed, its code and the next step; as JSON it is the command's result."""
    if as_json:
        document = {
            "code": error.code,
            "exit": error.exit_code,
            "reason": error.message,
            "nextStep": error.next_step,
        }
        click.echo(json.dumps(document))
        return
    click.echo(f"Error: {error.message}", err=True)
    click.echo(f"  code  {error.code}", err=True)
    click.echo(f"  next  {error.next_step}", err=True)
