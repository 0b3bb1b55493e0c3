// Records of a log: the digest that the chain keeps, and what stands in them.

import { Malformed, ascii, concat, same, sha256, toInteger, word } from "./bytes.js";
import { keccak256 } from "./crypto.js";
import { rootOfPath } from "./proofs/merkle.js";
import { RECORDS, wordAt } from "./state.js";

const ENTRY_DOMAIN = keccak256(ascii("guildmark/entry/v1"));

/** Return the 32 opaque bytes that the log publishes for an entry. */
export function entryData({ kind, ids, previous }, salt) {
  return sha256(concat(ENTRY_DOMAIN, salt, word(kind), ...ids, word(previous)));
}

/** Return whether an entry stands at its place in a record. */
export async function isInRecord(entry, salt, { record, position, path }) {
  const data = await entryData(entry, salt);
  try {
    return same(await rootOfPath(data, position, record.count, path), record.root);
  } catch (error) {
    if (error instanceof Malformed) return false;
    throw error;
  }
}

export function digestOf(record) {
  return keccak256(encoded(record));
}

export function isOnChain(state, record) {
  return wordAt(state, RECORDS, record.log, record.seq) === toInteger(digestOf(record));
}

/** Return the index in the log of the entry at a position, as a BigInt. */
export function indexOf({ firstIndex }, position) {
  return firstIndex + BigInt(position);
}

/** abi.encode(Record): a struct whose last field alone is dynamic. */
function encoded(record) {
  const { log, seq, firstIndex, count, time, parent, root, grants } = record;
  const words = [log, seq, firstIndex, count, time].map(word);
  const tail = [word(grants.length), ...grants.flatMap(({ lane, n, firstUnit }) => [lane, n, firstUnit]).map(word)];
  return concat(word(32), ...words, parent, root, word(8 * 32), ...tail);
}
