// Part of (7): a recipe that says that it changes less than its clauses do needs two signatures.
//
// That two did not agree cannot be shown: what lacks is unknown, never failed.

import { same } from "../bytes.js";
import { EDITORIAL, MINOR, REQUALIFY, ruled } from "../documents/differing.js";
import { recipeId } from "../recipes.js";
import { isDesigners, lackOf } from "./approved.js";
import { Undecided, fail, unknown, withheld } from "./check.js";
import { formerClauses, masterClauses, shownRecipe } from "./clauses.js";

const NAMES = ["none", "editorial", "minor", "requalify"];
const MISSING = "verify.approvalMissing";
const unsigned = (reason) => unknown("verify.overrideUnsigned", reason);

/** Yield why the recipe may not say that it changes as little as it does. */
export async function* overridden(theCase) {
  const { recipe } = shownRecipe(theCase);
  if (![EDITORIAL, MINOR].includes(recipe.change)) return;
  const { least, isKnown } = await changeOf(theCase, recipe);
  if (least > recipe.change) {
    const lacking = await lackingFor(theCase, recipe, least);
    yield* lacking;
    if (lacking.length > 0) return;
  }
  if (!isKnown && (await lackingFor(theCase, recipe, REQUALIFY)).length > 0) {
    yield unseen(theCase, recipe);
  }
}

async function changeOf(theCase, recipe) {
  const former = theCase.evidence.disclosed.formerRecipe;
  if (former === null) return { least: EDITORIAL, isKnown: false };
  if (!same(recipeId(former.recipe), recipe.supersedes)) {
    throw new Undecided(fail("verify.formerRecipeMismatch",
      "The recipe that is shown as the one before is not the one that is superseded."));
  }
  return ruled(await formerClauses(former), await masterClauses(theCase));
}

/** Return why designer and approver did not both agree that a change is smaller than it is. */
async function lackingFor(theCase, recipe, least) {
  const told = `The recipe states its change as ${NAMES[recipe.change]}, by the rules it is `
    + `${NAMES[least]}.`;
  const agreeing = (theCase.evidence.disclosed.approvals ?? [])
    .filter(({ approval }) => approval.ruled >= least);
  const found = [];
  for (const [who, wanted] of [["the designer", true], ["an accredited organization", false]]) {
    const judged = [];
    for (const one of agreeing.filter(({ approval }) => isDesigners(approval) === wanted)) {
      judged.push(await lackOf(theCase, one));
    }
    if (judged.length === 0) {
      found.push(unsigned(`${told} No shown approval of ${who} agrees to that.`));
    } else if (judged.every((lack) => lack !== null)) {
      found.push(...judged.map((lack) => (
        lack.code === MISSING ? unsigned(`${told} ${lack.reason}`) : lack)));
    }
  }
  return found;
}

function unseen({ evidence }, recipe) {
  const told = `The recipe states its change as ${NAMES[recipe.change]}`;
  return evidence.disclosed.formerRecipe === null
    ? unknown("verify.formerRecipeMissing", `${told}; the recipe before is not shown.`)
    : withheld("verify.changeWithheld", `${told}; clauses that may change more are not shown.`);
}
