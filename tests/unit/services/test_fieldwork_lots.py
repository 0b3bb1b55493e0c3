"""An agent's lots: loaded, named in what is signed, shown to the node once that is final."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.fieldwork import PRINTER, Field, opened_field
from fakes.world import parsed
from guildmark.domain.builds.dependencies import (
    DEPENDENCIES_MAX,
    NO_DEPENDENCIES,
    DeclarationSizeError,
)
from guildmark.domain.builds.lots import LotNameError
from guildmark.domain.identifiers import Index, to_hex
from guildmark.domain.recall import RecallCause, Thing
from guildmark.domain.shopfloor.fieldwork import Job, Signed, SignedState, Watched
from guildmark.domain.shopfloor.jobs import JobEvent, JobPhase, Piece
from guildmark.ports.peers import PeerUnavailableError
from guildmark.services.recipes.disclosing import DeclaredOtherwiseError
from guildmark.services.shopfloor.attesting import UninformedError
from guildmark.services.shopfloor.watching import Addition

OTHERS = Thing.parse(RecallCause.LOT, f"0x{'a1' * 32}:0x{'b2' * 32}")


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    with opened_field(tmp_path) as made:
        yield made


def rows(field: Field) -> list[Signed]:
    with field.store.reading() as view:
        return list(view.signed())


def things(row: Signed) -> list[Thing]:
    return [] if row.declared is None else [one.thing for one in row.declared.dependencies]


def lots_of(field: Field, job: str) -> tuple[str, ...]:
    with field.store.reading() as view:
        found = view.job(PRINTER, job)
    assert found is not None
    return found.lots


def job_of(field: Field, name: str, *pieces: Piece) -> None:
    field.begin(name)
    field.work()
    field.finish(name, *pieces)
    field.work()


def final(field: Field) -> None:
    field.node.settle()
    field.work()


def wait_for_people(field: Field) -> None:
    """Let the machine's jobs wait for people from now on."""
    field.post = replace(field.post, holds=True)


def test_loaded_lots_are_in_the_bundle_of_what_was_made(field: Field) -> None:
    field.watching.load(PRINTER, ("PETG 4711", OTHERS.text()))
    job_of(field, "one")
    final(field)
    exporter, log = field.world.tools.exporter, field.world.log
    before = exporter.evidence(log, Index(0))

    assert field.sending.show() == 1
    assert field.sending.show() == 0

    (row,) = rows(field)
    shown = exporter.evidence(log, Index(0)).disclosed.dependencies
    assert things(row) == [field.attesting.lot(field.post, "PETG 4711"), OTHERS]
    assert before.disclosed.dependencies == ()
    assert [one.thing for one in shown] == things(row)
    assert row.is_shown


def test_a_lot_has_one_digest_in_an_agent_and_a_salt_of_its_own_in_a_part(field: Field) -> None:
    field.watching.load(PRINTER, ("PETG 4711", "PETG 4711"))
    job_of(field, "tray", field.piece(), field.piece())

    one, other = rows(field)

    assert things(one) == things(other) == [field.attesting.lot(field.post, "PETG 4711")]
    assert one.declared != other.declared
    statements = [parsed(envelope(field, row)) for row in (one, other)]
    assert statements[0].dependencies != statements[1].dependencies
    assert b"PETG" not in envelope(field, one)


def envelope(field: Field, row: Signed) -> bytes:
    with field.store.reading() as view:
        return view.envelope(row.digest)


def test_a_spool_that_is_changed_while_a_job_runs_is_named_beside_the_first(field: Field) -> None:
    field.watching.load(PRINTER, ("first",))
    field.begin("long")
    field.work()
    found = field.watching.load(PRINTER, ("second", "first"))
    field.begin("next")
    field.finish("long")
    field.work()
    emptied = field.watching.load(PRINTER, ())

    assert found.lots == ("second", "first")
    assert lots_of(field, "long") == ("first", "second")
    assert lots_of(field, "next") == ("second", "first")
    assert emptied.lots == ()
    with field.store.reading() as view:
        assert [one.text for one in view.notes(9) if one.code == "loaded"] == [
            "loaded: no lot",
            "loaded: second, first",
            "loaded: first",
        ]


def test_people_say_what_went_in_before_it_is_signed(field: Field) -> None:
    field.watching.load(PRINTER, ("loaded",))
    wait_for_people(field)
    for name in ("said", "nothing", "silent"):
        job_of(field, name)

    field.watching.add(PRINTER, "said", Addition(lots=("other", "one more")))
    field.watching.add(PRINTER, "nothing", Addition(lots=()))
    field.watching.add(PRINTER, "silent", Addition(note="fine"))
    for name in ("said", "nothing", "silent"):
        field.watching.release(PRINTER, name)
    field.work()

    said, nothing, silent = rows(field)
    assert things(said) == [field.attesting.lot(field.post, one) for one in ("other", "one more")]
    assert nothing.declared is None
    assert things(silent) == [field.attesting.lot(field.post, "loaded")]
    assert parsed(envelope(field, nothing)).dependencies == NO_DEPENDENCIES


def test_a_machine_that_knows_its_lots_is_believed_rather_than_what_was_loaded(
    field: Field,
) -> None:
    field.watching.load(PRINTER, ("loaded",))
    field.machine.tell(replace(begun("one", field), lots=("told first",)), begun("two", field))
    field.watching.observe(field.post, field.machine)
    before = lots_of(field, "one")
    field.machine.tell(
        replace(begun("one", field), phase=JobPhase.FINISHED, lots=("told last",)),
        replace(begun("two", field), phase=JobPhase.STOPPED),
    )
    field.watching.observe(field.post, field.machine)

    assert before == ("told first",)
    assert lots_of(field, "one") == ("told last",)
    assert lots_of(field, "two") == ("loaded",)


def begun(job: str, field: Field) -> JobEvent:
    return JobEvent(job=job, phase=JobPhase.STARTED, at=field.clock.time)


def test_what_is_no_lot_is_refused_and_nothing_is_kept(field: Field) -> None:
    most = tuple(f"lot {number}" for number in range(DEPENDENCIES_MAX + 1))

    field.watching.load(PRINTER, most[1:])
    for wrong in (("",), ("a\nb",), ("x" * 201,)):
        with pytest.raises(LotNameError):
            field.watching.load(PRINTER, wrong)
    with pytest.raises(DeclarationSizeError, match="33 lots"):
        field.watching.load(PRINTER, most)
    with pytest.raises(DeclarationSizeError):
        Job(machine=PRINTER, job="one", lots=most)
    with pytest.raises(DeclarationSizeError):
        Watched(name=PRINTER, lots=most)

    with field.store.reading() as view:
        assert view.machine(PRINTER).lots == most[1:]


def test_a_lot_that_a_running_job_has_no_room_for_is_not_loaded(field: Field) -> None:
    field.watching.load(PRINTER, tuple(f"lot {number}" for number in range(DEPENDENCIES_MAX)))
    field.begin("long")
    field.work()

    with pytest.raises(DeclarationSizeError):
        field.watching.load(PRINTER, ("one more",))

    with field.store.reading() as view:
        assert "one more" not in view.machine(PRINTER).lots


def test_a_lot_is_told_once_the_maker_is_known(field: Field) -> None:
    with pytest.raises(UninformedError):
        field.attesting.lot(field.post, "PETG 4711")
    field.work()

    told = field.attesting.lot(field.post, "PETG 4711")

    assert told.text().startswith(to_hex(field.world.maker))
    assert field.attesting.lot(field.post, told.text()) == told


def test_scrap_names_no_lot(field: Field) -> None:
    field.watching.load(PRINTER, ("PETG 4711",))
    wait_for_people(field)
    job_of(field, "bad")
    field.attesting.scrap(field.post, "bad", "it fell")
    field.attesting.sign(field.post)
    job_of(field, "good")
    field.watching.release(PRINTER, "good")
    field.attesting.sign(field.post)
    before = rows(field)[1]
    field.attesting.scrap(field.post, "good", "it fell, too")

    bad, replaced, good = rows(field)

    assert before.declared is not None
    assert (bad.declared, good.declared) == (None, None)
    assert replaced.state is SignedState.REPLACED
    assert parsed(envelope(field, good)).dependencies == NO_DEPENDENCIES


def test_what_is_signed_again_commits_to_the_same_lots(field: Field) -> None:
    field.watching.load(PRINTER, ("PETG 4711",))
    field.begin("one")
    field.work()
    field.finish("one")
    field.watching.observe(field.post, field.machine)
    field.attesting.sign(field.post)
    (first,) = rows(field)

    again = field.attesting.sign_again(field.post, first.digest)

    assert again.declared == first.declared
    assert again.declared is not None
    assert parsed(envelope(field, again)).dependencies == again.declared.root()


def test_what_a_node_does_not_take_holds_up_no_other_part(field: Field) -> None:
    field.watching.load(PRINTER, ("PETG 4711",))
    job_of(field, "tray", field.piece(), field.piece())
    final(field)
    one, other = rows(field)
    with field.store.writing() as work:
        # As if the first envelope had declared something else.
        work.change_signed(replace(one, declared=other.declared))

    with pytest.raises(DeclaredOtherwiseError):
        field.sending.show()
    assert [row.is_shown for row in rows(field)] == [False, True]

    field.node.is_away = True
    with pytest.raises(PeerUnavailableError):
        field.sending.show()
    assert [row.is_shown for row in rows(field)] == [False, True]
