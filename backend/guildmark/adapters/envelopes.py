"""What a home's machines signed: one file an envelope, never overwritten.

A counter is taken by its file, so that two processes cannot use one twice.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from guildmark.adapters.files import create_durably, write_durably
from guildmark.domain.builds.delivery import Delivery
from guildmark.domain.errors import ConflictError
from guildmark.domain.identifiers import IdentityId

COUNTER_MAX = 10**10 - 1
"""The largest counter that a file's name holds."""

_MODE = 0o600
_SUFFIX = ".dsse.json"
_REPLACED = ".replaced"
_REFUSED = ".refused"
_ERASED = ".erased"
_NAME = re.compile(r"(?P<machine>[0-9a-f]{64})-(?P<counter>[0-9]{10})\.dsse\.json", re.ASCII)


class CounterTakenError(ConflictError):
    """Another process signed with this counter of the machine in the meantime."""

    code = "machine.counterTaken"
    hint = "Attest the part again: it gets the next counter."


@dataclass(frozen=True, slots=True)
class EnvelopeFolder:
    """Signed envelopes in one folder.

    Args:
        folder: Where the files are.
    """

    folder: Path

    def next_counter(self, machine: IdentityId) -> int:
        """Return the counter of a machine's next statement; the first is 1."""
        paths = (*self.folder.glob(f"*{_SUFFIX}"), *self.folder.glob(f"*{_SUFFIX}{_ERASED}"))
        names = (_NAME.fullmatch(path.name.removesuffix(_ERASED)) for path in paths)
        used = (int(name["counter"]) for name in names if name and name["machine"] == machine.hex())
        return max(used, default=0) + 1

    def standing(self) -> Iterator[bytes]:
        """Yield the envelopes that no node has refused, as far as this home was told."""
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            if _NAME.fullmatch(path.name) and not _mark(path).exists():
                yield path.read_bytes()

    def keep(self, machine: IdentityId, counter: int, envelope: bytes) -> Path:
        """Keep an envelope durably and return its file.

        Raises:
            CounterTakenError: The counter stands for another envelope.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / f"{machine.hex()}-{counter:010d}{_SUFFIX}"
        try:
            create_durably(path, envelope, mode=0o600)
        except FileExistsError as exc:
            message = f"There is an envelope {path} already."
            raise CounterTakenError(message, counter=counter) from exc
        return path

    def replace(self, machine: IdentityId, counter: int, envelope: bytes) -> Path:
        """Keep an envelope in the place of the one with its counter, which stays beside it."""
        path = self.folder / f"{machine.hex()}-{counter:010d}{_SUFFIX}"
        if path.exists():
            old = Delivery.parse(path.read_bytes()).digest
            path.with_name(f"{path.name}.{old.hex()}{_REPLACED}").hardlink_to(path)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durably(path, envelope, mode=0o600)
        _mark(path).unlink(missing_ok=True)
        return path


def erase(path: Path) -> None:
    """Delete a kept envelope, overwritten first; its counter stays taken.

    A disk or file system that writes elsewhere keeps old blocks for a while.

    Raises:
        OSError: It cannot be written or deleted.
    """
    if _NAME.fullmatch(path.name):
        path.with_name(path.name + _ERASED).touch(mode=_MODE)
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    _mark(path).unlink(missing_ok=True)


def note_reception(path: Path, *, is_refused: bool) -> None:
    """Remember beside a kept envelope whether a node refused it, so that its unit is free again."""
    if not _NAME.fullmatch(path.name):
        return
    if is_refused:
        _mark(path).touch(mode=0o600)
    else:
        _mark(path).unlink(missing_ok=True)


def was_refused(path: Path) -> bool:
    """Return whether a node refused a kept envelope, as far as this home was told."""
    return bool(_NAME.fullmatch(path.name)) and _mark(path).exists()


def _mark(path: Path) -> Path:
    return path.with_name(path.name + _REFUSED)
