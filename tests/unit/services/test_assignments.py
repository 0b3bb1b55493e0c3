"""Assignments: what a machine is told follows from its lane, site recipe and links."""

from dataclasses import replace

import pytest

from fakes.store import MemoryNodeStore
from fakes.world import MACHINE, MAKER, OPERATOR, SITE, Tools, World, make_world
from guildmark.domain.builds.predicate import CLOCK_TOLERANCE, Beacon, Setting
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.chain.refusals import KeyUnknownError, LicenseUnknownError, RecipeUnknownError
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import IdentityId, KeyId, LaneNumber, SiteRecipeId, UnitNumber
from guildmark.domain.identity.identity import IdentityKind, key_id
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.recipes.gcode import JobDepartsError
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.assignments import (
    Assignments,
    BeaconTooOldError,
    Order,
    RecordMissingError,
    UnlinkedError,
    order_of,
)
from guildmark.services.builds.builds import signing_key
from guildmark.services.log.admission import (
    ClockAheadError,
    InstrumentUnknownError,
    MeasurementMissingError,
    SettingsNotRecordedError,
)


@pytest.fixture
def world() -> World:
    return make_world()


def order(world: World) -> Order:
    return Order(
        machine=world.machine,
        lane=world.lane,
        site_recipe=world.site_recipe,
        job=sha256(b"job"),
        settings=(Setting(path=ClausePath("/process/layer_height"), value="0.36", unit="mm"),),
    )


def assignments(world: World) -> Assignments:
    return Assignments(store=world.tools.store)


def test_assignment_is_what_the_facts_say(world: World) -> None:
    assigned = assignments(world).assign(order(world))

    statement = world.statement()
    assert assigned.external == statement.external
    assert (assigned.maker, assigned.site) == (world.maker, world.site)
    assert assigned.ciphertext == world.revision.ciphertext


def test_unknown_lane_is_refused(world: World) -> None:
    with pytest.raises(LicenseUnknownError, match="99"):
        assignments(world).assign(replace(order(world), lane=LaneNumber(99)))


def test_unknown_site_recipe_is_refused(world: World) -> None:
    unknown = replace(order(world), site_recipe=SiteRecipeId(bytes(32)))

    with pytest.raises(RecipeUnknownError):
        assignments(world).assign(unknown)


def test_machine_that_was_never_linked_is_refused(world: World) -> None:
    with pytest.raises(UnlinkedError):
        assignments(world).assign(replace(order(world), machine=world.instrument))


def test_machine_whose_link_ended_is_refused(world: World) -> None:
    world.tools.identities(SITE).end_link(world.machine, world.site)
    world.tools.indexing().follow()

    with pytest.raises(UnlinkedError):
        assignments(world).assign(order(world))


def test_beacon_is_the_newest_final_record(world: World) -> None:
    newest = world.tools.logs(OPERATOR).tick()
    world.tools.indexing().follow()
    assigned = assignments(world).assign(order(world))

    beacon = assignments(world).beacon(assigned)

    assert beacon == Beacon(log=newest.log, seq=newest.seq, record_digest=newest.digest())


def test_record_of_the_time_of_the_youngest_right_is_a_beacon(world: World) -> None:
    assigned = assignments(world).assign(order(world))
    head = world.tools.chain.blocks[-1]
    relink(world)
    since = world.tools.chain.now
    world.tools.chain.blocks[-1] = replace(world.tools.chain.blocks[-1], time=since)
    record = world.tools.logs(OPERATOR).tick()
    world.tools.indexing().follow()

    assert assignments(world).beacon(assigned).seq == record.seq
    assert head.time < since <= record.time


def test_no_record_after_the_youngest_right_is_no_beacon(world: World) -> None:
    assigned = assignments(world).assign(order(world))
    relink(world)
    world.tools.indexing().follow()

    with pytest.raises(BeaconTooOldError):
        assignments(world).beacon(assigned)


def test_chain_without_a_record_has_no_beacon(world: World) -> None:
    assigned = assignments(world).assign(order(world))
    tools = Tools()
    tools.identities(MAKER).register(IdentityKind.ORGANIZATION, {"name": "M"})
    world.tools.store.__dict__["_state"].facts = {
        key: fact
        for key, fact in world.tools.store.__dict__["_state"].facts.items()
        if key[0] not in {"LogFact", "RecordFact"}
    }

    with pytest.raises(RecordMissingError):
        assignments(world).beacon(assigned)


def relink(world: World) -> None:
    """End the machine's link and begin it anew, now."""
    own = world.tools.identities(SITE)
    own.end_link(world.machine, world.site)
    own.request_link(world.machine, world.site)
    own.accept_link(world.machine, world.site)


def test_identity_that_nobody_knows_is_linked_to_nobody(world: World) -> None:
    with pytest.raises(UnlinkedError):
        assignments(world).assign(replace(order(world), machine=IdentityId(bytes(32))))


def named(world: World, number: int, unit: int | None) -> bytes:
    """Return the envelope about part ``number``, which names a unit."""
    statement = world.statement(number)
    external = replace(statement.external, unit=None if unit is None else UnitNumber(unit))
    return world.sign(replace(statement, external=external))


def next_unit(world: World, *signed: bytes) -> int | None:
    """Return the unit that the next statement names."""
    assigned = assignments(world).assign(order(world))
    return assignments(world).with_unit(assigned, signed).external.unit


def drawn(world: World, *envelopes: bytes) -> None:
    """Log envelopes, so that their units are drawn."""
    world.disclose()
    for answer in world.tools.ingest(world.log).receive(envelopes):
        assert answer.error is None
    line = world.tools.line(world.log)
    line.step()
    line.step()


def test_the_first_unit_of_a_fresh_lane_is_named(world: World) -> None:
    assert next_unit(world) == 1


def test_units_that_were_signed_are_counted_before_they_are_drawn(world: World) -> None:
    assert next_unit(world, named(world, 1, 1), named(world, 2, 2)) == 3


def test_units_that_were_drawn_are_counted(world: World) -> None:
    first = named(world, 1, 1)
    drawn(world, first)

    assert next_unit(world, first) == 2


def test_a_unit_that_another_home_signed_lets_no_unit_be_named(world: World) -> None:
    drawn(world, named(world, 1, 1))

    assert next_unit(world) is None


def test_a_statement_without_a_unit_lets_no_later_one_be_named(world: World) -> None:
    assert next_unit(world, named(world, 1, None)) is None


def test_a_spent_lane_has_no_unit_to_name(world: World) -> None:
    signed = [named(world, number, number) for number in (1, 2, 3)]

    assert next_unit(world, *signed[:2]) == 3
    assert next_unit(world, *signed) is None


def test_statements_of_other_lanes_and_files_that_are_none_count_for_nothing(world: World) -> None:
    statement = world.statement(1)
    other = replace(statement.external, lane=LaneNumber(99), unit=UnitNumber(2))
    foreign = world.sign(replace(statement, external=other))

    assert next_unit(world, foreign, b"{}") == 1


def key_of(world: World) -> KeyId:
    return key_id(world.machine, signing_key(world.tools.keys, KeyName(MACHINE)))


def test_what_the_log_would_take_is_foreseen(world: World) -> None:
    assignments(world).foresee(world.statement(), key_of(world))


def test_a_key_that_is_none_of_the_machine_is_foreseen(world: World) -> None:
    with pytest.raises(KeyUnknownError, match="none of machine"):
        assignments(world).foresee(world.statement(), KeyId(bytes(32)))


def test_a_clock_ahead_is_foreseen_from_its_bound_on(world: World) -> None:
    statement = world.statement()
    with world.tools.store.reading() as view:
        block = view.facts.cursor()
    assert block is not None
    latest = block.time + CLOCK_TOLERANCE

    def ending(at: int) -> BuildStatement:
        return replace(statement, run=replace(statement.run, finished_on=at))

    assignments(world).foresee(ending(latest), key_of(world))
    with pytest.raises(ClockAheadError):
        assignments(world).foresee(ending(latest + 1), key_of(world))


def test_a_missing_measurement_and_setting_are_foreseen(world: World) -> None:
    with pytest.raises(MeasurementMissingError, match="/tolerance/bore"):
        assignments(world).foresee(replace(world.statement(), measurements=()), key_of(world))
    with pytest.raises(SettingsNotRecordedError):
        assignments(world).foresee(replace(world.statement(), settings=()), key_of(world))


def test_an_unknown_instrument_is_foreseen_where_the_recipe_is_not_here(world: World) -> None:
    state = world.tools.store.__dict__["_state"]
    del state.documents[DocumentKind.RECIPE_DOCUMENT, world.site_recipe]
    statement = world.statement()
    strange = tuple(replace(one, instrument="caliper") for one in statement.measurements)

    assignments(world).foresee(replace(statement, measurements=()), key_of(world))
    with pytest.raises(InstrumentUnknownError):
        assignments(world).foresee(replace(statement, measurements=strange), key_of(world))


def test_a_home_that_read_no_block_knows_no_time_and_no_key(world: World) -> None:
    empty = Assignments(store=MemoryNodeStore())

    with pytest.raises(KeyUnknownError):
        empty.foresee(world.statement(), key_of(world))


JOB = ("M109 S230", "G1 Z0.3 F600", "G1 X1 E1", "G1 Z0.66", "G1 X2 E2", "G1 Z1.02", "G1 X3 E3")


def keep_site_recipe(world: World) -> None:
    with world.tools.store.writing() as work:
        work.documents.put(
            DocumentKind.RECIPE_DOCUMENT, world.site_recipe, world.site_document.encode()
        )


def test_a_job_is_held_against_the_sites_recipe_and_completes_the_settings(world: World) -> None:
    keep_site_recipe(world)

    settings = assignments(world).held(world.site_recipe, JOB, ())

    assert [(one.path, one.value) for one in settings] == [("/process/layer_height", "0.36")]


def test_a_job_that_leaves_the_sites_recipe_is_refused(world: World) -> None:
    keep_site_recipe(world)
    thick = [line.replace("Z1.02", "Z1.2") for line in JOB]

    with pytest.raises(JobDepartsError) as caught:
        assignments(world).held(world.site_recipe, thick, ())

    assert caught.value.detail["path"] == "/process/layer_height"


def test_a_home_without_the_recipe_leaves_settings_as_they_are(world: World) -> None:
    unknown = SiteRecipeId(sha256(b"elsewhere"))

    assert assignments(world).held(unknown, JOB, ()) == ()


def test_scrap_is_foreseen_by_its_key_and_time_alone(world: World) -> None:
    said = replace(world.tools.builds.scrapped(world.statement(), "it fell"), settings=())

    assignments(world).foresee(said, key_of(world))
    with pytest.raises(KeyUnknownError, match="none of machine"):
        assignments(world).foresee(said, KeyId(bytes(32)))


def test_what_was_ordered_is_told_by_what_was_stated(world: World) -> None:
    statement = world.statement()

    order = order_of(statement)
    jobless = order_of(replace(statement, resolved=statement.resolved[:1]))

    assert (order.machine, order.lane) == (world.machine, world.lane)
    assert (order.site_recipe, order.settings) == (world.site_recipe, statement.settings)
    assert order.job == statement.resource("job")
    assert jobless.job == bytes(32)
