"""The story on every chain that we say we run on: licensed, built, logged, proven, verified."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Engine

import chains
from fakes.chain import MemoryChain, MemoryOutbox
from fakes.content import CountingEntropy
from fakes.store import MemoryNodeStore
from fakes.world import (
    DESIGNER,
    ISSUER,
    MAKER,
    OPERATOR,
    SITE,
    WRITER,
    Tools,
    World,
    claim,
    make_world,
)
from guildmark.adapters.chain.ledger import RpcLedger
from guildmark.adapters.chain.outbox import Outbox
from guildmark.adapters.clock import SystemClock, SystemEntropy
from guildmark.adapters.store.engine import open_database
from guildmark.adapters.store.node import SqlNodeStore
from guildmark.domain import bundle
from guildmark.domain.builds.dsse import envelope_digest
from guildmark.domain.chain.facts import LaneFact
from guildmark.domain.identifiers import Index
from guildmark.domain.log.queue import BuildState
from guildmark.domain.trust import VERSION, Listed, Trust
from guildmark.domain.verification.report import Verdict
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.evidence.judging import Judging
from guildmark.services.index.projection import known

pytestmark = pytest.mark.chain

ROUNDS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TellingLedger(RpcLedger):
    """A chain that says what time it is there."""

    @property
    def now(self) -> int:
        return self.head(final=False).time


@dataclass(frozen=True, kw_only=True)
class LiveTools(Tools):
    """The world's services over a real chain and a real database."""

    live: RpcLedger
    engine: Engine
    sender: Outbox

    def __post_init__(self) -> None:
        # The world asks of its tools what the ports say, and no more.
        object.__setattr__(self, "chain", cast("MemoryChain", self.live))
        object.__setattr__(self, "outbox", cast("MemoryOutbox", self.sender))
        store = cast("MemoryNodeStore", SqlNodeStore(self.engine))
        object.__setattr__(self, "store", store)
        object.__setattr__(self, "entropy", cast("CountingEntropy", SystemEntropy()))


@pytest.fixture
def tools(deployed: chains.Deployed, tmp_path: Path) -> Iterator[LiveTools]:
    names = (DESIGNER, MAKER, SITE, OPERATOR, WRITER, ISSUER)
    deployed.chain.fund(*(KeyName(name) for name in names))
    plain = deployed.ledger()
    if deployed.chain.kind == "anvil":
        # A design is shown in a later second than it was committed; each block here gets its own.
        plain.rpc.call("anvil_setBlockTimestampInterval", 1)
    ledger = TellingLedger(
        rpc=plain.rpc,
        chain=plain.chain,
        finality=plain.finality,
        capabilities=plain.capabilities,
    )
    outbox = chains.outbox_over(ledger, tmp_path / "outbox.db")
    engine = open_database(tmp_path / "node.db")
    yield LiveTools(live=ledger, engine=engine, sender=outbox)
    if deployed.chain.kind == "anvil":
        plain.rpc.call("anvil_removeBlockTimestampInterval")
    engine.dispose()
    outbox.table.engine.dispose()
    ledger.rpc.close()


def settled(world: World, envelope: bytes) -> None:
    """Let the node live until a build is final."""
    line = world.tools.line(world.log)
    for _ in range(ROUNDS):
        line.step()
        with world.tools.store.reading() as view:
            build = view.log.build(envelope_digest(envelope))
        if build is not None and build.state is BuildState.FINAL:
            return
    pytest.fail("the build does not become final")


def test_a_part_is_licensed_logged_and_verified_on_every_chain(tools: LiveTools) -> None:
    world = make_world(tools)
    world.disclose()
    claims = [claim(tools, world.issuer, named) for named in (world.maker, world.designer)]
    tools.indexing(world.log).follow()
    for one in claims:
        tools.disclosing.receive(DocumentKind.CLAIM, *one)
    envelope = world.envelope(1)

    (answer,) = tools.ingest(world.log).receive([envelope])
    assert answer.error is None
    settled(world, envelope)
    shown = bundle.write(tools.exporter.evidence(world.log, Index(0)))

    trust = Trust(
        version=VERSION,
        chain=tools.chain.pin(),
        operators=(Listed(id=world.operator),),
        issuers=(Listed(id=world.issuer),),
    )
    judging = Judging(ledger=tools.chain, clock=SystemClock(), trust=trust, host="here")
    report = judging.judge(shown, hint=(world.log, Index(0))).report
    with tools.store.reading() as view:
        lane = known(view.facts, LaneFact, world.lane)
    assert report.verdict is Verdict.VERIFIED, report
    assert lane.next == lane.first + 1
