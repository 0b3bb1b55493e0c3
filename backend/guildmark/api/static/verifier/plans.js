// Plans by which sites try to be certified equivalent, as the chain keeps them.

import { ascii, concat, word } from "./bytes.js";
import { keccak256 } from "./crypto.js";
import { CERTIFICATES, PLAN_ENTRIES, SCHEDULES, SCOPES, fieldsOf } from "./state.js";
import { proven } from "./checks/check.js";

const DOMAIN = keccak256(ascii("guildmark/equivalence-plan/v1"));
const LAPSES = ["", "a machine moved", "firmware changed by a major version", "the recipe changed",
  "a key is under notice"];
export const [EQUIVALENT, NOT_EQUIVALENT] = [1, 2];

/** Return keccak256(abi.encode(domain, Plan)): a struct whose last field alone is dynamic. */
export function planId({ recipe, sponsor, evaluator, document, commitBy, revealBy, sites }) {
  const head = concat(recipe, sponsor, evaluator, document, word(commitBy), word(revealBy));
  const tail = concat(word(7 * 32), word(sites.length), ...sites);
  return keccak256(concat(DOMAIN, word(2 * 32), head, tail));
}

/** Return what the chain holds of a site in a plan; throw Undecided where it is not proven. */
export function attemptOf(theCase, site, number, plan) {
  const id = planId(plan);
  proven(theCase, SCHEDULES, id);
  proven(theCase, PLAN_ENTRIES, id, site);
  const scope = proven(theCase, SCOPES, id, site);
  const found = proven(theCase, CERTIFICATES, id, site);
  const [verdict, since, until, suspendedAt, lapsedAt, cause] = fieldsOf(found, 8, 40, 40, 40, 40, 8);
  return { id, number, plan, scope, verdict, since, until, suspendedAt, lapsedAt, cause };
}

/** Return when a certificate holds: until it ends, is suspended or lapses. */
export function validityOf({ since, until, suspendedAt, lapsedAt }) {
  const ends = [until, suspendedAt, lapsedAt].filter((end) => end !== 0);
  return { since, until: ends.length > 0 ? Math.min(...ends) : 0 };
}

/** Return why a certificate holds no more, empty where nothing was said. */
export function limitsOf({ suspendedAt, lapsedAt, cause }) {
  const suspended = suspendedAt === 0 ? "" : `; suspended at ${suspendedAt}`;
  const why = LAPSES[cause] || "an unknown cause";
  return suspended + (lapsedAt === 0 ? "" : `; lapsed at ${lapsedAt}: ${why}`);
}
