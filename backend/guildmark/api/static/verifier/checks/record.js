// (4) The record is on chain, its part not void. Replacement and beacon are not looked at here.

import { toInteger } from "../bytes.js";
import { digestOf } from "../records.js";
import { FATES, INVALID, RECORDS, VOIDED, wordAt } from "../state.js";
import { SKIPPED, fail } from "./check.js";

const WRONG_PROOF = fail("verify.proofInvalid", "The proof of a slot is wrong.");

function* onChain({ evidence: { record }, state }) {
  const found = wordAt(state, RECORDS, record.log, record.seq);
  if (found === undefined) {
    yield SKIPPED;
  } else if (found === 0n) {
    yield fail("verify.recordUnknown", "The chain has no such record.");
  } else if (found === INVALID) {
    yield WRONG_PROOF;
  } else if (found !== toInteger(digestOf(record))) {
    yield fail("verify.recordMismatch", "The chain has another record than is shown.");
  }
}

function* fate({ evidence: { record, position }, state }) {
  const found = wordAt(state, FATES, record.log, record.firstIndex + position);
  if (found === undefined) yield SKIPPED;
  if (found === VOIDED) yield fail("verify.partVoided", "The part is void.");
  if (found === INVALID) yield WRONG_PROOF;
}

export const RECORD = {
  number: 4,
  name: "record on chain",
  isWhole: false,
  rules: [
    { at: "the record's digest on chain", rule: onChain },
    { at: "whether the part was voided", rule: fate },
  ],
};
