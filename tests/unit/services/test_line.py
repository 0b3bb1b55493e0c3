"""From accepted entries to final records: batches, one transaction each, whatever happens."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import pytest

from fakes.chain import MemoryOutbox
from fakes.world import UNITS, WRITER, World, make_world
from guildmark.domain.builds.dsse import envelope_digest
from guildmark.domain.chain.facts import LaneFact, LicenseFact, LicenseNumberFact, LogFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import (
    Address,
    Index,
    LaneNumber,
    LicenseId,
    LogNumber,
    Seq,
    UnitNumber,
)
from guildmark.domain.log.checkpoint import Checkpoint
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.log.note import Note
from guildmark.domain.log.queue import Batch, Build, BuildState, Draw
from guildmark.domain.rights.metering import (
    LicenseEndedError,
    LicenseNotBegunError,
    LicenseStoppedError,
    QuotaExceededError,
    check_draw,
)
from guildmark.ports.chain import Call, TransactionId, Transactions, TransactionStatus
from guildmark.ports.keys import KeyName
from guildmark.services.index.indexing import HistoryLostError
from guildmark.services.index.projection import FactMissingError, known
from guildmark.services.log.anchoring import Anchoring, AnchoringFailedError, append_call
from guildmark.services.log.line import Line
from guildmark.services.log.publishing import Publishing, make_note_key
from guildmark.services.log.sequencing import Sequencing
from guildmark.services.log.settling import licenses_of


@pytest.fixture
def world() -> World:
    world = make_world()
    world.disclose()
    return world


def receive(world: World, *numbers: int) -> list[bytes]:
    envelopes = [world.envelope(number) for number in numbers]
    answers = world.tools.ingest(world.log).receive(envelopes)
    assert all(answer.error is None for answer in answers)
    return envelopes


def build_of(world: World, envelope: bytes) -> Build:
    with world.tools.store.reading() as view:
        build = view.log.build(envelope_digest(envelope))
    assert build is not None
    return build


def open_batch(world: World) -> Batch | None:
    with world.tools.store.reading() as view:
        return view.log.open_batch()


def other_record(world: World) -> None:
    """Use the writer's key outside of the node."""
    head = world.tools.chain.heads[world.log]
    batch = Batch(
        log=world.log,
        seq=Seq(head.seq),
        root=sha256(b"another root"),
        draws=(),
        entries=(1,),
    )
    writer = world.tools.keys.address(KeyName(WRITER))
    world.tools.chain.execute(append_call(batch), writer)


def test_nothing_to_log_sends_nothing(world: World) -> None:
    sent = len(world.tools.outbox.sent)

    world.tools.line(world.log).step()

    assert len(world.tools.outbox.sent) == sent


def test_home_without_a_log_follows_only(world: World) -> None:
    line = Line(transactions=world.tools.outbox, indexing=world.tools.indexing())

    head = line.step()

    assert head == world.tools.chain.blocks[-1]


def test_batch_is_closed_sent_and_settled(world: World) -> None:
    first, second = receive(world, 1, 2)
    line = world.tools.line(world.log)

    line.step()
    between = build_of(world, first)
    line.step()

    assert between.state is BuildState.INCLUDED
    builds = [build_of(world, first), build_of(world, second)]
    assert [build.state for build in builds] == [BuildState.FINAL, BuildState.FINAL]
    assert [(build.log, build.index, build.unit) for build in builds] == [
        (world.log, 0, 1),
        (world.log, 1, 2),
    ]
    assert open_batch(world) is None


def test_batch_waits_for_finality(world: World) -> None:
    (envelope,) = receive(world, 1)
    line = world.tools.line(world.log)
    world.tools.chain.unfinal = 1

    line.step()
    line.step()

    assert build_of(world, envelope).state is BuildState.INCLUDED


def test_next_batch_goes_on_where_the_last_ended(world: World) -> None:
    line = world.tools.line(world.log)
    receive(world, 1)
    line.step()
    line.step()
    (envelope,) = receive(world, 2)

    line.step()
    line.step()

    build = build_of(world, envelope)
    assert (build.seq, build.index, build.unit) == (1, 1, 2)


def test_one_transaction_a_batch_whatever_is_repeated(world: World) -> None:
    receive(world, 1, 2)
    line = world.tools.line(world.log)
    world.tools.outbox.held = True

    for _ in range(3):
        line.step()
    sent = [name for name in world.tools.outbox.sent if name.startswith("append")]

    assert sent == ["append:1"]


def test_entries_of_a_lane_stand_together(world: World) -> None:
    with world.tools.store.writing() as work:
        lane = known(work.facts, LaneFact, world.lane)
        work.facts.put(replace(lane, number=LaneNumber(9)))
    first, second, third = (world.envelope(number) for number in (1, 2, 3))
    statement = world.statement(2)
    elsewhere = replace(statement, external=replace(statement.external, lane=LaneNumber(9)))
    second = world.sign(elsewhere)
    world.tools.ingest(world.log).receive([first, second, third])

    batch = Sequencing(store=world.tools.store, log=world.log).close()

    assert batch is not None
    assert batch.entries == (1, 3, 2)
    assert batch.draws == (Draw(lane=world.lane, n=2), Draw(lane=LaneNumber(9), n=1))


def test_root_is_that_of_the_leaves(world: World) -> None:
    receive(world, 1, 2)

    batch = Sequencing(store=world.tools.store, log=world.log).close()

    with world.tools.store.reading() as view:
        build = view.log.build(envelope_digest(world.envelope(1)))
    world.tools.line(world.log).step()
    world.tools.line(world.log).step()
    with world.tools.store.reading() as view:
        leaves = view.log.leaves(world.log, Seq(0))
    assert build is None
    assert batch is not None
    assert batch.root == MerkleTree(leaves).root()


def test_batch_takes_as_many_as_the_limit(world: World) -> None:
    receive(world, 1, 2, 3)

    batch = Sequencing(store=world.tools.store, log=world.log, limit=2).close()

    assert batch is not None
    assert batch.entries == (1, 2)


def test_lanes_beyond_the_draws_of_a_record_wait(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guildmark.services.log.sequencing.DRAWS_MAX", 0)
    receive(world, 1)

    assert Sequencing(store=world.tools.store, log=world.log).close() is None


def test_unknown_log_closes_no_batch(world: World) -> None:
    receive(world, 1)

    with pytest.raises(FactMissingError):
        Sequencing(store=world.tools.store, log=LogNumber(77)).close()


def test_foreign_record_takes_the_place_and_the_batch_is_built_again(world: World) -> None:
    (envelope,) = receive(world, 1)
    line = world.tools.line(world.log)
    world.tools.outbox.held = True
    line.step()
    other_record(world)

    # The batch's transaction fails: its place is taken.
    line.step()
    line.step()
    line.step()

    build = build_of(world, envelope)
    assert (build.state, build.seq, build.index, build.unit) == (BuildState.FINAL, 1, 1, 1)


def test_foreign_record_without_an_open_batch_is_only_noted(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    other_record(world)

    world.tools.line(world.log).step()

    with world.tools.store.reading() as view:
        assert known(view.facts, LogFact, world.log).seq == 1
    assert "not of this node" in caplog.text


def test_record_that_a_newer_database_made_is_known_again_after_a_backup_is_restored(
    world: World,
) -> None:
    envelopes = receive(world, 1, 2)
    backup = world.tools.store._state.copy()
    line = world.tools.line(world.log)
    for _ in range(3):
        line.step()
    world.tools.store._state = backup

    line.step()

    builds = [build_of(world, envelope) for envelope in envelopes]
    assert [(build.state, build.index, build.unit) for build in builds] == [
        (BuildState.FINAL, 0, 1),
        (BuildState.FINAL, 1, 2),
    ]
    line.step()
    assert world.tools.chain.heads[world.log].size == 2


def test_record_of_other_entries_than_wait_is_not_taken_for_their_own(world: World) -> None:
    (envelope,) = receive(world, 1)
    other_record(world)

    world.tools.indexing(world.log).follow()

    assert build_of(world, envelope).state is BuildState.ACCEPTED
    assert open_batch(world) is None


def test_foreign_record_of_an_earlier_place_leaves_the_batch_open(world: World) -> None:
    receive(world, 1)
    line = world.tools.line(world.log)
    world.tools.outbox.held = True
    line.step()
    batch = open_batch(world)
    assert batch is not None
    other_record(world)
    with world.tools.store.writing() as work:
        work.log.reopen_batch(batch)
        work.log.close_batch(replace(batch, seq=Seq(5)))

    world.tools.indexing(world.log).follow()

    left = open_batch(world)
    assert left is not None
    assert left.seq == 5


def test_batch_that_the_chain_refuses_is_built_again(world: World) -> None:
    (envelope,) = receive(world, 1)
    head = world.tools.chain.heads[world.log]
    writer, head.writer = head.writer, Address(bytes(20))
    line = world.tools.line(world.log)

    with pytest.raises(AnchoringFailedError) as caught:
        line.step()
    head.writer = writer
    line.step()
    line.step()

    assert caught.value.code == "log.anchoringFailed"
    assert caught.value.detail["reason"] == "caller.notAllowed"
    assert build_of(world, envelope).unit == 1
    assert [name for name in world.tools.outbox.sent if name.startswith("append")] == [
        "append:1",
        "append:2",
    ]


@dataclass(frozen=True)
class Slow:
    """An outbox after whose answer another process is faster; it answers as the one within."""

    outbox: MemoryOutbox
    meanwhile: Callable[[], object]

    def submit(
        self, call: Call, *, key: KeyName, idempotency: str, former: str | None = None
    ) -> TransactionId:
        return self.outbox.submit(call, key=key, idempotency=idempotency, former=former)

    def status(self, transaction: TransactionId) -> TransactionStatus:
        status = self.outbox.status(transaction)
        self.meanwhile()
        return status


def slow(world: World, meanwhile: Callable[[], object]) -> Anchoring:
    line = world.tools.line(world.log)
    assert line.anchoring is not None
    outbox = cast("Transactions", Slow(world.tools.outbox, meanwhile))
    return replace(line.anchoring, transactions=outbox)


def test_what_another_process_settled_meanwhile_stays_settled(world: World) -> None:
    (envelope,) = receive(world, 1)
    line = world.tools.line(world.log)

    slow(world, line.indexing.follow).advance()

    assert build_of(world, envelope).state is BuildState.FINAL
    assert open_batch(world) is None


def test_what_another_process_dropped_meanwhile_is_dropped_once(world: World) -> None:
    (envelope,) = receive(world, 1)
    head = world.tools.chain.heads[world.log]
    writer, head.writer = head.writer, Address(bytes(20))
    line = world.tools.line(world.log)

    def drop_and_go_on() -> None:
        assert line.anchoring is not None
        with pytest.raises(AnchoringFailedError):
            line.anchoring.advance()
        head.writer = writer
        line.step()

    slow(world, drop_and_go_on).advance()

    batch = open_batch(world)
    assert batch is not None
    assert batch.number == 2
    assert build_of(world, envelope).state is BuildState.INCLUDED


def test_refused_draw_leaves_its_entries_without_a_unit(world: World) -> None:
    (envelope,) = receive(world, 1)
    lane = world.tools.chain.lanes[world.lane]
    lane.end = lane.next
    line = world.tools.line(world.log)

    line.step()
    line.step()

    build = build_of(world, envelope)
    assert (build.state, build.index, build.unit) == (BuildState.REFUSED, 0, None)
    # The index was not told of the smaller lane: it sees no reason, the contract's word stands.
    assert build.code == "license.drawRefused"


def test_refused_draw_names_the_reason_that_the_facts_show(world: World) -> None:
    (envelope,) = receive(world, 1)
    lane = world.tools.chain.lanes[world.lane]
    lane.end = lane.next
    with world.tools.store.writing() as work:
        fact = known(work.facts, LaneFact, world.lane)
        work.facts.put(replace(fact, end=fact.next))
    line = world.tools.line(world.log)

    line.step()
    line.step()

    assert build_of(world, envelope).code == "license.quotaExceeded"


def test_entry_behind_all_grants_is_final_without_a_unit(world: World) -> None:
    (envelope,) = receive(world, 1)
    sequencing = Sequencing(store=world.tools.store, log=world.log)
    batch = sequencing.close()
    assert batch is not None
    with world.tools.store.writing() as work:
        work.log.reopen_batch(batch)
        work.log.close_batch(replace(batch, draws=()))
    line = world.tools.line(world.log)

    line.step()
    line.step()

    build = build_of(world, envelope)
    assert (build.state, build.unit, build.code) == (BuildState.FINAL, None, None)


def lane_of(world: World) -> LaneFact:
    with world.tools.store.reading() as view:
        return known(view.facts, LaneFact, world.lane)


def license_of(world: World) -> LicenseFact:
    with world.tools.store.reading() as view:
        return known(view.facts, LicenseFact, 1)


def test_draw_is_granted_up_to_the_last_unit(world: World) -> None:
    lane, granted = lane_of(world), license_of(world)

    check_draw(lane, [granted], n=UNITS, time=granted.terms.not_before)
    with pytest.raises(QuotaExceededError) as caught:
        check_draw(lane, [granted], n=UNITS + 1, time=granted.terms.not_before)

    assert caught.value.detail == {"lane": world.lane, "left": UNITS, "asked": UNITS + 1}


def test_license_is_in_force_between_its_bounds(world: World) -> None:
    lane, granted = lane_of(world), license_of(world)
    begin, end = granted.terms.not_before, granted.terms.not_after

    check_draw(lane, [granted], n=1, time=end - 1)
    with pytest.raises(LicenseNotBegunError):
        check_draw(lane, [granted], n=1, time=begin - 1)
    with pytest.raises(LicenseEndedError):
        check_draw(lane, [granted], n=1, time=end)


def test_stop_counts_from_its_time_on(world: World) -> None:
    lane, granted = lane_of(world), license_of(world)
    stopped = replace(granted, stop_at=granted.terms.not_before + 5)

    check_draw(lane, [stopped], n=1, time=stopped.stop_at - 1)
    with pytest.raises(LicenseStoppedError):
        check_draw(lane, [stopped], n=1, time=stopped.stop_at)


def test_license_without_an_end_never_ends(world: World) -> None:
    lane, granted = lane_of(world), license_of(world)
    endless = replace(granted, terms=replace(granted.terms, not_after=0))

    check_draw(lane, [endless], n=1, time=2**40 - 1)


def test_licenses_of_a_lane_go_up_to_the_root(world: World) -> None:
    root = license_of(world)
    child_id = LicenseId(sha256(b"child"))
    child = LicenseFact(
        number=2, id=child_id, terms=replace(root.terms, parent=root.id), first_lane=LaneNumber(9)
    )
    with world.tools.store.writing() as work:
        work.facts.put(child, LicenseNumberFact(id=child_id, number=2))

    with world.tools.store.reading() as view:
        found = licenses_of(replace(lane_of(world), license=2), view.facts)

    assert found == [child, root]


def test_logged_entry_is_found_at_its_index(world: World) -> None:
    (envelope,) = receive(world, 1)
    line = world.tools.line(world.log)
    line.step()
    line.step()

    with world.tools.store.reading() as view:
        logged = view.log.logged(world.log, Index(0))

    assert logged is not None
    assert logged.queued.envelope == envelope
    assert logged.build.unit == UnitNumber(1)


def test_nothing_is_sent_to_a_chain_that_lost_blocks(world: World) -> None:
    receive(world, 1)
    world.tools.outbox.held = True
    line, outbox = world.tools.line(world.log), world.tools.outbox
    line.step()
    landed = dict(outbox.landed)
    world.tools.chain.blocks.pop()

    with pytest.raises(HistoryLostError):
        line.step()

    assert len(outbox.sent) > len(landed)
    assert outbox.landed == landed


def test_what_is_final_is_published(world: World) -> None:
    make_note_key(world.tools.keys)
    publishing = Publishing(
        ledger=world.tools.chain,
        store=world.tools.store,
        keys=world.tools.keys,
        own_log=world.log,
    )
    line = replace(world.tools.line(world.log), publishing=publishing)
    receive(world, 1)

    line.step()
    early = publishing.size(world.log)
    line.step()

    assert early == 0
    assert Checkpoint.parse(Note.parse(publishing.checkpoint(world.log)).text).size == 1
