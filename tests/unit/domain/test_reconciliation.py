"""Releases against draws: each difference is named, and nothing else is."""

from dataclasses import replace
from typing import Any

import pytest

from fakes.cases.receipts import RECEIPT, some
from guildmark.domain.chain.facts import LaneFact, LicenseFact
from guildmark.domain.identifiers import (
    DesignId,
    Digest,
    IdentityId,
    LaneNumber,
    LicenseId,
    LogNumber,
    Uint256,
    UnitNumber,
)
from guildmark.domain.rights.reconciliation import (
    RECEIPT_DELAY,
    Difference,
    Reconciliation,
    Release,
    reconcile,
)
from guildmark.domain.rights.release import NO_MACHINE
from guildmark.domain.rights.terms import Terms

GRANTED = LicenseFact(
    number=1,
    id=LicenseId(some("license")),
    terms=Terms(
        design=DesignId(some("design")),
        design_epoch=0,
        units=20,
        holder=IdentityId(some("holder")),
        not_before=0,
        not_after=0,
        notice=0,
        terms_root=Digest(some("root")),
        offer_until=0,
        nonce=Uint256(1),
    ),
    first_lane=LaneNumber(1),
)
OTHER = IdentityId(some("other site"))


def lane(number: int = 2, drawn: int = 3, holder: IdentityId = RECEIPT.site) -> LaneFact:
    return LaneFact(
        number=LaneNumber(number),
        license=1,
        first=UnitNumber(1),
        next=UnitNumber(1 + drawn),
        end=UnitNumber(11),
        log=LogNumber(1),
        holder=holder,
    )


def release(name: str = "request", delay: int = 5, **changes: Any) -> Release:
    receipt = replace(RECEIPT, request=Digest(some(name)), **changes)
    return Release(receipt=receipt, recorded_at=receipt.at + delay)


def differences(*releases: Release, drawn: int = 3, **changes: Any) -> list[tuple[str, ...]]:
    found = reconcile(replace(GRANTED, **changes), [lane(drawn=drawn)], releases)
    return [row.differences for row in found.rows]


def test_release_and_draw_go_together() -> None:
    found = reconcile(GRANTED, [lane()], [release("a"), release("b", at=RECEIPT.at + 9)])

    (row,) = found.rows
    assert (row.lane, row.site, row.units, row.drawn, row.released) == (2, RECEIPT.site, 10, 3, 2)
    assert (row.first_at, row.last_at) == (RECEIPT.at, RECEIPT.at + 9)
    assert (row.machines, row.releasers) == ((RECEIPT.machine,), (RECEIPT.releaser,))
    assert (row.differences, found.alerts, found.differences) == ((), (), ())


def test_lane_without_draw_and_release_is_no_row() -> None:
    assert reconcile(GRANTED, [lane(drawn=0)], []).rows == ()


def test_units_drawn_without_a_release_to_the_site_are_an_alert() -> None:
    found = reconcile(GRANTED, [lane(), lane(number=3, holder=OTHER)], [release()])

    assert [row.differences for row in found.rows] == [(), (Difference.UNRELEASED,)]
    assert found.alerts == (Difference.UNRELEASED,)


def test_release_for_another_lane_of_the_site_is_enough() -> None:
    found = reconcile(GRANTED, [lane(), lane(number=3)], [release()])

    assert found.alerts == ()


def test_release_without_a_draw_is_no_alert() -> None:
    found = reconcile(GRANTED, [lane(drawn=0)], [release()])

    assert found.differences == (Difference.UNDRAWN,)
    assert found.alerts == ()


@pytest.mark.parametrize(("after", "expected"), [(0, (Difference.AFTER_STOP,)), (1, ())])
def test_release_from_the_stop_on_is_an_alert(after: int, expected: tuple[Any, ...]) -> None:
    assert differences(release(), stopped_at=RECEIPT.at + after) == [expected]


@pytest.mark.parametrize(
    ("delay", "expected"), [(RECEIPT_DELAY, ()), (RECEIPT_DELAY + 1, (Difference.LATE,))]
)
def test_receipt_that_was_held_back_is_an_alert(delay: int, expected: tuple[Any, ...]) -> None:
    assert differences(release(delay=delay)) == [expected]


def test_receipt_of_a_lane_that_the_license_has_not_is_an_alert() -> None:
    found = reconcile(GRANTED, [lane()], [release(), release("b", lane=LaneNumber(9))])

    assert [(row.lane, row.units, row.differences) for row in found.rows] == [
        (2, 10, ()),
        (9, 0, (Difference.FOREIGN_LANE,)),
    ]


def test_receipt_of_a_site_that_does_not_hold_the_lane_is_an_alert() -> None:
    assert differences(release(), release("b", site=OTHER)) == [(Difference.FOREIGN_LANE,)]


def test_receipts_of_several_releasers_count_each() -> None:
    escrow = IdentityId(some("escrow"))
    found: Reconciliation = reconcile(
        GRANTED, [lane()], [release(), release(releaser=escrow), release()]
    )

    (row,) = found.rows
    assert row.released == 2
    assert set(row.releasers) == {escrow, RECEIPT.releaser}


def test_site_that_asked_itself_is_no_machine() -> None:
    (row,) = reconcile(GRANTED, [lane()], [release(machine=NO_MACHINE)]).rows

    assert row.machines == ()
