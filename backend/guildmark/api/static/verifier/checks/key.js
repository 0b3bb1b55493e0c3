// (2) The machine's key signed this envelope, was in force, and is not under notice.

import { same, sha256, toHex } from "../bytes.js";
import { actFindings, keyOf, loggedUnder, ofKey, weightOf } from "../doubts.js";
import { confirmation, helpless } from "../inspections.js";
import { keyId, signed } from "../signatures.js";
import { KEYS } from "../state.js";
import { PAYLOAD_TYPE } from "../statement.js";
import { covered, windowOf } from "../window.js";
import { fail, proven, shown, stated, unknown } from "./check.js";
import { countersigned } from "./countersigned.js";

const KEY_MISSING = unknown("verify.keyMissing", "The machine's public key is not shown.");
const IN_FORCE = {
  none: (reason) => fail("verify.keyNotGood", reason),
  part: (reason) => unknown("verify.keyGoodPartly", reason),
};

function* readable({ evidence: { signed: envelope, said } }) {
  if (envelope === null) {
    yield fail("verify.envelopeMalformed", "The signed envelope cannot be read.");
  } else if (envelope.type !== PAYLOAD_TYPE) {
    yield fail("verify.statementMalformed", "What was signed is of another type.");
  } else if (said === null) {
    yield fail("verify.statementMalformed", "What was signed is no build statement.");
  }
}

async function* committed({ evidence: { envelope, entry } }) {
  if (!same(await sha256(envelope), entry.envelope)) {
    yield fail("verify.envelopeMismatch",
      "The log entry commits to another envelope than the one that is shown.");
  }
}

async function* signature(theCase) {
  const { signed: envelope } = theCase.evidence;
  // An envelope that cannot be read is said above.
  if (envelope === null) return;
  const name = ownId(theCase);
  const found = await signed(envelope, name, theCase.evidence.disclosed.key);
  if (found === "missing") {
    yield fail("verify.signatureMissing",
      `No signature is of the machine's key ${toHex(name)}.`);
  } else if (found === "invalid") {
    yield fail("verify.signatureInvalid",
      `The signature of the machine's key ${toHex(name)} does not fit.`);
  }
}

function* goodMeanwhile(theCase) {
  const name = ownId(theCase);
  const found = proven(theCase, KEYS, name);
  if (found === 0n) {
    yield fail("verify.keyUnregistered",
      `The chain knows no key ${toHex(name)} of this machine.`);
  } else {
    yield* covered("The machine's key", [keyOf(found)], windowOf(theCase), IN_FORCE);
  }
}

async function* notDoubted(theCase) {
  const name = ownId(theCase);
  const [key, logged] = [keyOf(proven(theCase, KEYS, name)), windowOf(theCase).end];
  for (const doubt of ofKey(theCase, name, key)) {
    const weight = weightOf(doubt, logged);
    const reason = loggedUnder(doubt, logged);
    if (weight === "void") {
      yield fail("verify.keyUnderNotice", reason);
    } else if (weight === "doubt" && !(await confirmation(theCase, doubt.at))) {
      yield unknown("verify.keyInDoubt", `${reason}${await helpless(theCase)}`);
    }
  }
}

function* addedSoundly(theCase) {
  const { since } = keyOf(proven(theCase, KEYS, ownId(theCase)));
  if (since !== 0) yield* actFindings(theCase, theCase.evidence.entry.machine, since, "The key was added");
}

function* sameMachine(theCase) {
  if (!same(stated(theCase).run.machine, theCase.evidence.entry.machine)) {
    yield fail("verify.machineMismatch",
      "The statement names another machine than the log entry.");
  }
}

/** Return the id that the shown key has as a key of the entry's machine. */
function ownId(theCase) {
  return keyId(theCase.evidence.entry.machine, shown(theCase, "key", KEY_MISSING));
}

export const KEY = {
  number: 2,
  name: "machine's signature",
  rules: [
    { at: "the envelope and the statement", rule: readable },
    { at: "the signature of the machine's key", rule: signature },
    { at: "the envelope's digest", rule: committed },
    { at: "that the key was in force", rule: goodMeanwhile },
    { at: "notices on the key", rule: notDoubted },
    { at: "who added the key", rule: addedSoundly },
    { at: "that statement and entry name one machine", rule: sameMachine },
    { at: "the second signature, where the recipe asks for one", rule: countersigned },
  ],
};
