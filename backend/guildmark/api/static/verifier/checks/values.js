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
  yield* closed("verify.settingClosed", "settings", settingsOf(theCase));
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
  const hidden = count - values.length;
  if (count === null) {
    yield withheld(code, `All ${what} are kept by the maker, who does not show how many there are.`);
  } else if (hidden > 0) {
    const verb = hidden === 1 ? "is" : "are";
    yield withheld(code, `${hidden} of ${count} ${what} ${verb} kept by the maker.`);
  }
}
