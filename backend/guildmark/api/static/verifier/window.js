// The time in which a part was built, and whether a right covers it.

import { same } from "./bytes.js";
import { Undecided, stated, unknown } from "./checks/check.js";
import { digestOf, isOnChain } from "./records.js";
import { fieldsOf } from "./state.js";

const FOREVER = 2 ** 40;
const UNKNOWN = unknown("verify.windowUnknown",
  "Beacon or record is not proven, so that the time of the build is not known.");

/** Return the block seconds [begin, end] from the beacon's to the record's; throw Undecided. */
export function windowOf(theCase) {
  const { evidence: { disclosed: { beacon }, record }, state } = theCase;
  if (beacon === null || !isOnChain(state, beacon) || !isOnChain(state, record)) {
    throw new Undecided(UNKNOWN);
  }
  const named = stated(theCase).beacon.recordDigest;
  if (!same(named, digestOf(beacon)) || beacon.time >= record.time) throw new Undecided(UNKNOWN);
  return { begin: beacon.time, end: record.time };
}

/** Return the fields of `Interval`: [since, until), 0 is open. */
export function intervalOf(word) {
  const [since, until] = fieldsOf(word, 40, 40);
  return { since, until };
}

/** Yield what is wrong with a right that must cover the window, in words that name it. */
export function* covered(what, intervals, window, { none, part }) {
  const found = cover(intervals, window);
  const during = `between ${window.begin} and ${window.end}, when the part was built`;
  if (found === "none") yield none(`${what} did not hold ${during}.`);
  if (found === "part") yield part(`${what} held only a part of the time ${during}.`);
}

/** Return how much of a window the union of some intervals covers: "full", "part" or "none". */
export function cover(intervals, { begin, end }) {
  let reached = begin;
  let isTouched = false;
  // What ended in the block that began it never held.
  const sound = intervals.filter(({ since, until }) => until === 0 || since < until);
  for (const { since, until } of sound.sort((one, other) => one.since - other.since)) {
    const last = until || FOREVER;
    isTouched ||= since <= end && last > begin;
    if (since <= reached) reached = Math.max(reached, last);
  }
  if (reached > end) return "full";
  return isTouched ? "part" : "none";
}
