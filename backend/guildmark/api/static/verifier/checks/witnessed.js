// Part of (0): who vouches for the block, where the reader pins witnesses.

import { Malformed, toHex } from "../bytes.js";
import { NoteSignatureWrong, parseNote, parseNoteKey, signersOf } from "../documents/note.js";
import { holdsAt } from "../trust.js";
import { fail, unknown } from "./check.js";

const HEAD = "guildmark.org/block/v1";

/** Return a block as findings name it. */
export function named({ number, hash }) {
  return `block ${number} (${toHex(hash)})`;
}

/** Yield why the reader's witnesses do not vouch for the block, nothing where they do. */
export async function* witnessed({ note }, trust, header) {
  const believed = trust.witnesses.filter((one) => holdsAt(one, header.time));
  const keys = await Promise.all(believed.map(({ key }) => parseNoteKey(key)));
  let signers = [];
  let text = null;
  try {
    if (note !== null) {
      const found = parseNote(note);
      text = found.text;
      signers = await signersOf(found, keys);
    }
  } catch (error) {
    if (!(error instanceof Malformed || error instanceof NoteSignatureWrong)) throw error;
    yield fail("verify.noteInvalid", error.message);
    return;
  }
  const agreeing = new Set(signers.map(({ data }) => toHex(data))).size;
  if (agreeing > 0 && text !== textOf(trust.chain, header)) {
    yield fail("verify.noteMismatch", `The note is not about ${named(header)}.`);
  } else if (agreeing < trust.quorum) {
    yield unknown("verify.witnessesTooFew",
      `${agreeing} of your witnesses signed ${named(header)}, you ask for ${trust.quorum}.`);
  }
}

/** Return what witnesses sign about a block. */
function textOf({ chainId }, { number, hash, time }) {
  return [HEAD, chainId, number, toHex(hash), time].map((line) => `${line}\n`).join("");
}
