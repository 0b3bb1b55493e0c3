// What the rules make of a recipe's change, from the clauses of the recipe before and its own.
//
// The rules are those that the published schema shows under changeRules; the greatest change of any
// clause is that of the recipe.

import { isSame } from "../fraction.js";
import { toHex } from "../bytes.js";
import { measuresLike, narrows } from "./bounds.js";
import { worth } from "./quantity.js";

export const [EDITORIAL, MINOR, REQUALIFY] = [1, 2, 3];
const FREE = ["custom", "site"];
const TEXTS = ["value", "min", "max"];
// What Python's str.split takes for space.
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

/**
 * Return what the rules make at least of a change, and whether hidden clauses cannot make it more.
 *
 * Equal leaves are equal clauses, shown or not.
 */
export function ruled(before, after) {
  const [gone, come] = [unlike(before, after), unlike(after, before)];
  let least = EDITORIAL;
  for (const path of new Set([...gone.shown.keys(), ...come.shown.keys()])) {
    const [old, fresh] = [gone.shown.get(path) ?? null, come.shown.get(path) ?? null];
    // A clause that one recipe lacks may stand behind a leaf that the other does not show.
    const isTold = (old !== null || gone.hidden === 0) && (fresh !== null || come.hidden === 0);
    if (isTold) least = Math.max(least, changeOf(old, fresh));
  }
  const isWhole = gone.hidden === 0 && come.hidden === 0;
  return { least, isKnown: isWhole || least === REQUALIFY };
}

/** Return the shown clauses whose leaves another recipe lacks, and how many are not shown. */
function unlike(clauses, others) {
  const known = new Set(others.leaves.map(toHex));
  const shown = new Map();
  let hidden = 0;
  clauses.leaves.forEach((leaf, at) => {
    if (known.has(toHex(leaf))) return;
    const clause = clauses.at(at);
    if (clause === null) hidden += 1;
    else shown.set(clause.path, clause);
  });
  return { shown, hidden };
}

/** Return what the rules make of one clause, 0 where nothing but its salt is another. */
function changeOf(before, after) {
  if (before === null || after === null) {
    return FREE.includes((before ?? after).class) ? MINOR : REQUALIFY;
  }
  if (isWrittenAlike(before, after)) return 0;
  const isOfWorth = before.class === after.class && saysTheSame(before, after);
  if (isOfWorth && before.criticality === after.criticality) return EDITORIAL;
  if (before.class !== after.class) return REQUALIFY;
  if (FREE.includes(before.class) || isOfWorth) return MINOR;
  return narrows(after, before) ? MINOR : REQUALIFY;
}

function isWrittenAlike(before, after) {
  const members = ["class", "type", "criticality", "unit", ...TEXTS];
  return members.every((name) => before[name] === after[name]);
}

/** Return whether two clauses of one class say the same, numbers by their worth. */
function saysTheSame(before, after) {
  if (before.type !== after.type || !measuresLike(before, after.unit)) return false;
  return TEXTS.every((name) => {
    const [old, fresh] = [before[name], after[name]];
    if (old === null || fresh === null) return old === fresh;
    if (before.unit === null) return spaced(old) === spaced(fresh);
    return isSame(worth(old, before.unit), worth(fresh, after.unit));
  });
}

/** Return a text whose words are parted by one space each. */
function spaced(text) {
  return text.split(SPACE).filter((word) => word !== "").join(" ");
}
