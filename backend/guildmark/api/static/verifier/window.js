// The time in which a part was built, and whether a right covers it.

import { same } from "./bytes.js";
import { Undecided } from "./checks/check.js";
import { digestOf, isOnChain } from "./records.js";

const FOREVER = 2 ** 40;
const FIELD = 2n ** 40n;

/** Return the block seconds [begin, end] from the beacon's to the record's; throw Undecided. */
export function windowOf({ evidence: { beacon, record }, statement, state }) {
  const isProven = beacon !== null && statement !== null
    && isOnChain(state, beacon) && isOnChain(state, record);
  if (!isProven || !same(statement.beacon, digestOf(beacon)) || beacon.time >= record.time) {
    throw new Undecided();
  }
  return { begin: beacon.time, end: record.time };
}

/** Return the fields of `Interval`: [since, until), 0 is open. */
export function intervalOf(word) {
  return { since: Number(word % FIELD), until: Number((word / FIELD) % FIELD) };
}

/** Return how much of a window the union of some intervals covers: "full", "part" or "none". */
export function cover(intervals, { begin, end }) {
  let reached = begin;
  let isTouched = false;
  // What ended in the block that began it never held.
  const held = intervals.filter(({ since, until }) => until === 0 || since < until);
  for (const { since, until } of held.sort((one, other) => one.since - other.since)) {
    const last = until || FOREVER;
    isTouched ||= since <= end && last > begin;
    if (since <= reached) reached = Math.max(reached, last);
  }
  if (reached > end) return "full";
  return isTouched ? "part" : "none";
}
