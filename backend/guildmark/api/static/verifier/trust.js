// The reader's trust file: its members as the Python reader takes them, and in words.

import { Malformed, fromHex, toHex } from "./bytes.js";
import { REQUIRED } from "./causes.js";
import { parse } from "./documents/json.js";
import { parseNoteKey } from "./documents/note.js";
import { CONTRACTS } from "./state.js";

const VERSION = 1;
const SIZE_MAX = 1 << 20;
const CLASSES = ["public", "consortium", "local"];
const PARTIES = ["operators", "issuers", "authorities", "inspectors"];
/** The checks without which a verdict would say nothing. */
const ESSENTIAL = [0, 1, 2, 3, 4];
const DAY = 24 * 60 * 60;
export const MAX_AGE = 30 * DAY;
const MEMBERS = ["version", "chain", ...PARTIES, "blocks", "witnesses", "quorum", "policy"];
const ROLES = {
  operators: "May log parts",
  issuers: "May say who somebody is",
  authorities: "May warn of stolen keys, and recall parts",
  inspectors: "May inspect parts in doubt",
};

/** Return a trust file that was chosen; throw Malformed where a reader must not take it. */
export async function readTrust(data) {
  if (data.length > SIZE_MAX) throw new Malformed("The file is too large for a trust list.");
  const trust = parsed(data);
  members(trust, "trust list", ["version", "chain"], MEMBERS);
  if (trust.version !== VERSION) throw new Malformed(`The list is not of version ${VERSION}.`);
  readChain(trust.chain);
  for (const role of PARTIES) {
    for (const party of list(trust, role)) {
      members(party, role, ["id"], ["id", "name", "from", "to"]);
      bytes(party.id, 32, role);
      if (typeof usual(party.name, "") !== "string") throw new Malformed(`A name of ${role} is no text.`);
      natural(usual(party.from, 0), role);
      natural(usual(party.to, 0), role);
    }
  }
  readBlocks(list(trust, "blocks"));
  await readWitnesses(trust);
  if (trust.policy !== undefined) readPolicy(trust.policy);
  return trust;
}

/** Return what a list says as lines for people: a name and what is said under it. */
export function inWords(trust) {
  const { chainId, genesis } = trust.chain;
  const blocks = list(trust, "blocks");
  const witnesses = list(trust, "witnesses").length;
  return [
    ["Chain", `number ${chainId} (${trust.chain.class}), beginning ${genesis}`],
    ...PARTIES.map((role) => [ROLES[role], who(list(trust, role))]),
    ["Blocks you believe", blocks.map(({ number, hash }) => `${number} ${hash}`).join(", ") || "none"],
    ["Asks for", asked(trust.policy ?? {})],
    ["Witnesses", witnesses === 0 ? "none" : `${trust.quorum} of ${witnesses} must agree`],
  ];
}

/** Return whether something on a list holds at a time: in [from, to), 0 is without bound. */
export function holdsAt({ from = 0, to = 0 }, time) {
  return from <= time && (to === 0 || time < to);
}

/** Return whether a role of a list names an identity for what was done at a time. */
export function lists(trust, role, identity, time) {
  const id = toHex(identity);
  return (trust?.[role] ?? []).some((one) => one.id === id && holdsAt(one, time));
}

/** Return which checks must be "ok", and how old the evidence may be, in words. */
function asked({ required = REQUIRED, maxAge = MAX_AGE }) {
  const days = Math.floor(maxAge / DAY);
  const age = maxAge % DAY === 0 ? `${days} days` : `${maxAge} seconds`;
  return `checks ${required.join(", ")}; evidence at most ${age} old`;
}

function who(parties) {
  const said = parties.map(({ id, name }) => (name ? `${name}, ${id}` : id));
  return said.join("; ") || "nobody";
}

function parsed(data) {
  try {
    return parse(data);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new Malformed("The file is no JSON.");
  }
}

function readChain(chain) {
  const names = ["chainId", "genesis", "class", "contracts"];
  members(chain, "chain", names, names);
  natural(chain.chainId, "chain");
  bytes(chain.genesis, 32, "chain");
  if (!CLASSES.includes(chain.class)) throw new Malformed("The chain is of no known class.");
  members(chain.contracts, "contracts", [], CONTRACTS);
  for (const pin of Object.values(chain.contracts)) {
    members(pin, "contract", ["address", "codeHash"], ["address", "codeHash"]);
    bytes(pin.address, 20, "contracts");
    bytes(pin.codeHash, 32, "contracts");
  }
}

function readPolicy(policy) {
  members(policy, "policy", [], ["required", "maxAge"]);
  natural(usual(policy.maxAge, MAX_AGE), "policy");
  const required = list(policy, "required", REQUIRED);
  for (const number of required) {
    if (!REQUIRED.includes(number)) throw new Malformed("The policy asks for a check that is none.");
  }
  const lacking = ESSENTIAL.find((number) => !required.includes(number));
  if (lacking !== undefined) {
    throw new Malformed(`The policy does not ask for (${lacking}), on which all others rest.`);
  }
  if (required.some((number, at) => at > 0 && required[at - 1] >= number)) {
    throw new Malformed("The policy lists its checks out of order or twice.");
  }
}

function readBlocks(blocks) {
  let last = -1;
  for (const block of blocks) {
    const names = ["number", "hash", "time"];
    members(block, "block", names, names);
    natural(block.time, "blocks");
    bytes(block.hash, 32, "blocks");
    if (natural(block.number, "blocks") <= last) {
      throw new Malformed("The list has its blocks out of order or twice.");
    }
    last = block.number;
  }
}

async function readWitnesses(trust) {
  const witnesses = list(trust, "witnesses");
  const keys = new Set();
  for (const one of witnesses) {
    members(one, "witness", ["key"], ["key", "from", "to"]);
    if (typeof one.key !== "string") throw new Malformed("A witness's key is no text.");
    keys.add(toHex((await parseNoteKey(one.key)).data));
    natural(usual(one.from, 0), "witnesses");
    natural(usual(one.to, 0), "witnesses");
  }
  const quorum = natural(usual(trust.quorum, 0), "witnesses");
  const isOdd = quorum > keys.size || (keys.size > 0 && quorum === 0);
  if (isOdd || keys.size !== witnesses.length) {
    throw new Malformed(`${quorum} of ${keys.size} witnesses cannot be asked to agree.`);
  }
}

/** Return a member, or what it is where it is left out; null says something else. */
function usual(value, otherwise) {
  return value === undefined ? otherwise : value;
}

function list(trust, name, otherwise = []) {
  const found = usual(trust[name], otherwise);
  if (!Array.isArray(found)) throw new Malformed(`The member ${name} is no list.`);
  return found;
}

function members(value, what, needed, known) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new Malformed(`What stands for ${what} is no object.`);
  }
  const names = Object.keys(value);
  const lacking = needed.find((name) => !names.includes(name));
  if (lacking !== undefined) throw new Malformed(`The ${what} lacks the member ${lacking}.`);
  const other = names.find((name) => !known.includes(name));
  if (other !== undefined) throw new Malformed(`The ${what} has an unknown member ${other}.`);
}

function bytes(text, size, what) {
  try {
    return fromHex(text, size);
  } catch (error) {
    throw new Malformed(`Of ${what}: ${error.message}.`);
  }
}

function natural(value, what) {
  if (!Number.isSafeInteger(value) || value < 0) throw new Malformed(`A number of ${what} is none.`);
  return value;
}
