"""Which block of a local chain is the newest that anybody may have seen, beside its journal.

A journal that was cut at a line's end still reads well. The head tells: it is moved after each
block is in the journal and before the block is shown, so the journal may be ahead of it, never
behind.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from guildmark.adapters.chain.journal import JournalBlock, JournalUnwritableError
from guildmark.adapters.files import write_durably
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import ContentError, MalformedError
from guildmark.domain.identifiers import Digest, digest_from_hex, to_hex

FILE_NAME = "head.json"

# Two places, written in turn, each a disk's block of its own: a write that a loss of power tears
# leaves the other one, which is behind by one block.
_PLACE = 4096
_PLACES = 2
_NO_HASH = Digest(bytes(32))


class HeadUnreadableError(ContentError):
    """The file that names the newest block of a local chain is missing or damaged."""

    code = "chain.headUnreadable"
    hint = "Restore the chain's folder from a backup; nothing was changed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest block that may have been shown; number 0 where there was none."""

    number: int
    hash: Digest


@dataclass(frozen=True, slots=True)
class HeadFile:
    """The file that holds the head; only the chain's keeper writes it."""

    path: Path

    def create(self) -> None:
        """Write the head of a chain that has no block yet."""
        content = _line(Head(number=0, hash=_NO_HASH))
        write_durably(self.path, content + b" " * _PLACE * (_PLACES - 1))

    def read(self) -> Head:
        """Return the head.

        Raises:
            HeadUnreadableError: The file is missing or damaged.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError as exc:
            message = f"{self.path} is gone, but the chain was begun."
            raise HeadUnreadableError(message, path=str(self.path)) from exc
        places = (content[at : at + _PLACE] for at in range(0, _PLACE * _PLACES, _PLACE))
        found = [head for place in places if (head := _parsed(place)) is not None]
        if not found:
            message = f"{self.path} names no block."
            raise HeadUnreadableError(message, path=str(self.path))
        return max(found, key=lambda head: head.number)

    def move(self, block: JournalBlock) -> None:
        """Name a block that is in the journal; when this returns it survives a loss of power.

        Raises:
            JournalUnwritableError: The disk refuses, or the file is gone.
        """
        line = _line(Head(number=block.number, hash=block.hash))
        try:
            self._write(line, block.number % _PLACES * _PLACE)
        except OSError as exc:
            message = f"Block {block.number} cannot be noted in {self.path}: {exc}."
            raise JournalUnwritableError(message, path=str(self.path)) from exc

    def _write(self, line: bytes, place: int) -> None:
        handle = os.open(self.path, os.O_WRONLY)
        try:
            written = os.pwrite(handle, line, place)
            if written != len(line):
                raise OSError(f"{written} of {len(line)} bytes written")
            os.fdatasync(handle)
        finally:
            os.close(handle)


def _line(head: Head) -> bytes:
    document = {"number": head.number, "hash": to_hex(head.hash), "digest": _digest(head)}
    return orjson.dumps(document).ljust(_PLACE - 1) + b"\n"


def _parsed(place: bytes) -> Head | None:
    try:
        document: Any = orjson.loads(place)
        head = Head(number=int(document["number"]), hash=digest_from_hex(document["hash"]))
        is_whole = document["digest"] == _digest(head)
    except (orjson.JSONDecodeError, MalformedError, KeyError, TypeError, ValueError):
        return None
    return head if is_whole else None


def _digest(head: Head) -> str:
    # Against torn and damaged places; whoever can write the file can write the journal too.
    return to_hex(sha256(f"{head.number}:{to_hex(head.hash)}".encode()))
