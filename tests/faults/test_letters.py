"""F14: letters about recalls while the chain undoes blocks and receivers lose them."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from faults import rig as rigs
from guildmark.adapters.chain.codec import function
from guildmark.adapters.store.engine import open_database
from guildmark.adapters.store.node import SqlNodeStore
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import LogFact, RecallFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32, to_hex
from guildmark.domain.letters import LetterState, RecallWatch, WatchId
from guildmark.domain.recall import OWNERS, RecallCause, Severity, Thing
from guildmark.ports import Call, NodeStore, UndeliveredError
from guildmark.services.recalls.delivering import Delivering
from guildmark.services.recalls.telling import Telling

pytestmark = [pytest.mark.needs("anvil")]

STEPS = 40
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
    store: NodeStore
    chance: random.Random
    receiver: Receiver
    clock: Clock = field(default_factory=Clock)
    issued: int = 0

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
        undone = self.rig.undo(
            self.chance.randint(1, self.rig.depth - 2), self.chance.randbytes(20)
        )
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
        for _ in range(20):
            self.clock.time += 100_000
            self.deliver()

    def truth(self) -> dict[str, str]:
        with self.store.reading() as view:
            facts = view.facts.each(RecallFact)
        return {fact.id.text(): "closed" if fact.closed_at else "issued" for fact in facts}


def test_nothing_is_lost_or_doubled(rig: rigs.Rig, volume: Any) -> None:
    retracted = 0
    for seed in range(volume(2, 20, 200)):
        chance = random.Random(seed)
        database = rig.reset(f"letters-{seed}")
        node = rig.node(database)
        node.line.indexing.follow()
        engine = open_database(database)
        store = SqlNodeStore(engine)
        with store.writing() as work:
            work.letters.watch(RecallWatch(id=WatchId("all"), url=URL, since=0))
        play = Play(rig, node, store, chance, Receiver(chance))

        for _ in range(STEPS):
            play.step()
        play.settle()

        believed, truth = play.receiver.recalls(), play.truth()
        gone = {name for name, state in believed.items() if state == "retracted"}
        assert {name: believed.get(name) for name in truth} == truth, f"SEED={seed}"
        assert set(believed) - gone == set(truth), f"SEED={seed}"
        assert play.receiver.doubled == [], f"SEED={seed}"
        with store.writing() as work:
            assert work.letters.letters(LetterState.WAITING, 1) == []
            assert work.letters.early() == []
        kinds = [event["type"] for event in play.receiver.events.values()]
        retracted += kinds.count("recall.retracted")
        engine.dispose()
        node.close()
    assert retracted
