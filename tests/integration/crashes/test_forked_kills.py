"""A node killed between any two steps, again and again: nothing acknowledged is lost or doubled.

The node's database is SQLite on disk, in a child process; the chain and what was sent to it live
in the parent. Each child dies at a random step, the last one runs to its end.
"""

import copy
import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import cast

import pytest
from sqlalchemy import Engine

from fakes.chain import MemoryChain, MemoryOutbox
from fakes.content import CountingEntropy
from fakes.remote import END, Answering, Fuse, Remote
from fakes.store import MemoryNodeStore
from fakes.world import WRITER, Tools, World, make_world
from guildmark.adapters.lookalikes import UnicodeNames
from guildmark.adapters.store.engine import open_database
from guildmark.adapters.store.node import SqlNodeStore
from guildmark.domain.identifiers import Digest, LogNumber
from guildmark.domain.log.queue import BuildState
from guildmark.ports.chain import Ledger, Transactions
from guildmark.ports.keys import KeyName
from guildmark.ports.letters import LetterReader
from guildmark.ports.store import NodeStore, View, Work
from guildmark.services.identity.naming import Naming
from guildmark.services.index.indexing import Indexing
from guildmark.services.log.anchoring import Anchoring
from guildmark.services.log.ingest import Ingest, Reception
from guildmark.services.log.line import Line
from guildmark.services.log.sequencing import Sequencing

DEATHS = 3
ROUNDS = 3


@dataclass(frozen=True)
class FusedStore:
    """A store whose process may end before and after each commit."""

    store: NodeStore
    at_step: Callable[[], None]

    @contextmanager
    def reading(self) -> Iterator[View]:
        with self.store.reading() as view:
            yield view

    @contextmanager
    def reading_letters(self) -> Iterator[LetterReader]:
        with self.store.reading_letters() as letters:
            yield letters

    @contextmanager
    def writing(self) -> Iterator[Work]:
        self.at_step()
        with self.store.writing() as work:
            yield work
            self.at_step()
        self.at_step()


@dataclass(frozen=True, kw_only=True)
class Template:
    """A world whose node has read everything and accepted nothing, and what is sent to it.

    Args:
        database: The node's database, before.
        engine: One that every child inherits, with its compiled statements and no connection.
        envelopes: What is sent.
    """

    world: World
    database: Path
    engine: Engine
    envelopes: tuple[bytes, ...]

    @property
    def log(self) -> LogNumber:
        return self.world.log

    def reset(self) -> tuple[MemoryChain, MemoryOutbox]:
        """Bring the database back, and return a copy of chain and outbox."""
        self.engine.dispose()
        for left in self.database.parent.glob("node.db*"):
            left.unlink()
        shutil.copyfile(self.database, str(self.engine.url.database))
        chain = copy.deepcopy(self.world.tools.chain)
        return chain, replace(copy.deepcopy(self.world.tools.outbox), chain=chain)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    folder = tmp_path_factory.mktemp("template")
    engine = open_database(folder / "node.db")
    # The world asks of its store what the port says, and no more.
    store = cast("MemoryNodeStore", SqlNodeStore(engine))
    world = make_world(Tools(store=store))
    world.disclose()
    engine.dispose()
    database = (folder / "node.db").rename(folder / "template.db")
    envelopes = (world.envelope(1), world.envelope(2))
    return Template(world=world, database=database, engine=engine, envelopes=envelopes)


def live(template: Template, connection: Connection, fuse: Fuse) -> None:
    """Be a node: take what is sent, log it, and say what was acknowledged."""
    log = template.log
    store = FusedStore(SqlNodeStore(template.engine), fuse)
    # Each process draws other salts, as each start of a node does.
    entropy = CountingEntropy(count=os.getpid() << 20)
    outbox = cast("Transactions", Remote(connection, "outbox", fuse))
    chain = cast("Ledger", Remote(connection, "chain", fuse))
    ingest = Ingest(store=store, entropy=entropy, log=log)
    naming = Naming(names=UnicodeNames())
    line = Line(
        transactions=outbox,
        indexing=Indexing(ledger=chain, store=store, naming=naming, own_log=log),
        anchoring=Anchoring(
            store=store,
            transactions=outbox,
            sequencing=Sequencing(store=store, log=log),
            writer=KeyName(WRITER),
        ),
    )
    for answer in ingest.receive(template.envelopes):
        if answer.reception is not Reception.REFUSED:
            connection.send((END, "", answer.digest, {}))
    for _ in range(ROUNDS):
        line.step()


def spawn(template: Template, steps: int, answering: Answering) -> bool:
    """Fork a node that dies at a step; return whether it came to its end."""
    ours, theirs = Pipe()
    child = os.fork()
    if child == 0:
        ours.close()
        live(template, theirs, Fuse(steps))
        os._exit(0)
    theirs.close()
    answering.until_end(ours)
    ours.close()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def play(template: Template, deaths: Sequence[int]) -> None:
    """Let a node die at each of the steps in turn, then live, and compare what came out."""
    chain, outbox = template.reset()
    answering = Answering({"chain": chain, "outbox": outbox})
    for steps in (*deaths, 0):
        if spawn(template, steps, answering):
            break
    check(template, {*answering.reports}, chain.heads[template.log].size)


def check(template: Template, acknowledged: set[Digest], size: int) -> None:
    with SqlNodeStore(template.engine).reading() as view:
        builds = [view.log.build(digest) for digest in acknowledged]
        open_batch, waiting = view.log.open_batch(), view.log.waiting_count()
    found = [build for build in builds if build is not None]
    assert [build.state for build in found] == [BuildState.FINAL] * 2
    assert sorted(build.unit or 0 for build in found) == [1, 2]
    assert sorted(build.index or 0 for build in found) == [0, 1]
    assert (size, open_batch, waiting) == (2, None, 0)


def warm_up(template: Template) -> int:
    """Live once here, so that the statements are compiled; return the steps of a life."""
    chain, outbox = template.reset()
    ours, theirs = Pipe()
    fuse = Fuse(0)
    answering = Answering({"chain": chain, "outbox": outbox})
    parent = Thread(target=answering.until_end, args=(ours,))
    parent.start()
    live(template, theirs, fuse)
    theirs.close()
    parent.join()
    return fuse.passed


def test_nothing_is_lost_or_doubled_wherever_the_node_dies(
    template: Template, volume: Callable[[int, int, int], int]
) -> None:
    source = random.Random(1)
    steps = warm_up(template)

    # Recovery is killed as well: up to three deaths a play.
    for _ in range(volume(1_000, 3_000, 100_000) // DEATHS):
        play(template, [source.randint(1, steps) for _ in range(DEATHS)])


def test_each_step_can_be_the_last(template: Template) -> None:
    for step in range(1, warm_up(template) + 1):
        play(template, [step])


def test_node_that_nobody_kills_comes_to_its_end(template: Template) -> None:
    play(template, [])
