"""The index follows final blocks, once each, and notices when one of them changes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from fakes.chain import MemoryChain
from fakes.world import OPERATOR, Tools, make_world
from guildmark.domain.contracts import ChainClass
from guildmark.domain.facts import IdentityFact, LogFact, RecordFact
from guildmark.domain.identifiers import ZERO_ADDRESS, LogNumber
from guildmark.domain.identity import IdentityKind
from guildmark.ports import Event, KeyName
from guildmark.services import indexing
from guildmark.services.indexing import HistoryLostError, HistoryRewrittenError, NodeBehindError


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

    def events(self, first: int, last: int) -> Sequence[Event]:
        found = super().events(first, last)
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
