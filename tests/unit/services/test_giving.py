"""Units and who gave them: judged by when each act was recorded, at the door and at the release."""

from dataclasses import replace

import pytest

from fakes.releases import Releases, make_releases
from fakes.world import DESIGNER, MAKER, SITE, Tools, World, make_world
from guildmark.domain.chain import storage
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import (
    ControllerFact,
    DesignFact,
    DesignOwnerFact,
    ExtensionFact,
    LaneFact,
    LicenseFact,
    RecipeFact,
    RevisionFact,
    SiteRecipeFact,
)
from guildmark.domain.identifiers import Address, IdentityId, Index, LaneNumber, UnitNumber, to_hex
from guildmark.domain.log.record import Grant
from guildmark.domain.recipes.recipe import Status
from guildmark.domain.rights.terms import Extension
from guildmark.domain.verification.evidence import ExtensionDisclosure, LaneDisclosure
from guildmark.domain.verification.slots import required_slots
from guildmark.ports.keys import KeyName
from guildmark.services.evidence.evidence import disclosures
from guildmark.services.identity.notices import Suspicion
from guildmark.services.index.projection import FactMissingError, known
from guildmark.services.rights.giving import (
    GivenInDoubtError,
    PublishedInDoubtError,
    check_given,
    check_published,
    lanes_above,
    published_times,
    signing,
    spoke_for,
)
from guildmark.services.rights.licenses import SignedExtension


@pytest.fixture
def world() -> World:
    world = make_world()
    world.disclose()
    return world


def root(world: World) -> LicenseFact:
    with world.tools.store.reading() as view:
        return known(view.facts, LicenseFact, 1)


def lane(world: World, number: int) -> LaneFact:
    with world.tools.store.reading() as view:
        return known(view.facts, LaneFact, number)


def doubt(tools: Tools, name: str, identity: IdentityId, since: int) -> None:
    tools.notices(name).of_controller(identity, Suspicion(since=since))
    tools.indexing().follow()


def refused(world: World, number: LaneNumber | None = None) -> bool:
    at = world.lane if number is None else number
    with world.tools.store.reading() as view:
        try:
            check_given(known(view.facts, LaneFact, at), root(world), view.facts, None)
        except GivenInDoubtError as error:
            return error.detail["lane"] == at
    return False


def extended(world: World, more: int = 4) -> LaneNumber:
    """Let the owner of the design add units; return a lane of them."""
    extension = Extension(license=world.license, units=3, more=more, offer_until=2**40 - 1)
    made = world.tools.licenses(DESIGNER).extend(SignedExtension(extension=extension))
    world.tools.indexing(world.log).follow()
    return made


@pytest.mark.parametrize(("later", "is_refused"), [(0, True), (1, False)])
def test_what_was_granted_is_doubted_by_when_it_was(
    world: World, later: int, is_refused: bool
) -> None:
    doubt(world.tools, DESIGNER, world.designer, root(world).granted_at + later)

    assert refused(world, lane(world, world.lane).source) is is_refused


@pytest.mark.parametrize(("later", "is_refused"), [(0, True), (1, False)])
def test_what_was_added_is_doubted_by_when_it_was(
    world: World, later: int, is_refused: bool
) -> None:
    made = extended(world)
    with world.tools.store.reading() as view:
        added = known(view.facts, ExtensionFact, 1, 4)
    doubt(world.tools, DESIGNER, world.designer, added.at + later)

    assert refused(world, made) is is_refused
    # The designer holds the first lane of his own license, and gave this one long before.
    assert refused(world) is False


@pytest.mark.parametrize(("later", "is_refused"), [(0, True), (1, False)])
def test_a_lane_is_doubted_by_when_it_was_given(world: World, later: int, is_refused: bool) -> None:
    given = lane(world, world.lane)
    doubt(world.tools, DESIGNER, world.designer, given.given_at + later)

    assert refused(world) is is_refused
    assert refused(world, given.source) is False


def test_each_lane_above_counts_by_its_own_time(world: World) -> None:
    below = world.tools.licenses(SITE).split(
        lane(world, world.lane), 1, log=world.log, to=world.site
    )
    world.tools.indexing(world.log).follow()
    doubt(world.tools, SITE, world.site, lane(world, below).given_at)

    with world.tools.store.reading() as view:
        above = [one.number for one in lanes_above(known(view.facts, LaneFact, below), view.facts)]
    assert above == [world.lane, 1]
    assert refused(world, below)
    assert not refused(world)


def test_units_that_came_back_are_as_before_they_were_given(world: World) -> None:
    """What a thief gave away is taken back, and good again."""
    thief = world.tools.licenses(SITE).split(
        lane(world, world.lane), 1, log=world.log, to=world.site
    )
    world.tools.indexing(world.log).follow()
    doubt(world.tools, SITE, world.site, lane(world, thief).given_at)
    own = world.tools.licenses(SITE)
    own.reclaim(lane(world, thief))
    world.tools.indexing(world.log).follow()
    while world.tools.chain.now < lane(world, thief).reclaim_at:
        world.tools.chain.mine()
    back = own.reclaim(lane(world, thief))
    world.tools.indexing(world.log).follow()

    assert refused(world, thief)
    assert back is not None
    assert not refused(world, back)


def test_signing_tells_the_epoch_of_what_was_added(world: World) -> None:
    extended(world)
    with world.tools.store.writing() as work:
        added = known(work.facts, ExtensionFact, 1, 4)
        work.facts.put(
            replace(added, epoch=1),
            DesignOwnerFact(
                design=world.revision.design, epoch=1, owner=Address(b"\7" * 20), since=added.at
            ),
        )
        acts = [signing(root(world), UnitNumber(unit), work.facts) for unit in (3, 4, 7)]

    designer = world.tools.keys.address(KeyName(DESIGNER))
    assert [one.account for one in acts] == [designer, b"\7" * 20, b"\7" * 20]
    assert [one.extension for one in acts] == [None, 4, 4]
    assert [one.epoch for one in acts] == [0, 1, 1]
    assert acts[0].at == root(world).granted_at < acts[1].at == added.at


def test_a_unit_that_nobody_added_is_an_error_of_the_index(world: World) -> None:
    with world.tools.store.reading() as view, pytest.raises(FactMissingError):
        signing(root(world), UnitNumber(4), view.facts)


def test_an_account_spoke_in_its_own_time(world: World) -> None:
    account, following = (world.tools.account(name).address for name in (DESIGNER, MAKER))
    with world.tools.store.reading() as view:
        since = known(view.facts, ControllerFact, world.designer, 1).since
    world.tools.identities(DESIGNER).propose_controller(world.designer, following)
    world.tools.identities(MAKER).accept_controller(world.designer)
    world.tools.indexing().follow()

    with world.tools.store.reading() as view:
        changed = known(view.facts, ControllerFact, world.designer, 2).since
        told = {at: list(spoke_for(account, at, view.facts)) for at in (0, since, changed)}
        after = list(spoke_for(account, changed + 1, view.facts))
        early, late = (
            world.designer in spoke_for(following, at, view.facts) for at in (changed - 1, changed)
        )

    assert list(told.values()) == [[world.designer]] * 3
    assert after == []
    assert (early, late) == (False, True)


def test_a_doubted_grant_is_refused_at_the_door(world: World) -> None:
    doubt(world.tools, DESIGNER, world.designer, root(world).granted_at)

    (answer,) = world.tools.ingest(world.log).receive([world.envelope()])

    assert answer.error is not None
    assert answer.error.code == "license.givenInDoubt"


def sold(world: World, name: str = MAKER) -> int:
    """Let the design be sold to another account, and return when."""
    design = world.revision.design
    with world.tools.store.reading() as view:
        owner = known(view.facts, DesignFact, design).owner
    moved = {"from": owner, "to": world.tools.account(name).address}
    world.tools.chain.mine()
    token = int.from_bytes(design, "big")
    world.tools.chain.emit(ContractName.DESIGNS, "Transfer", **moved, tokenId=token)
    world.tools.indexing().follow()
    return world.tools.chain.now


def first_doubt(world: World, at: int) -> tuple[object, object] | None:
    """Return whom a notice doubts for a paper of a time, and for what he did when."""
    with world.tools.store.reading() as view:
        given = known(view.facts, LaneFact, world.lane)
        try:
            check_published(given, root(world), [at], view.facts, None)
        except PublishedInDoubtError as error:
            return error.detail["identity"], error.detail["time"]
    return None


@pytest.mark.parametrize(
    ("later", "published", "doubted"), [(0, 9, 0), (1, 9, None), (0, 0, 0), (-1, -1, -1)]
)
def test_a_seller_is_doubted_for_his_time_and_for_the_sale(
    world: World, later: int, published: int, doubted: int | None
) -> None:
    at = sold(world)
    doubt(world.tools, DESIGNER, world.designer, at + later)

    found = first_doubt(world, at + published)

    assert found == (None if doubted is None else (to_hex(world.designer), at + doubted))


@pytest.mark.parametrize(("published", "is_doubted"), [(-1, False), (0, True), (9, True)])
def test_a_buyer_is_doubted_for_what_he_published(
    world: World, published: int, is_doubted: bool
) -> None:
    at = sold(world)
    doubt(world.tools, MAKER, world.maker, at - 1)

    assert (first_doubt(world, at + published) is not None) is is_doubted


def test_who_sells_and_buys_back_is_doubted_for_his_own_times(world: World) -> None:
    first, second = sold(world), sold(world, DESIGNER)
    doubt(world.tools, DESIGNER, world.designer, first + 1)

    told = {at: first_doubt(world, at) for at in (first - 1, first + 1, second, second + 1)}

    assert [at for at, found in told.items() if found] == [second, second + 1]


def published(world: World) -> tuple[int, int]:
    with world.tools.store.reading() as view:
        recipe = known(view.facts, RecipeFact, world.recipe.id())
    return world.revision.at, recipe.published_at


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(("later", "is_refused"), [(0, True), (1, False)])
def test_what_was_published_is_doubted_by_when_it_was(
    world: World, which: int, later: int, is_refused: bool
) -> None:
    at = published(world)[which]
    doubt(world.tools, DESIGNER, world.designer, at + later)

    with world.tools.store.reading() as view:
        given = known(view.facts, LaneFact, world.lane)
        try:
            check_published(given, root(world), [at], view.facts, None)
            refused = False
        except PublishedInDoubtError as error:
            refused = error.detail["time"] == at
    assert refused is is_refused


def publish_later(world: World, which: int) -> None:
    """Let a paper be one that was published after the units were given, in doubt."""
    with world.tools.store.writing() as work:
        at = known(work.facts, LaneFact, world.lane).given_at + 1
        recipe = known(work.facts, RecipeFact, world.recipe.id())
        paper = known(work.facts, RevisionFact, world.revision.design, world.revision.number)
        revised = replace(paper, revision=replace(paper.revision, at=at))
        work.facts.put(replace(recipe, published_at=at) if which else revised)
    doubt(world.tools, DESIGNER, world.designer, at)


def test_papers_that_nobody_published_have_no_times(world: World) -> None:
    with world.tools.store.reading() as view:
        recipe = known(view.facts, RecipeFact, world.recipe.id())

    at = recipe.published_at
    assert published_times(None, None, at) == ()
    assert published_times(None, recipe, at) == (at, at)


def requalified(world: World) -> int:
    """Let the recipe's status be set again, and return when."""
    recipes = world.tools.recipes(DESIGNER)
    recipes.set_status(world.recipe.id(), Status.TRIAL)
    world.tools.indexing().follow()
    with world.tools.store.reading() as view:
        return known(view.facts, RecipeFact, world.recipe.id()).changed_at[-1]


@pytest.mark.parametrize(("later", "code"), [(0, "design.publishedInDoubt"), (1, None)])
def test_a_status_that_was_set_in_doubt_lets_nothing_in(
    world: World, later: int, code: str | None
) -> None:
    doubt(world.tools, DESIGNER, world.designer, requalified(world) + later)

    (answer,) = world.tools.ingest(world.log).receive([world.envelope()])

    assert (answer.error and answer.error.code) == code


def test_a_status_that_was_set_in_doubt_releases_no_keys() -> None:
    releases: Releases = make_releases()
    doubt(releases.world.tools, DESIGNER, releases.world.designer, requalified(releases.world))
    releases.follow()

    with pytest.raises(PublishedInDoubtError):
        releases.release(releases.site)


@pytest.mark.parametrize(("later", "code"), [(0, "build.madeInDoubt"), (1, None)])
def test_a_site_recipe_that_was_published_in_doubt_lets_nothing_in(
    world: World, later: int, code: str | None
) -> None:
    with world.tools.store.writing() as work:
        own = known(work.facts, SiteRecipeFact, world.site_recipe)
        at = known(work.facts, LaneFact, world.lane).given_at + 1
        work.facts.put(replace(own, published_at=at))
    doubt(world.tools, SITE, world.site, at + later)

    (answer,) = world.tools.ingest(world.log).receive([world.envelope()])

    assert (answer.error and answer.error.code) == code


@pytest.mark.parametrize("which", [0, 1])
def test_what_was_published_in_doubt_is_not_logged(world: World, which: int) -> None:
    publish_later(world, which)

    (answer,) = world.tools.ingest(world.log).receive([world.envelope()])

    assert answer.error is not None
    assert answer.error.code == "design.publishedInDoubt"


@pytest.mark.parametrize("which", [0, 1])
def test_what_was_published_in_doubt_gets_no_keys(which: int) -> None:
    releases: Releases = make_releases()
    publish_later(releases.world, which)
    releases.follow()

    with pytest.raises(PublishedInDoubtError):
        releases.release(releases.site)


def test_a_doubted_lane_gets_no_keys() -> None:
    releases: Releases = make_releases()
    world = releases.world
    with world.tools.store.reading() as view:
        given = known(view.facts, LaneFact, world.lane)
    doubt(world.tools, DESIGNER, world.designer, given.given_at)
    releases.follow()

    with pytest.raises(GivenInDoubtError):
        releases.release(releases.site)


def test_a_part_is_shown_with_its_lanes_and_its_extension(world: World) -> None:
    made = extended(world)
    world.tools.licenses(DESIGNER).split(lane(world, made), 4, log=world.log, to=world.site)
    world.tools.indexing(world.log).follow()
    world.tools.ingest(world.log).receive([world.envelope()])
    line = world.tools.line(world.log)
    line.step()
    line.step()
    found = world.tools.exporter.evidence(world.log, Index(0))
    (grant,) = found.core.record.grants
    record = replace(
        found.core.record,
        grants=(Grant(lane=LaneNumber(made + 1), n=grant.n, first_unit=UnitNumber(5)),),
    )
    core = replace(found.core, record=record)

    with world.tools.store.reading() as view:
        shown = disclosures(core, view)

    first = LaneDisclosure(number=LaneNumber(1), holder=world.designer)
    assert (found.disclosed.lanes, found.disclosed.extension) == ((first,), None)
    assert shown.lanes == (LaneDisclosure(number=made, holder=world.designer),)
    assert shown.extension == ExtensionDisclosure(first=UnitNumber(4), epoch=0)
    assert shown.owner == world.designer
    asked = required_slots(core, shown)[ContractName.LICENSES]
    assert storage.EXTENSIONS.at(1, UnitNumber(4)).slot in asked
    assert storage.ORIGINS.at(made).slot in asked
