// Whether a measured value meets a tolerance: decision rules with guard bands, exactly computed.
//
// A guard band keeps the measurement's uncertainty away from the limits (ISO 14253-1; ILAC-G8).
// Inside of it a value proves neither that a part conforms nor that it does not.

import { ZERO, fraction, isLess, minus, over, plus, rounded, times } from "./fraction.js";
import { admits, isBounded, measuresLike } from "./documents/bounds.js";
import { converted, exact, parseDecimal } from "./documents/quantity.js";

const [CALIBRATION, DECISION_RULE, RAW_DATA, SAMPLE_EVERY, UNCERTAINTY_RATIO] = [
  "/qa/calibration", "/qa/decision_rule", "/qa/raw_data", "/qa/sample_every",
  "/qa/uncertainty_ratio"];
/** The clauses by which a recipe asks, ascending. */
export const ASKING = [CALIBRATION, DECISION_RULE, RAW_DATA, SAMPLE_EVERY, UNCERTAINTY_RATIO];

const [SIMPLE, EXPANDED, PROBABILITY] = ["simple acceptance", "guard band U", "ISO 14253-1"];
const RULES = [SIMPLE, EXPANDED, PROBABILITY];
const REQUIRED = "required";
const ONE = 10n ** 18n;
const EVERY_MAX = 1_000_000n * ONE;
// The 95 % and 97.5 % points of the normal distribution, rounded up: one limit is near, or both.
const [ONE_SIDED, TWO_SIDED] = [fraction(165n, 100n), fraction(196n, 100n)];
const [TWO, FAR, EVEN_SQUARED] = [fraction(2n), fraction(5n), fraction(12n)];

const MET = { outcome: "conforms", reason: "" };
const NOT_MET = { outcome: "exceeded", reason: "It lies outside its bounds." };
const unproven = (reason) => ({ outcome: "unproven", reason });

/** Return what a recipe's shown clauses ask of measurements. */
export function qualityPlan(clauses) {
  const [rule, raw] = [textOf(clauses, DECISION_RULE), textOf(clauses, RAW_DATA)];
  const [ratio, every] = [ratioOf(clauses), everyOf(clauses)];
  const values = {
    [CALIBRATION]: textOf(clauses, CALIBRATION),
    [DECISION_RULE]: RULES.includes(rule) ? rule : null,
    [RAW_DATA]: raw === REQUIRED ? raw : null,
    [SAMPLE_EVERY]: every,
    [UNCERTAINTY_RATIO]: ratio,
  };
  return {
    rule: values[DECISION_RULE] ?? SIMPLE,
    leastRatio: ratio,
    isRawAsked: raw === REQUIRED,
    calibration: values[CALIBRATION] ?? "",
    every: every ?? 1,
    unread: ASKING.filter((path) => clauses.find(path) !== null && values[path] === null),
  };
}

/** Return whether a unit is to be measured; one whose number nobody says always is. */
export function samples({ every }, unit) {
  return unit === null || (unit - 1) % every === 0;
}

/** Return whether a measurement proves that a characteristic meets its tolerance, and why not. */
export function decide(measured, tolerance, { rule, leastRatio }) {
  const { value, unit, uncertainty } = measured;
  if (uncertainty === null && leastRatio === null && rule === SIMPLE) {
    return admits(tolerance, value, unit) ? MET : NOT_MET;
  }
  if (!measuresLike(tolerance, unit)) return NOT_MET;
  const [limits, found] = [limitsOf(tolerance), converted(value, unit, tolerance.unit)];
  if (uncertainty === null) {
    return excludes(limits, found, ZERO) ? NOT_MET
      : unproven("No uncertainty is stated, which the recipe's decision rule needs.");
  }
  const said = saidOf(measured, tolerance.unit);
  const band = guardBand(said, rule, limits);
  if (contains(limits, found, band)) return trusted(said, limits, leastRatio);
  return excludes(limits, found, band) ? NOT_MET
    : unproven("It lies so near a limit that its uncertainty decides.");
}

/** Return what a tolerance allows; one without bounds allows its value alone, or anything. */
function limitsOf(tolerance) {
  const { min, value, max } = tolerance;
  const bounds = isBounded(tolerance) ? [min, max] : [value, value];
  const [lower, upper] = bounds.map((text) => (text === null ? null : exact(text)));
  return { lower, upper, width: lower === null || upper === null ? null : minus(upper, lower) };
}

/** Return U, k and the instrument's least step, in the unit of the tolerance. */
function saidOf({ unit, uncertainty, coverageFactor, resolution }, other) {
  // A distance: where a scale has its zero does not matter.
  const step = minus(converted("1", unit, other), converted("0", unit, other));
  return {
    expanded: times(exact(uncertainty), step),
    coverage: exact(coverageFactor),
    resolution: resolution === null ? null : times(exact(resolution), step),
  };
}

function guardBand({ expanded, coverage }, rule, { width }) {
  if (rule === SIMPLE) return ZERO;
  if (rule === EXPANDED) return expanded;
  const standard = over(expanded, coverage);
  // From there on, the other limit takes less than what the first rounding left.
  const isNear = width !== null && isLess(width, times(FAR, standard));
  return times(standard, isNear ? TWO_SIDED : ONE_SIDED);
}

/** Return whether a value stays away from each limit by a guard band, or is at its end. */
function contains({ lower, upper }, value, band) {
  return (lower === null || !isLess(value, plus(lower, band)))
    && (upper === null || !isLess(minus(upper, band), value));
}

/** Return whether a value lies beyond a limit by more than a guard band. */
function excludes({ lower, upper }, value, band) {
  return (lower !== null && isLess(value, minus(lower, band)))
    || (upper !== null && isLess(plus(upper, band), value));
}

/** Return whether a value inside counts, given how it was measured. */
function trusted(said, { width }, leastRatio) {
  if (isFinerThanItsSteps(said)) {
    return unproven("Its uncertainty is smaller than the instrument's steps allow.");
  }
  const ratio = width === null ? null : over(width, times(TWO, said.expanded));
  if (leastRatio === null || ratio === null || !isLess(ratio, exact(leastRatio))) return MET;
  return unproven(`The tolerance is ${rounded(ratio)} times as wide as the uncertainty; `
    + `the recipe asks for ${leastRatio} times.`);
}

/** Return whether U is less than the steps alone make it: r / (2 sqrt 3) (GUM, F.2.2.1). */
function isFinerThanItsSteps({ expanded, coverage, resolution }) {
  if (resolution === null) return false;
  const steps = times(coverage, resolution);
  return isLess(times(EVEN_SQUARED, times(expanded, expanded)), times(steps, steps));
}

/** Return what a core text says, null where there is none. */
function textOf(clauses, path) {
  const clause = clauses.find(path);
  return clause?.type === "text" && clause.class === "core" ? clause.value : null;
}

/** Return the least ratio: a core quantity with a minimum alone. */
function ratioOf(clauses) {
  const { class: klass, value, min, max, unit } = clauses.find(UNCERTAINTY_RATIO) ?? {};
  const isOne = klass === "core" && unit === "1" && value === null && max === null;
  return isOne && min !== null && parseDecimal(min) > 0n ? min : null;
}

function everyOf(clauses) {
  const { class: klass, value, min, max, unit } = clauses.find(SAMPLE_EVERY) ?? {};
  const isOne = klass === "core" && unit === "1" && value !== null && min === null && max === null;
  if (!isOne) return null;
  const number = parseDecimal(value);
  return number % ONE === 0n && ONE <= number && number <= EVERY_MAX ? Number(number / ONE) : null;
}
