// From checks to one verdict and one exit code, by the reader's policy.

import { NUMBERS, REQUIRED, fallsShort, lacksOf } from "./causes.js";

/** The exit code of a failed check, by its number. */
const EXITS = [16, 16, 12, 19, 19, 18, 18, 15, 15, 15, 13, 21, 20, 22];
const EXIT = { ok: 0, source: 3, notClaimed: 10, untrusted: 16, finality: 17, uncheckable: 23 };

/**
 * Return the verdict over all checks, its exit code, and the check that decides, null where none.
 *
 * Where checks are left nothing can be said but that one fails: the verdict is "notChecked".
 */
export function judge(checks, trust, areListed) {
  const failed = checks.find(({ state }) => state === "fail");
  if (failed !== undefined) {
    return { verdict: "problem", exit: EXITS[failed.number], decisive: failed };
  }
  if (leftOf(checks).length > 0) return { verdict: "notChecked", exit: null, decisive: null };
  const untrusted = { verdict: "untrusted", exit: EXIT.untrusted, decisive: null };
  if (trust === null) return untrusted;
  const required = trust.policy?.required ?? REQUIRED;
  const short = checks.filter((one) => required.includes(one.number) && fallsShort(one));
  if (short.length > 0) return fallenShort(short);
  return areListed ? { verdict: "verified", exit: EXIT.ok, decisive: null } : untrusted;
}

/** Return the numbers of the checks that exist and were not performed whole. */
export function leftOf(checks) {
  const done = checks.filter(({ state }) => state !== "notChecked").map(({ number }) => number);
  return NUMBERS.filter((number) => !done.includes(number));
}

function fallenShort(short) {
  const open = short.filter(({ state }) => ["unknown", "withheld"].includes(state));
  if (open.length === 0) {
    return { verdict: "problem", exit: EXIT.notClaimed, decisive: short[0] };
  }
  const [decisive] = open;
  const lacks = lacksOf(open);
  if (open.length === short.length && lacks.size === 1 && lacks.has("issuer")) {
    return { verdict: "untrusted", exit: EXIT.untrusted, decisive };
  }
  const isOfTime = lacks.size === 1 && lacks.has("finality");
  const silent = lacks.has("source") ? EXIT.source : EXIT.uncheckable;
  return { verdict: "uncheckable", exit: isOfTime ? EXIT.finality : silent, decisive };
}
