"""Assignments: what a machine is told follows from its lane, site recipe and links."""

from dataclasses import replace

import pytest

from fakes.world import MAKER, OPERATOR, SITE, Tools, World, make_world
from guildmark.domain.clause import ClausePath
from guildmark.domain.hashing import sha256
from guildmark.domain.identifiers import IdentityId, LaneNumber, SiteRecipeId, UnitNumber
from guildmark.domain.identity import IdentityKind
from guildmark.domain.predicate import Beacon, Setting
from guildmark.domain.refusals import LicenseUnknownError, RecipeUnknownError
from guildmark.services.assignments import (
    Assignments,
    BeaconTooOldError,
    Order,
    RecordMissingError,
    UnlinkedError,
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
