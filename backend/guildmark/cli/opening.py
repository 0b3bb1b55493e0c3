"""The home that a command works in, opened."""

import os
from pathlib import Path

import click

from guildmark.adapters.keys.devices import pin_file
from guildmark.bootstrap import Home, open_home
from guildmark.cli.homes import password_of, settings_of


def enter(home: Path | None) -> Home:
    """Open a home until the command ends; its chain and contracts are checked.

    Raises:
        GuildmarkError: As ``bootstrap.open_home``.
    """
    settings = settings_of(home)
    password, pin = password_of(settings.keys), pin_file(os.environ)
    opened = open_home(settings, password=password, pin=pin)
    click.get_current_context().call_on_close(opened.close)
    return opened


def enter_informed(home: Path | None) -> Home:
    """Open a home and let its index read the chain up to the newest final block.

    Raises:
        GuildmarkError: As ``bootstrap.open_home`` and ``Indexing.follow``.
    """
    opened = enter(home)
    opened.indexing.follow()
    return opened
