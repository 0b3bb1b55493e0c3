"""A recipe that asks for two signatures: the door refuses one, and the bundle shows whose it is."""

from dataclasses import replace

import pytest

from fakes import world as small
from fakes.inspectors import PROBE, Inspector, make_inspector
from fakes.keys import signing_key
from fakes.store import MemoryNodeStore
from fakes.world import ISSUER, MACHINE, OPERATOR, SITE, World, clause, make_world
from guildmark.domain.builds.countersigning import COUNTERSIGNATURE
from guildmark.domain.builds.dsse import Envelope, MalformedEnvelopeError
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import IdentityId, Index, to_hex
from guildmark.domain.identity.identity import key_id
from guildmark.domain.recipes.clause import ClauseClass
from guildmark.domain.recipes.clauses import disclose
from guildmark.domain.recipes.recipe import RecipeDocument
from guildmark.ports.keys import KeyAlgorithm, KeyName
from guildmark.services.builds.countersigning import CountersignatureUnreadError, demanded
from guildmark.services.log.ingest import Reception

OTHER = "other organization"


def asking(monkeypatch: pytest.MonkeyPatch, whose: str) -> World:
    """Return a world whose recipe asks for a second signature."""
    asked = clause(str(COUNTERSIGNATURE), ClauseClass.CORE, value=whose)
    leaves = sorted((*small.RECIPE.clauses, asked), key=lambda leaf: leaf.path)
    recipe = RecipeDocument(name="Bracket", clauses=tuple(leaves))
    monkeypatch.setattr(small, "RECIPE", recipe)
    world = make_world()
    world.disclose()
    return world


def beaconed(world: World) -> World:
    """Return the world with a beacon that is younger than all rights."""
    beacon = world.tools.logs(OPERATOR).tick()
    world.tools.indexing(world.log).follow()
    return replace(world, beacon=beacon)


def code(world: World, envelope: bytes) -> str:
    (answer,) = world.tools.ingest(world.log).receive([envelope])
    return "accepted" if answer.error is None else answer.error.code


def countersign(world: World, envelope: bytes, machine: IdentityId, key: str = PROBE) -> bytes:
    return world.tools.builds.countersign(envelope, machine=machine, key=KeyName(key))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return asking(monkeypatch, OTHER)


@pytest.fixture
def inspector(world: World) -> Inspector:
    made = make_inspector(world)
    return replace(made, world=beaconed(world))


def test_one_signature_is_not_enough(inspector: Inspector) -> None:
    world = inspector.world

    assert code(world, world.envelope()) == "recipe.countersignatureMissing"


def test_both_signatures_are_logged_and_shown(inspector: Inspector) -> None:
    world = inspector.world
    both = countersign(world, world.envelope(), inspector.instrument)

    assert len(Envelope.parse(both).signatures) == 2
    assert code(world, both) == "accepted"
    line = world.tools.line(world.log)
    line.step()
    line.step()
    shown = world.tools.exporter.evidence(world.log, Index(0)).disclosed.countersigner
    assert shown is not None
    assert (shown.machine, shown.link.parent) == (inspector.instrument, inspector.organization)
    assert shown.key == signing_key(world.tools.keys, PROBE)


def test_a_second_machine_of_the_maker_is_not_another_organization(world: World) -> None:
    tools = world.tools
    tools.keys.create(PROBE, KeyAlgorithm.P256)
    own = tools.identities(SITE)
    own.add_key(world.instrument, signing_key(tools.keys, PROBE))
    own.request_link(world.instrument, world.site)
    own.accept_link(world.instrument, world.site)
    fresh = beaconed(world)
    both = countersign(fresh, fresh.envelope(), world.instrument)

    assert code(fresh, both) == "recipe.countersignatureMissing"


@pytest.mark.parametrize(("own", "expected"), [(True, "accepted"), (False, "other")])
def test_a_recipe_may_take_any_organization_or_name_one(
    monkeypatch: pytest.MonkeyPatch, own: bool, expected: str
) -> None:
    world = asking(monkeypatch, "any organization" if own else to_hex(bytes(32)))
    inspector = make_inspector(world)
    fresh = beaconed(world)
    both = countersign(fresh, fresh.envelope(), inspector.instrument)

    found = code(fresh, both)

    assert found == ("accepted" if expected == "accepted" else "recipe.countersignatureMissing")


def test_a_second_key_of_the_same_machine_is_no_second_signer(world: World) -> None:
    keys = world.tools.keys
    keys.create(KeyName("further"), KeyAlgorithm.P256)
    world.tools.identities(SITE).add_key(world.machine, signing_key(keys, "further"))
    fresh = beaconed(world)
    both = countersign(fresh, fresh.envelope(), world.machine, "further")

    assert code(fresh, both) == "recipe.countersignatureMissing"


def test_an_instrument_of_nobody_is_no_second_signer(inspector: Inspector) -> None:
    account = replace(inspector.world.tools.identities(ISSUER), store=MemoryNodeStore())
    account.end_link(inspector.site, inspector.organization)
    world = beaconed(inspector.world)
    both = countersign(world, world.envelope(), inspector.instrument)

    assert code(world, both) == "recipe.countersignatureMissing"
    account.end_link(inspector.instrument, inspector.site)
    world = beaconed(world)
    both = countersign(world, world.envelope(), inspector.instrument)
    assert code(world, both) == "recipe.countersignatureMissing"


def test_a_false_second_signature_is_refused(inspector: Inspector) -> None:
    world = inspector.world
    envelope = Envelope.parse(countersign(world, world.envelope(), inspector.instrument))
    first, second = envelope.signatures
    false = replace(second, signature=bytes([second.signature[0] ^ 1]) + second.signature[1:])

    assert code(world, replace(envelope, signatures=(first, false)).encode()) == (
        "signature.mismatch"
    )


def test_a_second_key_that_ended_is_refused(inspector: Inspector) -> None:
    world, keys = inspector.world, inspector.world.tools.keys
    both = countersign(world, world.envelope(), inspector.instrument)
    account = replace(world.tools.identities(ISSUER), store=MemoryNodeStore())
    account.end_key(inspector.instrument, key_id(inspector.instrument, signing_key(keys, PROBE)))
    world.tools.indexing(world.log).follow()

    assert code(world, both) == "key.outsideWindow"


def test_links_of_the_second_machine_must_be_older_than_the_beacon(world: World) -> None:
    inspector = make_inspector(world)
    both = countersign(world, world.envelope(), inspector.instrument)

    assert code(world, both) == "key.outsideWindow"


def test_a_clause_of_an_unknown_form_cannot_be_met(monkeypatch: pytest.MonkeyPatch) -> None:
    world = asking(monkeypatch, "whoever has time")

    assert code(world, world.envelope()) == "recipe.countersignatureUnread"


def test_a_hidden_clause_cannot_be_met(world: World) -> None:
    opened = [one.path for one in small.RECIPE.clauses if one.path != COUNTERSIGNATURE]
    shown = disclose(small.RECIPE.clauses, opened).verify(world.recipe.root)

    with pytest.raises(CountersignatureUnreadError, match="not shown"):
        demanded(shown)


def test_what_is_no_build_is_not_countersigned(inspector: Inspector) -> None:
    world = inspector.world
    signed = Envelope.parse(world.envelope())

    with pytest.raises(MalformedError):
        countersign(world, replace(signed, payload=b"{}").encode(), inspector.instrument)
    with pytest.raises(MalformedEnvelopeError):
        countersign(world, world.envelope(), world.machine, MACHINE)


def test_without_a_second_signature_nothing_of_it_is_shown(inspector: Inspector) -> None:
    world = inspector.world
    both = countersign(world, world.envelope(), inspector.instrument)
    (answer,) = world.tools.ingest(world.log).receive([both])
    assert answer.reception is Reception.ACCEPTED
    line = world.tools.line(world.log)
    line.step()
    line.step()
    account = replace(world.tools.identities(ISSUER), store=MemoryNodeStore())
    account.end_link(inspector.instrument, inspector.site)
    world.tools.indexing(world.log).follow()

    assert world.tools.exporter.evidence(world.log, Index(0)).disclosed.countersigner is None
