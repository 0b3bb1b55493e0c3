// The evidence of a bundle: every file read in its one form, nothing beside it.

import { Malformed, toHex } from "./bytes.js";
import { BundleError, readFiles } from "./bundle.js";
import { READERS, inclusion, position, readRecord } from "./documents/disclosures.js";
import { isCanonical, parse } from "./documents/json.js";
import { bytes, id, integer, large, list, maybe, object, oneOf, unless } from "./documents/shapes.js";
import { recordedOf } from "./documents/values.js";
import { opened } from "./inspection.js";
import { indexOf } from "./records.js";
import { CONTRACTS, FATES, PROVEN_CONTRACTS, VOIDED, slotOf } from "./state.js";
import { readEnvelope, readStatement } from "./statement.js";

const [HEADER, PIN, ENTRY, RECORD, ENVELOPE] = ["chain/header.rlp", "chain/pin.json",
  "log/entry.json", "log/record.json", "statements/build.dsse.json"];
const [NOTE, REPLACEMENT] = ["chain/block.note", "replacement.zip"];
const ATTACHED = /^(?:manifest\.json|SHA256SUMS|report\.json|report\.pdf|content\/.*\.car)$/;
const RIVAL = /^rivals\/.*\.zip$/;
const LIMITS = { size: 8 << 20, values: 100_000 };
const REPLACEMENTS_MAX = 4;
const RIVALS_MAX = 8;
const NOTE_MAX = 1 << 16;
const SLOTS_MAX = 2048;
const NODES_MAX = 20_000;
const ENTRY_IDS = ["subject", "envelope", "siteRecipe", "machine", "maker", "dependencies"];

const readEntry = object({
  entry: object({
    kind: oneOf(1, 2, 3, 4, 5), ...Object.fromEntries(ENTRY_IDS.map((name) => [name, id])),
    previous: unless(0, integer()),
  }, (entry) => ({ ...entry, ids: ENTRY_IDS.map((name) => entry[name]) })),
  salt: id, position, path: inclusion,
});

const readContract = object({ address: bytes(20), codeHash: id });
const checkPin = object({
  chainId: large(), genesis: id, class: oneOf("public", "consortium", "local"),
  contracts: object(Object.fromEntries(CONTRACTS.map((name) => [name, maybe(readContract)]))),
});

const readAccount = object({
  address: bytes(20), nonce: large(), balance: large(), storageRoot: id, codeHash: id,
  nodes: list(bytes()),
  slots: list(object({ slot: bytes(), value: large(), nodes: list(bytes()) }, (shown) => (
    { ...shown, slot: toHex(shown.slot) }))),
});

/** Return the evidence of a bundle; throw where Python's reader refuses the bundle. */
export async function readEvidence(data) {
  const evidence = await read(data, REPLACEMENTS_MAX);
  for (const rival of evidence.rivals) {
    if (!isRival(evidence, rival)) {
      throw new BundleError("bundle.unneeded", "A rival is no other entry of this part's label.");
    }
  }
  return evidence;
}

async function read(data, depth) {
  const files = await readFiles(data);
  const names = new Set([HEADER, ENVELOPE, NOTE, REPLACEMENT]);
  const taken = (name, reader) => {
    names.add(name);
    return document(files, name, reader);
  };
  const evidence = {
    ...taken(ENTRY, readEntry),
    record: taken(RECORD, readRecord),
    pin: taken(PIN, (value) => checkPin(value) && value),
    header: bytesOf(files, HEADER),
    envelope: bytesOf(files, ENVELOPE),
    note: files.get(NOTE) ?? null,
    accounts: new Map(),
    disclosed: {},
  };
  for (const name of PROVEN_CONTRACTS.filter((one) => files.has(`chain/${one}.json`))) {
    evidence.accounts.set(name, taken(`chain/${name}.json`, readAccount));
  }
  for (const [name, reader] of Object.entries(READERS)) {
    const path = `disclosed/${name}.json`;
    evidence.disclosed[camel(name)] = files.has(path) ? taken(path, reader) : null;
  }
  checkSizes(evidence, files.get(NOTE));
  evidence.signed = readEnvelope(evidence.envelope);
  evidence.said = await readStatement(evidence.signed);
  if (evidence.said !== null) {
    evidence.said.recorded = await recordedOf(evidence.said, evidence.disclosed);
  }
  evidence.inspections = await Promise.all((evidence.disclosed.inspections ?? []).map(opened));
  evidence.replacement = await replacementOf(evidence, files.get(REPLACEMENT), depth);
  evidence.rivals = await rivalsOf(files, depth, names);
  checkNames(files, names);
  return evidence;
}

async function replacementOf(evidence, data, depth) {
  if (data === undefined) return null;
  if (depth === 0) throw new BundleError("bundle.malformed", "Replacements without an end.");
  if (!isReplaced(evidence)) {
    throw new BundleError("bundle.unneeded", "A replacement is shown, and nothing is replaced.");
  }
  return read(data, depth - 1);
}

async function rivalsOf(files, depth, names) {
  const found = [];
  for (const name of [...files.keys()].filter((one) => RIVAL.test(one))) {
    if (depth < REPLACEMENTS_MAX || found.length === RIVALS_MAX) {
      throw new BundleError("bundle.unneeded", "More rivals are shown than are looked at.");
    }
    const rival = await read(files.get(name), 0);
    names.add(`rivals/${placeOf(rival)}.zip`);
    found.push(rival);
  }
  return found;
}

/** Return the entry's log and index, as codes on labels write them. */
export function placeOf({ record, position: at }) {
  return `${record.log}.${indexOf(record, at)}`;
}

function isRival(evidence, rival) {
  const [ours, theirs] = [evidence.said, rival.said];
  const isOfLabel = ours?.isOfSubject && theirs?.isOfSubject && ours.label === theirs.label;
  return isOfLabel && placeOf(rival) !== placeOf(evidence);
}

function isReplaced({ accounts, record, position: at }) {
  const slot = toHex(slotOf(FATES, record.log, indexOf(record, at)));
  const shown = accounts.get("parts")?.slots ?? [];
  return shown.some((one) => one.slot === slot && one.value !== 0n && one.value !== VOIDED);
}

function checkSizes({ accounts }, note) {
  const slots = [...accounts.values()].flatMap((proof) => proof.slots);
  const nodes = slots.reduce((sum, slot) => sum + slot.nodes.length, 0);
  const isNoNote = note !== undefined && (note.length === 0 || note.length > NOTE_MAX);
  if (slots.length > SLOTS_MAX || nodes > NODES_MAX || isNoNote) {
    throw new BundleError("evidence.outOfRange", "The bundle holds more than is read.");
  }
}

function checkNames(files, names) {
  const other = [...files.keys()].find((name) => !names.has(name) && !ATTACHED.test(name));
  if (other !== undefined) {
    throw new BundleError("bundle.mismatch", `The file ${other} is unknown.`);
  }
}

function document(files, name, reader) {
  const data = bytesOf(files, name);
  try {
    const value = parse(data, LIMITS);
    if (!isCanonical(value, data)) throw new Malformed("not in its canonical form");
    return reader(value);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new BundleError("bundle.malformed", `The file ${name} is wrong: ${error.message}.`);
  }
}

function bytesOf(files, name) {
  const data = files.get(name);
  if (data === undefined) throw new BundleError("bundle.malformed", `The bundle has no ${name}.`);
  return data;
}

function camel(name) {
  return name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
}
