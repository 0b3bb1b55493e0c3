"""Cases for checks (1) and (2): notices on keys, and on who registered or linked something."""

from fakes import simulator as sim
from fakes.cases.draft import Draft, breaks, word
from fakes.cases.key import KEY
from fakes.simulator import AUTHORITY, LOGGED, MACHINE, MAKER, OPERATOR, REGISTERED, SITE, Signer
from guildmark.domain.chain import storage
from guildmark.domain.chain.storage import Location
from guildmark.domain.identifiers import ZERO32, IdentityId
from guildmark.domain.identity.identity import IdentityKind, controller_target, key_id
from guildmark.domain.trust import Listed
from guildmark.domain.verification.evidence import ControllersDisclosure

KEY_ID = key_id(MACHINE, Signer("machine").public)
HANDED_ON = 1_500
"""When a second controller took over, where a case has one."""


def on_controller(identity: IdentityId, number: int = 1, by: bytes = ZERO32) -> Location:
    """Return where a notice on a controller is kept."""
    return storage.NOTICES.at(controller_target(identity, number), by)


def doubt(draft: Draft, location: Location, at: int, suspected_from: int) -> None:
    word(location, sim.notice_word(at, suspected_from))(draft)


def list_authority(draft: Draft, since: int = 0, until: int = 0) -> None:
    """Let the reader list the authority, and the bundle prove what it said."""
    listed = Listed(id=AUTHORITY, name="Court", since=since, until=until)
    draft.trust["authorities"] = (listed,)
    draft.simulator.disclosed["authorities"] = (AUTHORITY,)


def hand_on(draft: Draft, identity: IdentityId, kind: IdentityKind) -> None:
    """Give an identity a second controller."""
    word(storage.IDENTITIES.at(identity), sim.identity_word(kind, controllers=2))(draft)
    word(storage.CONTROLLERS.at(identity, 2), sim.controller_word(HANDED_ON))(draft)
    shown = ControllersDisclosure(identity=identity, count=2)
    draft.simulator.disclosed["controllers"] = (shown,)


@breaks(1, "controllerUnderNotice", 16)
def site_linked_by_a_controller_under_notice(draft: Draft) -> None:
    word(storage.LINKS.at(SITE, MAKER, 1), sim.interval_word(HANDED_ON))(draft)
    doubt(draft, on_controller(MAKER), HANDED_ON, HANDED_ON)


@breaks(1, "controllerInDoubt", 23)
def site_linked_by_a_doubted_controller(draft: Draft) -> None:
    word(storage.LINKS.at(SITE, MAKER, 1), sim.interval_word(HANDED_ON))(draft)
    doubt(draft, on_controller(SITE), HANDED_ON + 1, HANDED_ON)


@breaks(1, "controllerInDoubt", 23)
def machine_registered_by_a_doubted_controller(draft: Draft) -> None:
    doubt(draft, on_controller(MACHINE), LOGGED, REGISTERED)


@breaks(1, "controllerInDoubt", 23)
def operator_registered_by_a_doubted_controller(draft: Draft) -> None:
    doubt(draft, on_controller(OPERATOR), REGISTERED + 1, REGISTERED)


@breaks(1, "controllerUnderNotice", 16)
def link_made_after_an_authoritys_notice(draft: Draft) -> None:
    list_authority(draft)
    word(storage.LINKS.at(MACHINE, SITE, 1), sim.interval_word(HANDED_ON))(draft)
    doubt(draft, on_controller(SITE, by=AUTHORITY), HANDED_ON, HANDED_ON)


@breaks(1, "controllerInDoubt", 23)
def link_made_in_the_second_of_a_change_of_controllers(draft: Draft) -> None:
    hand_on(draft, SITE, IdentityKind.SITE)
    word(storage.LINKS.at(MACHINE, SITE, 1), sim.interval_word(HANDED_ON))(draft)
    doubt(draft, on_controller(SITE, 1), HANDED_ON - 1, HANDED_ON - 1)


@breaks(1, "controllerUnderNotice", 16)
def link_made_by_a_second_controller_under_notice(draft: Draft) -> None:
    hand_on(draft, SITE, IdentityKind.SITE)
    word(storage.LINKS.at(MACHINE, SITE, 1), sim.interval_word(HANDED_ON + 9))(draft)
    doubt(draft, on_controller(SITE, 2), HANDED_ON + 9, HANDED_ON)


@breaks(1, "proofMissing", 23)
def one_controller_of_two_shown(draft: Draft) -> None:
    hand_on(draft, SITE, IdentityKind.SITE)
    draft.simulator.disclosed["controllers"] = ()


@breaks(1, "proofMissing", 23)
def notice_on_a_controller_not_proven(draft: Draft) -> None:
    draft.simulator.unproven.add(on_controller(MAKER))


@breaks(1, "authorityMissing", 23)
def listed_authority_that_the_bundle_leaves_out(draft: Draft) -> None:
    list_authority(draft)
    draft.simulator.disclosed["authorities"] = ()


@breaks(2, "authorityMissing", 23)
def authoritys_notice_on_the_key_left_out(draft: Draft) -> None:
    list_authority(draft)
    draft.simulator.unproven.add(storage.NOTICES.at(KEY_ID, AUTHORITY))


@breaks(2, "keyUnderNotice", 12)
def logged_at_an_authoritys_notice(draft: Draft) -> None:
    list_authority(draft)
    doubt(draft, storage.NOTICES.at(KEY_ID, AUTHORITY), LOGGED, LOGGED)


@breaks(2, "keyInDoubt", 23)
def logged_before_an_authoritys_notice(draft: Draft) -> None:
    list_authority(draft)
    doubt(draft, storage.NOTICES.at(KEY_ID, AUTHORITY), LOGGED + 1, LOGGED)


@breaks(2, "keyInDoubt", 23)
def maker_who_disowns_what_it_sold(draft: Draft) -> None:
    word(KEY, sim.key_word(REGISTERED, notice_at=LOGGED + 90, suspected_from=REGISTERED))(draft)


@breaks(2, "controllerUnderNotice", 12)
def key_added_by_a_controller_under_notice(draft: Draft) -> None:
    word(KEY, sim.key_word(HANDED_ON))(draft)
    doubt(draft, on_controller(MACHINE), HANDED_ON, HANDED_ON)


@breaks(2, "controllerInDoubt", 23)
def key_added_by_a_doubted_controller(draft: Draft) -> None:
    word(KEY, sim.key_word(HANDED_ON))(draft)
    doubt(draft, on_controller(MACHINE), LOGGED + 90, HANDED_ON)


@breaks(2, "controllerInDoubt", 23)
def key_added_by_a_former_controller_whom_guardians_doubt(draft: Draft) -> None:
    hand_on(draft, MACHINE, IdentityKind.MACHINE)
    word(KEY, sim.key_word(HANDED_ON - 1))(draft)
    doubt(draft, on_controller(MACHINE, 1), HANDED_ON + 1, HANDED_ON - 1)
