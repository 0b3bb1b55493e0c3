"""Cases for check (6): who granted the license, added the unit, or gave it on, and when."""

from dataclasses import replace

from fakes import simulator as sim
from fakes.cases.draft import Draft, breaks, word
from fakes.cases.notices import doubt, hand_on, on_controller
from fakes.simulator import DESIGN, DESIGNER, FIRST_LANE, GIVEN, GRANTED, LANE, MAKER, NUMBER
from guildmark.domain.chain import storage
from guildmark.domain.identifiers import IdentityId, LaneNumber, UnitNumber
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.verification.evidence import ExtensionDisclosure, LaneDisclosure

SOLD, ADDED, BUYER = 1_350, 1_400, b"\xd7" * 20
"""When the design was sold, when units were added, and who owned it by then."""

SECOND_LANE = LaneNumber(3)


def extend(draft: Draft, first: int = 24, end: int = 61, epoch: int = 1) -> None:
    """Let the part's unit (25) be one of those that the next owner of the design added."""
    draft.simulator.terms["units"] = first - 1
    draft.simulator.disclosed["extension"] = ExtensionDisclosure(
        first=UnitNumber(first), epoch=epoch
    )
    place = storage.EXTENSIONS.at(NUMBER, first)
    word(place, sim.extension_word(end, epoch, ADDED))(draft)
    word(storage.DESIGN_OWNERS.at(DESIGN, 1), sim.owner_word(BUYER, SOLD))(draft)
    owner = sim.identity_word(IdentityKind.ORGANIZATION, controller=BUYER)
    word(storage.IDENTITIES.at(DESIGNER), owner)(draft)


def deepen(draft: Draft, at: int = GIVEN - 50) -> None:
    """Let the maker's lane be one that the operator's was cut into."""
    word(storage.ORIGINS.at(FIRST_LANE), sim.origin_word(SECOND_LANE, at))(draft)
    word(storage.LANE_HOLDERS.at(SECOND_LANE), sim.as_int(sim.OPERATOR))(draft)
    draft.simulator.disclosed["lanes"] = (
        LaneDisclosure(number=FIRST_LANE, holder=MAKER),
        LaneDisclosure(number=SECOND_LANE, holder=sim.OPERATOR),
    )


@breaks(6, "controllerInDoubt", 23)
def license_granted_by_a_doubted_designer(draft: Draft) -> None:
    doubt(draft, on_controller(DESIGNER), GRANTED + 1, GRANTED)


@breaks(6, "controllerUnderNotice", 18)
def license_granted_under_notice(draft: Draft) -> None:
    doubt(draft, on_controller(DESIGNER), GRANTED, GRANTED - 10)


@breaks(6, "controllerInDoubt", 23)
def license_granted_by_a_thief_whom_guardians_doubt(draft: Draft) -> None:
    hand_on(draft, DESIGNER, IdentityKind.ORGANIZATION)
    stolen = int.from_bytes(sim.OWNER, "big") | sim.REGISTERED << 160
    word(storage.CONTROLLERS.at(DESIGNER, 1), stolen)(draft)
    doubt(draft, on_controller(DESIGNER), GRANTED + 5, GRANTED)


def share(draft: Draft, identity: IdentityId = sim.OPERATOR) -> None:
    """Let the account that owns the design speak for another identity, too."""
    shared = sim.identity_word(IdentityKind.ORGANIZATION, controller=sim.OWNER)
    word(storage.IDENTITIES.at(identity), shared)(draft)


@breaks(6, "controllerInDoubt", 23)
def license_granted_by_an_account_that_is_doubted_in_another_name(draft: Draft) -> None:
    share(draft)
    doubt(draft, on_controller(sim.OPERATOR), GRANTED + 1, GRANTED)


@breaks(6, "controllerUnderNotice", 18)
def license_granted_by_an_account_under_notice_in_another_name(draft: Draft) -> None:
    share(draft)
    doubt(draft, on_controller(sim.OPERATOR), GRANTED, GRANTED)


@breaks(6, "controllerInDoubt", 23)
def license_granted_by_an_account_that_spoke_for_another_one_then(draft: Draft) -> None:
    hand_on(draft, sim.OPERATOR, IdentityKind.ORGANIZATION)
    first = int.from_bytes(sim.OWNER, "big") | sim.REGISTERED << 160
    word(storage.CONTROLLERS.at(sim.OPERATOR, 1), first)(draft)
    doubt(draft, on_controller(sim.OPERATOR), GRANTED + 5, GRANTED)


@breaks(5, "proofMissing", 23)
def account_that_another_one_spoke_through_not_proven(draft: Draft) -> None:
    hand_on(draft, sim.OPERATOR, IdentityKind.ORGANIZATION)
    draft.simulator.unproven.add(storage.CONTROLLERS.at(sim.OPERATOR, 1))


@breaks(6, "controllerInDoubt", 23)
def unit_added_by_a_doubted_designer(draft: Draft) -> None:
    extend(draft)
    doubt(draft, on_controller(DESIGNER), ADDED + 1, ADDED)


@breaks(6, "extensionMissing", 23)
def extension_not_shown(draft: Draft) -> None:
    extend(draft)
    draft.simulator.disclosed["extension"] = None


@breaks(6, "extensionMismatch", 18)
def extension_that_ends_before_the_unit(draft: Draft) -> None:
    extend(draft, end=25)


@breaks(6, "extensionMismatch", 18)
def extension_that_begins_behind_the_unit(draft: Draft) -> None:
    extend(draft)
    shown = ExtensionDisclosure(first=UnitNumber(26), epoch=1)
    draft.simulator.disclosed["extension"] = shown
    word(storage.EXTENSIONS.at(NUMBER, 26), sim.extension_word(61, 1, ADDED))(draft)


@breaks(6, "extensionMismatch", 18)
def extension_that_another_owner_signed(draft: Draft) -> None:
    extend(draft)
    shown = ExtensionDisclosure(first=UnitNumber(24), epoch=0)
    draft.simulator.disclosed["extension"] = shown


@breaks(6, "controllerInDoubt", 23)
def lane_given_by_a_doubted_holder(draft: Draft) -> None:
    doubt(draft, on_controller(MAKER), GIVEN + 1, GIVEN)


@breaks(6, "controllerUnderNotice", 18)
def lane_given_under_notice(draft: Draft) -> None:
    doubt(draft, on_controller(MAKER), GIVEN, GIVEN - 10)


@breaks(6, "controllerInDoubt", 23)
def lane_further_up_given_by_a_doubted_holder(draft: Draft) -> None:
    deepen(draft)
    doubt(draft, on_controller(sim.OPERATOR), GIVEN, GIVEN - 50)


@breaks(6, "lanesMissing", 23)
def lanes_not_shown(draft: Draft) -> None:
    draft.simulator.disclosed["lanes"] = ()


@breaks(6, "lanesMissing", 23)
def lane_further_up_not_shown(draft: Draft) -> None:
    deepen(draft)
    shown = draft.simulator.disclosed["lanes"]
    draft.simulator.disclosed["lanes"] = shown[:1]


@breaks(6, "lanesMissing", 23)
def another_lane_than_the_source_shown(draft: Draft) -> None:
    shown = LaneDisclosure(number=SECOND_LANE, holder=MAKER)
    draft.simulator.disclosed["lanes"] = (shown,)


@breaks(6, "lanesMissing", 23)
def lane_of_another_holder_than_shown(draft: Draft) -> None:
    (shown,) = draft.simulator.make_disclosures().lanes
    draft.simulator.disclosed["lanes"] = (replace(shown, holder=sim.OPERATOR),)


@breaks(6, "proofMissing", 23)
def time_of_a_lane_not_proven(draft: Draft) -> None:
    draft.simulator.unproven.add(storage.ORIGINS.at(LANE))


@breaks(6, "proofMissing", 23)
def notices_on_a_lanes_giver_not_proven(draft: Draft) -> None:
    deepen(draft)
    giver = sim.identity("giver of a lane")
    word(storage.LANE_HOLDERS.at(SECOND_LANE), sim.as_int(giver))(draft)
    upper = LaneDisclosure(number=SECOND_LANE, holder=giver)
    lower = LaneDisclosure(number=FIRST_LANE, holder=MAKER)
    draft.simulator.disclosed["lanes"] = (lower, upper)
    word(storage.IDENTITIES.at(giver), sim.identity_word(IdentityKind.ORGANIZATION))(draft)
    draft.simulator.unproven.add(on_controller(giver))
