"""Two entries of one label on one chain: the part's own, and another one."""

from typing import Any

from fakes import simulator as sim
from fakes.simulator import LANE, LOG, LOGGED, NUMBER, SITE, Simulator
from guildmark.domain import storage
from guildmark.domain.identifiers import Index, LaneNumber, Seq, UnitNumber
from guildmark.domain.record import Grant
from guildmark.domain.verification.evidence import LicenseDisclosure

EARLIER: dict[str, Any] = {"seq": Seq(3), "first_index": Index(90), "time": LOGGED - 50}
LATER: dict[str, Any] = {"seq": Seq(5), "first_index": Index(107), "time": LOGGED + 50}
OTHER_LANE, OTHER_NUMBER = LaneNumber(LANE + 1), NUMBER + 1


def other_entry(place: dict[str, Any], *, counter: int = 26) -> Simulator:
    """Return another entry of the same label, by another statement of the same machine."""
    return Simulator(run={"counter": counter}, record=dict(place))


def licensed_apart(place: dict[str, Any], **kinds: str) -> Simulator:
    """Return another entry of the same label, under a license with other terms."""
    other = other_entry(place)
    other.terms_members = sim.members(**kinds)
    other.external["lane"] = OTHER_LANE
    grant = Grant(lane=OTHER_LANE, n=5, first_unit=UnitNumber(22))
    other.record["grants"] = (grant,)
    terms = other.make_terms()
    shown = LicenseDisclosure(
        number=OTHER_NUMBER, terms=terms, members=sim.show_all(other.terms_members)
    )
    other.disclosed["licenses"] = (shown,)
    other.words |= {
        storage.LANES.at(OTHER_LANE): sim.lane_word(number=OTHER_NUMBER),
        storage.LANE_HOLDERS.at(OTHER_LANE): sim.as_int(SITE),
        storage.LICENSES.at(OTHER_NUMBER): sim.license_word(),
        storage.LICENSE_IDS.at(OTHER_NUMBER): sim.as_int(other.license_id(terms)),
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
