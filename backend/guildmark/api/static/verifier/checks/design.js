// (5) The design's revision was registered, and everything is of it.

import { concat, same, toHex, toInteger, word } from "../bytes.js";
import { keccak256 } from "../crypto.js";
import { allows, termsOf } from "../documents/terms.js";
import { LICENSE_MISSING } from "../licensing.js";
import { publishedFindings } from "../publishing.js";
import { REVISIONS } from "../state.js";
import { held, windowOf } from "../window.js";
import { SKIPPED, fail, proven, shown, stated, unknown, withheld } from "./check.js";

const REVISION_MISSING = unknown("verify.revisionMissing", "The revision is not shown.");
const REGISTERED = {
  none: fail("verify.revisionLater", "The revision was published after the part was logged."),
  part: unknown("verify.revisionMeanwhile", "The revision was perhaps published too late."),
};
const ALLOWED = {
  no: fail("verify.revisionNotLicensed", "A license names other revisions."),
  unknown: withheld("verify.revisionsWithheld", "A license does not show its revisions."),
};

function* registered(theCase) {
  const revision = shown(theCase, "revision", REVISION_MISSING);
  const found = proven(theCase, REVISIONS, revision.design, revision.number);
  if (found === 0n) {
    yield fail("verify.revisionUnknown", "The chain has no such revision.");
  } else if (found !== toInteger(digestOf(revision))) {
    yield fail("verify.revisionMismatch", "The chain has another revision than is shown.");
  } else {
    yield* held([{ since: revision.at, until: 0 }], windowOf(theCase), REGISTERED);
    yield* publishedFindings(theCase, revision.at);
  }
}

function* named(theCase) {
  const { design, revision } = stated(theCase);
  const found = shown(theCase, "revision", REVISION_MISSING);
  if (!same(design, found.design) || revision !== found.number) {
    yield fail("verify.designMismatch", "The statement names another design or revision.");
  }
}

function* recipe(theCase) {
  const { design, revision } = stated(theCase);
  const found = theCase.evidence.disclosed.recipe?.recipe;
  // A recipe that is not shown is a finding of (7).
  if (found === undefined) {
    yield SKIPPED;
  } else if (!same(design, found.design) || revision !== found.revision) {
    yield fail("verify.recipeDesignMismatch", "The recipe is for another design or revision.");
  }
}

async function* licensed(theCase) {
  const { design, revision } = stated(theCase);
  for (const one of shown(theCase, "licenses", LICENSE_MISSING)) {
    if (!same(one.terms.design, design)) {
      yield fail("verify.licenseDesignMismatch", "A license is for another design.");
    }
    // Members that do not fit their root are a finding of (6).
    const members = await termsOf(one);
    const asked = `${toHex(design)}:${revision}`;
    const found = members === null ? "yes" : allows(members, "revision", asked);
    if (found in ALLOWED) yield ALLOWED[found];
  }
}

function* ciphertext(theCase) {
  const given = stated(theCase).ciphertext;
  if (!same(given, shown(theCase, "revision", REVISION_MISSING).ciphertext)) {
    yield fail("verify.ciphertextMismatch", "The machine was given other files.");
  }
}

/** keccak256(abi.encode(Revision)): a struct whose last field alone is dynamic. */
function digestOf({ design, number, root, ciphertext: files, manifest, at, derivedFrom }) {
  const head = concat(design, word(number), root, files, manifest, word(at), word(7 * 32));
  return keccak256(concat(word(32), head, word(derivedFrom.length), ...derivedFrom));
}

export const DESIGN = {
  number: 5,
  name: "design revision",
  rules: [
    { at: "the revision on chain, before the build", rule: registered },
    { at: "that the statement names it", rule: named },
    { at: "that the recipe is for it", rule: recipe },
    { at: "that each license is for the design and revision", rule: licensed },
    { at: "that the machine was given its files", rule: ciphertext },
  ],
};
