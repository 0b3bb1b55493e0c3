"""``guildmark version``."""

import typer

from guildmark import __version__

app = typer.Typer()


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)
