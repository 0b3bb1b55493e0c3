"""(4) The record is on chain and final, its fate is 0, and its beacon is older."""

from collections.abc import Iterator

from guildmark.domain.chain import storage
from guildmark.domain.identifiers import to_hex
from guildmark.domain.log.record import Record
from guildmark.domain.verification.case import ENVELOPE, Case, UndecidedError
from guildmark.domain.verification.checks.check import Check
from guildmark.domain.verification.report import Cause, Finding, Lack, State

_RECORD = "log/record.json"
_BEACON = "disclosed/beacon.json"

RECORD_UNKNOWN = Cause(
    code="verify.recordUnknown",
    state=State.FAIL,
    meaning="The chain has no record of that number in that log.",
)
RECORD_MISMATCH = Cause(
    code="verify.recordMismatch",
    state=State.FAIL,
    meaning="The chain has another record of that number in that log.",
)
NOT_FINAL = Cause(
    code="verify.notFinal",
    state=State.UNKNOWN,
    meaning="Block b is not final yet.",
    lack=Lack.FINALITY,
)
PART_VOIDED = Cause(
    code="verify.partVoided",
    state=State.FAIL,
    meaning="The holder of the lane declared the part void.",
)
PART_REPLACED = Cause(
    code="verify.partReplaced",
    state=State.FAIL,
    meaning="A later entry replaces this one.",
)
REPLACEMENT_MISSING = Cause(
    code="verify.replacementMissing",
    state=State.UNKNOWN,
    meaning="A later entry is said to replace this one, and is not shown, or not a sound one.",
)
BEACON_MISSING = Cause(
    code="verify.beaconMissing",
    state=State.UNKNOWN,
    meaning="The bundle does not show the beacon that the statement names.",
)
BEACON_MISMATCH = Cause(
    code="verify.beaconMismatch",
    state=State.FAIL,
    meaning="The shown beacon is not the record that the statement names.",
)
BEACON_UNKNOWN = Cause(
    code="verify.beaconUnknown",
    state=State.FAIL,
    meaning="The beacon is no record of this chain.",
)
BEACON_NOT_OLDER = Cause(
    code="verify.beaconNotOlder",
    state=State.FAIL,
    meaning="The beacon is not older than the record of the part.",
)


def _on_chain(case: Case) -> Iterator[Finding]:
    record = case.core.record
    found = case.word(storage.RECORDS.at(record.log, record.seq))
    named = f"record {record.seq} of log {record.log}"
    if found == 0:
        yield RECORD_UNKNOWN.found(f"The chain has no {named}.", _RECORD)
    elif found != _word(record):
        yield RECORD_MISMATCH.found(f"The chain has another {named} than is shown.", _RECORD)


def _final(case: Case) -> Iterator[Finding]:
    if case.header is None or case.trust is None or case.trust.block(case.header.number):
        return
    sighting = case.question.sighting
    if sighting is not None and sighting.hash == case.header.hash and not sighting.is_final:
        reason = f"Block {case.header.number} is not final yet on your node."
        yield NOT_FINAL.found(reason, "chain/header.rlp")


def _fate(case: Case) -> Iterator[Finding]:
    log, index = case.core.record.log, case.core.index
    fate = case.word(storage.FATES.at(log, index))
    if fate == storage.VOIDED:
        yield PART_VOIDED.found(f"Part {log}.{index} is void.", "chain/parts.json")
    elif fate and _is_sound_replacement(case, fate):
        reason = f"Part {log}.{index} is replaced by {log}.{fate}."
        yield PART_REPLACED.found(reason, "chain/parts.json")
    elif fate:
        reason = f"Part {log}.{index} is said to be replaced by {log}.{fate}, which is not shown."
        yield REPLACEMENT_MISSING.found(reason, "chain/parts.json")


def _is_sound_replacement(case: Case, index: int) -> bool:
    """Return whether the shown replacement is that entry, of this part, and stands by itself."""
    shown, checks = case.evidence.replacement, case.replacement
    if shown is None or any(check.falls_short for check in checks if check.number):
        return False
    ours, theirs = case.core, shown.core
    return (
        shown.chain.header == case.evidence.chain.header
        and (theirs.record.log, theirs.index) == (ours.record.log, index)
        and (theirs.entry.subject, theirs.entry.kind, theirs.entry.maker)
        == (ours.entry.subject, ours.entry.kind, ours.entry.maker)
    )


def _beacon(case: Case) -> Iterator[Finding]:
    named, shown = case.statement.beacon, case.disclosed.beacon
    place = f"record {named.seq} of log {named.log}"
    found = case.word(storage.RECORDS.at(named.log, named.seq))
    if found != int.from_bytes(named.record_digest, "big"):
        reason = f"The beacon {to_hex(named.record_digest)} is not {place} of this chain."
        yield BEACON_UNKNOWN.found(reason, ENVELOPE)
    if shown is None:
        raise UndecidedError(
            BEACON_MISSING.found(f"The beacon, {place}, is not shown.", "disclosed")
        )
    if shown.digest() != named.record_digest:
        yield BEACON_MISMATCH.found(f"The beacon that is shown is not {place}.", _BEACON)
    elif shown.time >= case.core.record.time:
        yield BEACON_NOT_OLDER.found("The beacon is not older than the part's record.", _BEACON)


def _word(record: Record) -> int:
    return int.from_bytes(record.digest(), "big")


RECORD = Check(
    number=4,
    name="record on chain",
    asks="The record is on chain and final, it was not voided, and its beacon is older.",
    looked_at="log/record.json",
    causes=(
        RECORD_UNKNOWN,
        RECORD_MISMATCH,
        NOT_FINAL,
        PART_VOIDED,
        PART_REPLACED,
        REPLACEMENT_MISSING,
        BEACON_MISSING,
        BEACON_MISMATCH,
        BEACON_UNKNOWN,
        BEACON_NOT_OLDER,
    ),
    rules=(_on_chain, _final, _fate, _beacon),
)
