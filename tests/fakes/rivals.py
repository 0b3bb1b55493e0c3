"""Two entries of one label on one chain: the part's own, and another one."""

from typing import Any

from fakes import simulator as sim
from fakes.simulator import LANE, LOG, LOGGED, NUMBER, SITE, Simulator
from guildmark.domain.chain import storage
from guildmark.domain.identifiers import Address, Index, LaneNumber, Seq, UnitNumber
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.log.record import Grant
from guildmark.domain.verification.evidence import LicenseDisclosure

EARLIER: dict[str, Any] = {"seq": Seq(3), "first_index": Index(90), "time": LOGGED - 50}
LATER: dict[str, Any] = {"seq": Seq(5), "first_index": Index(107), "time": LOGGED + 50}
OTHER_LANE, OTHER_NUMBER, ROOT_NUMBER = LaneNumber(LANE + 1), NUMBER + 1, NUMBER + 2
STRANGER, STRANGERS_ACCOUNT = sim.identity("stranger"), Address(b"\xe0" * 20)


def other_entry(place: dict[str, Any], *, counter: int = 26) -> Simulator:
    """Return another entry of the same label, by another statement of the same machine."""
    return Simulator(run={"counter": counter}, record=dict(place))


def licensed_apart(place: dict[str, Any], **kinds: str) -> Simulator:
    """Return another entry of the same label, under a license of the owner with other terms."""
    return _licensed(other_entry(place), kinds)


def licensed_by_a_stranger(place: dict[str, Any], **kinds: str) -> Simulator:
    """Return another entry of the same label, licensed by another owner, who is listed, too."""
    other = other_entry(place)
    other.terms["design_epoch"] = 1
    other.disclosed["owner"] = STRANGER
    other.claims = (*other.claims, sim.claim(STRANGER, "LEI", "549300PU2LHFP3M5RT77"))
    other.words |= {
        storage.DESIGN_OWNERS.at(sim.DESIGN, 1): sim.owner_word(STRANGERS_ACCOUNT, sim.REGISTERED),
        storage.IDENTITIES.at(STRANGER): sim.identity_word(
            IdentityKind.ORGANIZATION, controller=STRANGERS_ACCOUNT
        ),
    }
    return _licensed(other, kinds)


def licensed_on(place: dict[str, Any], owners: dict[str, str], **kinds: str) -> Simulator:
    """Return another entry of the same label, whose maker licensed units on, under other terms."""
    other = other_entry(place)
    other.above = [sim.Ancestor(number=ROOT_NUMBER, members=sim.members(**owners))]
    return _licensed(other, kinds)


def _licensed(other: Simulator, kinds: dict[str, str]) -> Simulator:
    other.terms_members = sim.members(**kinds)
    other.external["lane"] = OTHER_LANE
    grant = Grant(lane=OTHER_LANE, n=5, first_unit=UnitNumber(22))
    other.record["grants"] = (grant,)
    terms = other.make_terms()
    _, *above = other.make_disclosures().licenses
    shown = LicenseDisclosure(
        number=OTHER_NUMBER, terms=terms, members=sim.show_all(other.terms_members)
    )
    other.disclosed["licenses"] = (shown, *above)
    parent = above[0].number if above else 0
    other.words |= {
        storage.LANES.at(OTHER_LANE): sim.lane_word(number=OTHER_NUMBER),
        storage.LANE_HOLDERS.at(OTHER_LANE): sim.as_int(SITE),
        storage.ORIGINS.at(OTHER_LANE): sim.origin_word(sim.FIRST_LANE, sim.GIVEN),
        storage.LICENSES.at(OTHER_NUMBER): sim.license_word(parent=parent, depth=len(above)),
        storage.LICENSE_IDS.at(OTHER_NUMBER): sim.as_int(other.license_id(terms)),
        storage.LICENSE_NUMBERS.at(other.license_id(terms)): sim.granted_word(
            OTHER_NUMBER, sim.GRANTED
        ),
    }
    return other


def stand_beside(ours: Simulator, other: Simulator) -> None:
    """Put both on one chain, and the other one's evidence beside ours."""
    records = {
        storage.RECORDS.at(LOG, one.make_core().record.seq): sim.as_int(
            one.make_core().record.digest()
        )
        for one in (other, ours)
    }
    shared = {**other.chain_words(), **ours.chain_words(), **records}
    for one in (other, ours):
        one.words = dict(shared)
    ours.rivals = (*ours.rivals, other.evidence())
