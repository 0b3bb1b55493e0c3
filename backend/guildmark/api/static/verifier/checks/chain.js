// (0) The chain is the pinned one, and block b is trusted.

import { toHex } from "../bytes.js";
import { canonical } from "../documents/json.js";
import { PROVEN_CONTRACTS } from "../state.js";
import { NOT_CHECKED, SKIPPED, fail, unknown } from "./check.js";

const FAULTS = {
  missing: unknown("verify.contractMissing", "A contract is not proven."),
  invalid: fail("verify.contractInvalid", "The proof of a contract's account is wrong."),
  code: fail("verify.codeMismatch", "A contract has other code than the pinned one."),
};

function* pinnedChain({ evidence, trust }) {
  if (trust === null) {
    yield unknown("verify.trustMissing", "You have not said whom you trust.");
  } else if (identity(evidence.pin) !== identity(trust.chain)) {
    yield fail("verify.chainMismatch", "The bundle is about another chain than you trust.");
  }
}

function identity(pin) {
  const contracts = PROVEN_CONTRACTS.map((name) => pin.contracts?.[name] ?? null);
  return canonical([pin.chainId ?? null, pin.genesis ?? null, pin.class ?? null, contracts]);
}

function* trustedBlock({ header, trust, question }) {
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
      yield fail("verify.blockMismatch", "Block b is another than the one that you trust.");
    }
  } else if ((trust.witnesses ?? []).length > 0) {
    yield NOT_CHECKED;
  } else {
    yield* seen(question.sighting, trust.chain, header);
  }
}

function* seen(sighting, { chainId, genesis }, header) {
  if (sighting && !sighting.isReached) {
    yield unknown("verify.nodeUnreachable", "Your node could not be asked for block b.");
  } else if (sighting?.chain && canonical(sighting.chain) !== canonical([chainId, genesis])) {
    yield unknown("verify.nodeOnOtherChain", "Your node is on another chain.");
  } else if (!sighting?.hash) {
    yield unknown("verify.blockUnknown", "Nothing on the list knows this block.");
  } else if (sighting.hash !== toHex(header.hash)) {
    yield fail("verify.blockMismatch", "Your node has another block b.");
  }
}

function* contracts({ evidence, header, state }) {
  if (header === null) {
    yield SKIPPED;
    return;
  }
  for (const [name, fault] of state.faults) {
    const isNeeded = name !== "equivalence" || asksForEquivalence(evidence);
    if (isNeeded || fault !== "missing") yield FAULTS[fault];
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
