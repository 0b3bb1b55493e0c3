// (4) The record is on chain, its part not void. Replacement and beacon are not looked at here.

import { concat, toInteger, word } from "../bytes.js";
import { keccak256 } from "../crypto.js";
import { FATES, INVALID, RECORDS, VOIDED, wordAt } from "../state.js";
import { fail } from "./check.js";

const WRONG_PROOF = fail("verify.proofInvalid", "The proof of a slot is wrong.");

function* onChain({ evidence: { record }, state }) {
  const found = wordAt(state, RECORDS, record.log, record.seq);
  if (found === 0n) {
    yield fail("verify.recordUnknown", "The chain has no such record.");
  } else if (found === INVALID) {
    yield WRONG_PROOF;
  } else if (found !== undefined && found !== toInteger(keccak256(encoded(record)))) {
    yield fail("verify.recordMismatch", "The chain has another record than is shown.");
  }
}

function* fate({ evidence: { record, position }, state }) {
  const found = wordAt(state, FATES, record.log, record.firstIndex + position);
  if (found === VOIDED) yield fail("verify.partVoided", "The part is void.");
  if (found === INVALID) yield WRONG_PROOF;
}

/** abi.encode(Record): a struct whose last field alone is dynamic. */
function encoded(record) {
  const { log, seq, firstIndex, count, time, parent, root, grants } = record;
  const words = [log, seq, firstIndex, count, time].map(word);
  const tail = [word(grants.length), ...grants.flat().map(word)];
  return concat(word(32), ...words, parent, root, word(8 * 32), ...tail);
}

export const RECORD = {
  number: 4,
  name: "record on chain",
  looksAt: ["the record's digest on chain", "whether the part was voided"],
  isWhole: false,
  rules: [onChain, fate],
};
