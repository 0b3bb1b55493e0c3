// The proven state of one block: words of slots that verified under its header, and no others.

import { Malformed, same, toHex, word } from "./bytes.js";
import { keccak256 } from "./crypto.js";
import { concat, fromHex } from "./bytes.js";
import { proveAccount, proveSlot } from "./proofs/trie.js";

export const PROVEN_CONTRACTS = ["identities", "designs", "recipes", "licenses", "log", "parts",
  "equivalence", "recalls"];
/** All that a deployment has, and so a pin names. */
export const CONTRACTS = [...PROVEN_CONTRACTS, "directory"];
export const INVALID = "invalid";

// Where a contract keeps a mapping: the slot number of its declaration.
export const IDENTITIES = { contract: "identities", number: 0 };
export const CONTROLLERS = { contract: "identities", number: 1 };
export const PROFILES = { contract: "identities", number: 2 };
export const LINKS = { contract: "identities", number: 4 };
export const LINK_COUNTS = { contract: "identities", number: 5 };
export const KEYS = { contract: "identities", number: 8 };
export const CLAIMS = { contract: "identities", number: 9 };
export const ACCREDITATIONS = { contract: "identities", number: 14 };
export const NOTICES = { contract: "identities", number: 15 };
export const PROFILE_TIMES = { contract: "identities", number: 17 };
export const RECIPES = { contract: "recipes", number: 0 };
export const STEPS = { contract: "recipes", number: 1 };
export const SITE_RECIPES = { contract: "recipes", number: 3 };
export const REVISIONS = { contract: "designs", number: 7 };
export const DESIGN_OWNERS = { contract: "designs", number: 11 };
export const LICENSES = { contract: "licenses", number: 2 };
export const LICENSE_IDS = { contract: "licenses", number: 3 };
export const LICENSE_NUMBERS = { contract: "licenses", number: 5 };
export const LANES = { contract: "licenses", number: 6 };
export const LANE_HOLDERS = { contract: "licenses", number: 7 };
export const ORIGINS = { contract: "licenses", number: 8 };
export const EXTENSIONS = { contract: "licenses", number: 15 };
export const OPERATORS = { contract: "log", number: 1 };
export const RECORDS = { contract: "log", number: 2 };
export const FATES = { contract: "parts", number: 8 };
export const SCHEDULES = { contract: "equivalence", number: 0 };
export const PLAN_ENTRIES = { contract: "equivalence", number: 3 };
export const SCOPES = { contract: "equivalence", number: 4 };
export const CERTIFICATES = { contract: "equivalence", number: 7 };
export const COUNTERS = { contract: "equivalence", number: 9 };
export const PLAN_COUNTS = { contract: "equivalence", number: 10 };
export const PLANS = { contract: "equivalence", number: 11 };
export const RECALL_COUNTS = { contract: "recalls", number: 0 };
export const RECALLS = { contract: "recalls", number: 1 };
export const RECALL_REASONS = { contract: "recalls", number: 3 };
export const VOIDED = 2n ** 64n - 1n;

/** Return where a mapping keeps the value of some keys, the outermost first. */
export function slotOf(mapping, ...keys) {
  return keys.reduce(
    (slot, key) => keccak256(concat(key instanceof Uint8Array ? key : word(key), slot)),
    word(mapping.number),
  );
}

/** Return the fields of a packed word, low bits first, as solc packs a struct. */
export function fieldsOf(packed, ...widths) {
  let rest = packed;
  return widths.map((width) => {
    const found = BigInt.asUintN(width, rest);
    rest >>= BigInt(width);
    return width > 53 ? found : Number(found);
  });
}

/** Return the words that the shown proofs prove, and the contracts whose account is not proven. */
export function proveState(header, pin, accounts) {
  const words = new Map();
  const faults = new Map();
  for (const name of PROVEN_CONTRACTS) {
    const fault = accountFault(header, pin.contracts?.[name], accounts.get(name));
    if (fault !== null) faults.set(name, fault);
    else addWords(words, name, accounts.get(name));
  }
  return { words, faults };
}

/** Return a slot's proven word, INVALID where its proof is wrong, undefined where none is shown. */
export function wordAt(state, mapping, ...keys) {
  return state.words.get(`${mapping.contract} ${toHex(slotOf(mapping, ...keys))}`);
}

function accountFault(header, pinned, proof) {
  if (proof === undefined || pinned === undefined) return "missing";
  if (toHex(proof.address) !== pinned.address || !isProven(header, proof)) return INVALID;
  return toHex(proof.codeHash) === pinned.codeHash ? null : "code";
}

function isProven(header, proof) {
  const account = attempt(() => proveAccount(header.stateRoot, proof.address, proof.nodes));
  return account !== INVALID && account !== null && account.nonce === proof.nonce
    && account.balance === proof.balance && same(account.storageRoot, proof.storageRoot)
    && same(account.codeHash, proof.codeHash);
}

function addWords(words, name, proof) {
  for (const shown of proof.slots) {
    const found = attempt(() => proveSlot(proof.storageRoot, fromHex(shown.slot), shown.nodes));
    words.set(`${name} ${shown.slot}`, found === shown.value ? found : INVALID);
  }
}

function attempt(prove) {
  try {
    return prove();
  } catch (error) {
    if (error instanceof Malformed) return INVALID;
    throw error;
  }
}
