// Notices on who owned a design: who licensed it, and published its revision.
//
// An owner is an account. A notice on it bears on what it did in whoever's name a bundle shows that
// it spoke: whoever steals a key has all that it opens.

import { fromHex, same, toHex } from "./bytes.js";
import { NOT_CHECKED, Undecided, proven } from "./checks/check.js";
import { rootLicense } from "./documents/terms.js";
import { doubtFindings, ofAct } from "./doubts.js";
import { actOf } from "./licensing.js";
import { DESIGN_OWNERS, IDENTITIES, wordAt } from "./state.js";

/** Yield a finding for each notice that bears on what was published for the design. */
export function* publishedFindings(theCase, at) {
  const { disclosed } = theCase.evidence;
  const root = rootLicense(disclosed);
  if (root === null || disclosed.owner === null) return;
  const found = attempt(() => signedFor(theCase, root));
  // (6) says what is not proven.
  if (found === null) return;
  const next = proven(theCase, DESIGN_OWNERS, root.terms.design, found.epoch + 1);
  const isHis = at < found.at ? found.epoch === 0 : next === 0n;
  yield* ownerFindings(theCase, found.account, at, isHis);
}

/** Yield a finding for each notice that bears on who granted the license, or added the unit. */
export function* signedFindings(theCase) {
  const { disclosed } = theCase.evidence;
  const root = rootLicense(disclosed);
  if (root === null) return;
  const { at } = actOf(theCase, root);
  if (disclosed.owner === null) return;
  yield* ownerFindings(theCase, signedFor(theCase, root).account, at, true);
}

/** Return by which act of which owner the unit exists; throw Undecided. */
function signedFor(theCase, root) {
  const found = actOf(theCase, root);
  return { ...found, account: proven(theCase, DESIGN_OWNERS, root.terms.design, found.epoch) };
}

function attempt(find) {
  try {
    return find();
  } catch (error) {
    if (error instanceof Undecided) return null;
    throw error;
  }
}

function* ownerFindings(theCase, account, at, isCertain) {
  const { inspections, owner } = theCase.evidence.disclosed;
  // Who inspected acts, too, and this verifier does not read inspections.
  if (inspections !== null) yield NOT_CHECKED;
  yield* doubtFindings(doubtsOf(theCase, owner, account, at), at, isCertain);
}

/** Yield the notices on the owner, and on his account in others' names that are shown. */
function* doubtsOf(theCase, owner, account, at) {
  yield* ofAct(theCase, owner, at);
  for (const other of actors(theCase.evidence).filter((one) => !same(one, owner))) {
    // Who is named but not proven is no evidence; what rests on him is refused where it counts.
    if (wordAt(theCase.state, IDENTITIES, other) !== undefined) {
      yield* ofAct(theCase, other, at, account);
    }
  }
}

/** Return the identities whose controllers made what a verdict rests on, ascending. */
function actors({ entry, disclosed, said }) {
  const { key, siteLink, makerLink, operator, owner, countersigner: second } = disclosed;
  const links = [siteLink, makerLink, second?.siteLink, second?.link].filter(Boolean);
  const found = [
    ...links.flatMap(({ child, parent }) => [child, parent]),
    ...(disclosed.claims ?? []).map(({ issuer }) => issuer),
    ...(disclosed.accreditations ?? []).map(({ issuer }) => issuer),
    ...(disclosed.equivalence ?? []).map(({ plan }) => plan.evaluator),
    ...(disclosed.lanes ?? []).map(({ holder }) => holder),
    ...[operator, owner, second?.machine, key && entry.machine].filter(Boolean),
  ];
  const names = new Set(found.map(toHex));
  for (const { instrument } of said?.isOfSubject ? said.measurements : []) {
    if (/^0x(?:[0-9a-f]{2}){32}$/.test(instrument)) names.add(instrument);
  }
  return [...names].sort().map((name) => fromHex(name, 32));
}
