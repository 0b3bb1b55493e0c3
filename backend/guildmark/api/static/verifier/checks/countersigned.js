// Part of (2): who signed beside the machine, where the recipe asks for a second signature.

import { fromHex, same, toHex } from "../bytes.js";
import { verified } from "../documents/clauses.js";
import { actFindings, identityOf, keyOf, ofKey, weightOf } from "../doubts.js";
import { keyId, signed } from "../signatures.js";
import { IDENTITIES, KEYS } from "../state.js";
import { covered, windowOf } from "../window.js";
import { fail, isLink, proven, stated, unknown, withheld } from "./check.js";
import { MACHINE, ORGANIZATION, SITE, linked } from "./parties.js";

const CLAUSE = "/qa/countersignature";
const [ANY, OTHER] = ["any organization", "other organization"];
const NOT_GOOD = fail("verify.countersignerNotGood", "The second key or its links did not hold.");
const HELD = {
  none: (reason) => fail("verify.countersignerNotGood", reason),
  part: (reason) => unknown("verify.countersignerGoodPartly", reason),
};
const MISSING = unknown("verify.countersignerMissing", "Who signed second is not shown.");

/** Yield what lacks of the second signature; nothing where the recipe asks for none. */
export async function* countersigned(theCase) {
  const { disclosed: { recipe }, signed: envelope } = theCase.evidence;
  // (7) says what is not shown of the recipe, another rule what is wrong with the envelope.
  if (recipe === null || envelope === null) return;
  const clauses = await verified(recipe.clauses, recipe.recipe.root);
  if (clauses === null) return;
  if (clauses.mayHide(CLAUSE)) {
    yield withheld("verify.countersignatureWithheld", "The recipe may ask for a second signature.");
  }
  const asking = clauses.shown.filter(({ path }) => `${path}/`.startsWith(`${CLAUSE}/`)).at(-1);
  if (asking === undefined) return;
  const whose = demandOf(asking);
  if (whose === null) {
    yield unknown("verify.countersignatureUnread", "A second signature of an unknown form.");
  } else {
    yield* lacking(theCase, whose);
  }
}

/** Return whose signature a clause asks for, null where it is of a form that is not known. */
function demandOf({ path, type, class: klass, value }) {
  const isKnown = path === CLAUSE && type === "text" && klass === "core" && value !== null;
  return isKnown && ([ANY, OTHER].includes(value) || /^0x[0-9a-f]{64}$/.test(value)) ? value : null;
}

function admits(whose, organization, maker) {
  if (whose === ANY) return true;
  return whose === OTHER ? !same(organization, maker) : same(organization, fromHex(whose, 32));
}

async function* lacking(theCase, whose) {
  const { run } = stated(theCase);
  const { disclosed: { countersigner: second }, signed: envelope } = theCase.evidence;
  if (envelope.signatures.length === 1) {
    yield fail("verify.countersignatureMissing", "The machine alone signed.");
  } else if (second === null) {
    yield MISSING;
  } else if (same(second.machine, run.machine) || !admits(whose, second.link.parent, run.maker)) {
    yield fail("verify.countersignerNotAdmitted", "Somebody else signed than the recipe asks for.");
  } else {
    const found = await signed(envelope, keyId(second.machine, second.key), second.key);
    if (found === "missing") yield MISSING;
    if (found === "invalid") {
      yield fail("verify.countersignatureInvalid", "The second signature does not fit.");
    }
    yield* keyFindings(theCase, second);
    yield* organizationFindings(theCase, second);
  }
}

function* keyFindings(theCase, { machine, key: shown }) {
  const name = keyId(machine, shown);
  const [key, window] = [keyOf(proven(theCase, KEYS, name)), windowOf(theCase)];
  if (key.since === 0) {
    yield NOT_GOOD;
    return;
  }
  yield* covered("The second key", [key], window, HELD);
  for (const doubt of ofKey(theCase, name, key)) {
    const weight = weightOf(doubt, window.end);
    if (weight === "void") yield NOT_GOOD;
    if (weight === "doubt") {
      yield unknown("verify.countersignerInDoubt", "The second key is suspected already.");
    }
  }
  yield* actFindings(theCase, machine, key.since, "The second key was added");
}

function* organizationFindings(theCase, { machine, siteLink, link }) {
  const kinds = new Map([[machine, MACHINE], [link.child, SITE], [link.parent, ORGANIZATION]]
    .map(([identity, kind]) => [toHex(identity), kind]));
  for (const [identity, kind] of kinds) {
    const found = identityOf(proven(theCase, IDENTITIES, fromHex(identity, 32)));
    if (found.kind !== kind) yield NOT_GOOD;
  }
  if (!isLink(siteLink, machine, link.child)) {
    yield MISSING;
    return;
  }
  yield* linked(theCase, siteLink, "The link of the second machine", HELD);
  yield* linked(theCase, link, "The link of the second machine's site", HELD);
}
