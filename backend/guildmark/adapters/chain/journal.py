"""The journal of a local chain: one line a block, durable before the block is shown to anybody.

What a line says is enough to make the same block again: its time, the raw transactions of all
senders in their order, and the hash that must come out.
"""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from guildmark.adapters.files import sync_folder
from guildmark.domain.errors import ContentError, MalformedError, SettingsError
from guildmark.domain.identifiers import (
    UINT40_MAX,
    Digest,
    digest_from_hex,
    from_hex,
    to_hex,
)

_logger = logging.getLogger(__name__)

_FIELDS = {"number", "time", "transactions", "hash"}


class JournalMalformedError(ContentError):
    """A line of the journal is not what was written."""

    code = "chain.journalMalformed"
    hint = "Restore the chain's folder from a backup; nothing was changed."


class JournalMismatchError(ContentError):
    """The journal's transactions give another block than they once gave."""

    code = "chain.journalMismatch"
    hint = "Restore the chain's folder from a backup, and anvil's version with which it was made."


class JournalLostError(ContentError):
    """Blocks that somebody may have seen are not in the journal any more."""

    code = "chain.journalLost"
    hint = "Restore the chain's whole folder from a backup; nothing was changed."


class JournalUnwritableError(SettingsError):
    """The journal cannot be written, so the chain stops before the block is shown."""

    code = "chain.journalUnwritable"
    hint = "Make room on the disk, or make the folder writable, and start the chain again."


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalBlock:
    """A block of the local chain, as its keeper made it."""

    number: int
    time: int
    transactions: tuple[bytes, ...]
    hash: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The journal's file; only the chain's keeper writes it."""

    path: Path

    def blocks(self) -> Iterator[JournalBlock]:
        """Yield the blocks in their order.

        Raises:
            JournalMalformedError: A line is not what was written, or a block is missing.
        """
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield _parsed(line, number)

    def repair(self, *, least: int) -> int:
        """Cut off a last line that was torn while it was written; return how many bytes went.

        A torn line was never acknowledged: its block was not shown before the line was whole.

        Args:
            least: How many whole lines there must be.

        Raises:
            JournalLostError: There are fewer; nothing was cut off.
        """
        content = self.path.read_bytes() if self.path.exists() else b""
        found, whole = content.count(b"\n"), content.rfind(b"\n") + 1
        if found < least:
            message = f"{self.path} has {found} blocks, and block {least} was shown."
            raise JournalLostError(message, path=str(self.path), found=found, expected=least)
        if not content:
            return 0
        with self.path.open("r+b") as file:
            torn = file.seek(0, os.SEEK_END) - whole
            if torn:
                _logger.warning("cut a torn line of %d bytes off %s", torn, self.path)
                file.truncate(whole)
                os.fsync(file.fileno())
        return torn

    def append(self, block: JournalBlock) -> None:
        """Write a block; when this returns it survives a loss of power.

        Raises:
            JournalUnwritableError: The disk refuses; the line is not there, or torn.
        """
        line = orjson.dumps(
            {
                "number": block.number,
                "time": block.time,
                "transactions": [to_hex(raw) for raw in block.transactions],
                "hash": to_hex(block.hash),
            }
        )
        try:
            self._write(line + b"\n")
        except OSError as exc:
            message = f"Block {block.number} cannot be written to {self.path}: {exc}."
            raise JournalUnwritableError(message, path=str(self.path)) from exc

    def _write(self, line: bytes) -> None:
        is_new = not self.path.exists()
        with self.path.open("ab", buffering=0) as file:
            written = file.write(line)
            if written != len(line):
                raise OSError(f"{written} of {len(line)} bytes written")
            os.fsync(file.fileno())
        if is_new:
            sync_folder(self.path.parent)


def _parsed(line: bytes, number: int) -> JournalBlock:
    try:
        block = _block(orjson.loads(line))
    except (orjson.JSONDecodeError, MalformedError, KeyError, TypeError) as exc:
        message = f"Line {number} of the chain's journal is malformed: {exc}."
        raise JournalMalformedError(message, line=number) from exc
    if block.number != number:
        message = f"Line {number} of the chain's journal holds block {block.number}."
        raise JournalMalformedError(message, line=number, block=block.number)
    return block


def _block(document: Any) -> JournalBlock:
    if not isinstance(document, dict) or set(document) != _FIELDS:
        raise MalformedError("it has other fields")
    number, time = document["number"], document["time"]
    if not (isinstance(number, int) and isinstance(time, int) and 0 < time <= UINT40_MAX):
        raise MalformedError("number or time is none")
    return JournalBlock(
        number=number,
        time=time,
        transactions=tuple(from_hex(raw) for raw in document["transactions"]),
        hash=digest_from_hex(document["hash"]),
    )
