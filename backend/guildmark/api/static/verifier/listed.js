// Who is named by whom: operator, maker and design owner, and whether the reader lists them.

import { Malformed, same, toHex, word } from "./bytes.js";
import { Undecided, proven } from "./checks/check.js";
import { claimsOf } from "./claims.js";
import { parseLabel, prefixed } from "./documents/label.js";
import { rootLicense } from "./documents/terms.js";
import { identityOf } from "./doubts.js";
import { actOf } from "./licensing.js";
import { CONTROLLERS, DESIGN_OWNERS, IDENTITIES, OPERATORS, fieldsOf, wordAt } from "./state.js";
import { lists } from "./trust.js";

export const [OPERATOR, MAKER, DESIGN_OWNER] = ["operator", "maker", "designOwner"];
const FOREVER = 2 ** 40;
const PREFIX = /^[0-9]{4,12}$/;

/** Return operator, maker and design owner, as far as they are proven. */
export async function parties(theCase) {
  return [
    await operator(theCase),
    await named(theCase, MAKER, theCase.evidence.disclosed.makerLink?.parent),
    await named(theCase, DESIGN_OWNER, designOwner(theCase)),
  ];
}

/** Return whether the reader lists all parties, and who may give out the label's prefix. */
export function areListed(theCase, all) {
  return all.every(({ isListed }) => isListed) && isPrefixClaimed(theCase, all);
}

/** Return the roles of those who hold the company prefix of the label's GS1 key. */
export function prefixHolders(theCase, all) {
  const link = linkOf(theCase.evidence.said);
  const key = link === null ? null : prefixed(link);
  if (key === null) return new Set();
  // A listed issuer says so of the maker or of the design's owner; the operator logs for others.
  return new Set(all.filter(({ role, claims }) => role !== OPERATOR && claims.some((claim) => (
    claim.isListed && claim.scheme === "GCP" && PREFIX.test(claim.value)
      && key.startsWith(claim.value)
  ))).map(({ role }) => role));
}

/** Return the text of the label, null where the statement cannot be read. */
export function labelOf({ said }) {
  return said?.isOfSubject ? said.label : null;
}

/** Nobody can claim a prefix of the maker's own form, or one that cannot be read. */
function isPrefixClaimed(theCase, all) {
  if (labelOf(theCase.evidence) === null) return true;
  const link = linkOf(theCase.evidence.said);
  return (link !== null && prefixed(link) === null) || prefixHolders(theCase, all).size > 0;
}

function linkOf(said) {
  try {
    return said?.isOfSubject ? parseLabel(said.label) : null;
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

async function operator(theCase) {
  const { evidence: { record }, state, trust } = theCase;
  const found = wordAt(state, OPERATORS, record.log);
  if (typeof found !== "bigint" || found === 0n) return unnamed(OPERATOR);
  const id = word(found);
  return { role: OPERATOR, id: toHex(id), claims: await claimsOf(theCase, id),
    isListed: lists(trust, "operators", id, record.time) };
}

/** Return the organization whose controller owned the design when he signed for the unit. */
function designOwner(theCase) {
  const { disclosed } = theCase.evidence;
  const { owner, revision } = disclosed;
  const root = rootLicense(disclosed);
  if (owner === null || revision === null || root === null) return undefined;
  if (!same(root.terms.design, revision.design)) return undefined;
  try {
    return spoke(theCase, owner, root.terms.design, actOf(theCase, root)) ? owner : undefined;
  } catch (error) {
    // (6) says what is not proven.
    if (error instanceof Undecided) return undefined;
    throw error;
  }
}

/** Return whether an organization's controller owned a design when he signed for units. */
function spoke(theCase, owner, design, { epoch, at }) {
  const [account] = fieldsOf(proven(theCase, DESIGN_OWNERS, design, epoch), 160);
  const { account: newest, controllers } = identityOf(proven(theCase, IDENTITIES, owner));
  // Nobody is registered under that id, so nobody spoke for it.
  if (controllers === 0) return false;
  if (controllers === 1) return account === newest;
  const numbers = Array.from({ length: controllers }, (_, index) => index + 1);
  const all = numbers.map((number) => (
    fieldsOf(proven(theCase, CONTROLLERS, owner, number), 160, 40)
  ));
  // Whoever registered an organization spoke for himself before he did.
  const begins = [0, ...all.slice(1).map(([, since]) => since), FOREVER];
  return all.some(([one], index) => (
    one === account && begins[index] <= at && at < begins[index + 1]
  ));
}

async function named(theCase, role, identity) {
  if (identity === undefined) return unnamed(role);
  const claims = await claimsOf(theCase, identity);
  return { role, id: toHex(identity), claims, isListed: claims.some(({ isListed }) => isListed) };
}

function unnamed(role) {
  return { role, id: "", claims: [], isListed: false };
}
