"""A home compared with its chain: each kind of difference has its own name."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import pytest

from fakes.store import MemoryDocuments, MemoryNodeStore
from fakes.world import WRITER, World, make_world
from guildmark.adapters.lookalikes import UnicodeNames
from guildmark.adapters.store.scratch import ScratchStore
from guildmark.domain.chain.facts import IdentityFact, LogFact, RecordFact
from guildmark.domain.identifiers import Bytes32, IdentityId, Index, UnitNumber
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.log.queue import Batch
from guildmark.ports.chain import LedgerUnavailableError
from guildmark.ports.keys import KeyName
from guildmark.ports.log import LogReader
from guildmark.ports.store import Documents, NodeStore, View
from guildmark.services.identity.naming import Naming
from guildmark.services.index.checking import Checking
from guildmark.services.log.anchoring import append_call

NAMING = Naming(names=UnicodeNames())


@pytest.fixture
def world() -> World:
    """Return a world whose log holds two final records, of two entries and of one."""
    world = make_world()
    world.disclose()
    ingest, line = world.tools.ingest(world.log), world.tools.line(world.log)
    for numbers in ((1, 2), (3,)):
        ingest.receive([world.envelope(number) for number in numbers])
        for _ in range(3):
            line.step()
    return world


def fresh(documents: Documents) -> MemoryNodeStore:
    store = MemoryNodeStore()
    store._state.documents = dict(cast("MemoryDocuments", documents)._state.documents)
    return store


def codes(world: World, **changes: Any) -> list[str]:
    checking = Checking(
        ledger=world.tools.chain,
        store=world.tools.store,
        scratch=fresh,
        naming=NAMING,
        own_log=world.log,
    )
    return [found.code for found in replace(checking, **changes).differences()]


def test_a_sound_home_has_no_difference(world: World) -> None:
    assert codes(world) == []
    assert codes(world, own_log=None) == []


def test_the_scratch_in_memory_reads_the_same(world: World) -> None:
    opened: list[ScratchStore] = []

    def scratch(documents: Documents) -> NodeStore:
        opened.append(ScratchStore(documents))
        return opened[-1]

    assert codes(world, scratch=scratch) == []
    opened[0].close()


def test_a_home_that_read_nothing_differs_in_nothing(world: World) -> None:
    assert codes(world, store=MemoryNodeStore()) == []


def test_a_lost_fact_is_named(world: World) -> None:
    with world.tools.store.reading() as view:
        count = len(view.facts.each(IdentityFact))
    world.tools.store.forget(IdentityFact)

    assert codes(world) == ["fsck.factDiffers"] * count


def test_a_changed_fact_is_named(world: World) -> None:
    with world.tools.store.writing() as work:
        fact = work.facts.get(LogFact, world.log)
        assert fact is not None
        work.facts.put(replace(fact, size=fact.size + 1))

    (found,) = Checking(
        ledger=world.tools.chain, store=world.tools.store, scratch=fresh, naming=NAMING
    ).differences()

    assert "is another one than follows from the chain" in found.message
    assert (found.code, found.detail["kind"]) == ("fsck.factDiffers", "LogFact")


@pytest.mark.parametrize("id_", [b"\x00" * 32, b"\xff" * 32])
def test_an_invented_fact_is_named_wherever_it_sorts(world: World, id_: bytes) -> None:
    with world.tools.store.writing() as work:
        known = work.facts.each(IdentityFact)[0]
        work.facts.put(replace(known, id=IdentityId(Bytes32(id_)), kind=IdentityKind.SITE))

    assert codes(world) == ["fsck.factDiffers"]


def test_a_chain_that_lost_or_rewrote_a_final_block_is_another_one(world: World) -> None:
    chain = world.tools.chain
    chain.rewrite(len(chain.blocks) - 1)

    assert codes(world) == ["chain.historyRewritten"]

    chain.blocks.pop()
    assert codes(world) == ["chain.historyLost"]


def test_events_that_are_left_out_are_noticed(world: World) -> None:
    log = world.tools.chain.log
    log[:] = [event for event in log if event.name != "LogOpened"]

    assert codes(world) == ["index.factMissing"]


def test_a_node_that_is_away_is_no_difference(world: World) -> None:
    class Away:
        def __getattr__(self, _name: str) -> Any:
            raise LedgerUnavailableError("away")

    with pytest.raises(LedgerUnavailableError):
        codes(world, ledger=Away())


class Changed:
    """A store whose log answers other than it is."""

    def __init__(self, store: NodeStore, **answers: Callable[..., Any]) -> None:
        self._store, self._answers = store, answers

    @contextmanager
    def reading(self) -> Iterator[View]:
        with self._store.reading() as view:
            log = cast("LogReader", _ChangedLog(view.log, self._answers))
            yield View(facts=view.facts, log=log, documents=view.documents)


class _ChangedLog:
    def __init__(self, log: LogReader, answers: dict[str, Callable[..., Any]]) -> None:
        self._log, self._answers = log, answers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def settled(self, log: Any) -> Any:
        change: Callable[..., Any] = self._answers.get("settled", list)
        return change(self._log.settled(log))

    def entries(self, log: Any, seq: Any) -> Any:
        change: Callable[..., Any] = self._answers.get("entries", list)
        return change(self._log.entries(log, seq))


def changed(world: World, **answers: Callable[..., Any]) -> list[str]:
    return codes(world, store=Changed(world.tools.store, **answers))


def test_a_missing_entry_is_named_by_its_index(world: World) -> None:
    store = Changed(world.tools.store, entries=lambda found: found[1:] or found)
    checking = Checking(
        ledger=world.tools.chain,
        store=cast("NodeStore", store),
        scratch=fresh,
        naming=NAMING,
        own_log=world.log,
    )

    (found,) = checking.differences()

    assert found.code == "fsck.leafMissing"
    assert found.detail == {"log": world.log, "seq": 0, "index": 0}


def test_a_changed_leaf_is_named(world: World) -> None:
    def salted(found: list[Any]) -> list[Any]:
        return [replace(one, queued=replace(one.queued, salt=Bytes32(bytes(32)))) for one in found]

    assert changed(world, entries=salted) == ["fsck.leafChanged"] * 2


def test_a_changed_envelope_is_named(world: World) -> None:
    def other(found: list[Any]) -> list[Any]:
        first = replace(found[0], queued=replace(found[0].queued, envelope=b"{}"))
        return [first, *found[1:]]

    assert changed(world, entries=other) == ["fsck.leafChanged"] * 2


@pytest.mark.parametrize("change", [{"unit": UnitNumber(9)}, {"unit": None}, {"index": Index(9)}])
def test_another_place_than_the_record_gives_is_named(world: World, change: dict[str, Any]) -> None:
    def moved(found: list[Any]) -> list[Any]:
        return [replace(one, build=replace(one.build, **change)) for one in found]

    assert changed(world, entries=moved) == ["fsck.placeDiffers"] * 3


def test_a_record_whose_entries_are_not_here_is_foreign(world: World) -> None:
    assert changed(world, entries=lambda _: []) == ["fsck.recordForeign"] * 2


def test_a_final_batch_without_a_record_is_named(world: World) -> None:
    assert changed(world, settled=lambda found: [*found, 7]) == ["fsck.recordMissing"]


def test_records_of_another_writer_are_foreign(world: World) -> None:
    tools = world.tools
    with tools.store.reading() as view:
        (first, _) = view.facts.each(RecordFact, world.log)
        fact = view.facts.get(LogFact, world.log)
    assert fact is not None
    record = replace(first.record, seq=fact.seq)
    batch = Batch(
        log=record.log, seq=record.seq, root=record.root, draws=(), entries=tuple(range(2))
    )
    tools.outbox.submit(append_call(batch), key=KeyName(WRITER), idempotency="foreign")
    tools.line(world.log).step()

    assert codes(world) == ["fsck.recordForeign"]
