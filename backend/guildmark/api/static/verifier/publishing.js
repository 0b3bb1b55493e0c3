// Notices on who owned a design: who licensed it, and published its revision.
//
// An owner is an account. A notice on it bears on what it did in whoever's name a bundle shows that
// it spoke: whoever steals a key has all that it opens.

import { fromHex, same, toHex } from "./bytes.js";
import { Undecided, proven } from "./checks/check.js";
import { rootLicense } from "./documents/terms.js";
import { doubtFindings, ofAct } from "./doubts.js";
import { actOf } from "./licensing.js";
import { DESIGN_OWNERS, IDENTITIES, fieldsOf, wordAt } from "./state.js";

const FOREVER = 2 ** 40 - 1;

/** Yield a finding for each notice that bears on an act by which something was published. */
export function* publishedFindings(theCase, at, act) {
  const { disclosed } = theCase.evidence;
  const root = rootLicense(disclosed);
  if (root === null || disclosed.owner === null) return;
  const found = attempt(() => signedFor(theCase, root));
  // (6) says what is not proven.
  if (found === null) return;
  for (const deed of deedsOf(theCase, root.terms.design, found, at)) {
    const named = deed.account === found.account ? disclosed.owner : null;
    yield* ownerFindings(theCase, named, { act, ...deed });
  }
}

/** Yield who may have published at a time, and who gave the design away after he signed. */
function* deedsOf(theCase, design, { epoch: signed, account }, at) {
  const shown = (theCase.evidence.disclosed.owners ?? []).map(({ epoch }) => epoch);
  const owners = [...new Set([signed, ...shown])].sort((one, other) => one - other)
    .map((epoch) => tenureOf(theCase, design, epoch))
    // An epoch that never began says nothing of who owned the design.
    .filter((one) => one.account !== 0n);
  const publishing = owners.filter(({ since, until }) => since <= at && at <= until);
  if (publishing.length === 0) yield { account, at, isCertain: false };
  for (const { account: owner, epoch, since, until } of publishing) {
    yield { account: owner, at, isCertain: (epoch === 0 || since < at) && at < until };
  }
  for (const { account: owner, epoch, until } of owners) {
    if (epoch >= signed && until < at) {
      yield { account: owner, at: until, isCertain: false, act: "The design was given away" };
    }
  }
}

/** Return those of the shown owners of the design who may have owned it at a time. */
export function tenuresAt(theCase, at) {
  const root = rootLicense(theCase.evidence.disclosed);
  if (root === null) return [];
  return shownEpochs(theCase).map((epoch) => tenureOf(theCase, root.terms.design, epoch))
    .filter(({ account, since, until }) => account !== 0n && since <= at && at <= until);
}

/** Return in which epochs of the design the bundle shows who owned it. */
export function shownEpochs({ evidence: { disclosed } }) {
  const root = rootLicense(disclosed);
  const epochs = (disclosed.owners ?? []).map(({ epoch }) => epoch);
  if (root !== null) epochs.push(root.terms.designEpoch);
  if (disclosed.extension !== null) epochs.push(disclosed.extension.epoch);
  return [...new Set(epochs)].sort((one, other) => one - other);
}

function tenureOf(theCase, design, epoch) {
  const [account, since] = ownerOf(theCase, design, epoch);
  const [following, until] = ownerOf(theCase, design, epoch + 1);
  return { epoch, account, since, until: following === 0n ? FOREVER : until };
}

/** Return the fields of `Owner`: the account that owned a design in an epoch, and since when. */
function ownerOf(theCase, design, epoch) {
  return fieldsOf(proven(theCase, DESIGN_OWNERS, design, epoch), 160, 40);
}

/** Yield a finding for each notice that bears on who granted the license, or added the unit. */
export function* signedFindings(theCase) {
  const { disclosed } = theCase.evidence;
  const root = rootLicense(disclosed);
  if (root === null) return;
  const { at, act } = actOf(theCase, root);
  if (disclosed.owner === null) return;
  const { account } = signedFor(theCase, root);
  yield* ownerFindings(theCase, disclosed.owner, { account, at, act, isCertain: true });
}

/** Return by which act of which owner the unit exists; throw Undecided. */
function signedFor(theCase, root) {
  const found = actOf(theCase, root);
  const [account] = ownerOf(theCase, root.terms.design, found.epoch);
  return { ...found, account };
}

function attempt(find) {
  try {
    return find();
  } catch (error) {
    if (error instanceof Undecided) return null;
    throw error;
  }
}

function* ownerFindings(theCase, named, { account, at, isCertain, act }) {
  yield* doubtFindings(doubtsOf(theCase, named, account, at), at, { act, isCertain });
}

/** Yield the notices on an account in the names that are shown, and those on whom it is. */
function* doubtsOf(theCase, named, account, at) {
  if (named !== null) yield* ofAct(theCase, named, at);
  const others = actors(theCase.evidence);
  for (const other of others.filter((one) => named === null || !same(one, named))) {
    // Who is named but not proven is no evidence; what rests on him is refused where it counts.
    if (wordAt(theCase.state, IDENTITIES, other) !== undefined) {
      yield* ofAct(theCase, other, at, account);
    }
  }
}

/** Return the identities whose controllers made what a verdict rests on, ascending. */
function actors({ entry, disclosed, said, inspections }) {
  const { key, siteLink, makerLink, operator, owner, countersigner: second } = disclosed;
  const links = [siteLink, makerLink, second?.siteLink, second?.link].filter(Boolean);
  const found = [
    ...links.flatMap(({ child, parent }) => [child, parent]),
    ...(disclosed.claims ?? []).map(({ issuer }) => issuer),
    ...(disclosed.accreditations ?? []).map(({ issuer }) => issuer),
    ...(disclosed.equivalence ?? []).map(({ plan }) => plan.evaluator),
    ...inspections.filter((one) => one.said !== null)
      .flatMap((one) => [one.said.machine, one.said.site, one.said.inspector]),
    ...(disclosed.lanes ?? []).map(({ holder }) => holder),
    ...(disclosed.owners ?? []).map(({ identity }) => identity).filter(Boolean),
    // No identity stands for the design's owner, who approves as an account.
    ...(disclosed.approvals ?? []).map(({ approval }) => approval.approver)
      .filter((one) => one.some((byte) => byte !== 0)),
    ...[operator, owner, second?.machine, key && entry.machine].filter(Boolean),
  ];
  const names = new Set(found.map(toHex));
  const measured = said?.isOfSubject ? said.recorded.measurements : null;
  for (const { instrument } of measured?.values ?? []) {
    if (/^0x(?:[0-9a-f]{2}){32}$/.test(instrument)) names.add(instrument);
  }
  return [...names].sort().map((name) => fromHex(name, 32));
}
