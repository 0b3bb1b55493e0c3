// (4) The record is on chain and final, its part was not voided, and its beacon is older.

import { fromHex, same, toHex, toInteger } from "../bytes.js";
import { NUMBERS, isSound } from "../causes.js";
import { placeOf } from "../evidence.js";
import { digestOf, indexOf } from "../records.js";
import { FATES, RECORDS, VOIDED } from "../state.js";
import { NOT_CHECKED, fail, proven, shown, stated, unknown } from "./check.js";

function* onChain(theCase) {
  const { record } = theCase.evidence;
  const found = proven(theCase, RECORDS, record.log, record.seq);
  const named = `record ${record.seq} of log ${record.log}`;
  if (found === 0n) {
    yield fail("verify.recordUnknown", `The chain has no ${named}.`);
  } else if (found !== toInteger(digestOf(record))) {
    yield fail("verify.recordMismatch", `The chain has another ${named} than is shown.`);
  }
}

function* final({ header, trust, question: { sighting } }) {
  if (header === null || trust === null) return;
  const isListed = (trust.blocks ?? []).some((block) => BigInt(block.number) === header.number);
  const isSeen = Boolean(sighting?.hash) && same(fromHex(sighting.hash, 32), header.hash);
  if (!isListed && isSeen && !sighting.isFinal) {
    yield unknown("verify.notFinal", `Block ${header.number} is not final yet on your node.`);
  }
}

function* fate(theCase) {
  const { record, position } = theCase.evidence;
  const found = proven(theCase, FATES, record.log, indexOf(record, position));
  const place = placeOf(theCase.evidence);
  if (found === VOIDED) {
    yield fail("verify.partVoided", `Part ${place} is void.`);
  } else if (found !== 0n) {
    const [sound, by] = [soundReplacement(theCase, found), `${record.log}.${found}`];
    // Whether it stands by itself takes a check that is not performed whole.
    if (sound === "unknown") yield NOT_CHECKED;
    if (sound === "yes") yield fail("verify.partReplaced", `Part ${place} is replaced by ${by}.`);
    if (sound === "no") {
      yield unknown("verify.replacementMissing",
        `Part ${place} is said to be replaced by ${by}, which is not shown.`);
    }
  }
}

/** Return whether the shown replacement is that entry, of this part, and stands by itself. */
function soundReplacement({ evidence, replacement }, index) {
  const shown = evidence.replacement;
  const [ours, theirs] = [evidence.entry, shown?.entry];
  const isThat = shown !== null && same(shown.header, evidence.header)
    && placeOf(shown) === `${evidence.record.log}.${index}`
    && same(theirs.subject, ours.subject) && theirs.kind === ours.kind
    && same(theirs.maker, ours.maker);
  return isThat ? isSound(replacement, NUMBERS.slice(1)) : "no";
}

function* beacon(theCase) {
  const { log, seq, recordDigest } = stated(theCase).beacon;
  const place = `record ${seq} of log ${log}`;
  if (proven(theCase, RECORDS, log, seq) !== toInteger(recordDigest)) {
    yield fail("verify.beaconUnknown",
      `The beacon ${toHex(recordDigest)} is not ${place} of this chain.`);
  }
  const missing = unknown("verify.beaconMissing", `The beacon, ${place}, is not shown.`);
  const found = shown(theCase, "beacon", missing);
  if (!same(digestOf(found), recordDigest)) {
    yield fail("verify.beaconMismatch", `The beacon that is shown is not ${place}.`);
  } else if (found.time >= theCase.evidence.record.time) {
    yield fail("verify.beaconNotOlder", "The beacon is not older than the part's record.");
  }
}

export const RECORD = {
  number: 4,
  name: "record on chain",
  rules: [
    { at: "the record's digest on chain", rule: onChain },
    { at: "whether the block is final", rule: final },
    { at: "whether the part was voided or replaced", rule: fate },
    { at: "the beacon, which is older", rule: beacon },
  ],
};
