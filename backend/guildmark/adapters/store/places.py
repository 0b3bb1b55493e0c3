"""Where a home's database is: a file of its own, or a PostgreSQL database by URL."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from guildmark.domain.errors import SettingsError

_SCHEMES = ("postgresql", "postgres")
_DRIVER = "postgresql+psycopg"


class DatabaseUrlError(SettingsError):
    """What should name a PostgreSQL database does not."""

    code = "settings.databaseUrl"
    hint = "Write postgresql://USER@HOST:PORT/NAME, the password in a file for PGPASSFILE."


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A PostgreSQL database; shown without user, password and options.

    Args:
        is_kept: Whether it stands in the home's settings; one of the environment does not.
    """

    _text: str = field(repr=False)
    is_kept: bool = True

    def __post_init__(self) -> None:
        """Refuse what names no database, without repeating it: it may hold a password."""
        try:
            parts = urlsplit(self._text)
            is_sound = parts.scheme in _SCHEMES and len(parts.path) > 1 and parts.port != 0
        except ValueError:
            is_sound = False
        if not is_sound:
            message = "The URL of the database does not name a PostgreSQL database."
            raise DatabaseUrlError(message)

    def __str__(self) -> str:
        """Return what people may see."""
        parts = urlsplit(self._text)
        place = parts.netloc.rpartition("@")[2]
        return f"postgresql://{place}{parts.path}"

    def reveal(self) -> str:
        """Return the URL with all that is in it, for settings."""
        return self._text

    def for_driver(self) -> str:
        """Return the URL with all that is in it, for SQLAlchemy and psycopg."""
        return f"{_DRIVER}:{self._text.partition(':')[2]}"


Place: TypeAlias = Path | DatabaseUrl
