"""A design as a whole: licenses with their draws and royalties, revisions, files for its owner."""

from dataclasses import replace
from io import BytesIO

import pytest

from fakes.world import DESIGNER, SITE, World, make_world
from guildmark.domain.chain.facts import LaneFact, LicenseFact, PaidFact, RevisionFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import (
    Bytes32,
    DesignId,
    Digest,
    LaneNumber,
    LicenseId,
    Uint256,
    UnitNumber,
)
from guildmark.domain.recipes.clauses import clause_root, disclose_all
from guildmark.domain.rights.geometry import Geometry, Mesh
from guildmark.domain.rights.terms import TermsKind, terms_members
from guildmark.ports.store import DocumentKind
from guildmark.services.index.projection import known
from guildmark.services.recipes.disclosing import clauses_body
from guildmark.services.rights import overview
from guildmark.services.rights.designs import SourceFile
from guildmark.services.rights.history import PastFacts


@pytest.fixture
def world() -> World:
    return make_world()


def granted(world: World) -> LicenseFact:
    with world.tools.store.reading() as view:
        return known(view.facts, LicenseFact, 1)


def lane(number: int, license_: int, drawn: int, world: World) -> LaneFact:
    with world.tools.store.reading() as view:
        one = known(view.facts, LaneFact, world.lane)
    return replace(
        one,
        number=LaneNumber(number),
        license=license_,
        first=UnitNumber(1),
        next=UnitNumber(1 + drawn),
        end=UnitNumber(20),
    )


def test_draws_and_royalties_of_licenses_below_count_above(world: World) -> None:
    root = granted(world)
    above = replace(root, number=1, terms=replace(root.terms, royalty=Uint256(10)))
    below = replace(
        root,
        number=2,
        id=LicenseId(sha256(b"below")),
        terms=replace(root.terms, parent=root.id, royalty=Uint256(7)),
    )
    foreign = replace(
        root,
        number=3,
        id=LicenseId(sha256(b"foreign")),
        terms=replace(root.terms, design=DesignId(sha256(b"another"))),
    )
    facts = PastFacts()
    facts.put(above, below, foreign, lane(1, 1, 3, world), lane(2, 2, 4, world))
    facts.put(lane(3, 3, 9, world), PaidFact(lane=LaneNumber(1), license=1, units=3))
    facts.put(PaidFact(lane=LaneNumber(2), license=1, units=1))

    first, second = overview.held(root.terms.design, facts)

    assert (first.above, first.drawn, first.paid) == (0, 7, 4)
    assert (first.paid_amount, first.owed_amount) == (40, 30)
    assert (second.above, second.drawn, second.paid) == (1, 4, 0)
    assert (second.paid_amount, second.owed_amount) == (0, 28)
    assert overview.held(DesignId(sha256(b"none")), facts) == []


def test_revisions_come_with_what_they_build_on(world: World) -> None:
    stranger = Digest(sha256(b"of another chain"))
    first = world.revision
    second = replace(first, number=2, derived_from=(first.digest(), stranger))
    facts = PastFacts()
    facts.put(*(RevisionFact(revision=one, cid="") for one in (first, second)))

    assert overview.revisions(first.design, facts) == [second, first]
    assert overview.origins(first, facts) == ()
    assert overview.origins(second, facts) == [(first.digest(), first), (stranger, None)]


def test_who_speaks_for_the_owner_now_is_named(world: World) -> None:
    tools = world.tools
    next_one = tools.account(SITE).address
    owner = tools.account(DESIGNER).address
    with tools.store.reading() as view:
        assert overview.speakers(owner, view.facts) == [world.designer]
    tools.identities(DESIGNER).propose_controller(world.designer, next_one)
    tools.identities(SITE).accept_controller(world.designer)
    tools.indexing().follow()

    with tools.store.reading() as view:
        assert overview.speakers(owner, view.facts) == []
        assert world.designer in overview.speakers(next_one, view.facts)


def test_license_texts_are_those_that_the_home_holds(world: World) -> None:
    license_ = granted(world)
    with world.tools.store.reading() as view:
        assert overview.texts(license_, view.documents) == ()
    members = terms_members(
        {TermsKind.LICENSE_TEXT: ["SPDX:MIT"], TermsKind.TEXT: ["the price"]},
        new_salt=lambda: Bytes32(b"\1" * 32),
    )
    under = replace(license_, terms=replace(license_.terms, terms_root=clause_root(members)))
    with world.tools.store.writing() as work:
        body = clauses_body(disclose_all(members))
        work.documents.put(DocumentKind.TERMS, license_.id, body)

    with world.tools.store.reading() as view:
        assert overview.texts(under, view.documents) == ("SPDX:MIT",)
        assert overview.texts(license_, view.documents) == ()


def test_files_are_known_to_the_home_that_registered_them(world: World) -> None:
    tools = world.tools
    cube = Geometry(unit="mm", mesh=Mesh(box=("1", "2", "3"), triangles=12, volume="6"))
    source = SourceFile(name="a.stl", media_type="model/stl", content=BytesIO(b"a"), geometry=cube)
    design = tools.designs(DESIGNER).register([source])
    tools.indexing().follow()

    with tools.store.reading() as view:
        (revision,) = overview.revisions(design, view.facts)
        (file,) = overview.files(revision, view.documents)
        elsewhere = replace(revision, number=2, manifest=Digest(b"\1" * 32))
        assert overview.files(elsewhere, view.documents) == ()
    assert (file.name, file.geometry) == ("a.stl", cube)
