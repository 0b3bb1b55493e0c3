"""``guildmark equivalence``: plans before data, blind data, certificates, reports."""

from guildmark.cli.equivalence import reports, watching
from guildmark.cli.equivalence.commands import app

__all__ = ["app", "reports", "watching"]
