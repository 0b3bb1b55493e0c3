"""The home that a command works in, opened; files that commands read and write beside it."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from guildmark.adapters.files import create_durably
from guildmark.adapters.keys.keystore import FileKeyStore, password_from
from guildmark.bootstrap import Home, open_home
from guildmark.domain.errors import ConflictError, UsageError
from guildmark.settings import Settings, default_home, load

KEYS = "keys"


class OutputExistsError(ConflictError):
    """The file to be written is there already."""

    code = "cli.outputExists"
    hint = "Name another file: no command overwrites one."


class OutputFolderError(UsageError):
    """The folder of the file to be written cannot be written to."""

    code = "cli.outputUnwritable"
    hint = "Name a file in a folder that exists and that you may write to."


def folder_of(home: Path | None) -> Path:
    """Return the folder that is named, else the environment's, else the user's."""
    return home or default_home(os.environ)


def settings_of(home: Path | None) -> Settings:
    """Return the settings of a home.

    Raises:
        SettingsError: There are none, or they cannot work.
    """
    return load(folder_of(home))


def keys_of(home: Path | None) -> FileKeyStore:
    """Return the keys of a home; no chain is needed for them."""
    folder = folder_of(home) / KEYS
    return FileKeyStore(folder, password=password_from(folder, os.environ))


def enter(home: Path | None) -> Home:
    """Open a home; its chain and contracts are checked.

    Raises:
        GuildmarkError: As ``bootstrap.open_home``.
    """
    settings = settings_of(home)
    return open_home(settings, password=password_from(settings.keys, os.environ))


def enter_informed(home: Path | None) -> Home:
    """Open a home and let its index read the chain up to the newest final block.

    Raises:
        GuildmarkError: As ``bootstrap.open_home`` and ``Indexing.follow``.
    """
    opened = enter(home)
    opened.indexing.follow()
    return opened


def write_new(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file that was not there, whole or not at all.

    Raises:
        OutputExistsError: It is there already.
        OutputFolderError: Its folder cannot be written to.
    """
    with _writing(path):
        create_durably(path, content, mode=mode)


def write_pieces(path: Path, pieces: Iterable[bytes]) -> int:
    """Write a file that was not there piece by piece, and return its size.

    Raises:
        OutputExistsError: It is there already.
        OutputFolderError: Its folder cannot be written to.
        GuildmarkError: What a piece could not be had for; then there is no file.
    """
    draft = path.with_name(f".{path.name}.draft")
    with _writing(path):
        try:
            with draft.open("wb") as file:
                size = sum(file.write(piece) for piece in pieces)
            # A link, unlike a rename, never replaces.
            path.hardlink_to(draft)
        finally:
            draft.unlink(missing_ok=True)
    return size


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as exc:
        message = f"{path} exists already."
        raise OutputExistsError(message, path=str(path)) from exc
    except OSError as exc:
        message = f"{path} cannot be written: {exc.strerror}."
        raise OutputFolderError(message, path=str(path)) from exc
