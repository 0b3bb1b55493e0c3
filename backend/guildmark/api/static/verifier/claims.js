// Claims about identities, opened: what issuers state of whom, and which of it counts for a reader.

import { ascii, concat, sha256, toHex } from "./bytes.js";
import { keccak256 } from "./crypto.js";
import { Undecided } from "./checks/check.js";
import { ofAct, weightOf } from "./doubts.js";
import { CLAIMS, fieldsOf, wordAt } from "./state.js";
import { lists } from "./trust.js";

const DOMAIN = keccak256(ascii("guildmark/claim/v1"));
const TAG = ascii("guildmark/claim/v1");
const SCHEME_SIZE = 32;
/** The scheme of claims that clear somebody for a control class: they name nobody. */
export const CLEARANCE = "CONTROL";

/** Return the id under which the chain keeps a claim. */
export async function claimId({ issuer, subject, claim: { scheme, value, salt } }) {
  const written = ascii(scheme);
  const padded = concat(written, new Uint8Array(SCHEME_SIZE - written.length));
  const digest = await sha256(concat(TAG, salt, written, Uint8Array.of(0), ascii(value)));
  return keccak256(concat(DOMAIN, issuer, subject, padded, digest));
}

/** Return since when the chain holds a claim that nobody revoked, 0 where it is not proven. */
export async function standingSince({ state }, shown) {
  const found = wordAt(state, CLAIMS, await claimId(shown));
  const [since, until] = fieldsOf(typeof found === "bigint" ? found : 0n, 40, 40);
  return until === 0 ? since : 0;
}

/** Return whether an issuer's claim of a time counts for the reader: nobody doubts it. */
export function isIssuerListed(theCase, issuer, madeAt) {
  return lists(theCase.trust, "issuers", issuer, madeAt) && !isDoubted(theCase, issuer, madeAt);
}

/** Return the claims that name an identity: the chain holds them, and nobody revoked them. */
export async function claimsOf(theCase, subject) {
  const found = [];
  for (const shown of theCase.evidence.disclosed.claims ?? []) {
    const { issuer, claim: { scheme, value } } = shown;
    const isName = toHex(shown.subject) === toHex(subject) && scheme !== CLEARANCE;
    const madeAt = isName ? await standingSince(theCase, shown) : 0;
    if (madeAt !== 0) {
      found.push({ scheme, value, issuer: toHex(issuer),
        isListed: isIssuerListed(theCase, issuer, madeAt) });
    }
  }
  return found;
}

/** Return whether a notice bears on a claim, or may: who hides a notice hides a reason. */
function isDoubted(theCase, issuer, madeAt) {
  try {
    const doubts = [...ofAct(theCase, issuer, madeAt)];
    return doubts.some((doubt) => weightOf(doubt, madeAt) !== "none");
  } catch (error) {
    if (error instanceof Undecided) return true;
    throw error;
  }
}
