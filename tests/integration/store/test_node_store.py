"""One suite for every store of a home: in memory, in a file, in PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.store import MemoryNodeStore
from guildmark.adapters.store.engine import open_database
from guildmark.adapters.store.node import SqlNodeStore
from guildmark.domain.chain.facts import LaneFact, LinkFact, RecordStartFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import (
    Bytes32,
    Digest,
    IdentityId,
    Index,
    LaneNumber,
    LicenseId,
    LogNumber,
    Seq,
    SiteRecipeId,
    UnitNumber,
)
from guildmark.domain.letters import (
    Letter,
    LetterId,
    LetterState,
    Position,
    RecallWatch,
    Stage,
    Told,
    WatchId,
)
from guildmark.domain.log.entry import Entry, EntryKind
from guildmark.domain.log.queue import Batch, Build, BuildState, Draw, Outcome, Queued, Waiting
from guildmark.domain.recall import OWNERS, RecallCause, RecallId, Thing
from guildmark.ports.chain import Block
from guildmark.ports.store import DocumentKind, NodeStore, Work

LOG, LANE, OTHER_LANE = LogNumber(3), LaneNumber(7), LaneNumber(8)


STORES = ["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NodeStore]:
    if request.param == "memory":
        yield MemoryNodeStore()
        return
    is_shared = request.param == "postgresql"
    place = request.getfixturevalue("postgres").fresh() if is_shared else tmp_path / "node.db"
    engine = open_database(place)
    yield SqlNodeStore(engine)
    engine.dispose()


def named(name: str) -> Bytes32:
    return Bytes32(sha256(name.encode()))


def queued(name: str, *, lane: LaneNumber = LANE, counter: int = 1, label: str = "") -> Queued:
    digest = sha256(f"envelope {name}".encode())
    entry = Entry(
        kind=EntryKind.BUILD,
        subject=Digest(named(f"subject {name}")),
        envelope=digest,
        site_recipe=SiteRecipeId(named("site recipe")),
        machine=IdentityId(named("machine")),
        maker=IdentityId(named("maker")),
        dependencies=Digest(named("dependencies")),
        previous=0,
    )
    return Queued(
        envelope=name.encode(),
        digest=digest,
        payload=sha256(f"payload {name}".encode()),
        entry=entry,
        salt=named(f"salt {name}"),
        lane=lane,
        label=label or f"label {name}",
        counter=counter,
    )


def accept(store: NodeStore, *entries: Queued) -> None:
    with store.writing() as work:
        for entry in entries:
            work.log.accept(entry)


def in_the_way(work: Work, entry: Queued) -> list[Build]:
    """Return what stands in an entry's way by its statement, counter or label."""
    standing = work.log.standing([entry])
    machine = entry.entry.machine
    found = (
        standing.payloads.get(entry.payload),
        standing.counters.get((machine, entry.counter)),
        standing.labels.get(entry.label),
    )
    return [build for build in found if build is not None]


def close(store: NodeStore, *numbers: int, seq: int = 0) -> Batch:
    batch = Batch(
        log=LOG,
        seq=Seq(seq),
        root=Digest(named("root")),
        draws=(Draw(lane=LANE, n=len(numbers)),),
        entries=numbers,
    )
    with store.writing() as work:
        work.log.close_batch(batch)
        opened = work.log.open_batch()
    assert opened is not None
    return opened


def link(number: int, *, parent: str = "site", until: int = 0) -> LinkFact:
    return LinkFact(
        child=IdentityId(named("machine")),
        parent=IdentityId(named(parent)),
        number=number,
        since=10 * number,
        until=until,
    )


def test_fact_is_found_under_its_key(store: NodeStore) -> None:
    lane = LaneFact(
        number=LANE,
        license=1,
        first=UnitNumber(1),
        next=UnitNumber(1),
        end=UnitNumber(21),
        log=LOG,
        holder=IdentityId(named("site")),
    )

    with store.writing() as work:
        work.facts.put(lane)

    with store.reading() as view:
        assert view.facts.get(LaneFact, LANE) == lane
        assert view.facts.get(LaneFact, OTHER_LANE) is None
        assert view.facts.get(LinkFact, LANE) is None


def test_fact_replaces_the_one_under_its_key(store: NodeStore) -> None:
    with store.writing() as work:
        work.facts.put(link(1))
        work.facts.put(link(1, until=15))

    with store.reading() as view:
        found = view.facts.each(LinkFact, named("machine"))
        assert found == [link(1, until=15)]


def test_facts_stand_in_the_order_of_their_keys(store: NodeStore) -> None:
    links = [link(number) for number in (2, 300, 1)]
    with store.writing() as work:
        work.facts.put(*links, link(5, parent="other site"))

    with store.reading() as view:
        found = view.facts.each(LinkFact, named("machine"), named("site"))

        assert [one.number for one in found] == [1, 2, 300]
        assert len(view.facts.each(LinkFact)) == 4


@pytest.mark.parametrize(("index", "seq"), [(0, 0), (39, 0), (40, 1), (99, 1)])
def test_floor_finds_the_record_that_holds_an_index(store: NodeStore, index: int, seq: int) -> None:
    starts = [(LOG, 0, 0), (LOG, 40, 1), (LogNumber(4), 50, 0)]
    with store.writing() as work:
        for log, first, number in starts:
            fact = RecordStartFact(log=log, first_index=Index(first), seq=Seq(number))
            work.facts.put(fact)

    with store.reading() as view:
        found = view.facts.floor(RecordStartFact, LOG, index)

    assert found is not None
    assert found.seq == seq


def test_floor_does_not_leave_its_log(store: NodeStore) -> None:
    with store.writing() as work:
        work.facts.put(RecordStartFact(log=LOG, first_index=Index(0), seq=Seq(0)))

    with store.reading() as view:
        assert view.facts.floor(RecordStartFact, LogNumber(4), 5) is None


def test_cursor_is_where_it_was_moved_last(store: NodeStore) -> None:
    blocks = [Block(number=number, hash=Digest(named("b")), time=number) for number in (1, 9)]
    with store.reading() as view:
        assert view.facts.cursor() is None

    with store.writing() as work:
        for block in blocks:
            work.facts.move(block)

    with store.reading() as view:
        assert view.facts.cursor() == blocks[1]


def test_document_is_kept_by_kind_and_key(store: NodeStore) -> None:
    with store.writing() as work:
        work.documents.put(DocumentKind.TERMS, b"1", b"old")
        work.documents.put(DocumentKind.TERMS, b"1", b"new")

    with store.reading() as view:
        assert view.documents.get(DocumentKind.TERMS, b"1") == b"new"
        assert view.documents.get(DocumentKind.RECIPE, b"1") is None


def test_error_undoes_the_whole_transaction(store: NodeStore) -> None:
    def fail() -> None:
        with store.writing() as work:
            work.facts.put(link(1))
            work.documents.put(DocumentKind.TERMS, b"1", b"terms")
            work.log.accept(queued("a"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    with store.reading() as view:
        assert view.facts.each(LinkFact) == []
        assert view.documents.get(DocumentKind.TERMS, b"1") is None
        assert view.log.waiting(10) == []


def test_reader_keeps_the_state_that_it_opened(store: NodeStore) -> None:
    accept(store, queued("a"))

    with store.reading() as view:
        before = view.log.waiting(10)
        accept(store, queued("b"))
        after = view.log.waiting(10)

    assert before == after


def test_entries_wait_in_the_order_of_acceptance(store: NodeStore) -> None:
    accept(store, queued("a"), queued("b", lane=OTHER_LANE), queued("c"))

    with store.reading() as view:
        waiting = view.log.waiting(2)

    first, other = queued("a"), queued("b", lane=OTHER_LANE)
    assert waiting == [
        Waiting(number=at, lane=one.lane, leaf=one.entry.leaf_data(one.salt))
        for at, one in enumerate((first, other), start=1)
    ]


def test_accepted_entry_is_found_by_every_name(store: NodeStore) -> None:
    entry = queued("a", counter=5)
    accept(store, entry)

    with store.writing() as work:
        found = [
            work.log.build(entry.digest),
            *work.log.builds([entry.digest]).values(),
            work.log.payload(entry.payload),
            *work.log.labelled("label a"),
            *in_the_way(work, entry),
        ]
        missing = [
            work.log.build(entry.payload),
            *work.log.builds([entry.payload]).values(),
            work.log.payload(entry.digest),
            *work.log.labelled("label b"),
            *in_the_way(work, queued("b", counter=6)),
        ]

    assert {build.state for build in found if build} == {BuildState.ACCEPTED}
    assert len(found) == 7
    assert missing == [None, None]


def test_entries_are_found_and_taken_in_beyond_one_statements_values(store: NodeStore) -> None:
    entries = [queued(str(number), counter=number) for number in range(1_201)]

    with store.writing() as work:
        work.log.accept(*entries[1:])
        found = work.log.builds([entry.digest for entry in entries])
        standing = work.log.standing(entries)
        waiting = work.log.waiting(2_000)

    leaves = [entry.entry.leaf_data(entry.salt) for entry in entries[1:]]
    assert [entry.leaf for entry in waiting] == leaves
    assert set(found) == {entry.digest for entry in entries[1:]}
    assert set(standing.payloads) == {entry.payload for entry in entries[1:]}
    assert set(standing.labels) == {entry.label for entry in entries[1:]}
    assert set(standing.counters) == {(entry.entry.machine, entry.counter) for entry in entries[1:]}


def test_what_drew_no_unit_stands_in_nobodys_way_and_may_be_replaced(store: NodeStore) -> None:
    entry = queued("a")
    accept(store, entry)
    batch = close(store, 1)
    with store.writing() as work:
        before = work.log.standing([entry])
        outcome = Outcome(index=Index(0), code="license.drawRefused")
        work.log.settle_batch(batch, [outcome])
        after = work.log.standing([entry])

    counter = (entry.entry.machine, entry.counter)
    assert (set(before.counters), before.refused) == ({counter}, {})
    assert (after.counters, after.refused) == ({}, {counter: {entry.digest}})


def test_entry_in_a_batch_waits_no_more(store: NodeStore) -> None:
    accept(store, queued("a"), queued("b"))

    batch = close(store, 2)

    with store.reading() as view:
        assert [entry.number for entry in view.log.waiting(10)] == [1]
        assert view.log.open_batch() == batch
        assert batch.entries == (2,)


def test_included_batch_is_still_open(store: NodeStore) -> None:
    accept(store, queued("a"))
    batch = close(store, 1)

    with store.writing() as work:
        work.log.include_batch(batch)

    with store.reading() as view:
        build = view.log.build(queued("a").digest)
        assert view.log.open_batch() == batch
        assert build is not None
        assert build.state is BuildState.INCLUDED


def test_units_are_claimed_until_they_are_drawn(store: NodeStore) -> None:
    accept(store, queued("a"), queued("b"), queued("c", lane=OTHER_LANE))
    batch = close(store, 1)
    counts = []

    with store.writing() as work:
        counts.append(work.log.claimed_units(LANE))
        work.log.include_batch(batch)
        counts.append(work.log.claimed_units(LANE))
        work.log.settle_batch(batch, [Outcome(index=Index(0), unit=UnitNumber(1))])
        counts.append(work.log.claimed_units(LANE))

    assert counts == [2, 2, 1]


def test_settled_entry_has_index_and_unit(store: NodeStore) -> None:
    accept(store, queued("a"), queued("b"))
    batch = close(store, 2, 1)

    with store.writing() as work:
        outcomes = [Outcome(index=Index(40 + at), unit=UnitNumber(5 + at)) for at in range(2)]
        work.log.settle_batch(batch, outcomes)

    with store.reading() as view:
        logged = view.log.logged(LOG, Index(41))
        assert view.log.open_batch() is None
        assert logged is not None
        assert (logged.position, logged.seq) == (1, 0)
        assert logged.queued.envelope == b"a"
        assert logged.build.state is BuildState.FINAL
        assert logged.build.unit == 6
        assert view.log.logged(LOG, Index(42)) is None
        assert view.log.logged(LogNumber(4), Index(41)) is None


def test_leaves_of_a_final_batch_are_in_order(store: NodeStore) -> None:
    accept(store, queued("a"), queued("b"))
    batch = close(store, 2, 1)
    with store.reading() as view:
        before = view.log.leaves(LOG, Seq(0))

    with store.writing() as work:
        work.log.settle_batch(batch, [Outcome(index=Index(0)), Outcome(index=Index(1))])

    with store.reading() as view:
        leaves = view.log.leaves(LOG, Seq(0))
    expected = [queued(name).entry.leaf_data(named(f"salt {name}")) for name in "ba"]
    assert before == []
    assert leaves == expected


def test_receipt_takes_no_counter_of_its_machine(store: NodeStore) -> None:
    build = queued("a", counter=5)
    accept(store, replace(build, entry=replace(build.entry, kind=EntryKind.RECEIPT)))

    with store.writing() as work:
        before = work.log.standing([build]).counters
        work.log.accept(queued("b", counter=5))
        behind = work.log.standing([build]).counters

    assert before == {}
    assert [one.digest for one in behind.values()] == [queued("b").digest]


def test_scrap_takes_a_counter_of_its_machine(store: NodeStore) -> None:
    build = queued("a", counter=5)
    scrap = replace(build, entry=replace(build.entry, kind=EntryKind.SCRAP))
    accept(store, scrap)

    with store.writing() as work:
        standing = work.log.standing([build])
        last = work.log.last_counter(build.entry.machine)

    assert [one.digest for one in standing.counters.values()] == [scrap.digest]
    assert last == 5


def test_the_newest_final_build_below_a_text_is_found(store: NodeStore) -> None:
    names = ["https://x/01/1/21/a", "https://x/01/1/21/b", "https://x/01/12/21/c"]
    for number, label in enumerate(names):
        accept(store, queued(str(number), counter=number + 1, label=label))
    close_and_settle(store, 1, 3)

    with store.reading() as view:
        below = [view.log.newest_below(f"https://x/01/{kind}/") for kind in (1, 12, 2)]

    # The second is not final, and another kind's number begins with the first one's.
    found = [None if one is None else one.queued.label for one in below]
    assert found == ["https://x/01/1/21/a", "https://x/01/12/21/c", None]


def close_and_settle(store: NodeStore, *numbers: int) -> None:
    batch = close(store, *numbers)
    outcomes = [Outcome(index=Index(at), unit=UnitNumber(at + 1)) for at in range(len(numbers))]
    with store.writing() as work:
        work.log.settle_batch(batch, outcomes)


def test_refused_entry_may_be_logged_again(store: NodeStore) -> None:
    entry = queued("a", counter=5)
    accept(store, entry)
    batch = close(store, 1)

    with store.writing() as work:
        work.log.settle_batch(batch, [Outcome(index=Index(0), code="license.quotaExceeded")])
        refused = work.log.build(entry.digest)
        names = (
            work.log.payload(entry.payload),
            work.log.labelled("label a"),
            in_the_way(work, entry),
        )
        work.log.accept(entry)
        again = work.log.build(entry.digest)

    assert names == (None, [], [])
    assert refused is not None
    assert (refused.state, refused.code) == (BuildState.REFUSED, "license.quotaExceeded")
    assert again is not None
    assert again.state is BuildState.ACCEPTED


def test_entries_of_a_dropped_batch_wait_in_their_order(store: NodeStore) -> None:
    accept(store, queued("a"), queued("b"))
    batch = close(store, 2, 1)

    with store.writing() as work:
        work.log.include_batch(batch)
        work.log.reopen_batch(batch)

    with store.reading() as view:
        assert view.log.open_batch() is None
        assert [entry.number for entry in view.log.waiting(10)] == [1, 2]


def test_no_two_batches_share_a_number(store: NodeStore) -> None:
    accept(store, queued("a"))
    first = close(store, 1)
    with store.writing() as work:
        work.log.reopen_batch(first)

    second = close(store, 1)

    assert first.number != second.number


def test_forgotten_facts_leave_documents_and_log(store: NodeStore) -> None:
    lane = LaneFact(
        number=LANE,
        license=1,
        first=UnitNumber(1),
        next=UnitNumber(1),
        end=UnitNumber(2),
        log=LOG,
        holder=IdentityId(named("site")),
    )
    with store.writing() as work:
        work.facts.put(lane)
        work.facts.move(Block(number=7, hash=Digest(named("block")), time=70))
        work.documents.put(DocumentKind.TERMS, named("license"), b"{}")
        work.log.accept(queued("one"))

    with store.writing() as work:
        work.facts.forget()

    with store.reading() as view:
        assert view.facts.get(LaneFact, LANE) is None
        assert view.facts.cursor() is None
        assert view.documents.get(DocumentKind.TERMS, named("license")) == b"{}"
        assert view.log.labelled(queued("one").label)


def test_parts_are_counted_by_what_they_have_in_common(store: NodeStore) -> None:
    accept(store, queued("a"), queued("b", counter=2), queued("c", counter=3, lane=OTHER_LANE))
    accept(store, queued("d", counter=4))
    scrap = queued("e", counter=5)
    accept(store, replace(scrap, entry=replace(scrap.entry, kind=EntryKind.SCRAP)))
    first = close(store, 1, 2)
    outcomes = [Outcome(index=Index(0), unit=UnitNumber(1)), Outcome(index=Index(1), code="no")]
    with store.writing() as work:
        work.log.settle_batch(first, outcomes)
    last = close(store, 3, 5, seq=1)
    with store.writing() as work:
        done = [Outcome(index=Index(2 + n), unit=UnitNumber(2 + n)) for n in range(2)]
        work.log.settle_batch(last, done)

    def made(seqs: range | None = None, log: LogNumber = LOG, **wanted: list[bytes | int]) -> int:
        with store.reading() as view:
            return view.log.made(log, wanted, seqs)

    # What was refused, what waits, and scrap are left out.
    machine: list[bytes | int] = [named("machine")]
    assert made() == made(machine=machine) == made(maker=[named("maker")]) == 2
    assert made(site_recipe=[named("site recipe"), named("other")]) == 2
    assert (made(lane=[LANE]), made(lane=[OTHER_LANE], machine=machine)) == (1, 1)
    assert (made(range(1), machine=machine), made(range(1, 2)), made(range(2, 9))) == (1, 1, 0)
    assert (made(machine=[named("other")]), made(machine=[]), made(log=LogNumber(9))) == (0, 0, 0)


RECALL = RecallId(key=Digest(named("thing")), by=OWNERS, number=1)
OTHER_RECALL = replace(RECALL, number=2)


def watch_of(name: str) -> RecallWatch:
    thing = Thing(cause=RecallCause.MACHINE, id=named("machine"))
    return RecallWatch(
        id=WatchId(name),
        url="https://example.org/",
        since=7,
        causes=(RecallCause.LOT,),
        things=(thing,),
        parts=(Position(log=LOG, index=Index(1)),),
        licenses=(LicenseId(named("license")),),
    )


def letter_of(name: str, *, watch: str = "a", recall: RecallId = RECALL, due: int = 0) -> Letter:
    return Letter(
        id=LetterId(name), watch=WatchId(watch), recall=recall.text(), body=b"{}", due=due
    )


def test_watches_are_kept_and_forgotten_with_their_letters(store: NodeStore) -> None:
    with store.writing() as work:
        work.letters.watch(watch_of("b"))
        work.letters.watch(watch_of("a"))
        work.letters.post(letter_of("one", watch="a"))
        work.letters.post(letter_of("one", watch="b"))

    with store.writing() as work:
        both = work.letters.watches()
        gone = [work.letters.unwatch(WatchId("a")) for _ in range(2)]
        left = work.letters.watches(), work.letters.letters(None, 9)

    assert both == [watch_of("a"), watch_of("b")]
    assert gone == [True, False]
    assert (left[0], [one.watch for one in left[1]]) == ([watch_of("b")], ["b"])


def test_what_was_told_is_kept_instead_of_what_was_before(store: NodeStore) -> None:
    told = Told(
        recall=RECALL,
        stage=Stage.EARLY,
        turn=1,
        said=Digest(named("said")),
        block=9,
        hash=Digest(named("block")),
    )
    with store.writing() as work:
        work.letters.keep(told)
        early = work.letters.early(), work.letters.told(RECALL), work.letters.told(OTHER_RECALL)
        work.letters.keep(replace(told, stage=Stage.FINAL, turn=2))

    with store.writing() as work:
        late = work.letters.early(), work.letters.told(RECALL)

    assert early == ([told], told, None)
    assert late == ([], replace(told, stage=Stage.FINAL, turn=2))


def test_a_letter_is_posted_once_a_watch(store: NodeStore) -> None:
    with store.writing() as work:
        for _ in range(2):
            work.letters.post(letter_of("one"))
            work.letters.post(letter_of("one", watch="b"))
        holders = work.letters.holders(LetterId("one"))
        found = work.letters.letters(None, 9)

    assert (set(holders), [one.watch for one in found]) == ({"a", "b"}, ["b", "a"])


def test_letters_are_claimed_in_order_and_by_one_alone(store: NodeStore) -> None:
    names = [("one", RECALL, 5), ("two", RECALL, 0), ("three", OTHER_RECALL, 0)]
    with store.writing() as work:
        for name, recall, due in names:
            work.letters.post(letter_of(name, recall=recall, due=due))
        work.letters.post(letter_of("four", watch="b"))

    def claim(now: int, watch: str = "a") -> Letter | None:
        with store.writing() as work:
            return work.letters.claim(WatchId(watch), now, now + 10)

    def whose(now: int) -> list[str]:
        with store.reading_letters() as letters:
            return list(letters.due(now))

    assert (whose(4), whose(5)) == (["a", "b"], ["a", "b"])
    # The second waits for the first, which is not due yet.
    taken = [claim(4), claim(4), claim(4, "b"), claim(4, "c")]
    assert [one and one.id for one in taken] == ["three", None, "four", None]
    assert (whose(4), whose(5)) == ([], ["a"])
    first = claim(5)
    assert first is not None
    assert (first.id, claim(5)) == ("one", None)
    done = replace(first, state=LetterState.DEAD, tries=3, code="letter.gone", due=8)
    with store.writing() as work:
        work.letters.settle(done)
    second = claim(5)
    assert second is not None
    assert second.id == "two"
    with store.writing() as work:
        assert work.letters.letters(LetterState.DEAD, 9) == [done]
        assert [one.id for one in work.letters.letters(None, 2)] == ["four", "three"]
    # Whoever died with a letter lets go of it in time.
    again = claim(15)
    assert again is not None
    assert again.id in {"two", "three", "four"}


def test_dead_letters_are_revived_and_delivered_ones_pruned(store: NodeStore) -> None:
    states = (LetterState.DEAD, LetterState.DELIVERED, LetterState.DELIVERED, LetterState.WAITING)
    with store.writing() as work:
        for number, state in enumerate(states, start=1):
            work.letters.post(letter_of(f"letter {number}"))
            letter = work.letters.letters(None, 1)[0]
            work.letters.settle(replace(letter, state=state, tries=3, code="x", due=number))
        work.letters.post(letter_of("other", watch="b"))
    with store.reading_letters() as letters:
        dead = letters.dead_count()
    with store.writing() as work:
        pruned = [work.letters.prune(3), work.letters.prune(3)]
        revived = [work.letters.revive(WatchId(one)) for one in ("b", "a", "a")]
        left = {one.id: one for one in work.letters.letters(None, 9)}

    assert (dead, pruned, revived) == (1, [1, 0], [0, 1, 0])
    assert sorted(left) == ["letter 1", "letter 3", "letter 4", "other"]
    again = left[LetterId("letter 1")]
    assert (again.state, again.due, again.tries, again.code) == (LetterState.WAITING, 0, 0, "")
