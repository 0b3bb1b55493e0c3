// What is shown of a recipe and of a site's own one; several checks rest on it.

import { Clauses, mismatchOf } from "../documents/clauses.js";
import { Undecided, fail, shown, unknown } from "./check.js";

const RECIPE_MISSING = unknown("verify.recipeMissing", "The recipe is not shown.");
const SITE_RECIPE_MISSING = unknown("verify.siteRecipeMissing", "The site recipe is not shown.");
// Each tree is hashed once.
const mismatches = new WeakMap();

export const shownRecipe = (theCase) => shown(theCase, "recipe", RECIPE_MISSING);
export const shownSiteRecipe = (theCase) => shown(theCase, "siteRecipe", SITE_RECIPE_MISSING);

/** Return what is shown of the recipe's clauses; throw Undecided where others than it has are. */
export async function masterClauses(theCase) {
  return opened(shownRecipe(theCase));
}

/** Return what is shown of the site recipe's clauses; throw Undecided where others are. */
export async function siteClauses(theCase) {
  return opened(shownSiteRecipe(theCase));
}

/** Return what is shown of the clauses of the recipe before; throw Undecided where others are. */
export async function formerClauses(former) {
  return opened(former);
}

async function opened({ clauses, recipe }) {
  if (!mismatches.has(clauses)) mismatches.set(clauses, mismatchOf(clauses, recipe.root));
  const reason = await mismatches.get(clauses);
  if (reason !== null) throw new Undecided(fail("verify.clausesInvalid", reason));
  return new Clauses(clauses.leaves, clauses.opened);
}
