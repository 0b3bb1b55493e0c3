import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from guildmark.adapters.fieldwork import database
from guildmark.adapters.fieldwork.database import (
    AgentDatabase,
    AgentStoreUnreadableError,
    EnvelopeUnknownError,
)
from guildmark.adapters.fieldwork.schema import AgentStoreNewerError, upgrade
from guildmark.domain.builds.dependencies import Declaration, Dependency
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32, LaneNumber, LogNumber, UnitNumber
from guildmark.domain.recall import RecallCause, Thing
from guildmark.domain.shopfloor.fieldwork import (
    Job,
    JobState,
    LaneBook,
    Note,
    Signed,
    SignedState,
    Watched,
)
from guildmark.ports.shopfloor import AgentWriter, CounterSpentError
from guildmark.ports.store import StoreUnavailableError

SIGNED = Signed(
    machine="m",
    job="a",
    piece=0,
    counter=1,
    label="https://id.example/1",
    log=LogNumber(1),
    lane=LaneNumber(2),
    unit=UnitNumber(3),
    digest=sha256(b"one"),
)


def test_what_was_kept_is_there_after_opening_again(tmp_path: Path) -> None:
    first = AgentDatabase(tmp_path / "home" / "agent.db")
    note = Note(at=1, machine="m", code="agent.x", text="x")
    with first.writing() as work:
        work.keep_machine(Watched(name="m", cursor=b"\1", counter=1))
        work.keep_lane(LaneBook(lane=LaneNumber(2), serial=9))
        work.keep_job(Job(machine="m", job="a"))
        work.keep_job(Job(machine="m", job="a", state=JobState.SIGNED))
        work.keep_signed(SIGNED, b"envelope")
        work.change_signed(replace(SIGNED, state=SignedState.FINAL, granted=UnitNumber(4)))
        work.keep_ciphertext(sha256(b"photo"), b"photo")
        work.note(note)
    first.close()

    again = AgentDatabase(tmp_path / "home" / "agent.db")
    with again.reading() as view:
        assert (
            view.machines() == [view.machine("m")] == [Watched(name="m", cursor=b"\1", counter=1)]
        )
        assert view.lane(LaneNumber(2)).serial == 9
        assert view.lane(LaneNumber(7)) == LaneBook(lane=LaneNumber(7))
        assert view.jobs() == [Job(machine="m", job="a", number=1, state=JobState.SIGNED)]
        assert view.jobs(JobState.RUNNING, machine="m") == []
        assert [row.state for row in view.signed_of("m", "a")] == [SignedState.FINAL]
        assert view.signed(SignedState.FINAL, without=["m"]) == []
        assert view.counts() == {("m", SignedState.FINAL): 1}
        assert view.units(LaneNumber(2), SignedState.FINAL) == [4]
        assert view.envelope(SIGNED.digest) == b"envelope"
        assert view.ciphertext(sha256(b"photo")) == b"photo"
        assert view.notes(2) == [note]
        with pytest.raises(EnvelopeUnknownError):
            view.envelope(sha256(b"two"))
    again.close()
    assert (tmp_path / "home" / "agent.db").stat().st_mode & 0o777 == 0o600


def kept(work: AgentWriter, counter: int, **changes: Any) -> Signed:
    """Keep an envelope that names the unit of its counter."""
    row = replace(SIGNED, counter=counter, unit=UnitNumber(counter), digest=sha256(b"%d" % counter))
    row = replace(row, **changes)
    work.keep_signed(row, b"envelope")
    return row


def test_of_a_long_queue_only_what_is_amiss_is_read(tmp_path: Path) -> None:
    store = AgentDatabase(tmp_path / "agent.db")
    with store.writing() as work:
        for counter in range(1, 8):
            kept(work, counter)
        kept(work, 8, lane=LaneNumber(5), code="unit")
        kept(work, 9, unit=None, code="unit")
        kept(work, 10, state=SignedState.FINAL, code="unit")
        kept(work, 11, state=SignedState.REFUSED, code="license.laneOfOtherLog", log=LogNumber(4))
        kept(work, 12, state=SignedState.REFUSED, code="license.laneOfOtherLog")
        kept(work, 13, state=SignedState.REFUSED, code="unit", log=LogNumber(4))
        kept(work, 14, state=SignedState.SENT, log=LogNumber(4))
        changed = replace(SIGNED, counter=3, digest=sha256(b"3"), code="unit")
        work.change_signed(changed)

    with store.reading() as view:
        found = view.amiss(LaneNumber(2), LogNumber(1), "unit", most=9)
        first = view.amiss(LaneNumber(2), LogNumber(1), "unit", most=2)

        assert [(row.counter, before) for row, before in found] == [
            (9, 0),
            (3, 2),
            (11, 7),
            (14, 8),
        ]
        assert found[:2] == first
        assert view.waiting_for(LaneNumber(2)) == 9
        assert view.last_unit(LaneNumber(2), SignedState.SIGNED, SignedState.FINAL) == 10
        assert view.last_unit(LaneNumber(9), SignedState.SIGNED) is None
        refused = view.of_units(LaneNumber(2), range(11, 13), SignedState.REFUSED)
        assert [row.counter for row in refused] == [11, 12]
        oldest = view.oldest("m", SignedState.SENT, SignedState.FINAL)
        assert oldest is not None
        assert oldest.counter == 10
        assert view.oldest("m", SignedState.ACCEPTED) is None
    store.close()


def test_first_unit_that_nobody_named_is_found(tmp_path: Path) -> None:
    store = AgentDatabase(tmp_path / "agent.db")
    with store.writing() as work:
        for counter in (3, 4, 5, 7):
            kept(work, counter)
        kept(work, 6, lane=LaneNumber(5))

    with store.reading() as view:
        found = {
            units: view.first_unnamed(LaneNumber(2), units)
            for units in (range(3, 3), range(2, 5), range(3, 6), range(3, 7), range(4, 9))
        }

    assert list(found.values()) == [None, 2, None, 6, 6]
    store.close()


def test_a_queue_of_an_earlier_release_is_found_by_what_is_amiss(tmp_path: Path) -> None:
    store = AgentDatabase(tmp_path / "agent.db")
    with store.writing() as work:
        kept(work, 1, code="unit")
        kept(work, 2)
    store.close()
    with closing(sqlite3.connect(tmp_path / "agent.db", isolation_level=None)) as old:
        for name in ("code", "unit", "machine"):
            old.execute(f"DROP INDEX signed_by_{name}")
        old.execute("DROP INDEX signed_by_shows")
        old.execute("DROP TABLE lot")
        for name in ("code", "log", "shows"):
            old.execute(f"ALTER TABLE signed DROP COLUMN {name}")
        old.execute("PRAGMA user_version = 2")

    again = AgentDatabase(tmp_path / "agent.db")

    with again.reading() as view:
        found = view.amiss(LaneNumber(2), LogNumber(1), "unit", most=9)
        assert [(row.counter, before) for row, before in found] == [(1, 0)]
        assert view.amiss(LaneNumber(2), LogNumber(9), "unit", most=9)[1][0].counter == 2
    again.close()


def test_what_is_to_be_shown_is_found_once_it_is_final(tmp_path: Path) -> None:
    store = AgentDatabase(tmp_path / "agent.db")
    thing = Thing.parse(RecallCause.LOT, f"0x{'a1' * 32}:0x{'b2' * 32}")
    declared = Declaration(dependencies=(Dependency(thing=thing, salt=Bytes32(bytes(32))),))
    with store.writing() as work:
        first, second = kept(work, 1, declared=declared), kept(work, 2, declared=declared)
        plain = kept(work, 3)
        assert work.unshown(most=9) == []
        for row in (first, second, plain):
            work.change_signed(replace(row, state=SignedState.FINAL))
        assert work.lot(sha256(b"lot")) is None
        work.keep_lot(sha256(b"lot"), b"body")

    with store.writing() as work:
        assert [row.counter for row in work.unshown(most=9)] == [1, 2]
        assert [row.declared for row in work.unshown(most=1)] == [declared]
        work.change_signed(replace(work.unshown(most=1)[0], is_shown=True))
        assert [row.counter for row in work.unshown(most=9)] == [2]
        assert work.lot(sha256(b"lot")) == b"body"
    store.close()


def test_counter_stands_for_one_envelope_until_it_is_replaced(tmp_path: Path) -> None:
    store = AgentDatabase(tmp_path / "agent.db")
    other = replace(SIGNED, digest=sha256(b"two"))
    with store.writing() as work:
        work.keep_signed(SIGNED, b"one")

    with pytest.raises(CounterSpentError), store.writing() as work:
        work.keep_signed(other, b"two")
    with store.writing() as work:
        work.change_signed(replace(SIGNED, state=SignedState.REPLACED))
        work.keep_signed(other, b"two")

    with store.reading() as view:
        assert [row.state for row in view.signed()] == [SignedState.REPLACED, SignedState.SIGNED]
    store.close()


def keep_and_fail(work: AgentWriter) -> None:
    work.keep_machine(Watched(name="m"))
    work.envelope(sha256(b"nothing"))


def test_error_undoes_the_whole_step(tmp_path: Path) -> None:
    store = AgentDatabase(tmp_path / "agent.db")

    with pytest.raises(EnvelopeUnknownError), store.writing() as work:
        keep_and_fail(work)

    with store.reading() as view:
        assert view.machines() == []
    store.close()


def test_another_writer_is_waited_for_and_then_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.0)
    store = AgentDatabase(tmp_path / "agent.db")
    with closing(sqlite3.connect(tmp_path / "agent.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreUnavailableError), store.writing():
            pass
    store.close()


def test_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "agent.db").write_bytes(b"no database " * 100)

    with pytest.raises(AgentStoreUnreadableError, match=r"agent\.db cannot be opened"):
        AgentDatabase(tmp_path / "agent.db")


def test_disk_that_forgets_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_ASSERTED", {"journal_mode": "wal", "synchronous": 3})

    with pytest.raises(AgentStoreUnreadableError, match="expected"):
        AgentDatabase(tmp_path / "agent.db")


def test_database_of_a_later_release_is_left_alone(tmp_path: Path) -> None:
    store = AgentDatabase(tmp_path / "agent.db")
    store.close()
    with closing(sqlite3.connect(tmp_path / "agent.db")) as later:
        later.execute("PRAGMA user_version = 99")

    with pytest.raises(AgentStoreNewerError):
        AgentDatabase(tmp_path / "agent.db")


def test_steps_that_were_done_are_not_done_again(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "agent.db", isolation_level=None)) as connection:
        upgrade(connection, [["CREATE TABLE one (a)"]])
        upgrade(connection, [["CREATE TABLE one (a)"], ["CREATE TABLE two (a)"]])

        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
