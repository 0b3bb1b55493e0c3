"""Pictures of designs: shown as their owner signed them, by nobody else, the newest alone."""

from dataclasses import dataclass, replace

import pytest

from fakes.images import png
from fakes.world import DESIGNER, MAKER, World, make_world
from guildmark.domain.chain.facts import DesignFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import DesignId
from guildmark.domain.rights.picture import PictureMalformedError, PictureNotOwnersError
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.index.projection import known
from guildmark.services.recipes.disclosing import DisclosedThingUnknownError, PictureStaleError
from guildmark.services.release.releasing import sign_as_account
from guildmark.services.rights.pictures import Pictures, shown_picture

PICTURE = DocumentKind.DESIGN_PICTURE


@dataclass
class Clock:
    """A clock that a test sets."""

    time: int = 1_000

    def now(self) -> int:
        return self.time


@pytest.fixture
def world() -> World:
    return make_world()


def signed(world: World, image: bytes, at: int = 1_000, by: str = DESIGNER) -> bytes:
    """Return what an owner sends, made in a home of his own."""
    elsewhere = make_world()
    pictures = Pictures(keys=world.tools.keys, clock=Clock(at), store=elsewhere.tools.store)
    return pictures.publish(world.revision.design, image, key=KeyName(by))


def receive(world: World, body: bytes) -> None:
    world.tools.disclosing.receive(PICTURE, world.revision.design, body)


def shown(world: World) -> bytes:
    with world.tools.store.reading() as view:
        design = known(view.facts, DesignFact, world.revision.design)
        return shown_picture(design, view.documents)


def sell(world: World) -> None:
    """Let the maker own the design."""
    with world.tools.store.writing() as work:
        fact = known(work.facts, DesignFact, world.revision.design)
        buyer = world.tools.keys.address(KeyName(MAKER))
        work.facts.put(replace(fact, owner=buyer, epoch=fact.epoch + 1))


def test_nothing_is_shown_before_its_owner_says_so(world: World) -> None:
    assert shown(world) == b""


def test_a_home_shows_what_its_owner_published_there(world: World) -> None:
    pictures = Pictures(keys=world.tools.keys, clock=Clock(), store=world.tools.store)

    pictures.publish(world.revision.design, png(), key=KeyName(DESIGNER))

    assert shown(world) == png()


def test_what_came_from_the_owner_is_shown_until_a_later_one_comes(world: World) -> None:
    first = signed(world, png())

    receive(world, first)
    receive(world, first)
    once = shown(world)
    receive(world, signed(world, png(5), at=1_001))

    assert (once, shown(world)) == (png(), png(5))


@pytest.mark.parametrize("at", [999, 1_000])
def test_an_earlier_picture_does_not_come_back(world: World, at: int) -> None:
    receive(world, signed(world, b"", at=1_000))

    with pytest.raises(PictureStaleError):
        receive(world, signed(world, png(), at=at))

    assert shown(world) == b""


def test_a_picture_that_is_taken_back_is_shown_no_more(world: World) -> None:
    receive(world, signed(world, png()))

    receive(world, signed(world, b"", at=1_001))

    assert shown(world) == b""


def test_nobody_but_the_owner_publishes_a_picture(world: World) -> None:
    with pytest.raises(PictureNotOwnersError):
        receive(world, signed(world, png(), by=MAKER))

    assert shown(world) == b""


def test_a_former_owner_s_picture_is_shown_no_more_and_bars_none(world: World) -> None:
    receive(world, signed(world, png(), at=2_000))

    sell(world)
    sold = shown(world)
    receive(world, signed(world, png(9), at=1_000, by=MAKER))

    assert (sold, shown(world)) == (b"", png(9))
    with pytest.raises(PictureNotOwnersError):
        receive(world, signed(world, png(), at=3_000))


def test_a_picture_of_another_design_is_refused(world: World) -> None:
    other = DesignId(sha256(b"other"))
    pictures = Pictures(keys=world.tools.keys, clock=Clock(), store=make_world().tools.store)
    body = pictures.publish(other, png(), key=KeyName(DESIGNER))

    with pytest.raises(DisclosedThingUnknownError):
        receive(world, body)
    with pytest.raises(DisclosedThingUnknownError):
        world.tools.disclosing.receive(PICTURE, other, body)


def test_what_an_owner_signed_for_something_else_is_no_picture(world: World) -> None:
    body = sign_as_account(
        b"{}", payload_type="application/json", keys=world.tools.keys, key=KeyName(DESIGNER)
    )

    with pytest.raises(PictureMalformedError, match="application/json"):
        receive(world, body)


def test_an_owner_signs_no_malformed_picture(world: World) -> None:
    with pytest.raises(PictureMalformedError):
        signed(world, b"GIF89a")


def test_of_two_within_a_second_the_second_one_is_shown(world: World) -> None:
    home = make_world()
    pictures = Pictures(keys=world.tools.keys, clock=Clock(), store=home.tools.store)
    first, second = (
        pictures.publish(world.revision.design, image, key=KeyName(DESIGNER))
        for image in (png(), b"")
    )

    receive(world, second)

    with pytest.raises(PictureStaleError):
        receive(world, first)
    assert shown(world) == b""
