// What a clause admits, and whether a site's recipe keeps the clauses of its master.

import { same } from "../bytes.js";
import { fraction, isLess, isSame } from "../fraction.js";
import { measuresAlike, worth } from "./quantity.js";

/** Return whether bounds, and not a value alone, say what is admitted. */
export function isBounded({ min, max }) {
  return min !== null || max !== null;
}

/** Return whether values in a unit, null for texts, can answer a clause. */
export function measuresLike(clause, unit) {
  if (clause.unit === null || unit === null) return clause.unit === unit;
  return measuresAlike(clause.unit, unit);
}

/** Return whether a value in a unit is allowed; bounds admit themselves. */
export function admits(clause, value, unit = null) {
  if (!measuresLike(clause, unit)) return false;
  return unit === null ? takes(clause, value) : holds(clause, worth(value, unit));
}

/** Yield {leaf, deviation, path} for each clause in which a site departs from its master. */
export function* violations(master, site) {
  const [theirs, ours] = [master.leaves, site.leaves];
  const shared = Math.min(theirs.length, ours.length);
  if (theirs.length !== ours.length) {
    yield { leaf: shared, deviation: "the number of clauses", path: null };
  }
  for (let leaf = 0; leaf < shared; leaf += 1) {
    if (same(theirs[leaf], ours[leaf])) continue;
    const [wider, own] = [master.at(leaf), site.at(leaf)];
    const isShown = wider !== null && own !== null;
    const deviation = isShown ? deviationOf(wider, own) : WITHHELD;
    if (deviation !== null) yield { leaf, deviation, path: (wider ?? own)?.path ?? null };
  }
}

export const WITHHELD = "not shown by both";

function deviationOf(master, site) {
  if (master.path !== site.path) return "the path";
  const isOfKind = ["class", "type", "criticality"].every((name) => master[name] === site[name]);
  if (!isOfKind || !measuresLike(master, site.unit)) return "class, type, unit or criticality";
  if (master.class === "core") return "a core clause";
  return narrows(site, master) ? null : "outside the bounds";
}

/** Return whether everything that a clause admits is admitted by a wider one, too. */
export function narrows(clause, wider) {
  if (clause.type !== wider.type || !measuresLike(wider, clause.unit)) return false;
  if (!isBounded(wider) && wider.value === null) return true;
  if (clause.type === "text" && wider.class === "custom") {
    return liesBetween(clause, wider) && variesLess(clause, wider);
  }
  if (isBounded(clause)) return isBounded(wider) && liesBetween(clause, wider);
  return clause.value !== null && admits(wider, clause.value, clause.unit);
}

/** Return whether a text is allowed; a custom one by its length and its variants. */
function takes({ class: klass, value, min, max }, text) {
  if (klass !== "custom") return value === null || value === text;
  const size = [...text].length;
  const isOfSize = Number(min ?? 0) <= size && size <= Number(max ?? size);
  return isOfSize && (value === null || value.split("\n").includes(text));
}

function holds(clause, number) {
  const { min, value, max } = clause;
  if (!isBounded(clause)) return value === null || isSame(number, worthIn(clause, value));
  const isBelow = min !== null && isLess(number, worthIn(clause, min));
  return !isBelow && !(max !== null && isLess(worthIn(clause, max), number));
}

function liesBetween(clause, wider) {
  const isAbove = wider.min === null || (clause.min !== null
    && !isLess(worthIn(clause, clause.min), worthIn(wider, wider.min)));
  return isAbove && (wider.max === null || (clause.max !== null
    && !isLess(worthIn(wider, wider.max), worthIn(clause, clause.max))));
}

function variesLess({ value }, wider) {
  if (wider.value === null) return true;
  const known = new Set(wider.value.split("\n"));
  return value !== null && value.split("\n").every((one) => known.has(one));
}

/** Return what a bound is worth; those of texts are numbers of characters. */
function worthIn({ unit }, value) {
  return unit === null ? fraction(BigInt(value)) : worth(value, unit);
}
