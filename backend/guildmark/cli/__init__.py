"""Commands: parse, call a service, print.

A command's module is imported when the command is called, so that the verifier starts with its
own few packages.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import NoReturn

import click
import typer
from typer.core import TyperGroup

from guildmark.domain.errors import GuildmarkError, UsageError

_INTERRUPTED = 130

_COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "chain": "Run, fund and deploy the local chain.",
        "trust": "Say whom you trust: chain, operators, issuers, blocks.",
        "up": "Run a node.",
        "verify": "Check a part's bundle.",
        "version": "Print the version.",
    }
)


class ExtraMissingError(UsageError):
    """A command needs packages that are not installed."""

    code = "cli.extraMissing"
    hint = "Install them: pip install 'guildmark[node]'."


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


def _load(name: str) -> click.Command:
    try:
        module = import_module(f"guildmark.cli.{name}")
    except ModuleNotFoundError as exc:
        message = f"`guildmark {name}` needs the package {exc.name}, which is not installed."
        raise ExtraMissingError(message, package=exc.name) from exc
    return typer.main.get_command(module.app)


def root() -> click.Command:
    """Return the command that holds all others."""
    app = typer.Typer(
        cls=_Commands,
        name="guildmark",
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
    try:
        code = root().main(words, prog_name="guildmark", standalone_mode=False)
    except GuildmarkError as error:
        render(error, as_json="--json" in words)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(UsageError.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(_INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)


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
