// A numbered check: rules over one case. What is not looked at is never ok.

import { same, toHex } from "../bytes.js";
import { INVALID, slotOf, wordAt } from "../state.js";
import { PAYLOAD_TYPE } from "../statement.js";

const RANKS = ["fail", "unknown", "withheld", "not claimed", "ok"];

/** What a rule yields where a part of its check is not performed here. */
export const NOT_CHECKED = Symbol("not checked");

/** What a rule yields where it has nothing to look at, and another rule or check says why. */
export const SKIPPED = Symbol("skipped");

/** Thrown where a rule cannot go on; its finding says why. */
export class Undecided extends Error {
  constructor(finding) {
    super(finding.reason);
    this.finding = finding;
  }
}

export const fail = (code, reason) => ({ state: "fail", code, reason });
export const unknown = (code, reason) => ({ state: "unknown", code, reason });
export const withheld = (code, reason) => ({ state: "withheld", code, reason });
export const notClaimed = (code, reason) => ({ state: "not claimed", code, reason });

const UNREAD = unknown("verify.statementUnread", "The statement cannot be read.");

/** Return a slot's proven word, 0 is proven absence; throw Undecided where it is not proven. */
export function proven({ state }, mapping, ...keys) {
  const found = wordAt(state, mapping, ...keys);
  if (typeof found === "bigint") return found;
  const slot = `slot ${toHex(slotOf(mapping, ...keys))} of ${mapping.contract}`;
  throw new Undecided(found === INVALID
    ? fail("verify.proofInvalid", `The proof of ${slot} is wrong.`)
    : unknown("verify.proofMissing", `There is no proof of ${slot}.`));
}

/** Return the statement; throw Undecided where it is not read. */
export function stated({ evidence: { signed, said } }) {
  if (said === null || !said.isOfSubject || signed.type !== PAYLOAD_TYPE) {
    throw new Undecided(UNREAD);
  }
  return said;
}

/** Return what a party shows; throw Undecided where it shows nothing. */
export function shown({ evidence: { disclosed } }, name, missing) {
  if (disclosed[name] === null) throw new Undecided(missing);
  return disclosed[name];
}

export function isLink(link, child, parent) {
  return same(link.child, child) && same(link.parent, parent);
}

/**
 * Return a check's result: its worst finding, "notChecked" where others could be worse.
 *
 * What it `lookedAt` are the rules that could judge; a rule without its evidence is not among them.
 */
export async function run(check, theCase) {
  const findings = [];
  const lookedAt = [];
  let isWhole = true;
  for (const { at, rule } of check.rules) {
    const found = await findingsOf(rule, theCase);
    if (found.includes(NOT_CHECKED)) isWhole = false;
    if (found.every((one) => one.state === "fail")) lookedAt.push(at);
    for (const one of found.filter((each) => typeof each !== "symbol")) {
      if (!isAmong(findings, one)) findings.push(one);
    }
  }
  findings.sort((one, other) => RANKS.indexOf(one.state) - RANKS.indexOf(other.state));
  const [worst] = findings;
  const result = { number: check.number, name: check.name, lookedAt, findings };
  if (worst?.state === "fail" || (isWhole && worst !== undefined)) return { ...result, ...worst };
  return { ...result, state: isWhole ? "ok" : "notChecked", code: null, reason: "" };
}

/** Return whether a finding was made before: several rules may need what is not shown. */
function isAmong(findings, { code, reason }) {
  return findings.some((one) => one.code === code && one.reason === reason);
}

async function findingsOf(rule, theCase) {
  const found = [];
  try {
    for await (const one of rule(theCase)) found.push(one);
  } catch (error) {
    if (!(error instanceof Undecided)) throw error;
    found.push(error.finding);
  }
  return found;
}
