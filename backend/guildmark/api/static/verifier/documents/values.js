// Settings and measured values: as statements say them, and as they open salted leaves.

import { Malformed, ascii, concat, fromHex, same, sha256, toHex } from "../bytes.js";
import { keccak256 } from "../crypto.js";
import { rootOfLeaves } from "../proofs/merkle.js";
import { path, sized } from "./clauses.js";
import { checkUnit, parseDecimal } from "./quantity.js";
import { id, integer, list, maybe, object, text, uint40 } from "./shapes.js";

const SETTING_DOMAIN = keccak256(ascii("guildmark/setting/v1"));
const MEASUREMENT_DOMAIN = keccak256(ascii("guildmark/measurement/v1"));
const VALUES_MAX = 1024;
const NAME_MAX = 200;

const name = text(NAME_MAX);

export const readSetting = object({ path, value: text(), unit: maybe(text()) }, (setting) => {
  if (setting.unit !== null) {
    checkUnit(setting.unit);
    parseDecimal(setting.value);
  }
  return setting;
});

export const readMeasurement = object({
  characteristic: path, value: text(), unit: text(), instrument: name,
  uncertainty: maybe(text()), coverageFactor: maybe(text()), resolution: maybe(text()),
  rawData: maybe(id), operator: maybe(name), measuredOn: maybe(uint40),
}, (measured) => {
  const { unit, value, uncertainty, coverageFactor, resolution } = measured;
  checkUnit(unit);
  parseDecimal(value);
  if ((uncertainty === null) !== (coverageFactor === null)) throw new Malformed("U without k");
  for (const one of [uncertainty, coverageFactor, resolution]) {
    if (one !== null && parseDecimal(one) <= 0n) throw new Malformed("an uncertainty of nothing");
  }
  return measured;
});

export const readShownSettings = shownOf(readSetting);
export const readShownMeasurements = shownOf(readMeasurement);

function shownOf(read) {
  const opened = list(object({ leaf: integer(0, VALUES_MAX - 1), salt: id, value: read }));
  return object({ leaves: list(id, 1, VALUES_MAX), opened }, (shown) => {
    const numbers = shown.opened.map(({ leaf }) => leaf);
    if (numbers.some((one, at) => at > 0 && numbers[at - 1] >= one)) {
      throw new Malformed("leaves are opened twice or out of order");
    }
    return shown;
  });
}

/**
 * Return what a statement records, as far as it is shown: the values of each kind and how many
 * there are, null where that is not shown; null for a kind of which other values are shown.
 */
export async function recordedOf(said, { settings, measurements }) {
  const { settingsRoot, measurementsRoot } = said;
  return {
    settings: await recorded(said.settings, settingsRoot, settings, settingLeaf),
    measurements: await recorded(said.measurements, measurementsRoot, measurements, measuredLeaf),
  };
}

async function recorded(inClear, root, shown, leafOf) {
  if (root === null) return shown === null ? { values: inClear, count: inClear.length } : null;
  if (shown === null) return { values: [], count: null };
  if (!same(await rootOfLeaves(shown.leaves), root)) return null;
  const paths = [];
  for (const { leaf, salt, value } of shown.opened) {
    const found = leaf < shown.leaves.length && await leafOf(salt, value);
    if (!found || !same(found, shown.leaves[leaf])) return null;
    paths.push(value.path ?? value.characteristic);
  }
  if (paths.some((one, at) => at > 0 && paths[at - 1] >= one)) return null;
  const leaves = shown.opened.map(({ leaf }) => leaf);
  const values = shown.opened.map(({ value }) => value);
  return { values, count: shown.leaves.length, paths, leaves };
}

function settingLeaf(salt, { path: named, value, unit }) {
  return sha256(concat(SETTING_DOMAIN, salt, sized(named), sized(value), optional(unit)));
}

function measuredLeaf(salt, one) {
  const said = [one.characteristic, one.value, one.unit, one.instrument].map(sized);
  const rest = [
    one.uncertainty, one.coverageFactor, one.resolution, one.rawData && toHex(one.rawData),
    one.operator, one.measuredOn === null ? null : `${one.measuredOn}`,
  ].map(optional);
  return sha256(concat(MEASUREMENT_DOMAIN, salt, ...said, ...rest));
}

function optional(written) {
  return written === null ? fromHex("0x00") : concat(fromHex("0x01"), sized(written));
}
