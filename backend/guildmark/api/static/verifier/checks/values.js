// What a statement records, as far as it says it itself or the bundle opens it.

import { Undecided, fail, stated, withheld } from "./check.js";

/** Return the settings that are recorded; throw Undecided where others are shown. */
export function settingsOf(theCase) {
  return known(theCase, "settings");
}

/** Return the measured values that are recorded; throw Undecided where others are shown. */
export function measurementsOf(theCase) {
  return known(theCase, "measurements");
}

export function* settingsClosed(theCase) {
  yield* closed("verify.settingClosed", "recorded settings", settingsOf(theCase));
}

export function* measurementsClosed(theCase) {
  yield* closed("verify.measurementClosed", "measured values", measurementsOf(theCase));
}

function known(theCase, kind) {
  const found = stated(theCase).recorded[kind];
  if (found.reason !== null) throw new Undecided(fail("verify.valuesInvalid", found.reason));
  return found;
}

function* closed(code, what, { values, count }) {
  if (count === null) {
    yield withheld(code, `None of the ${what} to which the statement commits is shown.`);
  } else if (values.length < count) {
    yield withheld(code, `${count - values.length} of the ${count} ${what} are not shown.`);
  }
}
