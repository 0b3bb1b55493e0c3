// (8) The measurements prove the tolerances, and registered, calibrated instruments took them.

import { Malformed, fromHex, toHex } from "../bytes.js";
import { accreditedOver } from "../accreditations.js";
import { ASKING, decide, qualityPlan, samples } from "../conformity.js";
import { actFindings, identityOf } from "../doubts.js";
import { failed, lastWords } from "../inspections.js";
import { displayName } from "../naming.js";
import { IDENTITIES } from "../state.js";
import { covered, windowOf } from "../window.js";
import { quoted } from "../words.js";
import { issuerTimes, provenAccreditations } from "./accreditation.js";
import { fail, notClaimed, proven, stated, unknown, withheld } from "./check.js";
import { masterClauses, siteClauses } from "./clauses.js";
import { MACHINE } from "./parties.js";
import { measurementsClosed, measurementsOf } from "./values.js";

const TOLERANCE = "/tolerance/";
const REGISTERED = {
  none: (reason) => fail("verify.instrumentRegisteredLater", reason),
  part: (reason) => unknown("verify.instrumentRegisteredMeanwhile", reason),
};

async function* claimed(theCase) {
  const clauses = await masterClauses(theCase);
  const tolerances = tolerancesOf(clauses);
  if (clauses.mayHide(TOLERANCE)) {
    yield withheld("verify.tolerancesWithheld",
      "The recipe may have tolerances that are not shown.");
  } else if (tolerances.length === 0) {
    yield notClaimed("verify.tolerancesAbsent", "The recipe has no tolerances.");
  }
  const { unit } = stated(theCase);
  const { values, count, mayHide } = measurementsOf(theCase);
  const isSampled = samples(qualityPlan(clauses), unit);
  const measured = new Set(values.map(({ characteristic }) => characteristic));
  for (const { path } of tolerances) {
    if (!measured.has(path) && isSampled && !mayHide(path)) {
      yield notClaimed("verify.measurementMissing",
        `The statement has no measurement of ${path}.`);
    }
  }
  if (!isSampled && count === 0) {
    yield notClaimed("verify.notSampled",
      "The part is not of the sample that the recipe asks to measure.");
  }
}

async function* planned(theCase) {
  const clauses = await masterClauses(theCase);
  const hidden = ASKING.find((path) => clauses.find(path) === null && clauses.mayHide(path));
  if (hidden !== undefined) {
    yield withheld("verify.qualityPlanWithheld",
      `The clause ${hidden} may be among those that are not shown.`);
  }
  for (const path of qualityPlan(clauses).unread) {
    yield unknown("verify.qualityPlanUnread",
      `The clause ${path} is in a form that this version does not know.`);
  }
}

async function* within(theCase) {
  const clauses = await masterClauses(theCase);
  yield* met(theCase, tolerancesOf(clauses), qualityPlan(clauses));
}

async function* withinOwn(theCase) {
  // A site may bind itself to narrower tolerances.
  const tolerances = tolerancesOf(await siteClauses(theCase));
  yield* met(theCase, tolerances, qualityPlan(await masterClauses(theCase)));
}

/** Return the clauses that can be measured: a text below /tolerance is for people. */
function tolerancesOf(clauses) {
  return clauses.below(TOLERANCE).filter(({ type }) => type === "quantity");
}

function* met(theCase, tolerances, plan) {
  const bounds = new Map(tolerances.map((tolerance) => [tolerance.path, tolerance]));
  for (const one of measurementsOf(theCase).values) {
    const bound = bounds.get(one.characteristic);
    if (bound === undefined) continue;
    const { outcome, reason } = decide(one, bound, plan);
    const measured = `${bound.path} was measured as ${one.value} ${one.unit}`;
    if (outcome === "exceeded") {
      yield fail("verify.toleranceExceeded", `${measured}, outside its bounds.`);
    } else if (outcome === "unproven") {
      yield unknown("verify.conformityUnproven", `${measured}. ${reason}`);
    }
  }
}

async function* rawData(theCase) {
  if (!qualityPlan(await masterClauses(theCase)).isRawAsked) return;
  for (const { characteristic, rawData: file } of measurementsOf(theCase).values) {
    if (file === null) {
      yield notClaimed("verify.rawDataMissing",
        `The measurement of ${characteristic} names no file of its instrument.`);
    }
  }
}

/** Yield a finding for each instrument that nobody registered as a machine, or did too late. */
function* instruments(theCase) {
  for (const instrument of instrumentsOf(theCase)) {
    const identity = identityNamed(instrument);
    const found = identityOf(identity === null ? 0n : proven(theCase, IDENTITIES, identity));
    if (found.kind !== MACHINE) {
      yield fail("verify.instrumentUnregistered",
        `The instrument ${quoted(instrument)} is no registered machine.`);
    } else {
      yield* registered(theCase, identity, found.since);
    }
  }
}

function* registered(theCase, identity, since) {
  const named = `instrument ${toHex(identity)}`;
  const interval = { since, until: 0 };
  yield* covered(`The registration of ${named}`, [interval], windowOf(theCase), REGISTERED);
  yield* actFindings(theCase, identity, since, `The ${named} was registered`);
}

/** Yield a finding for each instrument whose calibration is not proven for the whole window. */
async function* calibrated(theCase) {
  const { calibration: standard } = qualityPlan(await masterClauses(theCase));
  if (standard === "") return;
  const { given } = await provenAccreditations(theCase);
  const known = {
    shown: given.filter(({ doubts }) => doubts.length === 0), roots: issuerTimes(theCase),
  };
  for (const instrument of instrumentsOf(theCase)) {
    const subjects = identityNamed(instrument) === null ? [] : [instrument];
    const answer = accreditedOver(subjects, { standard }, windowOf(theCase), known);
    if (answer.standing !== "held") {
      yield unknown("verify.calibrationUnproven",
        `The instrument ${instrument} is not proven to be calibrated. ${answer.reason}`);
    }
  }
}

function instrumentsOf(theCase) {
  return new Set(measurementsOf(theCase).values.map(({ instrument }) => instrument));
}

/** Return the identity that a measurement names as its instrument, null where it names none. */
function identityNamed(instrument) {
  try {
    return fromHex(instrument, 32);
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

async function* inspected(theCase) {
  for (const one of await failed(theCase)) {
    const said = "inspected the part, and it failed; on record since";
    yield fail("verify.inspectionFailed", `${await nameOf(theCase, one)} ${said} ${one.time}.`);
  }
}

/** Yield what an inspector measured outside the bounds, whatever he made of it. */
async function* remeasured(theCase) {
  const clauses = await masterClauses(theCase);
  const [plan, own] = [qualityPlan(clauses), await siteClauses(theCase)];
  for (const one of await lastWords(theCase)) {
    const taken = new Map(one.measurements.map((each) => [each.characteristic, each]));
    for (const bound of [...tolerancesOf(clauses), ...tolerancesOf(own)]) {
      const found = taken.get(bound.path);
      if (found === undefined || decide(found, bound, plan).outcome !== "exceeded") continue;
      yield fail("verify.toleranceExceeded", `${await nameOf(theCase, one)} measured ${bound.path} `
        + `as ${found.value} ${found.unit}, outside its bounds.`);
    }
  }
}

function nameOf(theCase, { inspector }) {
  return inspector === undefined ? "An inspector" : displayName(theCase, inspector);
}

export const MEASUREMENTS = {
  number: 8,
  name: "tolerances",
  rules: [
    { at: "which tolerances the statement answers", rule: claimed },
    { at: "that all measured values are shown", rule: measurementsClosed },
    { at: "what the recipe asks of measurements", rule: planned },
    { at: "the measured values, by the recipe's tolerances", rule: within },
    { at: "the measured values, by the site's tolerances", rule: withinOwn },
    { at: "the instruments' own files", rule: rawData },
    { at: "the instruments' registration", rule: instruments },
    { at: "their calibration, where the recipe asks for it", rule: calibrated },
    { at: "what inspectors found", rule: inspected },
    { at: "what inspectors measured", rule: remeasured },
  ],
};
