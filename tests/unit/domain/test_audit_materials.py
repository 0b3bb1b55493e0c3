"""Lots that an auditor knows: how many parts name each, and until when it is good."""

import json
from dataclasses import dataclass, replace

import pytest

from fakes.records import record
from fakes.world import make_world
from guildmark.domain.audit.findings import Flaw
from guildmark.domain.audit.materials import LotBound, LotBounds, LotsMalformedError, Materials
from guildmark.domain.audit.units import REPLACED, VOID, AuditedUnit, DrawnUnit
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import (
    Bytes32,
    IdentityId,
    Index,
    LaneNumber,
    LicenseId,
    UnitNumber,
)
from guildmark.domain.recall import RecallCause, Thing, ThingMalformedError

ID = bytes([7]) * 32


@dataclass(frozen=True)
class Shop:
    """A maker's lot, and a statement of his."""

    lot: Thing
    statement: BuildStatement

    def unit(self, number: int, *, state: str = "verified", is_hidden: bool = False) -> AuditedUnit:
        """Return a unit of the lot that was recorded at 1,700,000,000 + ``number``."""
        unit = DrawnUnit(
            record=record(1, number),
            block=1,
            index=Index(number),
            lane=LaneNumber(1),
            unit=UnitNumber(number),
            license=LicenseId(ID),
            site=IdentityId(ID),
        )
        lots = None if is_hidden else frozenset({self.lot.key(), b"another"})
        return AuditedUnit(unit=unit, state=state, statement=self.statement, lots=lots)


@pytest.fixture(scope="module")
def shop() -> Shop:
    """Return a maker with a lot."""
    world = make_world()
    lot = Thing(cause=RecallCause.LOT, id=Bytes32(world.maker), detail=Bytes32(ID))
    return Shop(lot=lot, statement=world.statement(1))


def counting(shop: Shop, *, parts: int = 0, until: int = 0) -> Materials:
    return Materials.within(
        LotBounds(lots=(LotBound(lot=shop.lot.text(), parts=parts, until=until),))
    )


def test_a_lot_that_more_parts_name_than_it_is_enough_for_is_named(shop: Shop) -> None:
    enough, short = counting(shop, parts=2), counting(shop, parts=1)

    for each in (enough, short):
        assert [found for at in (1, 2) for found in each.take(shop.unit(at))] == []

    assert list(enough.overdrawn()) == []
    (found,) = short.overdrawn()
    assert found.flaw is Flaw.LOT_OVERDRAWN
    assert found.reason == f"2 units name the lot {shop.lot.text()}, enough for 1."


def test_what_took_material_counts_and_what_was_logged_again_does_not(shop: Shop) -> None:
    found = counting(shop, parts=1)

    for state in ("scrap", VOID, REPLACED):
        assert list(found.take(shop.unit(1, state=state))) == []

    assert found.used == {shop.lot.key(): 2}


def test_a_lot_of_unknown_size_is_enough_for_any_number(shop: Shop) -> None:
    found = counting(shop)

    list(found.take(shop.unit(1)))

    assert list(found.overdrawn()) == []


@pytest.mark.parametrize(("until", "count"), [(1_700_000_005, 1), (1_700_000_006, 0)])
def test_a_part_that_is_recorded_when_its_lot_is_over_is_named(
    shop: Shop, until: int, count: int
) -> None:
    found = list(counting(shop, until=until).take(shop.unit(5)))

    assert [one.flaw for one in found] == [Flaw.LOT_EXPIRED] * count
    assert all(one.places == ((1, 5),) for one in found)
    assert all("was good until 2023-11-14T22:13:25Z" in one.reason for one in found)


def test_parts_that_hide_their_lots_concern_their_makers_lots_alone(shop: Shop) -> None:
    other = Thing(cause=RecallCause.LOT, id=Bytes32(ID), detail=Bytes32(ID))
    hidden = shop.unit(1, is_hidden=True)

    assert counting(shop).concerns(hidden)
    assert not counting(replace(shop, lot=other)).concerns(hidden)
    assert not counting(shop).concerns(replace(hidden, statement=None))
    assert list(counting(shop, parts=1).take(hidden)) == []


def test_a_list_of_lots_is_read(shop: Shop) -> None:
    text = json.dumps({"lots": [{"lot": shop.lot.text(), "parts": 3, "until": 0}]})

    (found,) = LotBounds.parse(text.encode()).lots

    assert (found.lot, found.parts, found.until) == (shop.lot.text(), 3, 0)
    assert LotBounds.parse(b"{}").lots == ()


@pytest.mark.parametrize(("parts", "until"), [(-1, 0), (0, -1)])
def test_a_lot_is_bounded_by_nothing_below_zero(shop: Shop, parts: int, until: int) -> None:
    with pytest.raises(LotsMalformedError):
        LotBound(lot=shop.lot.text(), parts=parts, until=until)


def test_a_lot_stands_once_in_a_list(shop: Shop) -> None:
    one = LotBound(lot=shop.lot.text())

    with pytest.raises(LotsMalformedError):
        LotBounds(lots=(one, one))


def test_what_is_no_lot_is_refused() -> None:
    with pytest.raises(ThingMalformedError):
        LotBound(lot="steel")


@pytest.mark.parametrize("text", [b"", b"[]", b'{"lots":[{}]}', b'{"lots":[{"lot":"x"}]}'])
def test_what_is_no_list_is_refused(text: bytes) -> None:
    with pytest.raises(GuildmarkError):
        LotBounds.parse(text)
