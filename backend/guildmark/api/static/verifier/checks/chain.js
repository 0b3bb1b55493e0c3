// (0) The chain is the pinned one, and block b is trusted.

import { toHex } from "../bytes.js";
import { canonical } from "../documents/json.js";
import { PROVEN_CONTRACTS } from "../state.js";
import { SKIPPED, fail, unknown } from "./check.js";
import { named, witnessed } from "./witnessed.js";

const FAULTS = {
  missing: (name) => unknown("verify.contractMissing",
    `There is no proof of the contract ${name}.`),
  invalid: (name) => fail("verify.contractInvalid",
    `The account proof is wrong for the contract ${name}.`),
  code: (name) => fail("verify.codeMismatch",
    `There is other code than the pinned one at the contract ${name}.`),
};

function* pinnedChain({ evidence: { pin }, trust }) {
  if (trust === null) {
    yield unknown("verify.trustMissing", "You have not said whom you trust.");
  } else if (identity(pin) !== identity(trust.chain)) {
    yield fail("verify.chainMismatch", `${otherChain(pin, trust.chain)}.`);
  }
}

/** Return how the bundle's chain differs from the one that the reader pins. */
function otherChain(shown, pinned) {
  const isSame = identity({ ...shown, class: pinned.class }) === identity(pinned);
  if (isSame) {
    return `It calls chain ${shown.chainId} ${shown.class}, your trust file calls the same chain `
      + `${pinned.class}; if yours is wrong, make it again with \`guildmark trust init --class `
      + `${shown.class}\``;
  }
  return shown.chainId === pinned.chainId
    ? `It is about another chain or deployment that also has id ${shown.chainId}`
    : `It is about chain ${shown.chainId}, you trust chain ${pinned.chainId}`;
}

function identity(pin) {
  const contracts = PROVEN_CONTRACTS.map((name) => pin.contracts?.[name] ?? null);
  return canonical([pin.chainId ?? null, pin.genesis ?? null, pin.class ?? null, contracts]);
}

async function* trustedBlock({ evidence, header, trust, question: { sighting } }) {
  if (header === null) {
    yield fail("verify.headerMalformed", "The header of block b cannot be read.");
    return;
  }
  if (trust === null) {
    yield SKIPPED;
    return;
  }
  const believed = (trust.blocks ?? []).find((block) => BigInt(block.number) === header.number);
  if (believed !== undefined) {
    if (believed.hash !== toHex(header.hash) || BigInt(believed.time) !== header.time) {
      yield fail("verify.blockMismatch", `It rests on ${named(header)}, you trust another.`);
    }
    return;
  }
  const hasWitnesses = (trust.witnesses ?? []).length > 0;
  const lacking = hasWitnesses ? await all(witnessed(evidence, trust, header)) : null;
  if (sighting && lacking?.length !== 0) {
    yield* (lacking ?? []).filter(({ state }) => state === "fail");
    yield* seen(sighting, trust.chain, header);
  } else if (sighting?.hash && sighting.hash !== toHex(header.hash)) {
    yield other(header);
  } else if (lacking !== null) {
    yield* lacking;
  } else {
    yield unknown("verify.blockUnknown", `Your trust file does not know ${named(header)}.`);
  }
}

/** Yield what the reader's own node has against the block. */
function* seen(sighting, { chainId, genesis }, header) {
  if (!sighting.isReached) {
    yield unknown("verify.nodeUnreachable", `Your node could not be asked for ${named(header)}.`);
  } else if (sighting.chain && canonical(sighting.chain) !== canonical([chainId, genesis])) {
    yield unknown("verify.nodeOnOtherChain",
      "Your node is on another chain than your trust file pins: name one of that chain.");
  } else if (!sighting.hash) {
    yield unknown("verify.blockUnknown", `Your node does not have ${named(header)}.`);
  } else if (sighting.hash !== toHex(header.hash)) {
    yield other(header);
  }
}

function other(header) {
  return fail("verify.blockMismatch", `It rests on ${named(header)}, your node has another.`);
}

async function all(findings) {
  const found = [];
  for await (const one of findings) found.push(one);
  return found;
}

function* contracts({ evidence, header, state }) {
  if (header === null) {
    yield SKIPPED;
    return;
  }
  for (const [name, fault] of state.faults) {
    // Bundles of before prove nothing about recalls, and (12) says so.
    const isNeeded = name === "equivalence" ? asksForEquivalence(evidence) : name !== "recalls";
    if (isNeeded || fault !== "missing") yield FAULTS[fault](name);
  }
}

/** Return whether the shown recipe asks for equivalence, in whatever form. */
function asksForEquivalence({ disclosed: { recipe }, said }) {
  const opened = said?.isOfSubject && recipe !== null ? recipe.clauses.opened : [];
  return opened.some(({ clause: { path } }) => `${path}/`.startsWith("/qa/equivalence/"));
}

export const CHAIN = {
  number: 0,
  name: "chain and block",
  rules: [
    { at: "the chain's pin", rule: pinnedChain },
    { at: "the block, by the list", rule: trustedBlock },
    { at: "each contract's account and code in that block", rule: contracts },
  ],
};
