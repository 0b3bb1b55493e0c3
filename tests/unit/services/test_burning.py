"""A stolen writer key: what the thief burned is named, the log goes on, nothing of his verifies."""

from dataclasses import replace

import pytest

from fakes.world import OPERATOR, UNITS, WRITER, World, make_world
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import LogFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Index, LaneNumber, Seq, UnitNumber
from guildmark.domain.log.entry import EntryKind
from guildmark.domain.log.queue import Batch, BuildState, Draw
from guildmark.ports.chain import Call
from guildmark.ports.keys import KeyName
from guildmark.services.evidence.evidence import PartUnknownError
from guildmark.services.index.projection import known
from guildmark.services.log.anchoring import append_call
from guildmark.services.log.burning import Burn, BurnedUnit, Burning, _why


@pytest.fixture
def world() -> World:
    world = make_world()
    world.disclose()
    return world


def burning(world: World) -> Burning:
    return Burning(store=world.tools.store)


def build(world: World, number: int, *, key: str = WRITER) -> BuildState:
    envelope = world.envelope(number)
    world.tools.ingest(world.log).receive([envelope])
    line = world.tools.line(world.log)
    anchoring = line.anchoring
    assert anchoring is not None
    line = replace(line, anchoring=replace(anchoring, writer=KeyName(key)))
    line.step()
    line.step()
    with world.tools.store.reading() as view:
        found = view.log.build(sha256(envelope))
    assert found is not None
    return found.state


def steal(world: World) -> None:
    """Use the writer's key outside of the node: a record that draws a unit for nothing."""
    head = world.tools.chain.heads[world.log]
    batch = Batch(
        log=world.log,
        seq=Seq(head.seq),
        root=sha256(b"pollution"),
        draws=(Draw(lane=world.lane, n=1),),
        entries=(1, 2),
    )
    world.tools.chain.execute(append_call(batch), world.tools.keys.address(KeyName(WRITER)))


def test_an_honest_log_burned_nothing(world: World) -> None:
    assert build(world, 1) is BuildState.FINAL

    audit = burning(world).audit(world.log)

    assert (audit.records, audit.drawn, audit.burned) == (1, 1, ())


def test_scrap_burns_no_unit_and_its_evidence_says_what_it_is(world: World) -> None:
    said = world.tools.builds.scrapped(world.statement(1), "the first layer came off")
    world.tools.ingest(world.log).receive([world.sign(said)])
    assert build(world, 2) is BuildState.FINAL

    audit = burning(world).audit(world.log)
    core = world.tools.exporter.gather(world.log, Index(0)).core

    assert (audit.drawn, audit.burned) == (2, ())
    assert core.entry.kind is EntryKind.SCRAP
    granted = core.record.unit_at(core.position)
    assert granted is not None
    assert granted.unit == 1


def test_after_a_theft_the_log_goes_on_and_the_burned_unit_is_named(world: World) -> None:
    build(world, 1)
    steal(world)
    world.tools.keys.create(
        KeyName("second"), world.tools.keys.public_key(KeyName(WRITER)).algorithm
    )
    world.tools.logs(OPERATOR).set_writer(world.log, world.tools.keys.address(KeyName("second")))
    world.tools.indexing(world.log).follow()

    with pytest.raises(GuildmarkError) as refused:
        steal(world)
    after = build(world, 2, key="second")
    audit = burning(world).audit(world.log)

    assert refused.value.code == "caller.notAllowed"
    assert after is BuildState.FINAL
    assert (audit.records, audit.drawn) == (3, UNITS)
    (burned,) = audit.burned
    assert burned == BurnedUnit(
        log=world.log,
        seq=Seq(1),
        index=Index(1),
        lane=world.lane,
        unit=UnitNumber(2),
        burn=Burn.UNOPENED,
    )


def test_what_waits_at_a_rotation_settles_once_under_the_new_key(world: World) -> None:
    tools, second = world.tools, KeyName("second")
    envelopes = [world.envelope(number) for number in (1, 2, 3)]
    tools.ingest(world.log).receive(envelopes[:2])
    tools.outbox.held = True
    tools.line(world.log).step()
    tools.ingest(world.log).receive(envelopes[2:])
    tools.keys.create(second, tools.keys.public_key(KeyName(WRITER)).algorithm)
    named = Call(
        contract=ContractName.LOG,
        function="setWriter",
        args=(world.log, tools.keys.address(second)),
    )
    tools.chain.execute(named, tools.keys.address(KeyName(OPERATOR)))

    line = tools.line(world.log)
    assert line.anchoring is not None
    line = replace(line, anchoring=replace(line.anchoring, writer=second))
    for _ in range(8):
        line.step()

    with tools.store.reading() as view:
        builds = [view.log.build(sha256(envelope)) for envelope in envelopes]
    assert [build and build.state for build in builds] == [BuildState.FINAL] * 3
    assert [build and build.index for build in builds] == [0, 1, 2]
    assert [key for key, found in tools.outbox.sent.items() if found[1] == second]
    assert tools.chain.heads[world.log].size == 3


def test_nothing_of_the_thief_is_evidence_and_old_parts_stay(world: World) -> None:
    build(world, 1)
    before = world.tools.exporter.gather(world.log, Index(0))
    steal(world)
    world.tools.indexing(world.log).follow()

    assert world.tools.exporter.gather(world.log, Index(0)).core == before.core
    for index in (1, 2):
        with pytest.raises(PartUnknownError):
            world.tools.exporter.gather(world.log, Index(index))


def test_a_closed_log_keeps_its_parts_and_another_one_continues_it(world: World) -> None:
    build(world, 1)
    before = world.tools.exporter.gather(world.log, Index(0))
    logs = world.tools.logs(OPERATOR)
    logs.close(world.log)
    writer = world.tools.keys.address(KeyName(WRITER))
    following = logs.open(world.operator, writer, continues=world.log)
    world.tools.indexing(world.log).follow()

    with world.tools.store.reading() as view:
        fact = known(view.facts, LogFact, following)
    assert (fact.operator, fact.writer) == (world.operator, writer)
    assert world.tools.exporter.gather(world.log, Index(0)).core == before.core
    with pytest.raises(GuildmarkError):
        steal(world)


def test_every_reason_is_told_apart(world: World) -> None:
    build(world, 1)
    with world.tools.store.reading() as view:
        logged = view.log.logged(world.log, Index(0))
    assert logged is not None
    record = world.tools.exporter.gather(world.log, Index(0)).core.record
    granted = record.unit_at(0)
    assert granted is not None
    receipt = replace(logged.queued.entry, kind=EntryKind.RECEIPT)
    statement = world.statement(1)
    named = replace(statement, external=replace(statement.external, unit=UnitNumber(3)))

    def why(**changes: object) -> Burn | None:
        return _why(record, granted, replace(logged, queued=replace(logged.queued, **changes)))  # type: ignore[arg-type] # fields by name

    assert why() is None
    assert why(entry=replace(logged.queued.entry, kind=EntryKind.SCRAP)) is None
    assert why(entry=receipt) is Burn.NO_BUILD
    assert why(envelope=b"{}") is Burn.NO_BUILD
    assert why(envelope=world.sign(named)) is Burn.OTHER_UNIT
    elsewhere = replace(granted, lane=LaneNumber(99))
    assert _why(record, elsewhere, logged) is Burn.OTHER_LANE
