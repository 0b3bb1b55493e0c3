// (7) The site's recipe keeps core and windows, and the recorded settings lie inside it.

import { ascii, same, sha256, toHex } from "../bytes.js";
import { WITHHELD, admits, violations } from "../documents/bounds.js";
import { canonical } from "../documents/json.js";
import { actFindings } from "../doubts.js";
import { publishedFindings } from "../publishing.js";
import { recipeId, siteRecipeId } from "../recipes.js";
import { RECIPES, SITE_RECIPES, STEPS, fieldsOf } from "../state.js";
import { cover, covered, windowOf } from "../window.js";
import { approved } from "./approved.js";
import { Undecided, fail, notClaimed, proven, stated, unknown, withheld } from "./check.js";
import { masterClauses, shownRecipe, shownSiteRecipe, siteClauses } from "./clauses.js";
import { overridden } from "./overridden.js";
import { settingsClosed, settingsOf } from "./values.js";

const PROCESS = "/process/";
const SETTINGS = "settings";
const [TRIAL, QUALIFIED] = [2, 3];
const IN_FORCE = {
  none: (reason) => fail("verify.recipeNotInForce", reason),
  part: (reason) => unknown("verify.recipeInForcePartly", reason),
};
const REGISTERED = {
  none: (reason) => fail("verify.siteRecipeLater", reason),
  part: (reason) => unknown("verify.siteRecipeMeanwhile", reason),
};
const settingWithheld = (reason) => withheld("verify.settingWithheld", reason);

function* named(theCase) {
  const { siteRecipe, run } = stated(theCase);
  const { recipe } = shownSiteRecipe(theCase);
  if (!same(theCase.evidence.entry.siteRecipe, siteRecipe)) {
    yield fail("verify.siteRecipeMismatch",
      "The log entry names another site recipe than the statement.");
  }
  if (!same(siteRecipeId(recipe), siteRecipe)) {
    yield fail("verify.siteRecipeMismatch",
      "The shown site recipe is not the one that the statement names.");
  }
  if (!same(recipe.site, run.site)) {
    yield fail("verify.siteRecipeOfOtherSite",
      `The site recipe belongs to site ${toHex(recipe.site)}, not to the machine's.`);
  }
}

function* master(theCase) {
  const { recipe: named } = stated(theCase);
  if (!same(recipeId(shownRecipe(theCase).recipe), named)) {
    yield fail("verify.recipeMismatch",
      "The shown recipe is not the one that the statement names.");
  }
  if (!same(shownSiteRecipe(theCase).recipe.master, named)) {
    yield fail("verify.masterMismatch",
      "The site recipe follows another recipe than the statement names.");
  }
}

function* inForce(theCase) {
  const shown = shownRecipe(theCase);
  const recipe = recipeId(shown.recipe);
  const [at, count] = fieldsOf(proven(theCase, RECIPES, recipe), 40, 40);
  if (at === 0) {
    yield fail("verify.recipeUnregistered", `Nobody published recipe ${toHex(recipe)}.`);
    return;
  }
  if (count > shown.steps) {
    throw new Undecided(unknown("verify.stepsMissing",
      `The recipe's status has ${count} steps, ${shown.steps} are shown.`));
  }
  const numbers = Array.from({ length: count }, (_, before) => before + 1);
  const steps = numbers.map((number) => fieldsOf(proven(theCase, STEPS, recipe, number), 8, 40));
  const intervals = timesInForce(steps);
  const window = windowOf(theCase);
  yield* covered("The recipe's status trial or qualified", intervals, window, IN_FORCE);
  // The first step is of the block that published it.
  const begun = intervals.filter((one) => cover([one], window) !== "none").map(({ since }) => since);
  for (const time of [...new Set([...begun, at])].sort((one, other) => one - other)) {
    yield* publishedFindings(theCase, time, "The recipe was published, or its status set");
  }
}

function timesInForce(steps) {
  const times = steps.map(([status, since], at) => (
    { status, since, until: steps[at + 1]?.[1] ?? 0 }));
  return times.filter(({ status }) => [TRIAL, QUALIFIED].includes(status));
}

function* registered(theCase) {
  const siteRecipe = siteRecipeId(shownSiteRecipe(theCase).recipe);
  const at = Number(proven(theCase, SITE_RECIPES, siteRecipe));
  if (at === 0) {
    yield fail("verify.siteRecipeUnregistered",
      `Nobody published site recipe ${toHex(siteRecipe)}.`);
    return;
  }
  const what = "The registration of the site recipe";
  yield* covered(what, [{ since: at, until: 0 }], windowOf(theCase), REGISTERED);
  yield* actFindings(theCase, stated(theCase).run.site, at, "The site recipe was published");
}

async function* keepsClauses(theCase) {
  const theirs = await masterClauses(theCase);
  for (const { leaf, deviation, path } of violations(theirs, await siteClauses(theCase))) {
    const place = path ?? `leaf ${leaf}`;
    if (deviation !== WITHHELD) {
      yield fail("verify.clauseChanged",
        `The site recipe departs from the recipe at ${place}: ${deviation}.`);
      return;
    }
    yield withheld("verify.clauseWithheld",
      `The site recipe changes ${place}, which is not shown.`);
  }
}

async function* settingsInside(theCase) {
  const settings = settingsOf(theCase);
  const clauses = await siteClauses(theCase);
  if (settings.count === 0 && clauses.below(PROCESS).length > 0) {
    yield notClaimed("verify.settingsNotRecorded", "The statement records no setting.");
  }
  for (const setting of settings.values) yield* settingInside(setting, clauses);
  if (settings.count !== 0) yield* unrecorded(settings, clauses);
  if (clauses.mayHide(PROCESS)) {
    yield settingWithheld(
      "The site recipe may ask for settings by process clauses that are not shown.");
  }
}

function* settingInside({ path, value, unit }, clauses) {
  const clause = clauses.find(path);
  if (clause === null && clauses.mayHide(path)) {
    yield settingWithheld(`The clause that bounds the setting ${path} may be withheld.`);
  } else if (clause === null || !admits(clause, value, unit)) {
    const written = unit === null ? value : `${value} ${unit}`;
    yield fail("verify.settingOutside",
      `The setting ${path} was ${written}, which the site recipe does not admit.`);
  }
}

/** Yield that a process clause which binds what the machine did has no setting. */
function* unrecorded({ values, mayHide }, clauses) {
  const recorded = new Set(values.map(({ path }) => path));
  for (const { path, class: klass } of clauses.below(PROCESS)) {
    const isAsked = ["core", "window"].includes(klass);
    if (isAsked && !recorded.has(path) && !mayHide(path)) {
      yield fail("verify.settingMissing",
        `The statement records no setting for ${path}, which the site recipe asks for.`);
    }
  }
}

async function* settingsOfJob(theCase) {
  const { settings, resolved } = stated(theCase);
  const committed = resolved.find(({ name }) => name === SETTINGS);
  if (committed === undefined) return;
  const text = canonical(settings.map(({ path, value, unit }) => (
    { path, value, ...(unit === null ? {} : { unit }) })));
  if (!same(committed.digest, await sha256(ascii(text)))) {
    yield fail("verify.settingsMismatch", "The recorded settings are not the job file's.");
  }
}

export const RECIPE = {
  number: 7,
  name: "recipe and settings",
  rules: [
    { at: "the site's recipe, by entry and statement", rule: named },
    { at: "the recipe that it follows", rule: master },
    { at: "that the recipe was in force", rule: inForce },
    { at: "the site recipe's registration", rule: registered },
    { at: "that it keeps each clause", rule: keepsClauses },
    { at: "the recorded settings", rule: settingsInside },
    { at: "that all recorded settings are shown", rule: settingsClosed },
    { at: "the job file's settings", rule: settingsOfJob },
    { at: "approvals, where the recipe asks for them", rule: approved },
    { at: "what it changes by the rules, and who agreed to less", rule: overridden },
  ],
};
