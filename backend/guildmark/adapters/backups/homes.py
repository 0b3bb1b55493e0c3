"""What of a home goes into a backup: all but what is secret, or made anew by the next start."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from guildmark.adapters.backups.databases import is_database
from guildmark.adapters.chain.genesis import KEY_NAME
from guildmark.adapters.chain.head import FILE_NAME as HEAD
from guildmark.adapters.chain.local import JOURNAL

CHAIN = "chain"
KEYS = "keys"
HEAD_PATH, JOURNAL_PATH = f"{CHAIN}/{HEAD}", f"{CHAIN}/{JOURNAL}"

_KEEPER_KEY = f"{CHAIN}/{KEY_NAME}"
# Locks, addresses of processes, what is made again, and what is not finished.
_PASSING = (
    "node.json",
    "node.lock",
    f"{CHAIN}/lock",
    f"{CHAIN}/endpoint.json",
    f"{CHAIN}/state.json",
    f"{CHAIN}/cache",
    "content/lock",
    "content/scratch",
    "content/uploads",
)
_ENDINGS = ("-wal", "-shm", "-journal", ".draft", ".lock")
_SECRET_ENDINGS = (".key", ".pem", ".p8", ".p12")
_SECRET_FOLDERS = frozenset({KEYS, "secrets"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The files of a home, by their kinds; paths are written with slashes, from the home."""

    databases: tuple[str, ...]
    plain: tuple[str, ...]
    secret: tuple[str, ...]
    has_chain: bool


def contents(home: Path) -> Contents:
    """Return what of a home is kept; links to folders are not followed."""
    plain, secret, databases = [], [], []
    for path in _files(home):
        if _is_secret(path):
            secret.append(path)
        elif is_database(home / path):
            databases.append(path)
        elif path not in {HEAD_PATH, JOURNAL_PATH}:
            plain.append(path)
    return Contents(
        databases=tuple(databases),
        plain=tuple(plain),
        secret=tuple(secret),
        has_chain=(home / JOURNAL_PATH).is_file(),
    )


def _files(home: Path) -> Iterator[str]:
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home).as_posix()
        if path.is_file() and not _is_passing(name):
            yield name


def _is_passing(name: str) -> bool:
    is_below = any(name == one or name.startswith(f"{one}/") for one in _PASSING)
    return is_below or name.endswith(_ENDINGS)


def _is_secret(name: str) -> bool:
    path = PurePosixPath(name)
    is_kept_apart = name == _KEEPER_KEY or bool(_SECRET_FOLDERS & set(path.parts[:-1]))
    return is_kept_apart or path.suffix in _SECRET_ENDINGS or path.name == "password"
