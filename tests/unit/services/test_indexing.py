"""The index follows final blocks, once each, and notices when one of them changes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from fakes.chain import MemoryChain
from fakes.world import OPERATOR, Tools, make_world
from guildmark.domain.chain.contracts import ChainClass
from guildmark.domain.chain.facts import KINDS, IdentityFact, LogFact, RecordFact
from guildmark.domain.identifiers import ZERO_ADDRESS, Digest, LogNumber
from guildmark.domain.identity.identity import IdentityKind
from guildmark.ports.chain import Block, Event, LedgerUnavailableError, RawLog, Stretch
from guildmark.ports.keys import KeyName
from guildmark.services.index import indexing
from guildmark.services.index.indexing import (
    HistoryLostError,
    HistoryRewrittenError,
    NodeBehindError,
)


def test_index_reads_up_to_the_newest_final_block() -> None:
    world = make_world()

    head = world.tools.indexing().follow()

    with world.tools.store.reading() as view:
        assert view.facts.cursor() == head == world.tools.chain.blocks[-1]


def test_index_waits_for_finality() -> None:
    world = make_world()
    world.tools.logs(OPERATOR).tick()
    world.tools.chain.unfinal = 1

    world.tools.indexing().follow()

    with world.tools.store.reading() as view:
        assert view.facts.get(RecordFact, 0, 1) is None


def test_index_in_steps_is_the_index_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = make_world().tools
    monkeypatch.setattr(indexing, "_BLOCKS_A_STEP", 2)
    in_steps = make_world().tools

    with at_once.store.reading() as one, in_steps.store.reading() as other:
        assert one.facts.each(IdentityFact) == other.facts.each(IdentityFact)
        assert one.facts.each(LogFact) == other.facts.each(LogFact)


def test_index_reads_no_block_twice() -> None:
    tools = Tools()
    tools.identities(OPERATOR).register(IdentityKind.ORGANIZATION, {"name": "O"})
    tools.indexing().follow()
    tools.chain.log.clear()

    tools.indexing().follow()

    with tools.store.reading() as view:
        assert len(view.facts.each(IdentityFact)) == 1


def test_rewritten_final_block_stops_the_index() -> None:
    world = make_world()
    number = world.tools.chain.blocks[-1].number
    world.tools.chain.rewrite(number)

    with pytest.raises(HistoryRewrittenError) as caught:
        world.tools.indexing().follow()

    assert caught.value.code == "chain.historyRewritten"
    assert caught.value.detail == {"block": number}


def test_local_chain_that_lost_final_blocks_stops_the_index() -> None:
    world = make_world()
    world.tools.indexing().follow()
    number = world.tools.chain.blocks.pop().number

    with pytest.raises(HistoryLostError) as caught:
        world.tools.indexing().follow()

    assert (caught.value.code, caught.value.exit_code) == ("chain.historyLost", 16)
    assert caught.value.detail == {"block": number}


def test_local_chain_whose_last_block_was_read_is_whole() -> None:
    world = make_world()
    head = world.tools.indexing().follow()

    assert world.tools.indexing().check() == head


def test_index_without_blocks_has_nothing_to_lose() -> None:
    assert Tools().indexing().check() is None


@pytest.mark.parametrize("kind", [ChainClass.PUBLIC, ChainClass.CONSORTIUM])
def test_node_of_a_shared_chain_may_be_behind(
    kind: ChainClass, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world()
    chain = world.tools.chain
    pin = replace(chain.pin(), chain_class=kind)
    monkeypatch.setattr(MemoryChain, "pin", lambda _: pin)
    head = world.tools.indexing().follow()
    ahead = chain.blocks.pop()

    with pytest.raises(NodeBehindError) as caught:
        world.tools.indexing().follow()
    chain.blocks.append(ahead)

    assert (caught.value.code, caught.value.exit_code) == ("chain.nodeBehind", 3)
    assert world.tools.indexing().follow() == head


@dataclass
class SlowChain(MemoryChain):
    """A chain whose answer takes so long that another process reads the same blocks meanwhile."""

    meanwhile: Callable[[], object] | None = None

    def stretch(self, first: int, last: int, *, enough: int | None = None) -> Stretch:
        found = super().stretch(first, last, enough=enough)
        other, self.meanwhile = self.meanwhile, None
        if other is not None:
            other()
        return found


def test_blocks_that_another_process_read_are_not_read_again() -> None:
    chain = SlowChain()
    tools = Tools(chain=chain)
    operator = tools.identities(OPERATOR).register(IdentityKind.ORGANIZATION, {"name": "O"})
    tools.logs(OPERATOR).open(operator, tools.keys.address(KeyName(OPERATOR)))
    other = tools.indexing()
    chain.meanwhile = other.follow

    head = tools.indexing().follow()

    with tools.store.reading() as view:
        assert view.facts.cursor() == head
        assert len(view.facts.each(LogFact)) == 1


def test_a_stretch_that_does_not_follow_the_last_one_is_not_read() -> None:
    world = make_world()
    world.tools.logs(OPERATOR).tick()
    found = world.tools.chain.stretch

    def other(first: int, last: int) -> Stretch:
        return replace(found(first, last), parent=Digest(b"\x07" * 32))

    with pytest.raises(HistoryRewrittenError, match="are not of the chain that was final"):
        replace(world.tools.indexing(), ledger=Answering(world.tools.chain, other)).follow()


def test_a_stretch_that_leads_elsewhere_than_to_the_head_is_not_read() -> None:
    chain = MemoryChain()
    tools = Tools(chain=chain)
    found = chain.stretch

    def other(first: int, last: int) -> Stretch:
        read = found(first, last)
        end = replace(read.blocks[-1], hash=Digest(b"\x07" * 32))
        return replace(read, blocks=(*read.blocks[:-1], end))

    with pytest.raises(HistoryRewrittenError):
        replace(tools.indexing(), ledger=Answering(chain, other)).follow()
    with tools.store.reading() as view:
        assert view.facts.cursor() is None


class Answering:
    """A chain whose stretches are what a test says."""

    def __init__(self, chain: MemoryChain, stretch: Callable[[int, int], Stretch]) -> None:
        self._chain = chain
        self._stretch = stretch

    def stretch(self, first: int, last: int, **_enough: int | None) -> Stretch:
        return self._stretch(first, last)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)


def test_a_log_that_is_no_event_of_ours_changes_nothing() -> None:
    world = make_world()
    with world.tools.store.reading() as view:
        before = view.facts.each(LogFact)
    silent = replace(world.tools.indexing(), ledger=Silent(world.tools.chain))
    world.tools.logs(OPERATOR).tick()

    head = silent.follow()

    with world.tools.store.reading() as view:
        assert (view.facts.cursor(), view.facts.each(LogFact)) == (head, before)


class Silent(Answering):
    """A chain of which this program knows no event."""

    def __init__(self, chain: MemoryChain) -> None:
        super().__init__(chain, chain.stretch)

    def event(self, _log: RawLog, _block: Block) -> Event | None:
        return None


@pytest.mark.parametrize("share", [0, 1, 2, 3])
def test_an_index_rebuilt_from_any_block_is_the_index(share: int) -> None:
    world = make_world()
    chain, read = world.tools.chain, list[int]()
    first = share * len(chain.blocks) // 3
    with world.tools.store.reading() as view:
        before = [view.facts.each(kind) for kind in KINDS], view.facts.cursor()

    def told(low: int, high: int) -> Stretch:
        read.append(low)
        return chain.stretch(low, high)

    replace(world.tools.indexing(), ledger=Answering(chain, told)).rebuild(first)

    with world.tools.store.reading() as view:
        after = [view.facts.each(kind) for kind in KINDS], view.facts.cursor()
    assert after == before
    # Below it nothing is asked of the chain but what stands behind the last block that was kept.
    assert all(low <= first for low in read[:1])
    assert (0 in read) is (first == 0)


def test_progress_is_told_after_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "_BLOCKS_A_STEP", 4)
    chain = MemoryChain()
    for _ in range(9):
        chain.mine()
    told: list[tuple[int, int]] = []
    tools = Tools(chain=chain)

    replace(tools.indexing(), on_progress=lambda read, last: told.append((read, last))).follow()

    assert told == [(3, 9), (7, 9), (9, 9)]


def test_steps_are_as_long_as_blocks_are_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "_BLOCKS_AT_FIRST", 2)
    monkeypatch.setattr(indexing, "_BLOCKS_A_STEP", 5)
    chain, told = MemoryChain(), list[tuple[int, int]]()
    for _ in range(13):
        chain.mine()

    def asked(low: int, high: int) -> Stretch:
        told.append((low, high))
        return chain.stretch(low, high)

    replace(Tools(chain=chain).indexing(), ledger=Answering(chain, asked)).follow()

    assert told == [(0, 1), (2, 5), (6, 10), (11, 13)]


def test_a_crowded_stretch_that_ends_early_is_read_on_from_there() -> None:
    world = make_world()
    chain, told = world.tools.chain, list[tuple[int, int]]()

    def crowded(low: int, high: int) -> Stretch:
        told.append((low, high))
        return chain.stretch(low, min(low + 2, high))

    with world.tools.store.reading() as view:
        before = [view.facts.each(kind) for kind in KINDS]
    replace(world.tools.indexing(), ledger=Answering(chain, crowded)).rebuild()

    # Each goes on behind the one before, and asks for twice as many as that one had.
    head = chain.blocks[-1].number
    assert told[1:] == [(low, min(low + 5, head)) for low in range(3, head + 1, 3)]
    with world.tools.store.reading() as view:
        assert [view.facts.each(kind) for kind in KINDS] == before


@pytest.mark.parametrize(
    ("size", "logs", "expected"),
    [(8, 1001, 4), (1, 5000, 1), (8, 1000, 8), (8, 501, 8), (8, 500, 16), (800, 0, 1000)],
)
def test_the_next_step_holds_about_as_many_logs(size: int, logs: int, expected: int) -> None:
    assert indexing._next_size(size, logs) == expected


def test_steps_that_another_process_read_meanwhile_are_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(indexing, "_BLOCKS_A_STEP", 2)
    chain, told = MemoryChain(), list[int]()
    tools = Tools(chain=chain)
    for _ in range(9):
        chain.mine()

    def other(read: int, _last: int) -> None:
        told.append(read)
        if len(told) == 1:
            tools.indexing().follow(chain.blocks[4])

    head = replace(tools.indexing(), on_progress=other).follow()

    assert told == [1, 4, 6, 8, 9]
    with tools.store.reading() as view:
        assert view.facts.cursor() == head


def test_what_comes_next_and_cannot_be_read_leaves_what_was_noted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(indexing, "_BLOCKS_A_STEP", 2)
    chain = MemoryChain()
    tools = Tools(chain=chain)
    for _ in range(5):
        chain.mine()

    def gone(low: int, high: int) -> Stretch:
        if low:
            message = "The node went away."
            raise LedgerUnavailableError(message)
        return chain.stretch(low, high)

    with pytest.raises(LedgerUnavailableError):
        replace(tools.indexing(), ledger=Answering(chain, gone)).follow()

    with tools.store.reading() as view:
        assert view.facts.cursor() == chain.blocks[1]


def test_rebuilt_index_is_the_index() -> None:
    world = make_world()
    with world.tools.store.reading() as view:
        before = view.facts.each(IdentityFact), view.facts.cursor()

    world.tools.indexing().rebuild()

    with world.tools.store.reading() as view:
        assert (view.facts.each(IdentityFact), view.facts.cursor()) == before


def test_rebuild_forgets_what_no_event_made() -> None:
    world = make_world()
    with world.tools.store.writing() as work:
        work.facts.put(LogFact(number=LogNumber(99), operator=world.operator, writer=ZERO_ADDRESS))

    world.tools.indexing().rebuild()

    with world.tools.store.reading() as view:
        assert view.facts.get(LogFact, 99) is None
