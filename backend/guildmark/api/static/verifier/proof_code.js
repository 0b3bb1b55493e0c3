// The verdict about a proof code: is the entry in its log, as the reader's witnesses signed it?
//
// It is never the green one: the code shows a place in the log alone. Nothing is fetched.

import { Malformed, ascii, concat, fromHex, sha256, toHex } from "./bytes.js";
import { NUMBERS } from "./causes.js";
import { parseNoteKey } from "./documents/note.js";
import { asTime } from "./headline.js";
import { rootOfPath } from "./proofs/merkle.js";
import { digestOf, entryData, indexOf } from "./records.js";
import { verifies } from "./signatures.js";
import { holdsAt } from "./trust.js";

const [CHAIN, ENTRY] = [0, 3];
const [EXIT_UNTRUSTED, EXIT_NOT_LOGGED, EXIT_UNCHECKABLE] = [16, 19, 23];
const ED25519 = 3;
const TIME_MAX = (1n << 63n) - 1n;
const DEPLOYMENT_SIZE = 8;
const HOLDS = "The entry is at this position of this record, as your witnesses signed the log.";
const NOT_IN_IT = "A proof code does not hold what this looks at.";

/**
 * Return the verdict about a proof code, as `readProof` reads it.
 *
 * @param {object} proof What the code holds.
 * @param {object|null} trust The reader's trust file, parsed: the chain's pin, and witnesses.
 */
export async function verifyProofCode(proof, trust) {
  const seen = await lookedAt(proof, trust);
  const quorum = trust?.quorum ?? 0;
  const isSigned = 0 < quorum && quorum <= seen.signers;
  const checks = NUMBERS.map((number) => ({ number, ...found(number, trust, seen, isSigned) }));
  return { ...judged(trust, seen, isSigned), checks, notes: notes(proof), place: placeOf(proof) };
}

/** Return log and index of the entry. */
function placeOf({ record, position }) {
  return { log: record.log, index: indexOf(record, position) };
}

/** Return how many of the reader's witnesses signed, and what contradicts the place in the log. */
async function lookedAt(proof, trust) {
  try {
    // Whether the paths fit their places needs no trust.
    const root = await recordRoot(proof);
    if (!trust?.chain.contracts.log) return { signers: 0, contradiction: null };
    const text = await checkpoint(proof, root, trust.chain);
    const signers = new Set();
    for (const signature of proof.signatures) {
      for (const key of await believed(trust, signature)) {
        if (!(await isSignedBy(key, signature, text))) {
          return { signers: 0,
            contradiction: `The log with this entry in it is not what ${key.name} signed.` };
        }
        signers.add(toHex(key.data));
      }
    }
    return { signers: signers.size, contradiction: null };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return { signers: 0, contradiction: error.message };
  }
}

/** Return the keys of the reader's witnesses that a signature names. */
async function believed({ witnesses = [] }, { key: named, time }) {
  const own = witnesses.filter((one) => holdsAt(one, time));
  const keys = await Promise.all(own.map(({ key }) => parseNoteKey(key)));
  return keys.filter(({ cosigner }) => toHex(cosigner) === toHex(named));
}

async function isSignedBy({ data }, { time, value }, text) {
  if (time > TIME_MAX) return false;
  const signed = ascii(`cosignature/v1\ntime ${time}\n${text}`);
  return verifies({ algorithm: ED25519, data }, signed, value);
}

async function recordRoot({ entry, salt, position, record, path }) {
  return rootOf(await entryData(entry, salt), position, record.count, path);
}

/** Return the text of the checkpoint that the witnesses of a chain's log must have signed. */
async function checkpoint({ record, size, recordPath }, root, { chainId, genesis, contracts }) {
  const whole = { ...record, root };
  const all = await rootOf(digestOf(whole), record.seq, size, recordPath);
  const place = concat(fromHex(genesis), fromHex(contracts.log.address));
  const deployed = toHex(await sha256(place)).slice(2, 2 + 2 * DEPLOYMENT_SIZE);
  const origin = `guildmark.org/${chainId}/${deployed}/log/${record.log}`;
  return `${origin}\n${size}\n${btoa(String.fromCharCode(...all))}\n`;
}

/** Return the root to which a path of the right length leads; throw Malformed. */
function rootOf(data, index, count, path) {
  if (index >= count) throw new Malformed(`There is no leaf ${index} among ${count}.`);
  // Up to `inner` the way joins that of the last leaf; from there on all siblings are to the left.
  const inner = bits(index ^ (count - 1n)).length;
  const beside = [...bits(index >> BigInt(inner))].filter((bit) => bit === "1").length;
  if (path.length !== inner + beside) {
    throw new Malformed(`Expected ${1 + inner + beside} hashes of 32 bytes, `
      + `found ${1 + path.length}.`);
  }
  return rootOfPath(data, index, count, path);
}

function bits(value) {
  return value === 0n ? "" : value.toString(2);
}

function found(number, trust, { signers, contradiction }, isSigned) {
  if (number === CHAIN && !isSigned) return untrusted(trust, signers);
  if (number === ENTRY && contradiction !== null) {
    return { state: "fail", code: "verify.pathInvalid", reason: contradiction };
  }
  if (number === ENTRY && isSigned) return { state: "ok", code: null, reason: HOLDS };
  return { state: "unknown", code: "verify.notInProof", reason: NOT_IN_IT };
}

function untrusted(trust, signers) {
  if (trust === null) {
    return { state: "unknown", code: "verify.trustMissing",
      reason: "You have not said whom you trust." };
  }
  const lack = (reason) => ({ state: "unknown", code: "verify.witnessesTooFew", reason });
  if ((trust.witnesses ?? []).length === 0) return lack("Your list names no witnesses.");
  if (!trust.chain.contracts.log) return lack("Your list does not pin the contract of logs.");
  return lack(`${signers} of your witnesses signed the log, you ask for ${trust.quorum}.`);
}

function judged(trust, { signers, contradiction }, isSigned) {
  if (contradiction !== null) {
    return { verdict: "problem", exit: EXIT_NOT_LOGGED,
      headline: "Problem found: place in the log." };
  }
  if (!isSigned) {
    return { verdict: "untrusted", exit: EXIT_UNTRUSTED,
      headline: "Signed, not checked against the ledger." };
  }
  const count = `${signers} of your ${trust.witnesses.length} witnesses`;
  return { verdict: "uncheckable", exit: EXIT_UNCHECKABLE,
    headline: `Could not check more than the place in the log, which ${count} signed.` };
}

function notes(proof) {
  const { log, index } = placeOf(proof);
  const { entry: { kindName, machine, maker }, record: { time } } = proof;
  return [
    `The code says: entry ${log}.${index} (${kindName}) of ${asTime(time)}, `
      + `machine ${toHex(machine)}, maker ${toHex(maker)}.`,
    "It does not say which label the part has, and can be copied. For a verdict ask for the "
      + "part's bundle, and verify that.",
  ];
}
