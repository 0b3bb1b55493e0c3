"""Cases for checks (5) and (7): a design that was sold after the license was signed."""

from fakes import simulator as sim
from fakes.cases.draft import Draft, breaks, word
from fakes.cases.given import BUYER, SOLD
from fakes.cases.notices import doubt, on_controller
from fakes.simulator import DESIGN, DESIGNER, MAKER
from guildmark.domain.chain import storage
from guildmark.domain.identifiers import IdentityId
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.verification.evidence import OwnerDisclosure

REVISED = SOLD + 30
"""When the buyer published the revision that the part was built by."""

HOUSE = sim.identity("buyer of a design")


def own(draft: Draft, *owners: tuple[bytes, int]) -> None:
    """Let a design have had owners, each since a time."""
    for epoch, (account, since) in enumerate(owners):
        word(storage.DESIGN_OWNERS.at(DESIGN, epoch), sim.owner_word(account, since))(draft)


def show(draft: Draft, *owners: tuple[int, IdentityId | None]) -> None:
    """Let the bundle show in which epochs others than the signer owned the design."""
    shown = tuple(OwnerDisclosure(epoch=epoch, identity=who) for epoch, who in owners)
    draft.simulator.disclosed["owners"] = shown


def sell(draft: Draft, at: int = REVISED) -> None:
    """Let the revision be one that the design's buyer published under the seller's license."""
    draft.simulator.revision["at"] = at
    own(draft, (sim.OWNER, sim.REGISTERED), (BUYER, SOLD))
    house = sim.identity_word(IdentityKind.ORGANIZATION, controller=BUYER)
    word(storage.IDENTITIES.at(HOUSE), house)(draft)
    show(draft, (1, HOUSE))


@breaks(5, "controllerInDoubt", 23)
def revision_of_whom_a_thief_gave_the_design(draft: Draft) -> None:
    sell(draft)
    doubt(draft, on_controller(DESIGNER), REVISED, SOLD)


@breaks(5, "controllerInDoubt", 23)
def revision_after_a_sale_under_notice(draft: Draft) -> None:
    sell(draft)
    doubt(draft, on_controller(DESIGNER), SOLD, SOLD)


@breaks(5, "controllerInDoubt", 23)
def revision_of_a_doubted_buyer(draft: Draft) -> None:
    sell(draft)
    doubt(draft, on_controller(HOUSE), REVISED + 1, REVISED)


@breaks(5, "controllerUnderNotice", 18)
def revision_of_a_buyer_under_notice(draft: Draft) -> None:
    sell(draft)
    doubt(draft, on_controller(HOUSE), REVISED, REVISED)


@breaks(5, "controllerInDoubt", 23)
def revision_in_the_second_of_a_sale(draft: Draft) -> None:
    sell(draft, at=SOLD)
    doubt(draft, on_controller(HOUSE), SOLD, SOLD)


@breaks(5, "controllerInDoubt", 23)
def revision_by_whom_it_is_not_shown(draft: Draft) -> None:
    sell(draft)
    show(draft)
    doubt(draft, on_controller(DESIGNER), REVISED + 1, REVISED)


@breaks(5, "proofMissing", 23)
def time_of_a_sale_not_proven(draft: Draft) -> None:
    sell(draft)
    draft.simulator.unproven.add(storage.DESIGN_OWNERS.at(DESIGN, 1))


@breaks(5, "controllerInDoubt", 23)
def revision_of_a_buyer_whose_account_is_doubted_as_the_makers(draft: Draft) -> None:
    sell(draft)
    maker = sim.identity_word(IdentityKind.ORGANIZATION, controller=BUYER)
    word(storage.IDENTITIES.at(MAKER), maker)(draft)
    doubt(draft, on_controller(MAKER), REVISED + 1, REVISED)
