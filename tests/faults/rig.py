"""A log on a real chain that faults are tried on: each case begins at the same block and database.

One case is a node's life: entries are accepted, anchored, indexed and settled, while something
fails. The oracle then lets the node live on without faults and counts what is lost or doubled.
"""

import contextlib
import os
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self, cast

import chains
from faults.proxy import FaultProxy
from faults.tracing import Moment
from guildmark.adapters.chain.auditing import Auditing
from guildmark.adapters.chain.ledger import RpcLedger
from guildmark.adapters.chain.look import Looker
from guildmark.adapters.chain.opening import FEE_LIMIT
from guildmark.adapters.chain.outbox import Outbox
from guildmark.adapters.chain.rpc import Rpc
from guildmark.adapters.chain.signing import Signing
from guildmark.adapters.clock import SystemEntropy
from guildmark.adapters.lookalikes import UnicodeNames
from guildmark.adapters.store.engine import check_whole, open_database
from guildmark.adapters.store.node import SqlNodeStore
from guildmark.adapters.store.outbox import OutboxTable
from guildmark.adapters.store.scratch import ScratchStore
from guildmark.domain.chain.contracts import ChainPin, ContractName
from guildmark.domain.chain.facts import NO_LANE, LogFact
from guildmark.domain.chain.finality import FinalityRule
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import GuildmarkError, NetworkError
from guildmark.domain.identifiers import (
    Bytes32,
    Digest,
    IdentityId,
    LogNumber,
    SiteRecipeId,
    to_hex,
)
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.log.entry import Entry, EntryKind
from guildmark.domain.log.queue import BuildState, Queued
from guildmark.ports.chain import Call
from guildmark.ports.keys import KeyName
from guildmark.ports.letters import LetterReader
from guildmark.ports.store import Documents, NodeStore, View, Work
from guildmark.services.identity.accounts import Account
from guildmark.services.identity.identities import Identities
from guildmark.services.identity.naming import Naming
from guildmark.services.index.checking import Checking
from guildmark.services.index.indexing import Indexing
from guildmark.services.index.projection import known
from guildmark.services.log.anchoring import Anchoring
from guildmark.services.log.line import Line
from guildmark.services.log.logs import Logs
from guildmark.services.log.sequencing import Sequencing

NAMING = Naming(names=UnicodeNames())

OPERATOR, WRITER = KeyName("operator"), KeyName("writer")
START = 1_700_000_000
# Seconds that pass between two steps of a node: what is not in a block is sent again each time.
PACE = 20
ROUNDS = 400
CASES_MOST = 100
"""Cases that one chain serves."""

Step = Callable[[str], None]


@dataclass
class TellingClock:
    """A clock that a case moves, forwards and back."""

    seconds: int = START

    def now(self) -> int:
        return self.seconds


@dataclass(frozen=True)
class StepStore:
    """A store that tells of the moments before and after each commit."""

    store: NodeStore
    on_step: Step

    @contextlib.contextmanager
    def reading(self) -> Iterator[View]:
        with self.store.reading() as view:
            yield view

    @contextlib.contextmanager
    def reading_letters(self) -> Iterator[LetterReader]:
        with self.store.reading_letters() as letters:
            yield letters

    @contextlib.contextmanager
    def writing(self) -> Iterator[Work]:
        self.on_step("begin")
        with self.store.writing() as work:
            yield work
            self.on_step("commit")
        self.on_step("committed")


@dataclass(frozen=True, kw_only=True)
class Node:
    """What a node consists of, over one database and one address of the chain."""

    rpc: Rpc
    outbox: Outbox
    store: NodeStore
    line: Line
    clock: TellingClock
    log: LogNumber

    def close(self) -> None:
        self.rpc.close()
        self.outbox.table.engine.dispose()

    def accept(self, entry: Queued) -> Digest:
        """Accept an entry as a node does: it is durable when this returns."""
        with self.store.writing() as work:
            if work.log.build(entry.digest) is None:
                work.log.accept(entry)
        return entry.digest

    def step(self) -> None:
        self.clock.seconds += PACE
        self.line.step()

    def is_idle(self) -> bool:
        with self.store.reading() as view:
            waits = view.log.waiting_count() or view.log.open_batch() is not None
        chain_id = self.outbox.chain.chain_id
        return not waits and not self.outbox.table.open(chain_id, 1)


def _nothing(_step: str) -> None:
    """Go on."""


@dataclass(kw_only=True)
class Rig:
    """One chain with one log, brought back to its beginning for each case."""

    chain: chains.Chain
    pin: ChainPin
    folder: Path
    proxy: FaultProxy
    depth: int
    log: LogNumber = field(default=LogNumber(0))
    snapshot: str = ""
    marks: list[tuple[int, str]] = field(default_factory=list)
    """Blocks to which the chain can be brought back, oldest first."""
    highest: int = 0
    calls: Sequence[Moment] = ()
    """Each fault of each system call of a life, once one was traced."""
    control: Rpc = field(init=False)

    def __post_init__(self) -> None:
        self.control = self.chain.rpc()

    @property
    def template(self) -> Path:
        return self.folder / "template.db"

    def prepare(self) -> None:
        """Open the log, index the chain and keep both as the beginning of every case."""
        self.chain.fund(OPERATOR, WRITER)
        node = self.node(self.template, depth=0, url=self.chain.url)
        operator = self._registered(node)
        node.line.indexing.follow()
        node.close()
        self.log = operator
        self.mine(self.depth + 1)
        self.control.call("evm_setAutomine", False)
        self.snapshot = self.control.call("evm_snapshot")

    def _registered(self, node: Node) -> LogNumber:
        ledger = node.line.indexing.ledger
        keys = self.chain.keys
        account = Account(transactions=node.outbox, key=OPERATOR, address=keys.address(OPERATOR))
        identities = Identities(
            ledger=ledger, account=account, store=node.store, entropy=SystemEntropy()
        )
        operator = identities.register(IdentityKind.ORGANIZATION, {"name": "Operator"})
        return Logs(ledger=ledger, account=account).open(operator, keys.address(WRITER))

    def reset(self, name: str) -> Path:
        """Bring the chain back and return a fresh copy of the database."""
        self.proxy.heal()
        self.control.call("anvil_dropAllTransactions")
        self.control.call("evm_revert", self.snapshot)
        self.snapshot = self.control.call("evm_snapshot")
        self.marks.clear()
        self.highest = 0
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        shutil.copyfile(self.template, place / "node.db")
        return place / "node.db"

    def mine(self, blocks: int = 1) -> None:
        if blocks:
            self.control.call("anvil_mine", hex(blocks))

    def mark(self) -> None:
        """Remember the newest block, so that what follows can be undone."""
        self.marks.append((self.head(), self.control.call("evm_snapshot")))

    def head(self) -> int:
        return int(self.control.call("eth_blockNumber"), 16)

    def undo(self, depth: int, miner: bytes) -> int:
        """Go back to the oldest remembered block within ``depth``; return how far that was.

        What was in the blocks is gone: neither in blocks nor waiting. The blocks that follow are
        others than those before.
        """
        head = self.head()
        # What was final at the longest of the chains stays final on a shorter one.
        self.highest = max(self.highest, head)
        within = [mark for mark in self.marks if self.highest - mark[0] <= depth]
        if not within:
            return 0
        number, snapshot = within[0]
        self.marks = self.marks[: self.marks.index(within[0])]
        self.control.call("evm_revert", snapshot)
        self.control.call("anvil_dropAllTransactions")
        self.control.call("anvil_setCoinbase", to_hex(miner))
        return head - number

    def node(
        self,
        database: Path,
        *,
        on_step: Step = _nothing,
        depth: int | None = None,
        url: str | None = None,
        clock: TellingClock | None = None,
    ) -> Node:
        """Put a node together, as ``bootstrap`` does, behind the proxy."""
        clock = clock or TellingClock()
        rpc = Rpc(url=url or self.proxy.url, timeout=self.proxy.patience)
        finality = FinalityRule(depth=self.depth if depth is None else depth)
        ledger = RpcLedger(
            rpc=rpc, chain=self.pin, finality=finality, capabilities=self.chain.capabilities
        )
        engine = open_database(database)
        table = OutboxTable(engine)
        looker = Looker(rpc=rpc, chain=self.pin, finality=finality)
        keys = self.chain.keys
        signing = Signing(table=table, looker=looker, keys=keys, clock=clock, fee_limit=FEE_LIMIT)
        outbox = Outbox(
            table=table, looker=looker, signing=signing, keys=keys, clock=clock, on_step=on_step
        )
        store = StepStore(SqlNodeStore(engine), on_step)
        line = Line(
            transactions=outbox,
            indexing=Indexing(ledger=ledger, store=store, naming=NAMING, own_log=self.log or None),
            anchoring=Anchoring(
                store=store,
                transactions=outbox,
                sequencing=Sequencing(store=store, log=self.log, limit=3),
                writer=WRITER,
            ),
        )
        return Node(rpc=rpc, outbox=outbox, store=store, line=line, clock=clock, log=self.log)

    def size(self) -> int:
        """Return how many entries the chain says the log has."""
        ledger = self.chain.unchecked_ledger(self.pin)
        with ledger.rpc:
            head = ledger.read(Call(contract=ContractName.LOG, function="head", args=(self.log,)))
        return int(head["size"])


@contextlib.contextmanager
def opened(folder: Path, *, depth: int = 3, options: Sequence[str] = ()) -> Iterator[Rig]:
    """Run anvil with our contracts, a log and a proxy in front."""
    with chains.bare_anvil(*options) as chain, FaultProxy(chain.url) as proxy:
        pin = chain.deploy(folder)
        rig = Rig(chain=chain, pin=pin, folder=folder, proxy=proxy, depth=depth)
        rig.prepare()
        try:
            yield rig
        finally:
            rig.control.close()


@dataclass
class Rigs:
    """Chains for many cases: as many as are asked for, one for each depth at a time.

    Anvil keeps the states of some thousand blocks, those of undone ones too, and forgets the oldest
    first: after 400 cases it knew no more what was final before all of them.

    Args:
        folder: Makes a folder for a chain.
    """

    folder: Callable[[], Path]
    _serving: dict[int, tuple[Rig, contextlib.ExitStack]] = field(default_factory=dict)
    _served: Counter[int] = field(default_factory=Counter)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for depth in tuple(self._serving):
            self._end(depth)

    def of(self, depth: int) -> Rig:
        """Return a chain for the next case, whose blocks are final that deep."""
        if self._served[depth] == CASES_MOST:
            self._end(depth)
        if depth not in self._serving:
            stack = contextlib.ExitStack()
            rig = stack.enter_context(opened(self.folder(), depth=depth))
            self._serving[depth] = (rig, stack)
        self._served[depth] += 1
        return self._serving[depth][0]

    def _end(self, depth: int) -> None:
        self._serving.pop(depth)[1].close()
        del self._served[depth]


def attached(url: str, pin: ChainPin, proxy: FaultProxy, log: LogNumber, depth: int) -> Rig:
    """Return a rig over a chain that another process runs."""
    nobody = cast("subprocess.Popen[bytes]", None)
    chain = chains.Chain(kind="anvil", url=url, process=nobody, finality=FinalityRule(depth=depth))
    return Rig(chain=chain, pin=pin, folder=Path(), proxy=proxy, depth=depth, log=log)


def entries(count: int, chance: random.Random) -> list[Queued]:
    """Return entries that draw nothing, each with bytes of its own."""
    return [entry_of(chance.randbytes(16)) for _ in range(count)]


def resalted(entry: Queued) -> Queued:
    """Return the entry as another acceptance of the same envelope makes it."""
    return replace(entry, salt=Bytes32(sha256(entry.salt)))


def entry_of(seed: bytes) -> Queued:
    envelope = b'{"payload":"' + seed.hex().encode() + b'"}'
    digest = sha256(envelope)
    entry = Entry(
        kind=EntryKind.SCRAP,
        subject=sha256(b"subject" + seed),
        envelope=digest,
        site_recipe=SiteRecipeId(Bytes32(bytes(32))),
        machine=IdentityId(Bytes32(sha256(b"machine"))),
        maker=IdentityId(Bytes32(sha256(b"maker"))),
        dependencies=sha256(b""),
    )
    return Queued(
        envelope=envelope,
        digest=digest,
        payload=sha256(b"payload" + seed),
        entry=entry,
        salt=Bytes32(sha256(b"salt" + seed)),
        lane=NO_LANE,
        label=seed.hex(),
        counter=0,
    )


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a case left.

    Args:
        differences: What ``fsck`` names, as code and message.
    """

    lost: int
    doubled: int
    differences: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        return self == Verdict(lost=0, doubled=0, differences=())


class NotConvergedError(AssertionError):
    """A node without faults did not come to rest."""


def rest(rig: Rig, node: Node) -> None:
    """Let a node live without faults until nothing is open any more."""
    for _ in range(ROUNDS):
        # As a node does: what the chain cannot answer now is asked again.
        with contextlib.suppress(NetworkError):
            node.step()
        if node.is_idle():
            return
        rig.mine(max(1, rig.depth // 6))
    with node.store.reading() as view:
        found = (view.log.waiting_count(), view.log.open_batch())
    opened = node.outbox.table.open(node.outbox.chain.chain_id, 5)
    raise NotConvergedError(str((found, [(one.state, one.nonce, one.reason) for one in opened])))


def judge(rig: Rig, database: Path, acknowledged: set[Digest]) -> Verdict:
    """Apply the oracle: heal everything, live on, count, and compare with ``fsck``."""
    rig.proxy.heal()
    node = rig.node(database, clock=TellingClock(START + 10_000_000))
    try:
        rest(rig, node)
        rig.mine(rig.depth)
        with contextlib.suppress(NetworkError):
            node.step()
        return _verdict(rig, node, acknowledged)
    finally:
        node.close()


def _verdict(rig: Rig, node: Node, acknowledged: set[Digest]) -> Verdict:
    with node.store.reading() as view:
        builds = {digest: view.log.build(digest) for digest in acknowledged}
        size = known(view.facts, LogFact, node.log).size
        indexes = [
            logged.build.index
            for seq in view.log.settled(node.log)
            for logged in view.log.entries(node.log, seq)
        ]
    final = [build for build in builds.values() if build and build.state is BuildState.FINAL]
    # More on chain than entries here, or two entries at one index: something was counted twice.
    doubled = abs(rig.size() - len(set(indexes))) + len(indexes) - len(set(indexes))
    found = tuple(f"{one.code}: {one.message}" for one in differences(node))
    assert size == rig.size()
    return Verdict(lost=len(acknowledged) - len(final), doubled=doubled, differences=found)


def differences(node: Node) -> Iterator[GuildmarkError]:
    """Yield what ``guildmark fsck`` would name, but for content, which these nodes have not."""
    table = node.outbox.table
    check_whole(table.engine)
    scratches: list[ScratchStore] = []

    def scratch(documents: Documents) -> NodeStore:
        scratches.append(ScratchStore(documents))
        return scratches[-1]

    ledger = node.line.indexing.ledger
    yield from Checking(
        ledger=ledger, store=node.store, scratch=scratch, naming=NAMING, own_log=node.log
    ).differences()
    yield from Auditing(
        table=table,
        rpc=node.rpc,
        chain_id=node.outbox.chain.chain_id,
        clock=node.clock,
        open_seconds=0,
    ).differences()
    for one in scratches:
        one.close()


@dataclass
class Fuse:
    """Ends the process, as SIGKILL would, at the n-th step; 0 never does."""

    steps: int
    names: list[str] = field(default_factory=list)

    def __call__(self, step: str) -> None:
        self.names.append(step)
        if len(self.names) == self.steps:
            os._exit(9)


def live(
    rig: Rig, node: Node, sent: Sequence[Queued], acknowledge: Callable[[Digest], None]
) -> None:
    """Be a node: accept, anchor, follow, settle, while blocks are made."""
    for entry in sent:
        acknowledge(node.accept(entry))
        node.step()
        rig.mine(1)
    rest(rig, node)


def in_child(work: Callable[[Callable[[Digest], None]], None]) -> tuple[int, set[Digest]]:
    """Run ``work`` in a fork; return its exit code and what it acknowledged."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work(lambda digest: _said(writer, digest))
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        said = file.read()
    _, status = os.waitpid(pid, 0)
    digests = {Digest(Bytes32(said[at : at + 32])) for at in range(0, len(said), 32)}
    return os.waitstatus_to_exitcode(status), digests


def _said(writer: int, digest: Digest) -> None:
    os.write(writer, digest)
