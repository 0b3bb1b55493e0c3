// (5) The revision was registered, and everything is of it. Notices and terms are not looked at.

import { concat, same, toInteger, word } from "../bytes.js";
import { keccak256 } from "../crypto.js";
import { REVISIONS } from "../state.js";
import { cover, windowOf } from "../window.js";
import { Undecided, fail, proven, stated, unknown } from "./check.js";

function* registered(theCase) {
  const revision = shown(theCase);
  const found = proven(theCase, REVISIONS, revision.design, revision.number);
  if (found === 0n) {
    yield fail("verify.revisionUnknown", "The chain has no such revision.");
  } else if (found !== toInteger(digestOf(revision))) {
    yield fail("verify.revisionMismatch", "The chain has another revision than is shown.");
  } else {
    const held = cover([{ since: revision.at, until: 0 }], windowOf(theCase));
    if (held === "none") {
      yield fail("verify.revisionLater", "The revision was published after the part was logged.");
    } else if (held === "part") {
      yield unknown("verify.revisionMeanwhile", "The revision was perhaps published too late.");
    }
  }
}

function* named(theCase) {
  const { design, revision } = stated(theCase);
  const found = shown(theCase);
  if (!same(design, found.design) || revision !== found.number) {
    yield fail("verify.designMismatch", "The statement names another design or revision.");
  }
}

function* recipe(theCase) {
  const { design, revision } = stated(theCase);
  const found = theCase.evidence.recipe;
  if (found === null) throw new Undecided();
  if (!same(design, found.design) || revision !== found.revision) {
    yield fail("verify.recipeDesignMismatch", "The recipe is for another design or revision.");
  }
}

function* licensed(theCase) {
  const { design } = stated(theCase);
  const { licenses } = theCase.evidence;
  if (licenses.length === 0) throw new Undecided();
  if (licenses.some((one) => !same(one.design, design))) {
    yield fail("verify.licenseDesignMismatch", "A license is for another design.");
  }
}

function* ciphertext(theCase) {
  if (!same(stated(theCase).ciphertext, shown(theCase).ciphertext)) {
    yield fail("verify.ciphertextMismatch", "The machine was given other files.");
  }
}

function shown({ evidence: { revision } }) {
  if (revision === null) throw new Undecided();
  return revision;
}

/** keccak256(abi.encode(Revision)): a struct whose last field alone is dynamic. */
function digestOf({ design, number, root, ciphertext: files, manifest, at, derivedFrom }) {
  const head = concat(design, word(number), root, files, manifest, word(at), word(7 * 32));
  return keccak256(concat(word(32), head, word(derivedFrom.length), ...derivedFrom));
}

export const DESIGN = {
  number: 5,
  name: "design revision",
  isWhole: false,
  rules: [
    { at: "the revision on chain, before the build", rule: registered },
    { at: "that the statement names it", rule: named },
    { at: "that the recipe is for it", rule: recipe },
    { at: "that each license is for the design", rule: licensed },
    { at: "that the machine was given its files", rule: ciphertext },
  ],
};
