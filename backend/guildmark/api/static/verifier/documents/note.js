// Signed notes (c2sp.org/signed-note): a text, and lines of signatures below it.

import { Malformed, ascii, concat, fromBase64, same, sha256, toHex } from "../bytes.js";
import { checkKey, verifies } from "../signatures.js";
import { quoted } from "../words.js";

const ED25519 = 3;
const [NOTE, COSIGNATURE] = [1, 4];
const ID_SIZE = 4;
const KEY_SIZE = 32;
const NAME_MAX = 256;
const SIGNATURES_MAX = 64;
// White space as Unicode has it; JavaScript's own \s is another set.
const WORD = "[^\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000+]+";
const KEY = new RegExp(`^(${WORD})\\+([0-9a-f]{8})\\+([A-Za-z0-9+/=]+)$`, "u");
const LINE = new RegExp(`^\u2014 (${WORD}) ([A-Za-z0-9+/=]+)$`, "u");
const CONTROL = /[\x00-\x09\x0b-\x1f]/;

/** Thrown where a signature in the name of a known key does not hold. */
export class NoteSignatureWrong extends Error {}

/** Return the key that one word writes, name+id+key; throw Malformed. */
export async function parseNoteKey(text) {
  const [, name, id, written] = KEY.exec(text) ?? refuse(`"${text.slice(0, 120)}" is no key of notes`);
  const data = fromBase64(written);
  const [kind, key] = [data[0], data.slice(1)];
  if (data.length !== 1 + KEY_SIZE || ![NOTE, COSIGNATURE].includes(kind)) {
    refuse(`"${text.slice(0, 120)}" is no key of notes`);
  }
  if ([...name].length > NAME_MAX) refuse("the name of a key is too long");
  checkKey({ algorithm: ED25519, data: key });
  if (toHex(await idOf(name, kind, key)) !== `0x${id}`) refuse(`the key ${name} has another id`);
  // The same key signs notes about blocks and checkpoints of logs, whatever its word says.
  const [own, cosigner] = await Promise.all([NOTE, COSIGNATURE].map((one) => idOf(name, one, key)));
  return { name, id: own, cosigner, data: key };
}

/** Return the note that some bytes are; throw Malformed. Its signatures are not checked. */
export function parseNote(data) {
  const whole = decoded(data);
  const at = whole.lastIndexOf("\n\n");
  if (at < 0 || !whole.endsWith("\n") || whole.length === at + 2) {
    refuse("A note is a text, an empty line and signatures.");
  }
  const text = whole.slice(0, at + 1);
  const signatures = whole.slice(at + 2, -1).split("\n").map(signatureOf);
  if (signatures.length > SIGNATURES_MAX) {
    refuse(`A note has 1 to ${SIGNATURES_MAX} signatures.`);
  }
  if (CONTROL.test(text)) {
    refuse("A note's text ends with a line's end and holds no control characters.");
  }
  return { text, signatures };
}

/**
 * Return those of some keys that signed a note.
 *
 * Signatures of other keys are passed over; one in the name of these that does not hold is thrown.
 */
export async function signersOf({ text, signatures }, keys) {
  const found = [];
  for (const key of keys) {
    const own = signatures.filter(({ name, id }) => name === key.name && same(id, key.id));
    for (const { value } of own) {
      if (!(await verifies({ algorithm: ED25519, data: key.data }, ascii(text), value))) {
        throw new NoteSignatureWrong(`The signature of ${key.name} on the note does not hold.`);
      }
    }
    if (own.length > 0) found.push(key);
  }
  return found;
}

async function idOf(name, kind, key) {
  return (await sha256(concat(ascii(`${name}\n`), Uint8Array.of(kind), key))).slice(0, ID_SIZE);
}

function signatureOf(line) {
  const [, name, written] = LINE.exec(line) ?? [];
  const data = name === undefined ? [] : unwritten(written);
  if (data.length <= ID_SIZE) {
    refuse(`${quoted([...line].slice(0, 80).join(""))} is no signature of a note.`);
  }
  return { name, id: data.slice(0, ID_SIZE), value: data.slice(ID_SIZE) };
}

/** Return what base64 writes, nothing where it is none. */
function unwritten(written) {
  try {
    return fromBase64(written);
  } catch (error) {
    if (error instanceof Malformed) return [];
    throw error;
  }
}

function decoded(data) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    return refuse("A note is UTF-8.");
  }
}

function refuse(reason) {
  throw new Malformed(reason);
}
