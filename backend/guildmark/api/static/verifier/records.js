// Records of a log: the digest that the chain keeps.

import { concat, toInteger, word } from "./bytes.js";
import { keccak256 } from "./crypto.js";
import { RECORDS, wordAt } from "./state.js";

export function digestOf(record) {
  return keccak256(encoded(record));
}

export function isOnChain(state, record) {
  return wordAt(state, RECORDS, record.log, record.seq) === toInteger(digestOf(record));
}

/** abi.encode(Record): a struct whose last field alone is dynamic. */
function encoded(record) {
  const { log, seq, firstIndex, count, time, parent, root, grants } = record;
  const words = [log, seq, firstIndex, count, time].map(word);
  const tail = [word(grants.length), ...grants.flatMap(({ lane, n, firstUnit }) => [lane, n, firstUnit]).map(word)];
  return concat(word(32), ...words, parent, root, word(8 * 32), ...tail);
}
