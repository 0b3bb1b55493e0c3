"""Values that open one by one, from the machine's agent over the door to the bundle."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.fieldwork import Field, make_field
from fakes.world import MACHINE, Tools, World, make_world, parsed
from guildmark.domain.builds.delivery import RESULTS_ALONE, Delivery, OpenedValues
from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.builds.predicate import Setting
from guildmark.domain.builds.statement import SETTINGS_DEPENDENCY, BuildStatement
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Bytes32, Index
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.shopfloor.fieldwork import SignedState
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.log.ingest import Answer, Reception

FIRST = Index(0)


@pytest.fixture
def world() -> World:
    world = make_world(Tools(shown=RESULTS_ALONE))
    world.disclose()
    return world


@pytest.fixture
def field(world: World, tmp_path: Path) -> Iterator[Field]:
    made = make_field(world, tmp_path)
    yield made
    made.store.close()


def send(world: World, *deliveries: bytes) -> list[Answer]:
    return list(world.tools.ingest(world.log).receive(deliveries))


def refusal(world: World, delivery: bytes) -> GuildmarkError:
    (answer,) = send(world, delivery)
    assert answer.reception is Reception.REFUSED
    assert answer.error is not None
    return answer.error


def kept(world: World, delivery: bytes) -> bytes | None:
    with world.tools.store.reading() as view:
        return view.documents.get(DocumentKind.VALUES, Delivery.parse(delivery).digest)


def changed(delivery: bytes, change: Callable[[OpenedValues], OpenedValues]) -> bytes:
    found = Delivery.parse(delivery)
    assert found.values is not None
    return replace(found, values=change(found.values)).encode()


def test_a_machine_signs_roots_and_hands_over_what_opens_them(world: World) -> None:
    delivery = Delivery.parse(world.envelope())

    statement = parsed(world.envelope())

    assert statement.roots is not None
    assert (statement.settings, statement.measurements) == ((), ())
    assert statement.resource(SETTINGS_DEPENDENCY) is None
    assert delivery.statement().settings == world.statement().settings
    assert delivery.values is not None
    assert delivery.values.shown == RESULTS_ALONE


def test_the_door_takes_it_and_keeps_the_values_apart_from_the_envelope(world: World) -> None:
    data = world.envelope()
    delivery = Delivery.parse(data)

    (answer,) = send(world, data)
    (again,) = send(world, data)

    assert (answer.reception, again.reception) == (Reception.ACCEPTED, Reception.DUPLICATE)
    assert answer.digest == envelope_digest(delivery.envelope)
    (queued,) = world.tools.store.queued()
    assert queued.envelope == delivery.envelope
    assert delivery.values is not None
    assert kept(world, data) == delivery.values.encode()


def test_values_in_clear_are_not_kept_twice(world: World) -> None:
    clear = replace(world, tools=replace(world.tools, shown=None))
    data = clear.envelope()

    (answer,) = send(clear, data)

    assert answer.reception is Reception.ACCEPTED
    assert kept(clear, data) is None


def test_an_envelope_without_what_opens_it_is_refused(world: World) -> None:
    alone = Delivery.parse(world.envelope()).envelope

    assert refusal(world, alone).code == "statement.valuesMissing"
    assert kept(world, alone) is None


def test_values_that_are_not_all_open_are_refused(world: World) -> None:
    def close(values: OpenedValues) -> OpenedValues:
        settings, measurements = values.for_everybody()
        return replace(values, settings=settings, measurements=measurements)

    assert refusal(world, changed(world.envelope(), close)).code == "statement.valuesMissing"


def test_values_of_another_part_are_refused(world: World) -> None:
    other = Delivery.parse(world.envelope(2)).values
    assert other is not None

    assert refusal(world, changed(world.envelope(), lambda _: other)).code == "values.mismatch"


def test_values_beside_a_statement_that_says_them_are_refused(world: World) -> None:
    values = Delivery.parse(world.envelope()).values
    clear = replace(world, tools=replace(world.tools, shown=None)).envelope()

    code = refusal(world, Delivery(envelope=clear, values=values).encode()).code

    assert code == "values.mismatch"


def test_a_delivery_that_cannot_be_read_stops_no_other(world: World) -> None:
    broken = b'{"envelope":"?","values":{}}'

    first, second = send(world, broken, world.envelope())

    assert first.error is not None
    assert (first.error.code, first.digest) == ("values.malformed", sha256(broken))
    assert second.reception is Reception.ACCEPTED


@pytest.mark.parametrize(("value", "code"), [("0.36", None), ("0.37", "recipe.settingOutside")])
def test_the_door_judges_closed_settings(world: World, value: str, code: str | None) -> None:
    send(world, world.envelope(1))
    other = Setting(path=ClausePath("/process/layer_height"), value=value, unit="mm")
    statement = world.statement(2)
    statement = replace(statement, settings=(other, *statement.settings[1:]))

    (answer,) = send(world, world.sign(statement))

    assert (answer.error.code if answer.error else None) == code


def test_one_request_judges_each_parts_own_settings(world: World) -> None:
    good, bad = world.statement(1), world.statement(2)
    wide = Setting(path=ClausePath("/process/layer_height"), value="0.41", unit="mm")
    bad = replace(bad, settings=(wide, *bad.settings[1:]))

    answers = send(world, world.sign(good), world.sign(bad), world.envelope(3))

    assert [one.error.code if one.error else None for one in answers] == [
        None,
        "recipe.settingOutside",
        None,
    ]


def test_the_door_judges_closed_measurements_and_their_instruments(world: World) -> None:
    statement = world.statement()
    (bore,) = statement.measurements
    for found, code in (
        (replace(bore, value="22.41"), "recipe.toleranceExceeded"),
        (replace(bore, instrument="a calliper"), "measurement.instrumentUnknown"),
    ):
        wrong = replace(statement, measurements=(found,))
        assert refusal(world, world.sign(wrong)).code == code
    assert refusal(world, world.sign(replace(statement, measurements=()))).code == (
        "recipe.measurementMissing"
    )


def test_a_bundle_opens_what_its_maker_shows_and_nothing_else(world: World) -> None:
    send(world, world.envelope())
    line = world.tools.line(world.log)
    line.step()
    line.step()

    disclosed = world.tools.exporter.gather(world.log, FIRST).disclosed

    assert disclosed.settings is not None
    assert disclosed.measurements is not None
    assert (len(disclosed.settings.leaves), disclosed.settings.opened) == (2, ())
    assert [one.path for one in disclosed.measurements.opened] == ["/tolerance/bore"]


def test_a_second_signature_keeps_what_opens_the_values(world: World) -> None:
    data = world.envelope()
    second = world.tools.builds.countersign(data, machine=world.instrument, key=KeyName("operator"))

    found = Delivery.parse(second)

    assert len(Envelope.parse(found.envelope).signatures) == 2
    assert found.values == Delivery.parse(data).values
    assert found.statement() == Delivery.parse(data).statement()


def test_what_was_salted_is_salted_again_under_other_salts(world: World) -> None:
    first = Delivery.parse(world.envelope())
    clear = replace(world.tools, shown=None).builds

    again = Delivery.parse(clear.attest(first.statement(), key=KeyName(MACHINE)))

    assert first.values is not None
    assert again.values is not None
    assert again.values.shown == ()
    assert again.statement().settings == first.statement().settings
    assert again.values.roots != first.values.roots


def test_salts_are_drawn_and_never_made_from_one_another(world: World) -> None:
    delivery = Delivery.parse(world.envelope())
    assert delivery.values is not None
    assert delivery.values.settings is not None
    assert delivery.values.measurements is not None
    statement = delivery.statement()
    settings, measurements = delivery.values.settings.opened, delivery.values.measurements.opened
    opened = [(one.salt, one.path) for one in settings]
    opened += [(one.salt, one.path) for one in measurements]

    salts = {statement.salt, *(salt for salt, _ in opened)}

    assert len(salts) == 1 + len(opened)
    derived = {Bytes32(sha256(statement.salt + path.encode())) for _, path in opened}
    assert not derived & salts


def test_an_agent_sends_and_its_unit_becomes_final(field: Field) -> None:
    field.begin("one")
    field.work()
    field.finish("one")
    field.work()
    field.node.settle()
    field.work()

    with field.store.reading() as view:
        (row,) = view.signed()
        delivery = Delivery.parse(view.envelope(row.digest))
    assert row.state is SignedState.FINAL
    assert row.digest == delivery.digest
    assert delivery.statement().measurements == (field.piece().measurements)


def test_an_agent_signs_again_with_the_values_that_it_kept(field: Field) -> None:
    field.finish("one", field.piece("23.00"))
    field.work()
    with field.store.reading() as view:
        (old,) = view.signed()
        before = Delivery.parse(view.envelope(old.digest))

    new = field.attesting.sign_again(field.post, old.digest)

    with field.store.reading() as view:
        after = Delivery.parse(view.envelope(new.digest))
    statement = after.statement()
    assert old.code == "recipe.toleranceExceeded"
    assert statement.replaces == old.digest
    assert statement.measurements == before.statement().measurements
    assert after.values != before.values


def test_scrap_leaves_out_what_the_part_would_have_had(world: World) -> None:
    statement: BuildStatement = world.tools.builds.scrapped(
        Delivery.parse(world.envelope()).statement(), "warped"
    )

    found = Delivery.parse(world.sign(statement)).statement()

    assert (found.measurements, found.scrap) == ((), "warped")
    assert found.settings == world.statement().settings
