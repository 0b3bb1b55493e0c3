// (5) The design's revision was registered, and everything is of it.

import { concat, same, toHex, toInteger, word } from "../bytes.js";
import { keccak256 } from "../crypto.js";
import { allows, termsOf } from "../documents/terms.js";
import { licenseMissing } from "../licensing.js";
import { publishedFindings } from "../publishing.js";
import { REVISIONS } from "../state.js";
import { covered, windowOf } from "../window.js";
import { SKIPPED, Undecided, fail, proven, shown, stated, unknown, withheld } from "./check.js";

const REVISION_MISSING = unknown("verify.revisionMissing", "The design's revision is not shown.");
const REGISTERED = {
  none: (reason) => fail("verify.revisionLater", reason),
  part: (reason) => unknown("verify.revisionMeanwhile", reason),
};

function* registered(theCase) {
  const revision = shown(theCase, "revision", REVISION_MISSING);
  const { design, number, at } = revision;
  const found = proven(theCase, REVISIONS, design, number);
  const words = `revision ${number} of design ${toHex(design)}`;
  if (found === 0n) {
    yield fail("verify.revisionUnknown", `The chain has no ${words}.`);
  } else if (found !== toInteger(digestOf(revision))) {
    yield fail("verify.revisionMismatch", `The chain has another ${words} than is shown.`);
  } else {
    const interval = { since: at, until: 0 };
    yield* covered(`The registration of ${words}`, [interval], windowOf(theCase), REGISTERED);
    yield* publishedFindings(theCase, at, `Revision ${number} was published`);
  }
}

function* named(theCase) {
  const { design, revision } = stated(theCase);
  const found = shown(theCase, "revision", REVISION_MISSING);
  if (!same(design, found.design) || revision !== found.number) {
    yield fail("verify.designMismatch",
      "The statement names another design or revision than the one that is shown.");
  }
}

function* recipe(theCase) {
  const { design, revision } = stated(theCase);
  const found = theCase.evidence.disclosed.recipe?.recipe;
  // A recipe that is not shown is a finding of (7).
  if (found === undefined) {
    yield SKIPPED;
  } else if (!same(design, found.design) || revision !== found.revision) {
    yield fail("verify.recipeDesignMismatch",
      "The recipe is for another design or revision than the statement's.");
  }
}

async function* licensed(theCase) {
  const { design, revision } = stated(theCase);
  const licenses = theCase.evidence.disclosed.licenses ?? [];
  if (licenses.length === 0) throw new Undecided(licenseMissing("The license is not shown."));
  for (const one of licenses) {
    if (!same(one.terms.design, design)) {
      yield fail("verify.licenseDesignMismatch",
        `License ${one.number} is for another design than the statement's.`);
    }
    // Members that do not fit their root are a finding of (6).
    const members = await termsOf(one);
    const asked = `${toHex(design)}:${revision}`;
    const found = members === null ? "yes" : allows(members, "revision", asked);
    if (found === "no") {
      yield fail("verify.revisionNotLicensed",
        `License ${one.number} does not name revision ${revision}.`);
    }
    if (found === "unknown") {
      yield withheld("verify.revisionsWithheld",
        `License ${one.number} does not show which revisions it allows.`);
    }
  }
}

function* ciphertext(theCase) {
  const given = stated(theCase).ciphertext;
  if (!same(given, shown(theCase, "revision", REVISION_MISSING).ciphertext)) {
    yield fail("verify.ciphertextMismatch",
      "The encrypted files that the statement names are not the revision's.");
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
