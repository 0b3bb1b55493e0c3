"""The door in the light of notices and accreditations: what a reader would doubt is not logged."""

from dataclasses import replace

import pytest

from fakes import world as small
from fakes.keys import signing_key
from fakes.world import ISSUER, MACHINE, OPERATOR, SITE, World, clause, make_world
from guildmark.domain.identifiers import AccreditationId
from guildmark.domain.identity.accreditation import ScopeDocument
from guildmark.domain.identity.identity import key_id
from guildmark.domain.recipes.clause import ClauseClass
from guildmark.domain.recipes.recipe import RecipeDocument
from guildmark.domain.trust import VERSION, Listed, Trust
from guildmark.services.identity.notices import Suspicion

QUALITY = ScopeDocument(standard="ISO 9001")


def beaconed(world: World) -> World:
    """Return the world with a beacon that is younger than all rights."""
    beacon = world.tools.logs(OPERATOR).tick()
    world.tools.indexing(world.log).follow()
    return replace(world, beacon=beacon)


def code(world: World, *, lists: bool = False) -> str:
    authorities = (Listed(id=world.issuer),) if lists else ()
    pin = world.tools.chain.pin()
    trust = Trust(version=VERSION, chain=pin, authorities=authorities)
    ingest = replace(world.tools.ingest(world.log), trust=trust)
    (answer,) = ingest.receive([world.envelope()])
    return "accepted" if answer.error is None else answer.error.code


@pytest.fixture
def world() -> World:
    world = make_world()
    world.disclose()
    return world


@pytest.mark.parametrize("lists", [True, False])
def test_an_authoritys_notice_on_the_key_counts_where_it_is_listed(
    world: World, lists: bool
) -> None:
    key = key_id(world.machine, signing_key(world.tools.keys, MACHINE))
    said = Suspicion(since=1)
    world.tools.notices(ISSUER).warn_of_key(world.issuer, world.machine, key, said)
    fresh = beaconed(world)

    assert code(fresh, lists=lists) == ("build.madeInDoubt" if lists else "accepted")


@pytest.mark.parametrize("party", ["machine", "site", "maker"])
def test_an_authoritys_notice_on_who_linked_counts(world: World, party: str) -> None:
    said = Suspicion(since=1)
    identity = getattr(world, party)
    world.tools.notices(ISSUER).warn_of_controller(world.issuer, identity, 1, said)
    fresh = beaconed(world)

    assert code(fresh) == "accepted"
    assert code(replace_label(fresh), lists=True) == "build.madeInDoubt"


def replace_label(world: World) -> World:
    """Return the world, about to send its next part."""
    return _Second(**{name: getattr(world, name) for name in World.__dataclass_fields__})


class _Second(World):
    def envelope(self, number: int = 1) -> bytes:
        return super().envelope(number + 1)


def test_a_controllers_own_notice_counts_from_its_suspicion_on(world: World) -> None:
    world.tools.notices(SITE).of_controller(world.site, Suspicion(since=world.tools.chain.now))
    fresh = beaconed(world)

    assert code(fresh) == "accepted"

    world.tools.notices(SITE).of_controller(world.site, Suspicion(since=1))
    fresh = beaconed(world)

    assert code(replace_label(fresh)) == "build.madeInDoubt"


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world whose recipe asks that the maker is accredited."""
    asked = clause("/qa/accreditation/quality", ClauseClass.CORE, value="ISO 9001")
    leaves = sorted((*small.RECIPE.clauses, asked), key=lambda leaf: leaf.path)
    monkeypatch.setattr(small, "RECIPE", RecipeDocument(name="Bracket", clauses=tuple(leaves)))
    world = make_world()
    world.disclose()
    return world


def accredit(world: World, scope: ScopeDocument = QUALITY, until: int = 0) -> AccreditationId:
    issuing = world.tools.accreditations(ISSUER)
    return issuing.give(world.issuer, world.maker, scope, until=until)


def test_an_accredited_maker_is_taken(asking: World) -> None:
    accredit(asking)

    assert code(beaconed(asking)) == "accepted"


def test_a_maker_who_is_not_accredited_is_refused(asking: World) -> None:
    assert code(asking) == "build.notAccredited"

    accredit(asking, ScopeDocument(standard="ISO 13485"))
    assert code(beaconed(asking)) == "build.notAccredited"


def test_an_accreditation_younger_than_the_beacon_is_not_enough(asking: World) -> None:
    accredit(asking)
    asking.tools.indexing(asking.log).follow()

    assert code(asking) == "build.notAccredited"
    assert code(replace_label(beaconed(asking))) == "accepted"


def test_an_accreditation_that_was_revoked_is_not_enough(asking: World) -> None:
    given = accredit(asking)
    asking.tools.indexing(asking.log).follow()
    asking.tools.accreditations(ISSUER).revoke(given)

    assert code(beaconed(asking)) == "build.notAccredited"


def test_an_accreditation_that_ended_is_not_enough(asking: World) -> None:
    accredit(asking, until=asking.tools.chain.now + 40)
    first = beaconed(asking)
    assert code(first) == "accepted"

    while asking.tools.chain.now < first.beacon.time + 60:
        asking.tools.logs(OPERATOR).tick()
    asking.tools.indexing(asking.log).follow()

    assert code(replace_label(first)) == "build.notAccredited"
