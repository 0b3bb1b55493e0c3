"""``guildmark equivalence``: plans before data, blind data, certificates."""

from guildmark.cli.equivalence.commands import app

__all__ = ["app"]
