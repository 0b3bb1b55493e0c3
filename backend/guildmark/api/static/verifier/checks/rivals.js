// Part of (3): of two entries with one label one stands, the one rightfully licensed for it, else
// the earlier.
//
// A license that names the label goes before time only by the word of somebody whom both entries
// rest on, or whom the label belongs to: anybody licenses himself any namespace.

import { same } from "../bytes.js";
import { SOUND, fallsShort, isSound } from "../causes.js";
import { isInNamespace, namedIn, rootLicense, termsOf } from "../documents/terms.js";
import { placeOf } from "../evidence.js";
import { DESIGN_OWNER, MAKER, areListed, labelOf, parties, prefixHolders } from "../listed.js";
import { indexOf } from "../records.js";
import { DESIGN_OWNERS, fieldsOf, wordAt } from "../state.js";
import { NOT_CHECKED, fail } from "./check.js";

// How another entry stands beside the one that is judged, what weighs least first.
const WEIGHTS = ["unsound", "uncompared", "unlisted", "later", "unlicensed", "earlier", "licensed"];

/** Return another entry of the label, judged alone, with its weight left open. */
export async function rivalOf(theCase, checks) {
  const all = await parties(theCase);
  const right = await rightOf(theCase, all);
  return { theCase, checks, right, isListed: areListed(theCase, all) };
}

/** Yield a finding for each entry that stands where this one does not. */
export async function* firstUse(theCase) {
  const { evidence, rivals } = theCase;
  if (rivals.length === 0) return;
  const all = await parties(theCase);
  const ours = { isListed: areListed(theCase, all), right: await rightOf(theCase, all) };
  for (const { rank, isCertain, rival } of heaviest(theCase, ours, rivals)) {
    if (!["licensed", "earlier"].includes(rank)) continue;
    // Whether it stands by itself takes a check that is not performed whole.
    yield isCertain ? findingOf(theCase, evidence, rival, rank) : NOT_CHECKED;
  }
}

/** Return each other entry of the label once: of several bundles the one that weighs most. */
function heaviest(theCase, ours, rivals) {
  const found = new Map();
  for (const rival of rivals) {
    const place = placeOf(rival.theCase.evidence);
    const weighed = { rival, ...rankOf(theCase, ours, rival) };
    const known = found.get(place);
    if (known === undefined || WEIGHTS.indexOf(weighed.rank) > WEIGHTS.indexOf(known.rank)) {
      found.set(place, weighed);
    }
  }
  return found.values();
}

function rankOf(theCase, ours, rival) {
  const certainly = (rank) => ({ rank, isCertain: true });
  // With one block (0) is answered for both.
  if (!isAtSameBlock(theCase, rival) && fallsShort(rival.checks[0])) return certainly("uncompared");
  const sound = isSound(rival.checks, SOUND);
  if (sound === "no") return certainly("unsound");
  if (ours.isListed && !rival.isListed) return certainly("unlisted");
  const weGo = goesBeforeTime(ours.right, rival.right);
  const theyGo = goesBeforeTime(rival.right, ours.right);
  const rank = weGo !== theyGo ? (weGo ? "unlicensed" : "licensed")
    : (isEarlier(rival.theCase.evidence, theCase.evidence) ? "earlier" : "later");
  return { rank, isCertain: sound === "yes" };
}

function findingOf(theCase, evidence, rival, rank) {
  const other = rival.theCase.evidence;
  const place = `${placeOf(other)}${blockOf(theCase, rival)}`;
  if (rank === "licensed") {
    return fail("verify.labelLicensedElsewhere",
      `Part ${place} claims the label under a license that names its namespace.`);
  }
  return same(other.envelope, evidence.envelope)
    ? fail("verify.envelopeLoggedEarlier", `It was logged before as ${place}.`)
    : fail("verify.labelClaimedEarlier", `The earlier entry ${place} claims this label.`);
}

/** Return at which block an entry was judged, where it is another than the part's. */
function blockOf(theCase, rival) {
  return isAtSameBlock(theCase, rival) ? "" : ` (as of block ${rival.theCase.header.number})`;
}

function isAtSameBlock(theCase, rival) {
  return same(rival.theCase.evidence.header, theCase.evidence.header);
}

function isEarlier({ record: one, position: at }, { record: other, position }) {
  if (one.time !== other.time) return one.time < other.time;
  if (one.log !== other.log) return one.log < other.log;
  return indexOf(one, at) < indexOf(other, position);
}

/** Return whether a license lets one entry stand before another, whichever is earlier. */
function goesBeforeTime(one, other) {
  const isByOwner = one.isNamedByOwner && !other.isNamedByOwner;
  const isBySame = one.licensor !== null && one.licensor === other.licensor;
  return (isByOwner && isBySame) || (one.isNamedByHolder && !other.hasPrefix);
}

/** Return by whose word an entry claims its label. */
async function rightOf(theCase, all) {
  const { disclosed } = theCase.evidence;
  const root = rootLicense(disclosed);
  const holders = prefixHolders(theCase, all);
  const naming = [];
  for (const one of disclosed.licenses ?? []) {
    if (await namesLabel(theCase, one)) naming.push(one);
  }
  const isNamedByOwner = root !== null && naming.includes(root);
  return {
    licensor: root === null ? null : licensorOf(theCase, root),
    isNamedByOwner,
    isNamedByHolder: (isNamedByOwner && holders.has(DESIGN_OWNER))
      || (naming.length > 0 && holders.has(MAKER)),
    hasPrefix: holders.size > 0,
  };
}

/** Return the account that owned the design when it signed the root license, where proven. */
function licensorOf({ state }, { terms: { design, designEpoch } }) {
  const found = wordAt(state, DESIGN_OWNERS, design, designEpoch);
  return typeof found === "bigint" && found !== 0n ? fieldsOf(found, 160)[0] : null;
}

/** Return whether a license names the label's namespace, as far as is shown. */
async function namesLabel({ evidence }, license) {
  const [members, label] = [await termsOf(license), labelOf(evidence)];
  return members !== null && label !== null
    && namedIn(members, "labelNamespace").some((one) => isInNamespace(label, one));
}
