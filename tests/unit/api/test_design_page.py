"""The page of a design: public facts for everybody, more for its owner."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fakes.images import png
from fakes.world import DESIGNER, SITE, World, make_world
from guildmark.api.errors import ParameterInvalidError
from guildmark.api.pages.design import (
    DesignPage,
    PictureUnknownError,
    design_page,
    design_picture,
)
from guildmark.api.pages.rendering import render
from guildmark.api.serving import ServedNode
from guildmark.api.tickets import Tickets
from guildmark.domain.chain.facts import DesignFact, LicenseFact, RevisionFact
from guildmark.domain.chain.refusals import DesignUnknownError
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Address, DesignId, Digest, Uint256, to_hex
from guildmark.domain.rights.geometry import UNSTATED, Geometry, Mesh
from guildmark.ports.keys import KeyName
from guildmark.services.index.projection import known
from guildmark.services.rights.designs import SourceFile
from guildmark.services.rights.history import BeforeChainError
from guildmark.services.rights.pictures import Pictures

AFTER = 4_000_000_000
COIN = Address(b"\7" * 20)
_MESH = Mesh(box=("10.5", "20", "3"), triangles=1200, volume="630")
FILES = {
    "solid.stl": Geometry(unit="mm", mesh=_MESH),
    "open.stl": Geometry(unit=UNSTATED, mesh=replace(_MESH, volume=None)),
    "part.step": Geometry(unit="mm", schema="AP242"),
    "notes.txt": None,
}


@dataclass
class Clock:
    """A clock that a test sets."""

    time: int

    def now(self) -> int:
        return self.time


@pytest.fixture
def world() -> World:
    return make_world()


def node(world: World, now: int | None = None) -> ServedNode:
    """Return what the page asks of a node."""
    tools = world.tools
    clock = Clock(time=tools.chain.now if now is None else now)
    served = SimpleNamespace(
        store=tools.store,
        ledger=tools.chain,
        tickets=Tickets(clock=clock),
        judging=SimpleNamespace(clock=clock),
    )
    return cast("ServedNode", served)


def shown(world: World, **words: Any) -> DesignPage:
    words.setdefault("now", None)
    now = words.pop("now")
    return design_page(world.revision.design, node(world, now), **words)


def html(page: DesignPage) -> str:
    return render("design.html", page, host="parts.example.org")


def change(world: World, **changes: Any) -> None:
    """Change what the index says of the license."""
    with world.tools.store.writing() as work:
        fact = known(work.facts, LicenseFact, 1)
        terms = {name: changes.pop(name) for name in list(changes) if hasattr(fact.terms, name)}
        work.facts.put(replace(fact, terms=replace(fact.terms, **terms), **changes))


def test_a_stranger_sees_what_is_public(world: World) -> None:
    world.disclose()

    page = shown(world)

    assert page.headline == "0 of 3 licensed copies made"
    assert [one.href for one in page.speakers] == [f"/orgs/{to_hex(world.designer)}"]
    assert [fact.name for fact in page.facts] == [
        "Owner's account",
        "Priority",
        "Revisions",
        "Changed hands",
    ]
    (license_,) = page.licenses
    assert (license_.drawn, license_.standing, license_.percent) == ("0 of 3", "in force", 0)
    assert (license_.texts, license_.reconciliation, license_.royalty) == ((), "", "")
    assert all(row.files == () for row in page.revisions)
    text = html(page)
    assert "the owner sees more" in text
    assert "ticket" not in text
    assert "<form" not in text


def test_an_owner_sees_files_and_ways_on(world: World) -> None:
    sources = [
        SourceFile(name=name, media_type="model/x", content=BytesIO(b"abc"), geometry=geometry)
        for name, geometry in FILES.items()
    ]
    design = world.tools.designs(DESIGNER).register(sources)
    world.tools.indexing().follow()
    with world.tools.store.reading() as view:
        fact = known(view.facts, LicenseFact, 1)

    page = design_page(design, node(world), ticket="7-ab")
    own = shown(world, ticket="7-ab")

    (revision,) = page.revisions
    facts = {file.name: "; ".join(file.facts) for file in revision.files}
    assert facts == {
        "solid.stl": "box 10.5 by 20 by 3 mm; 1,200 triangles; watertight, volume 630 mm³",
        "open.stl": "box 10.5 by 20 by 3 (unit not stated); 1,200 triangles; "
        "not watertight, so that it has no volume",
        "part.step": "STEP schema AP242, not measured",
        "notes.txt": "",
    }
    assert page.headline == "Nobody holds a license yet"
    path, _, ticket = own.licenses[0].reconciliation.partition("?ticket=")
    assert path == f"/licenses/{to_hex(fact.id)}/reconciliation"
    assert ticket
    assert "1,200 triangles" in html(page)
    assert 'type="date"' in html(page)
    assert "Compare released keys with copies" in html(own)


@pytest.mark.parametrize(
    ("changes", "now", "standing"),
    [
        ({}, None, "in force"),
        ({"not_before": AFTER}, AFTER - 1, "not begun"),
        ({"not_before": AFTER}, AFTER, "in force"),
        ({"not_after": AFTER}, AFTER - 1, "in force"),
        ({"not_after": AFTER}, AFTER, "ended"),
        ({"stop_at": AFTER}, AFTER - 1, "ends by notice"),
        ({"stop_at": AFTER}, AFTER, "stopped"),
    ],
)
def test_a_license_stands_by_the_second(
    world: World, changes: dict[str, int], now: int | None, standing: str
) -> None:
    change(world, **{"not_after": 0, **changes})

    (license_,) = shown(world, now=now).licenses

    assert license_.standing == standing


def test_royalties_are_told_in_their_coin(world: World) -> None:
    world.disclose()
    world.tools.ingest(world.log).receive([world.envelope(1)])
    line = world.tools.line(world.log)
    line.step()
    line.step()
    change(world, royalty=Uint256(1500), currency=COIN, not_after=9_000_000_000)

    page = shown(world)

    (license_,) = page.licenses
    assert license_.owed == f"1,500 of coin {to_hex(COIN)}, in its smallest unit"
    assert license_.paid == "nothing"
    assert page.headline == "1 of 3 licensed copies made"
    assert "until 2255-03-14" in license_.when
    change(world, currency=Address(b"\0" * 20))
    assert "1,500 of the chain&#39;s coin" in html(shown(world))


def test_licenses_are_shown_as_they_were(world: World) -> None:
    chain = world.tools.chain
    moment = datetime.fromtimestamp(chain.now, tz=UTC)
    today = moment.date().isoformat()

    page = shown(world, ticket="7-ab", asked_on=today)

    assert page.asked_on == today
    assert page.as_of.startswith(f"block {chain.head(final=True).number}, {today}")
    assert len(page.licenses) == 1
    assert f"As it was at the end of {today}" in html(page)
    # Without a ticket nobody makes the node read the chain again.
    assert (shown(world, asked_on=today).as_of, shown(world, asked_on="x").asked_on) == ("", "")
    with pytest.raises(ParameterInvalidError, match="'yesterday' is no date"):
        shown(world, ticket="7-ab", asked_on="yesterday")
    with pytest.raises(BeforeChainError):
        shown(world, ticket="7-ab", asked_on="1969-12-30")


def test_what_a_revision_builds_on_is_told(world: World) -> None:
    first = world.revision
    stranger = Digest(sha256(b"stranger"))
    second = replace(first, number=2, derived_from=(first.digest(), stranger))
    with world.tools.store.writing() as work:
        work.facts.put(RevisionFact(revision=second, cid=""))
        owned = known(work.facts, DesignFact, first.design)
        work.facts.put(replace(owned, epoch=2, owner=world.tools.account(SITE).address))

    page = shown(world)

    newest, oldest = page.revisions
    assert [(one.name[:20], bool(one.href)) for one in newest.origins] == [
        ("revision 1 of design", True),
        (f"a revision {to_hex(stranger)[:9]}", False),
    ]
    assert oldest.origins == ()
    assert page.facts[-1].value == "2 times"
    assert page.licenses


def test_a_design_that_nobody_registered_is_unknown(world: World) -> None:
    with pytest.raises(DesignUnknownError):
        design_page(DesignId(sha256(b"none")), node(world))


def test_a_picture_is_on_the_page_where_its_owner_shows_one(world: World) -> None:
    tools, design = world.tools, world.revision.design
    bare = shown(world)
    with pytest.raises(PictureUnknownError):
        design_picture(design, node(world))

    pictures = Pictures(keys=tools.keys, clock=Clock(time=7), store=tools.store)
    pictures.publish(design, png(), key=KeyName(DESIGNER))

    assert (bare.picture, "<img" in html(bare)) == ("", False)
    assert shown(world).picture == f"/designs/{to_hex(design)}/picture.png"
    assert f'<img src="/designs/{to_hex(design)}/picture.png" alt="' in html(shown(world))
    assert design_picture(design, node(world)) == png()
    with pytest.raises(DesignUnknownError):
        design_picture(DesignId(sha256(b"none")), node(world))
