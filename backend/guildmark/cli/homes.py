"""The home that a command works in, and the files that commands write beside it."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from guildmark.adapters.files import create_durably
from guildmark.adapters.home import default_home
from guildmark.adapters.keys.devices import pin_file
from guildmark.adapters.keys.keystore import FileKeyStore, password_file, password_from
from guildmark.cli.answers import note
from guildmark.domain.errors import (
    ConflictError,
    GuildmarkError,
    NetworkError,
    NotFinalError,
    UsageError,
)
from guildmark.settings import Settings, load, with_environment

KEYS = "keys"
_OTHERS = 0o077


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
    """Return the settings of a home, with what the environment names instead.

    Raises:
        SettingsError: There are none, or they cannot work.
    """
    return with_environment(load(folder_of(home)), os.environ)


def keys_of(home: Path | None) -> FileKeyStore:
    """Return the keys of a home; no chain is needed for them."""
    folder = folder_of(home) / KEYS
    password, pin = password_of(folder), pin_file(os.environ)
    return FileKeyStore(folder, password=password, pin=pin)


def password_of(keys: Path) -> Callable[[], str]:
    """Return what reads the password of keys; of a file that others may read, stderr tells once."""
    file, read = password_file(keys, os.environ), password_from(keys, os.environ)
    warned: list[Path] = []

    def password() -> str:
        found = read()
        if file.stat().st_mode & _OTHERS and not warned:
            warned.append(file)
            note(f"Warning: others may read the password file {file}; run `chmod 600 {file}`.")
        return found

    return password


def new_folder(path: Path) -> None:
    """Make a folder that was not there.

    Raises:
        OutputFolderError: It is there already, or cannot be made.
    """
    try:
        path.mkdir()
    except OSError as error:
        message = f"{path} cannot be made."
        raise OutputFolderError(message, path=str(path)) from error


def write_new(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file that was not there, whole or not at all.

    Raises:
        OutputExistsError: It is there already.
        OutputFolderError: Its folder cannot be written to.
    """
    with _writing(path):
        create_durably(path, content, mode=mode)


@contextmanager
def writing_new(path: Path, content: bytes, *, mode: int = 0o644) -> Iterator[None]:
    """Write a file that was not there, and take it away where what follows is refused.

    It stays where nobody can tell whether that was done: a chain that did not answer may have
    taken what was sent.

    Raises:
        OutputExistsError: It is there already.
        OutputFolderError: Its folder cannot be written to.
    """
    write_new(path, content, mode=mode)
    try:
        yield
    except (NetworkError, NotFinalError):
        raise
    except GuildmarkError:
        path.unlink()
        raise


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
