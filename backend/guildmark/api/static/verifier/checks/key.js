// (2) The machine's key signed this envelope. Its times and notices are not looked at here.

import { ascii, concat, same, sha256, word } from "../bytes.js";
import { keccak256 } from "../crypto.js";
import { holds } from "../signatures.js";
import { INVALID, KEYS, wordAt } from "../state.js";
import { SKIPPED, fail } from "./check.js";

const KEY_DOMAIN = keccak256(ascii("guildmark/key/v1"));

async function* committed({ evidence }) {
  if (!same(await sha256(evidence.envelope), evidence.entry.envelope)) {
    yield fail("verify.envelopeMismatch", "The log entry commits to another envelope.");
  }
}

async function* signature({ evidence, envelope }) {
  if (evidence.key === null || envelope === null) {
    yield SKIPPED;
    return;
  }
  const name = keyId(evidence.entry.machine, evidence.key);
  const own = envelope.signatures.find((one) => same(one.keyid, name));
  if (own === undefined) {
    yield fail("verify.signatureMissing", "No signature is of the machine's key.");
  } else if (!(await holds(evidence.key, encoded(envelope), own.sig))) {
    yield fail("verify.signatureInvalid", "The signature of the machine's key does not fit.");
  }
}

function* registered({ evidence, state }) {
  if (evidence.key === null) {
    yield SKIPPED;
    return;
  }
  const found = wordAt(state, KEYS, keyId(evidence.entry.machine, evidence.key));
  if (found === undefined || found === INVALID) yield SKIPPED;
  if (found === 0n) {
    yield fail("verify.keyUnregistered", "The chain does not know the machine's key.");
  }
}

/** keccak256(abi.encode(domain, machine, algorithm, bytes)). */
function keyId(machine, key) {
  const padding = new Uint8Array((32 - (key.data.length % 32)) % 32);
  const tail = concat(word(key.data.length), key.data, padding);
  return keccak256(concat(KEY_DOMAIN, machine, word(key.algorithm), word(4 * 32), tail));
}

/** DSSE's pre-authentication encoding. */
function encoded({ type, payload }) {
  const kind = ascii(type);
  return concat(ascii(`DSSEv1 ${kind.length} ${type} ${payload.length} `), payload);
}

export const KEY = {
  number: 2,
  name: "machine's signature",
  isWhole: false,
  rules: [
    { at: "the envelope's digest", rule: committed },
    { at: "the signature of the machine's key", rule: signature },
    { at: "whether the chain knows the key", rule: registered },
  ],
};
