// The reader's trust file: its members as the Python reader takes them, and in words.

import { Malformed, fromHex } from "./bytes.js";
import { CONTRACTS } from "./state.js";

const VERSION = 1;
const SIZE_MAX = 1 << 20;
const CLASSES = ["public", "consortium", "local"];
const PARTIES = ["operators", "issuers", "authorities", "inspectors"];
const MEMBERS = ["version", "chain", ...PARTIES, "blocks", "witnesses", "quorum", "policy"];
const ROLES = {
  operators: "May log parts",
  issuers: "May say who somebody is",
  authorities: "May warn of stolen keys",
  inspectors: "May inspect parts in doubt",
};

/** Return a trust file that was chosen; throw Malformed where a reader must not take it. */
export function readTrust(data) {
  if (data.length > SIZE_MAX) throw new Malformed("The file is too large for a trust list.");
  const trust = parsed(data);
  members(trust, "trust list", ["version", "chain"], MEMBERS);
  if (trust.version !== VERSION) throw new Malformed(`The list is not of version ${VERSION}.`);
  readChain(trust.chain);
  for (const role of PARTIES) {
    for (const party of list(trust, role)) {
      members(party, role, ["id"], ["id", "name", "from", "to"]);
      bytes(party.id, 32, role);
      if (typeof (party.name ?? "") !== "string") throw new Malformed(`A name of ${role} is no text.`);
      natural(party.from ?? 0, role);
      natural(party.to ?? 0, role);
    }
  }
  readBlocks(list(trust, "blocks"));
  readWitnesses(trust);
  const policy = ["required", "maxAge"];
  if (trust.policy !== undefined) members(trust.policy, "policy", [], policy);
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
    ["Witnesses", witnesses === 0 ? "none" : `${trust.quorum} of ${witnesses} must agree`],
  ];
}

function who(parties) {
  const said = parties.map(({ id, name }) => (name ? `${name}, ${id}` : id));
  return said.join("; ") || "nobody";
}

function parsed(data) {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data));
  } catch {
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

function readWitnesses(trust) {
  const witnesses = list(trust, "witnesses");
  for (const one of witnesses) members(one, "witness", ["key"], ["key", "from", "to"]);
  const quorum = natural(trust.quorum ?? 0, "witnesses");
  if (quorum > witnesses.length || (witnesses.length > 0 && quorum === 0)) {
    throw new Malformed(`${quorum} of ${witnesses.length} witnesses cannot be asked to agree.`);
  }
}

function list(trust, name) {
  const found = trust[name] ?? [];
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
