// The page's own verifier: a bundle and the reader's trust in, a report out; nothing is fetched.
//
// It performs the checks (0) to (10), (12) and (13), and judges by the reader's policy. Where a check
// is not performed whole the verdict is "notChecked".

import { Malformed, toHex } from "./bytes.js";
import { ArchiveError } from "./archive.js";
import { BundleError } from "./bundle.js";
import { NUMBERS, covered } from "./causes.js";
import { ACCREDITATION } from "./checks/accreditation.js";
import { run } from "./checks/check.js";
import { CHAIN } from "./checks/chain.js";
import { DESIGN } from "./checks/design.js";
import { ENTRY } from "./checks/entry.js";
import { EQUIVALENCE } from "./checks/equivalence.js";
import { KEY } from "./checks/key.js";
import { LICENSE } from "./checks/license.js";
import { MEASUREMENTS } from "./checks/measurements.js";
import { PARTIES } from "./checks/parties.js";
import { RECALLS } from "./checks/recalled.js";
import { RECIPE } from "./checks/recipe.js";
import { RECORD } from "./checks/record.js";
import { rivalOf } from "./checks/rivals.js";
import { SECOND_FACTOR } from "./checks/second.js";
import { readEvidence } from "./evidence.js";
import { headline } from "./headline.js";
import { areListed, parties } from "./listed.js";
import { judge, leftOf } from "./policy.js";
import { decodeHeader } from "./proofs/header.js";
import { proveState } from "./state.js";

const CHECKS = [CHAIN, PARTIES, KEY, ENTRY, RECORD, DESIGN, LICENSE, RECIPE, MEASUREMENTS,
  EQUIVALENCE, ACCREDITATION, RECALLS, SECOND_FACTOR];
const ALL = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13];
const EXIT_ARCHIVE = 14;

/**
 * Return what this verifier finds in a bundle: verdict, exit code, headline, and each check.
 *
 * @param {Uint8Array} data The bundle, bytes as received.
 * @param {object|null} trust The reader's trust file, parsed; null where he says nothing.
 * @param {object} question What he holds in hand: hint, now, sighting, and whose list it is.
 */
export async function verify(data, trust = null, question = {}) {
  let evidence;
  try {
    evidence = await readEvidence(data);
  } catch (error) {
    if (!(error instanceof ArchiveError || error instanceof BundleError)) throw error;
    const fault = { code: error.code, reason: error.message };
    return { verdict: "problem", exit: EXIT_ARCHIVE, fault, checks: [], notChecked: ALL,
      block: null, headline: "Problem found: no canonical bundle." };
  }
  const { theCase, checks } = await judgedWhole(evidence, trust, question);
  const all = await parties(theCase);
  const judgement = judge(checks, trust, areListed(theCase, all));
  const { header } = theCase;
  const block = header === null ? null
    : { number: header.number, hash: toHex(header.hash), time: header.time };
  return { verdict: judgement.verdict, exit: judgement.exit, fault: null, checks, block,
    headline: headline(theCase, judgement, all), notChecked: notChecked(checks) };
}

/** Return the checks over an entry, and over the other entries that it is held beside. */
async function judgedWhole(evidence, trust, question) {
  const asked = ofOthers(question);
  const replacement = evidence.replacement === null ? []
    : (await judgedWhole(evidence.replacement, trust, asked)).checks;
  const rivals = [];
  for (const one of evidence.rivals) {
    // How old its block is says nothing about who was first.
    const alone = { ...asked, now: null, sighting: null };
    const theirs = caseOf({ ...one, replacement: null, rivals: [] }, trust, alone);
    rivals.push(await rivalOf(theirs, await checked(theirs)));
  }
  const theCase = { ...caseOf(evidence, trust, question), replacement, rivals };
  return { theCase, checks: await checked(theCase) };
}

/** Return what is asked of an entry that is not the scanned one. */
function ofOthers(question) {
  return { ...question, label: null, link: null, hint: null, unsearched: [], claim: null, chip: null };
}

function caseOf(evidence, trust, question) {
  const header = headerOf(evidence);
  const pin = trust === null ? evidence.pin : trust.chain;
  const state = header === null ? { words: new Map(), faults: new Map() }
    : proveState(header, pin, evidence.accounts);
  return { evidence, trust, question, header, state, replacement: [], rivals: [] };
}

async function checked(theCase) {
  const checks = [];
  for (const check of CHECKS) checks.push(await run(check, theCase));
  return covered(checks);
}

function notChecked(checks) {
  return [...leftOf(checks), ...ALL.filter((number) => !NUMBERS.includes(number))];
}

function headerOf(evidence) {
  try {
    return decodeHeader(evidence.header);
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}
