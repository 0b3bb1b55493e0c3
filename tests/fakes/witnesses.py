"""Witnesses in this process: their own homes, chain and clock, reached without a network."""

from dataclasses import dataclass, field

from fakes.keys import MemoryKeyStore
from fakes.store import MemoryNodeStore
from guildmark.domain.log.checkpoint import Addition
from guildmark.domain.log.note import NoteKey, NoteSignature
from guildmark.ports.chain import Ledger
from guildmark.ports.peers import PeerUnavailableError
from guildmark.services.neighbours.cosigning import Chosen
from guildmark.services.neighbours.witnessing import Witnessing, make_witness_key


@dataclass
class StillClock:
    time: int = 1_700_000_000

    def now(self) -> int:
        return self.time


@dataclass
class NearWitness:
    """A witness that is asked by a call; fulfils ``WitnessPeer``."""

    witnessing: Witnessing
    is_away: bool = False
    asked: list[str] = field(default_factory=list)

    def cosign(self, addition: Addition, key: NoteKey) -> NoteSignature:
        self._arrive(f"cosign {addition.old}")
        return self.witnessing.cosign(addition.encode())

    def note(self, number: int, key: NoteKey) -> NoteSignature:
        self._arrive(f"note {number}")
        return self.witnessing.note(number).signatures[0]

    def _arrive(self, asked: str) -> None:
        self.asked.append(asked)
        if self.is_away:
            message = "The witness does not answer."
            raise PeerUnavailableError(message)


def witness(ledger: Ledger) -> Witnessing:
    """Return a witness with a home of its own, which follows a chain."""
    keys = MemoryKeyStore()
    make_witness_key(keys)
    return Witnessing(ledger=ledger, store=MemoryNodeStore(), keys=keys, clock=StillClock())


def chosen(near: NearWitness) -> Chosen:
    """Return a witness as a node's settings name it."""
    return Chosen(key=near.witnessing.key(), peer=near)
