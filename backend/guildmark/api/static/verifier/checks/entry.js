// (3) The entry is at that position of that record. Label and first use are not looked at here.

import { Malformed, ascii, concat, same, sha256, word } from "../bytes.js";
import { keccak256 } from "../crypto.js";
import { rootOfPath } from "../proofs/merkle.js";
import { SKIPPED, fail } from "./check.js";

const ENTRY_DOMAIN = keccak256(ascii("guildmark/entry/v1"));

async function* path({ evidence }) {
  const { entry, salt, record, position } = evidence;
  const encoded = concat(word(entry.kind), ...entry.ids, word(entry.previous));
  const data = await sha256(concat(ENTRY_DOMAIN, salt, encoded));
  try {
    const root = await rootOfPath(data, position, record.count, evidence.path);
    if (same(root, record.root)) return;
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
  }
  yield fail("verify.pathInvalid", "The entry is not at this position of the record.");
}

function* hint({ evidence, question }) {
  const { record, position } = evidence;
  if (!question.hint) {
    yield SKIPPED;
    return;
  }
  const [log, index] = question.hint;
  if (log !== record.log || index !== record.firstIndex + position) {
    yield fail("verify.hintMismatch", "The scanned code names another position.");
  }
}

export const ENTRY = {
  number: 3,
  name: "place in the log",
  isWhole: false,
  rules: [
    { at: "the entry's leaf and path", rule: path },
    { at: "the position that was asked for", rule: hint },
  ],
};
