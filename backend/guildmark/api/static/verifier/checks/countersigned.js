// Part of (2): who signed beside the machine, where the recipe asks for a second signature.

import { fromHex, same, toHex } from "../bytes.js";
import { verified } from "../documents/clauses.js";
import { actFindings, identityOf, keyOf, loggedUnder, ofKey, weightOf } from "../doubts.js";
import { displayName } from "../naming.js";
import { keyId, signed } from "../signatures.js";
import { IDENTITIES, KEYS } from "../state.js";
import { covered, windowOf } from "../window.js";
import { fail, isLink, proven, stated, unknown, withheld } from "./check.js";
import { MACHINE, ORGANIZATION, SITE, linked } from "./parties.js";

const CLAUSE = "/qa/countersignature";
const [ANY, OTHER] = ["any organization", "other organization"];
const HELD = {
  none: notGood,
  part: (reason) => unknown("verify.countersignerGoodPartly", reason),
};
const WORDS = new Map([[MACHINE, "machine"], [SITE, "site"], [ORGANIZATION, "organization"]]);

/** Yield what lacks of the second signature; nothing where the recipe asks for none. */
export async function* countersigned(theCase) {
  const { disclosed: { recipe }, signed: envelope } = theCase.evidence;
  // (7) says what is not shown of the recipe, another rule what is wrong with the envelope.
  if (recipe === null || envelope === null) return;
  const clauses = await verified(recipe.clauses, recipe.recipe.root);
  if (clauses === null) return;
  if (clauses.mayHide(CLAUSE)) {
    yield withheld("verify.countersignatureWithheld",
      "The recipe may ask for a second signature that is not shown.");
  }
  const asking = clauses.shown.filter(({ path }) => `${path}/`.startsWith(`${CLAUSE}/`)).at(-1);
  if (asking === undefined) return;
  const whose = demandOf(asking);
  if (whose === null) {
    yield unknown("verify.countersignatureUnread",
      `The clause ${asking.path} asks for a second signature in an unknown form.`);
  } else {
    yield* lacking(theCase, whose);
  }
}

/** Return whose signature a clause asks for, null where it is of a form that is not known. */
function demandOf({ path, type, class: klass, value }) {
  const isKnown = path === CLAUSE && type === "text" && klass === "core" && value !== null;
  return isKnown && ([ANY, OTHER].includes(value) || /^0x[0-9a-f]{64}$/.test(value)) ? value : null;
}

/** Return whose signature is asked for, in words. */
function worded(whose) {
  if (whose === ANY) return "a second machine";
  return whose === OTHER ? "another organization's machine" : `a machine of ${whose}`;
}

function notGood(reason) {
  return fail("verify.countersignerNotGood", reason);
}

function missing(reason) {
  return unknown("verify.countersignerMissing", reason);
}

function admits(whose, organization, maker) {
  if (whose === ANY) return true;
  return whose === OTHER ? !same(organization, maker) : same(organization, fromHex(whose, 32));
}

async function* lacking(theCase, whose) {
  const { run } = stated(theCase);
  const { disclosed: { countersigner: second }, signed: envelope } = theCase.evidence;
  if (envelope.signatures.length === 1) {
    yield fail("verify.countersignatureMissing",
      `The recipe asks that ${worded(whose)} signs, too; there is one signature.`);
  } else if (second === null) {
    yield missing(`It is not shown whether ${worded(whose)} signed, as the recipe asks.`);
  } else if (same(second.machine, run.machine) || !admits(whose, second.link.parent, run.maker)) {
    const who = await displayName(theCase, second.link.parent);
    yield fail("verify.countersignerNotAdmitted",
      `The recipe asks that ${worded(whose)} signs, too; a machine of ${who} did.`);
  } else {
    const name = keyId(second.machine, second.key);
    const found = await signed(envelope, name, second.key);
    if (found === "missing") {
      yield missing(`No signature is of the shown second key ${toHex(name)}.`);
    }
    if (found === "invalid") {
      yield fail("verify.countersignatureInvalid",
        `The signature of the second key ${toHex(name)} does not fit.`);
    }
    yield* keyFindings(theCase, second);
    yield* organizationFindings(theCase, second);
  }
}

function* keyFindings(theCase, { machine, key: shown }) {
  const name = keyId(machine, shown);
  const [key, window] = [keyOf(proven(theCase, KEYS, name)), windowOf(theCase)];
  if (key.since === 0) {
    yield notGood(`The chain knows no key ${toHex(name)} of that machine.`);
    return;
  }
  yield* covered("The second key", [key], window, HELD);
  for (const doubt of ofKey(theCase, name, key)) {
    const weight = weightOf(doubt, window.end);
    const reason = loggedUnder(doubt, window.end);
    if (weight === "void") yield notGood(reason);
    if (weight === "doubt") yield unknown("verify.countersignerInDoubt", reason);
  }
  yield* actFindings(theCase, machine, key.since, "The second key was added");
}

function* organizationFindings(theCase, { machine, siteLink, link }) {
  const kinds = new Map([[machine, MACHINE], [link.child, SITE], [link.parent, ORGANIZATION]]
    .map(([identity, kind]) => [toHex(identity), kind]));
  for (const [identity, kind] of kinds) {
    const found = identityOf(proven(theCase, IDENTITIES, fromHex(identity, 32)));
    if (found.kind !== kind) {
      yield notGood(`The second signer's ${WORDS.get(kind)} is not registered as one.`);
    }
  }
  if (!isLink(siteLink, machine, link.child)) {
    yield missing("The shown links do not lead from the second machine to its organization.");
    return;
  }
  yield* linked(theCase, siteLink, "The link of the second machine", HELD);
  yield* linked(theCase, link, "The link of the second machine's site", HELD);
}
