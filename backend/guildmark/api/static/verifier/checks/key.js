// (2) The machine's key signed this envelope, was in force, and is not under notice.

import { same, sha256 } from "../bytes.js";
import { actFindings, keyOf, ofKey, weightOf } from "../doubts.js";
import { confirmation, helpless } from "../inspections.js";
import { keyId, signed } from "../signatures.js";
import { KEYS } from "../state.js";
import { PAYLOAD_TYPE } from "../statement.js";
import { held, windowOf } from "../window.js";
import { fail, proven, shown, stated, unknown } from "./check.js";
import { countersigned } from "./countersigned.js";

const KEY_MISSING = unknown("verify.keyMissing", "The machine's public key is not shown.");
const IN_FORCE = {
  none: fail("verify.keyNotGood", "The key was not in force while the part was built."),
  part: unknown("verify.keyGoodPartly", "The key was in force only a part of the time."),
};

function* readable({ evidence: { signed: envelope, said } }) {
  if (envelope === null) {
    yield fail("verify.envelopeMalformed", "The signed envelope cannot be read.");
  } else if (envelope.type !== PAYLOAD_TYPE || said === null) {
    yield fail("verify.statementMalformed", "What was signed is no build statement.");
  }
}

async function* committed({ evidence: { envelope, entry } }) {
  if (!same(await sha256(envelope), entry.envelope)) {
    yield fail("verify.envelopeMismatch", "The log entry commits to another envelope.");
  }
}

async function* signature(theCase) {
  const { signed: envelope } = theCase.evidence;
  // An envelope that cannot be read is said above.
  if (envelope === null) return;
  const found = await signed(envelope, ownId(theCase), theCase.evidence.disclosed.key);
  if (found === "missing") {
    yield fail("verify.signatureMissing", "No signature is of the machine's key.");
  } else if (found === "invalid") {
    yield fail("verify.signatureInvalid", "The signature of the machine's key does not fit.");
  }
}

function* goodMeanwhile(theCase) {
  const found = proven(theCase, KEYS, ownId(theCase));
  if (found === 0n) {
    yield fail("verify.keyUnregistered", "The chain does not know the machine's key.");
  } else {
    yield* held([keyOf(found)], windowOf(theCase), IN_FORCE);
  }
}

async function* notDoubted(theCase) {
  const name = ownId(theCase);
  const [key, logged] = [keyOf(proven(theCase, KEYS, name)), windowOf(theCase).end];
  for (const doubt of ofKey(theCase, name, key)) {
    const weight = weightOf(doubt, logged);
    const { at, giver, suspectedFrom } = doubt;
    const reason = `The part was logged at ${logged}; notice was given at ${at} by ${giver}, `
      + `suspected from ${suspectedFrom}.`;
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
    yield fail("verify.machineMismatch", "Statement and log entry name different machines.");
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
    { at: "the envelope's digest", rule: committed },
    { at: "the signature of the machine's key", rule: signature },
    { at: "that the key was in force", rule: goodMeanwhile },
    { at: "notices on the key", rule: notDoubted },
    { at: "who added the key", rule: addedSoundly },
    { at: "that statement and entry name one machine", rule: sameMachine },
    { at: "the second signature, where the recipe asks for one", rule: countersigned },
  ],
};
