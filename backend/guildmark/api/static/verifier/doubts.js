// Notices that bear on a part: who doubts a key or a controller, and whether that is too late.
//
// Anchor time decides. What was done at or after a notice counts for nothing; what was done before
// it, at a suspected time, is in doubt.

import { ascii, concat, fromHex, word } from "./bytes.js";
import { keccak256 } from "./crypto.js";
import { Undecided, fail, proven, unknown } from "./checks/check.js";
import { CONTROLLERS, IDENTITIES, NOTICES, fieldsOf, wordAt } from "./state.js";

const CONTROLLER_DOMAIN = keccak256(ascii("guildmark/controller/v1"));
const FOREVER = 2 ** 40;
const HIMSELF = new Uint8Array(32);

/** Return what a notice makes of something done at a time: "void", "doubt" or "none". */
export function weightOf({ at, suspectedFrom, isCertain }, time) {
  if (time < suspectedFrom) return "none";
  return time >= at && isCertain ? "void" : "doubt";
}

/** Return the fields of `Key`. */
export function keyOf(found) {
  const [, since, until, noticeAt, suspectedFrom] = fieldsOf(found, 8, 40, 40, 40, 40);
  return { since, until, noticeAt, suspectedFrom };
}

/** Return the fields of `Identity`: its controller's account, its kind, since when, how many. */
export function identityOf(found) {
  const [account, kind, since, controllers] = fieldsOf(found, 160, 8, 40, 32);
  return { account, kind, since, controllers };
}

/** Yield the notices on a machine's key: its controller's or guardians', then authorities'. */
export function* ofKey(theCase, name, { noticeAt: at, suspectedFrom }) {
  if (at !== 0) {
    yield { at, suspectedFrom, isCertain: true, giver: "the machine's controller or guardians" };
  }
  yield* ofAuthorities(theCase, name, true);
}

/** Yield the notices on whoever controlled an identity at a time; of one account where named. */
export function* ofAct(theCase, identity, time, account = null) {
  const { account: newest, since, controllers } = identityOf(proven(theCase, IDENTITIES, identity));
  const begun = [since];
  for (let number = 2; number <= controllers; number += 1) {
    begun.push(controllerOf(theCase, identity, number).since);
  }
  for (let number = 1; number <= controllers; number += 1) {
    const [begin, end] = [begun[number - 1], begun[number] ?? FOREVER];
    if (time < begin || time > end) continue;
    const isMeant = account === null || account === (number === controllers ? newest
      : controllerOf(theCase, identity, number).account);
    if (isMeant) yield* ofController(theCase, identity, number, time < end);
  }
}

/** Return the sentence that a part was logged at a time, and what notice was given. */
export function loggedUnder({ at, giver, suspectedFrom }, logged) {
  return `The part was logged at ${logged}; notice was given at ${at} by ${giver}, `
    + `suspected from ${suspectedFrom}.`;
}

/** Yield a finding for each notice that bears on what an identity's controller did. */
export function* actFindings(theCase, identity, time, act) {
  yield* doubtFindings(ofAct(theCase, identity, time), time, { act });
}

/** Yield a finding for each doubt that bears on an act: a sentence without its time. */
export function* doubtFindings(doubts, time, { act, isCertain = true }) {
  for (const doubt of doubts) {
    const weight = weightOf({ ...doubt, isCertain: doubt.isCertain && isCertain }, time);
    const { at, giver, suspectedFrom } = doubt;
    const reason = `${act} at ${time}; on the controller notice was given at ${at} by ${giver}, `
      + `suspected from ${suspectedFrom}.`;
    if (weight === "void") yield fail("verify.controllerUnderNotice", reason);
    if (weight === "doubt") yield unknown("verify.controllerInDoubt", reason);
  }
}

function controllerOf(theCase, identity, number) {
  const [account, since] = fieldsOf(proven(theCase, CONTROLLERS, identity, number), 160, 40);
  return { account, since };
}

function* ofController(theCase, identity, number, isCertain) {
  const target = keccak256(concat(CONTROLLER_DOMAIN, identity, word(number)));
  const own = noticeOf(proven(theCase, NOTICES, target, HIMSELF));
  if (own.at !== 0) yield { ...own, isCertain, giver: "himself or the guardians" };
  yield* ofAuthorities(theCase, target, isCertain);
}

function* ofAuthorities(theCase, target, isCertain) {
  for (const { id, name, from = 0, to = 0 } of theCase.trust?.authorities ?? []) {
    const authority = fromHex(id, 32);
    if (wordAt(theCase.state, NOTICES, target, authority) === undefined) {
      throw new Undecided(unknown("verify.authorityMissing", `Whether the authority ${name || id} `
        + "gave notice is not proven by this bundle."));
    }
    const notice = noticeOf(proven(theCase, NOTICES, target, authority));
    const isListed = from <= notice.at && (to === 0 || notice.at < to);
    if (notice.at !== 0 && isListed) {
      yield { ...notice, isCertain, giver: `the authority ${name || id}` };
    }
  }
}

function noticeOf(found) {
  const [at, suspectedFrom] = fieldsOf(found, 40, 40);
  return { at, suspectedFrom };
}
