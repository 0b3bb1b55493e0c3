// What the checks of this verifier read of a bundle, each value in its one form.

import { Malformed, fromHex, toHex } from "./bytes.js";
import { BundleError } from "./bundle.js";

const CONTRACTS = ["identities", "designs", "recipes", "licenses", "log", "parts", "equivalence"];
const RECORD_MEMBERS = ["log", "seq", "firstIndex", "count", "time", "parent", "root"];
const ENTRY_IDS = ["subject", "envelope", "siteRecipe", "machine", "maker", "dependencies"];

/** Return the evidence of a bundle that was read. */
export function evidenceOf({ files, documents }) {
  const opening = shown(documents, "log/entry.json", readOpening);
  return {
    ...opening,
    header: files.get("chain/header.rlp"),
    envelope: files.get("statements/build.dsse.json"),
    pin: shown(documents, "chain/pin.json", (value) => value),
    record: shown(documents, "log/record.json", readRecord),
    accounts: new Map(CONTRACTS.filter((name) => documents.has(`chain/${name}.json`)).map(
      (name) => [name, shown(documents, `chain/${name}.json`, readAccount)])),
    key: disclosed(documents, "key", readKey),
    siteLink: disclosed(documents, "site-link", readLink),
    makerLink: disclosed(documents, "maker-link", readLink),
    operator: disclosed(documents, "operator", (value) => fromHex(value, 32)),
    beacon: disclosed(documents, "beacon", readRecord),
    revision: disclosed(documents, "revision", readRevision),
    recipe: disclosed(documents, "recipe", ({ recipe }) => ({
      design: fromHex(recipe.design, 32),
      revision: natural(recipe.revision),
    })),
    licenses: disclosed(documents, "licenses", (value) => value.map(({ terms }) => ({
      design: fromHex(terms.design, 32),
    }))) ?? [],
    asksForEquivalence: JSON.stringify(documents.get("disclosed/recipe.json") ?? null)
      .includes('"/qa/equivalence'),
  };
}

/** Return what a party shows, null where it shows nothing. */
function disclosed(documents, name, read) {
  const path = `disclosed/${name}.json`;
  return documents.has(path) ? shown(documents, path, read) : null;
}

function shown(documents, name, read) {
  try {
    return read(documents.get(name));
  } catch (error) {
    if (!(error instanceof Malformed || error instanceof TypeError)) throw error;
    throw new BundleError("bundle.malformed", `The file ${name} is wrong: ${error.message}.`);
  }
}

function readOpening(value) {
  members(value, ["entry", "salt", "position", "path"]);
  members(value.entry, ["kind", ...ENTRY_IDS], ["previous"]);
  return {
    entry: {
      kind: natural(value.entry.kind),
      ids: ENTRY_IDS.map((name) => fromHex(value.entry[name], 32)),
      machine: fromHex(value.entry.machine, 32),
      envelope: fromHex(value.entry.envelope, 32),
      previous: natural(value.entry.previous ?? 0),
    },
    salt: fromHex(value.salt, 32),
    position: natural(value.position),
    path: value.path.map((hash) => fromHex(hash, 32)),
  };
}

function readRecord(value) {
  members(value, RECORD_MEMBERS, ["grants"]);
  return {
    log: natural(value.log),
    seq: natural(value.seq),
    firstIndex: natural(value.firstIndex),
    count: natural(value.count),
    time: natural(value.time),
    parent: fromHex(value.parent, 32),
    root: fromHex(value.root, 32),
    grants: (value.grants ?? []).map((grant) => {
      members(grant, ["lane", "n", "firstUnit"]);
      return [natural(grant.lane), natural(grant.n), natural(grant.firstUnit)];
    }),
  };
}

function readAccount(value) {
  members(value, ["address", "nonce", "balance", "storageRoot", "codeHash", "nodes", "slots"]);
  return {
    address: fromHex(value.address, 20),
    nonce: number(value.nonce),
    balance: number(value.balance),
    storageRoot: fromHex(value.storageRoot, 32),
    codeHash: fromHex(value.codeHash, 32),
    nodes: value.nodes.map((node) => fromHex(node)),
    slots: value.slots.map((slot) => {
      members(slot, ["slot", "value", "nodes"]);
      return {
        slot: toHex(fromHex(slot.slot)),
        value: number(slot.value),
        nodes: slot.nodes.map((node) => fromHex(node)),
      };
    }),
  };
}

function readKey(value) {
  members(value, ["algorithm", "data"]);
  return { algorithm: natural(value.algorithm), data: fromHex(value.data) };
}

function readLink(value) {
  members(value, ["child", "parent", "count"]);
  return {
    child: fromHex(value.child, 32),
    parent: fromHex(value.parent, 32),
    count: natural(value.count),
  };
}

function readRevision(value) {
  members(value, ["design", "number", "root", "ciphertext", "manifest", "at"], ["derivedFrom"]);
  return {
    design: fromHex(value.design, 32),
    number: natural(value.number),
    root: fromHex(value.root, 32),
    ciphertext: fromHex(value.ciphertext, 32),
    manifest: fromHex(value.manifest, 32),
    at: natural(value.at),
    derivedFrom: (value.derivedFrom ?? []).map((digest) => fromHex(digest, 32)),
  };
}

function members(value, needed, optional = []) {
  const names = Object.keys(value);
  const isWhole = needed.every((name) => names.includes(name));
  if (!isWhole || names.some((name) => !needed.includes(name) && !optional.includes(name))) {
    throw new Malformed("a member is missing or unknown");
  }
}

function natural(value) {
  if (!Number.isSafeInteger(value) || value < 0) throw new Malformed("expected a number");
  return value;
}

/** A number that is a decimal string beyond 2^53 - 1. */
function number(value) {
  const isText = typeof value === "string" && /^[1-9][0-9]{0,77}$/.test(value);
  return BigInt(isText ? value : natural(value));
}
