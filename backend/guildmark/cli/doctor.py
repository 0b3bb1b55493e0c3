"""``guildmark doctor``: whether this home can work."""

import click
import typer

from guildmark.cli.answers import Answer, say
from guildmark.cli.arguments import AsJson, Folder
from guildmark.cli.health import Finding, State, examine
from guildmark.cli.homes import folder_of

app = typer.Typer()


@app.command()
def doctor(home: Folder = None, as_json: AsJson = False) -> None:
    """Check disk, keys, settings, database, content, chain, clock, coin and log."""
    findings = list(examine(folder_of(home)))
    if as_json:
        say({"checks": [_row(finding) for finding in findings]}, as_json=True)
    else:
        for finding in findings:
            _print(finding)
    problems = [one.error for one in findings if one.state is State.PROBLEM and one.error]
    if problems:
        raise typer.Exit(problems[0].exit_code)


def _row(finding: Finding) -> Answer:
    error = finding.error
    return {
        "name": finding.name,
        "state": finding.state.value,
        "reason": finding.said,
        "code": None if error is None else error.code,
        "nextStep": None if error is None else error.next_step,
    }


def _print(finding: Finding) -> None:
    click.echo(f"{finding.state.value:8}{finding.name:10}{finding.said}")
    if finding.error is not None:
        click.echo(f"{'':8}{'code':10}{finding.error.code}")
        click.echo(f"{'':8}{'next':10}{finding.error.next_step}")
