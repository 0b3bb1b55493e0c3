// (2) The machine's key signed this envelope. Its times and notices are not looked at here.

import {
  Malformed, ascii, concat, fromBase64, fromHex, same, sha256, toHex, word,
} from "../bytes.js";
import { canonical } from "../bundle.js";
import { keccak256 } from "../crypto.js";
import { holds } from "../signatures.js";
import { KEYS, wordAt } from "../state.js";
import { fail } from "./check.js";

const KEY_DOMAIN = keccak256(ascii("guildmark/key/v1"));

async function* committed({ evidence }) {
  if (!same(await sha256(evidence.envelope), evidence.entry.envelope)) {
    yield fail("verify.envelopeMismatch", "The log entry commits to another envelope.");
  }
}

async function* signature({ evidence }) {
  const envelope = read(evidence.envelope);
  if (evidence.key === null || envelope === null) return;
  const name = toHex(keyId(evidence.entry.machine, evidence.key));
  const own = envelope.signatures.find((one) => one.keyid === name);
  if (own === undefined) {
    yield fail("verify.signatureMissing", "No signature is of the machine's key.");
  } else if (!(await holds(evidence.key, encoded(envelope), own.sig))) {
    yield fail("verify.signatureInvalid", "The signature of the machine's key does not fit.");
  }
}

function* registered({ evidence, state }) {
  if (evidence.key === null) return;
  if (wordAt(state, KEYS, keyId(evidence.entry.machine, evidence.key)) === 0n) {
    yield fail("verify.keyUnregistered", "The chain does not know the machine's key.");
  }
}

/** keccak256(abi.encode(domain, machine, algorithm, bytes)). */
function keyId(machine, key) {
  const padding = new Uint8Array((32 - (key.data.length % 32)) % 32);
  const tail = concat(word(key.data.length), key.data, padding);
  return keccak256(concat(KEY_DOMAIN, machine, word(key.algorithm), word(4 * 32), tail));
}

/** Return the envelope where it is in canonical form, else null: others are not looked at. */
function read(data) {
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data));
    if (!same(ascii(canonical(value)), data)) return null;
    return {
      type: value.payloadType,
      payload: fromBase64(value.payload),
      signatures: value.signatures.map(({ keyid, sig }) => ({
        keyid: toHex(fromHex(keyid, 32)),
        sig: fromBase64(sig),
      })),
    };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    if (error instanceof Malformed) return null;
    throw error;
  }
}

/** DSSE's pre-authentication encoding. */
function encoded({ type, payload }) {
  const kind = ascii(type);
  return concat(ascii(`DSSEv1 ${kind.length} ${type} ${payload.length} `), payload);
}

export const KEY = {
  number: 2,
  name: "machine's signature",
  looksAt: ["the envelope's digest", "the machine's signature", "the key on chain"],
  isWhole: false,
  rules: [committed, signature, registered],
};
