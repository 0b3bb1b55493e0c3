// Profiles: what an identity says of itself, and since when the chain holds that it did.

import { Malformed, ascii, concat, fromHex, same, sha256, toHex, toInteger } from "./bytes.js";
import { proven } from "./checks/check.js";
import { canonical, parse } from "./documents/json.js";
import { identityOf } from "./doubts.js";
import { IDENTITIES, PROFILES, PROFILE_TIMES, wordAt } from "./state.js";
import { intervalOf } from "./window.js";
import { isPlain } from "./words.js";

const TAG = ascii("guildmark/profile/v1");
const NAME_MAX = 200;

/** Return the name that an identity gives itself, where it is proven and readable, else its id. */
export async function displayName(theCase, identity) {
  for (const { digest, members } of await profilesOf(theCase, identity)) {
    const isPresent = wordAt(theCase.state, PROFILES, identity) === toInteger(digest);
    // A profile that says nothing at all is none.
    if (!isPresent || Object.keys(members).length === 0) continue;
    const { name } = members;
    return typeof name === "string" && isPlain(name, NAME_MAX) ? name : toHex(identity);
  }
  return toHex(identity);
}

/** Return when each shown profile of an identity stood, and what it says; throw Undecided. */
export async function profileTimes(theCase, identity) {
  const found = [];
  for (const { digest, members } of await profilesOf(theCase, identity)) {
    const times = intervalOf(proven(theCase, PROFILE_TIMES, identity, digest));
    const isPresent = proven(theCase, PROFILES, identity) === toInteger(digest);
    if (times.since !== 0) {
      found.push({ times, members });
    } else if (isPresent) {
      // Of a profile that stood from the registration on, nothing is kept before it ends.
      const { since } = identityOf(proven(theCase, IDENTITIES, identity));
      found.push({ times: { since, until: 0 }, members });
    }
  }
  return found;
}

/** Return the shown profiles of an identity that can be read, with the digest of each. */
async function profilesOf({ evidence: { disclosed: { profiles } } }, identity) {
  const own = (profiles ?? []).filter((one) => same(one.identity, identity));
  const found = await Promise.all(own.map(({ document }) => opened(document)));
  return found.filter((one) => one !== null);
}

async function opened(document) {
  try {
    const value = parse(document);
    if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
    const { salt, ...members } = value;
    const said = concat(TAG, fromHex(salt, 32), ascii(canonical(members)));
    return { digest: await sha256(said), members };
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}
