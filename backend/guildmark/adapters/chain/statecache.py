"""The state of a long local chain, kept so that its keeper need not replay every block.

It is a cache: where it is lost, damaged or does not fit the journal, all blocks are made again.
Proofs at blocks before it need a node that has them, or a newer block, as on any chain.
"""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from guildmark.adapters.chain.journal import JournalBlock
from guildmark.adapters.files import write_durably
from guildmark.domain.identifiers import to_hex

_logger = logging.getLogger(__name__)

FILE_NAME = "state.json"
EVERY = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedState:
    """The EVM's state behind one block of the journal, in anvil's own form."""

    number: int
    hash: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCache:
    """The cache's file.

    Args:
        every: After how many blocks the state is kept anew.
    """

    path: Path
    every: int = EVERY

    def load(self) -> CachedState | None:
        """Return what was kept, None where there is nothing whole."""
        try:
            return _parsed(orjson.loads(self.path.read_bytes()))
        except FileNotFoundError:
            return None
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            _logger.warning("%s is damaged, all blocks are made again: %s", self.path, error)
            return None

    def save(self, block: JournalBlock, state: str) -> None:
        """Keep the state behind a block that is in the journal, if the disk takes it."""
        kept = CachedState(number=block.number, hash=to_hex(block.hash), state=state)
        document = {
            "number": kept.number,
            "hash": kept.hash,
            "digest": _digest(kept),
            "state": kept.state,
        }
        try:
            write_durably(self.path, orjson.dumps(document))
        except OSError as error:
            _logger.warning("the state of block %d is not kept: %s", block.number, error)

    def drop(self) -> None:
        """Forget what was kept."""
        self.path.unlink(missing_ok=True)


def _parsed(document: Any) -> CachedState:
    found = CachedState(
        number=int(document["number"]), hash=str(document["hash"]), state=str(document["state"])
    )
    if document["digest"] != _digest(found):
        message = "its digest is another"
        raise ValueError(message)
    return found


def _digest(kept: CachedState) -> str:
    # Against a damaged disk; whoever can write the file can write the journal too.
    return hashlib.sha256(f"{kept.number}:{kept.hash}:{kept.state}".encode()).hexdigest()
