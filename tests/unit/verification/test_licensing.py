"""Who gave a unit, and when: notices count to the second, and each owner is named for his own."""

from collections.abc import Callable

import pytest

from fakes import simulator as sim
from fakes.cases.draft import Draft, word
from fakes.cases.given import ADDED, SECOND_LANE, deepen, extend
from fakes.cases.notices import doubt, on_controller
from fakes.simulator import DESIGN, DESIGNER, FIRST_LANE, GIVEN, GRANTED, LANE, MAKER
from guildmark.domain import bundle
from guildmark.domain.chain import storage
from guildmark.domain.identifiers import IdentityId, LaneNumber, UnitNumber, to_hex
from guildmark.domain.verification.evidence import (
    LANES_MAX,
    EvidenceRangeError,
    ExtensionDisclosure,
    LaneDisclosure,
)
from guildmark.domain.verification.report import Report, Verdict
from guildmark.verify import verify_bundle


def judged(draft: Draft) -> Report:
    sealed = draft.seal()
    return verify_bundle(bundle.write(sealed.evidence), sealed.trust, sealed.question)


def named(report: Report) -> str:
    return next(one.id for one in report.parties if one.role == "designOwner")


def as_it_is(_: Draft) -> None:
    """Change nothing."""


@pytest.mark.parametrize(
    ("change", "who", "at"),
    [
        (as_it_is, DESIGNER, GRANTED),
        (extend, DESIGNER, ADDED),
        (as_it_is, MAKER, GIVEN),
        (deepen, sim.OPERATOR, GIVEN - 50),
    ],
)
@pytest.mark.parametrize(
    ("notice_at", "since", "exit_code"),
    [(9, 1, 0), (9, 0, 23), (1, 0, 23), (0, 0, 18), (0, -9, 18)],
)
def test_what_a_controller_gave_is_judged_to_the_second(
    change: Callable[[Draft], None],
    who: IdentityId,
    at: int,
    notice_at: int,
    since: int,
    exit_code: int,
) -> None:
    draft = Draft()
    change(draft)
    doubt(draft, on_controller(who), at + notice_at, at + since)

    report = judged(draft)

    assert report.exit == exit_code
    assert (report.verdict is Verdict.VERIFIED) is (exit_code == 0)


def test_a_doubt_of_the_grant_leaves_units_that_were_added_later() -> None:
    draft = Draft()
    extend(draft)
    doubt(draft, on_controller(DESIGNER), ADDED + 9, ADDED + 1)

    assert judged(draft).exit == 0


def test_units_of_an_extension_name_its_own_signer() -> None:
    added, granted = Draft(), Draft()
    extend(added)
    extend(granted)
    # The same chain; unit 25 is one that was granted in the first place.
    granted.simulator.terms["units"] = 60
    granted.simulator.disclosed["extension"] = None

    assert named(judged(added)) == to_hex(DESIGNER)
    assert judged(added).exit == 0
    assert named(judged(granted)) == ""


@pytest.mark.parametrize(("first", "end", "exit_code"), [(25, 26, 0), (25, 25, 18), (24, 26, 0)])
def test_an_extension_holds_its_own_units(first: int, end: int, exit_code: int) -> None:
    draft = Draft()
    extend(draft, first=first, end=end)

    assert judged(draft).exit == exit_code


def test_a_unit_that_was_granted_needs_no_extension() -> None:
    draft = Draft()
    draft.simulator.terms["units"] = 25

    assert judged(draft).exit == 0


def test_an_extension_that_nobody_needs_changes_nothing() -> None:
    draft = Draft()
    shown = ExtensionDisclosure(first=UnitNumber(61), epoch=0)
    draft.simulator.disclosed["extension"] = shown

    assert judged(draft).exit == 0


def test_a_unit_straight_from_the_first_lane_was_given_by_nobody() -> None:
    draft = Draft()
    word(storage.ORIGINS.at(LANE), 0)(draft)
    draft.simulator.disclosed["lanes"] = ()
    doubt(draft, on_controller(MAKER), GIVEN, GIVEN)

    assert judged(draft).exit == 0


def test_lanes_are_shown_up_to_a_bound() -> None:
    lanes = [LaneDisclosure(number=LaneNumber(n), holder=MAKER) for n in range(1, LANES_MAX + 2)]

    Draft(simulator=sim.Simulator(disclosed={"lanes": tuple(lanes[:-1])})).seal()
    with pytest.raises(EvidenceRangeError, match="lanes must be 0 to 32, found 33"):
        sim.Simulator(disclosed={"lanes": tuple(lanes)}).make_disclosures()
    for number in (0, 2**40):
        with pytest.raises(EvidenceRangeError, match="lane's number"):
            LaneDisclosure(number=LaneNumber(number), holder=MAKER)
    for first, epoch in ((0, 0), (2**40, 0), (1, -1), (1, 2**40)):
        with pytest.raises(EvidenceRangeError, match="extension's"):
            ExtensionDisclosure(first=UnitNumber(first), epoch=epoch)


def test_a_lane_of_a_child_is_followed_to_its_licensors_lane() -> None:
    """A license below another one is given by a lane's holder, like a lane."""
    draft = Draft()
    draft.simulator.license_under(8)
    deepen(draft)
    doubt(draft, on_controller(sim.OPERATOR), GIVEN - 50, GIVEN - 60)

    report = judged(draft)

    reason = f"Lane {FIRST_LANE} was cut from lane {SECOND_LANE} at {GIVEN - 50}"
    assert any(reason in check.reason for check in report.checks)
    assert report.exit == 18


def test_the_owner_of_the_epoch_of_an_extension_must_be_proven() -> None:
    draft = Draft()
    extend(draft)
    draft.simulator.unproven.add(storage.DESIGN_OWNERS.at(DESIGN, 1))

    assert named(judged(draft)) == ""
