"""Cases for check (4): record on chain."""

from dataclasses import replace

from fakes import simulator as sim
from fakes.cases.draft import Draft, breaks, other, word
from fakes.simulator import (
    BEGUN,
    LANE,
    LOG,
    LOGGED,
    Simulator,
)
from guildmark.domain.builds.predicate import Beacon
from guildmark.domain.chain import storage
from guildmark.domain.identifiers import (
    Index,
    LaneNumber,
    LogNumber,
    Seq,
    UnitNumber,
)
from guildmark.domain.log.record import Grant
from guildmark.domain.verification.case import Question, Sighting

RECORD = storage.RECORDS.at(LOG, Seq(4))
BEACON = storage.RECORDS.at(LogNumber(2), Seq(9))
FATE = storage.FATES.at(LOG, Index(103))


@breaks(4, "recordUnknown", 19)
def record_that_nobody_appended(draft: Draft) -> None:
    word(RECORD, 0)(draft)


@breaks(4, "recordMismatch", 19)
def record_with_a_later_time(draft: Draft) -> None:
    word(RECORD, sim.as_int(draft.simulator.make_core().record.digest()))(draft)
    draft.simulator.record["time"] = LOGGED - 1


@breaks(4, "recordMismatch", 19)
def record_with_more_units(draft: Draft) -> None:
    word(RECORD, sim.as_int(draft.simulator.make_core().record.digest()))(draft)
    refused = Grant(lane=LaneNumber(9), n=2, first_unit=UnitNumber(0))
    granted = Grant(lane=LANE, n=5, first_unit=UnitNumber(24))
    draft.simulator.record["grants"] = (refused, granted)


@breaks(4, "notFinal", 17)
def block_is_not_final(draft: Draft) -> None:
    block = draft.simulator.trust().blocks[0]
    draft.trust["blocks"] = ()
    draft.question = Question(sighting=Sighting(is_reached=True, hash=block.hash))


@breaks(4, "partVoided", 19)
def part_is_void(draft: Draft) -> None:
    word(FATE, storage.VOIDED)(draft)


@breaks(4, "partReplaced", 19)
def part_is_replaced(draft: Draft) -> None:
    replacing = Simulator(run={"counter": 26}, record={"first_index": Index(110), "seq": Seq(5)})
    moved = storage.RECORDS.at(LOG, Seq(5))
    record, beacon = replacing.make_core().record, draft.simulator.make_core().record
    shared = {
        FATE: 113,
        moved: sim.as_int(record.digest()),
        RECORD: sim.as_int(beacon.digest()),
    }
    replacing.words.update(shared)
    draft.simulator.words.update(shared)
    draft.simulator.replacement = replacing.evidence()


@breaks(4, "replacementMissing", 23)
def replacement_is_not_shown(draft: Draft) -> None:
    word(FATE, 113)(draft)


@breaks(4, "replacementMissing", 23)
def replacement_is_another_entry(draft: Draft) -> None:
    part_is_replaced(draft)
    word(FATE, 114)(draft)
    replacing = draft.simulator.replacement
    assert replacing is not None
    draft.tampers.append(lambda e: replace(e, replacement=replace(replacing, chain=e.chain)))


@breaks(4, "beaconMissing", 23, decides=False)
def beacon_not_shown(draft: Draft) -> None:
    draft.simulator.disclosed["beacon"] = None


@breaks(4, "beaconMismatch", 19)
def beacon_is_another_record(draft: Draft) -> None:
    beacon = replace(draft.simulator.make_beacon(), time=BEGUN - 500)
    draft.simulator.disclosed["beacon"] = beacon


@breaks(4, "beaconUnknown", 19)
def beacon_of_another_chain(draft: Draft) -> None:
    word(BEACON, sim.as_int(other("record")))(draft)


@breaks(4, "beaconUnknown", 19)
def beacon_with_another_digest(draft: Draft) -> None:
    beacon = Beacon(log=LogNumber(2), seq=Seq(9), record_digest=other("record"))
    draft.simulator.statement["beacon"] = beacon


@breaks(4, "beaconNotOlder", 19)
def beacon_as_old_as_the_record(draft: Draft) -> None:
    draft.simulator.beacon["time"] = LOGGED
