"""``guildmark version``."""

import typer

from guildmark import __version__
from guildmark.cli.answers import say
from guildmark.cli.arguments import AsJson

app = typer.Typer()


@app.command()
def version(as_json: AsJson = False) -> None:
    """Print the version."""
    say({"version": __version__}, as_json=as_json, brief=__version__)
