"""Machines' API keys and passwords: one file each, which nobody but its owner may read."""

import stat
from dataclasses import dataclass
from pathlib import Path

from guildmark.domain.errors import SettingsError

_OTHERS = 0o077
_SIZE_MAX = 4_096


class MachineSecretError(SettingsError):
    """A machine's secret is missing, empty, or open to others."""

    code = "machine.secretUnusable"
    hint = "Write the key that the machine shows into the file, then `chmod 600` it."


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretFiles:
    """A folder of files, each named as its machine is and holding its secret alone."""

    folder: Path

    def read(self, name: str) -> str:
        """Return a secret; it never stands in addresses, messages or logs.

        Raises:
            MachineSecretError: There is none, or others may read it.
        """
        path = self.folder / name
        if path.name != name or name.startswith("."):
            message = f"{name[:80]!r} is no name of a secret."
            raise MachineSecretError(message, name=ascii(name[:80]))
        try:
            mode = path.stat().st_mode
            text = path.read_text(encoding="utf-8") if stat.S_ISREG(mode) else ""
        except (OSError, UnicodeDecodeError) as error:
            message = f"The secret {name!r} cannot be read."
            raise MachineSecretError(message, name=name) from error
        if mode & _OTHERS:
            message = f"Others than its owner may read the secret {name!r}."
            raise MachineSecretError(message, name=name)
        secret = text.strip()
        if not secret.isprintable() or not secret.isascii() or not 0 < len(secret) <= _SIZE_MAX:
            message = f"The file of the secret {name!r} does not hold one line of plain text."
            raise MachineSecretError(message, name=name)
        return secret
