// A proof code's text: an entry's place in its log (docs/formats.md, "Proof code").

import { Malformed } from "../bytes.js";
import { fromBase45 } from "./base45.js";
import { readCbor } from "./cbor.js";

export const BEGIN = "GM1:";

const PROOF_MAX = 1050;
const TEXT_MAX = BEGIN.length + Math.floor((PROOF_MAX + 1) / 2) * 3;
const VERSION = 1n;
const MEMBERS = 22;
const HASH_SIZE = 32;
const PATH_MAX = 63;
const [KEY_SIZE, SIGNED_SIZE] = [4, 64];
const [COUNT_MAX, DRAWS_MAX] = [1n << 20n, 32];
const KINDS = { 1: "build", 2: "scrap", 3: "correction", 4: "receipt", 5: "inspection" };

/** Return the proof that a code's text writes; throw Malformed where it is not in its one form. */
export function readProof(text) {
  if (!text.startsWith(BEGIN) || text.length > TEXT_MAX) {
    throw new Malformed(`expected ${BEGIN} and at most ${TEXT_MAX - BEGIN.length} letters`);
  }
  const [version, ...members] = array(readCbor(fromBase45(text.slice(BEGIN.length))), MEMBERS);
  if (version !== VERSION) throw new Malformed(`its version is not ${VERSION}`);
  const signatures = array(members[20]).map(signatureOf);
  if (signatures.length === 0) throw new Malformed("nobody signed it");
  return {
    record: recordOf(members), entry: entryOf(members), salt: digest(members[16]),
    position: number(members[7]), path: hashes(members[17]),
    size: number(members[18]), recordPath: hashes(members[19]), signatures,
  };
}

/** Return the record, all but its root, which follows. */
function recordOf([log, seq, firstIndex, count, time, parent, given]) {
  const grants = array(given).map((one) => {
    const [lane, n, firstUnit] = array(one, 3).map((value) => number(value, 40n));
    return { lane, n, firstUnit };
  });
  const drawn = grants.reduce((sum, { n }) => sum + n, 0n);
  const record = {
    log: number(log, 40n), seq: number(seq, 40n), firstIndex: number(firstIndex),
    count: number(count, 40n), time: number(time, 40n), parent: digest(parent), grants,
  };
  const isSound = grants.length <= DRAWS_MAX && grants.every(({ lane, n }) => lane > 0n && n > 0n);
  if (!isSound || record.count > COUNT_MAX || drawn > record.count) {
    throw new Malformed("no contract would have written such a record");
  }
  return record;
}

function entryOf(members) {
  const kind = number(members[8]);
  if (KINDS[kind] === undefined) throw new Malformed("an entry is of no known kind");
  const [subject, envelope] = [members[9], members[10]].map(digest);
  const [machine, maker] = [members[12], members[13]].map(digest);
  const [siteRecipe, dependencies] = [members[11], members[14]].map(short);
  return {
    kind, kindName: KINDS[kind], machine, maker, previous: number(members[15]),
    ids: [subject, envelope, siteRecipe, machine, maker, dependencies],
  };
}

function signatureOf(value) {
  const [key, time, signed] = array(value, 3);
  return { key: bytes(key, KEY_SIZE), time: number(time), value: bytes(signed, SIGNED_SIZE) };
}

function array(value, size = null) {
  if (!Array.isArray(value) || (size !== null && value.length !== size)) {
    throw new Malformed("an array is missing, or has another length");
  }
  return value;
}

function number(value, bits = 64n) {
  if (typeof value !== "bigint") throw new Malformed("a number is missing");
  if (value >> bits !== 0n) throw new Malformed("a number that no contract can hold");
  return value;
}

function bytes(value, size) {
  if (!(value instanceof Uint8Array)) throw new Malformed("bytes are missing");
  if (size !== undefined && value.length !== size) throw new Malformed("bytes of another size");
  return value;
}

function digest(value) {
  return bytes(value, HASH_SIZE);
}

/** Return a digest of which zero is written as nothing. */
function short(value) {
  const data = bytes(value);
  if (data.length === 0) return new Uint8Array(HASH_SIZE);
  if (data.every((byte) => byte === 0)) throw new Malformed("zero is written out");
  return digest(data);
}

function hashes(value) {
  const data = bytes(value);
  const count = data.length / HASH_SIZE;
  if (!Number.isInteger(count) || count > PATH_MAX) throw new Malformed("a path is no row of digests");
  return Array.from({ length: count }, (_, at) => data.slice(at * HASH_SIZE, (at + 1) * HASH_SIZE));
}
