// The page's own verifier: a bundle and the reader's trust in, a report out; nothing is fetched.
//
// It performs the checks (0) to (6), and says "notChecked" of one where the evidence leads to what
// it does not look at: witnesses, inspections, other entries, places. It never says that a part is
// verified.

import { Malformed, toHex } from "./bytes.js";
import { ArchiveError } from "./archive.js";
import { BundleError } from "./bundle.js";
import { run } from "./checks/check.js";
import { CHAIN } from "./checks/chain.js";
import { DESIGN } from "./checks/design.js";
import { ENTRY } from "./checks/entry.js";
import { KEY } from "./checks/key.js";
import { LICENSE } from "./checks/license.js";
import { PARTIES } from "./checks/parties.js";
import { RECORD } from "./checks/record.js";
import { readEvidence } from "./evidence.js";
import { decodeHeader } from "./proofs/header.js";
import { proveState } from "./state.js";

const CHECKS = [CHAIN, PARTIES, KEY, ENTRY, RECORD, DESIGN, LICENSE];
const ALL = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13];
const EXITS = { 0: 16, 1: 16, 2: 12, 3: 19, 4: 19, 5: 18, 6: 18 };
const EXIT_ARCHIVE = 14;

/**
 * Return what this verifier finds in a bundle.
 *
 * @param {Uint8Array} data The bundle, bytes as received.
 * @param {object|null} trust The reader's trust file, parsed; null where he says nothing.
 * @param {object} question What he holds in hand: hint, sighting.
 */
export async function verify(data, trust = null, question = {}) {
  let evidence;
  try {
    evidence = await readEvidence(data);
  } catch (error) {
    if (!(error instanceof ArchiveError || error instanceof BundleError)) throw error;
    const fault = { code: error.code, reason: error.message };
    return { verdict: "problem", exit: EXIT_ARCHIVE, fault, checks: [], notChecked: ALL,
      block: null };
  }
  const header = headerOf(evidence);
  const pin = trust === null ? evidence.pin : trust.chain;
  const state = header === null ? { words: new Map(), faults: new Map() }
    : proveState(header, pin, evidence.accounts);
  const theCase = { evidence, trust, question, header, state };
  const checks = [];
  for (const check of CHECKS) checks.push(await run(check, theCase));
  const block = header === null ? null
    : { number: header.number, hash: toHex(header.hash), time: header.time };
  return { ...judge(checks), fault: null, checks, notChecked: notChecked(checks), block };
}

function judge(checks) {
  const failed = checks.find((check) => check.state === "fail");
  if (failed !== undefined) return { verdict: "problem", exit: EXITS[failed.number] };
  // Checks are left: nothing here can be green.
  return { verdict: "notChecked", exit: null };
}

function notChecked(checks) {
  const done = checks.filter((check) => check.state !== "notChecked").map((one) => one.number);
  return ALL.filter((number) => !done.includes(number));
}

function headerOf(evidence) {
  try {
    return decodeHeader(evidence.header);
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}
