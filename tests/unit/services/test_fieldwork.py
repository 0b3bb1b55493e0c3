import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes.fieldwork import PRINTER, SETTINGS, Field, OtherNode, WorldNode, make_field, opened_field
from fakes.world import OPERATOR, SITE, UNITS, make_world, parsed
from guildmark.adapters.fieldwork.sealing import FileSealer
from guildmark.domain.builds.predicate import MalformedStatementError, Resource, Setting
from guildmark.domain.builds.telemetry import telemetry_resource
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import GuildmarkError, UnknownPartError
from guildmark.domain.identifiers import Bytes32, Digest, LogNumber, UnitNumber
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.recipes.gcode import Observed
from guildmark.domain.rights.metering import QuotaExceededError
from guildmark.domain.shopfloor.fieldwork import (
    Attachment,
    JobState,
    Right,
    SignedState,
    backoff,
    readiness,
)
from guildmark.domain.shopfloor.jobs import Gap, JobEvent, JobPhase, Piece, Sample, Trace
from guildmark.ports.keys import KeyMissingError
from guildmark.ports.peers import PeerUnavailableError
from guildmark.ports.store import DocumentKind
from guildmark.services.log.ingest import LabelTakenError, UnitMismatchError
from guildmark.services.shopfloor.attesting import (
    BeaconAwaitedError,
    JobFileUnknownError,
    MachinePausedError,
    NothingToSignAgainError,
    UninformedError,
)
from guildmark.services.shopfloor.fieldreport import Standing, overview
from guildmark.services.shopfloor.sending import (
    AnswerMalformedError,
    BriefMismatchError,
    CounterAheadError,
    ForeignUnitError,
    NotRefusedError,
    SentElsewhereError,
)
from guildmark.services.shopfloor.watching import (
    Addition,
    JobNotHeldError,
    JobUnknownError,
    PieceUnknownError,
)

JOB = sha256(b"job")
PHOTO = Attachment(name="photo/1", digest=sha256(b"photo"), key=Bytes32(bytes(32)))


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    with opened_field(tmp_path) as made:
        yield made


def states(field: Field) -> list[SignedState]:
    with field.store.reading() as view:
        return [row.state for row in view.signed()]


def test_job_becomes_a_unit_by_itself(field: Field) -> None:
    field.begin("one")
    field.work()
    field.finish("one")
    field.work()
    field.node.settle()
    field.work()

    with field.store.reading() as view:
        (row,) = view.signed()
        statement = parsed(view.envelope(row.digest))
        job = view.job(PRINTER, "one")
    assert (row.state, row.granted, row.index, row.counter) == (SignedState.FINAL, 1, 0, 1)
    assert statement.label == row.label == f"{row.label.rpartition('/')[0]}/{row.lane}-00001"
    assert statement.external.unit == 1
    assert not statement.run.is_late_report
    assert job is not None
    assert job.state is JobState.SIGNED


def test_weeks_without_a_network_drain_in_order(field: Field) -> None:
    field.sending.inform(field.post)
    field.node.is_away = True
    for number in range(3):
        field.begin(f"job {number}")
        field.watching.observe(field.post, field.machine)
        field.finish(f"job {number}")
        field.watching.observe(field.post, field.machine)
    assert field.attesting.sign(field.post) == 3
    with pytest.raises(PeerUnavailableError):
        field.sending.send()
    assert states(field) == [SignedState.SENT] * 3

    with pytest.raises(PeerUnavailableError):
        field.sending.send()
    field.node.is_away = False
    field.work()
    field.node.settle()
    field.work()

    with field.store.reading() as view:
        rows = view.signed()
    assert [(row.state, row.granted, row.counter) for row in rows] == [
        (SignedState.FINAL, number, number) for number in (1, 2, 3)
    ]


def test_lost_answer_doubles_nothing(field: Field) -> None:
    field.finish("one")
    field.node.loses_answers = 1
    with pytest.raises(PeerUnavailableError):
        field.work()

    field.work()
    field.node.settle()
    field.work()

    assert states(field) == [SignedState.FINAL]


def test_one_job_gives_many_serials(field: Field) -> None:
    field.begin("tray")
    field.work()
    field.finish("tray", field.piece(), Piece(conforming=False), field.piece("22.30"))
    field.work()

    with field.store.reading() as view:
        rows = view.signed()
        first = parsed(view.envelope(rows[0].digest))
    assert [(row.piece, row.counter, row.unit) for row in rows] == [(0, 1, 1), (2, 2, 2)]
    assert len({row.label for row in rows}) == 2
    assert [one.name for one in first.byproducts] == ["scrap/2"]


def settled(field: Field) -> None:
    """Let the agent and its node work until nothing waits."""
    for _ in range(3):
        field.work()
        field.node.settle()


def test_lost_number_is_filled_with_scrap_and_later_envelopes_stay(field: Field) -> None:
    field.finish("tray", field.piece("23.00"), field.piece("23.00"), field.piece())

    field.work()

    with field.store.reading() as view:
        bad, _, good = view.signed()
    assert (bad.state, bad.code) == (SignedState.REFUSED, "recipe.toleranceExceeded")
    assert (good.state, good.code) == (SignedState.SIGNED, "license.unitMismatch")

    settled(field)

    with field.store.reading() as view:
        rows = view.signed()
        scrap = parsed(view.envelope(rows[3].digest))
        notes = [note.text for note in view.notes(99) if note.code == "scrapped"]
    finals = {row.digest: row.granted for row in rows if row.state is SignedState.FINAL}
    assert [row.is_scrap for row in rows] == [False] * 3 + [True] * 2
    assert finals == {rows[3].digest: 1, rows[4].digest: 2, good.digest: 3}
    assert scrap.scrap == "lost number: counter 1 was refused (recipe.toleranceExceeded)"
    assert (scrap.external.unit, scrap.run.counter, scrap.measurements) == (1, 4, ())
    assert (scrap.replaces, scrap.label) == (None, rows[3].label)
    assert len({row.label for row in rows}) == len(rows)
    assert notes[-1] == f"unit 1 of lane {bad.lane} is filled with scrap, counter 4"


def test_part_whose_number_was_filled_is_signed_again_with_the_next_one(field: Field) -> None:
    field.finish("tray", field.piece("23.00"), field.piece())
    field.work()
    settled(field)
    with field.store.reading() as view:
        (bad,) = view.signed(SignedState.REFUSED)

    again = field.attesting.sign_again(field.post, bad.digest)

    assert (again.counter, again.unit) == (bad.counter, 3)


@pytest.mark.parametrize("how", ["scrap was refused", "of another machine"])
def test_where_scrap_does_not_help_the_queue_is_signed_again(field: Field, how: str) -> None:
    field.finish("tray", field.piece("23.00"), field.piece())
    field.work()
    with field.store.writing() as work:
        bad, good = work.signed()
        if how == "of another machine":
            work.change_signed(replace(bad, machine="other"))
        else:
            work.change_signed(replace(bad, is_scrap=True))

    assert field.attesting.mend(field.post) == 1

    with field.store.reading() as view:
        *_, again = view.signed()
        statement = parsed(view.envelope(again.digest))
    assert (again.counter, again.label, again.unit) == (2, good.label, 1)
    assert (statement.replaces, statement.external.unit) == (good.digest, 1)


def test_failed_pieces_are_only_named_until_they_are_called_scrap(field: Field) -> None:
    field.post = replace(field.post, holds=True)
    field.finish("tray", field.piece(), Piece(conforming=False))
    field.work()

    assert field.attesting.scrap(field.post, "tray", "the first layer came off") == ()
    settled(field)

    with field.store.reading() as view:
        good, bad = view.signed()
        said = parsed(view.envelope(bad.digest))
    assert (good.is_scrap, bad.is_scrap) == (False, True)
    assert (good.granted, bad.granted, said.scrap) == (1, 2, "the first layer came off")


def test_job_that_departed_or_was_stopped_may_be_scrap(field: Field) -> None:
    by_recipe(field, settings=(NOZZLE,))
    print_of(field, "departs", layers("0.40"))
    stopped = JobEvent(job="fell", phase=JobPhase.STOPPED, at=field.clock.time, file=JOB)
    field.machine.tell(stopped)
    field.work()
    field.work()

    for job in ("departs", "fell"):
        field.attesting.scrap(field.post, job, "it fell")
    settled(field)

    with field.store.reading() as view:
        rows = view.signed()
    assert [(row.job, row.is_scrap, row.granted) for row in rows] == [
        ("departs", True, 1),
        ("fell", True, 2),
    ]


def test_refused_envelope_becomes_scrap_with_its_own_number(field: Field) -> None:
    field.finish("one", field.piece("23.00"))
    field.work()

    (scrap,) = field.attesting.scrap(field.post, "one", "the bore is too wide")
    settled(field)

    with field.store.reading() as view:
        old, new = view.signed()
        said = parsed(view.envelope(new.digest))
    assert (old.state, new.state, new.granted) == (SignedState.REPLACED, SignedState.FINAL, 1)
    assert (new.digest, new.counter, new.label) == (scrap.digest, old.counter, old.label)
    assert (said.scrap, said.replaces) == ("the bore is too wide", old.digest)
    with pytest.raises(NothingToSignAgainError):
        field.attesting.scrap(field.post, "one", "once more")


def test_refused_envelope_whose_number_was_filled_becomes_scrap_with_the_next(
    field: Field,
) -> None:
    field.finish("tray", field.piece("23.00"), field.piece())
    field.work()
    settled(field)

    (scrap,) = field.attesting.scrap(field.post, "tray", "the bore is too wide")

    assert (scrap.unit, scrap.counter) == (3, 1)


def test_nothing_is_scrap_that_runs_or_is_unknown_or_has_no_reason(field: Field) -> None:
    field.begin("one")
    field.work()

    for job in ("one", "two"):
        with pytest.raises(NothingToSignAgainError):
            field.attesting.scrap(field.post, job, "why")
    with pytest.raises(MalformedStatementError):
        field.attesting.scrap(field.post, "one", "")
    field.sending.pause(PRINTER, code="agent.unitForeign", reason="why")
    with pytest.raises(MachinePausedError):
        field.attesting.scrap(field.post, "one", "why")


def test_refused_envelope_is_sent_again_when_told(field: Field) -> None:
    field.world.tools.store.forget_documents(DocumentKind.TERMS)
    field.finish("one", field.piece("23.00"))
    field.work()
    assert states(field) == [SignedState.SIGNED]
    field.work()
    with field.store.reading() as view:
        assert [note.code for note in view.notes(9)].count("disclosure.missing") == 1
    field.world.disclose()
    field.work()
    assert states(field) == [SignedState.REFUSED]

    assert field.sending.retry(field.post, "one") == 1

    assert states(field) == [SignedState.SIGNED]
    with pytest.raises(NotRefusedError):
        field.sending.retry(field.post, "one")


def test_refused_envelope_is_signed_again_as_a_late_report(field: Field) -> None:
    field.finish("one", field.piece("23.00"))
    field.work()
    with field.store.reading() as view:
        (old,) = view.signed()

    new = field.attesting.sign_again(field.post, old.digest)

    with field.store.reading() as view:
        statement = parsed(view.envelope(new.digest))
    assert (new.counter, new.label, new.unit) == (old.counter, old.label, old.unit)
    assert statement.replaces == old.digest
    assert statement.run.is_late_report
    with pytest.raises(NothingToSignAgainError):
        field.attesting.sign_again(field.post, old.digest)
    with field.store.writing() as work:
        work.keep_machine(replace(work.machine(PRINTER), name="other"))
    with pytest.raises(NothingToSignAgainError):
        field.attesting.sign_again(replace(field.post, name="other"), new.digest)


def test_envelope_whose_answer_is_lost_is_not_signed_again(field: Field) -> None:
    field.finish("one")
    field.node.loses_answers = 1
    with pytest.raises(PeerUnavailableError):
        field.work()
    with field.store.reading() as view:
        (sent,) = view.signed()

    with pytest.raises(NothingToSignAgainError):
        field.attesting.sign_again(field.post, sent.digest)
    with pytest.raises(NothingToSignAgainError):
        field.attesting.scrap(field.post, "one", "nobody wants it")
    field.sending.send()
    field.node.settle()
    field.sending.follow()

    assert states(field) == [SignedState.FINAL]


def test_part_whose_serial_is_taken_gets_the_next_one_when_told(field: Field) -> None:
    for job in ("one", "two"):
        field.finish(job, replace(field.piece(), serial="T-1"))
        for _ in range(3):
            field.work()
    with field.store.reading() as view:
        (refused,) = view.signed(SignedState.REFUSED)
    assert refused.code == LabelTakenError.code

    new = field.attesting.sign_again(field.post, refused.digest, has_new_serial=True)
    field.work()
    field.node.settle()
    field.work()

    with field.store.reading() as view:
        statement = parsed(view.envelope(new.digest))
        rows = view.signed(SignedState.FINAL)
    assert statement.label == new.label != refused.label
    assert new.counter == refused.counter
    assert {row.label for row in rows} >= {new.label}


def test_nothing_is_signed_again_without_a_beacon(field: Field) -> None:
    field.finish("one", field.piece("23.00"))
    field.work()
    with field.store.writing() as work:
        (old,) = work.signed()
        watched = work.machine(PRINTER)
        assert watched.brief is not None
        work.keep_machine(replace(watched, brief=replace(watched.brief, beacon=None)))

    with pytest.raises(BeaconAwaitedError):
        field.attesting.sign_again(field.post, old.digest)


def test_beacon_is_of_the_beginning(field: Field) -> None:
    field.begin("one")
    field.work()
    before = field.world.beacon
    field.world.tools.logs(OPERATOR).tick()
    field.world.tools.indexing(field.world.log).follow()
    field.clock.time = field.world.tools.chain.head(final=True).time
    field.finish("one")
    field.work()

    with field.store.reading() as view:
        (row,) = view.signed()
        statement = parsed(view.envelope(row.digest))
    assert (statement.beacon.log, statement.beacon.seq) == (before.log, before.seq)


@pytest.mark.parametrize("how", ["end alone", "both at once", "long ago"])
def test_beginning_that_nobody_saw_is_a_late_report(field: Field, how: str) -> None:
    if how == "both at once":
        at = field.clock.time
        field.machine.tell(
            JobEvent(job="one", phase=JobPhase.STARTED, at=at),
            JobEvent(job="one", phase=JobPhase.FINISHED, at=at, file=JOB, pieces=(field.piece(),)),
        )
    if how == "long ago":
        field.begin("one", ago=301)
        field.work()
    if how != "both at once":
        field.finish("one")
    field.work()

    with field.store.reading() as view:
        (row,) = view.signed()
        job = view.job(PRINTER, "one")
        statement = parsed(view.envelope(row.digest))
    assert statement.run.is_late_report
    assert job is not None
    assert job.beacon is None


def test_beginning_before_any_brief_takes_its_beacon_at_signing(field: Field) -> None:
    field.begin("one")
    field.watching.observe(field.post, field.machine)
    field.finish("one")
    field.watching.observe(field.post, field.machine)

    with pytest.raises(UninformedError):
        field.attesting.sign(field.post)
    field.work()

    with field.store.reading() as view:
        (row,) = view.signed()
        assert parsed(view.envelope(row.digest)).run.is_late_report


def test_job_without_any_beacon_waits(field: Field) -> None:
    field.finish("one")
    field.sending.inform(field.post)
    field.watching.observe(field.post, field.machine)
    with field.store.writing() as work:
        watched = work.machine(PRINTER)
        assert watched.brief is not None
        work.keep_machine(replace(watched, brief=replace(watched.brief, beacon=None)))

    with pytest.raises(BeaconAwaitedError):
        field.attesting.sign(field.post)

    assert states(field) == []


def test_job_file_must_be_known(field: Field) -> None:
    event = JobEvent(
        job="one", phase=JobPhase.FINISHED, at=field.clock.time, pieces=(field.piece(),)
    )
    field.machine.tell(event)
    field.sending.inform(field.post)
    field.watching.observe(field.post, field.machine)

    with pytest.raises(JobFileUnknownError):
        field.attesting.sign(field.post)

    assert field.attesting.sign(replace(field.post, job=JOB)) == 1


def test_stopped_job_gives_nothing(field: Field) -> None:
    field.begin("one")
    field.machine.tell(JobEvent(job="one", phase=JobPhase.STOPPED, at=field.clock.time))

    field.work()
    field.work()

    assert states(field) == []
    with field.store.reading() as view:
        assert [job.state for job in view.jobs()] == [JobState.STOPPED]


def test_held_job_waits_for_people(field: Field) -> None:
    post = field.post = replace(field.post, holds=True)
    field.begin("one")
    field.work()
    with pytest.raises(JobNotHeldError):
        field.watching.release(PRINTER, "one")
    field.finish("one", Piece())
    field.work()
    assert states(field) == []

    field.watching.add(PRINTER, "one", Addition(technician="t7", note="smooth", count=2))
    field.watching.add(PRINTER, "one", Addition(measurements=field.piece().measurements))
    field.watching.add(PRINTER, "one", Addition(piece=1, serial="A-7", conforming=True))
    field.watching.attach(PRINTER, "one", PHOTO, b"ciphertext")
    field.watching.release(PRINTER, "one")
    field.work()

    with field.store.reading() as view:
        rows = view.signed()
        statement = parsed(view.envelope(rows[1].digest))
        assert view.ciphertext(PHOTO.digest) == b"ciphertext"
    assert [row.state for row in rows] == [SignedState.ACCEPTED] * 2
    assert statement.label.endswith("/A-7")
    assert statement.run.technician == "t7"
    assert statement.byproducts == (Resource(name="photo/1", digest=PHOTO.digest),)
    with pytest.raises(JobNotHeldError):
        field.watching.attach(post.name, "one", PHOTO, b"ciphertext")


def test_addition_names_a_job_and_a_piece_that_are_there(field: Field) -> None:
    field.post = replace(field.post, holds=True)
    field.finish("one")
    field.work()

    with pytest.raises(JobUnknownError):
        field.watching.add(PRINTER, "two", Addition(note="x"))
    with pytest.raises(PieceUnknownError):
        field.watching.add(PRINTER, "one", Addition(piece=1, conforming=True))


def test_agent_that_is_not_alone_names_no_unit(field: Field) -> None:
    field.post = replace(field.post, is_alone=False)
    field.finish("one")

    field.work()

    with field.store.reading() as view:
        (row,) = view.signed()
    assert row.unit is None
    assert row.label.endswith(f"/{row.lane}-{field.world.machine.hex()[:6]}-00001")
    field.finish("two")
    field.watching.observe(field.post, field.machine)
    field.attesting.sign(field.post)
    assert field.attesting.mend(field.post) == 0


def test_machine_may_be_adopted_before_any_node_was_heard(field: Field) -> None:
    assert field.sending.adopt(field.post, counter=4) == 4


def test_queue_of_a_lane_that_shrank_waits(field: Field) -> None:
    field.finish("tray", field.piece(), field.piece())
    field.work()
    with field.store.writing() as work:
        for row in work.signed():
            work.change_signed(replace(row, state=SignedState.SIGNED, code="license.unitMismatch"))
        watched = work.machine(PRINTER)
        assert watched.brief is not None
        brief = replace(watched.brief, end=UnitNumber(2))
        work.keep_machine(replace(watched, brief=brief))

    assert field.attesting.mend(field.post) == 1

    assert states(field) == [SignedState.SIGNED, SignedState.REPLACED, SignedState.SIGNED]


def test_queue_that_may_be_in_the_log_is_not_mended(field: Field) -> None:
    field.finish("one")
    field.sending.inform(field.post)
    field.watching.observe(field.post, field.machine)
    field.attesting.sign(field.post)
    with field.store.writing() as work:
        (row,) = work.signed()
        # It was to be the second unit of a lane that moved since.
        moved = replace(row, unit=UnitNumber(2), log=LogNumber(9), code="license.unitMismatch")
        work.change_signed(replace(moved, state=SignedState.SENT))

    assert field.attesting.mend(field.post) == 0
    with field.store.writing() as work:
        (row,) = work.signed()
        work.change_signed(replace(row, state=SignedState.SIGNED))
    assert field.attesting.mend(field.post) == 1

    assert states(field) == [SignedState.REPLACED, SignedState.SIGNED]


def test_spent_lane_keeps_the_queue(field: Field) -> None:
    field.finish("tray", *[field.piece()] * (UNITS + 1))

    with pytest.raises(QuotaExceededError):
        field.work()

    with field.store.reading() as view:
        assert len(view.signed()) == UNITS
        (job,) = view.jobs(JobState.RELEASED)
    assert job.job == "tray"


def test_label_may_be_a_gtin(field: Field) -> None:
    field.post = replace(field.post, gtin="09506000134352")
    field.finish("one")
    field.sending.inform(field.post)
    field.watching.observe(field.post, field.machine)

    field.attesting.sign(field.post)

    with field.store.reading() as view:
        (row,) = view.signed()
    assert row.label.startswith("https://parts.example/01/09506000134352/21/")


def test_clone_is_found_by_its_counter_and_nothing_is_lost(field: Field, tmp_path: Path) -> None:
    clone = make_field(field.world, tmp_path / "clone")
    clone.clock.time = field.clock.time
    for one in (field, clone):
        one.sending.inform(one.post)
    clone.finish("theirs")
    clone.work()
    field.finish("ours")
    field.watching.observe(field.post, field.machine)
    field.attesting.sign(field.post)

    field.sending.send()

    with field.store.reading() as view:
        watched = view.machine(PRINTER)
        (row,) = view.signed()
    assert watched.paused == "machine.counterReused"
    assert (row.state, row.code) == (SignedState.SIGNED, "machine.counterReused")
    with pytest.raises(MachinePausedError):
        field.attesting.sign_again(field.post, row.digest)
    assert field.sending.send() == 0
    assert field.attesting.mend(field.post) == 0
    field.finish("later")
    field.watching.observe(field.post, field.machine)
    assert field.attesting.sign(field.post) == 0

    clone.node.settle()
    field.sending.inform(field.post)
    assert field.sending.adopt(field.post) == 1
    clone.store.close()


def test_state_from_before_is_found_before_anything_is_signed(field: Field, tmp_path: Path) -> None:
    field.finish("one")
    field.work()
    old = make_field(field.world, tmp_path / "old")
    with old.store.writing() as work:
        # It had heard of its node, and had not signed yet.
        work.keep_machine(replace(work.machine(PRINTER), brief=field.sending.inform(field.post)))

    old.finish("two")
    old.work()

    with old.store.reading() as view:
        assert view.machine(PRINTER).paused == CounterAheadError.code
        assert view.signed() == []
    old.sending.resume(PRINTER)
    with old.store.reading() as view:
        assert view.machine(PRINTER).paused is None
    assert old.sending.adopt(old.post, counter=7) == 7
    old.work()
    with old.store.reading() as view:
        assert [row.counter for row in view.signed()] == [8]
    old.store.close()


def test_unit_that_somebody_else_drew_is_found(field: Field, tmp_path: Path) -> None:
    field.sending.inform(field.post)
    other = make_field(field.world, tmp_path / "other")
    with other.store.writing() as work:
        work.keep_machine(replace(work.machine(PRINTER), counter=50))
    other.clock.time = field.clock.time
    other.finish("theirs")
    other.work()
    other.node.settle()
    with field.store.writing() as work:
        work.keep_machine(replace(work.machine(PRINTER), counter=60))

    field.sending.inform(field.post)

    with field.store.reading() as view:
        watched = view.machine(PRINTER)
        assert watched.paused == ForeignUnitError.code
        assert [note.code for note in view.notes(9)].count(ForeignUnitError.code) == 1
    field.sending.inform(field.post)
    field.sending.inform(replace(field.post, is_alone=False))
    with field.store.reading() as view:
        assert [note.code for note in view.notes(9)].count(ForeignUnitError.code) == 1
    other.store.close()


def test_unit_taken_before_ours_is_no_silent_gap(field: Field, tmp_path: Path) -> None:
    field.sending.inform(field.post)
    field.finish("ours")
    field.watching.observe(field.post, field.machine)
    field.attesting.sign(field.post)
    other = make_field(field.world, tmp_path / "other")
    with other.store.writing() as work:
        work.keep_machine(replace(work.machine(PRINTER), counter=50))
    other.clock.time = field.clock.time
    other.finish("theirs", replace(other.piece(), serial="T-1"))
    other.work()
    field.sending.send()
    assert states(field) == [SignedState.SIGNED]
    with field.store.writing() as work:
        work.keep_machine(replace(work.machine(PRINTER), counter=60))
    field.sending.inform(field.post)

    with pytest.raises(UnitMismatchError):
        field.attesting.mend(field.post)

    field.sending.pause(PRINTER, code="agent.unitForeign", reason="unit 1 is not ours")
    field.sending.pause(PRINTER, code="another", reason="the first one stays")
    with field.store.reading() as view:
        assert view.machine(PRINTER).reason == "unit 1 is not ours"
    other.store.close()


def test_unit_that_is_free_after_all_is_asked_for_again(field: Field) -> None:
    field.sending.inform(field.post)
    field.finish("one")
    field.watching.observe(field.post, field.machine)
    field.attesting.sign(field.post)
    with field.store.writing() as work:
        (row,) = work.signed()
        work.change_signed(replace(row, code="license.unitMismatch"))

    assert field.attesting.mend(field.post) == 0

    with field.store.reading() as view:
        assert view.signed()[0].code is None


def test_lane_that_moved_to_another_log_is_signed_again(field: Field) -> None:
    field.sending.inform(field.post)
    field.begin("one")
    field.watching.observe(field.post, field.machine)
    field.finish("one")
    field.watching.observe(field.post, field.machine)
    field.attesting.sign(field.post)
    with field.store.writing() as work:
        watched = work.machine(PRINTER)
        brief = watched.brief
        assert brief is not None
        external = replace(brief.external, log=LogNumber(2))
        work.keep_machine(replace(watched, brief=replace(brief, external=external)))

    assert field.attesting.mend(field.post) == 1

    with field.store.reading() as view:
        old, new = view.signed()
        statement = parsed(view.envelope(new.digest))
    assert (old.state, new.log, new.counter) == (SignedState.REPLACED, 2, 1)
    assert (statement.external.log, statement.replaces) == (2, old.digest)
    assert not statement.run.is_late_report


def other_log(field: Field) -> WorldNode:
    """Return the node of another log, as an owner who changes ``agent.toml`` finds it."""
    return OtherNode(world=field.world)


def moved(field: Field) -> None:
    """Let the node say that the lane draws into another log."""
    with field.store.writing() as work:
        watched = work.machine(PRINTER)
        assert watched.brief is not None
        external = replace(watched.brief.external, log=LogNumber(2))
        brief = replace(watched.brief, external=external)
        work.keep_machine(replace(watched, brief=brief))


@pytest.mark.parametrize("was_answered", [False, True])
def test_what_left_for_one_log_is_not_signed_again_for_another(
    field: Field, was_answered: bool
) -> None:
    field.finish("one")
    field.node.loses_answers = 0 if was_answered else 1
    with suppress(PeerUnavailableError):
        field.work()
    old = states(field)
    away = replace(field.sending, node=other_log(field))

    away.follow()
    assert away.send() == 0
    moved(field)

    assert old == [SignedState.ACCEPTED if was_answered else SignedState.SENT]
    assert states(field) == [SignedState.SENT]
    with field.store.reading() as view:
        assert view.machine(PRINTER).paused == SentElsewhereError.code
        (row,) = view.signed()
    away.resume(PRINTER)
    assert field.attesting.mend(field.post) == 0
    with pytest.raises(NothingToSignAgainError):
        field.attesting.sign_again(field.post, row.digest)

    # The node of its log answers again: it was taken once.
    assert field.sending.send() == 1
    field.node.settle()
    field.sending.follow()
    with field.store.reading() as view:
        assert [(each.state, each.granted) for each in view.signed()] == [(SignedState.FINAL, 1)]


def test_owner_may_say_that_the_other_log_never_got_it(field: Field) -> None:
    field.sending.inform(field.post)
    field.finish("tray", field.piece(), field.piece())
    field.watching.observe(field.post, field.machine)
    field.attesting.sign(field.post)
    field.node.is_away = True
    with pytest.raises(PeerUnavailableError):
        field.sending.send()
    away = replace(field.sending, node=other_log(field))
    away.send()
    with field.store.writing() as work:
        waits = work.signed()[1]
        work.change_signed(replace(waits, state=SignedState.SENT, code=None))

    away.adopt(field.post)

    assert states(field) == [SignedState.REFUSED, SignedState.SENT]


def test_what_never_left_is_signed_again_for_the_log_that_the_lane_moved_to(field: Field) -> None:
    field.sending.inform(field.post)
    field.finish("one")
    field.watching.observe(field.post, field.machine)
    field.attesting.sign(field.post)

    replace(field.sending, node=other_log(field)).send()

    with field.store.reading() as view:
        assert view.machine(PRINTER).paused is None
    assert states(field) == [SignedState.SIGNED]
    moved(field)
    assert field.attesting.mend(field.post) == 1
    assert states(field) == [SignedState.REPLACED, SignedState.SIGNED]


def test_draw_refused_because_the_lane_moved_is_signed_again(field: Field) -> None:
    field.finish("tray", field.piece(), field.piece())
    field.work()
    with field.store.writing() as work:
        moved, other = work.signed()
        lane_code = "license.laneOfOtherLog"
        work.change_signed(replace(moved, state=SignedState.REFUSED, code=lane_code))
        work.change_signed(replace(other, state=SignedState.REFUSED, code="license.stopped"))
        watched = work.machine(PRINTER)
        assert watched.brief is not None
        external = replace(watched.brief.external, log=LogNumber(2))
        brief = replace(watched.brief, external=external)
        work.keep_machine(replace(watched, brief=brief))

    assert field.attesting.mend(field.post) == 1

    with field.store.reading() as view:
        rows = view.signed()
    assert [row.state for row in rows] == [
        SignedState.REPLACED,
        SignedState.REFUSED,
        SignedState.SIGNED,
    ]
    assert (rows[2].log, rows[2].counter) == (2, moved.counter)


def test_other_machines_of_the_lane_keep_their_place_in_it(field: Field) -> None:
    field.sending.inform(field.post)
    field.finish("one")
    field.watching.observe(field.post, field.machine)
    field.attesting.sign(field.post)
    with field.store.writing() as work:
        (row,) = work.signed()
        other = replace(
            row, machine="other", unit=UnitNumber(9), digest=Digest(sha256(b"x")), piece=4
        )
        work.keep_signed(replace(other, code="license.unitMismatch"), b"x")

    assert field.attesting.mend(field.post) == 0


def test_node_that_forgot_an_envelope_gets_it_again(field: Field) -> None:
    field.finish("one")
    field.work()
    field.world.tools.store.forget_log()

    field.sending.follow()
    # Another node may have it: until this one answers, nothing takes its place.
    assert states(field) == [SignedState.SENT]
    field.work()

    assert states(field) == [SignedState.ACCEPTED]
    assert field.sending.follow() == 0


@pytest.mark.parametrize("error", [UnknownPartError("x"), PeerUnavailableError("x")])
def test_other_answers_to_what_became_of_it_are_told(field: Field, error: GuildmarkError) -> None:
    field.finish("one")
    field.work()
    field.node.failure = error

    with pytest.raises(type(error)):
        field.sending.follow()


def test_node_must_answer_for_each_envelope(field: Field) -> None:
    field.finish("one")
    field.node.instead = []

    with pytest.raises(AnswerMalformedError):
        field.work()

    assert states(field) == [SignedState.SENT]


def test_strange_build_in_an_answer_waits(field: Field) -> None:
    field.finish("one")
    field.sending.inform(field.post)
    field.watching.observe(field.post, field.machine)
    field.attesting.sign(field.post)
    field.node.instead = [{"reception": "accepted", "build": "?"}]

    assert field.sending.send() == 1

    assert states(field) == [SignedState.ACCEPTED]


def test_locked_key_keeps_the_queue(field: Field) -> None:
    field.finish("one")
    field.sending.inform(field.post)
    field.watching.observe(field.post, field.machine)

    with pytest.raises(KeyMissingError) as caught:
        field.attesting.sign(replace(field.post, key="nowhere"))
    field.sending.fail(PRINTER, caught.value)
    field.sending.fail(PRINTER, caught.value)

    with field.store.reading() as view:
        watched = view.machine(PRINTER)
        assert (watched.error, watched.counter) == ("key.missing", 0)
        assert [note.code for note in view.notes(9)].count("key.missing") == 1
    field.sending.fail(PRINTER, None)
    field.work()
    assert states(field) == [SignedState.ACCEPTED]
    with field.store.reading() as view:
        assert view.machine(PRINTER).error is None


def test_values_are_kept_with_the_job_that_runs(field: Field) -> None:
    nozzle = Sample(channel="nozzle", at=1, value="230", unit="Cel", instance="a", sequence=1)
    field.machine.tell(samples=[nozzle])
    field.begin("one")
    for number in (2, 3, 7):
        field.machine.tell(samples=[replace(nozzle, sequence=number)])
    field.machine.tell(gaps=[Gap(instance="a", first=8, last=9)])
    field.machine.tell(samples=[replace(nozzle, sequence=10)])
    for _ in field.machine.steps:
        field.work()
    event = JobEvent(
        job="one",
        phase=JobPhase.FINISHED,
        at=field.clock.time,
        file=JOB,
        pieces=(field.piece(),),
    )
    field.machine.tell(event, samples=[replace(nozzle, sequence=11)])
    field.work()

    with field.store.reading() as view:
        chunks = [kept.chunk for kept in view.chunks(PRINTER, "one")]
        (row,) = view.signed()
        statement = parsed(view.envelope(row.digest))
    assert [(one.first, one.last, len(one.samples), len(one.gaps)) for one in chunks] == [
        (2, 3, 2, 0),
        (7, 7, 1, 0),
        (10, 11, 2, 1),
    ]
    assert len({one.salt for one in chunks}) == 3
    assert statement.byproducts == (telemetry_resource([one.encode() for one in chunks]),)


def test_values_of_a_report_are_kept_with_its_own_job(field: Field) -> None:
    def values(job: str, value: str) -> Trace:
        return Trace(job=job, samples=(Sample(channel="nozzle", at=1, value=value, unit="Cel"),))

    field.begin("one")
    field.begin("two")
    for _ in field.machine.steps:
        field.work()
    ended = JobEvent(
        job="one",
        phase=JobPhase.FINISHED,
        at=field.clock.time,
        file=JOB,
        pieces=(field.piece(),),
    )
    later = JobEvent(job="three", phase=JobPhase.STARTED, at=field.clock.time)
    named = [values("one", "230"), values("two", "240"), values("nowhere", "250")]
    field.machine.tell(ended, later, traces=named)
    told = field.watching.observe(field.post, field.machine)
    field.work()
    field.machine.tell(traces=[values("one", "260")])
    field.work()

    with field.store.reading() as view:
        kept = {
            job: [one.value for each in view.chunks(PRINTER, job) for one in each.chunk.samples]
            for job in ("one", "two", "three", "nowhere")
        }
        (row,) = view.signed()
        statement = parsed(view.envelope(row.digest))
        signed = [each.chunk.encode() for each in view.chunks(PRINTER, "one")]
    assert told == 5
    assert kept == {"one": ["230"], "two": ["240"], "three": [], "nowhere": []}
    assert statement.byproducts == (telemetry_resource(signed),)


def test_brief_of_another_machine_is_refused(field: Field) -> None:
    brief = field.sending.inform(field.post)

    with pytest.raises(BriefMismatchError):
        field.sending.take(field.post, replace(brief, machine=field.world.instrument))


def test_nothing_told_keeps_nothing(field: Field) -> None:
    assert field.watching.observe(field.post, field.machine) == 0
    with field.store.reading() as view:
        assert view.machines() == []


def test_claimed_times_that_contradict_are_not_passed_on(field: Field) -> None:
    field.begin("one", ago=-200)
    field.work()
    field.finish("one")
    field.work()

    with field.store.reading() as view:
        (row,) = view.signed()
        run = parsed(view.envelope(row.digest)).run
    assert run.started_on == run.finished_on


def test_readiness_follows_the_brief(field: Field) -> None:
    brief = field.sending.inform(field.post)

    def told(**changes: Any) -> str:
        changed = replace(brief, **changes)
        return readiness(changed, elapsed=0, delay=60, spoken_for=0).text

    right = Right(name="the key", since=0, until=brief.now + 61)
    assert told() == "ready"
    assert told(rights=(right,)) == "ready"
    assert told(rights=(replace(right, until=brief.now + 60),)) == "the key ends in 1 min"
    assert told(rights=(replace(right, until=brief.now),)) == "the key ends now"
    assert told(end=brief.following) == "the lane has no unit left"
    assert told(beacon=None, rights=()) == "ready in about 1 minute"
    young = Right(name="the key", since=brief.now + 1)
    waits = told(rights=(young,), pace=brief.now - field.world.beacon.time + 13 * 60)
    assert waits == "ready in about 13 minutes: the key is younger than any record"
    assert readiness(None, elapsed=0, delay=0, spoken_for=0).text == (
        "no node has told anything yet"
    )


def final_state(field: Field) -> object:
    with field.store.reading() as view:
        jobs = {
            job.job: (job.state, job.started_at, job.finished_at, job.file, job.pieces)
            for job in view.jobs()
        }
        return sorted(jobs.items()), sorted(row.piece for row in view.signed())


@pytest.mark.deep
def test_any_order_and_any_repetition_give_one_state(
    tmp_path: Path, volume: Callable[[int, int, int], int]
) -> None:
    world = make_world()
    world.disclose()
    found = set()
    for seed in range(volume(20, 200, 10_000)):
        field = make_field(world, tmp_path / str(seed))
        at, measured = field.clock.time, field.piece()
        end = JobEvent(job="a", phase=JobPhase.FINISHED, at=at, file=JOB, pieces=(measured,) * 2)
        events = [
            JobEvent(job="a", phase=JobPhase.STARTED, at=at - 9),
            end,
            JobEvent(job="b", phase=JobPhase.STARTED, at=at - 5),
            JobEvent(job="b", phase=JobPhase.STOPPED, at=at),
            JobEvent(job="c", phase=JobPhase.STARTED, at=at),
        ]
        chance = random.Random(seed)
        told = [*events, *chance.choices(events, k=4)]
        chance.shuffle(told)
        for event in told:
            field.machine.tell(event)
            field.watching.observe(field.post, field.machine)
            if chance.random() < 0.5 and field.watching.observe(field.post, field.machine):
                raise AssertionError(seed)
        field.sending.inform(field.post)
        field.attesting.sign(field.post)
        found.add(repr(final_state(field)))
        field.store.close()

    assert len(found) == 1


YEAR = 366 * 24 * 3600


@pytest.mark.parametrize("jump", [-YEAR, -3600, 3600, YEAR])
@pytest.mark.parametrize("moment", range(3))
def test_clock_that_jumps_loses_and_doubles_nothing(field: Field, jump: int, moment: int) -> None:
    at = field.clock.time
    field.begin("one")
    field.finish("one")
    for turn in range(3):
        field.clock.time += jump if turn == moment else 0
        field.work()
        field.node.settle()
    field.work()

    with field.store.reading() as view:
        (row,) = view.signed()
        run = parsed(view.envelope(row.digest)).run
    assert row.state is SignedState.FINAL
    assert (run.started_on, run.finished_on) == (at, at)


def test_files_of_signed_jobs_reach_the_node_once(field: Field) -> None:
    field.post = replace(field.post, holds=True)
    field.begin("one")
    field.machine.tell(samples=[Sample(channel="x", at=1, value="1")])
    field.finish("one")
    for _ in field.machine.steps:
        field.work()
    file, sealed = field.storing.encrypted("photo/1", b"a photo")
    field.watching.attach(PRINTER, "one", file, sealed)
    assert field.storing.deliver() == 0
    field.watching.release(PRINTER, "one")
    field.work()

    field.node.is_away = True
    with pytest.raises(PeerUnavailableError):
        field.storing.deliver()
    field.node.is_away = False
    assert field.storing.deliver() == 1
    assert field.storing.deliver() == 0

    sealer = field.storing.sealer
    assert isinstance(sealer, FileSealer)
    with field.store.reading() as view:
        job = view.job(PRINTER, "one")
        (kept,) = view.chunks(PRINTER, "one")
    assert job is not None
    assert (kept.cid, job.files[0].cid) == ("cid-1", "cid-2")
    assert sealer.open(field.node.contents[0], kept.key) == kept.chunk.encode()
    assert sealer.open(field.node.contents[1], job.files[0].key) == b"a photo"


def test_chunk_that_the_node_has_is_not_sent_again(field: Field) -> None:
    field.begin("one")
    field.machine.tell(
        samples=[
            Sample(channel="x", at=1, value="1", sequence=1),
            Sample(channel="x", at=2, value="1", sequence=5),
        ]
    )
    field.finish("one")
    for _ in field.machine.steps:
        field.work()
    with field.store.writing() as work:
        first, _ = work.chunks(PRINTER, "one")
        work.keep_chunk(replace(first, cid="there"))

    assert field.storing.deliver() == 1

    assert len(field.node.contents) == 1


def test_report_by_hand_is_kept_as_a_machine_would_tell_it(field: Field) -> None:
    begun = JobEvent(job="one", phase=JobPhase.STARTED, at=field.clock.time)

    job = field.watching.report(field.post, begun)

    assert (job.job, job.state) == ("one", JobState.RUNNING)


def test_overview_counts_and_names_the_trouble(field: Field) -> None:
    def seen() -> Standing:
        (found,) = overview(field.store, [field.post], now=field.clock.time)
        return found

    assert (seen().begin, seen().is_ready) == ("no node has told anything yet", False)
    field.begin("zero")
    field.finish("one")
    field.work()
    field.work()
    found = seen()
    assert (found.waiting, found.working, found.held, found.final, found.refused) == (1, 1, 0, 0, 0)
    assert (found.oldest, found.problem, found.state) == (field.clock.time, None, "running")
    field.sending.fail(PRINTER, KeyMissingError("gone"))
    assert seen().problem == "key.missing: gone"
    field.sending.pause(PRINTER, code="agent.unitForeign", reason="why")
    assert (seen().problem, seen().state) == ("agent.unitForeign: why", "stopped")


def test_pauses_between_tries_double_up_to_five_minutes() -> None:
    assert [backoff(n, 1.0) for n in (1, 2, 3, 9, 1_000)] == [2.0, 4.0, 8.0, 300.0, 300.0]
    assert backoff(1, 0.0) == 1.0


LAYER, NOZZLE = SETTINGS


def by_recipe(field: Field, **changes: Any) -> Field:
    """Put the document of the site's recipe beside the agent."""
    document = field.world.tools.recipes(SITE).document(field.world.site_recipe)
    field.post = replace(field.post, clauses=document.clauses, **changes)
    return field


def layers(least: str, most: str | None = None) -> tuple[Observed, ...]:
    path = ClausePath("/process/layer_height")
    return (Observed(path=path, least=least, most=most or least, unit="mm"),)


def print_of(field: Field, job: str, observed: tuple[Observed, ...]) -> None:
    begun = JobEvent(
        job=job, phase=JobPhase.STARTED, at=field.clock.time, file=JOB, observed=observed
    )
    field.machine.tell(begun)
    field.work()
    field.finish(job)
    field.work()


def test_job_file_tells_the_settings_that_nobody_set(field: Field) -> None:
    by_recipe(field, settings=(NOZZLE,))

    print_of(field, "one", layers("0.36"))
    field.node.settle()
    field.work()

    with field.store.reading() as view:
        (row,) = view.signed()
        statement = parsed(view.envelope(row.digest))
    assert statement.settings == (NOZZLE, LAYER)
    assert row.state is SignedState.FINAL


@pytest.mark.parametrize(
    ("observed", "settings", "code"),
    [
        (layers("0.36", "0.37"), (NOZZLE,), "recipe.jobDeparts"),
        (layers("0.36"), (replace(LAYER, value="0.38"), NOZZLE), "recipe.settingContradicted"),
    ],
)
def test_print_that_is_not_as_promised_is_held_and_others_go_on(
    field: Field, observed: tuple[Observed, ...], settings: tuple[Setting, ...], code: str
) -> None:
    by_recipe(field, settings=settings)
    print_of(field, "bad", observed)
    by_recipe(field, settings=SETTINGS)
    print_of(field, "good", layers("0.36"))

    (standing,) = overview(field.store, [field.post], now=field.clock.time)
    with field.store.reading() as view:
        (row,) = view.signed()
        held = view.job(PRINTER, "bad")
        codes = [note.code for note in view.notes(9)]
    assert held is not None
    assert (held.state, held.code, row.job, row.counter) == (JobState.HELD, code, "good", 1)
    assert (standing.held, standing.problem) == (1, f"{code}: job bad: {held.reason}")
    assert codes.count(code) == 1


def test_print_that_departed_is_scrap_or_signed_by_the_right_recipe(field: Field) -> None:
    by_recipe(field, settings=(NOZZLE,))
    for job in ("one", "two"):
        print_of(field, job, layers("0.40"))
    field.watching.add(PRINTER, "one", Addition(conforming=False))

    released = field.watching.release(PRINTER, "one")
    assert field.attesting.sign(field.post) == 0
    field.watching.release(PRINTER, "two")
    field.post = replace(field.post, clauses=(), settings=SETTINGS)

    assert field.attesting.sign(field.post) == 1
    assert (released.code, released.reason) == (None, None)
    with field.store.reading() as view:
        assert [job.job for job in view.jobs(JobState.SIGNED)] == ["one", "two"]


def test_file_of_the_agent_s_own_settings_speaks_for_itself_alone(field: Field) -> None:
    other = sha256(b"another file")
    by_recipe(field, settings=SETTINGS, job=JOB, observed=layers("0.40"))

    field.finish("own")
    field.machine.tell(
        JobEvent(
            job="other",
            phase=JobPhase.FINISHED,
            at=field.clock.time,
            file=Digest(other),
            pieces=(field.piece(),),
        )
    )
    for _ in range(2):
        field.work()

    with field.store.reading() as view:
        states = {name: view.job(PRINTER, name) for name in ("own", "other")}
    assert {name: job and job.state for name, job in states.items()} == {
        "own": JobState.HELD,
        "other": JobState.SIGNED,
    }


def held(field: Field, *names: str) -> None:
    field.post = replace(field.post, holds=True)
    for name in names:
        field.finish(name)
        field.work()


def reported(field: Field, job: str, *pieces: Piece) -> None:
    """Let the measuring machine beside the machine report."""
    event = JobEvent(job=job, phase=JobPhase.FINISHED, at=field.clock.time, pieces=pieces)
    field.watching.report(field.post.gauge, event)


def test_reports_of_a_measuring_machine_are_of_the_jobs_in_their_order(field: Field) -> None:
    held(field, "one", "two", "three")
    values = ("22.17", "22.18")
    for number, value in enumerate(values):
        reported(field, f"program-{number}", field.piece(value))

    assert field.watching.measure(field.post) == 2
    assert field.watching.measure(field.post) == 0

    with field.store.reading() as view:
        released = view.jobs(JobState.RELEASED)
        waiting = view.jobs(JobState.HELD)
        notes = [note.text for note in view.notes(2)]
    assert [(job.job, job.pieces[0].measurements[0].value) for job in released] == [
        ("one", "22.17"),
        ("two", "22.18"),
    ]
    assert [job.job for job in waiting] == ["three"]
    assert notes[0] == "job two has the values of program-1"


def test_report_that_names_a_job_is_of_no_other(field: Field) -> None:
    held(field, "one", "two")
    field.begin("three")
    field.watching.observe(field.post, field.machine)
    reported(field, "two", field.piece("22.18"), Piece(conforming=False))
    reported(field, "three", field.piece())

    assert field.watching.measure(field.post) == 1

    with field.store.reading() as view:
        (released,) = view.jobs(JobState.RELEASED)
        waiting = view.jobs(JobState.HELD, machine=field.post.gauge.name)
    assert (released.job, [piece.conforming for piece in released.pieces]) == ("two", [None, False])
    assert [job.job for job in waiting] == ["three"]


def test_print_that_departed_is_given_no_other_part_s_values(field: Field) -> None:
    by_recipe(field, settings=(NOZZLE,), holds=True)
    print_of(field, "bad", layers("0.40"))
    reported(field, "program-1", field.piece())
    assert field.watching.measure(field.post) == 1
    assert field.attesting.sign(field.post) == 0
    reported(field, "program-2", field.piece())

    assert field.watching.measure(field.post) == 0

    with field.store.reading() as view:
        states = {job.job: job.state for job in view.jobs()}
    assert states == {
        "bad": JobState.HELD,
        "program-1": JobState.TAKEN,
        "program-2": JobState.HELD,
    }
