// (9) Where the recipe asks for it, the maker's site was certified equivalent.

import { fromHex, same, toHex, toInteger } from "../bytes.js";
import { actFindings } from "../doubts.js";
import { EQUIVALENT, NOT_EQUIVALENT, attemptOf, limitsOf, planId, validityOf } from "../plans.js";
import { recipeId } from "../recipes.js";
import { COUNTERS, PLANS, PLAN_COUNTS, wordAt } from "../state.js";
import { lists } from "../trust.js";
import { covered, windowOf } from "../window.js";
import { Undecided, fail, notClaimed, proven, stated, unknown, withheld } from "./check.js";
import { masterClauses, shownRecipe, shownSiteRecipe } from "./clauses.js";
import { lapsed } from "./lapsing.js";

const ASKED = "/qa/equivalence";
const REQUIRED = "required";
/** The changes of a recipe, editorial and minor, that leave the certificates of the one before. */
const SMALL = [1, 2];
const IN_FORCE = {
  none: (reason) => fail("verify.equivalenceNotInForce", reason),
  part: (reason) => unknown("verify.equivalenceInForcePartly", reason),
};

async function* certified(theCase) {
  const clauses = await masterClauses(theCase);
  const asked = isAsked(clauses.shown);
  if (asked === null) {
    yield unknown("verify.equivalenceUnread", `The clause ${ASKED} asks in an unknown form.`);
  } else if (!asked && clauses.mayHide(ASKED)) {
    yield withheld("verify.equivalenceWithheld",
      "The recipe may ask for equivalence by a clause that is not shown.");
  } else if (!asked) {
    yield notClaimed("verify.equivalenceNotAsked", "The recipe does not ask for equivalence.");
  } else {
    yield* ofAttempts(theCase);
  }
}

/** Return the plans by which the site was certified, where the recipe asks; throw Undecided. */
export async function certifiedBy(theCase) {
  if (isAsked((await masterClauses(theCase)).shown) !== true) return [];
  return attemptsOf(theCase)
    .filter(({ scope, verdict }) => scope === modelOf(theCase) && verdict === EQUIVALENT);
}

/** Return whether clauses ask for equivalence, null where they ask in an unknown form. */
function isAsked(clauses) {
  const found = clauses.filter(({ path }) => `${path}/`.startsWith(`${ASKED}/`));
  if (found.length === 0) return false;
  const [{ path, class: klass, value }] = found;
  const isPlain = path === ASKED && klass === "core" && found.length === 1;
  return isPlain && value === REQUIRED ? true : null;
}

/** Yield nothing where one certificate holds; else what the newest one lacks. */
async function* ofAttempts(theCase) {
  const attempts = attemptsOf(theCase).filter(({ scope }) => scope === modelOf(theCase));
  const given = attempts.filter(({ verdict }) => verdict === EQUIVALENT)
    .sort((one, other) => other.since - one.since);
  const doubts = given.map((one) => [...ofEvaluator(theCase, one)]);
  const lacks = [];
  for (const [at, one] of given.entries()) {
    const found = [...doubts[at], ...inForce(theCase, one)];
    for await (const finding of lapsed(theCase, one.since)) found.push(finding);
    lacks.push(found);
  }
  yield* refuted(theCase, attempts, given.filter((_, at) => doubts[at].length === 0));
  if (lacks.length === 0) {
    yield notClaimed("verify.equivalenceNotCertified",
      "Nobody certified the site equivalent for this recipe and machine model.");
  } else if (lacks.every((found) => found.length > 0)) {
    yield* lacks[0];
  }
}

/** Yield why the evaluator's word does not count for this reader. */
function* ofEvaluator(theCase, one) {
  const { number, plan: { evaluator }, since } = one;
  if (theCase.trust !== null && !lists(theCase.trust, "authorities", evaluator, since)) {
    yield unknown("verify.equivalenceUnlisted",
      `The evaluator ${toHex(evaluator)} of plan ${number} is not on your list.`);
  }
  yield* actFindings(theCase, evaluator, since, "The certificate was given");
  yield* challenged(theCase, one);
}

function inForce(theCase, one) {
  const what = `The certificate of plan ${one.number}${limitsOf(one)}`;
  return covered(what, [validityOf(one)], windowOf(theCase), IN_FORCE);
}

function* challenged(theCase, { id, number }) {
  const { site } = stated(theCase).run;
  for (const { id: listed, name } of theCase.trust?.authorities ?? []) {
    const place = [id, site, fromHex(listed, 32)];
    const named = name || listed;
    if (wordAt(theCase.state, COUNTERS, ...place) === undefined) {
      yield unknown("verify.authorityMissing",
        `Whether the authority ${named} found another result is not proven.`);
    } else if (proven(theCase, COUNTERS, ...place) !== 0n) {
      yield unknown("verify.equivalenceChallenged",
        `The authority ${named} found another result than plan ${number} says.`);
    }
  }
}

/**
 * Yield a finding where the last word of a listed evaluator is NOT_EQUIVALENT.
 *
 * A good word of whom the reader does not list, or doubts, takes none back: a site could get one
 * from an evaluator of its own.
 */
function* refuted({ trust }, attempts, credible) {
  const lastGood = Math.max(0, ...credible.map(({ since }) => since));
  for (const { number, plan, verdict, since } of attempts) {
    const isBad = verdict === NOT_EQUIVALENT && since >= lastGood;
    if (isBad && lists(trust, "authorities", plan.evaluator, since)) {
      yield fail("verify.equivalenceRefuted",
        `Plan ${number} ended with NOT_EQUIVALENT for the maker's site.`);
    }
  }
}

function modelOf(theCase) {
  return toInteger(shownSiteRecipe(theCase).recipe.model);
}

/** Return every plan that the site joined for the recipe, by number; throw Undecided. */
function attemptsOf(theCase) {
  const [{ recipe }, { site }] = [shownRecipe(theCase), stated(theCase).run];
  const shown = theCase.evidence.disclosed.equivalence ?? [];
  const found = [];
  for (const one of coveredBy(recipe)) {
    const count = proven(theCase, PLAN_COUNTS, one, site);
    // No more are shown than are read, so that the first one that lacks ends this.
    for (let number = 1; BigInt(number) <= count; number += 1) {
      const isMeant = (each) => each.number === number && same(each.plan.recipe, one);
      const plan = shown.filter(isMeant).at(-1)?.plan;
      found.push(attempt(theCase, { site, number, recipe: one }, plan));
    }
  }
  return found;
}

function attempt(theCase, { site, number, recipe }, plan) {
  if (plan === undefined) {
    throw new Undecided(unknown("verify.equivalencePlanMissing",
      `Plan ${number} of the maker's site is not shown.`));
  }
  if (proven(theCase, PLANS, recipe, site, number) !== toInteger(planId(plan))) {
    throw new Undecided(unknown("verify.equivalencePlanMissing",
      `The site joined another plan ${number} than the one that is shown.`));
  }
  return attemptOf(theCase, site, number, plan);
}

/** Return the recipes whose certificates speak for one: itself, and what it changes little. */
function coveredBy(recipe) {
  const own = recipeId(recipe);
  return SMALL.includes(recipe.change) ? [own, recipe.supersedes] : [own];
}

export const EQUIVALENCE = {
  number: 9,
  name: "equivalence",
  rules: [{ at: "what the recipe asks for, and the site's certificates", rule: certified }],
};
