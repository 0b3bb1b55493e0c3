// Notices on who owned a design: who licensed it, and published its revision.
//
// An owner is an account. A notice on it bears on what it did in whoever's name a bundle shows that
// it spoke: whoever steals a key has all that it opens.

import { fromHex, same, toHex } from "./bytes.js";
import { NOT_CHECKED, Undecided, proven, unknown } from "./checks/check.js";
import { licenseId, rootLicense } from "./documents/terms.js";
import { doubtFindings, ofAct } from "./doubts.js";
import { DESIGN_OWNERS, EXTENSIONS, IDENTITIES, LICENSE_NUMBERS, fieldsOf, wordAt } from "./state.js";

// (6) says what is not proven; nobody reads this one.
const UNPROVEN = new Undecided(unknown("verify.licenseMissing", "Who signed is not proven."));

/** Yield a finding for each notice that bears on what was published for the design. */
export function* publishedFindings(theCase, at) {
  const { disclosed } = theCase.evidence;
  const root = rootLicense(disclosed);
  if (root === null || disclosed.owner === null) return;
  const found = signedFor(theCase, root);
  if (found === null) return;
  // Who inspected acts, too, and this verifier does not read inspections.
  if (disclosed.inspections !== null) yield NOT_CHECKED;
  const next = proven(theCase, DESIGN_OWNERS, root.terms.design, found.epoch + 1);
  const isHis = at < found.at ? found.epoch === 0 : next === 0n;
  yield* doubtFindings(doubtsOf(theCase, disclosed.owner, found.account, at), at, isHis);
}

/** Return by which act of which owner the unit exists, null where that is not proven. */
function signedFor(theCase, root) {
  try {
    const found = actOf(theCase, root);
    return { ...found, account: proven(theCase, DESIGN_OWNERS, root.terms.design, found.epoch) };
  } catch (error) {
    if (!(error instanceof Undecided)) throw error;
    return null;
  }
}

function actOf(theCase, root) {
  const { record, position, disclosed: { extension } } = theCase.evidence;
  const unit = unitAt(record, position);
  if (unit === null || unit <= root.terms.units) {
    const [, at] = fieldsOf(proven(theCase, LICENSE_NUMBERS, idOf(theCase, root)), 40, 40);
    return { epoch: root.terms.designEpoch, at };
  }
  if (extension === null) throw UNPROVEN;
  const word = proven(theCase, EXTENSIONS, root.number, extension.first);
  const [end, epoch, at] = fieldsOf(word, 40, 40, 40);
  if (unit < extension.first || unit >= end || extension.epoch !== epoch) throw UNPROVEN;
  return { epoch, at };
}

function idOf({ evidence, trust }, { terms }) {
  const pin = trust === null ? evidence.pin : trust.chain;
  const contract = pin.contracts?.licenses;
  if (!contract) throw UNPROVEN;
  return licenseId(terms, pin.chainId, fromHex(contract.address, 20));
}

/** Return the unit of the entry at a position, null where nothing was granted. */
function unitAt({ grants }, position) {
  let offset = 0;
  for (const { n, firstUnit } of grants) {
    if (firstUnit !== 0 && position >= offset && position < offset + n) {
      return firstUnit + position - offset;
    }
    offset += n;
  }
  return null;
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
