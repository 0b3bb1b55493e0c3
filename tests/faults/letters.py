"""F14: letters about recalls while the chain undoes blocks and receivers lose them."""

import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from faults import rig as rigs
from guildmark.adapters.chain.codec import function
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import LogFact, RecallFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32, to_hex
from guildmark.domain.letters import LetterState, RecallWatch, WatchId
from guildmark.domain.recall import OWNERS, RecallCause, Severity, Thing
from guildmark.ports.chain import Call
from guildmark.ports.letters import UndeliveredError
from guildmark.ports.store import NodeStore
from guildmark.services.recalls.delivering import Delivering
from guildmark.services.recalls.telling import Telling

STEPS = 40
DEPTHS = (1, 1, 2, 3, 7, 20, 64)
_DELIVERIES = 20
URL = "https://example.org/"


@dataclass
class Receiver:
    """Keeps each event once, by its id; loses letters, or takes them and says that it did not."""

    chance: random.Random
    is_well: bool = False
    events: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    doubled: list[str] = field(default_factory=list)

    def check(self, url: str) -> None:
        """Take any address."""

    def deliver(
        self, url: str, body: bytes, headers: Mapping[str, str], *, allows_private: bool
    ) -> None:
        assert (url, allows_private) == (URL, False)
        fate = "taken" if self.is_well else self.chance.choice(["taken", "lost", "unanswered"])
        if fate != "lost":
            name, event = headers["webhook-id"], json.loads(body)
            if self.events.get(name, event) != event:
                self.doubled.append(name)
            self.events[name] = event
        if fate != "taken":
            message = "The receiver does not answer."
            raise UndeliveredError(message)

    def recalls(self) -> dict[str, str]:
        """Return what the receiver believes of each recall, from its letters in their order."""
        believed: dict[str, str] = {}
        for event in self.events.values():
            believed[event["data"]["recall"]] = event["type"].removeprefix("recall.")
        return believed


@dataclass
class Clock:
    time: int = 1_800_000_000

    def now(self) -> int:
        return self.time


@dataclass
class Play:
    """A life of a node that tells of recalls, on a real chain."""

    rig: rigs.Rig
    node: rigs.Node
    chance: random.Random
    receiver: Receiver
    clock: Clock = field(default_factory=Clock)
    issued: int = 0

    @property
    def store(self) -> NodeStore:
        return self.node.store

    def recall(self) -> None:
        """Recall a lot of the operator's own, in a block."""
        self.issued += 1
        terms = (0, 0, 0, int(Severity.DANGER), sha256(b"why"))
        self._send("recallLot", self.operator, sha256(b"%d" % self.issued), terms)

    def close(self) -> None:
        """Close one of the recalls, where the chain has it."""
        lot = sha256(b"%d" % self.chance.randint(1, max(1, self.issued)))
        thing = Thing(cause=RecallCause.LOT, id=Bytes32(self.operator), detail=Bytes32(lot))
        self._send("close", thing.key(), OWNERS, 1, sha256(b"over"))

    @property
    def operator(self) -> bytes:
        with self.store.reading() as view:
            log = view.facts.get(LogFact, self.rig.log)
        assert log is not None
        return log.operator

    def _send(self, name: str, *args: object) -> None:
        call = Call(contract=ContractName.RECALLS, function=name, args=args)
        control = self.rig.control
        sender = to_hex(self.rig.chain.keys.address(rigs.OPERATOR))
        control.call("anvil_impersonateAccount", sender)
        target = to_hex(self.rig.pin.contracts[ContractName.RECALLS].address)
        data = to_hex(function(call).encode(call.args))
        transaction = {"from": sender, "to": target, "data": data, "gas": hex(500_000)}
        control.call("eth_sendTransaction", transaction)
        self.rig.mine()

    def undo(self) -> None:
        """Let blocks never have been, and others stand in their places."""
        depth = min(self.chance.choice(DEPTHS), self.rig.depth - 2)
        undone = self.rig.undo(depth, self.chance.randbytes(20))
        self.rig.mine(self.chance.randint(0, undone + 2))

    def step(self) -> None:
        """Do one thing that happens, and what the node does beside it."""
        self.rig.mark()
        actions = (self.recall, self.recall, self.close, self.undo, self.undo, self.rig.mine)
        self.chance.choice(actions)()
        if self.chance.random() < 0.7:
            self.look()
        if self.chance.random() < 0.5:
            self.node.line.indexing.follow()
        self.deliver()

    def look(self) -> None:
        Telling(ledger=self.node.line.indexing.ledger, store=self.store).look()

    def deliver(self) -> None:
        self.clock.time += 400
        Delivering(store=self.store, clock=self.clock, courier=self.receiver).round()

    def settle(self) -> None:
        """Let everything become final and every letter arrive."""
        self.rig.mine(self.rig.depth + 1)
        self.node.line.indexing.follow()
        self.look()
        self.receiver.is_well = True
        for _ in range(_DELIVERIES):
            self.clock.time += 100_000
            self.deliver()

    def truth(self) -> dict[str, str]:
        with self.store.reading() as view:
            facts = view.facts.each(RecallFact)
        return {fact.id.text(): "closed" if fact.closed_at else "issued" for fact in facts}


def play(rig: rigs.Rig, chance: random.Random) -> tuple[rigs.Verdict, Counter[str]]:
    """Play a life of steps; return what came of its letters, and how many there were of a kind."""
    node = rig.node(rig.reset("letters"))
    try:
        node.line.indexing.follow()
        with node.store.writing() as work:
            work.letters.watch(RecallWatch(id=WatchId("all"), url=URL, since=0))
        life = Play(rig, node, chance, Receiver(chance))
        for _ in range(STEPS):
            life.step()
        life.settle()
        return _verdict(life), Counter(each["type"] for each in life.receiver.events.values())
    finally:
        node.close()


def _verdict(life: Play) -> rigs.Verdict:
    believed, truth = life.receiver.recalls(), life.truth()
    standing = {name for name, state in believed.items() if state != "retracted"}
    ghosts = [f"{name} is gone and was not taken back" for name in sorted(standing - set(truth))]
    with life.store.writing() as work:
        waiting = len(work.letters.letters(LetterState.WAITING, 1)) + len(work.letters.early())
    kept = [f"{waiting} letters and early recalls are left"] if waiting else []
    found = [f"{one.code}: {one.message}" for one in rigs.differences(life.node)]
    return rigs.Verdict(
        lost=sum(believed.get(name) != state for name, state in truth.items()),
        doubled=len(life.receiver.doubled),
        differences=(*ghosts, *kept, *found),
    )
